//! What the world has before anything is made in it: `templates/sandbox.yaml`, as AWS would describe it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::tables;
use super::weather::Weather;
use super::world::World;

/// Owns the images of AWS Marketplace (EC2 user guide, "Find an AMI"; the account is the same in most regions).
const MARKETPLACE: &str = "679593333241";
/// The name of the web ACL that the account has.
const WEB_ACL: &str = "no-bots";
/// The product code of the seeded images.
const PRODUCT_CODE: &str = "ozsandbox0000000000000001";
const INTERNET_GATEWAY: &str = "igw-0aaaaaaaaaaaaaaaa";
const NAT_GATEWAY: &str = "nat-0bbbbbbbbbbbbbbbb";

/// The seed.
#[derive(Debug, Clone, Deserialize)]
pub struct Seed {
    /// The account's number.
    pub account: String,
    /// The only region.
    pub region: String,
    /// The only network.
    pub vpc: SeedVpc,
    /// Subnets that route to an internet gateway, one for each zone.
    pub public_subnets: Vec<String>,
    /// Subnets that route to a NAT gateway, one for each zone.
    pub private_subnets: Vec<String>,
    /// The zones of the subnets.
    pub zones: Vec<String>,
    /// The product, and its next release.
    pub images: [SeedImage; 2],
    /// The ARN of an issued certificate for the zone and the names in it.
    pub certificate: String,
    /// The name of the hosted zone.
    pub zone: String,
    /// Its id.
    pub zone_id: String,
}

/// The seeded VPC.
#[derive(Debug, Clone, Deserialize)]
pub struct SeedVpc {
    /// Its id.
    pub id: String,
    /// Its block of addresses.
    pub cidr: String,
}

/// A seeded image.
#[derive(Debug, Clone, Deserialize)]
pub struct SeedImage {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The name of its root device.
    pub root_device: String,
}

/// The seed.
///
/// # Panics
/// When the bundled file is broken, which a test would notice.
pub fn seed() -> Seed {
    serde_yaml::from_str(include_str!("../../templates/sandbox.yaml")).expect("the bundled seed is whole")
}

impl World {
    /// Only the seed.
    pub fn seeded(seed: &Seed) -> World {
        let mut world = World {
            account: seed.account.clone(),
            region: seed.region.clone(),
            now: 0.0,
            counter: 0,
            requests: 0,
            tables: BTreeMap::new(),
            tokens: BTreeMap::new(),
            weather: Weather::default(),
            caller_policy: None,
            buckets: BTreeMap::new(),
        };
        world.seed_network(seed);
        world.seed_ways_out(seed);
        world.seed_images(seed);
        let certificate = json!({
            "CertificateArn": seed.certificate, "DomainName": format!("*.{}", seed.zone), "Status": "ISSUED",
            "SubjectAlternativeNameSummaries": [format!("*.{}", seed.zone), seed.zone],
            "SubjectAlternativeNames": [format!("*.{}", seed.zone), seed.zone], "KeyAlgorithm": "RSA-2048",
            "Type": "AMAZON_ISSUED", "InUse": false,
        });
        world.table(tables::CERTIFICATES).insert(seed.certificate.clone(), certificate);
        world.seed_web_acl();
        let zone = json!({
            "Id": format!("/hostedzone/{}", seed.zone_id), "Name": format!("{}.", seed.zone), "CallerReference": "seed",
            "Config": {"PrivateZone": false}, "ResourceRecordSetCount": 0, "_records": [],
        });
        world.table(tables::ZONES).insert(seed.zone_id.clone(), zone);
        world
    }

    /// It stands before nothing yet.
    fn seed_web_acl(&mut self) {
        const ID: &str = "0f0f0f0f-5555-6666-7777-888888888888";
        let arn = self.arn("wafv2", &format!("regional/webacl/{WEB_ACL}/{ID}"));
        let row = json!({
            "Name": WEB_ACL, "Id": ID, "ARN": arn, "DefaultAction": {"Allow": {}}, "Rules": [], "Capacity": 0,
            "VisibilityConfig": {
                "SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": WEB_ACL,
            },
            "ManagedByFirewallManager": false, "LabelNamespace": format!("awswaf:{}:webacl:{WEB_ACL}:", self.account),
            "_lock_token": ID,
        });
        self.table(tables::WEB_ACLS).insert(arn, row);
    }

