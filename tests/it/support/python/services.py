"""Asks ELBv2, Auto Scaling, IAM, Route 53 and the account's services as boto3 does, and prints what is not as on AWS."""
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PLAIN = Config(parameter_validation=False, retries={"max_attempts": 0})
ZONES = ["subnet-0bbbbbbbbbbbbbbb1", "subnet-0bbbbbbbbbbbbbbb2"]
SAME_ZONE = ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0bbbbbbbbbbbbbbb1"]
VPC = "vpc-0a1b2c3d4e5f60718"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/0f0f0f0f-1111-2222-3333-444444444444"
ZONE = "Z0SANDBOX0EXAMPLE"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}

checks, wrong = 0, []


def client(service):
    return boto3.client(service, region_name="eu-central-1", endpoint_url=sys.argv[1], config=PLAIN)


ec2, elb, asg, iam = client("ec2"), client("elbv2"), client("autoscaling"), client("iam")
route53, acm, sts, ssm = client("route53"), client("acm"), client("sts"), client("ssm")
quotas, cloudwatch, waf = client("service-quotas"), client("cloudwatch"), client("wafv2")


def holds(what, found, wanted=True):
    global checks
    checks += 1
    if found != wanted:
        wrong.append(f"{what}: {found!r}, not {wanted!r}")


def refused(code, call, status=None, **asked):
    """The call is refused with this code, and this HTTP status."""
    what = f"{call.__name__} {json.dumps(asked, default=str)[:120]}"
    try:
        call(**asked)
        holds(what, "taken", code)
    except ClientError as error:
        holds(what, error.response["Error"]["Code"], code)
        if status:
            holds(f"{what}: status", error.response["ResponseMetadata"]["HTTPStatusCode"], status)


def has(what, row, *fields):
    for field in fields:
        holds(f"{what} has {field}", field in row)


def load_balancers():
    def balancer(**changed):
        return elb.create_load_balancer(**{"Name": "lb", "Subnets": ZONES, "Scheme": "internal", **changed})

    balancer.__name__ = "create_load_balancer"
    for name in ["-lb", "lb-", "l_b", "x" * 33, "internal-lb"]:
        refused("ValidationError", balancer, Name=name)
    refused("SubnetNotFound", balancer, Subnets=["subnet-0123456789abcdef0", ZONES[0]])
    refused("ValidationError", balancer, Subnets=ZONES[:1])
    refused("InvalidConfigurationRequest", balancer, Subnets=SAME_ZONE)
    refused("ValidationError", balancer, Scheme="private")
    row = balancer()["LoadBalancers"][0]
    arn = row["LoadBalancerArn"]
    has("load balancer", row, "CanonicalHostedZoneId", "CreatedTime", "DNSName", "State", "Type", "VpcId",
        "AvailabilityZones", "SecurityGroups", "IpAddressType")
    holds("a repeated create", balancer()["LoadBalancers"][0]["LoadBalancerArn"], arn)
    refused("DuplicateLoadBalancerName", balancer, Scheme="internet-facing")
    refused("LoadBalancerNotFound", elb.describe_load_balancers, Names=["none"])
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    attributes = {one["Key"]: one["Value"] for one in attributes}
    for key, value in [("idle_timeout.timeout_seconds", "60"), ("deletion_protection.enabled", "false"),
                       ("routing.http2.enabled", "true"), ("access_logs.s3.enabled", "false"),
                       ("routing.http.desync_mitigation_mode", "defensive")]:
        holds(f"attribute {key}", attributes.get(key), value)
    for key, value in [("idle_timeout.timeout_seconds", "0"), ("none.such", "1"), ("routing.http2.enabled", "maybe")]:
        refused("InvalidConfigurationRequest", elb.modify_load_balancer_attributes, LoadBalancerArn=arn,
                Attributes=[{"Key": key, "Value": value}])
    protect = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protect)
    refused("OperationNotPermitted", elb.delete_load_balancer, LoadBalancerArn=arn)
    protect[0]["Value"] = "false"
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protect)
    holds("set_subnets", len(elb.set_subnets(LoadBalancerArn=arn, Subnets=ZONES)["AvailabilityZones"]), 2)
    has("capacity", elb.describe_capacity_reservation(LoadBalancerArn=arn), "DecreaseRequestsRemaining")
    has("limits", elb.describe_account_limits()["Limits"][0], "Name", "Max")
    has("policies", elb.describe_ssl_policies()["SslPolicies"][0], "Name", "SslProtocols", "Ciphers")
    refused("SSLPolicyNotFound", elb.describe_ssl_policies, Names=["none"])
    return arn


