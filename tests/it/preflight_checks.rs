//! Each check of the preflight: what it passes, what it warns of, what it refuses before any write.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::{CODES, Exit, Home, Stage, Status, abouts, tables};

const CERTIFICATE: &str = "arn:aws:acm:eu-central-1:123456789012:certificate/0f0f0f0f-1111-2222-3333-444444444444";
/// 2026-01-01, when the sandbox's world begins.
const SEEDED: i64 = 1_767_225_600;
const DAY: i64 = 24 * 3600;
const PUBLIC: &str = "--set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true";

/// A world that is wrong in one way, and what the check says of it.
struct Case {
    code: &'static str,
    line: String,
    words: &'static str,
    stage: Stage,
}

fn case(code: &'static str, words: &'static str, stage: Stage) -> Case {
    Case { code, line: String::new(), words, stage }
}

fn with(code: &'static str, words: &'static str, line: impl Into<String>) -> Case {
    Case { code, line: line.into(), words, stage: Stage::new() }
}

/// A stage in which a field of a row is another one.
fn other(table: &'static str, id: &str, field: &str, value: Value) -> Stage {
    let stage = Stage::new();
    stage.sandbox.change(|world| world.table(table).get_mut(id).unwrap()[field] = value);
    stage
}

/// A stage in which a route table leads elsewhere.
fn routed(table: &str, routes: Value) -> Stage {
    other(tables::ROUTE_TABLES, table, "routeSet", routes)
}

fn route(to: &str, by: &str, through: &str, state: &str) -> Value {
    json!({"destinationCidrBlock": to, by: through, "state": state, "origin": "CreateRoute"})
}

fn quota(name: &str, most: f64) -> Stage {
    Stage::under(|weather| {
        weather.quotas.insert(name.to_owned(), most);
    })
}

/// A good account: its zone is private, and the load balancer's VPC asks it.
fn good() -> Stage {
    let zone = json!([{"VPCId": "vpc-0a1b2c3d4e5f60718", "VPCRegion": "eu-central-1"}]);
    let stage = other(tables::ZONES, "Z0SANDBOX0EXAMPLE", "Config", json!({"PrivateZone": true}));
    stage.sandbox.change(|world| world.table(tables::ZONES).get_mut("Z0SANDBOX0EXAMPLE").unwrap()["_vpcs"] = zone);
    stage
}

fn cidrs(count: usize) -> String {
    let all: Vec<String> = (0..count).map(|third| format!("10.1.{third}.0/24")).collect();
    format!("--set load_balancer.ingress_cidrs=[{}]", all.join(","))
}

fn of_network() -> Vec<Case> {
    let (private, public) = ("rtb-0bbbbbbbbbbbbbbbb", "rtb-0aaaaaaaaaaaaaaaa");
    let subnet = |field, value| other(tables::SUBNETS, "subnet-0bbbbbbbbbbbbbbb2", field, value);
    let nat = |to, state| route(to, "natGatewayId", "nat-0bbbbbbbbbbbbbbbb", state);
    let by = |gateway, id| routed(private, json!([route("0.0.0.0/0", gateway, id, "active")]));
    let failed = other(tables::NAT_GATEWAYS, "nat-0bbbbbbbbbbbbbbbb", "state", json!("failed"));
    let halves = json!([nat("0.0.0.0/1", "active"), nat("128.0.0.0/1", "blackhole")]);
    let bare = Case { line: PUBLIC.to_owned(), ..case("OZ306", "goes out by nat-0b", by_nat(public)) };
    vec![
        case("OZ301", "is in vpc-0theirs", subnet("vpcId", json!("vpc-0theirs"))),
        case("OZ302", "are all in eu-central-1a", subnet("availabilityZone", json!("eu-central-1a"))),
        case("OZ303", "has 7", subnet("availableIpAddressCount", json!(7))),
        Case {
            line: "--set scaling.min=600 --set scaling.desired=600 --set scaling.max=600".to_owned(),
            ..case("OZ304", "502 for scaling.min 600", Stage::under(|weather| weather.vcpus = 100_000.0))
        },
        case("OZ305", "which is no more (blackhole)", routed(private, json!([nat("0.0.0.0/0", "blackhole")]))),
        case("OZ305", "which is no more (blackhole)", routed(private, halves)),
        case("OZ305", "the subnet is public", by("gatewayId", "igw-0aaaaaaaaaaaaaaaa")),
        case("OZ305", "has no route for 0.0.0.0/0", by("vpcPeeringConnectionId", "pcx-0aaaaaaaaaaaaaaaa")),
        case("OZ305", "has no route for 0.0.0.0/0", routed(private, json!([]))),
        case("OZ305", "nat-0bbbbbbbbbbbbbbbb is failed", failed),
        bare,
    ]
}

