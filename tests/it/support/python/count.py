"""Counts with boto3 what there is of each kind."""
import json
import sys

import boto3


def count(service, operation, key, **asked):
    client = boto3.client(service, region_name="eu-central-1", endpoint_url=sys.argv[1])
    return client.get_paginator(operation).paginate(**asked).build_full_result().get(key, [])


alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopping", "stopped"]}]
templates = count("ec2", "describe_launch_templates", "LaunchTemplates")
balancers = count("elbv2", "describe_load_balancers", "LoadBalancers")
zones = count("route53", "list_hosted_zones", "HostedZones")
# moto gives every instance another disk, of its own kind, and keeps it.
volumes = [one for one in count("ec2", "describe_volumes", "Volumes") if one["VolumeType"] == "gp3"]
reservations = count("ec2", "describe_instances", "Reservations", Filters=alive)
groups = count("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups")
names = {group["AutoScalingGroupName"] for group in groups}
# AWS deletes a group's policies with it (DeleteAutoScalingGroup); moto keeps them.
policies = [
    one for one in count("autoscaling", "describe_policies", "ScalingPolicies")
    if one["AutoScalingGroupName"] in names
]
lists = {
    "security groups": count("ec2", "describe_security_groups", "SecurityGroups"),
    "templates": templates,
    "instances": [one for reservation in reservations for one in reservation["Instances"]],
    "volumes": volumes,
    "load balancers": balancers,
    "target groups": count("elbv2", "describe_target_groups", "TargetGroups"),
    "auto scaling groups": groups,
    "scaling policies": policies,
    "roles": count("iam", "list_roles", "Roles"),
    "profiles": count("iam", "list_instance_profiles", "InstanceProfiles"),
    "policies": count("iam", "list_policies", "Policies", Scope="Local"),
}
for template in templates:
    lists["versions"] = lists.get("versions", []) + count(
        "ec2", "describe_launch_template_versions", "LaunchTemplateVersions",
        LaunchTemplateId=template["LaunchTemplateId"],
    )
for balancer in balancers:
    lists["listeners"] = lists.get("listeners", []) + count(
        "elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"]
    )
for zone in zones:
    sets = count("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"])
    lists["records"] = lists.get("records", []) + [one for one in sets if one["Type"] not in ("NS", "SOA")]
print(json.dumps({kind: len(found) for kind, found in lists.items() if found}))
