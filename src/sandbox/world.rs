//! Everything that exists, as AWS would describe it, and what time does to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Seed;

/// Seconds from launch to running, from termination to terminated, and from the delete call of a load balancer to the
/// end of its network interfaces (AWS re:Post: minutes; hashicorp/terraform-provider-aws waits up to 35 minutes).
const BOOT: f64 = 20.0;
const END: f64 = 30.0;
const LINGER: f64 = 30.0;

/// Rows of one kind by their id; a row is what a Describe call shows, and what begins with `_` is for the world alone.
pub type Table = BTreeMap<String, Value>;

/// Everything that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    pub account: String,
    pub region: String,
    /// Seconds since it was seeded.
    pub now: f64,
    /// What ids are counted with.
    pub counter: u64,
    pub requests: u64,
    pub tables: BTreeMap<String, Table>,
    /// Answers to client tokens.
    pub tokens: BTreeMap<String, (Value, Value)>,
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
        };
        let (vpc, account) = (&seed.vpc, &seed.account);
        let row = json!({"vpcId": vpc.id, "cidrBlock": vpc.cidr, "state": "available", "isDefault": false, "ownerId": account});
        world.table("vpcs").insert(vpc.id.clone(), row);
        let kinds = [(&seed.public_subnets, true), (&seed.private_subnets, false)];
        for (third, (id, zone, public)) in kinds
            .iter()
            .flat_map(|(ids, public)| {
                ids.iter()
                    .zip(&seed.zones)
                    .map(move |(id, zone)| (id, zone, *public))
            })
            .enumerate()
        {
            let row = json!({
                "subnetId": id, "vpcId": vpc.id, "availabilityZone": zone, "state": "available", "ownerId": account,
                "cidrBlock": format!("10.0.{third}.0/24"), "availableIpAddressCount": 251, "mapPublicIpOnLaunch": public,
            });
            world.table("subnets").insert(id.clone(), row);
        }
        let ways_out = [
            (
                "rtb-0aaaaaaaaaaaaaaaa",
                &seed.public_subnets,
                "gatewayId",
                "igw-0aaaaaaaaaaaaaaaa",
            ),
            (
                "rtb-0bbbbbbbbbbbbbbbb",
                &seed.private_subnets,
                "natGatewayId",
                "nat-0bbbbbbbbbbbbbbbb",
            ),
        ];
        for (id, subnets, through, gateway) in ways_out {
            let associated: Vec<Value> = subnets
                .iter()
                .map(|subnet| json!({"routeTableId": id, "subnetId": subnet, "main": false}))
                .collect();
            let route =
                json!({"destinationCidrBlock": "0.0.0.0/0", through: gateway, "state": "active"});
            let row = json!({"routeTableId": id, "vpcId": vpc.id, "associationSet": associated, "routeSet": [route]});
            world.table("route_tables").insert(id.to_owned(), row);
        }
        let nat = json!({"natGatewayId": "nat-0bbbbbbbbbbbbbbbb", "vpcId": vpc.id, "state": "available", "subnetId": seed.public_subnets.first()});
        world
            .table("nat_gateways")
            .insert("nat-0bbbbbbbbbbbbbbbb".to_owned(), nat);
        let image = json!({
            "imageId": seed.image.id, "name": seed.image.name, "imageState": "available", "architecture": "x86_64",
            "rootDeviceName": seed.image.root_device, "rootDeviceType": "ebs", "virtualizationType": "hvm",
            "imageOwnerAlias": "aws-marketplace", "isPublic": true,
            "blockDeviceMapping": [{"deviceName": seed.image.root_device, "ebs": {"volumeSize": 8, "volumeType": "gp3"}}],
        });
        world.table("images").insert(seed.image.id.clone(), image);
        let certificate = json!({
            "CertificateArn": seed.certificate, "DomainName": format!("*.{}", seed.zone), "Status": "ISSUED",
            "SubjectAlternativeNameSummaries": [format!("*.{}", seed.zone), seed.zone], "KeyAlgorithm": "RSA-2048",
            "Type": "AMAZON_ISSUED", "InUse": false,
        });
        world
            .table("certificates")
            .insert(seed.certificate.clone(), certificate);
        let zone = json!({
            "Id": format!("/hostedzone/{}", seed.zone_id), "Name": format!("{}.", seed.zone), "CallerReference": "seed",
            "Config": {"PrivateZone": false}, "ResourceRecordSetCount": 0, "_records": [],
        });
        world.table("zones").insert(seed.zone_id.clone(), zone);
        world
    }

    /// The rows of a kind.
    pub fn table(&mut self, kind: &str) -> &mut Table {
        self.tables.entry(kind.to_owned()).or_default()
    }

    /// The rows of a kind, to read.
    pub fn rows(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.tables
            .get(kind)
            .into_iter()
            .flat_map(|table| table.values())
    }

    /// One row.
    pub fn row(&self, kind: &str, id: &str) -> Option<&Value> {
        self.tables.get(kind)?.get(id)
    }

    /// One row, to change.
    pub fn row_mut(&mut self, kind: &str, id: &str) -> Option<&mut Value> {
        self.tables.get_mut(kind)?.get_mut(id)
    }

    /// A new id: `sg-00000000000000001`.
    pub fn id(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}-{:017x}", self.counter)
    }

    /// The number of a request.
    pub fn request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// The time as AWS writes it.
    pub fn date(&self) -> String {
        const SEEDED: i64 = 1_767_225_600; // 2026-01-01
        let time = jiff::Timestamp::from_second(SEEDED + self.now as i64).unwrap_or_default();
        time.to_string()
    }

    /// An ARN of this account and region.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        let region = if service == "iam" { "" } else { &self.region };
        format!("arn:aws:{service}:{region}:{}:{rest}", self.account)
    }

    /// What is not seeded, by name; instances that are terminated do not count.
    pub fn leftovers(&self) -> Vec<String> {
        let seeds = [
            "vpcs",
            "subnets",
            "route_tables",
            "nat_gateways",
            "images",
            "certificates",
            "zones",
        ];
        let dead = |kind: &str, row: &Value| {
            kind == "instances" && row["instanceState"]["name"] == "terminated"
        };
        let mut left: Vec<String> = Vec::new();
        for (kind, table) in self
            .tables
            .iter()
            .filter(|(kind, _)| !seeds.contains(&kind.as_str()))
        {
            left.extend(
                table
                    .iter()
                    .filter(|(_, row)| !dead(kind, row))
                    .map(|(id, _)| format!("{kind} {id}")),
            );
        }
        let records = self
            .rows("zones")
            .flat_map(|zone| zone["_records"].as_array().into_iter().flatten());
        left.extend(
            records.map(|record| format!("record {}", record["Name"].as_str().unwrap_or_default())),
        );
        left
    }

    /// Lets time pass until `now`.
    pub fn advance(&mut self, now: f64) {
        self.now = now.max(self.now);
        self.end_interfaces();
        self.age_instances();
        super::autoscaling::converge(self);
        self.age_instances();
    }

    /// Starts an instance from a launch template version's data.
    pub fn launch(&mut self, subnet: &str, data: &Value, tags: Vec<Value>) -> String {
        let id = self.id("i");
        let groups: Vec<Value> = super::wire::texts(data, "securityGroupIdSet")
            .iter()
            .map(|id| json!({"groupId": id}))
            .collect();
        let profile = data["iamInstanceProfile"]["name"].as_str().map(|name| {
            json!({"arn": self.arn("iam", &format!("instance-profile/{name}")), "id": "AIPASANDBOX"})
        });
        let vpc = self.row("subnets", subnet).map(|row| row["vpcId"].clone());
        let row = json!({
            "instanceId": id, "imageId": data["imageId"], "instanceType": data["instanceType"], "subnetId": subnet,
            "vpcId": vpc, "groupSet": groups, "iamInstanceProfile": profile, "tagSet": tags, "launchTime": self.date(),
            "instanceState": {"code": 0, "name": "pending"}, "_launched": self.now, "_ending": null,
        });
        self.table("instances").insert(id.clone(), row);
        id
    }

    /// Begins to end an instance.
    pub fn terminate(&mut self, id: &str) {
        let now = self.now;
        if let Some(row) = self
            .row_mut("instances", id)
            .filter(|row| row["_ending"].is_null())
        {
            row["_ending"] = json!(now);
            row["instanceState"] = json!({"code": 32, "name": "shutting-down"});
        }
    }

    /// The network interfaces of a load balancer: they outlive it and hold its security groups.
    pub fn let_interfaces_linger(&mut self, load_balancer: &str) {
        let until = self.now + LINGER;
        for row in self
            .table("interfaces")
            .values_mut()
            .filter(|row| row["_of"] == load_balancer)
        {
            row["_until"] = json!(until);
        }
    }

    fn end_interfaces(&mut self) {
        let now = self.now;
        self.table("interfaces")
            .retain(|_, row| row["_until"].as_f64().is_none_or(|until| until > now));
    }

    fn age_instances(&mut self) {
        let now = self.now;
        for row in self.table("instances").values_mut() {
            let started = row["_launched"].as_f64().unwrap_or_default();
            let state = match row["_ending"].as_f64() {
                Some(ending) if now >= ending + END => json!({"code": 48, "name": "terminated"}),
                Some(_) => json!({"code": 32, "name": "shutting-down"}),
                None if now >= started + BOOT => json!({"code": 16, "name": "running"}),
                None => json!({"code": 0, "name": "pending"}),
            };
            row["instanceState"] = state;
        }
    }
}
