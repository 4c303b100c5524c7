//! What there is after a run, to compare with what there should be.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::program::{World, tables};
use super::stage::Stage;

/// Makes things of others, which no run may touch.
pub fn add_things_of_others(world: &mut World) {
    let vpc = "vpc-0a1b2c3d4e5f60718";
    let rows = [
        (
            tables::GROUPS,
            "sg-0theirs",
            json!({"groupId": "sg-0theirs", "groupName": "theirs", "vpcId": vpc, "tagSet": [], "_rules": []}),
        ),
        (tables::ROLES, "Theirs", json!({"RoleName": "Theirs", "Tags": [], "_attached": []})),
        (
            tables::VOLUMES,
            "vol-0theirs",
            json!({"volumeId": "vol-0theirs", "status": "available", "tagSet": [], "attachmentSet": []}),
        ),
        (
            tables::TEMPLATES,
            "lt-0theirs",
            json!({
                "launchTemplateId": "lt-0theirs", "launchTemplateName": "theirs", "defaultVersionNumber": 1,
                "latestVersionNumber": 1, "tagSet": [{"key": "oz-deploy:stack", "value": "another"}], "_versions": [],
            }),
        ),
    ];
    for (kind, id, row) in rows {
        world.table(kind).insert(id.to_owned(), row);
    }
    let record =
        json!({"Name": "other.example.com.", "Type": "A", "TTL": "300", "ResourceRecords": [{"Value": "192.0.2.1"}]});
    world
        .table(tables::ZONES)
        .values_mut()
        .for_each(|zone| zone["_records"].as_array_mut().unwrap().push(record.clone()));
}

/// Those things as they are now.
pub fn things_of_others(world: &World) -> Vec<Value> {
    let mut rows: Vec<Value> = [
        (tables::GROUPS, "sg-0theirs"),
        (tables::ROLES, "Theirs"),
        (tables::VOLUMES, "vol-0theirs"),
        (tables::TEMPLATES, "lt-0theirs"),
    ]
    .iter()
    .map(|(kind, id)| world.row(kind, id).cloned().unwrap_or_default())
    .collect();
    let records = world.rows(tables::ZONES).flat_map(|zone| zone["_records"].as_array().unwrap());
    rows.extend(records.filter(|record| record["Name"] == "other.example.com.").cloned());
    rows
}

/// How many of each kind there are, versions of templates too: a duplicate or a leak is one more.
pub fn count_by_kind(world: &World) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for left in world.leftovers() {
        *count.entry(left.split(' ').next().unwrap().to_owned()).or_default() += 1;
    }
    let versions = world.rows(tables::TEMPLATES).map(|row| row["_versions"].as_array().unwrap().len());
    count.insert("versions".to_owned(), versions.sum());
    count
}

/// What there is once everything that AWS is deleting has gone.
pub async fn settled(stage: &Stage) -> World {
    tokio::time::sleep(Duration::from_secs(120)).await;
    stage.sandbox.world()
}

/// AWS's minutes as seconds: what is simulated is their order.
pub fn fast_timers(world: &mut World) {
    let weather = &mut world.weather;
    (
        weather.provisioning_seconds,
        weather.linger_seconds,
        weather.launch_seconds,
        weather.termination_seconds,
        weather.boot_seconds,
    ) = (5.0, 5.0, 2.0, 2.0, 2.0);
    for row in world.table(tables::TARGET_GROUPS).values_mut() {
        (row["HealthCheckIntervalSeconds"], row["HealthCheckTimeoutSeconds"]) = (json!("5"), json!("2"));
        row["HealthyThresholdCount"] = json!("2");
    }
}
