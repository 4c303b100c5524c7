"""Asks the sandbox as an outside judge would: paging, refusals, fields, dry runs. Prints what failed, as JSON.

Each check says what AWS does. Sources are the EC2 API reference ("Error codes", "Pagination") and the service models,
where a comment names no other.
"""
import json
import sys
import traceback
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from service_models import REGION, Watch

WATCH = Watch(sys.argv[1])
ec2, elb, asg = WATCH.client("ec2"), WATCH.client("elbv2"), WATCH.client("autoscaling")
iam, route53, acm = WATCH.client("iam"), WATCH.client("route53"), WATCH.client("acm")
sts, cloudwatch = WATCH.client("sts"), WATCH.client("cloudwatch")
quotas, ssm = WATCH.client("service-quotas"), WATCH.client("ssm")
NOT_THERE = "0123456789abcdef0"
CHECKS = []


def check(function):
    CHECKS.append((function.__name__, function))
    return function


def refused(codes, call, **arguments):
    """The refusal of a call, which must have one of these codes."""
    codes = [codes] if isinstance(codes, str) else codes
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] in codes, f"{error.response['Error']}, not {codes}"
        assert error.response["Error"]["Message"], "no message"
        return error.response
    raise AssertionError(f"not refused, and should be with {codes}")


def each(name, cases):
    """A check for each of several cases."""
    for case, function in cases.items():
        CHECKS.append((f"{name}: {case}", function))


class World:
    """What the seed has and the checks share."""

    def __init__(self):
        self.vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = ec2.describe_subnets()["Subnets"]
        self.subnets = [one["SubnetId"] for one in subnets]
        self.private = [one["SubnetId"] for one in subnets if not one["MapPublicIpOnLaunch"]]
        self.image = ec2.describe_images()["Images"][0]["ImageId"]
        self.number = 0

    def name(self):
        self.number += 1
        return f"check-{self.number}"

    def group(self, **more):
        arguments = {"GroupName": self.name(), "Description": "a check", "VpcId": self.vpc, **more}
        return ec2.create_security_group(**arguments)["GroupId"]

    def template(self, **data):
        data = {"ImageId": self.image, "InstanceType": "t3.micro", **data}
        made = ec2.create_launch_template(LaunchTemplateName=self.name(), LaunchTemplateData=data)
        return made["LaunchTemplate"]["LaunchTemplateId"]

    def run(self, **more):
        arguments = {
            "ImageId": self.image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1,
            "SubnetId": self.private[0], **more,
        }
        return ec2.run_instances(**arguments)


W = World()


def tcp(port, to=None, cidr="10.0.0.0/8", **more):
    return {
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port if to is None else to,
        "IpRanges": [{"CidrIp": cidr, **more}],
    }


