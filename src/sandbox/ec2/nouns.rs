//! The nouns of EC2 that are described by ids and filters.

use serde_json::{Value, json};

use super::described::{Noun, as_kept, with_defaults};
use super::filters::Filter;
use super::{images, instances, key_pairs, security_groups};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// Virtual networks.
pub static VPC: Noun = Noun {
    operation: "DescribeVpcs",
    table: tables::VPCS,
    set: "vpcSet",
    ids: "VpcId",
    field: "vpcId",
    prefix: "vpc",
    name: "vpc ID",
    absent: "InvalidVpcID.NotFound",
    malformed: "InvalidVpcID.Malformed",
    shown: vpc,
    filters: &[
        ("vpc-id", "vpcId"),
        ("cidr", "cidrBlock"),
        ("cidr-block-association.cidr-block", "cidrBlockAssociationSet.cidrBlock"),
        ("state", "state"),
        ("is-default", "isDefault"),
        ("owner-id", "ownerId"),
        ("dhcp-options-id", "dhcpOptionsId"),
    ],
};

/// Subnets.
pub static SUBNET: Noun = Noun {
    operation: "DescribeSubnets",
    table: tables::SUBNETS,
    set: "subnetSet",
    ids: "SubnetId",
    field: "subnetId",
    prefix: "subnet",
    name: "subnet ID",
    absent: "InvalidSubnetID.NotFound",
    malformed: "InvalidSubnetID.Malformed",
    shown: subnet,
    filters: &[
        ("subnet-id", "subnetId"),
        ("vpc-id", "vpcId"),
        ("availability-zone", "availabilityZone"),
        ("availabilityZone", "availabilityZone"),
        ("availability-zone-id", "availabilityZoneId"),
        ("cidr-block", "cidrBlock"),
        ("cidr", "cidrBlock"),
        ("state", "state"),
        ("owner-id", "ownerId"),
        ("default-for-az", "defaultForAz"),
        ("map-public-ip-on-launch", "mapPublicIpOnLaunch"),
        ("subnet-arn", "subnetArn"),
        ("available-ip-address-count", "availableIpAddressCount"),
    ],
};

/// Route tables.
pub static ROUTE_TABLE: Noun = Noun {
    operation: "DescribeRouteTables",
    table: tables::ROUTE_TABLES,
    set: "routeTableSet",
    ids: "RouteTableId",
    field: "routeTableId",
    prefix: "rtb",
    name: "routeTable ID",
    absent: "InvalidRouteTableID.NotFound",
    malformed: "InvalidRouteTableId.Malformed",
    shown: as_kept,
    filters: &[
        ("route-table-id", "routeTableId"),
        ("vpc-id", "vpcId"),
        ("owner-id", "ownerId"),
        ("association.subnet-id", "associationSet.subnetId"),
        ("association.main", "associationSet.main"),
        ("association.route-table-id", "associationSet.routeTableId"),
        ("association.route-table-association-id", "associationSet.routeTableAssociationId"),
        ("route.destination-cidr-block", "routeSet.destinationCidrBlock"),
        ("route.gateway-id", "routeSet.gatewayId"),
        ("route.nat-gateway-id", "routeSet.natGatewayId"),
        ("route.state", "routeSet.state"),
    ],
};

/// NAT gateways.
pub static NAT_GATEWAY: Noun = Noun {
    operation: "DescribeNatGateways",
    table: tables::NAT_GATEWAYS,
    set: "natGatewaySet",
    ids: "NatGatewayId",
    field: "natGatewayId",
    prefix: "nat",
    name: "NatGateway",
    absent: "NatGatewayNotFound",
    malformed: "NatGatewayMalformed",
    shown: as_kept,
    filters: &[("nat-gateway-id", "natGatewayId"), ("vpc-id", "vpcId"), ("subnet-id", "subnetId"), ("state", "state")],
};

