//! What the caller may not read is unknown, is told, and holds nothing up: every call of the preflight, one by one.

use std::collections::BTreeSet;

use crate::support::{Exit, Fault, Stage, Status};

/// The calls of the preflight alone, by their place among those of a run.
async fn own_calls(line: &str) -> Vec<(usize, String)> {
    let planned: BTreeSet<String> =
        Stage::new().run("plan").await.calls.iter().map(|call| call.operation.clone()).collect();
    let looked = Stage::new().run(line).await;
    let first_write = looked.calls.iter().position(|call| call.mutates()).unwrap_or(looked.calls.len());
    let calls = looked.calls.iter().enumerate().take(first_write);
    // The zone by its name is no question of the preflight either: a plan finds it in the list of all.
    let is_planned = |operation: &String| planned.contains(operation) || operation == "ListHostedZonesByName";
    let own = calls.filter(|(_, call)| !is_planned(&call.operation));
    own.map(|(place, call)| (place, call.operation.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_refused_question_is_unknown_and_stops_nothing() {
    let own = own_calls("preflight").await;
    assert!(own.len() > 12, "{own:?}");
    for (place, operation) in own {
        let stage = Stage::new().noting(operation.clone());
        stage.sandbox.disturb(place, Fault::Refuse);
        let looked = stage.run("preflight").await;
        let was_refused = stage.sandbox.clear_fault();
        let unknown = looked.checks.iter().filter(|check| check.status == Status::Unknown).count();
        looked.exits(Exit::Done).writes_nothing();
        looked.demand(was_refused && unknown > 0, || format!("{operation} refused must be a check that is unknown"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_up_goes_on_without_its_answers() {
    for (place, operation) in own_calls("up").await {
        let stage = Stage::new().noting(operation.clone());
        stage.sandbox.disturb(place, Fault::Refuse);
        let ended = stage.run("up").await;
        let was_refused = stage.sandbox.clear_fault();
        ended.exits(Exit::Done).demand(was_refused, || format!("{operation} must have been refused"));
    }
}

/// A caller who may read nothing of all that, by its policies.
#[tokio::test(start_paused = true)]
async fn a_caller_who_may_only_deploy_deploys() {
    let denied = [
        "ec2:DescribeSubnets",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeRouteTables",
        "ec2:DescribeNatGateways",
        "ec2:GetEbsEncryptionByDefault",
        "ec2:RunInstances",
        "servicequotas:GetServiceQuota",
        "monitoring:GetMetricStatistics",
        "acm:DescribeCertificate",
        "route53:GetHostedZone",
        "elasticloadbalancing:DescribeAccountLimits",
        "autoscaling:DescribeAccountLimits",
        "sts:GetCallerIdentity",
    ];
    let stage = Stage::under(|weather| weather.denied = denied.map(str::to_owned).to_vec());
    let looked = stage.run("preflight").await;
    looked.exits(Exit::Done).ends_as("ready").sums_up("not known");
    for id in [
        "caller",
        "instance_type",
        "vcpu_quota",
        "subscription",
        "volume_key",
        "subnets",
        "private_subnets",
        "usable_certificate",
        "zone_fits",
        "load_balancer_quota",
        "auto_scaling_quota",
        "security_group_quota",
    ] {
        looked.finds(id, Status::Unknown);
    }
    stage.run("up --no-verify").await.exits(Exit::Done);
}