    fn seed_network(&mut self, seed: &Seed) {
        let (vpc, account) = (&seed.vpc, &seed.account);
        let row = json!({
            "vpcId": vpc.id, "cidrBlock": vpc.cidr, "state": "available", "isDefault": false, "ownerId": account,
            "dhcpOptionsId": "dopt-0aaaaaaaaaaaaaaaa", "instanceTenancy": "default", "tagSet": [],
            "cidrBlockAssociationSet": [{
                "associationId": "vpc-cidr-assoc-0aaaaaaaaaaaaaaaa", "cidrBlock": vpc.cidr,
                "cidrBlockState": {"state": "associated"},
            }],
        });
        self.table(tables::VPCS).insert(vpc.id.clone(), row);
        let kinds = [(&seed.public_subnets, true), (&seed.private_subnets, false)];
        let subnets = kinds
            .iter()
            .flat_map(|(ids, is_public)| ids.iter().zip(&seed.zones).map(move |(id, zone)| (id, zone, *is_public)));
        for (third, (id, zone, is_public)) in subnets.enumerate() {
            let row = json!({
                "subnetId": id, "vpcId": vpc.id, "availabilityZone": zone, "state": "available", "ownerId": account,
                "cidrBlock": format!("10.0.{third}.0/24"), "availableIpAddressCount": 251,
                "mapPublicIpOnLaunch": is_public,
            });
            self.table(tables::SUBNETS).insert(id.clone(), row);
        }
    }

    fn seed_ways_out(&mut self, seed: &Seed) {
        let (vpc, account) = (&seed.vpc.id, &seed.account);
        let ways_out = [
            ("rtb-0aaaaaaaaaaaaaaaa", &seed.public_subnets, "gatewayId", INTERNET_GATEWAY),
            ("rtb-0bbbbbbbbbbbbbbbb", &seed.private_subnets, "natGatewayId", NAT_GATEWAY),
        ];
        for (id, subnets, through, gateway) in ways_out {
            let associated = subnets.iter().map(|subnet| {
                json!({
                    "routeTableAssociationId": subnet.replace("subnet-", "rtbassoc-"), "routeTableId": id,
                    "subnetId": subnet, "main": false, "associationState": {"state": "associated"},
                })
            });
            let out = json!({
                "destinationCidrBlock": "0.0.0.0/0", through: gateway, "state": "active", "origin": "CreateRoute",
            });
            let local = json!({
                "destinationCidrBlock": seed.vpc.cidr, "gatewayId": "local", "state": "active",
                "origin": "CreateRouteTable",
            });
            let row = json!({
                "routeTableId": id, "vpcId": vpc, "ownerId": account, "associationSet": associated.collect::<Vec<_>>(),
                "routeSet": [local, out], "propagatingVgwSet": [], "tagSet": [],
            });
            self.table(tables::ROUTE_TABLES).insert(id.to_owned(), row);
        }
        let nat = json!({
            "natGatewayId": NAT_GATEWAY, "vpcId": vpc, "state": "available", "subnetId": seed.public_subnets.first(),
            "connectivityType": "public", "createTime": self.date(), "tagSet": [],
            "natGatewayAddressSet": [{
                "allocationId": "eipalloc-0bbbbbbbbbbbbbbbb", "networkInterfaceId": "eni-0bbbbbbbbbbbbbbbb",
                "privateIp": "10.0.0.254", "publicIp": "192.0.2.10", "isPrimary": true, "status": "succeeded",
            }],
        });
        self.table(tables::NAT_GATEWAYS).insert(NAT_GATEWAY.to_owned(), nat);
        let internet = json!({
            "internetGatewayId": INTERNET_GATEWAY, "ownerId": account, "tagSet": [],
            "attachmentSet": [{"vpcId": vpc, "state": "available"}],
        });
        self.table(tables::INTERNET_GATEWAYS).insert(INTERNET_GATEWAY.to_owned(), internet);
    }

    fn seed_images(&mut self, seed: &Seed) {
        for (number, image) in seed.images.iter().enumerate() {
            let snapshot = image.id.replace("ami-", "snap-");
            let row = json!({
                "imageId": image.id, "name": image.name, "imageState": "available", "architecture": "x86_64",
                "rootDeviceName": image.root_device, "rootDeviceType": "ebs", "virtualizationType": "hvm",
                "imageOwnerAlias": "aws-marketplace", "imageOwnerId": MARKETPLACE, "isPublic": true,
                "imageLocation": format!("aws-marketplace/{}", image.name), "imageType": "machine",
                "description": "Oz Liveness", "hypervisor": "xen", "enaSupport": true, "sriovNetSupport": "simple",
                "platformDetails": "Linux/UNIX", "usageOperation": "RunInstances", "bootMode": "uefi-preferred",
                "creationDate": format!("2025-0{}-01T00:00:00.000Z", number + 1), "tagSet": [],
                "productCodes": [{"productCode": PRODUCT_CODE, "type": "marketplace"}],
                "blockDeviceMapping": [{"deviceName": image.root_device, "ebs": {
                    "volumeSize": 8, "volumeType": "gp3", "deleteOnTermination": true, "encrypted": false,
                    "snapshotId": snapshot, "iops": 3000, "throughput": 125,
                }}],
            });
            self.table(tables::IMAGES).insert(image.id.clone(), row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_is_no_leftover() {
        let world = World::seeded(&seed());
        assert_eq!(world.leftovers(), Vec::<String>::new());
        assert_eq!(world.rows(tables::SUBNETS).count(), 4);
    }
}