/// Internet gateways.
pub static INTERNET_GATEWAY: Noun = Noun {
    operation: "DescribeInternetGateways",
    table: tables::INTERNET_GATEWAYS,
    set: "internetGatewaySet",
    ids: "InternetGatewayId",
    field: "internetGatewayId",
    prefix: "igw",
    name: "internetGateway ID",
    absent: "InvalidInternetGatewayID.NotFound",
    malformed: "InvalidInternetGatewayId.Malformed",
    shown: as_kept,
    filters: &[
        ("internet-gateway-id", "internetGatewayId"),
        ("attachment.vpc-id", "attachmentSet.vpcId"),
        ("attachment.state", "attachmentSet.state"),
        ("owner-id", "ownerId"),
    ],
};

/// Endpoints of a VPC: ways to services of AWS that need no way out.
pub static VPC_ENDPOINT: Noun = Noun {
    operation: "DescribeVpcEndpoints",
    table: tables::VPC_ENDPOINTS,
    set: "vpcEndpointSet",
    ids: "VpcEndpointId",
    field: "vpcEndpointId",
    prefix: "vpce",
    name: "Vpc Endpoint Id",
    absent: "InvalidVpcEndpointId.NotFound",
    malformed: "InvalidVpcEndpointId.Malformed",
    shown: as_kept,
    filters: &[
        ("vpc-endpoint-id", "vpcEndpointId"),
        ("vpc-endpoint-state", "state"),
        ("vpc-endpoint-type", "vpcEndpointType"),
        ("vpc-id", "vpcId"),
        ("service-name", "serviceName"),
    ],
};

/// Network interfaces.
pub static INTERFACE: Noun = Noun {
    operation: "DescribeNetworkInterfaces",
    table: tables::INTERFACES,
    set: "networkInterfaceSet",
    ids: "NetworkInterfaceId",
    field: "networkInterfaceId",
    prefix: "eni",
    name: "networkInterface ID",
    absent: "InvalidNetworkInterfaceID.NotFound",
    malformed: "InvalidNetworkInterfaceId.Malformed",
    shown: instances::shown_interface,
    filters: &[
        ("network-interface-id", "networkInterfaceId"),
        ("vpc-id", "vpcId"),
        ("subnet-id", "subnetId"),
        ("availability-zone", "availabilityZone"),
        ("group-id", "groupSet.groupId"),
        ("group-name", "groupSet.groupName"),
        ("status", "status"),
        ("description", "description"),
        ("interface-type", "interfaceType"),
        ("owner-id", "ownerId"),
        ("requester-id", "requesterId"),
        ("requester-managed", "requesterManaged"),
        ("private-ip-address", "privateIpAddress"),
        ("addresses.private-ip-address", "privateIpAddressesSet.privateIpAddress"),
        ("mac-address", "macAddress"),
        ("source-dest-check", "sourceDestCheck"),
        ("attachment.attachment-id", "attachment.attachmentId"),
        ("attachment.instance-id", "attachment.instanceId"),
        ("attachment.instance-owner-id", "attachment.instanceOwnerId"),
        ("attachment.status", "attachment.status"),
        ("attachment.delete-on-termination", "attachment.deleteOnTermination"),
        ("attachment.device-index", "attachment.deviceIndex"),
    ],
};

/// EBS volumes.
pub static VOLUME: Noun = Noun {
    operation: "DescribeVolumes",
    table: tables::VOLUMES,
    set: "volumeSet",
    ids: "VolumeId",
    field: "volumeId",
    prefix: "vol",
    name: "volume",
    absent: "InvalidVolume.NotFound",
    malformed: "InvalidVolumeID.Malformed",
    shown: instances::shown_volume,
    filters: &[
        ("volume-id", "volumeId"),
        ("status", "status"),
        ("size", "size"),
        ("volume-type", "volumeType"),
        ("encrypted", "encrypted"),
        ("availability-zone", "availabilityZone"),
        ("snapshot-id", "snapshotId"),
        ("create-time", "createTime"),
        ("multi-attach-enabled", "multiAttachEnabled"),
        ("attachment.instance-id", "attachmentSet.instanceId"),
        ("attachment.device", "attachmentSet.device"),
        ("attachment.status", "attachmentSet.status"),
        ("attachment.attach-time", "attachmentSet.attachTime"),
        ("attachment.delete-on-termination", "attachmentSet.deleteOnTermination"),
    ],
};

