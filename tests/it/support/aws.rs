//! Edits of the sandbox's world in AWS's nouns: what someone else does to the account, or AWS itself.
//!
//! Each word changes what the stack has of its noun, never what [`super::add_things_of_others`] made.

use serde_json::{Value, json};

use super::nouns::{
    AutoScalingGroup, Certificate, InstanceProfile, Instances, LaunchTemplate, Listeners, LoadBalancer, Record, Role,
    RouteTable, Rows, ScalingPolicy, SecurityGroups, TargetGroup,
};
use super::program::{World, tables};

/// The account, to change.
pub struct Aws<'a> {
    world: &'a mut World,
    may_be_absent: bool,
}

impl<'a> Aws<'a> {
    /// Every edit must find what it changes.
    pub fn of(world: &'a mut World) -> Aws<'a> {
        Aws { world, may_be_absent: false }
    }

    /// What is not there is not changed: for edits by chance.
    pub fn if_there(world: &'a mut World) -> Aws<'a> {
        Aws { world, may_be_absent: true }
    }

    pub fn load_balancer(&mut self) -> LoadBalancer<'_> {
        LoadBalancer(self.ours(tables::BALANCERS, |_| true))
    }

    pub fn listeners(&mut self) -> Listeners<'_> {
        Listeners(self.ours(tables::LISTENERS, |_| true))
    }

