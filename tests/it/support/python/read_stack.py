"""Reads a stack back with boto3 and prints its ids and the guide's properties."""
import json
import sys

import boto3


def client(service):
    return boto3.client(service, region_name="eu-central-1", endpoint_url=sys.argv[1])


ec2, elb, asg = client("ec2"), client("elbv2"), client("autoscaling")
iam, route53 = client("iam"), client("route53")
groups = {group["GroupName"]: group for group in ec2.describe_security_groups()["SecurityGroups"]}
template = ec2.describe_launch_templates()["LaunchTemplates"][0]
data = ec2.describe_launch_template_versions(LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Default"])
data = data["LaunchTemplateVersions"][0]["LaunchTemplateData"]
balancer = elb.describe_load_balancers(Names=["app-alb"])["LoadBalancers"][0]
target_group = elb.describe_target_groups(Names=["app-tg"])["TargetGroups"][0]
attributes = elb.describe_target_group_attributes(TargetGroupArn=target_group["TargetGroupArn"])["Attributes"]
listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
group = asg.describe_auto_scaling_groups(AutoScalingGroupNames=["app-asg"])["AutoScalingGroups"][0]
policy = asg.describe_policies(AutoScalingGroupName="app-asg")["ScalingPolicies"][0]
role = iam.get_role(RoleName="OZMarketplace")["Role"]
attached = iam.list_attached_role_policies(RoleName="OZMarketplace")["AttachedPolicies"][0]
version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
profile = iam.get_instance_profile(InstanceProfileName="OZMarketplace")["InstanceProfile"]
zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
record = next(one for one in records if one["Type"] == "A")
alias = record["AliasTarget"]["DNSName"].rstrip(".") == balancer["DNSName"].lower()
health = elb.describe_target_health(TargetGroupArn=target_group["TargetGroupArn"])["TargetHealthDescriptions"]


def rules(name):
    for one in groups[name]["IpPermissions"]:
        peers = one["IpRanges"] + one["Ipv6Ranges"] + one["UserIdGroupPairs"]
        for peer in peers:
            source = peer.get("CidrIp") or peer.get("CidrIpv6") or "alb-sg"
            yield f"{one['IpProtocol']} {one['FromPort']}-{one['ToPort']} from {source}: {peer['Description']}"


print(json.dumps({
    "ids": {
        "load_balancer_security_group": groups["alb-sg"]["GroupId"],
        "instance_security_group": groups["app-sg"]["GroupId"],
        "launch_template": template["LaunchTemplateId"],
        "target_group": target_group["TargetGroupArn"],
        "load_balancer": balancer["LoadBalancerArn"],
        "policy": attached["PolicyArn"],
    },
    "properties": {
        "alb-sg": sorted(rules("alb-sg")),
        "app-sg": sorted(rules("app-sg")),
        "policy": document,
        "trust": role["AssumeRolePolicyDocument"],
        "profile": [role["RoleName"] for role in profile["Roles"]],
        "template": {
            "type": data["InstanceType"],
            "disk": data["BlockDeviceMappings"],
            "profile": data["IamInstanceProfile"],
            "metadata": data["MetadataOptions"],
        },
        "load balancer": {key: balancer[key] for key in ["Scheme", "Type"]},
        "listeners": sorted(
            [one["Port"], one["Protocol"], one.get("SslPolicy"), one["DefaultActions"][0]["Type"]] for one in listeners
        ),
        "target group": {
            key: target_group[key]
            for key in ["Protocol", "Port", "HealthCheckProtocol", "HealthCheckPort", "HealthCheckPath", "Matcher"]
        },
        "algorithm": [one["Value"] for one in attributes if one["Key"] == "load_balancing.algorithm.type"],
        "group": {
            key: group.get(key)
            for key in [
                "MinSize", "DesiredCapacity", "MaxSize", "HealthCheckType", "HealthCheckGracePeriod",
                "DefaultInstanceWarmup",
            ]
        },
        "instances": len(group["Instances"]),
        "targets": len(health),
        "policy of the group": policy["TargetTrackingConfiguration"],
        "record": [record["Name"], record["Type"], alias],
    },
}))
