"""Makes in an AWS endpoint what `deploy` looks up and never makes, and prints the deploy.yaml that fits it."""
import sys
import time

import boto3

REGION = "eu-central-1"


def client(service):
    return boto3.client(service, region_name=REGION, endpoint_url=sys.argv[1])


ec2, acm, route53 = client("ec2"), client("acm"), client("route53")
vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
subnets = [
    ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
    for i, zone in enumerate([REGION + "a", REGION + "b"])
]
ec2.register_image(Name="api-instant", RootDeviceName="/dev/xvda", Architecture="x86_64")
certificate = acm.request_certificate(DomainName="*.example.com", ValidationMethod="DNS")["CertificateArn"]
route53.create_hosted_zone(Name="example.com", CallerReference="seed")
for _ in range(50):
    if acm.describe_certificate(CertificateArn=certificate)["Certificate"]["Status"] == "ISSUED":
        break
    time.sleep(0.1)
print(f"region: {REGION}")
print(f"network: {{ vpc: {vpc}, private_subnets: [{', '.join(subnets)}] }}")
print("dns: { zone: example.com, record: app }")