    pub fn listener(&mut self, port: u16) -> Listeners<'_> {
        Listeners(self.ours(tables::LISTENERS, |row| row["Port"] == port))
    }

    pub fn target_group(&mut self) -> TargetGroup<'_> {
        TargetGroup(self.ours(tables::TARGET_GROUPS, |_| true))
    }

    pub fn auto_scaling_group(&mut self) -> AutoScalingGroup<'_> {
        AutoScalingGroup(self.ours(tables::ASGS, |_| true))
    }

    pub fn scaling_policy(&mut self) -> ScalingPolicy<'_> {
        ScalingPolicy(self.ours(tables::POLICIES_OF_GROUPS, |_| true))
    }

    pub fn instances(&mut self) -> Instances<'_> {
        Instances(self.ours(tables::INSTANCES, |_| true))
    }

    /// One of the instances, in the order of their ids.
    pub fn instance(&mut self, index: usize) -> Instances<'_> {
        let mut rows = self.ours(tables::INSTANCES, |_| true);
        Instances(Rows(vec![rows.0.swap_remove(index)]))
    }

    pub fn security_groups(&mut self) -> SecurityGroups<'_> {
        SecurityGroups(self.ours(tables::GROUPS, |_| true))
    }

    pub fn security_group(&mut self, name: &str) -> SecurityGroups<'_> {
        SecurityGroups(self.ours(tables::GROUPS, |row| row["groupName"] == name))
    }

    /// Those that carry the tag of this stack.
    pub fn security_groups_of(&mut self, stack: &str) -> SecurityGroups<'_> {
        let tag = serde_json::json!({"key": "oz-deploy:stack", "value": stack});
        SecurityGroups(
            self.ours(tables::GROUPS, |row| row["tagSet"].as_array().is_some_and(|tags| tags.contains(&tag))),
        )
    }

    pub fn launch_template(&mut self) -> LaunchTemplate<'_> {
        LaunchTemplate(self.ours(tables::TEMPLATES, |_| true))
    }

    pub fn role(&mut self) -> Role<'_> {
        Role(self.ours(tables::ROLES, |_| true))
    }

    pub fn instance_profile(&mut self) -> InstanceProfile<'_> {
        InstanceProfile(self.ours(tables::PROFILES, |_| true))
    }

    pub fn certificate(&mut self) -> Certificate<'_> {
        Certificate(self.ours(tables::CERTIFICATES, |_| true))
    }

    /// The one that the private subnets use.
    pub fn route_table(&mut self) -> RouteTable<'_> {
        RouteTable(self.ours(tables::ROUTE_TABLES, |row| row["routeTableId"] == "rtb-0bbbbbbbbbbbbbbbb"))
    }

    /// The record of the stack's name.
    pub fn record(&mut self) -> Record<'_> {
        let zones = self.world.table(tables::ZONES).values_mut();
        let records = zones.flat_map(|zone| zone["_records"].as_array_mut().unwrap());
        let rows: Vec<&mut Value> = records.filter(|record| record["Name"] == RECORD).collect();
        assert!(self.may_be_absent || !rows.is_empty(), "there is no record {RECORD}");
        Record(Rows(rows))
    }

    pub fn delete_record(&mut self) {
        let found = self.record().0.0.len();
        for zone in self.world.table(tables::ZONES).values_mut() {
            zone["_records"].as_array_mut().unwrap().retain(|record| record["Name"] != RECORD);
        }
        assert!(self.may_be_absent || found > 0);
    }

    /// The listener of port 80 redirects to another name.
    pub fn redirect(&mut self, host: &str) {
        for row in self.ours(tables::LISTENERS, |row| row["Port"] == 80).0 {
            row["DefaultActions"][0]["RedirectConfig"]["Host"] = host.into();
        }
    }

    pub fn delete_listener(&mut self, port: u16) {
        self.delete(tables::LISTENERS, |row| row["Port"] == port);
    }

    pub fn delete_certificate(&mut self) {
        self.delete(tables::CERTIFICATES, |_| true);
    }

    pub fn delete_scaling_policy(&mut self) {
        self.delete(tables::POLICIES_OF_GROUPS, |_| true);
    }

    pub fn delete_launch_template(&mut self) {
        self.delete(tables::TEMPLATES, |row| row["launchTemplateName"] == "app-launch-template");
    }

    /// Also its policies, its history and, after a while, its instances.
    pub fn delete_auto_scaling_group(&mut self) {
        self.delete(tables::ASGS, |_| true);
        for kind in [tables::POLICIES_OF_GROUPS, tables::ACTIVITIES, tables::REFRESHES] {
            self.world.table(kind).clear();
        }
        self.ids(tables::INSTANCES).iter().for_each(|id| self.world.terminate(id));
    }

    pub fn terminate(&mut self, instance: &str) {
        self.world.terminate(instance);
    }

    /// Ids of all that there are of a kind.
    pub fn ids(&mut self, kind: &str) -> Vec<String> {
        self.world.table(kind).keys().cloned().collect()
    }

    /// Deletes one of a kind by its id.
    pub fn delete_one(&mut self, kind: &str, id: &str) {
        self.world.table(kind).remove(id).unwrap_or_else(|| panic!("there is no {id} in {kind}"));
    }

    /// Adds one of a kind, as AWS describes it.
    pub fn add(&mut self, kind: &str, id: &str, row: Value) {
        self.world.table(kind).insert(id.to_owned(), row);
    }

    /// A volume that is attached to nothing, made from this snapshot and tagged with a stack's name.
    pub fn add_volume(&mut self, id: &str, stack: &str, snapshot: &str) {
        let tags = json!([{"key": "oz-deploy:stack", "value": stack}]);
        let row = json!({
            "volumeId": id, "status": "available", "tagSet": tags, "attachmentSet": [], "size": 50,
            "snapshotId": snapshot,
        });
        self.add(tables::VOLUMES, id, row);
    }

    /// One more tag on a volume.
    pub fn tag_volume(&mut self, id: &str, key: &str) {
        let row = self.world.table(tables::VOLUMES).get_mut(id).unwrap();
        row["tagSet"].as_array_mut().unwrap().push(json!({"key": key, "value": "x"}));
    }

    /// Puts a record of this name beside the others.
    pub fn add_record(&mut self, record: &Value) {
        for zone in self.world.table(tables::ZONES).values_mut() {
            zone["_records"].as_array_mut().unwrap().push(record.clone());
        }
    }

    fn ours(&mut self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Rows<'_> {
        let may_be_absent = self.may_be_absent;
        let rows = self.world.table(kind).iter_mut().filter(|(id, row)| is_ours(id) && wanted(row));
        let rows: Vec<&mut Value> = rows.map(|(_, row)| row).collect();
        assert!(may_be_absent || !rows.is_empty(), "an edit finds nothing in {kind}");
        Rows(rows)
    }

    fn delete(&mut self, kind: &str, unwanted: impl Fn(&Value) -> bool) {
        let table = self.world.table(kind);
        let before = table.len();
        table.retain(|id, row| !is_ours(id) || !unwanted(row));
        assert!(self.may_be_absent || table.len() < before, "there is nothing to delete in {kind}");
    }
}

const RECORD: &str = "app.example.com.";

/// The ids of what others have say so.
fn is_ours(id: &str) -> bool {
    !id.to_lowercase().contains("theirs")
}
