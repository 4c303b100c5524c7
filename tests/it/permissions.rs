//! The policy of `deploy iam-policy` is enough for every verb, and nothing in it is too much: the sandbox holds each
//! call against it, as IAM does.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::every_resource::{change, make_foreign};
use crate::support::{
    Aws, Call, DOCUMENT, Ended, Need, POLICY_ARN, STACK, Stage, Weather, actions, policy, tables, without,
};

const UP: &[Need] = &[Need::Up];
const ADOPT: &[Need] = &[Need::Up, Need::Adopt];
const VERIFY: &[Need] = &[Need::Verify];
const TEARDOWN: &[Need] = &[Need::Teardown];

const SUBNET: &str = "subnet-0bbbbbbbbbbbbbbb2";

/// Something to do, as a caller who may do just what the policy allows.
#[derive(Clone, Copy)]
struct Case {
    needs: &'static [Need],
    line: &'static str,
    /// What somebody did before, with every right.
    before: Before,
}

#[derive(Clone, Copy)]
enum Before {
    /// Nothing stands.
    Nothing,
    /// A stack stands.
    Up,
    /// A stack stands, and this was done to it.
    Edited(fn(&mut Aws<'_>)),
    /// A stack stands, and somebody changed this resource.
    Changed(&'static str),
    /// Somebody else made one of this resource's name.
    Foreign(&'static str),
    /// A stack stands that this line changed.
    UpWith(&'static str),
    /// A stack stands whose instances came from no template, and whose next image does not work.
    Unnumbered,
    /// A stack stands, in this weather.
    Weather(fn(&mut Weather)),
    /// A stack stands, and somebody did this to its role, policy or instance profile.
    Iam(&'static str),
    /// A stack stands whose instances left their volumes and network interfaces behind.
    Leaking,
}

/// Another image, and another network for the whole stack.
const NEXT: &str = "ami-0c0ffee0c0ffee0c1";
const MOVED: &str = "up --replace --set network.vpc=vpc-00000000000000001 --set network.public_subnets=[] --set \
                     network.private_subnets=[subnet-00000000000000001,subnet-00000000000000002] \
                     --set preflight.ignore=[OZ305]";
const TO_MOVE: &str = "preflight --set network.vpc=vpc-00000000000000001 --set network.public_subnets=[] --set \
                     network.private_subnets=[subnet-00000000000000001,subnet-00000000000000002]";

/// What is else looked for is named.
const BY_IDS: &str = "up --set dns.zone=Z0SANDBOX0EXAMPLE --set load_balancer.certificate=arn:aws:acm:eu-central-1:\
                      123456789012:certificate/0f0f0f0f-1111-2222-3333-444444444444";

/// A rule has other words, another was added, and the one that lets everything out is gone.
fn every_rule_differs(rules: &mut Vec<Value>) {
    let mut more = rules.iter().find(|rule| rule["isEgress"] == true).unwrap().clone();
    rules.retain(|rule| rule["isEgress"] == false);
    rules[0]["description"] = json!("other words");
    (more["cidrIpv4"], more["securityGroupRuleId"]) = (json!("10.0.0.0/8"), json!("sgr-0c0c0c0c0c0c0c0c0"));
    rules.push(more);
}

async fn change_iam(stage: &Stage, what: &str) {
    let client = stage.other_client().await;
    let document = |name: &str| DOCUMENT.replace("Allow", "Deny").replace('*', &format!("arn:aws:s3:::{name}"));
    match what {
        "five other versions of the policy" => {
            client.replace_policy(&document("a")).await;
            client.iam.delete_policy_version().policy_arn(POLICY_ARN).version_id("v1").send().await.unwrap();
            for name in ["b", "c", "d", "e"] {
                client.replace_policy(&document(name)).await;
            }
        }
        "another role in the profile" => {
            client.create_role("Other").await;
            stage.edit(|aws| aws.instance_profile().lose_role());
            let request = client.iam.add_role_to_instance_profile().instance_profile_name("OZMarketplace");
            request.role_name("Other").send().await.unwrap();
        }
        "the policy on another role" => {
            client.create_role("Other").await;
            client.iam.attach_role_policy().role_name("Other").policy_arn(POLICY_ARN).send().await.unwrap();
        }
        _ => {
            let request = client.iam.put_role_policy().role_name("OZMarketplace").policy_name("theirs");
            request.policy_document(DOCUMENT).send().await.unwrap();
        }
    }
}

/// A hook on termination holds an instance.
fn hold(aws: &mut Aws<'_>) {
    aws.auto_scaling_group().hook_on_termination("drain");
    aws.instance(0).wait_for_hook();
}

const fn case(needs: &'static [Need], line: &'static str, before: Before) -> Case {
    Case { needs, line, before }
}

/// Every way in which the verbs work; the resources of `STACK` come beside them.
const CASES: &[Case] = &[
    case(UP, "plan", Before::Up),
    case(UP, "park", Before::Up),
    case(UP, "unpark", Before::UpWith("park")),
    case(UP, "preflight", Before::Nothing),
    case(UP, "preflight --set instance.key_pair=ops --set instance.type=c7i.4xlarge", Before::Up),
    case(UP, "preflight", Before::Weather(|weather| weather.ebs_key = Some("alias/aws/ebs".to_owned()))),
    case(UP, "up", Before::Nothing),
    case(UP, "up", Before::Up),
    case(UP, "up --set instance.type=c7i.4xlarge", Before::Up),
    case(UP, "up --set tags.team=blue", Before::Up),
    case(UP, "up --set load_balancer.listener=http --remove-authentication", Before::Up),
    case(UP, "up --set load_balancer.redirect_http=false", Before::Up),
    case(
        UP,
        "up --replace --set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true",
        Before::Up,
    ),
    case(UP, "up --replace --set health_check.path=/x --set scaling.cpu_target_percent=40", Before::Up),
    case(UP, "up --set instance.key_pair=ops", Before::Up),
    case(UP, "up --set instance.image=ssm:/aws/service/marketplace/prod-ozsandbox00001/latest", Before::Up),
    case(UP, "up --set network.private_subnets=[subnet-0bbbbbbbbbbbbbbb1,subnet-0bbbbbbbbbbbbbbb3]", Before::Up),
    case(UP, "up", Before::Edited(|aws| aws.auto_scaling_group().follow("$Default"))),
    case(UP, "up", Before::Edited(|aws| aws.launch_template().default_version(1))),
    case(UP, "up", Before::Edited(|aws| aws.delete_auto_scaling_group())),
    case(UP, "up", Before::Edited(|aws| aws.auto_scaling_group().leave_target_group())),
    case(UP, "up", Before::Edited(|aws| aws.security_group("app-sg").each_rules(every_rule_differs))),
    case(UP, "plan", Before::Edited(|aws| aws.certificate().show_few_names())),
    case(UP, "up", Before::Iam("five other versions of the policy")),
    case(UP, "up", Before::Iam("another role in the profile")),
    case(UP, BY_IDS, Before::Nothing),
    case(UP, "up --set instance.image=ami-0c0ffee0c0ffee0c1", Before::Unnumbered),
    case(
        UP,
        "up --set instance.image=ami-0c0ffee0c0ffee0c1",
        Before::Weather(|weather| weather.dead.push(NEXT.into())),
    ),
    case(UP, "up --set instance.type=c7i.4xlarge --force", Before::UpWith("up --set tags.a=b --no-wait")),
    case(UP, "up --replace --set names.load_balancer=other", Before::Up),
    case(
        UP,
        "up --replace --set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true",
        Before::Edited(|aws| aws.load_balancer().stand_behind_web_acl()),
    ),
    case(UP, TO_MOVE, Before::Up),
    case(UP, MOVED, Before::Weather(|weather| weather.linger_seconds = 90.0)),
    case(UP, "touch --for 8h", Before::Up),
    case(UP, "touch --never", Before::UpWith("touch --for 8h")),
    case(VERIFY, "list", Before::Up),
    case(VERIFY, "status", Before::Up),
    case(VERIFY, "conform", Before::Up),
    case(VERIFY, "graph --live", Before::Up),
    case(VERIFY, "export terraform", Before::Up),
    case(VERIFY, "verify", Before::Up),
    case(VERIFY, "diagnose", Before::Up),
    case(VERIFY, concat!("bundle ", env!("CARGO_TARGET_TMPDIR"), "/permissions.zip --force"), Before::Up),
    case(TEARDOWN, "teardown --yes", Before::Up),
    case(TEARDOWN, "teardown --yes", Before::UpWith("up --set instance.type=c7i.4xlarge")),
    case(TEARDOWN, "teardown --yes", Before::Nothing),
    case(TEARDOWN, "teardown --yes", Before::Leaking),
    case(TEARDOWN, "teardown --yes", Before::Changed("policy")),
    case(TEARDOWN, "teardown --yes", Before::Iam("the policy on another role")),
    case(TEARDOWN, "teardown --yes", Before::Iam("an inline policy")),
    case(VERIFY, "verify", Before::UpWith("up --set instance.type=c7i.4xlarge")),
    case(TEARDOWN, "teardown --yes", Before::UpWith("up --set tags.a=b --no-wait")),
    case(TEARDOWN, "teardown --yes", Before::Edited(|aws| aws.load_balancer().stand_behind_web_acl())),
    case(TEARDOWN, "teardown --yes --lift-protection", Before::Edited(hold)),
    case(TEARDOWN, "teardown --yes --lift-protection", Before::Edited(|aws| aws.load_balancer().protect())),
    case(TEARDOWN, "teardown --yes --lift-protection", Before::Edited(|aws| aws.auto_scaling_group().protect())),
    case(TEARDOWN, "teardown --yes --lift-protection", Before::Edited(|aws| aws.instances().protect_from_scale_in())),
    case(TEARDOWN, "teardown --yes --lift-protection", Before::Edited(|aws| aws.instances().enter_standby())),
    case(
        TEARDOWN,
        "teardown --yes --lift-protection",
        Before::Edited(|aws| aws.auto_scaling_group().suspend("Terminate")),
    ),
];

fn cases() -> Vec<Case> {
    let keys = || STACK.iter().map(|node| node.key());
    let changed = keys().map(|key| case(UP, "up", Before::Changed(key)));
    let foreign = keys().map(|key| case(ADOPT, "up --adopt", Before::Foreign(key)));
    CASES.iter().copied().chain(changed).chain(foreign).collect()
}

/// The stage of a case; `None`: there is nothing to do for this resource.
async fn stage(case: &Case) -> Option<Stage> {
    let stage = Stage::new();
    stage.sandbox.change(|world| {
        let mut third = world.row(tables::SUBNETS, SUBNET).unwrap().clone();
        (third["subnetId"], third["availabilityZone"]) = (json!("subnet-0bbbbbbbbbbbbbbb3"), json!("eu-central-1c"));
        world.table(tables::SUBNETS).insert("subnet-0bbbbbbbbbbbbbbb3".to_owned(), third);
        let other = json!("vpc-00000000000000001");
        let mut vpc = world.rows(tables::VPCS).next().unwrap().clone();
        vpc["vpcId"] = other.clone();
        world.table(tables::VPCS).insert("vpc-00000000000000001".to_owned(), vpc);
        for (number, like) in [(1, "subnet-0bbbbbbbbbbbbbbb1"), (2, SUBNET)] {
            let mut subnet = world.row(tables::SUBNETS, like).unwrap().clone();
            let id = format!("subnet-0000000000000000{number}");
            (subnet["subnetId"], subnet["vpcId"]) = (json!(id), other.clone());
            world.table(tables::SUBNETS).insert(id, subnet);
        }
        let routes = world.table(tables::ROUTE_TABLES).values_mut();
        for table in routes.filter(|table| table["associationSet"].to_string().contains(SUBNET)) {
            let associations = table["associationSet"].as_array_mut().unwrap();
            let like = associations[0].clone();
            for id in ["subnet-0bbbbbbbbbbbbbbb3", "subnet-00000000000000001", "subnet-00000000000000002"] {
                let mut one = like.clone();
                one["subnetId"] = json!(id);
                associations.push(one);
            }
        }
        world.table(tables::KEY_PAIRS).insert("ops".to_owned(), json!({"keyName": "ops", "keyPairId": "key-0ops"}));
    });
    if !matches!(case.before, Before::Nothing | Before::Foreign(_)) {
        stage.succeeds("up").await;
    }
    match case.before {
        Before::Nothing | Before::Up => {}
        Before::Edited(edit) => stage.edit(edit),
        Before::Changed(key) => change(&stage, key).await.ok()?,
        Before::Foreign(key) => make_foreign(&stage.other_client().await, key).await.ok()?,
        Before::Weather(weather) => stage.weather(weather),
        Before::Unnumbered => {
            stage.edit(|aws| {
                aws.auto_scaling_group().follow("$Default");
                aws.instances().come_from_no_template();
            });
            stage.weather(|weather| weather.mute.push(NEXT.to_owned()));
        }
        Before::Iam(what) => change_iam(&stage, what).await,
        Before::Leaking => {
            stage.weather(|weather| weather.leaks = true);
            stage.edit(|aws| {
                for id in aws.ids(tables::INSTANCES) {
                    aws.terminate(&id);
                }
            });
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        Before::UpWith(line) => drop(stage.succeeds(line).await),
    }
    stage.sandbox.clear_calls();
    Some(stage)
}

/// What no case can ask for: an account's first load balancer and group, a quota that nobody ever changed, a denial.
const APART: [&str; 3] =
    ["iam:CreateServiceLinkedRole", "servicequotas:GetAWSDefaultServiceQuota", "sts:DecodeAuthorizationMessage"];

/// Without it what still uses a security group is waited for all the same, unnamed.
const NAMES_BLOCKERS: &str = "ec2:DescribeNetworkInterfaces";

/// Each case once with everything that its policy allows, and once without each action that no case before it used.
#[tokio::test(start_paused = true)]
async fn what_iam_policy_allows_is_enough_and_none_of_it_too_much() {
    let mut used: BTreeSet<(&str, String)> = BTreeSet::new();
    for case in cases() {
        let Some(stage) = stage(&case).await else { continue };
        let world = stage.sandbox.world();
        let as_root = Stage::of(&world).run(case.line).await;
        let allowed = policy(case.line, case.needs);
        stage.allow(allowed.clone());
        let ended = stage.run(case.line).await;
        ended.exits(as_root.exit);
        let refused: Vec<_> = ended.calls.iter().filter(|call| is_denied(call)).collect();
        ended.demand(refused.is_empty(), || format!("nothing may be denied: {refused:?}"));
        let asked: BTreeSet<&String> = ended.calls.iter().flat_map(|call| &call.actions).collect();
        for action in asked {
            let is_of_up = name(case.needs) == "up --adopt" && action != "ec2:CreateTags";
            if used.insert((name(case.needs), action.clone())) && !is_of_up {
                let stage = Stage::of(&world);
                stage.allow(without(allowed.clone(), action));
                is_missed(&stage.run(case.line).await, &ended, action);
            }
        }
    }
    assert!(used.contains(&("up --adopt", "ec2:CreateTags".to_owned())));
    for needs in [UP, VERIFY, TEARDOWN] {
        let all = actions(&policy("", needs));
        let unused: Vec<_> = all.iter().filter(|one| !used.contains(&(name(needs), (*one).clone()))).collect();
        assert!(unused.iter().all(|one| APART.contains(&one.as_str())), "{} does without {unused:?}", name(needs));
    }
}

/// Without the action the run ends in something else, or says that it could not look.
#[track_caller]
fn is_missed(ended: &Ended, whole: &Ended, action: &str) {
    let denied = ended.calls.iter().any(|call| is_denial(call.code.as_deref()));
    let told = format!("{}{:?}{:?}{}", ended.problems_text(), ended.checks, ended.cost, ended.summary);
    let is_told = [action, "not authorized", "AccessDenied", "decoded"].iter().any(|words| told.contains(words));
    ended.demand(denied || told.contains(action), || format!("without {action} it must be denied something"));
    let is_needed =
        is_told || ended.exit != whole.exit || ended.problems.len() > whole.problems.len() || action == NAMES_BLOCKERS;
    ended.demand(is_needed, || format!("without {action} it must say so, or fail"));
}

/// A launch without a template is asked about, and not wanted.
fn is_denied(call: &Call) -> bool {
    is_denial(call.code.as_deref()) && !call.is_dry_run
}

fn is_denial(code: Option<&str>) -> bool {
    matches!(code, Some("AccessDenied" | "UnauthorizedOperation"))
}

fn name(needs: &[Need]) -> &'static str {
    match needs {
        [Need::Up] => "up",
        [Need::Up, Need::Adopt] => "up --adopt",
        [Need::Verify] => "verify",
        _ => "teardown",
    }
}
