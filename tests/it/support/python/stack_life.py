"""The whole life of a stack with boto3; prints what of the answers the service models do not allow, as JSON."""
import json
import sys
import time

from botocore.exceptions import ClientError

from service_models import Watch

WATCH = Watch(sys.argv[1])
ec2, elb, asg = WATCH.client("ec2"), WATCH.client("elbv2"), WATCH.client("autoscaling")
iam, route53, acm = WATCH.client("iam"), WATCH.client("route53"), WATCH.client("acm")
sts, cloudwatch = WATCH.client("sts"), WATCH.client("cloudwatch")
quotas, ssm, waf = WATCH.client("service-quotas"), WATCH.client("ssm"), WATCH.client("wafv2")
TAG = {"Key": "stack", "Value": "life"}


def eventually(is_so, what, seconds=90):
    """Waits for something that takes time."""
    for _ in range(seconds * 4):
        if is_so():
            return
        time.sleep(0.25)
    raise AssertionError(f"{what}: not within {seconds} s")


def refused(call, *codes):
    """A call that AWS refuses; the models are held against that answer too."""
    try:
        call()
    except ClientError as error:
        assert not codes or error.response["Error"]["Code"] in codes, (codes, error)
    else:
        raise AssertionError(f"not refused: {codes}")


def tags_for(kind):
    return [{"ResourceType": kind, "Tags": [TAG]}]


def the_account():
    sts.get_caller_identity()
    ec2.describe_regions()
    ec2.describe_availability_zones()
    ec2.describe_account_attributes()
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    ec2.describe_route_tables()
    ec2.describe_nat_gateways()
    ec2.describe_internet_gateways()
    ec2.describe_network_interfaces()
    ec2.describe_instance_types(InstanceTypes=["c7i-flex.4xlarge"])
    ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["c7i-flex.4xlarge"]}]
    )
    ec2.describe_key_pairs()
    image = ec2.describe_images(Owners=["aws-marketplace"])["Images"][0]
    certificate = acm.list_certificates()["CertificateSummaryList"][0]["CertificateArn"]
    acm.describe_certificate(CertificateArn=certificate)
    quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")
    refused(lambda: ssm.get_parameter(Name="/no/such"), "ParameterNotFound")
    return vpc, subnets, image, certificate


def the_groups(vpc):
    ids = []
    for name in ["life-alb", "life-app"]:
        made = ec2.create_security_group(
            GroupName=name, Description=name, VpcId=vpc, TagSpecifications=tags_for("security-group")
        )
        ids.append(made["GroupId"])
    alb, app = ids
    ec2.authorize_security_group_ingress(
        GroupId=alb, TagSpecifications=tags_for("security-group-rule"),
        IpPermissions=[{
            "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80,
            "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
        }],
    )
    for port in [80, 8501]:
        ec2.authorize_security_group_ingress(
            GroupId=app,
            IpPermissions=[{
                "IpProtocol": "tcp", "FromPort": port, "ToPort": port,
                "UserIdGroupPairs": [{"GroupId": alb, "Description": "balancer"}],
            }],
        )
    ec2.authorize_security_group_egress(
        GroupId=app, IpPermissions=[{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
    )
    ec2.describe_security_groups(GroupIds=ids)
    ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [alb]}])
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=alb,
        IpPermissions=[{
            "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80,
            "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "everybody"}],
        }],
    )
    ec2.create_tags(Resources=ids, Tags=[{"Key": "more", "Value": "yes"}])
    ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": ids}])
    ec2.delete_tags(Resources=ids, Tags=[{"Key": "more"}])
    return alb, app