/// Instances in the subnets that give public addresses.
fn in_public_subnets() -> &'static str {
    "--set network.private_subnets=[subnet-0aaaaaaaaaaaaaaa1,subnet-0aaaaaaaaaaaaaaa2]"
}

fn by_firewall() -> Stage {
    routed("rtb-0aaaaaaaaaaaaaaaa", json!([route("0.0.0.0/0", "gatewayId", "vpce-0firewall", "active")]))
}

fn by_nat(table: &str) -> Stage {
    routed(table, json!([route("0.0.0.0/0", "natGatewayId", "nat-0bbbbbbbbbbbbbbbb", "active")]))
}

fn of_instances() -> Vec<Case> {
    let nowhere = |weather: &mut crate::support::Weather| {
        weather.not_offered = vec!["eu-central-1a".to_owned(), "eu-central-1b".to_owned()];
    };
    vec![
        case("OZ102", "they end in 3 minutes", Stage::under(|weather| weather.credentials_last_seconds = Some(185.0))),
        case("OZ201", "is not offered in eu-central-1a (euc1-az", Stage::under(nowhere)),
        case("OZ202", "--desired-value 1456", Stage::under(|weather| weather.vcpus = 5.0)),
        // Each class of types has its own quota, and a new account has none of some.
        with("OZ202", "--quota-code L-DB2E81BA --desired-value 1456", "--set instance.type=g5.4xlarge"),
        with("OZ203", "m7g.4xlarge runs arm64", "--set instance.type=m7g.4xlarge"),
        with("OZ204", "no key pair nobodys", "--set instance.key_pair=nobodys"),
        case(
            "OZ205",
            "https://aws.amazon.com/marketplace/pp?sku=ozsandbox0000000000000001",
            Stage::under(|weather| weather.not_subscribed = true),
        ),
        with("OZ206", "at most 40000", "--set instance.volume.iops=50000 --set instance.volume.size_gib=200"),
        with("OZ206", "at most 1250", "--set instance.volume.throughput_mibps=1900"),
        with(
            "OZ207",
            "is in us-east-1",
            "--set instance.volume.kms_key=arn:aws:kms:us-east-1:123456789012:key/0f0f0f0f-1111-2222-3333-444444444444 \
             --set instance.volume.encrypted=true",
        ),
    ]
}

fn of_the_rest() -> Vec<Case> {
    let certificate = |field, value| other(tables::CERTIFICATES, CERTIFICATE, field, value);
    let given = format!("--set load_balancer.certificate={CERTIFICATE}");
    vec![
        case("OZ401", "clients refuse it", certificate("NotAfter", json!(SEEDED - DAY))),
        Case {
            line: given.clone(),
            ..case("OZ401", "another service of AWS", certificate("ManagedBy", json!("CLOUDFRONT")))
        },
        Case {
            line: given.clone(),
            ..case("OZ401", "PENDING_VALIDATION", certificate("Status", json!("PENDING_VALIDATION")))
        },
        Case {
            line: given,
            ..case(
                "OZ401",
                "for clients alone",
                certificate("ExtendedKeyUsages", json!([{"Name": "TLS_WEB_CLIENT_AUTHENTICATION"}])),
            )
        },
        case("OZ601", "0 of 0 application load balancers", quota("application-load-balancers", 0.0)),
        case("OZ602", "0 of 0 target groups", quota("target-groups", 0.0)),
        case("OZ603", "0 of 0 auto scaling groups", quota("L-CDE20ADC", 0.0)),
        case("OZ604", "0 of 1 security groups, 2 more", quota("L-E79EC296", 1.0)),
        with("OZ605", "0 of 60 rules a security group, 62 more", cidrs(31)),
    ]
}