/// Images.
pub static IMAGE: Noun = Noun {
    operation: "DescribeImages",
    table: tables::IMAGES,
    set: "imagesSet",
    ids: "ImageId",
    field: "imageId",
    prefix: "ami",
    name: "image id",
    absent: "InvalidAMIID.NotFound",
    malformed: "InvalidAMIID.Malformed",
    shown: as_kept,
    filters: images::FILTERS,
};

/// Security groups.
pub static SECURITY_GROUP: Noun = Noun {
    operation: "DescribeSecurityGroups",
    table: tables::GROUPS,
    set: "securityGroupInfo",
    ids: "GroupId",
    field: "groupId",
    prefix: "sg",
    name: "security group",
    absent: "InvalidGroup.NotFound",
    malformed: "InvalidGroupId.Malformed",
    shown: security_groups::shown,
    filters: security_groups::FILTERS,
};

/// Launch templates.
pub static LAUNCH_TEMPLATE: Noun = Noun {
    operation: "DescribeLaunchTemplates",
    table: tables::TEMPLATES,
    set: "launchTemplates",
    ids: "LaunchTemplateId",
    field: "launchTemplateId",
    prefix: "lt",
    name: "specified launch template, with template ID",
    absent: "InvalidLaunchTemplateId.NotFound",
    malformed: "InvalidLaunchTemplateId.Malformed",
    shown: as_kept,
    filters: &[("launch-template-name", "launchTemplateName"), ("create-time", "createTime")],
};

/// Instances.
pub static INSTANCE: Noun = Noun {
    operation: "DescribeInstances",
    table: tables::INSTANCES,
    set: "instancesSet",
    ids: "InstanceId",
    field: "instanceId",
    prefix: "i",
    name: "instance ID",
    absent: "InvalidInstanceID.NotFound",
    malformed: "InvalidInstanceID.Malformed",
    shown: instances::shown,
    filters: INSTANCE_FILTERS,
};

/// Key pairs.
pub static KEY_PAIR: Noun = Noun {
    operation: "DescribeKeyPairs",
    table: tables::KEY_PAIRS,
    set: "keySet",
    ids: "KeyName",
    field: "keyName",
    prefix: "key",
    name: "key pair",
    absent: "InvalidKeyPair.NotFound",
    malformed: "InvalidKeyPair.NotFound",
    shown: key_pairs::shown,
    filters: &[("key-name", "keyName"), ("key-pair-id", "keyPairId"), ("fingerprint", "keyFingerprint")],
};

const INSTANCE_FILTERS: &[Filter] = &[
    ("instance-id", "instanceId"),
    ("image-id", "imageId"),
    ("instance-type", "instanceType"),
    ("key-name", "keyName"),
    ("vpc-id", "vpcId"),
    ("subnet-id", "subnetId"),
    ("availability-zone", "placement.availabilityZone"),
    ("tenancy", "placement.tenancy"),
    ("group-id", "groupSet.groupId"),
    ("group-name", "groupSet.groupName"),
    ("instance.group-id", "groupSet.groupId"),
    ("instance.group-name", "groupSet.groupName"),
    ("instance-state-name", "instanceState.name"),
    ("instance-state-code", "instanceState.code"),
    ("iam-instance-profile.arn", "iamInstanceProfile.arn"),
    ("iam-instance-profile.id", "iamInstanceProfile.id"),
    ("architecture", "architecture"),
    ("root-device-name", "rootDeviceName"),
    ("root-device-type", "rootDeviceType"),
    ("virtualization-type", "virtualizationType"),
    ("hypervisor", "hypervisor"),
    ("private-ip-address", "privateIpAddress"),
    ("private-dns-name", "privateDnsName"),
    ("network-interface.network-interface-id", "networkInterfaceSet.networkInterfaceId"),
    ("network-interface.subnet-id", "networkInterfaceSet.subnetId"),
    ("network-interface.vpc-id", "networkInterfaceSet.vpcId"),
    ("network-interface.group-id", "networkInterfaceSet.groupSet.groupId"),
    ("block-device-mapping.volume-id", "blockDeviceMapping.ebs.volumeId"),
    ("block-device-mapping.device-name", "blockDeviceMapping.deviceName"),
    ("metadata-options.http-tokens", "metadataOptions.httpTokens"),
    ("metadata-options.http-endpoint", "metadataOptions.httpEndpoint"),
    ("monitoring-state", "monitoring.state"),
    ("reservation-id", "_reservation"),
    ("client-token", "clientToken"),
    ("owner-id", "_owner"),
];