def raw(service, body, version=None, target=None):
    """A signed request that boto3 would not send."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if target:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    request = AWSRequest("POST", WATCH.url + "/", data=body, headers=headers)
    SigV4Auth(Credentials("test", "test"), service, REGION).add_auth(request)
    plain = urllib.request.Request(WATCH.url + "/", data=body.encode(), headers=dict(request.headers), method="POST")
    try:
        with urllib.request.urlopen(plain) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


# Ids: malformed, and well-formed but not there.

NOUNS = {
    "vpcs": ("VpcIds", "vpc", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed"),
    "subnets": ("SubnetIds", "subnet", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed"),
    "security_groups": ("GroupIds", "sg", "InvalidGroup.NotFound", "InvalidGroupId.Malformed"),
    "instances": ("InstanceIds", "i", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"),
    "instance_status": ("InstanceIds", "i", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"),
    "images": ("ImageIds", "ami", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed"),
    "volumes": ("VolumeIds", "vol", "InvalidVolume.NotFound", "InvalidVolumeID.Malformed"),
    "network_interfaces": (
        "NetworkInterfaceIds", "eni", "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceId.Malformed",
    ),
    "route_tables": ("RouteTableIds", "rtb", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed"),
    "nat_gateways": ("NatGatewayIds", "nat", "NatGatewayNotFound", "NatGatewayMalformed"),
    "internet_gateways": (
        "InternetGatewayIds", "igw", "InvalidInternetGatewayID.NotFound", "InvalidInternetGatewayId.Malformed",
    ),
    "launch_templates": (
        "LaunchTemplateIds", "lt", "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.Malformed",
    ),
    "security_group_rules": (
        "SecurityGroupRuleIds", "sgr", "InvalidSecurityGroupRuleId.NotFound", "InvalidSecurityGroupRuleId.Malformed",
    ),
}
for noun, (ids, prefix, absent, malformed) in NOUNS.items():
    describe = getattr(ec2, f"describe_{noun}")
    each(f"describe_{noun}", {
        "an id that is not there": lambda d=describe, i=ids, p=prefix, c=absent: refused(c, d, **{i: [f"{p}-{NOT_THERE}"]}),
        "an id that is none": lambda d=describe, i=ids, c=malformed: refused(c, d, **{i: ["nonsense"]}),
        "an id that is too short": lambda d=describe, i=ids, p=prefix, c=malformed: refused(c, d, **{i: [f"{p}-12"]}),
        "ids with MaxResults": lambda d=describe, i=ids, p=prefix: refused(
            "InvalidParameterCombination", d, **{i: [f"{p}-{NOT_THERE}"], "MaxResults": 5}
        ),
        "a token that was not given out": lambda d=describe: refused(
            ["InvalidParameterValue", "InvalidNextToken", "InvalidPaginationToken"], d, MaxResults=5, NextToken="nonsense"
        ),
        "a filter that there is not": lambda d=describe, n=noun: refused(
            "InvalidParameterValue", d, **{"Filter" if n == "nat_gateways" else "Filters": [{"Name": "no-such", "Values": ["x"]}]}
        ),
        "a dry run": lambda d=describe: dry(d),
    })


def dry(call, **arguments):
    response = refused("DryRunOperation", call, DryRun=True, **arguments)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 412, response["ResponseMetadata"]
    assert response["Error"]["Message"] == "Request would have succeeded, but DryRun flag is set.", response["Error"]


# Dry runs change nothing and still refuse what would be refused.

def dry_creation():
    name = W.name()
    dry(ec2.create_security_group, GroupName=name, Description="x", VpcId=W.vpc)
    assert not ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]


def dry_removal():
    group = W.group()
    dry(ec2.delete_security_group, GroupId=group)
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]


each("a dry run", {
    "of a creation": dry_creation,
    "of a removal": dry_removal,
    "of a rule": lambda: dry(ec2.authorize_security_group_ingress, GroupId=W.group(), IpPermissions=[tcp(1)]),
    "of a template": lambda: dry(
        ec2.create_launch_template, LaunchTemplateName=W.name(), LaunchTemplateData={"ImageId": W.image}
    ),
    "of a launch": lambda: dry(
        ec2.run_instances, ImageId=W.image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=W.private[0]
    ),
    "of a launch by template": lambda: dry(
        ec2.run_instances, LaunchTemplate={"LaunchTemplateId": W.template()}, MinCount=1, MaxCount=1, SubnetId=W.private[0]
    ),
    "of tags": lambda: dry(ec2.create_tags, Resources=[W.group()], Tags=[{"Key": "a", "Value": "b"}]),
    "of what would be refused": lambda: refused(
        "InvalidVpcID.NotFound", ec2.create_security_group, GroupName="x", Description="x", VpcId=f"vpc-{NOT_THERE}",
        DryRun=True,
    ),
})


# Paging.

def pages(call, name, token, next_token, size, **arguments):
    """Everything in pages; each but the last is full."""
    found, answer = [], call(**{size[0]: size[1]}, **arguments)
    for _ in range(100):
        found += answer[name]
        if not answer.get(next_token):
            return found
        assert len(answer[name]) == size[1], f"a page of {len(answer[name])}"
        answer = call(**{size[0]: size[1], token: answer[next_token]}, **arguments)
    raise AssertionError("pages without an end")


@check
def ec2_pages_only_when_a_size_is_asked_for():
    for _ in range(7):
        W.group()
    answer = ec2.describe_security_groups()
    assert "NextToken" not in answer and len(answer["SecurityGroups"]) >= 7
    paged = pages(ec2.describe_security_groups, "SecurityGroups", "NextToken", "NextToken", ("MaxResults", 5))
    assert [one["GroupId"] for one in paged] == [one["GroupId"] for one in answer["SecurityGroups"]]


@check
def ec2_pages_of_what_passes_filters():
    groups = [W.group(TagSpecifications=[{"ResourceType": "security-group", "Tags": [{"Key": "p", "Value": "1"}]}]) for _ in range(6)]
    filters = [{"Name": "tag:p", "Values": ["1"]}]
    found = pages(ec2.describe_security_groups, "SecurityGroups", "NextToken", "NextToken", ("MaxResults", 5), Filters=filters)
    assert sorted(one["GroupId"] for one in found) == sorted(groups)


@check
def botos_paginators_reach_the_end():
    for client, operation, size in [
        (ec2, "describe_security_group_rules", 5), (ec2, "describe_instance_types", 50), (ec2, "describe_subnets", 5),
        (iam, "list_policies", 1), (iam, "list_roles", 1), (elb, "describe_target_groups", 1),
        (asg, "describe_auto_scaling_groups", 1), (route53, "list_hosted_zones", 1), (acm, "list_certificates", 1),
    ]:
        list(client.get_paginator(operation).paginate(PaginationConfig={"PageSize": size}))


each("sizes of pages", {
    "too small": lambda: refused("InvalidParameterValue", ec2.describe_instances, MaxResults=1),
    "too large": lambda: refused("InvalidParameterValue", ec2.describe_instances, MaxResults=5000),
    "of volumes": lambda: ec2.describe_volumes(MaxResults=5),
    "of IAM": lambda: refused("ValidationError", iam.list_roles, MaxItems=1001),
    "of load balancers": lambda: refused("ValidationError", elb.describe_load_balancers, PageSize=401),
    "of groups": lambda: refused("ValidationError", asg.describe_auto_scaling_groups, MaxRecords=101),
})
each("a token that was not given out", {
    "of load balancers": lambda: refused("ValidationError", elb.describe_load_balancers, Marker="nonsense"),
    "of groups": lambda: refused("InvalidNextToken", asg.describe_auto_scaling_groups, NextToken="nonsense"),
    "of policies of groups": lambda: refused("InvalidNextToken", asg.describe_policies, NextToken="nonsense"),
    "of IAM": lambda: refused(["ValidationError", "InvalidInput"], iam.list_roles, Marker="nonsense"),
    "of alarms": lambda: refused("InvalidNextToken", cloudwatch.describe_alarms, NextToken="nonsense"),
    "of certificates": lambda: refused(
        ["ValidationException", "InvalidArgsException"], acm.list_certificates, NextToken="nonsense"
    ),
})


ANY_POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:List*","Resource":"*"}]}'


@check
def iam_pages_with_markers():
    for _ in range(3):
        iam.create_policy(PolicyName=W.name(), PolicyDocument=ANY_POLICY)
    first = iam.list_policies(Scope="Local", MaxItems=1)
    assert first["IsTruncated"] and first["Marker"] and len(first["Policies"]) == 1
    names = [one["PolicyName"] for one in pages(iam.list_policies, "Policies", "Marker", "Marker", ("MaxItems", 1), Scope="Local")]
    assert len(names) == len(set(names)) >= 3, names
    assert iam.list_policies(Scope="Local")["IsTruncated"] is False


@check
def target_groups_page_with_markers():
    for _ in range(3):
        elb.create_target_group(Name=W.name(), Protocol="HTTP", Port=80, VpcId=W.vpc)
    found = pages(elb.describe_target_groups, "TargetGroups", "Marker", "NextMarker", ("PageSize", 1))
    assert len({one["TargetGroupArn"] for one in found}) >= 3


@check
def records_page_by_name_and_type():
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    plain = lambda n: {"Name": f"p{n}.example.com", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
    changes = [{"Action": "CREATE", "ResourceRecordSet": plain(n)} for n in range(3)]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    try:
        first = route53.list_resource_record_sets(HostedZoneId=zone, MaxItems="1")
        assert first["IsTruncated"] and first["NextRecordName"] and first["NextRecordType"] and first["MaxItems"] == "1"
        paginator = route53.get_paginator("list_resource_record_sets")
        found = [r["Name"] for page in paginator.paginate(HostedZoneId=zone, PaginationConfig={"PageSize": 1}) for r in page["ResourceRecordSets"]]
        assert {f"p{n}.example.com." for n in range(3)} <= set(found) and len(found) >= 3, found
    finally:
        changes = [{"Action": "DELETE", "ResourceRecordSet": plain(n)} for n in range(3)]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


# Security groups.

each("create_security_group refuses", {
    "a VPC that is not there": lambda: refused("InvalidVpcID.NotFound", W.group, VpcId=f"vpc-{NOT_THERE}"),
    "a name that is too long": lambda: refused("InvalidParameterValue", W.group, GroupName="x" * 256),
    "other characters in a name": lambda: refused("InvalidParameterValue", W.group, GroupName="näme"),
    "a name like an id": lambda: refused("InvalidParameterValue", W.group, GroupName="sg-name"),
    "the name of the default group": lambda: refused(
        ["InvalidParameterValue", "InvalidGroup.Reserved"], W.group, GroupName="default"
    ),
    "a description that is too long": lambda: refused("InvalidParameterValue", W.group, Description="x" * 256),
    "other characters in a description": lambda: refused("InvalidParameterValue", W.group, Description="a\nb"),
    "tags for another type": lambda: refused(
        "InvalidParameterValue", W.group, TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]
    ),
    "tags of AWS": lambda: refused(
        ["InvalidParameterValue", "InvalidTagKey.Malformed"], W.group,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": [{"Key": "aws:a", "Value": "b"}]}],
    ),
    "a tag twice": lambda: refused("InvalidParameterValue", W.group, TagSpecifications=[{
        "ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": "c"}],
    }]),
    "51 tags": lambda: refused("TagLimitExceeded", W.group, TagSpecifications=[{
        "ResourceType": "security-group", "Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(51)],
    }]),
})


@check
def a_group_without_a_vpc_needs_a_default_one():
    refused("VPCIdNotSpecified", ec2.create_security_group, GroupName=W.name(), Description="x")


@check
def a_group_of_the_same_name_is_refused_whatever_the_case():
    name = W.name()
    W.group(GroupName=name)
    refused("InvalidGroup.Duplicate", W.group, GroupName=name)
    refused("InvalidGroup.Duplicate", W.group, GroupName=name.upper())


@check
def a_new_group_is_described_whole():
    tags = [{"Key": "Name", "Value": "x"}]
    made = ec2.create_security_group(
        GroupName=W.name(), Description="words", VpcId=W.vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )
    assert made["Tags"] == tags and made["SecurityGroupArn"].endswith(made["GroupId"])
    group = ec2.describe_security_groups(GroupIds=[made["GroupId"]])["SecurityGroups"][0]
    assert group["Description"] == "words" and group["OwnerId"] and group["VpcId"] == W.vpc and group["Tags"] == tags
    assert group["IpPermissions"] == [] and group["SecurityGroupArn"] == made["SecurityGroupArn"]
    egress = group["IpPermissionsEgress"]
    assert len(egress) == 1 and egress[0]["IpProtocol"] == "-1" and egress[0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    assert "FromPort" not in egress[0]


@check
def a_new_rule_is_described_whole():
    group, tags = W.group(), [{"Key": "a", "Value": "b"}]
    made = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[tcp(443, Description="words")],
        TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": tags}],
    )
    assert made["Return"] is True
    rule = made["SecurityGroupRules"][0]
    want = {
        "GroupId": group, "IsEgress": False, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Description": "words",
        "CidrIpv4": "10.0.0.0/8", "Tags": tags,
    }
    assert want.items() <= rule.items() and rule["GroupOwnerId"] and rule["SecurityGroupRuleArn"]
    assert rule["SecurityGroupRuleId"].startswith("sgr-")
    assert ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])["SecurityGroupRules"] == [rule]
    of_tag = [{"Name": "tag:a", "Values": ["b"]}, {"Name": "group-id", "Values": [group]}]
    assert ec2.describe_security_group_rules(Filters=of_tag)["SecurityGroupRules"] == [rule]


@check
def a_rule_for_a_group_names_it():
    group, source = W.group(), W.group()
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": source}]}
    rule = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])["SecurityGroupRules"][0]
    assert rule["ReferencedGroupInfo"]["GroupId"] == source and rule["ReferencedGroupInfo"]["UserId"]
    pair = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]["UserIdGroupPairs"][0]
    assert pair["GroupId"] == source and pair["UserId"]
    refused("DependencyViolation", ec2.delete_security_group, GroupId=source)
    found = ec2.describe_security_groups(Filters=[{"Name": "ip-permission.group-id", "Values": [source]}])
    assert [one["GroupId"] for one in found["SecurityGroups"]] == [group]


def rule_refused(codes, permission, again=False):
    group = W.group()
    if again:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    refused(codes, ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[permission])


each("a rule is refused", {
    "that is there": lambda: rule_refused("InvalidPermission.Duplicate", tcp(80), again=True),
    "for a block that is none": lambda: rule_refused(["InvalidParameterValue", "InvalidPermission.Malformed"], tcp(80, cidr="10.0.0")),
    "for an address": lambda: rule_refused(["InvalidParameterValue", "InvalidPermission.Malformed"], tcp(80, cidr="10.0.0.1")),
    "for ports the wrong way round": lambda: rule_refused(["InvalidParameterValue", "InvalidPermission.Malformed"], tcp(443, 80)),
    "for a port that there is not": lambda: rule_refused(["InvalidParameterValue", "InvalidPermission.Malformed"], tcp(1, 70000)),
    "for a protocol that there is not": lambda: rule_refused(
        ["InvalidParameterValue", "InvalidPermission.Malformed"],
        {"IpProtocol": "nonsense", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
    ),
    "for a group that is not there": lambda: rule_refused("InvalidGroup.NotFound", {
        "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": f"sg-{NOT_THERE}"}],
    }),
    "for a group whose id is none": lambda: rule_refused("InvalidGroupId.Malformed", {
        "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": "nonsense"}],
    }),
    "with a description that is too long": lambda: rule_refused("InvalidParameterValue", tcp(80, Description="x" * 256)),
    "with other characters in its description": lambda: rule_refused("InvalidParameterValue", tcp(80, Description="ä")),
    "in a group that is not there": lambda: refused(
        "InvalidGroup.NotFound", ec2.authorize_security_group_ingress, GroupId=f"sg-{NOT_THERE}", IpPermissions=[tcp(80)]
    ),
    "in a group whose id is none": lambda: refused(
        "InvalidGroupId.Malformed", ec2.authorize_security_group_ingress, GroupId="nonsense", IpPermissions=[tcp(80)]
    ),
    "without a group": lambda: refused("MissingParameter", ec2.authorize_security_group_ingress, IpPermissions=[tcp(80)]),
    "that says nothing": lambda: refused("MissingParameter", ec2.authorize_security_group_ingress, GroupId=W.group()),
})


@check
def a_rule_twice_in_one_call_is_refused():
    refused("InvalidParameterValue", ec2.authorize_security_group_ingress, GroupId=W.group(), IpPermissions=[tcp(1), tcp(1)])


@check
def one_duplicate_refuses_all_of_a_call():
    group = W.group()
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(80)])
    refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[tcp(81), tcp(80)])
    assert len(ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]) == 1


@check
def more_than_60_rules_are_refused():
    permissions = [tcp(port) for port in range(1, 62)]
    refused("RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_ingress, GroupId=W.group(), IpPermissions=permissions)


@check
def blocks_lose_the_bits_of_the_host_and_protocols_get_names():
    group = W.group()
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**tcp(80, cidr="10.1.2.3/24"), "IpProtocol": "6"}])
    permission = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]
    assert permission["IpRanges"] == [{"CidrIp": "10.1.2.0/24"}] and permission["IpProtocol"] == "tcp"


@check
def rules_of_the_same_ports_are_one_permission():
    group = W.group()
    permission = {**tcp(80), "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "172.16.0.0/12"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    rules = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])["SecurityGroupRules"]
    shown = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    assert len(rules) == 3 and len(shown) == 1 and len(shown[0]["IpRanges"]) == 2 and len(shown[0]["Ipv6Ranges"]) == 1


@check
def the_short_form_of_a_rule_is_known():
    group = W.group()
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8")
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]["FromPort"] == 22


@check
def a_revoked_rule_is_told_and_gone():
    group = W.group()
    rule = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(80)])["SecurityGroupRules"][0]
    gone = ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    assert gone["Return"] is True and gone["RevokedSecurityGroupRules"][0]["SecurityGroupRuleId"] == rule["SecurityGroupRuleId"]
    refused("InvalidPermission.NotFound", ec2.revoke_security_group_ingress, GroupId=group, IpPermissions=[tcp(80)])
    id = rule["SecurityGroupRuleId"]
    refused("InvalidSecurityGroupRuleId.NotFound", ec2.revoke_security_group_ingress, GroupId=group, SecurityGroupRuleIds=[id])


@check
def egress_is_authorized_and_revoked():
    group = W.group()
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[tcp(443)])
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everything])
    egress = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
    assert [one["FromPort"] for one in egress] == [443]
    refused("InvalidPermission.NotFound", ec2.revoke_security_group_egress, GroupId=group, IpPermissions=[everything])


@check
def descriptions_of_rules_change():
    group = W.group()
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(80, Description="old")])
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=[tcp(80, Description="new")])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    rule = next(one for one in rules if not one["IsEgress"])
    assert rule["Description"] == "new"
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, SecurityGroupRuleDescriptions=[
        {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "newer"}
    ])
    rules = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])["SecurityGroupRules"]
    assert rules[0]["Description"] == "newer"


@check
def a_rule_is_modified_as_a_whole():
    group = W.group()
    rule = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(80, Description="old")])["SecurityGroupRules"][0]
    new = {"IpProtocol": "tcp", "FromPort": 81, "ToPort": 82, "CidrIpv4": "10.9.0.0/16"}
    id = rule["SecurityGroupRuleId"]
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": id, "SecurityGroupRule": new}])
    shown = ec2.describe_security_group_rules(SecurityGroupRuleIds=[id])["SecurityGroupRules"][0]
    assert (shown["FromPort"], shown["ToPort"], shown["CidrIpv4"]) == (81, 82, "10.9.0.0/16") and "Description" not in shown


@check
def a_group_in_use_stays():
    group = W.group()
    W.run(SecurityGroupIds=[group])
    refused("DependencyViolation", ec2.delete_security_group, GroupId=group)


each("delete_security_group refuses", {
    "a group that is not there": lambda: refused("InvalidGroup.NotFound", ec2.delete_security_group, GroupId=f"sg-{NOT_THERE}"),
    "an id that is none": lambda: refused("InvalidGroupId.Malformed", ec2.delete_security_group, GroupId="nonsense"),
    "nothing": lambda: refused("MissingParameter", ec2.delete_security_group),
})


# Launch templates.

def template_refused(codes, **arguments):
    arguments = {"LaunchTemplateName": W.name(), "LaunchTemplateData": {"ImageId": W.image}, **arguments}
    return refused(codes, ec2.create_launch_template, **arguments)


def version_of(template, **more):
    return ec2.create_launch_template_version(LaunchTemplateId=template, **more)["LaunchTemplateVersion"]


def versions(template, **more):
    return ec2.describe_launch_template_versions(LaunchTemplateId=template, **more)["LaunchTemplateVersions"]


each("create_launch_template refuses", {
    "other characters in a name": lambda: template_refused("InvalidLaunchTemplateName.MalformedException", LaunchTemplateName="a name!"),
    "a name that is too long": lambda: template_refused("InvalidLaunchTemplateName.MalformedException", LaunchTemplateName="x" * 129),
    "no data": lambda: template_refused("MissingParameter", LaunchTemplateData={}),
    "a description that is too long": lambda: template_refused("InvalidParameterValue", VersionDescription="x" * 256),
    "tags for another type": lambda: template_refused(
        "InvalidParameterValue", TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]
    ),
    "a token of another request": lambda: (
        ec2.create_launch_template(LaunchTemplateName="token-1", LaunchTemplateData={"ImageId": W.image}, ClientToken="t1"),
        template_refused("IdempotentParameterMismatch", ClientToken="t1"),
    ),
})


@check
def a_name_of_a_template_is_given_once():
    name = W.name()
    ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": W.image})
    template_refused("InvalidLaunchTemplateName.AlreadyExistsException", LaunchTemplateName=name)


@check
def the_same_request_with_the_same_token_is_one():
    arguments = {"LaunchTemplateName": W.name(), "LaunchTemplateData": {"ImageId": W.image}, "ClientToken": "t2"}
    first, second = ec2.create_launch_template(**arguments), ec2.create_launch_template(**arguments)
    assert first["LaunchTemplate"] == second["LaunchTemplate"]


@check
def what_is_wrong_with_data_is_warned_of():
    made = ec2.create_launch_template(LaunchTemplateName=W.name(), LaunchTemplateData={"ImageId": f"ami-{NOT_THERE}"})
    assert made["Warning"]["Errors"][0]["Code"] == "InvalidAMIID.NotFound"


@check
def a_new_template_is_described_whole():
    tags = [{"Key": "a", "Value": "b"}]
    made = ec2.create_launch_template(
        LaunchTemplateName=W.name(), VersionDescription="first", LaunchTemplateData={
            "ImageId": W.image, "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        },
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
    )["LaunchTemplate"]
    assert made["DefaultVersionNumber"] == made["LatestVersionNumber"] == 1 and made["Tags"] == tags and made["CreatedBy"]
    shown = versions(made["LaunchTemplateId"])[0]
    assert shown["VersionDescription"] == "first" and shown["DefaultVersion"] is True and shown["CreatedBy"]
    options = shown["LaunchTemplateData"]["MetadataOptions"]
    assert options["HttpTokens"] == "required" and options["HttpPutResponseHopLimit"] == 2


@check
def versions_inherit_from_their_source():
    template = W.template()
    second = version_of(template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}, VersionDescription="two")
    assert second["VersionNumber"] == 2 and second["LaunchTemplateData"]["ImageId"] == W.image
    assert second["LaunchTemplateData"]["InstanceType"] == "t3.small" and second["VersionDescription"] == "two"
    third = version_of(template, LaunchTemplateData={"InstanceType": "t3.small"})
    assert "ImageId" not in third["LaunchTemplateData"]
    assert [one["VersionNumber"] for one in versions(template)] == [3, 2, 1]
    assert [one["VersionNumber"] for one in versions(template, Versions=["$Latest"])] == [3]
    assert [one["VersionNumber"] for one in versions(template, Versions=["$Default"])] == [1]
    assert [one["VersionNumber"] for one in versions(template, MinVersion="2", MaxVersion="2")] == [2]
    default = versions(template, Filters=[{"Name": "is-default-version", "Values": ["true"]}])
    assert [one["VersionNumber"] for one in default] == [1]


@check
def another_version_becomes_the_default_one():
    template = W.template()
    version_of(template, LaunchTemplateData={"InstanceType": "t3.small"})
    changed = ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")["LaunchTemplate"]
    assert changed["DefaultVersionNumber"] == 2
    assert [one["DefaultVersion"] for one in versions(template)] == [True, False]
    refused("InvalidLaunchTemplateId.VersionNotFound", ec2.modify_launch_template, LaunchTemplateId=template, DefaultVersion="9")


@check
def versions_are_deleted_but_for_the_default_one():
    template = W.template()
    for _ in range(2):
        version_of(template, LaunchTemplateData={"InstanceType": "t3.small"})
    answer = ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["1", "3", "9"])
    assert [one["VersionNumber"] for one in answer["SuccessfullyDeletedLaunchTemplateVersions"]] == [3]
    failed = {one["VersionNumber"]: one["ResponseError"]["Code"] for one in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]}
    assert failed[9] == "launchTemplateVersionDoesNotExist" and 1 in failed
    assert [one["VersionNumber"] for one in versions(template)] == [2, 1]
    assert version_of(template, LaunchTemplateData={"InstanceType": "t3.small"})["VersionNumber"] == 4


each("a template is refused", {
    "whose version is not there": lambda: refused(
        "InvalidLaunchTemplateId.VersionNotFound", ec2.describe_launch_template_versions, LaunchTemplateId=W.template(), Versions=["9"]
    ),
    "whose source is not there": lambda: refused(
        "InvalidLaunchTemplateId.VersionNotFound", ec2.create_launch_template_version, LaunchTemplateId=W.template(),
        SourceVersion="9", LaunchTemplateData={"InstanceType": "t3.small"},
    ),
    "that is not there, by id": lambda: refused(
        "InvalidLaunchTemplateId.NotFound", ec2.delete_launch_template, LaunchTemplateId=f"lt-{NOT_THERE}"
    ),
    "that is not there, by name": lambda: refused(
        "InvalidLaunchTemplateName.NotFoundException", ec2.delete_launch_template, LaunchTemplateName="nobody"
    ),
    "whose id is none": lambda: refused("InvalidLaunchTemplateId.Malformed", ec2.delete_launch_template, LaunchTemplateId="nonsense"),
    "by id and by name": lambda: refused(
        ["InvalidParameterCombination", "InvalidParameterValue"], ec2.describe_launch_template_versions,
        LaunchTemplateId=W.template(), LaunchTemplateName="name",
    ),
    "that has no name": lambda: refused(
        ["MissingParameter", "InvalidParameterValue"], ec2.describe_launch_template_versions, Versions=["1"]
    ),
    "in a list of names": lambda: refused(
        "InvalidLaunchTemplateName.NotFoundException", ec2.describe_launch_templates, LaunchTemplateNames=["nobody"]
    ),
})


# Images.

def images(**arguments):
    return {one["ImageId"] for one in ec2.describe_images(**arguments)["Images"]}


def by(name, *values):
    return {"Filters": [{"Name": name, "Values": list(values)}]}


@check
def images_are_found_by_their_owners():
    all_of_them = images()
    assert images(Owners=["aws-marketplace"]) == all_of_them and images(Owners=["self"]) == set()
    owner = ec2.describe_images()["Images"][0]["OwnerId"]
    assert images(Owners=[owner]) == all_of_them and images(Owners=["amazon"]) == set()
    assert images(Owners=["self", "aws-marketplace"]) == all_of_them
    refused("InvalidUserID.Malformed", ec2.describe_images, Owners=["nobody at all"])


@check
def images_are_found_by_filters():
    image = ec2.describe_images(ImageIds=[W.image])["Images"][0]
    code = image["ProductCodes"][0]
    for name, value in {
        "name": image["Name"], "name ": image["Name"][:5] + "*", "name  ": "?" + image["Name"][1:],
        "product-code": code["ProductCodeId"], "product-code.type": "marketplace", "state": "available",
        "is-public": "true", "owner-alias": "aws-marketplace", "architecture": "x86_64", "root-device-type": "ebs",
        "virtualization-type": "hvm", "image-id": W.image, "owner-id": image["OwnerId"], "image-type": "machine",
        "root-device-name": image["RootDeviceName"], "block-device-mapping.volume-type": "gp3", "hypervisor": "xen",
    }.items():
        assert W.image in images(**by(name.strip(), value)), name
    assert images(**by("name", "nobody")) == set() and images(**by("state", "failed")) == set()
    assert images(**by("is-public", "false")) == set()


@check
def an_image_is_described_whole():
    image = ec2.describe_images(ImageIds=[W.image])["Images"][0]
    for field in [
        "Architecture", "BlockDeviceMappings", "CreationDate", "EnaSupport", "Hypervisor", "ImageLocation",
        "ImageOwnerAlias", "ImageType", "Name", "OwnerId", "PlatformDetails", "ProductCodes", "Public", "RootDeviceName",
        "RootDeviceType", "State", "UsageOperation", "VirtualizationType",
    ]:
        assert image.get(field) not in (None, "", []), field


# Instances.

def instance(id):
    return ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]


@check
def a_launched_instance_is_described_whole():
    group = W.group()
    made = W.run(
        SecurityGroupIds=[group], MetadataOptions={"HttpTokens": "required"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
    )
    assert made["ReservationId"].startswith("r-") and made["OwnerId"]
    shown = instance(made["Instances"][0]["InstanceId"])
    for field in [
        "AmiLaunchIndex", "Architecture", "BlockDeviceMappings", "CpuOptions", "EbsOptimized", "EnaSupport", "Hypervisor",
        "ImageId", "InstanceType", "LaunchTime", "MetadataOptions", "Monitoring", "NetworkInterfaces", "Placement",
        "PrivateDnsName", "PrivateIpAddress", "RootDeviceName", "RootDeviceType", "SecurityGroups", "SourceDestCheck",
        "State", "SubnetId", "Tags", "VirtualizationType", "VpcId",
    ]:
        assert shown.get(field) not in (None, "", []), field
    assert shown["SecurityGroups"][0]["GroupId"] == group and shown["SecurityGroups"][0]["GroupName"]
    options = shown["MetadataOptions"]
    assert options["HttpTokens"] == "required" and options["HttpEndpoint"] == "enabled" and options["State"] == "applied"
    assert shown["Placement"]["AvailabilityZone"].startswith(REGION)
    interface = shown["NetworkInterfaces"][0]
    assert interface["PrivateIpAddress"] == shown["PrivateIpAddress"] and interface["Attachment"]["Status"] == "attached"


@check
def a_template_gives_its_tags_to_what_it_launches():
    tags = lambda kind: {"ResourceType": kind, "Tags": [{"Key": "of", "Value": kind}]}
    template = W.template(TagSpecifications=[tags("instance"), tags("volume")])
    made = W.run(LaunchTemplate={"LaunchTemplateId": template, "Version": "1"})["Instances"][0]
    shown = {tag["Key"]: tag["Value"] for tag in instance(made["InstanceId"])["Tags"]}
    assert shown["of"] == "instance" and shown["aws:ec2launchtemplate:id"] == template, shown
    assert shown["aws:ec2launchtemplate:version"] == "1", shown
    volumes = ec2.describe_volumes(**by("attachment.instance-id", made["InstanceId"]))["Volumes"]
    assert [tag["Value"] for volume in volumes for tag in volume["Tags"]] == ["volume"]


@check
def a_volume_is_described_whole():
    made = W.run()["Instances"][0]["InstanceId"]
    volume = ec2.describe_volumes(**by("attachment.instance-id", made))["Volumes"][0]
    for field in ["AvailabilityZone", "CreateTime", "Encrypted", "Iops", "MultiAttachEnabled", "Size", "State", "VolumeType"]:
        assert volume.get(field) not in (None, ""), field
    attachment = volume["Attachments"][0]
    assert attachment["InstanceId"] == made and attachment["State"] == "attached" and attachment["VolumeId"] == volume["VolumeId"]
    assert attachment["Device"] and attachment["DeleteOnTermination"] is True
    refused("VolumeInUse", ec2.delete_volume, VolumeId=volume["VolumeId"])


@check
def a_network_interface_is_described_whole():
    made = W.run()["Instances"][0]["InstanceId"]
    interface = ec2.describe_network_interfaces(**by("attachment.instance-id", made))["NetworkInterfaces"][0]
    for field in [
        "Attachment", "AvailabilityZone", "InterfaceType", "MacAddress", "OwnerId", "PrivateIpAddress",
        "PrivateIpAddresses", "RequesterManaged", "SourceDestCheck", "Status", "SubnetId", "VpcId",
    ]:
        assert interface.get(field) not in (None, "", []), field
    refused(
        ["InvalidParameterValue", "InvalidNetworkInterface.InUse"], ec2.delete_network_interface,
        NetworkInterfaceId=interface["NetworkInterfaceId"],
    )


@check
def a_terminated_instance_changes_its_state():
    made = W.run()["Instances"][0]["InstanceId"]
    change = ec2.terminate_instances(InstanceIds=[made])["TerminatingInstances"][0]
    assert change["InstanceId"] == made and change["CurrentState"]["Name"] in ("shutting-down", "terminated")
    assert change["PreviousState"]["Name"] in ("pending", "running")
    assert ec2.describe_instances(**by("instance-state-name", "shutting-down", "terminated"))["Reservations"]


each("run_instances refuses", {
    "an image that is not there": lambda: refused("InvalidAMIID.NotFound", W.run, ImageId=f"ami-{NOT_THERE}"),
    "an image whose id is none": lambda: refused("InvalidAMIID.Malformed", W.run, ImageId="nonsense"),
    "a type that there is not": lambda: refused(["InvalidParameterValue", "InvalidInstanceType"], W.run, InstanceType="t3.gigantic"),
    "a subnet that is not there": lambda: refused("InvalidSubnetID.NotFound", W.run, SubnetId=f"subnet-{NOT_THERE}"),
    "a subnet whose id is none": lambda: refused("InvalidSubnetID.Malformed", W.run, SubnetId="nonsense"),
    "a group that is not there": lambda: refused("InvalidGroup.NotFound", W.run, SecurityGroupIds=[f"sg-{NOT_THERE}"]),
    "a key that is not there": lambda: refused("InvalidKeyPair.NotFound", W.run, KeyName="nobody"),
    "a profile that is not there": lambda: refused("InvalidParameterValue", W.run, IamInstanceProfile={"Name": "nobody"}),
    "a template that is not there": lambda: refused(
        "InvalidLaunchTemplateId.NotFound", W.run, LaunchTemplate={"LaunchTemplateId": f"lt-{NOT_THERE}"}
    ),
    "a version that is not there": lambda: refused(
        "InvalidLaunchTemplateId.VersionNotFound", W.run, LaunchTemplate={"LaunchTemplateId": W.template(), "Version": "9"}
    ),
    "more at least than at most": lambda: refused("InvalidParameterValue", W.run, MinCount=2, MaxCount=1),
    "no image": lambda: refused(
        "MissingParameter", ec2.run_instances, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=W.private[0]
    ),
})
each("other calls of instances", {
    "terminate one that is not there": lambda: refused(
        "InvalidInstanceID.NotFound", ec2.terminate_instances, InstanceIds=[f"i-{NOT_THERE}"]
    ),
    "terminate one whose id is none": lambda: refused("InvalidInstanceID.Malformed", ec2.terminate_instances, InstanceIds=["nonsense"]),
    "UEFI data of one that is not there": lambda: refused(
        "InvalidInstanceID.NotFound", ec2.get_instance_uefi_data, InstanceId=f"i-{NOT_THERE}"
    ),
    "status": lambda: ec2.describe_instance_status(IncludeAllInstances=True)["InstanceStatuses"],
    "an attribute": lambda: ec2.describe_instance_attribute(
        InstanceId=W.run()["Instances"][0]["InstanceId"], Attribute="instanceType"
    )["InstanceType"]["Value"],
    "a type that there is not": lambda: refused("InvalidInstanceType", ec2.describe_instance_types, InstanceTypes=["t3.gigantic"]),
})


@check
def a_type_says_what_it_has():
    kind = ec2.describe_instance_types(InstanceTypes=["c7i-flex.4xlarge"])["InstanceTypes"][0]
    assert kind["VCpuInfo"]["DefaultVCpus"] == 16 and kind["MemoryInfo"]["SizeInMiB"] == 32768
    offered = ec2.describe_instance_type_offerings(
        LocationType="availability-zone", **by("instance-type", "c7i-flex.4xlarge")
    )["InstanceTypeOfferings"]
    assert {one["Location"] for one in offered} == {f"{REGION}a", f"{REGION}b"}


# The network.

@check
def a_vpc_and_a_subnet_are_described_whole():
    vpc = ec2.describe_vpcs(VpcIds=[W.vpc])["Vpcs"][0]
    for field in ["CidrBlock", "CidrBlockAssociationSet", "DhcpOptionsId", "InstanceTenancy", "OwnerId", "State"]:
        assert vpc.get(field) not in (None, "", []), field
    subnet = ec2.describe_subnets(SubnetIds=W.subnets[:1])["Subnets"][0]
    for field in ["AvailabilityZone", "AvailabilityZoneId", "AvailableIpAddressCount", "CidrBlock", "OwnerId", "SubnetArn", "VpcId"]:
        assert subnet.get(field) not in (None, "", []), field


@check
def filters_find_what_they_name():
    vpc = ec2.describe_vpcs()["Vpcs"][0]
    assert ec2.describe_vpcs(**by("cidr", vpc["CidrBlock"]))["Vpcs"] == [vpc]
    assert ec2.describe_vpcs(**by("is-default", "true"))["Vpcs"] == []
    assert len(ec2.describe_subnets(**by("vpc-id", W.vpc))["Subnets"]) == len(W.subnets)
    assert len(ec2.describe_subnets(**by("availability-zone", f"{REGION}a"))["Subnets"]) == 2
    assert ec2.describe_route_tables(**by("association.subnet-id", W.private[0]))["RouteTables"][0]["Routes"]
    assert ec2.describe_nat_gateways(Filter=[{"Name": "vpc-id", "Values": [W.vpc]}])["NatGateways"]
    assert ec2.describe_internet_gateways(**by("attachment.vpc-id", W.vpc))["InternetGateways"]
    assert ec2.describe_vpc_endpoints(**by("vpc-id", W.vpc))["VpcEndpoints"] == []
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"


@check
def what_an_account_and_its_places_say():
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert all(one["ZoneId"] and one["State"] == "available" and one["ZoneType"] for one in zones) and len(zones) == 2
    refused("InvalidParameterValue", ec2.describe_availability_zones, ZoneNames=["nowhere-1a"])
    regions = ec2.describe_regions(RegionNames=[REGION])["Regions"]
    assert regions[0]["Endpoint"] == f"ec2.{REGION}.amazonaws.com"
    refused("InvalidParameterValue", ec2.describe_regions, RegionNames=["nowhere-1"])
    names = {one["AttributeName"] for one in ec2.describe_account_attributes()["AccountAttributes"]}
    assert {"supported-platforms", "default-vpc"} <= names
    answer = ec2.describe_vpc_attribute(VpcId=W.vpc, Attribute="enableDnsSupport")
    assert answer["VpcId"] == W.vpc and answer["EnableDnsSupport"]["Value"] is True
    refused("InvalidVpcID.NotFound", ec2.describe_vpc_attribute, VpcId=f"vpc-{NOT_THERE}", Attribute="enableDnsSupport")


# Tags.

@check
def tags_are_set_listed_and_deleted():
    group = W.group()
    ec2.create_tags(Resources=[group], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ec2.create_tags(Resources=[group], Tags=[{"Key": "a", "Value": "3"}])
    shown = lambda: {one["Key"]: one["Value"] for one in ec2.describe_tags(**by("resource-id", group))["Tags"]}
    assert shown() == {"a": "3", "b": "2"}
    ec2.delete_tags(Resources=[group], Tags=[{"Key": "a", "Value": "other"}])
    assert shown() == {"a": "3", "b": "2"}
    ec2.delete_tags(Resources=[group], Tags=[{"Key": "a"}])
    assert shown() == {"b": "2"}
    tag = ec2.describe_tags(**by("resource-id", group))["Tags"][0]
    assert tag["ResourceType"] == "security-group" and tag["ResourceId"] == group


each("create_tags refuses", {
    "what is no id": lambda: refused("InvalidID", ec2.create_tags, Resources=["nonsense"], Tags=[{"Key": "a", "Value": "b"}]),
    "a group that is not there": lambda: refused(
        ["InvalidGroup.NotFound", "InvalidID"], ec2.create_tags, Resources=[f"sg-{NOT_THERE}"], Tags=[{"Key": "a", "Value": "b"}]
    ),
    "keys of AWS": lambda: refused(
        ["InvalidParameterValue", "InvalidTagKey.Malformed"], ec2.create_tags, Resources=[W.group()],
        Tags=[{"Key": "aws:a", "Value": "b"}],
    ),
    "keys that are too long": lambda: refused(
        "InvalidParameterValue", ec2.create_tags, Resources=[W.group()], Tags=[{"Key": "k" * 129, "Value": "b"}]
    ),
    "values that are too long": lambda: refused(
        "InvalidParameterValue", ec2.create_tags, Resources=[W.group()], Tags=[{"Key": "k", "Value": "v" * 257}]
    ),
})


# Key pairs.

@check
def key_pairs_come_and_go():
    name = W.name()
    made = ec2.create_key_pair(KeyName=name)
    assert made["KeyMaterial"] and made["KeyFingerprint"] and made["KeyPairId"].startswith("key-")
    assert ec2.describe_key_pairs(KeyNames=[name])["KeyPairs"][0]["KeyPairId"] == made["KeyPairId"]
    refused("InvalidKeyPair.Duplicate", ec2.create_key_pair, KeyName=name)
    ec2.delete_key_pair(KeyName=name)
    refused("InvalidKeyPair.NotFound", ec2.describe_key_pairs, KeyNames=[name])


# The wire itself.

@check
def calls_that_there_are_not_are_refused_by_each_service():
    for service, code in {
        "ec2": "InvalidAction", "iam": "InvalidAction", "autoscaling": "InvalidAction", "elasticloadbalancing": "InvalidAction",
        "sts": "InvalidAction",
    }.items():
        status, _, body = raw(service, "Action=NoSuchCall&Version=2016-11-15")
        assert status == 400 and f"<Code>{code}</Code>" in body, body
    for service, target in {"acm": "CertificateManager", "ssm": "AmazonSSM", "servicequotas": "ServiceQuotasV20190624"}.items():
        status, _, body = raw(service, "{}", target=f"{target}.NoSuchCall")
        assert status == 400 and json.loads(body)["__type"].endswith("UnknownOperationException"), body


@check
def a_call_without_an_action_is_refused():
    status, _, body = raw("ec2", "Version=2016-11-15")
    assert status == 400 and "<Code>MissingAction</Code>" in body, body


@check
def answers_say_of_what_kind_they_are():
    ec2.describe_vpcs()
    assert WATCH.last["headers"]["content-type"].startswith("text/xml")
    acm.list_certificates()
    assert WATCH.last["headers"]["content-type"] == "application/x-amz-json-1.1"
    cloudwatch.describe_alarms()
    assert WATCH.last["headers"]["content-type"] in ("application/cbor", "application/x-amz-json-1.0")


@check
def requests_have_ids_of_their_own():
    ids = {ec2.describe_vpcs()["ResponseMetadata"]["RequestId"] for _ in range(3)}
    ids |= {iam.list_roles()["ResponseMetadata"]["RequestId"] for _ in range(3)}
    assert len(ids) == 6


@check
def refusals_of_iam_have_its_statuses():
    for code, status, call, arguments in [
        ("NoSuchEntity", 404, iam.get_role, {"RoleName": "nobody"}),
        ("NoSuchEntity", 404, iam.get_instance_profile, {"InstanceProfileName": "nobody"}),
        ("NoSuchEntity", 404, iam.get_policy, {"PolicyArn": "arn:aws:iam::123456789012:policy/nobody"}),
        ("MalformedPolicyDocument", 400, iam.create_policy, {"PolicyName": "bad", "PolicyDocument": "{"}),
    ]:
        assert refused(code, call, **arguments)["ResponseMetadata"]["HTTPStatusCode"] == status, code


def main():
    passed, failed = [], {}
    for name, function in CHECKS:
        try:
            function()
        except Exception as error:
            line = traceback.extract_tb(error.__traceback__)[-1]
            failed[name] = f"{type(error).__name__}: {error} ({line.line})"
        else:
            passed.append(name)
    print(json.dumps({"passed": len(passed), "failed": failed, "findings": sorted(set(WATCH.findings))}, indent=1))


if __name__ == "__main__":
    main()
