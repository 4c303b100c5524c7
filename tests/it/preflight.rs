//! What AWS would refuse minutes later is refused before the first write: on creates and on updates, all at once.

use serde_json::json;

use crate::support::{Exit, Fault, Stage, Status, tables};

const PRIVATE: [&str; 2] = ["subnet-0bbbbbbbbbbbbbbb1", "subnet-0bbbbbbbbbbbbbbb2"];

/// A subnet is another one than deploy.yaml takes it for.
fn subnet(stage: &Stage, id: &str, field: &str, value: serde_json::Value) {
    stage.sandbox.change(|world| world.table(tables::SUBNETS).get_mut(id).unwrap()[field] = value);
}

#[tokio::test(start_paused = true)]
async fn a_good_account_passes_and_reads_only() {
    let stage = Stage::new();
    stage.run("preflight").await.exits(Exit::Done).ends_as("ready").writes_nothing();
    stage.succeeds("up").await;
    stage.run("preflight").await.exits(Exit::Done).writes_nothing();
}

/// A stack that is as wanted pays nothing for it.
#[tokio::test(start_paused = true)]
async fn an_up_with_nothing_to_do_looks_at_none_of_it() {
    let stage = Stage::up().await;
    stage.succeeds("up").await.has_not_called("DescribeSubnets").has_not_called("GetServiceQuota");
}

#[tokio::test(start_paused = true)]
async fn subnets_of_one_zone_a_strange_vpc_and_a_local_zone_are_refused() {
    for (field, value, words) in [
        ("availabilityZone", "eu-central-1a", "are all in eu-central-1a"),
        ("availabilityZone", "eu-central-1-ham-1a", "a local or Wavelength Zone"),
        ("vpcId", "vpc-0theirs", "is in vpc-0theirs, not in"),
    ] {
        let stage = Stage::new();
        subnet(&stage, PRIVATE[1], field, json!(value));
        stage.run("up").await.exits(Exit::Refused).writes_nothing().says(words);
        stage
            .run("preflight")
            .await
            .exits(Exit::Refused)
            .writes_nothing()
            .check_says(if words.starts_with("are") { "load_balancer_zones" } else { "subnets" }, words);
    }
}

#[tokio::test(start_paused = true)]
async fn a_subnet_without_addresses_is_refused_for_a_new_load_balancer_alone() {
    let stage = Stage::new();
    subnet(&stage, PRIVATE[0], "availableIpAddressCount", json!(7));
    stage.run("up").await.exits(Exit::Refused).writes_nothing().says("subnet-0bbbbbbbbbbbbbbb1 has 7");
    subnet(&stage, PRIVATE[0], "availableIpAddressCount", json!(251));
    stage.succeeds("up").await;
    subnet(&stage, PRIVATE[0], "availableIpAddressCount", json!(0));
    stage.succeeds("up --set instance.type=c7i.4xlarge").await;
}

/// Everything that is wrong is one refusal, and an update is looked at as a create is.
#[tokio::test(start_paused = true)]
async fn an_update_with_what_does_not_exist_changes_nothing() {
    let stage = Stage::up().await;
    let line = "up --set instance.type=c9z.4xlarge --set instance.key_pair=nobodys \
                --set network.private_subnets=[subnet-0bbbbbbbbbbbbbbb1,subnet-0cccccccccccccccc]";
    let ended = stage.run(line).await;
    ended.exits(Exit::Refused).writes_nothing();
    for words in ["no instance type c9z.4xlarge", "no key pair nobodys", "subnet-0cccccccccccccccc does not exist"] {
        ended.says(words);
    }
    stage.unchanged_by("up").await;
}

#[tokio::test(start_paused = true)]
async fn a_volume_below_the_snapshot_and_an_image_of_another_architecture_are_refused() {
    let stage = Stage::new();
    let small = stage.run("up --set instance.volume.size_gib=6 --set instance.volume.iops=3000").await;
    small.exits(Exit::Refused).says("has 8 GiB");
    stage.run("up --set instance.type=m7g.4xlarge").await.exits(Exit::Refused).says("m7g.4xlarge runs arm64");
}

#[tokio::test(start_paused = true)]
async fn a_quota_without_room_is_refused_with_the_command_that_asks_for_more() {
    let stage = Stage::under(|weather| weather.vcpus = 5.0);
    let ended = stage.run("up").await;
    ended.exits(Exit::Refused).writes_nothing().says("quota 5 vCPUs").says("request-service-quota-increase");
    // Room for the first instances, and not for the most: told, and no reason to refuse.
    stage.weather(|weather| weather.vcpus = 64.0);
    stage.succeeds("up").await;
    stage.run("preflight").await.exits(Exit::Done).finds("vcpu_quota", Status::Warn);
}

#[tokio::test(start_paused = true)]
async fn a_type_that_one_zone_lacks_is_told_and_one_that_all_lack_is_refused() {
    let zones = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let stage = Stage::under(|weather| weather.not_offered = zones(&["eu-central-1b"]));
    stage.run("preflight").await.exits(Exit::Done).finds("instance_type", Status::Warn);
    stage.weather(|weather| weather.not_offered = zones(&["eu-central-1a", "eu-central-1b"]));
    stage.run("up").await.exits(Exit::Refused).writes_nothing().says("is not offered in eu-central-1a (euc1-az");
}

/// What the caller may not read is unknown, and holds nothing up.
#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_unknown_and_does_not_block() {
    for line in ["preflight", "up"] {
        let calls = Stage::new().run(line).await.calls;
        let asked = calls.iter().position(|call| call.operation == "GetServiceQuota").unwrap();
        let stage = Stage::new();
        stage.sandbox.disturb(asked, Fault::Refuse);
        let ended = stage.run(line).await;
        let was_refused = stage.sandbox.clear_fault();
        ended.exits(Exit::Done).demand(was_refused, || "the question must have been refused".to_owned());
        if line == "preflight" {
            ended.finds("vcpu_quota", Status::Unknown);
        }
    }
}