/// Those that are only described: a call of their own makes none of them, or removes none.
pub static ALL: [&Noun; 8] =
    [&VPC, &SUBNET, &ROUTE_TABLE, &NAT_GATEWAY, &INTERNET_GATEWAY, &VPC_ENDPOINT, &INTERFACE, &VOLUME];

/// Whatever can carry tags, and how DescribeTags calls it.
pub static TAGGED: [(&Noun, &str); 11] = [
    (&VPC, "vpc"),
    (&SUBNET, "subnet"),
    (&ROUTE_TABLE, "route-table"),
    (&NAT_GATEWAY, "natgateway"),
    (&INTERNET_GATEWAY, "internet-gateway"),
    (&INTERFACE, "network-interface"),
    (&VOLUME, "volume"),
    (&IMAGE, "image"),
    (&SECURITY_GROUP, "security-group"),
    (&LAUNCH_TEMPLATE, "launch-template"),
    (&INSTANCE, "instance"),
];

fn vpc(world: &World, row: &Value) -> Value {
    let id = row["vpcId"].as_str().unwrap_or_default().trim_start_matches("vpc-");
    let block = json!({
        "associationId": format!("vpc-cidr-assoc-{id}"), "cidrBlock": row["cidrBlock"],
        "cidrBlockState": {"state": "associated"},
    });
    let defaults = json!({
        "dhcpOptionsId": format!("dopt-{id}"), "instanceTenancy": "default", "cidrBlockAssociationSet": [block],
        "ownerId": world.account, "tagSet": [],
    });
    with_defaults(row.clone(), defaults)
}

fn subnet(world: &World, row: &Value) -> Value {
    let id = row["subnetId"].as_str().unwrap_or_default();
    let zone = row["availabilityZone"].as_str().unwrap_or_default();
    let names = json!({
        "hostnameType": "ip-name", "enableResourceNameDnsARecord": false, "enableResourceNameDnsAAAARecord": false,
    });
    let defaults = json!({
        "availabilityZoneId": zone_id(zone), "assignIpv6AddressOnCreation": false, "defaultForAz": false,
        "enableDns64": false, "ipv6Native": false, "ipv6CidrBlockAssociationSet": [],
        "mapCustomerOwnedIpOnLaunch": false, "ownerId": world.account, "privateDnsNameOptionsOnLaunch": names,
        "subnetArn": world.arn("ec2", &format!("subnet/{id}")), "tagSet": [],
    });
    with_defaults(row.clone(), defaults)
}

/// The id of a zone: `euc1-az1` is the first of eu-central-1. (In AWS the order differs from account to account.)
pub fn zone_id(zone: &str) -> String {
    let mut parts = zone.split('-');
    let area = parts.next().unwrap_or_default();
    let side: String = parts.next().unwrap_or_default().chars().take(1).collect();
    let last = parts.next().unwrap_or_default();
    let number = last.trim_end_matches(|one: char| one.is_ascii_lowercase());
    let order = last.bytes().last().unwrap_or(b'a').saturating_sub(b'a') + 1;
    format!("{area}{side}{number}-az{order}")
}
