"""The peer: the stack that `deploy up` makes, by a boto3 script as one would write it, one call after another.

`peer.py ENDPOINT deploy.yaml up` makes what is missing, and looks at each thing first; `… down` removes it.
"""
import json
import sys
import time

import boto3
import yaml
from botocore.exceptions import ClientError

STACK = "oz-liveness"
ROLE, POLICY = "OZMarketplace", "OZMarketplacePolicy"
TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
]}
METERING = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Resource": "*", "Action": [
        "aws-marketplace:MeterUsage", "aws-marketplace:BatchMeterUsage", "aws-marketplace:GetEntitlements",
    ],
}]}

endpoint, file, verb = sys.argv[1:]
with open(file, encoding="utf-8") as opened:
    config = yaml.safe_load(opened)
vpc, subnets = config["network"]["vpc"], config["network"]["private_subnets"]
domain = f"{config['dns']['record']}.{config['dns']['zone']}"
session = boto3.Session(region_name=config["region"])
ec2, elb, asg, iam, route53, acm = (
    session.client(name, endpoint_url=endpoint) for name in ("ec2", "elbv2", "autoscaling", "iam", "route53", "acm")
)


def tags(name):
    return [{"Key": "Name", "Value": name}, {"Key": "oz-deploy:stack", "Value": STACK}]


def specified(kind, name):
    return [{"ResourceType": kind, "Tags": tags(name)}]


def found(call, key, **arguments):
    """The first of what a call lists; None, also where AWS says that there is none."""
    try:
        return next(iter(call(**arguments)[key]), None)
    except ClientError as error:
        if "NotFound" in error.response["Error"]["Code"]:
            return None
        raise


def got(call, key, **arguments):
    """What a call of IAM gets, or None."""
    try:
        return call(**arguments)[key]
    except iam.exceptions.NoSuchEntityException:
        return None


def security_group(name, description):
    filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc]}]
    group = found(ec2.describe_security_groups, "SecurityGroups", Filters=filters)
    if group:
        return group["GroupId"], bool(group["IpPermissions"])
    made = ec2.create_security_group(
        GroupName=name, Description=description, VpcId=vpc, TagSpecifications=specified("security-group", name)
    )
    return made["GroupId"], False


def security_groups():
    balancer, has_rules = security_group("alb-sg", "Load balancer of Oz Liveness")
    if not has_rules:
        both = lambda words: {
            "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": words}],
            "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": words}],
        }
        ec2.authorize_security_group_ingress(GroupId=balancer, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **both("Allow HTTPS traffic")},
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **both("Allow HTTP traffic")},
        ])
    instances, has_rules = security_group("app-sg", "Instances of Oz Liveness")
    if not has_rules:
        words = {8501: "Allow traffic from ALB for health checks", 80: "Allow traffic from ALB for request for analysis"}
        ec2.authorize_security_group_ingress(GroupId=instances, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
             "UserIdGroupPairs": [{"GroupId": balancer, "Description": why}]}
            for port, why in words.items()
        ])
    return balancer, instances


def instance_role():
    policies = iam.list_policies(Scope="Local")["Policies"]
    policy = next((one["Arn"] for one in policies if one["PolicyName"] == POLICY), None)
    if not policy:
        made = iam.create_policy(PolicyName=POLICY, PolicyDocument=json.dumps(METERING), Tags=tags(POLICY))
        policy = made["Policy"]["Arn"]
    if not got(iam.get_role, "Role", RoleName=ROLE):
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=tags(ROLE))
    if not iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=policy)
    profile = got(iam.get_instance_profile, "InstanceProfile", InstanceProfileName=ROLE)
    if not profile:
        iam.create_instance_profile(InstanceProfileName=ROLE, Tags=tags(ROLE))
    if not profile or not profile["Roles"]:
        iam.add_role_to_instance_profile(InstanceProfileName=ROLE, RoleName=ROLE)


def launch_template(instances):
    name = "app-launch-template"
    template = found(ec2.describe_launch_templates, "LaunchTemplates", LaunchTemplateNames=[name])
    if template:
        return template["LaunchTemplateId"]
    images = ec2.describe_images(Filters=[{"Name": "name", "Values": ["api-instant-????????-*"]}])["Images"]
    image = max(images, key=lambda one: one["CreationDate"])
    data = {
        "ImageId": image["ImageId"], "InstanceType": "c7i-flex.4xlarge", "SecurityGroupIds": [instances],
        "IamInstanceProfile": {"Name": ROLE},
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "BlockDeviceMappings": [{"DeviceName": image["RootDeviceName"], "Ebs": {
            "VolumeSize": 50, "VolumeType": "gp3", "Iops": 12000, "Throughput": 500, "DeleteOnTermination": True,
        }}],
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": tags("app-asg")} for kind in ("volume", "network-interface")
        ],
    }
    made = ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData=data, TagSpecifications=specified("launch-template", name)
    )
    return made["LaunchTemplate"]["LaunchTemplateId"]