def the_role():
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole",
    }]}
    meter = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "aws-marketplace:MeterUsage", "Resource": "*",
    }]}
    policy = iam.create_policy(PolicyName="LifePolicy", PolicyDocument=json.dumps(meter), Tags=[TAG])["Policy"]["Arn"]
    iam.create_role(RoleName="Life", AssumeRolePolicyDocument=json.dumps(trust), Tags=[TAG])
    iam.attach_role_policy(RoleName="Life", PolicyArn=policy)
    iam.create_instance_profile(InstanceProfileName="Life", Tags=[TAG])
    iam.add_role_to_instance_profile(InstanceProfileName="Life", RoleName="Life")
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(meter), SetAsDefault=True)
    iam.get_policy(PolicyArn=policy)
    iam.get_policy_version(PolicyArn=policy, VersionId="v2")
    iam.list_policy_versions(PolicyArn=policy)
    iam.list_policies(Scope="Local")
    iam.get_role(RoleName="Life")
    iam.list_roles()
    iam.list_attached_role_policies(RoleName="Life")
    iam.list_role_policies(RoleName="Life")
    iam.list_entities_for_policy(PolicyArn=policy)
    iam.get_instance_profile(InstanceProfileName="Life")
    iam.list_instance_profiles()
    iam.list_instance_profiles_for_role(RoleName="Life")
    iam.tag_role(RoleName="Life", Tags=[TAG])
    iam.tag_policy(PolicyArn=policy, Tags=[TAG])
    iam.tag_instance_profile(InstanceProfileName="Life", Tags=[TAG])
    iam.update_assume_role_policy(RoleName="Life", PolicyDocument=json.dumps(trust))
    refused(lambda: iam.delete_role(RoleName="Life"), "DeleteConflict")
    refused(lambda: iam.delete_policy(PolicyArn=policy), "DeleteConflict")
    refused(lambda: iam.create_role(RoleName="Life", AssumeRolePolicyDocument=json.dumps(trust)), "EntityAlreadyExists")
    refused(lambda: iam.get_role(RoleName="Nobody"), "NoSuchEntity")
    refused(lambda: iam.create_policy(PolicyName="Bad", PolicyDocument="{"), "MalformedPolicyDocument")
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    return policy


def the_template(image, app):
    data = {
        "ImageId": image["ImageId"], "InstanceType": "c7i-flex.4xlarge", "SecurityGroupIds": [app],
        "IamInstanceProfile": {"Name": "Life"}, "MetadataOptions": {"HttpTokens": "required"}, "UserData": "IyEvYmluL3No",
        "BlockDeviceMappings": [{"DeviceName": image["RootDeviceName"], "Ebs": {
            "VolumeSize": 50, "VolumeType": "gp3", "Iops": 12000, "Throughput": 500, "DeleteOnTermination": True,
            "Encrypted": False,
        }}],
        "TagSpecifications": tags_for("instance") + tags_for("volume"), "Monitoring": {"Enabled": True},
        "EbsOptimized": True,
    }
    made = ec2.create_launch_template(
        LaunchTemplateName="life", LaunchTemplateData=data, VersionDescription="first",
        TagSpecifications=tags_for("launch-template"),
    )["LaunchTemplate"]
    template = made["LaunchTemplateId"]
    ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "c7i.4xlarge"},
    )
    ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=data)
    ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")
    ec2.describe_launch_templates(LaunchTemplateNames=["life"])
    ec2.describe_launch_template_versions(LaunchTemplateId=template)
    ec2.describe_launch_template_versions(Versions=["$Latest", "$Default"])
    ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["3", "2", "99"])
    return template


