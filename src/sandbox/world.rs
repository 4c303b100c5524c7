//! Everything that exists, as AWS would describe it, and what time does to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Seed;
use super::tables;
use super::weather::Weather;
use super::wire::list;

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
    /// What goes on around it.
    #[serde(default)]
    pub weather: Weather,
    /// Calls that each service still takes, and since when.
    #[serde(default)]
    pub buckets: BTreeMap<String, (f64, f64)>,
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
            buckets: BTreeMap::new(),
        };
        let (vpc, account) = (&seed.vpc, &seed.account);
        let row = json!({"vpcId": vpc.id, "cidrBlock": vpc.cidr, "state": "available", "isDefault": false, "ownerId": account});
        world.table("vpcs").insert(vpc.id.clone(), row);
        let kinds = [(&seed.public_subnets, true), (&seed.private_subnets, false)];
        for (third, (id, zone, public)) in kinds
            .iter()
            .flat_map(|(ids, public)| ids.iter().zip(&seed.zones).map(move |(id, zone)| (id, zone, *public)))
            .enumerate()
        {
            let row = json!({
                "subnetId": id, "vpcId": vpc.id, "availabilityZone": zone, "state": "available", "ownerId": account,
                "cidrBlock": format!("10.0.{third}.0/24"), "availableIpAddressCount": 251, "mapPublicIpOnLaunch": public,
            });
            world.table("subnets").insert(id.clone(), row);
        }
        let ways_out = [
            ("rtb-0aaaaaaaaaaaaaaaa", &seed.public_subnets, "gatewayId", "igw-0aaaaaaaaaaaaaaaa"),
            ("rtb-0bbbbbbbbbbbbbbbb", &seed.private_subnets, "natGatewayId", "nat-0bbbbbbbbbbbbbbbb"),
        ];
        for (id, subnets, through, gateway) in ways_out {
            let associated: Vec<Value> =
                subnets.iter().map(|subnet| json!({"routeTableId": id, "subnetId": subnet, "main": false})).collect();
            let route = json!({"destinationCidrBlock": "0.0.0.0/0", through: gateway, "state": "active"});
            let row = json!({"routeTableId": id, "vpcId": vpc.id, "associationSet": associated, "routeSet": [route]});
            world.table("route_tables").insert(id.to_owned(), row);
        }
        let nat = json!({"natGatewayId": "nat-0bbbbbbbbbbbbbbbb", "vpcId": vpc.id, "state": "available", "subnetId": seed.public_subnets.first()});
        world.table("nat_gateways").insert("nat-0bbbbbbbbbbbbbbbb".to_owned(), nat);
        for image in &seed.images {
            let row = json!({
                "imageId": image.id, "name": image.name, "imageState": "available", "architecture": "x86_64",
                "rootDeviceName": image.root_device, "rootDeviceType": "ebs", "virtualizationType": "hvm",
                "imageOwnerAlias": "aws-marketplace", "isPublic": true,
                "blockDeviceMapping": [{"deviceName": image.root_device, "ebs": {"volumeSize": 8, "volumeType": "gp3"}}],
            });
            world.table("images").insert(image.id.clone(), row);
        }
        let certificate = json!({
            "CertificateArn": seed.certificate, "DomainName": format!("*.{}", seed.zone), "Status": "ISSUED",
            "SubjectAlternativeNameSummaries": [format!("*.{}", seed.zone), seed.zone],
            "SubjectAlternativeNames": [format!("*.{}", seed.zone), seed.zone], "KeyAlgorithm": "RSA-2048",
            "Type": "AMAZON_ISSUED", "InUse": false,
        });
        world.table("certificates").insert(seed.certificate.clone(), certificate);
        let zone = json!({
            "Id": format!("/hostedzone/{}", seed.zone_id), "Name": format!("{}.", seed.zone), "CallerReference": "seed",
            "Config": {"PrivateZone": false}, "ResourceRecordSetCount": 0, "_records": [],
        });
        world.table("zones").insert(seed.zone_id.clone(), zone);
        world
    }

    /// The rows of a kind.
    ///
    /// # Panics
    /// When there is no table of this name, here and in the three below: a name with a mistake in it would otherwise
    /// make a table of its own, in which nothing is ever found.
    pub fn table(&mut self, kind: &str) -> &mut Table {
        self.tables.entry(known(kind).to_owned()).or_default()
    }

    /// The rows of a kind, to read.
    pub fn rows(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.tables.get(known(kind)).into_iter().flat_map(|table| table.values())
    }

    /// One row.
    pub fn row(&self, kind: &str, id: &str) -> Option<&Value> {
        self.tables.get(known(kind))?.get(id)
    }

    /// One row, to change.
    pub fn row_mut(&mut self, kind: &str, id: &str) -> Option<&mut Value> {
        self.tables.get_mut(known(kind))?.get_mut(id)
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

    /// What is not seeded, by name; what is over (terminated instances, past activities and refreshes) does not count.
    pub fn leftovers(&self) -> Vec<String> {
        let others = [
            "vpcs",
            "subnets",
            "route_tables",
            "nat_gateways",
            "images",
            "certificates",
            "zones",
            "activities",
            "refreshes",
        ];
        let dead = |kind: &str, row: &Value| kind == "instances" && row["instanceState"]["name"] == "terminated";
        let mut left: Vec<String> = Vec::new();
        for (kind, table) in self.tables.iter().filter(|(kind, _)| !others.contains(&kind.as_str())) {
            left.extend(table.iter().filter(|(_, row)| !dead(kind, row)).map(|(id, _)| format!("{kind} {id}")));
        }
        let records = self.rows("zones").flat_map(|zone| list(zone, "_records"));
        left.extend(records.map(|record| format!("record {}", record["Name"].as_str().unwrap_or_default())));
        left
    }

    /// Lets time pass until `now`, in steps that are short enough for what depends on one another; of a very long time
    /// only the end matters.
    pub fn advance(&mut self, now: f64) {
        const STEP: f64 = 15.0;
        const LONGEST: f64 = 4.0 * 3600.0;
        if now <= self.now {
            return;
        }
        self.now = self.now.max(now - LONGEST);
        loop {
            self.now = (self.now + STEP).min(now).max(self.now);
            self.end_interfaces();
            self.age_instances();
            super::autoscaling::converge(self);
            self.age_instances();
            if self.now >= now {
                return;
            }
        }
    }

    /// Starts an instance from a launch template version's data, with its volumes and its network interface.
    pub fn launch(&mut self, subnet: &str, data: &Value, tags: Vec<Value>) -> String {
        let id = self.id("i");
        let groups: Vec<Value> =
            super::wire::texts(data, "securityGroupIdSet").iter().map(|id| json!({"groupId": id})).collect();
        let profile = data["iamInstanceProfile"]["name"]
            .as_str()
            .map(|name| json!({"arn": self.arn("iam", &format!("instance-profile/{name}")), "id": "AIPASANDBOX"}));
        let vpc = self.row("subnets", subnet).map(|row| row["vpcId"].clone());
        let row = json!({
            "instanceId": id, "imageId": data["imageId"], "instanceType": data["instanceType"], "subnetId": subnet,
            "vpcId": vpc, "groupSet": groups, "iamInstanceProfile": profile, "tagSet": tags, "launchTime": self.date(),
            "instanceState": {"code": 0, "name": "pending"}, "_launched": self.now, "_ending": null,
        });
        self.table("instances").insert(id.clone(), row);
        let tagged = |kind: &str| {
            let of_kind = list(data, "tagSpecificationSet").iter().find(|one| one["resourceType"] == kind);
            of_kind.map(|one| one["tagSet"].clone()).unwrap_or_else(|| json!([]))
        };
        for mapping in list(data, "blockDeviceMappingSet") {
            let (volume, ebs) = (self.id("vol"), &mapping["ebs"]);
            let goes = ebs["deleteOnTermination"] != "false";
            let row = json!({
                "volumeId": volume, "size": ebs["volumeSize"], "volumeType": ebs["volumeType"], "status": "in-use",
                "tagSet": tagged("volume"), "attachmentSet": [{"instanceId": id, "deleteOnTermination": goes}],
            });
            self.table("volumes").insert(volume, row);
        }
        let interface = self.id("eni");
        let row = json!({
            "networkInterfaceId": interface, "subnetId": subnet, "vpcId": vpc, "description": "", "groupSet": groups,
            "status": "in-use", "tagSet": tagged("network-interface"),
            "attachment": {"instanceId": id, "status": "attached", "deleteOnTermination": true},
        });
        self.table("interfaces").insert(interface, row);
        id
    }

    /// Begins to end an instance.
    pub fn terminate(&mut self, id: &str) {
        let now = self.now;
        if let Some(row) = self.row_mut("instances", id).filter(|row| row["_ending"].is_null()) {
            row["_ending"] = json!(now);
            row["instanceState"] = json!({"code": 32, "name": "shutting-down"});
        }
    }

    /// The network interfaces of a load balancer: they outlive it and hold its security groups.
    pub fn let_interfaces_linger(&mut self, load_balancer: &str) {
        let until = self.now + self.weather.linger;
        for row in self.table("interfaces").values_mut().filter(|row| row["_of"] == load_balancer) {
            row["_until"] = json!(until);
        }
    }

    fn end_interfaces(&mut self) {
        let now = self.now;
        self.table("interfaces").retain(|_, row| row["_until"].as_f64().is_none_or(|until| until > now));
    }

    fn age_instances(&mut self) {
        let (now, launch, end) = (self.now, self.weather.launch, self.weather.end);
        let mut ended: Vec<Value> = Vec::new();
        for row in self.table("instances").values_mut() {
            let started = row["_launched"].as_f64().unwrap_or_default();
            let state = match row["_ending"].as_f64() {
                Some(ending) if now >= ending + end => json!({"code": 48, "name": "terminated"}),
                Some(_) => json!({"code": 32, "name": "shutting-down"}),
                None if now >= started + launch => json!({"code": 16, "name": "running"}),
                None => json!({"code": 0, "name": "pending"}),
            };
            if state["name"] == "terminated" && row["instanceState"]["name"] != "terminated" {
                ended.push(row["instanceId"].clone());
            }
            row["instanceState"] = state;
        }
        for instance in &ended {
            self.detach(instance);
        }
    }

    /// What an instance had goes with it, unless it was to stay or is leaked.
    fn detach(&mut self, instance: &Value) {
        let leaks = self.weather.leaks;
        self.table("volumes").retain(|_, row| {
            let attached = &row["attachmentSet"][0];
            if attached["instanceId"] != *instance {
                return true;
            }
            let stays = leaks || attached["deleteOnTermination"] == false;
            (row["attachmentSet"], row["status"]) = (json!([]), json!("available"));
            stays
        });
        self.table("interfaces").retain(|_, row| {
            if row["attachment"]["instanceId"] != *instance {
                return true;
            }
            (row["attachment"], row["status"]) = (Value::Null, json!("available"));
            leaks
        });
    }
}

/// This name, when it is a table's.
fn known(kind: &str) -> &str {
    assert!(tables::ALL.contains(&kind), "the sandbox has no table {kind:?}; it has {}", tables::ALL.join(", "));
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no table \"load_balancers\"; it has vpcs, subnets")]
    fn a_table_that_there_is_not_is_an_error() {
        World::seeded(&super::super::seed()).table("load_balancers");
    }
}