def target_group(name="tg", **changed):
    asked = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": VPC, "TargetType": "instance", **changed}
    return elb.create_target_group(**asked)["TargetGroups"][0]


def target_groups():
    for changed in [{"name": "-tg"}, {"name": "t" * 33}, {"Port": 0}, {"Port": 70000}, {"Protocol": "GOPHER"},
                    {"HealthCheckIntervalSeconds": 4}, {"HealthyThresholdCount": 1}, {"HealthCheckPath": "x"},
                    {"Matcher": {"HttpCode": "700"}}, {"VpcId": "vpc-0123456789abcdef0"},
                    {"HealthCheckTimeoutSeconds": 60, "HealthCheckIntervalSeconds": 30}]:
        refused("ValidationError", target_group, **changed)
    row = target_group()
    arn = row["TargetGroupArn"]
    for field, value in [("HealthCheckIntervalSeconds", 30), ("HealthyThresholdCount", 5), ("HealthCheckPath", "/"),
                         ("HealthCheckPort", "traffic-port"), ("Matcher", {"HttpCode": "200"}),
                         ("ProtocolVersion", "HTTP1"), ("IpAddressType", "ipv4"), ("HealthCheckEnabled", True)]:
        holds(f"target group's {field}", row.get(field), value)
    refused("DuplicateTargetGroupName", target_group, Port=81)
    refused("TargetGroupNotFound", elb.describe_target_groups, Names=["none"])
    attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    attributes = {one["Key"]: one["Value"] for one in attributes}
    holds("delay", attributes.get("deregistration_delay.timeout_seconds"), "300")
    holds("algorithm", attributes.get("load_balancing.algorithm.type"), "round_robin")
    refused("InvalidConfigurationRequest", elb.modify_target_group_attributes, TargetGroupArn=arn,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "3601"}])
    holds("no targets", elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"], [])
    refused("InvalidTarget", elb.register_targets, TargetGroupArn=arn, Targets=[{"Id": "i-0123456789abcdef0"}])
    return arn


def listeners(balancer, target):
    forward = [{"Type": "forward", "TargetGroupArn": target}]

    def listener(**changed):
        asked = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": forward, **changed}
        return elb.create_listener(**asked)

    listener.__name__ = "create_listener"
    https = {"Protocol": "HTTPS", "Port": 443}
    issued = {"Certificates": [{"CertificateArn": CERTIFICATE}]}
    refused("ValidationError", listener, **issued)
    refused("ValidationError", listener, SslPolicy="ELBSecurityPolicy-2016-08")
    refused("ValidationError", listener, **https)
    refused("ValidationError", listener, Port=0)
    refused("ValidationError", listener, Protocol="TCP")
    refused("CertificateNotFound", listener, Certificates=[{"CertificateArn": CERTIFICATE[:-1] + "5"}], **https)
    refused("SSLPolicyNotFound", listener, SslPolicy="none", **https, **issued)
    refused("TargetGroupNotFound", listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": target + "9"}])
    row = listener(**https, **issued)["Listeners"][0]
    arn = row["ListenerArn"]
    has("listener", row, "SslPolicy", "Certificates", "LoadBalancerArn", "DefaultActions")
    refused("DuplicateListener", listener, **https, SslPolicy="ELBSecurityPolicy-2016-08", **issued)
    certificates = elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
    holds("default certificate", [one["IsDefault"] for one in certificates], [True])
    has("listener attribute", elb.describe_listener_attributes(ListenerArn=arn)["Attributes"][0], "Key", "Value")
    rules = elb.describe_rules(ListenerArn=arn)["Rules"]
    holds("default rule", [(rule["Priority"], rule["IsDefault"]) for rule in rules], [("default", True)])
    refused("OperationNotPermitted", elb.delete_rule, RuleArn=rules[0]["RuleArn"])
    condition = [{"Field": "path-pattern", "Values": ["/x"]}]
    elb.create_rule(ListenerArn=arn, Priority=1, Conditions=condition, Actions=forward)
    refused("PriorityInUse", elb.create_rule, ListenerArn=arn, Priority=1, Conditions=condition, Actions=forward)
    other = elb.create_load_balancer(Name="other", Subnets=ZONES, Scheme="internal")
    other = other["LoadBalancers"][0]["LoadBalancerArn"]
    refused("TargetGroupAssociationLimit", listener, LoadBalancerArn=other)
    elb.delete_load_balancer(LoadBalancerArn=other)
    refused("ResourceInUse", elb.delete_target_group, TargetGroupArn=target)
    elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "a", "Value": "b"}])
    holds("tags", elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"], [{"Key": "a", "Value": "b"}])
    refused("ListenerNotFound", elb.delete_listener, ListenerArn=arn + "9")


def create_group(**changed):
    asked = {"AutoScalingGroupName": "group", "MinSize": 1, "MaxSize": 3, "VPCZoneIdentifier": ",".join(ZONES),
             "LaunchTemplate": {"LaunchTemplateName": "template", "Version": "1"}, **changed}
    return asg.create_auto_scaling_group(**{name: value for name, value in asked.items() if value is not None})


def groups(target):
    data = {"ImageId": "ami-0c0ffee0c0ffee0c0", "InstanceType": "c7i-flex.4xlarge"}
    ec2.create_launch_template(LaunchTemplateName="template", LaunchTemplateData=data)
    for changed in [{"MinSize": 4}, {"DesiredCapacity": 9}, {"VPCZoneIdentifier": None}, {"LaunchTemplate": None},
                    {"LaunchTemplate": {"LaunchTemplateName": "template", "Version": "7"}},
                    {"LaunchTemplate": {"LaunchTemplateName": "none"}}, {"HealthCheckType": "MOOD"},
                    {"VPCZoneIdentifier": "subnet-0123456789abcdef0"}, {"TargetGroupARNs": [target + "9"]},
                    {"AutoScalingGroupName": "g" * 256}]:
        refused("ValidationError", create_group, **changed)
    tag = {"Key": "Name", "Value": "one", "PropagateAtLaunch": True}
    create_group(TargetGroupARNs=[target], Tags=[tag], HealthCheckType="ELB", HealthCheckGracePeriod=300)
    refused("AlreadyExists", create_group)
    row = asg.describe_auto_scaling_groups(AutoScalingGroupNames=["group"])["AutoScalingGroups"][0]
    has("group", row, "CreatedTime", "ServiceLinkedRoleARN", "EnabledMetrics", "AvailabilityZones", "TrafficSources")
    holds("policies of termination", row["TerminationPolicies"], ["Default"])
    holds("protection", row["NewInstancesProtectedFromScaleIn"], False)
    holds("cooldown", row["DefaultCooldown"], 300)
    holds("tag", row["Tags"], [{"ResourceId": "group", "ResourceType": "auto-scaling-group", **tag}])
    instance = row["Instances"][0]
    holds("template", instance["LaunchTemplate"]["LaunchTemplateName"], "template")
    activity = asg.describe_scaling_activities(AutoScalingGroupName="group")["Activities"][0]
    holds("details", sorted(json.loads(activity["Details"])), ["Availability Zone", "Subnet ID"])
    has("activity", activity, "Cause", "StartTime", "EndTime", "StatusCode", "Progress", "Description")
    for desired in (9, 0):
        refused("ValidationError", asg.set_desired_capacity, AutoScalingGroupName="group", DesiredCapacity=desired)
    refused("ValidationError", asg.update_auto_scaling_group, AutoScalingGroupName="group", MinSize=5)
    refused("ValidationError", asg.update_auto_scaling_group, AutoScalingGroupName="none", MinSize=1)
    refused("ResourceInUse", asg.delete_auto_scaling_group, AutoScalingGroupName="group")
    members(instance["InstanceId"])
    policies()
    asg.delete_auto_scaling_group(AutoScalingGroupName="group", ForceDelete=True)


def members(instance):
    refused("ValidationError", asg.terminate_instance_in_auto_scaling_group, InstanceId=instance,
            ShouldDecrementDesiredCapacity=True)
    details = asg.describe_auto_scaling_instances(InstanceIds=[instance])["AutoScalingInstances"][0]
    holds("instance's group", details["AutoScalingGroupName"], "group")
    activity = asg.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=False)
    has("termination", activity["Activity"], "ActivityId", "Description", "Cause")
    asg.suspend_processes(AutoScalingGroupName="group", ScalingProcesses=["AZRebalance"])
    row = asg.describe_auto_scaling_groups(AutoScalingGroupNames=["group"])["AutoScalingGroups"][0]
    holds("suspended", [one["ProcessName"] for one in row["SuspendedProcesses"]], ["AZRebalance"])
    asg.resume_processes(AutoScalingGroupName="group")
    refused("ValidationError", asg.suspend_processes, AutoScalingGroupName="group", ScalingProcesses=["Dream"])
    asg.enable_metrics_collection(AutoScalingGroupName="group", Granularity="1Minute")
    row = asg.describe_auto_scaling_groups(AutoScalingGroupNames=["group"])["AutoScalingGroups"][0]
    holds("metrics", row["EnabledMetrics"][0]["Granularity"], "1Minute")
    filters = [{"Name": "auto-scaling-group", "Values": ["group"]}]
    holds("tags", [tag["Key"] for tag in asg.describe_tags(Filters=filters)["Tags"]], ["Name"])
    asg.put_lifecycle_hook(AutoScalingGroupName="group", LifecycleHookName="hook",
                           LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING")
    hook = asg.describe_lifecycle_hooks(AutoScalingGroupName="group")["LifecycleHooks"][0]
    holds("hook", (hook["HeartbeatTimeout"], hook["DefaultResult"]), (3600, "ABANDON"))
    asg.delete_lifecycle_hook(AutoScalingGroupName="group", LifecycleHookName="hook")
    of = {"AutoScalingGroupName": "group"}
    holds("warm pool", asg.describe_warm_pool(**of)["Instances"], [])
    holds("sources", asg.describe_traffic_sources(**of)["TrafficSources"][0]["Type"], "elbv2")
    attached = asg.describe_load_balancer_target_groups(**of)["LoadBalancerTargetGroups"]
    holds("attached", [one["State"] for one in attached], ["InService"])
    holds("notifications", asg.describe_notification_configurations()["NotificationConfigurations"], [])
    refused("ActiveInstanceRefreshNotFound", asg.cancel_instance_refresh, **of)


def policies():
    tracking = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
                "TargetValue": 30.0}
    policy = {"AutoScalingGroupName": "group", "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling"}
    refused("ValidationError", asg.put_scaling_policy, **policy)
    refused("ValidationError", asg.put_scaling_policy, **policy,
            TargetTrackingConfiguration={**tracking, "TargetValue": 0.0})
    made = asg.put_scaling_policy(**policy, TargetTrackingConfiguration=tracking, Enabled=False)
    holds("alarms", len(made["Alarms"]), 2)
    row = asg.describe_policies(AutoScalingGroupName="group", PolicyNames=["cpu"])["ScalingPolicies"][0]
    holds("enabled", row["Enabled"], False)
    holds("scales in", row["TargetTrackingConfiguration"]["DisableScaleIn"], False)
    holds("no such policy", asg.describe_policies(PolicyNames=["none"])["ScalingPolicies"], [])
    has("alarm", cloudwatch.describe_alarms()["MetricAlarms"][0], "AlarmArn", "ComparisonOperator", "MetricName")