def the_balancer(vpc, public, alb, certificate):
    group = elb.create_target_group(
        Name="life-tg", Protocol="HTTP", Port=80, VpcId=vpc, HealthCheckPort="8501", Matcher={"HttpCode": "404"},
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, Tags=[TAG],
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "load_balancing.algorithm.type", "Value": "least_outstanding_requests"}],
    )
    balancer = elb.create_load_balancer(
        Name="life-alb", Subnets=public, SecurityGroups=[alb], Scheme="internet-facing", Tags=[TAG],
    )["LoadBalancers"][0]
    arn = balancer["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    plain = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=forward, Tags=[TAG])
    secure = elb.create_listener(
        LoadBalancerArn=arn, Protocol="HTTPS", Port=443, DefaultActions=forward,
        Certificates=[{"CertificateArn": certificate}], SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    )["Listeners"][0]["ListenerArn"]
    listener = plain["Listeners"][0]["ListenerArn"]
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    elb.modify_listener(ListenerArn=listener, DefaultActions=[redirect])
    elb.create_rule(
        ListenerArn=secure, Priority=5, Conditions=[{"Field": "path-pattern", "Values": ["/x"]}], Actions=forward,
    )
    elb.describe_rules(ListenerArn=secure)
    elb.describe_load_balancers(Names=["life-alb"])
    elb.describe_load_balancer_attributes(LoadBalancerArn=arn)
    waf.get_web_acl_for_resource(ResourceArn=arn)
    acl = waf.list_web_acls(Scope="REGIONAL")["WebACLs"][0]["ARN"]
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=arn)
    waf.get_web_acl_for_resource(ResourceArn=arn)
    waf.disassociate_web_acl(ResourceArn=arn)
    refused(lambda: waf.get_web_acl_for_resource(ResourceArn=arn + "0"), "WAFNonexistentItemException")
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "90"}]
    )
    elb.describe_listeners(LoadBalancerArn=arn)
    elb.describe_target_groups(LoadBalancerArn=arn)
    elb.describe_target_group_attributes(TargetGroupArn=group)
    elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/")
    elb.describe_target_health(TargetGroupArn=group)
    elb.add_tags(ResourceArns=[arn, group, listener], Tags=[TAG])
    elb.describe_tags(ResourceArns=[arn, group, listener])
    elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[alb])
    elb.set_subnets(LoadBalancerArn=arn, Subnets=public)
    ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/life-alb/*"]}])
    refused(lambda: elb.describe_load_balancers(Names=["nobody"]), "LoadBalancerNotFound")
    refused(lambda: elb.describe_target_groups(Names=["nobody"]), "TargetGroupNotFound")
    refused(lambda: elb.delete_target_group(TargetGroupArn=group), "ResourceInUse")
    return balancer, group, [listener, secure]


def the_fleet(template, private, group):
    asg.create_auto_scaling_group(
        AutoScalingGroupName="life", LaunchTemplate={"LaunchTemplateId": template, "Version": "1"}, MinSize=2, MaxSize=4,
        VPCZoneIdentifier=",".join(private), TargetGroupARNs=[group], HealthCheckType="ELB", HealthCheckGracePeriod=60,
        DefaultInstanceWarmup=10, Tags=[{**TAG, "PropagateAtLaunch": True}],
    )
    asg.put_scaling_policy(
        AutoScalingGroupName="life", PolicyName="cpu", PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 30.0,
        },
    )
    asg.describe_policies(AutoScalingGroupName="life")
    cloudwatch.describe_alarms()
    healthy = lambda: [
        one for one in elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        if one["TargetHealth"]["State"] == "healthy"
    ]
    eventually(lambda: len(healthy()) == 2, "two healthy targets")
    asg.describe_auto_scaling_groups(AutoScalingGroupNames=["life"])
    asg.describe_scaling_activities(AutoScalingGroupName="life")
    asg.create_or_update_tags(Tags=[{
        **TAG, "ResourceId": "life", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True,
    }])
    asg.set_desired_capacity(AutoScalingGroupName="life", DesiredCapacity=2)
    asg.suspend_processes(AutoScalingGroupName="life", ScalingProcesses=["AZRebalance"])
    asg.describe_auto_scaling_groups(AutoScalingGroupNames=["life"])
    asg.resume_processes(AutoScalingGroupName="life")
    asg.put_lifecycle_hook(
        AutoScalingGroupName="life", LifecycleHookName="hook", LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING"
    )
    asg.describe_lifecycle_hooks(AutoScalingGroupName="life")
    cloudwatch.get_metric_statistics(
        Namespace="AWS/EC2", MetricName="CPUUtilization", StartTime=0, EndTime=600, Period=60, Statistics=["Average"],
    )


def the_instances():
    of_group = [{"Name": "tag:aws:autoscaling:groupName", "Values": ["life"]}]
    found = ec2.describe_instances(Filters=of_group)["Reservations"]
    ids = [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]
    ec2.describe_instances(InstanceIds=ids)
    ec2.describe_instance_status(InstanceIds=ids, IncludeAllInstances=True)
    ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": ids}])
    ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": ids}])
    ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["instance"]}])
    refused(lambda: ec2.describe_instances(InstanceIds=["i-0123456789abcdef0"]), "InvalidInstanceID.NotFound")


def the_refresh(template):
    ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "c7i.4xlarge"}
    )
    latest = ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"][0]["LatestVersionNumber"]
    refresh = asg.start_instance_refresh(
        AutoScalingGroupName="life",
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateId": template, "Version": str(latest)}},
        Preferences={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, "InstanceWarmup": 10, "SkipMatching": True},
    )["InstanceRefreshId"]
    refused(lambda: asg.start_instance_refresh(AutoScalingGroupName="life"), "InstanceRefreshInProgress")
    status = lambda: asg.describe_instance_refreshes(
        AutoScalingGroupName="life", InstanceRefreshIds=[refresh]
    )["InstanceRefreshes"][0]["Status"]
    eventually(lambda: status() == "Successful", "the refresh", 120)
    asg.describe_scaling_activities(AutoScalingGroupName="life")


def the_record(balancer):
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    route53.get_hosted_zone(Id=zone)
    route53.list_hosted_zones_by_name(DNSName="example.com")
    record = {"Name": "life.example.com", "Type": "A", "AliasTarget": {
        "HostedZoneId": balancer["CanonicalHostedZoneId"], "DNSName": balancer["DNSName"], "EvaluateTargetHealth": True,
    }}
    plain = {"Name": "text.example.com", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
    for action in ["UPSERT", "DELETE"]:
        changes = [{"Action": action, "ResourceRecordSet": one} for one in (record, plain)]
        changed = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        assert changed["ChangeInfo"]["Id"]
        route53.list_resource_record_sets(HostedZoneId=zone)
    changes = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": plain}]}
    refused(lambda: route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes), "InvalidChangeBatch")


def the_end(template, balancer, group, listeners, ids, policy):
    asg.delete_policy(AutoScalingGroupName="life", PolicyName="cpu")
    asg.update_auto_scaling_group(AutoScalingGroupName="life", MinSize=0, MaxSize=0, DesiredCapacity=0)
    asg.delete_auto_scaling_group(AutoScalingGroupName="life", ForceDelete=True)
    gone = lambda: not asg.describe_auto_scaling_groups(AutoScalingGroupNames=["life"])["AutoScalingGroups"]
    eventually(gone, "the group's end")
    for listener in listeners:
        elb.delete_listener(ListenerArn=listener)
    elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    elb.delete_target_group(TargetGroupArn=group)
    ec2.delete_launch_template(LaunchTemplateId=template)

    def deleted(id):
        try:
            ec2.delete_security_group(GroupId=id)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "DependencyViolation", error
            return False
        return True

    for id in reversed(ids):
        eventually(lambda: deleted(id), "the security group's end")
    iam.remove_role_from_instance_profile(InstanceProfileName="Life", RoleName="Life")
    iam.delete_instance_profile(InstanceProfileName="Life")
    iam.detach_role_policy(RoleName="Life", PolicyArn=policy)
    iam.delete_role(RoleName="Life")
    iam.delete_policy(PolicyArn=policy)


def main():
    vpc, subnets, image, certificate = the_account()
    public = [one["SubnetId"] for one in subnets if one["MapPublicIpOnLaunch"]]
    private = [one["SubnetId"] for one in subnets if not one["MapPublicIpOnLaunch"]]
    alb, app = the_groups(vpc)
    policy = the_role()
    template = the_template(image, app)
    balancer, group, listeners = the_balancer(vpc, public, alb, certificate)
    the_fleet(template, private, group)
    the_instances()
    the_record(balancer)
    the_refresh(template)
    the_end(template, balancer, group, listeners, [alb, app], policy)
    print(json.dumps({"answers": WATCH.answers, "findings": sorted(set(WATCH.findings))}, indent=1))


if __name__ == "__main__":
    main()