def target_group():
    group = found(elb.describe_target_groups, "TargetGroups", Names=["app-tg"])
    if group:
        elb.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])
        return group["TargetGroupArn"]
    made = elb.create_target_group(
        Name="app-tg", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="instance", HealthCheckProtocol="HTTP",
        HealthCheckPort="8501", HealthCheckPath="/", Matcher={"HttpCode": "404"}, Tags=tags("app-tg"),
    )
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    algorithm = {"Key": "load_balancing.algorithm.type", "Value": "least_outstanding_requests"}
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[algorithm])
    return arn


def load_balancer(group, targets):
    balancer = found(elb.describe_load_balancers, "LoadBalancers", Names=["app-alb"])
    if not balancer:
        balancer = elb.create_load_balancer(
            Name="app-alb", Subnets=subnets, SecurityGroups=[group], Scheme="internal", Tags=tags("app-alb")
        )["LoadBalancers"][0]
    arn = balancer["LoadBalancerArn"]
    ports = [one["Port"] for one in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]]
    if 443 not in ports:
        listed = acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
        elb.create_listener(
            LoadBalancerArn=arn, Protocol="HTTPS", Port=443, SslPolicy=TLS, Tags=tags("app-alb:443"),
            Certificates=[{"CertificateArn": listed[0]["CertificateArn"]}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": targets}],
        )
    if 80 not in ports:
        redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        elb.create_listener(
            LoadBalancerArn=arn, Protocol="HTTP", Port=80, Tags=tags("app-alb:80"),
            DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
        )
    return balancer


def scaling_group(template, targets):
    arguments = {"AutoScalingGroupName": "app-asg"}
    if not found(asg.describe_auto_scaling_groups, "AutoScalingGroups", AutoScalingGroupNames=["app-asg"]):
        asg.create_auto_scaling_group(
            **arguments, LaunchTemplate={"LaunchTemplateId": template, "Version": "1"}, MinSize=2, DesiredCapacity=2,
            MaxSize=91, VPCZoneIdentifier=",".join(subnets), TargetGroupARNs=[targets], HealthCheckType="ELB",
            HealthCheckGracePeriod=300, DefaultInstanceWarmup=120,
            Tags=[{**tag, "PropagateAtLaunch": True} for tag in tags("app-asg")],
        )
    if not asg.describe_policies(**arguments)["ScalingPolicies"]:
        average = {"PredefinedMetricType": "ASGAverageCPUUtilization"}
        asg.put_scaling_policy(
            **arguments, PolicyName="app-asg-cpu", PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration={"PredefinedMetricSpecification": average, "TargetValue": 30.0},
        )


def zone():
    zones = route53.list_hosted_zones_by_name(DNSName=config["dns"]["zone"])["HostedZones"]
    return zones[0]["Id"]


def record(id):
    records = route53.list_resource_record_sets(HostedZoneId=id, StartRecordName=domain, StartRecordType="A")
    named = [one for one in records["ResourceRecordSets"] if one["Name"] == f"{domain}." and one["Type"] == "A"]
    return named[0] if named else None


def change_record(id, action, wanted):
    changes = {"Changes": [{"Action": action, "ResourceRecordSet": wanted}]}
    route53.change_resource_record_sets(HostedZoneId=id, ChangeBatch=changes)


def up():
    balancer_group, instance_group = security_groups()
    instance_role()
    template = launch_template(instance_group)
    targets = target_group()
    balancer = load_balancer(balancer_group, targets)
    scaling_group(template, targets)
    id = zone()
    if not record(id):
        change_record(id, "UPSERT", {"Name": domain, "Type": "A", "AliasTarget": {
            "HostedZoneId": balancer["CanonicalHostedZoneId"], "DNSName": f"dualstack.{balancer['DNSName']}",
            "EvaluateTargetHealth": True,
        }})


def until(is_so):
    """AWS's own waiters look every 15 seconds; here its minutes are milliseconds."""
    while not is_so():
        time.sleep(0.05)


def deleted(call, **arguments):
    """Whether it could be deleted: what still uses it may be on its way out."""
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("DependencyViolation", "ResourceInUse"):
            return False
        raise
    return True


def down():
    id = zone()
    if there := record(id):
        change_record(id, "DELETE", there)
    asg.delete_auto_scaling_group(AutoScalingGroupName="app-asg", ForceDelete=True)
    group = lambda: found(asg.describe_auto_scaling_groups, "AutoScalingGroups", AutoScalingGroupNames=["app-asg"])
    until(lambda: not group())
    balancer = found(elb.describe_load_balancers, "LoadBalancers", Names=["app-alb"])
    elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    targets = found(elb.describe_target_groups, "TargetGroups", Names=["app-tg"])
    until(lambda: deleted(elb.delete_target_group, TargetGroupArn=targets["TargetGroupArn"]))
    ec2.delete_launch_template(LaunchTemplateName="app-launch-template")
    iam.remove_role_from_instance_profile(InstanceProfileName=ROLE, RoleName=ROLE)
    iam.delete_instance_profile(InstanceProfileName=ROLE)
    for policy in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=ROLE, PolicyArn=policy["PolicyArn"])
        iam.delete_policy(PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=ROLE)
    for name in ("app-sg", "alb-sg"):
        filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc]}]
        group_id = found(ec2.describe_security_groups, "SecurityGroups", Filters=filters)["GroupId"]
        until(lambda: deleted(ec2.delete_security_group, GroupId=group_id))


{"up": up, "down": down}[verb]()
