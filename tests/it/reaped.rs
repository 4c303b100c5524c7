//! Stacks whose time is over: `reap` finds them by their tag and removes them without their deploy.yaml.

use crate::support::{Disturbance, Exit, Stage, run_disturbed};

const PAST: &str = "2001-01-31T18:00:00Z";
const REAP: &str = "reap --yes --account 123456789012";

/// Every name is another one than the guide's.
const OWN_NAMES: &str = "names: { load_balancer_security_group: front, instance_security_group: back, policy: oz, \
                         role: oz-role, instance_profile: oz-profile, launch_template: oz-template, load_balancer: \
                         oz-front, target_group: oz-targets, auto_scaling_group: oz-group }\n";

/// A stack beside the guide's, with other names.
fn second(stage: &Stage, names: &str) -> Stage {
    let others = format!("stack: second\n{names}scaling: {{ min: 1, desired: 1, max: 2 }}\n");
    stage.as_config(stage.config.replace("record: app", "record: second") + &others)
}

fn expire(stage: &Stage) {
    stage.edit(|aws| aws.security_groups().expire(PAST));
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_listed_and_removed_when_that_is_asked_for() {
    let stage = Stage::up().await;
    stage.succeeds("reap").await.writes_nothing().ends_as("unchanged").sums_up("No stack has expired");
    expire(&stage);
    let listed = stage.succeeds("reap").await;
    listed.writes_nothing().ends_as("changes_pending").sums_up("1 stack has expired; nothing was removed");
    assert_eq!(stage.json("reap").await["stacks"][0]["stack"], "oz-liveness");
    stage.succeeds(REAP).await.ends_as("changed").sums_up("Removed oz-liveness.");
    stage.nothing_is_left();
    stage.succeeds(REAP).await.writes_nothing().ends_as("unchanged");
}

/// Whose account it is, is said by a person.
#[tokio::test(start_paused = true)]
async fn nothing_is_removed_in_an_account_that_was_not_named() {
    let stage = Stage::up().await;
    expire(&stage);
    stage.run("reap --yes").await.exits(Exit::Usage).writes_nothing().says("--account");
    let refused = stage.run("reap --yes --account 210987654321").await;
    refused.exits(Exit::Refused).ends_as("wrong_account").writes_nothing().says("210987654321");
    stage.weather(|weather| weather.denied = vec!["sts:GetCallerIdentity".to_owned()]);
    stage.run(REAP).await.exits(Exit::Refused).writes_nothing().says("not known");
    stage.weather(|weather| weather.denied = Vec::new());
    let named = stage.as_config(format!("account: \"123456789012\"\n{}", stage.config));
    named.succeeds("reap --yes").await.ends_as("changed");
    stage.nothing_is_left();
}

#[tokio::test(start_paused = true)]
async fn only_what_has_expired_goes_whatever_its_names() {
    for names in ["names: { prefix: second- }\n", OWN_NAMES] {
        let stage = Stage::up().await.noting(names);
        let second = second(&stage, names);
        second.succeeds("up").await;
        second.edit(|aws| aws.security_groups_of("second").expire(PAST));
        stage.succeeds(REAP).await.sums_up("Removed second.");
        second.succeeds("status").await.ends_as("absent");
        stage.succeeds("plan --exit-code").await;
        stage.succeeds("teardown --yes").await;
        stage.nothing_is_left();
    }
}

/// Never on a guess: one group without a time, or with what is no time, is a stack without an end.
#[tokio::test(start_paused = true)]
async fn a_stack_whose_groups_do_not_agree_stays() {
    for (what, edit) in [
        (
            "one has no time",
            (|stage: &Stage| stage.edit(|aws| aws.security_group("alb-sg").expire(PAST))) as fn(&Stage),
        ),
        ("one has a time to come", |stage| {
            expire(stage);
            stage.edit(|aws| aws.security_group("app-sg").expire("2099-01-31T18:00:00+09:00"));
        }),
        ("one has no time that can be read", |stage| {
            expire(stage);
            stage.edit(|aws| aws.security_group("app-sg").expire("1999"));
        }),
    ] {
        let stage = Stage::up().await.noting(what);
        edit(&stage);
        stage.succeeds(REAP).await.writes_nothing().ends_as("unchanged");
    }
    let stage = Stage::up().await;
    expire(&stage);
    stage.weather(|weather| weather.denied = vec!["ec2:DescribeSecurityGroups".to_owned()]);
    stage.run(REAP).await.exits(Exit::Failed).writes_nothing().sums_up("what has expired is not known");
}

/// One that is protected stays and is told; the other goes.
#[tokio::test(start_paused = true)]
async fn what_is_protected_stays_and_keeps_no_other() {
    let stage = Stage::up().await;
    stage.edit(|aws| aws.load_balancer().protect());
    second(&stage, "names: { prefix: second- }\n").succeeds("up").await;
    expire(&stage);
    let reaped = stage.run(REAP).await;
    reaped.exits(Exit::Incomplete).ends_as("incomplete").says("oz-liveness: load_balancer").says("--lift-protection");
    reaped.sums_up("Removed second; not, or not wholly: oz-liveness.");
    stage.succeeds("plan --exit-code").await;
}

/// A killed run leaves what the next one finds.
#[tokio::test(start_paused = true)]
async fn a_killed_reap_is_finished_by_the_next() {
    for after in [20, 40, 48, 52, 56, 60, 64, 68, 72, 76] {
        let stage = Stage::up().await.noting(format!("killed after {after} calls"));
        expire(&stage);
        let (was_met, _) = run_disturbed(&stage, REAP, after, Disturbance::KilledAfter).await;
        assert!(was_met || after > 68, "fewer calls than {after}");
        stage.succeeds(REAP).await;
        stage.nothing_is_left();
    }
}