fn id(code: &str) -> &'static str {
    CODES.iter().find(|(known, _)| *known == code).unwrap().1
}

/// Each failing check refuses `up`, which has changed nothing by then; told to be ignored, it only warns.
async fn refused(cases: Vec<Case>) {
    for Case { code, line, words, stage } in cases {
        let stage = stage.noting(format!("{code} {words}"));
        let looked = stage.run(&format!("preflight {line}")).await;
        looked.exits(Exit::Refused).writes_nothing().finds(id(code), Status::Fail).check_says(id(code), words);
        let check = looked.check(id(code));
        assert!(check.cause.is_some() && check.fix.is_some(), "{looked}");
        stage.run(&format!("up {line}")).await.exits(Exit::Refused).writes_nothing().says(code).says(words);
        let failed: BTreeSet<&str> =
            looked.checks.iter().filter(|one| one.status == Status::Fail).filter_map(|one| one.code).collect();
        let all = Vec::from_iter(failed).join(",");
        let ignored = stage.run(&format!("preflight {line} --set preflight.ignore=[{all}]")).await;
        ignored.exits(Exit::Done).finds(id(code), Status::Warn).check_says(id(code), "preflight.ignore");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_that_does_not_fit_is_refused_before_any_write() {
    refused(of_network()).await;
}

#[tokio::test(start_paused = true)]
async fn instances_that_could_not_run_are_refused_before_any_write() {
    refused(of_instances()).await;
}

#[tokio::test(start_paused = true)]
async fn names_and_quotas_that_do_not_fit_are_refused_before_any_write() {
    refused(of_the_rest()).await;
}

#[test]
fn every_check_that_can_refuse_has_a_case() {
    let cases: BTreeSet<&str> =
        of_network().into_iter().chain(of_instances()).chain(of_the_rest()).map(|case| case.code).collect();
    let readme = readme();
    let refuses = readme.iter().filter(|row| !row[2].is_empty()).map(|row| row[0].trim_matches('`'));
    // What the caller may not do has cases of its own: tests/it/iam_policy.rs.
    assert_eq!(cases, refuses.filter(|code| *code != "OZ105").collect());
}

/// What is told, and stops nothing.
#[tokio::test(start_paused = true)]
async fn what_is_only_worth_a_look_warns() {
    let key = "arn:aws:kms:eu-central-1:123456789012:key/0f0f0f0f-1111-2222-3333-444444444444";
    let soon = other(tables::CERTIFICATES, CERTIFICATE, "NotAfter", json!(SEEDED + 20 * DAY));
    let elsewhere = good();
    elsewhere
        .sandbox
        .change(|world| world.table(tables::ZONES).get_mut("Z0SANDBOX0EXAMPLE").unwrap()["_vpcs"] = json!([]));
    let cases = [
        case("OZ101", ":root", Stage::under(|weather| weather.root_user = true)),
        case("OZ104", "create-service-linked-role", Stage::under(|weather| weather.unused_account = true)),
        case(
            "OZ201",
            "not offered in eu-central-1b",
            Stage::under(|weather| weather.not_offered = vec!["eu-central-1b".to_owned()]),
        ),
        case("OZ202", "before scaling.max", Stage::under(|weather| weather.vcpus = 64.0)),
        case("OZ202", "an instance refresh cannot launch", Stage::under(|weather| weather.vcpus = 40.0)),
        with("OZ206", "always 20000", "--set instance.volume.iops=25000"),
        case("OZ207", "kms:CreateGrant", Stage::under(|weather| weather.ebs_key = Some(key.to_owned()))),
        with("OZ304", "502 for scaling.min 2", "--set scaling.max=600"),
        // As in a default VPC.
        with("OZ305", "igw-0aaaaaaaaaaaaaaaa, each instance with a public address", in_public_subnets()),
        Case { line: PUBLIC.to_owned(), ..case("OZ306", "vpce-0firewall", by_firewall()) },
        case("OZ401", "it ends on", soon),
        case("OZ501", "example.com is public, the load balancer internal", Stage::new()),
        case("OZ501", "associate-vpc-with-hosted-zone", elsewhere),
        Case { line: PUBLIC.to_owned(), ..case("OZ501", "nobody outside the zone's VPCs", good()) },
    ];
    for Case { code, line, words, stage } in cases {
        let stage = stage.noting(format!("{code} {words}"));
        let looked = stage.run(&format!("preflight {line}")).await;
        looked.exits(Exit::Done).writes_nothing().finds(id(code), Status::Warn).check_says(id(code), words);
    }
}

/// Every check that the sandbox can carry out, passing.
#[tokio::test(start_paused = true)]
async fn each_check_passes_where_all_is_well() {
    good().run("preflight").await.exits(Exit::Done).ends_as("ready").writes_nothing().every_check_passes();
    let public = format!("preflight {PUBLIC} {} --set instance.key_pair=ours", cidrs(31));
    let stage = quota("L-0EA8095F", 100.0);
    stage.sandbox.change(|world| {
        world
            .table(tables::KEY_PAIRS)
            .insert("ours".to_owned(), json!({"keyName": "ours", "keyPairId": "key-0aaaaaaaaaaaaaaaa"}));
    });
    let looked = stage.run(&public).await;
    looked.exits(Exit::Done).writes_nothing().every_check_passes();
    // What compares the sandbox with the world has tests of its own, beside the checks.
    let found: BTreeSet<&str> = looked.checks.iter().filter_map(|check| check.code).collect();
    let missing: Vec<&str> = CODES.iter().map(|(code, _)| *code).filter(|code| !found.contains(code)).collect();
    assert_eq!(missing, ["OZ103", "OZ502"]);
}

#[tokio::test(start_paused = true)]
async fn other_ways_out_pass() {
    let private = "rtb-0bbbbbbbbbbbbbbbb";
    let nat = |to| route(to, "natGatewayId", "nat-0bbbbbbbbbbbbbbbb", "active");
    let closed = routed(private, json!([]));
    let endpoint = json!({
        "vpcEndpointId": "vpce-0aaaaaaaaaaaaaaaa", "vpcEndpointType": "Interface", "vpcId": "vpc-0a1b2c3d4e5f60718",
        "serviceName": "com.amazonaws.eu-central-1.metering-marketplace", "state": "available",
        "privateDnsEnabled": true,
    });
    closed.sandbox.change(|world| {
        world.table(tables::VPC_ENDPOINTS).insert("vpce-0aaaaaaaaaaaaaaaa".to_owned(), endpoint);
    });
    for (stage, words) in [
        (routed(private, json!([route("0.0.0.0/0", "transitGatewayId", "tgw-0aaaaaaaaaaaaaaaa", "active")])), "tgw-0a"),
        (routed(private, json!([nat("0.0.0.0/1"), nat("128.0.0.0/1")])), "nat-0b"),
        (closed, "vpce-0a"),
    ] {
        let looked = stage.noting(words).run("preflight").await;
        looked.exits(Exit::Done).finds("private_subnets", Status::Pass).sees("private_subnets", words);
    }
}

/// What Service Quotas does not know is AWS's own; a type that there is not fills no quota.
#[tokio::test(start_paused = true)]
async fn a_quota_is_judged_only_by_what_is_known_of_it() {
    let trained = Stage::new().run("preflight --set instance.type=trn1.2xlarge").await;
    trained.finds("vcpu_quota", Status::Unknown).sees("vcpu_quota", "the quota of trn1.2xlarge was not asked for");
    let unknown = Stage::new().run("preflight --set instance.type=c99.4xlarge").await;
    unknown.finds("instance_type", Status::Fail).finds("vcpu_quota", Status::Skip);
}

/// Of what is not there nothing is shown: no check passes over an empty list.
#[tokio::test(start_paused = true)]
async fn nothing_passes_of_subnets_that_are_not_there() {
    let none = "[subnet-0cccccccccccccccc,subnet-0dddddddddddddddd]";
    let looked = Stage::new()
        .run(&format!("preflight {PUBLIC} --set network.private_subnets={none} --set network.public_subnets={none}"))
        .await;
    looked.finds("subnets", Status::Fail);
    for id in [
        "instance_type",
        "load_balancer_zones",
        "free_addresses",
        "instance_addresses",
        "private_subnets",
        "public_subnets",
    ] {
        looked.finds(id, Status::Skip);
    }
    let one = "--set network.private_subnets=[subnet-0bbbbbbbbbbbbbbb1,subnet-0dddddddddddddddd]";
    let looked = Stage::new().run(&format!("preflight {one}")).await;
    looked.finds("subnets", Status::Fail).finds("load_balancer_zones", Status::Skip);
}

/// Instances of another class are not of the quota that they are about to fill.
#[tokio::test(start_paused = true)]
async fn a_change_of_class_counts_the_running_instances_in_their_own_quota() {
    let stage = Stage::up().await;
    stage.weather(|weather| {
        weather.quotas.insert("L-DB2E81BA".to_owned(), 2000.0);
    });
    // The sandbox's metric says 32 of every class: here they are others' ones.
    let looked = stage.run("preflight --set instance.type=g5.4xlarge --set scaling.max=124").await;
    looked.finds("vcpu_quota", Status::Warn).check_says("vcpu_quota", "--desired-value 2016");
}

/// An update looks at what it changes, and at nothing that stands.
#[tokio::test(start_paused = true)]
async fn an_update_is_looked_at_as_a_create_is() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.not_subscribed = true);
    stage.succeeds("up --set scaling.cpu_target_percent=40").await.has_not_called("RunInstances");
    let larger = stage.run("up --set instance.volume.size_gib=60").await;
    larger.exits(Exit::Refused).writes_nothing().says("OZ205").has_not_called("DescribeAccountLimits");
}

