//! The whole life of a stack: the same body on the sandbox and on moto.

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{AwsServer, Ended, STACK, Stage, golden, left_out_offline};

/// What `up` makes; left-over volumes and interfaces are only looked for by a removal.
const MADE: usize = STACK.len() - 2;

/// Something that runs a command line of the program and gives its envelope.
trait Runs {
    async fn json(&self, line: &str) -> Value;
}

impl Runs for Stage {
    async fn json(&self, line: &str) -> Value {
        Stage::json(self, line).await
    }
}

impl Runs for AwsServer {
    async fn json(&self, line: &str) -> Value {
        let run = self.run(&format!("--json {line}"));
        let envelope = run.json();
        assert_eq!(envelope["exit_code"], run.code(), "{line}");
        envelope
    }
}

/// `up`, again, changed, `teardown`, again. `up`: how it is called here.
async fn lifecycle(on: &impl Runs, up: &str) {
    let made = on.json(up).await;
    assert_eq!(made["outcome"], "changed", "{made}");
    let verbs: Vec<&str> =
        made["changes"].as_array().unwrap().iter().map(|change| change["action"].as_str().unwrap()).collect();
    assert_eq!(verbs, vec!["create"; MADE]);

    let again = on.json(up).await;
    assert_eq!(again["outcome"], "unchanged", "{again}");
    assert_eq!(on.json("plan --exit-code").await["exit_code"], 0);

    let status = on.json("status").await;
    let states: Vec<&str> =
        status["resources"].as_array().unwrap().iter().map(|resource| resource["state"].as_str().unwrap()).collect();
    assert_eq!(states, vec!["ok"; MADE], "{status}");
    assert_eq!(status["outputs"]["targets"], json!({"healthy": 2, "registered": 2}));
    assert_eq!(status["outputs"]["capacity"], json!({"desired": 2, "min": 2, "max": 91}));

    let change = "--set scaling.max=9 --set health_check.success_codes=200,404 --set instance.volume.iops=9000";
    let planned = on.json(&format!("plan --exit-code {change}")).await;
    assert_eq!(planned["exit_code"], 3);
    let changed = on.json(&format!("{up} {change}")).await;
    assert_eq!(changed["outcome"], "changed", "{changed}");
    let mut keys: Vec<&str> =
        changed["changes"].as_array().unwrap().iter().map(|change| change["resource"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["auto_scaling_group", "launch_template", "target_group"]);
    assert_eq!(on.json(&format!("plan --exit-code {change}")).await["exit_code"], 0);
    assert_eq!(on.json(up).await["outcome"], "changed", "back again");

    let removed = on.json("teardown --yes").await;
    assert_eq!(removed["outcome"], "changed", "{removed}");
    assert_eq!(removed["exit_code"], 0);
    assert_eq!(on.json("teardown --yes").await["outcome"], "unchanged");
    assert_eq!(on.json("status").await["outcome"], "absent");
    assert_eq!(on.json(up).await["outcome"], "changed", "the names are free again");
    assert_eq!(on.json("teardown --yes").await["exit_code"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_stack_lives_and_goes_in_the_sandbox() {
    let stage = Stage::new();
    lifecycle(&stage, "up").await;
    stage.nothing_is_left();
}

#[tokio::test]
async fn a_stack_lives_and_goes_on_moto() {
    if !left_out_offline() {
        lifecycle(&AwsServer::moto(), "up --no-verify").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_up_and_every_look_change_nothing() {
    let stage = Stage::up().await;
    for line in ["up", "plan", "status", "teardown --dry-run", "plan --adopt"] {
        stage.run(line).await.writes_nothing();
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_nothing_says_nothing_and_one_of_everything_says_it_all() {
    let stage = Stage::new();
    golden("plan-create.txt", &stage.plan().await);
    stage.succeeds("up").await;
    assert_eq!(stage.plan().await, "");
}

#[tokio::test(start_paused = true)]
async fn calls_are_few() {
    let stage = Stage::new();
    let created = stage.succeeds("up --no-verify").await;
    let last_write = created.calls.iter().rposition(|call| call.mutates()).unwrap() + 1;
    let mut counts =
        format!("create, to the last write: {last_write}\ncreate, with the look afterwards: {}\n", created.calls.len());
    stage.succeeds("up").await;
    let certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/0f0f0f0f-1111-2222-3333-444444444444";
    let given = format!("--set dns.zone=Z0SANDBOX0EXAMPLE --set load_balancer.certificate={certificate}");
    for line in ["plan", &format!("plan {given}"), "up"] {
        let verb = line.split(" --").next().unwrap();
        counts += &format!("{verb}: {}\n", stage.succeeds(line).await.calls.len());
    }
    expect![[r#"
        create, to the last write: 54
        create, with the look afterwards: 70
        plan: 20
        plan: 19
        up: 21
    "#]]
    .assert_eq(&counts);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_or_removed_before_its_turn() {
    let stage = Stage::new();
    let refused = |ended: &Ended| -> Vec<(String, String)> {
        let writes = ended.calls.iter().filter(|call| call.mutates());
        writes.filter_map(|call| Some((call.operation.clone(), call.code.clone()?))).collect()
    };
    assert_eq!(refused(&stage.succeeds("up").await), vec![]);
    let removed = stage.succeeds("teardown --yes").await;
    // The network interfaces of a load balancer outlive it, and hold its group.
    let lingering = ("DeleteSecurityGroup".to_owned(), "DependencyViolation".to_owned());
    assert!(refused(&removed).iter().all(|call| *call == lingering), "{removed}");
    let place = |operation: &str| removed.written().iter().position(|written| *written == operation).unwrap();
    assert!(place("ChangeResourceRecordSets") < place("DeleteLoadBalancer"), "no record may dangle: {removed}");
    assert!(place("DeleteAutoScalingGroup") < place("DeleteLaunchTemplate"), "{removed}");
}
