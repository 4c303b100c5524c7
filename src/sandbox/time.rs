//! What time does: instances start and end, and with them what they are made of.

use serde_json::{Value, json};

use super::ec2::{metadata, set_tags};
use super::parameters::{list, texts};
use super::tables;
use super::world::World;

impl World {
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
            super::health::check(self);
            self.age_instances();
            if self.now >= now {
                return;
            }
        }
    }

    /// Starts an instance from a launch template version's data, with its volumes and its network interface. `tags` go
    /// over those of the data (Auto Scaling user guide, "Tag Auto Scaling groups and instances").
    pub fn launch(&mut self, subnet: &str, data: &Value, tags: Vec<Value>) -> String {
        let id = self.id("i");
        let in_interface = &data["networkInterfaceSet"][0];
        let mut groups = texts(data, "securityGroupIdSet");
        groups.extend(texts(in_interface, "groupSet"));
        let groups: Vec<Value> = groups.iter().map(|id| json!({ "groupId": id })).collect();
        let vpc = self.row(tables::SUBNETS, subnet).map(|row| row["vpcId"].clone());
        let image = data["imageId"].as_str().and_then(|image| self.row(tables::IMAGES, image)).cloned();
        let image = image.unwrap_or_default();
        let monitoring = if data["monitoring"]["enabled"] == "true" { "enabled" } else { "disabled" };
        let mut row = json!({
            "instanceId": id, "imageId": data["imageId"], "instanceType": data["instanceType"], "subnetId": subnet,
            "vpcId": vpc, "groupSet": groups, "iamInstanceProfile": self.profile_of(data), "launchTime": self.date(),
            "instanceState": {"code": 0, "name": "pending"}, "keyName": data["keyName"],
            "metadataOptions": metadata(&data["metadataOptions"]), "monitoring": {"state": monitoring},
            "ebsOptimized": data["ebsOptimized"] == "true", "tagSet": tags_of(data, "instance"),
            "_launched": self.now, "_ending": null, "_user_data": data["userData"],
            "_kept": {"disableApiTermination": data["disableApiTermination"]},
        });
        set_tags(&mut row, ("tagSet", "key", "value"), &tags);
        self.table(tables::INSTANCES).insert(id.clone(), row);
        for (device, ebs) in devices(data, &image) {
            self.attach_volume(&id, (&device, &ebs), data);
        }
        let interface = self.id("eni");
        let row = json!({
            "networkInterfaceId": interface, "subnetId": subnet, "vpcId": vpc, "description": "", "groupSet": groups,
            "status": "in-use", "tagSet": tags_of(data, "network-interface"),
            "attachment": {"instanceId": id, "status": "attached", "deleteOnTermination": true},
        });
        self.table(tables::INTERFACES).insert(interface, row);
        id
    }

    /// An instance profile as instances show it.
    fn profile_of(&self, data: &Value) -> Value {
        let profile = &data["iamInstanceProfile"];
        let in_arn = profile["arn"].as_str().and_then(|arn| arn.rsplit('/').next());
        let Some(name) = profile["name"].as_str().or(in_arn) else { return Value::Null };
        let row = self.row(tables::PROFILES, name);
        let id = row.and_then(|row| row["InstanceProfileId"].as_str()).unwrap_or("AIPASANDBOX");
        json!({"arn": self.arn("iam", &format!("instance-profile/{name}")), "id": id})
    }

    fn attach_volume(&mut self, instance: &str, (device, ebs): (&str, &Value), data: &Value) {
        let volume = self.id("vol");
        let stays = ebs["deleteOnTermination"] == "false" || ebs["deleteOnTermination"] == false;
        let subnet = self.row(tables::INSTANCES, instance).and_then(|row| row["subnetId"].as_str());
        let zone = subnet.and_then(|id| self.row(tables::SUBNETS, id)).map(|row| row["availabilityZone"].clone());
        let row = json!({
            "volumeId": volume, "size": ebs["volumeSize"], "volumeType": ebs["volumeType"], "status": "in-use",
            "iops": ebs["iops"], "throughput": ebs["throughput"], "snapshotId": ebs["snapshotId"],
            "encrypted": ebs["encrypted"], "availabilityZone": zone, "createTime": self.date(),
            "tagSet": tags_of(data, "volume"), "attachmentSet": [{
                "instanceId": instance, "device": device, "attachTime": self.date(), "deleteOnTermination": !stays,
            }],
        });
        self.table(tables::VOLUMES).insert(volume, row);
    }

    /// Begins to end an instance.
    pub fn terminate(&mut self, id: &str) {
        let now = self.now;
        if let Some(row) = self.row_mut(tables::INSTANCES, id).filter(|row| row["_ending"].is_null()) {
            row["_ending"] = json!(now);
            row["instanceState"] = json!({"code": 32, "name": "shutting-down"});
        }
    }

    /// The network interfaces of a load balancer: they outlive it and hold its security groups.
    pub fn let_interfaces_linger(&mut self, load_balancer: &str) {
        let until = self.now + self.weather.linger_seconds;
        for row in self.table(tables::INTERFACES).values_mut().filter(|row| row["_of"] == load_balancer) {
            row["_until"] = json!(until);
        }
    }

    fn end_interfaces(&mut self) {
        let now = self.now;
        self.table(tables::INTERFACES).retain(|_, row| row["_until"].as_f64().is_none_or(|until| until > now));
    }

    fn age_instances(&mut self) {
        let (now, launch, end, draining) =
            (self.now, self.weather.launch_seconds, self.weather.termination_seconds, self.weather.draining_seconds);
        let drains = |row: &Value| if row["_group"].is_string() { draining } else { 0.0 };
        let mut ended: Vec<Value> = Vec::new();
        for row in self.table(tables::INSTANCES).values_mut() {
            let started = row["_launched"].as_f64().unwrap_or_default();
            let state = match row["_ending"].as_f64() {
                Some(ending) if now >= ending + end + drains(row) => json!({"code": 48, "name": "terminated"}),
                // Its target group lets requests in flight finish first.
                Some(ending) if now < ending + drains(row) => json!({"code": 16, "name": "running"}),
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
        self.table(tables::VOLUMES).retain(|_, row| {
            let attached = &row["attachmentSet"][0];
            if attached["instanceId"] != *instance {
                return true;
            }
            let stays = leaks || attached["deleteOnTermination"] == false;
            (row["attachmentSet"], row["status"]) = (json!([]), json!("available"));
            stays
        });
        self.table(tables::INTERFACES).retain(|_, row| {
            if row["attachment"]["instanceId"] != *instance {
                return true;
            }
            (row["attachment"], row["status"]) = (Value::Null, json!("available"));
            leaks
        });
    }
}

/// The tags that a launch template gives to what it starts.
fn tags_of(data: &Value, kind: &str) -> Value {
    let of_kind = list(data, "tagSpecificationSet").iter().find(|one| one["resourceType"] == kind);
    of_kind.map_or_else(|| json!([]), |one| one["tagSet"].clone())
}

/// The devices of an image, with what the data says of the same ones, and those of the data alone.
fn devices(data: &Value, image: &Value) -> Vec<(String, Value)> {
    let name = |mapping: &Value| mapping["deviceName"].as_str().unwrap_or_default().to_owned();
    let of_image = list(image, "blockDeviceMapping").iter().map(|mapping| (name(mapping), mapping["ebs"].clone()));
    let mut devices: Vec<(String, Value)> = of_image.collect();
    for mapping in list(data, "blockDeviceMappingSet") {
        let (device, own) = (name(mapping), &mapping["ebs"]);
        match devices.iter_mut().find(|(other, _)| *other == device) {
            Some((_, ebs)) => {
                for (field, value) in own.as_object().into_iter().flatten() {
                    ebs[field] = value.clone();
                }
            }
            None => devices.push((device, own.clone())),
        }
    }
    devices.retain(|(_, ebs)| ebs.is_object());
    devices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_speaks_over_the_images_devices() {
        let image =
            json!({"blockDeviceMapping": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 8, "snapshotId": "s"}}]});
        let data = json!({"blockDeviceMappingSet": [
            {"deviceName": "/dev/xvda", "ebs": {"volumeSize": "50"}},
            {"deviceName": "/dev/sdb", "ebs": {"volumeSize": "1"}},
        ]});
        let want = [
            ("/dev/xvda".to_owned(), json!({"volumeSize": "50", "snapshotId": "s"})),
            ("/dev/sdb".to_owned(), json!({"volumeSize": "1"})),
        ];
        assert_eq!(devices(&data, &image), want);
        assert_eq!(devices(&json!({}), &image).len(), 1);
    }
}