/// The rows of README's table: code, title, refuses, warns.
fn readme() -> Vec<Vec<String>> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `OZ"));
    rows.map(|row| row.split('|').skip(1).take(4).map(|cell| cell.trim().to_owned()).collect()).collect()
}

#[test]
fn the_readme_has_every_code_with_its_title() {
    let title = |id: &str| abouts().find(|about| about.id == id).unwrap().title;
    let known: Vec<(String, &str)> = CODES.iter().map(|(code, id)| (format!("`{code}`"), title(id))).collect();
    let rows = readme();
    let told: Vec<(String, &str)> = rows.iter().map(|row| (row[0].clone(), row[1].as_str())).collect();
    assert_eq!(told, known);
}

/// In text, in JSON, in JUnit and in the page.
#[test]
fn every_form_has_the_codes() {
    let home = Home::new();
    let run =
        home.run("preflight --sandbox --junit preflight.xml --html preflight.html --set instance.key_pair=nobodys");
    run.exits(4).prints("OZ204 the key pair is there");
    let xml = fs::read_to_string(home.path("preflight.xml")).unwrap();
    assert!(xml.contains(r#"name="OZ204 the key pair is there""#) && xml.contains(r#"type="OZ204""#), "{xml}");
    assert!(fs::read_to_string(home.path("preflight.html")).unwrap().contains("OZ204"));
    let json = home.run("preflight --sandbox --json --set instance.key_pair=nobodys").json();
    let checks = json["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["code"] == "OZ204" && check["status"] == "fail"), "{json}");
    home.run("up --sandbox --set instance.key_pair=nobodys").exits(4).says("OZ204 the key pair is there");
}

/// A code that there is not is a mistake, with the one that was meant.
#[test]
fn an_unknown_code_is_refused() {
    let home = Home::new();
    let run = home.run("preflight --sandbox --set preflight.ignore=[OZ999,OZ30]");
    run.exits(2).says("`preflight.ignore[0]` cannot be `OZ999`").says("did you mean `OZ30");
    home.run("preflight --sandbox --set preflight.ignore=[OZ204] --set instance.key_pair=nobodys")
        .exits(0)
        .prints("warn");
}