def roles():
    trust, allow = json.dumps(TRUST), json.dumps(ALLOW)
    for name in ["", "a b", "r" * 65]:
        refused("ValidationError", iam.create_role, RoleName=name, AssumeRolePolicyDocument=trust)
    refused("MalformedPolicyDocument", iam.create_role, RoleName="role", AssumeRolePolicyDocument="{")
    refused("MalformedPolicyDocument", iam.create_role, RoleName="role", AssumeRolePolicyDocument=allow)
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)["Role"]
    has("role", role, "RoleId", "Arn", "CreateDate", "Path")
    holds("trust", role["AssumeRolePolicyDocument"], TRUST)
    for name in ("role", "ROLE"):
        refused("EntityAlreadyExists", iam.create_role, 409, RoleName=name, AssumeRolePolicyDocument=trust)
    refused("NoSuchEntity", iam.get_role, 404, RoleName="none")
    refused("MalformedPolicyDocument", iam.create_policy, PolicyName="policy", PolicyDocument="[]")
    policy = iam.create_policy(PolicyName="policy", PolicyDocument=allow)["Policy"]
    arn = policy["Arn"]
    refused("EntityAlreadyExists", iam.create_policy, 409, PolicyName="Policy", PolicyDocument=allow)
    iam.attach_role_policy(RoleName="role", PolicyArn=arn)
    refused("NoSuchEntity", iam.attach_role_policy, 404, RoleName="role", PolicyArn=arn + "9")
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    has("policy", policy, "UpdateDate", "PolicyId", "CreateDate", "Path")
    shown = policy["AttachmentCount"], policy["DefaultVersionId"], policy["IsAttachable"]
    holds("policy", shown, (1, "v1", True))
    holds("entities", iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"][0]["RoleName"], "role")
    refused("DeleteConflict", iam.delete_policy, 409, PolicyArn=arn)
    refused("DeleteConflict", iam.delete_role, 409, RoleName="role")
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow)
    refused("LimitExceeded", iam.create_policy_version, 409, PolicyArn=arn, PolicyDocument=allow)
    holds("versions", len(iam.list_policy_versions(PolicyArn=arn)["Versions"]), 5)
    refused("DeleteConflict", iam.delete_policy_version, 409, PolicyArn=arn, VersionId="v1")
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v5")["PolicyVersion"]
    holds("version", (version["Document"], version["IsDefaultVersion"]), (ALLOW, False))
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="role")
    refused("LimitExceeded", iam.add_role_to_instance_profile, 409, InstanceProfileName="profile", RoleName="role")
    refused("DeleteConflict", iam.delete_instance_profile, 409, InstanceProfileName="profile")
    of = iam.list_instance_profiles_for_role(RoleName="role")["InstanceProfiles"]
    holds("profiles of the role", [one["InstanceProfileName"] for one in of], ["profile"])
    holds("inline", iam.list_role_policies(RoleName="role")["PolicyNames"], [])
    iam.tag_role(RoleName="role", Tags=[{"Key": "a", "Value": "b"}])
    holds("role's tags", iam.list_role_tags(RoleName="role")["Tags"], [{"Key": "a", "Value": "b"}])
    iam.update_role(RoleName="role", Description="other")
    holds("description", iam.get_role(RoleName="role")["Role"]["Description"], "other")
    refused("MalformedPolicyDocument", iam.update_assume_role_policy, RoleName="role", PolicyDocument="{")
    asked = {"PolicySourceArn": role["Arn"], "ActionNames": ["s3:GetObject", "s3:PutObject"]}
    results = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    holds("simulated", [one["EvalDecision"] for one in results], ["allowed", "implicitDeny"])


