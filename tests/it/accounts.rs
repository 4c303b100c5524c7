//! The stacks of an account: what `list` sees of them, and the expiry that `touch` writes.

use serde_json::{Value, json};

use crate::support::{Disturbance, Exit, Stage, run_disturbed, tables};

/// The stacks of `list --json`.
async fn listed(stage: &Stage) -> Vec<Value> {
    stage.json("list").await["stacks"].as_array().expect("a list of stacks").clone()
}

/// Security groups with the tag of other stacks, as leftovers of them would be.
fn add_leftovers(stage: &Stage, count: usize, expires: Option<&str>) {
    stage.edit(|aws| {
        for number in 0..count {
            let name = format!("left-{number:02}");
            let mut tags = vec![json!({"key": "oz-deploy:stack", "value": name})];
            tags.extend(expires.map(|time| json!({"key": "oz-deploy:expires", "value": time})));
            let id = format!("sg-0left{number:011}");
            let row = json!({
                "groupId": id, "groupName": name, "groupDescription": "x", "ownerId": "123456789012",
                "vpcId": "vpc-0aaaaaaaaaaaaaaa1", "tagSet": tags, "_rules": [],
            });
            aws.add(tables::GROUPS, &id, row);
        }
    });
}

#[tokio::test(start_paused = true)]
async fn an_account_without_stacks_lists_none() {
    let stage = Stage::new();
    stage.succeeds("list").await.writes_nothing().ends_as("listed").sums_up("No stack stands here");
    assert_eq!(listed(&stage).await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_listed_with_its_sizes_and_its_load_balancer() {
    let stage = Stage::up().await;
    stage.succeeds("list").await.writes_nothing();
    let stacks = listed(&stage).await;
    let [stack] = stacks.as_slice() else { panic!("one stack: {stacks:?}") };
    assert_eq!((&stack["resources"], &stack["incomplete"]), (&json!(6), &json!(false)), "{stack}");
    assert_eq!(stack["running"], stack["desired"], "{stack}");
    assert!(stack["min"].is_i64() && stack["max"].is_i64(), "{stack}");
    assert!(stack["load_balancer"].as_str().is_some_and(|name| name.contains(".elb.")), "{stack}");
    assert!(stack["expires"].is_null() && stack["expires_in_seconds"].is_null(), "{stack}");
}

/// Calls do not grow with the stacks that have no load balancers.
#[tokio::test(start_paused = true)]
async fn fifty_leftovers_are_listed_as_incomplete_in_as_many_calls() {
    let stage = Stage::up().await;
    let alone = stage.succeeds("list").await.calls.len();
    add_leftovers(&stage, 50, Some("soon"));
    let among = stage.succeeds("list").await;
    assert_eq!(among.calls.len(), alone);
    let stacks = listed(&stage).await;
    assert_eq!(stacks.len(), 51);
    let left = stacks.iter().filter(|stack| stack["incomplete"] == true);
    // What is no time has not expired.
    assert!(left.clone().all(|stack| stack["expires"] == "soon" && stack["expires_in_seconds"].is_null()));
    assert_eq!(left.count(), 50);
}

/// What may not be read is unknown and told, and hides nothing else.
#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_unknown() {
    for (denied, kind) in [
        ("ec2:DescribeSecurityGroups", "security groups"),
        ("ec2:DescribeLaunchTemplates", "launch templates"),
        ("autoscaling:DescribeAutoScalingGroups", "auto scaling groups"),
        ("elasticloadbalancing:DescribeLoadBalancers", "load balancers"),
        ("elasticloadbalancing:DescribeTargetGroups", "target groups"),
    ] {
        let stage = Stage::up().await.noting(denied);
        stage.weather(|weather| weather.denied = vec![denied.to_owned()]);
        stage.run("list").await.exits(Exit::Done).says(&format!("{kind} could not be looked for"));
        let stacks = listed(&stage).await;
        assert_eq!(stacks.len(), 1, "{denied}");
        assert!(stacks[0]["resources"].is_null() && stacks[0]["incomplete"].is_null(), "{denied}: {}", stacks[0]);
    }
}

/// Where nothing may be read, "no stack" would be a lie.
#[tokio::test(start_paused = true)]
async fn where_nothing_may_be_read_list_fails() {
    let stage = Stage::up().await;
    let all = ["ec2:DescribeSecurityGroups", "ec2:DescribeLaunchTemplates", "autoscaling:DescribeAutoScalingGroups"];
    let balancing = ["elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTargetGroups"];
    stage.weather(|weather| weather.denied = all.into_iter().chain(balancing).map(str::to_owned).collect());
    stage.run("list").await.exits(Exit::Failed);
}

/// The tag is no difference of a plan, and a removal takes it along.
#[tokio::test(start_paused = true)]
async fn an_expiry_moves_and_is_no_drift() {
    let stage = Stage::up().await;
    stage.succeeds("touch --until 2099-01-31T18:00:00Z").await.writes(&["CreateTags"]);
    assert_eq!(listed(&stage).await[0]["expires"], "2099-01-31T18:00:00Z");
    stage.succeeds("touch --for 8h").await.writes(&["CreateTags"]);
    let left = listed(&stage).await[0]["expires_in_seconds"].as_i64().unwrap();
    assert!((8 * 3600 - 600..=8 * 3600).contains(&left), "{left} s are left");
    for line in ["plan --exit-code", "up", "status"] {
        stage.unchanged_by(line).await;
    }
    let kept = listed(&stage).await[0]["expires"].clone();
    assert_eq!(stage.json("status").await["outputs"]["expires"], kept);
    stage.succeeds("up").await.sums_up(&format!("It expires {}: `deploy touch`", kept.as_str().unwrap()));
    stage.succeeds("touch --never").await.writes(&["DeleteTags"]);
    assert!(listed(&stage).await[0]["expires"].is_null());
    stage.succeeds("touch --for 1h").await;
    stage.succeeds("teardown --yes").await;
    stage.nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn touch_refuses_where_no_stack_of_ours_is_and_leaves_others_alone() {
    let stage = Stage::new();
    add_leftovers(&stage, 2, Some("2099-01-31T18:00:00Z"));
    let before = listed(&stage).await;
    stage.run("touch --for 8h").await.exits(Exit::Refused).writes_nothing().says("deploy list");
    stage.run("touch --never").await.exits(Exit::Refused).writes_nothing();
    stage.succeeds("up").await;
    stage.succeeds("touch --for 8h").await;
    let mut others = listed(&stage).await;
    others.retain(|stack| stack["incomplete"] == true);
    let times = |stacks: &[Value]| stacks.iter().map(|one| one["expires"].clone()).collect::<Vec<_>>();
    assert_eq!(times(&others), times(&before));
}

#[tokio::test(start_paused = true)]
async fn a_time_that_has_passed_is_refused_before_any_call() {
    let stage = Stage::up().await;
    let refused = stage.run("touch --until 2001-01-31T18:00:00Z").await;
    refused.exits(Exit::Usage).writes_nothing().says("has passed");
}

/// The end is there before anything that costs is made, also when the run is killed half-way.
#[tokio::test(start_paused = true)]
async fn a_stack_made_for_a_time_has_its_end_from_the_first_call_on() {
    let stage = Stage::new();
    let line = "up --ttl 8h";
    let (_, ended) = run_disturbed(&stage, line, 42, Disturbance::KilledAfter).await;
    assert!(ended.is_none(), "it must have been killed");
    let stacks = listed(&stage).await;
    assert!(stacks[0]["expires"].is_string() && stacks[0]["incomplete"] == true, "{stacks:?}");
    stage.succeeds(line).await;
    let first = listed(&stage).await[0]["expires"].clone();

    // It moves alone, is no difference, and stays where nothing is said of it.
    stage.succeeds("up --ttl 9h").await.writes(&["CreateTags"]);
    let second = listed(&stage).await[0]["expires"].clone();
    assert!(second.as_str() > first.as_str(), "{first} {second}");
    for line in ["plan --exit-code", "up", "verify"] {
        stage.over_sockets(line).await.succeeds().writes_nothing();
    }
    assert_eq!(listed(&stage).await[0]["expires"], second);

    // A refusal changes nothing, the end neither.
    let refused = "up --ttl 10h --set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true";
    stage.run(refused).await.refused_before_any_write();
    assert_eq!(listed(&stage).await[0]["expires"], second);
    stage.succeeds("teardown --yes").await;
    stage.nothing_is_left();
}