def change(action, name, kind="A", zone=ZONE, **more):
    record = {"Name": name, "Type": kind, **more}
    return route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]})


def records():
    plain = {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    sets = route53.list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"]
    holds("zone's records", sorted(one["Type"] for one in sets), ["NS", "SOA"])
    refused("NoSuchHostedZone", route53.get_hosted_zone, 404, Id="Z0NONE")
    refused("NoSuchHostedZone", change, 404, action="CREATE", name="a.example.com", zone="Z0NONE", **plain)
    refused("InvalidChangeBatch", change, 400, action="CREATE", name="a.elsewhere.org", **plain)
    refused("InvalidChangeBatch", change, 400, action="DELETE", name="a.example.com", **plain)
    made = change("CREATE", "a.example.com", **plain)["ChangeInfo"]
    has("change", made, "Id", "Status", "SubmittedAt")
    holds("change by its id", route53.get_change(Id=made["Id"])["ChangeInfo"]["Id"], made["Id"])
    refused("NoSuchChange", route53.get_change, 404, Id="C0NONE")
    refused("InvalidChangeBatch", change, 400, action="CREATE", name="a.example.com", **plain)
    refused("InvalidChangeBatch", change, 400, action="UPSERT", name="a.example.com", TTL=60,
            ResourceRecords=[{"Value": "words"}])
    change("DELETE", "a.example.com", **plain)
    zone = route53.get_hosted_zone(Id=ZONE)
    holds("name servers", len(zone["DelegationSet"]["NameServers"]), 4)
    holds("zone", zone["HostedZone"]["ResourceRecordSetCount"], 2)
    holds("zones", [one["Name"] for one in route53.list_hosted_zones()["HostedZones"]], ["example.com."])
    by_name = route53.list_hosted_zones_by_name(DNSName="example.com")["HostedZones"]
    holds("zones by name", [one["Name"] for one in by_name], ["example.com."])
    asked = {"ResourceType": "hostedzone", "ResourceId": ZONE}
    route53.change_tags_for_resource(**asked, AddTags=[{"Key": "a", "Value": "b"}])
    tags = route53.list_tags_for_resource(**asked)["ResourceTagSet"]["Tags"]
    holds("zone's tags", tags, [{"Key": "a", "Value": "b"}])


def account():
    holds("caller", sorted(sts.get_caller_identity())[:2], ["Account", "Arn"])
    certificate = acm.describe_certificate(CertificateArn=CERTIFICATE)["Certificate"]
    holds("certificate", (certificate["Status"], len(certificate["InUseBy"])), ("ISSUED", 1))
    refused("ResourceNotFoundException", acm.describe_certificate, CertificateArn=CERTIFICATE[:-1] + "5")
    name = "/aws/service/marketplace/prod-ozsandbox00001/latest"
    holds("image", ssm.get_parameter(Name=name)["Parameter"]["Value"], "ami-0c0ffee0c0ffee0c0")
    refused("ParameterNotFound", ssm.get_parameter, Name="/none")
    holds("missing", ssm.get_parameters(Names=[name, "/none"])["InvalidParameters"], ["/none"])
    quota = quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")["Quota"]
    has("quota", quota, "QuotaArn", "QuotaName", "Value", "Adjustable")
    refused("NoSuchResourceException", quotas.get_service_quota, ServiceCode="ec2", QuotaCode="L-0")
    holds("quotas", len(quotas.list_service_quotas(ServiceCode="elasticloadbalancing")["Quotas"]), 2)


def web_acls(balancer):
    asked = {"ResourceArn": balancer}
    acl, = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    has("web ACL", acl, "Name", "Id", "ARN", "LockToken")
    holds("web ACLs of CloudFront", waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"], [])
    holds("no web ACL yet", "WebACL" in waf.get_web_acl_for_resource(**asked), False)
    waf.associate_web_acl(WebACLArn=acl["ARN"], **asked)
    found = waf.get_web_acl_for_resource(**asked)["WebACL"]
    holds("web ACL before it", found["ARN"], acl["ARN"])
    has("web ACL", found, "Name", "Id", "DefaultAction", "VisibilityConfig", "Rules", "Capacity", "LabelNamespace")
    for call in (waf.get_web_acl_for_resource, waf.disassociate_web_acl):
        refused("WAFNonexistentItemException", call, 400, ResourceArn=balancer[:-1] + "_")
        refused("WAFInvalidParameterException", call, 400, ResourceArn="a load balancer of ours")
    refused("WAFNonexistentItemException", waf.associate_web_acl, 400, WebACLArn=acl["ARN"] + "0", **asked)
    refused("UnknownOperationException", waf.list_ip_sets, 400, Scope="REGIONAL")
    waf.disassociate_web_acl(**asked)
    holds("web ACL no longer", "WebACL" in waf.get_web_acl_for_resource(**asked), False)
    waf.associate_web_acl(WebACLArn=acl["ARN"], **asked)


balancer, target = load_balancers(), target_groups()
listeners(balancer, target)
for part in (lambda: groups(target), roles, records, account, lambda: web_acls(balancer)):
    try:
        part()
    except Exception as error:  # one part's end is no reason to leave the others out
        wrong.append(f"{part.__name__} ended: {error!r}")
elb.delete_load_balancer(LoadBalancerArn=balancer)
refused("WAFNonexistentItemException", waf.get_web_acl_for_resource, 400, ResourceArn=balancer)
print(json.dumps({"checks": checks, "wrong": wrong}, indent=1))
