//! `deploy init`: from an account to a deploy.yaml, at a terminal and in a pipeline.

use std::fs;

use crate::support::{Aws, Home, Run, Sandbox, config, seed, tables};
use crate::terminal::AtTerminal;
use serde_json::{Value, json};

/// A folder whose sandbox was changed by this.
fn home(edit: impl FnOnce(&mut Aws<'_>)) -> Home {
    let (home, sandbox) = (Home::new(), Sandbox::seeded(1.0));
    sandbox.change(|world| edit(&mut Aws::of(world)));
    sandbox.keep(&home.path("world.json")).unwrap();
    home
}

/// A folder in which these calls are denied.
fn denied(calls: &[&str]) -> Home {
    let (home, sandbox) = (Home::new(), Sandbox::seeded(1.0));
    sandbox.change(|world| world.weather.denied = calls.iter().map(|call| (*call).to_owned()).collect());
    sandbox.keep(&home.path("world.json")).unwrap();
    home
}

fn written(home: &Home) -> String {
    fs::read_to_string(home.path("deploy.yaml")).unwrap()
}

fn read(home: &Home) -> config::Config {
    let text = written(home);
    config::parse(&text, "deploy.yaml", &[]).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"))
}

#[track_caller]
fn nothing_written(home: &Home) {
    assert!(!home.path("deploy.yaml").exists(), "{}", written(home));
}

/// A subnet like the first of these, under another id, in another VPC or zone.
fn subnet(aws: &mut Aws<'_>, id: &str, vpc: &str, zone: &str) {
    let row = json!({
        "subnetId": id, "vpcId": vpc, "availabilityZone": zone, "state": "available", "cidrBlock": "10.0.9.0/24",
        "availableIpAddressCount": 99, "mapPublicIpOnLaunch": false, "ownerId": "123456789012",
    });
    aws.add(tables::SUBNETS, id, row);
}

fn route_table(aws: &mut Aws<'_>, id: &str, vpc: &str, association: Value, through: &Value) {
    let mut out = json!({"destinationCidrBlock": "0.0.0.0/0", "state": "active", "origin": "CreateRoute"});
    out.as_object_mut().unwrap().extend(through.as_object().unwrap().clone());
    let row = json!({
        "routeTableId": id, "vpcId": vpc, "associationSet": association, "routeSet": [out], "propagatingVgwSet": [],
    });
    aws.add(tables::ROUTE_TABLES, id, row);
}

/// A second VPC, whose subnets use its main table.
fn second_vpc(aws: &mut Aws<'_>, through: &Value) {
    const ID: &str = "vpc-0222222222222222a";
    let vpc = json!({
        "vpcId": ID, "cidrBlock": "10.2.0.0/16", "state": "available", "isDefault": true, "ownerId": "123456789012",
        "tagSet": [{"key": "Name", "value": "second"}],
    });
    aws.add(tables::VPCS, ID, vpc);
    subnet(aws, "subnet-0222222222222222a", ID, "eu-central-1a");
    subnet(aws, "subnet-0222222222222222b", ID, "eu-central-1b");
    let main = json!([{"routeTableAssociationId": "rtbassoc-0222", "routeTableId": "rtb-0222", "main": true}]);
    route_table(aws, "rtb-0222", ID, main, through);
}

fn second_zone(aws: &mut Aws<'_>, id: &str, name: &str, is_private: bool) {
    let zone = json!({
        "Id": format!("/hostedzone/{id}"), "Name": format!("{name}."), "CallerReference": id,
        "Config": {"PrivateZone": is_private}, "ResourceRecordSetCount": 0, "_records": [],
    });
    aws.add(tables::ZONES, id, zone);
}

const NAT: &str = "nat-0bbbbbbbbbbbbbbbb";

#[test]
fn from_an_empty_folder_to_a_standing_stack() {
    let home = Home::new();
    home.run("plan").exits(2).says("there is no deploy.yaml here").says("`deploy init` writes one");
    let run = home.run("--sandbox init");
    run.exits(0).prints("deploy.yaml").says("`deploy --sandbox --config deploy.yaml plan`");
    let (seed, config) = (seed(), read(&home));
    assert_eq!(config.network.vpc, seed.vpc.id);
    assert_eq!(config.network.private_subnets, seed.private_subnets);
    assert_eq!(config.account.as_deref(), Some(seed.account.as_str()));
    assert_eq!(config.dns.unwrap().zone, seed.zone);
    home.run("--sandbox --config deploy.yaml preflight").exits(0).prints("Ready");
    home.run("--sandbox --config deploy.yaml plan --exit-code").exits(3).prints("16 to create");
    home.run("--sandbox --config deploy.yaml up").exits(0).prints("https://app.example.com");
    home.run("--sandbox --config deploy.yaml plan --exit-code").exits(0);
}

#[test]
fn a_file_is_never_written_over_unasked() {
    let home = Home::new();
    home.write("deploy.yaml", "mine");
    home.run("--sandbox init").exits(2).says("deploy.yaml is there already").says("--force");
    home.run("init --example").exits(2);
    assert_eq!(written(&home), "mine");
    home.run("--sandbox init --config other.yaml --json").exits(0).ends_as("changed");
    home.run("--sandbox init --force").exits(0);
    read(&home);
    fs::create_dir(home.path("folder")).unwrap();
    home.run("init --example --force --config folder").exits(2).says("folder is a directory");
    home.run("init --example --config no/such/folder.yaml").exits(1).says("nothing was written");
    std::os::unix::fs::symlink("nowhere.yaml", home.path("link.yaml")).unwrap();
    home.run("init --example --config link.yaml").exits(2).says("there already");
    let left: Vec<_> = fs::read_dir(home.path(".")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".tmp")), "{left:?}");
}

#[test]
fn a_configuration_may_come_from_standard_input_and_go_to_standard_output() {
    let home = Home::new();
    let run = home.run("--sandbox init --config -");
    run.exits(0);
    home.write("piped.yaml", run.stdout());
    let mut command = home.command("--sandbox plan --config -");
    command.stdin(fs::File::open(home.path("piped.yaml")).unwrap());
    Run::of(&mut command).exits(0).prints("16 to create");
    home.write("piped.yaml", "stak: a");
    let mut command = home.command("--sandbox plan --config -");
    command.stdin(fs::File::open(home.path("piped.yaml")).unwrap());
    Run::of(&mut command).exits(2).says("standard input:1:1: unknown key `stak`");
    home.run("--sandbox init --config - --json").exits(2).says("both want standard output");
}

#[test]
fn a_configuration_that_cannot_be_read_says_what_it_is() {
    let home = Home::new();
    home.run("plan --config .").exits(2).says(". is a directory");
    home.run("plan --config no.yaml").exits(2).says("there is no file no.yaml").says("init --config");
    home.run("--sandbox plan --config no.yaml").exits(2).says("there is no file no.yaml");
}

#[test]
fn without_credentials_the_example_is_written_and_that_is_said() {
    for region in [None, Some("eu-west-1")] {
        let home = Home::new();
        let mut command = home.command("init --scheme internal --record api");
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"] {
            command.env_remove(name);
        }
        command.env("HOME", home.path(".")).env("AWS_EC2_METADATA_DISABLED", "true");
        region.map(|region| command.env("AWS_REGION", region));
        Run::of(&mut command).exits(0).says("there are no AWS credentials here: this is the example");
        assert_eq!(read(&home).dns.unwrap().record, "api");
        assert_eq!(read(&home).network.vpc, "vpc-0123456789abcdef0");
    }
    let home = Home::new();
    home.run("init --example --stack another").exits(0);
    assert_eq!(read(&home).stack, "another");
    home.run("init --example --force --no-record").exits(2).says("HTTPS needs a certificate");
    home.run("init --example --force --no-record --listener http").exits(0);
    assert_eq!(read(&home).dns, None);
}

#[test]
fn what_cannot_be_is_refused_before_a_look() {
    let home = Home::new();
    home.run("--sandbox init --set scaling.max=3").exits(2).says("init takes no --set");
    home.run("--sandbox init --scheme internet-facing").exits(2).says("--allow-public");
    home.run("--sandbox init --scheme public").exits(2);
    home.run("--sandbox init --stack no_such").exits(2).says("`stack` cannot be `no_such`");
    home.run("--sandbox init --zone example.com --no-record").exits(2);
    nothing_written(&home);
}

#[test]
fn an_internet_facing_load_balancer_gets_the_public_subnets() {
    let home = Home::new();
    home.run("--sandbox init --scheme internet-facing --ingress-cidrs 203.0.113.0/24,198.51.100.0/24").exits(0);
    let config = read(&home);
    assert_eq!(config.network.public_subnets, seed().public_subnets);
    assert_eq!(config.load_balancer.ingress_cidrs.len(), 2);
    home.run("--sandbox --config deploy.yaml preflight").exits(0);
}

#[test]
fn the_only_vpc_that_fits_is_taken_and_two_are_a_question() {
    // By its main table the second one is public: nothing for these instances.
    let home = home(|aws| second_vpc(aws, &json!({"gatewayId": "igw-0222"})));
    home.run("--sandbox init").exits(0).says("the only one that fits").says("--vpc names another");
    assert_eq!(read(&home).network.vpc, seed().vpc.id);
    home.run("--sandbox init --force --vpc vpc-0222222222222222a")
        .exits(2)
        .says("private subnets in 0 of the two zones");

    let home = self::home(|aws| second_vpc(aws, &json!({"natGatewayId": NAT})));
    let run = home.run("--sandbox init --json");
    run.exits(2)
        .ends_as("refused")
        .says("2 could be the VPC")
        .says("second, default, 10.2.0.0/16")
        .says("--vpc decides");
    nothing_written(&home);
    home.run("--sandbox init --vpc vpc-0999999999999999a").exits(2).says("there is no vpc-0999999999999999a");
    home.run("--sandbox init --vpc vpc-0222222222222222a").exits(0);
    assert_eq!(read(&home).network.private_subnets, ["subnet-0222222222222222a", "subnet-0222222222222222b"]);
    // One without a way out is no match for one that has it.
    let closed =
        self::home(|aws| second_vpc(aws, &json!({"destinationCidrBlock": "10.2.0.0/16", "gatewayId": "local"})));
    closed.run("--sandbox init").exits(0);
    assert_eq!(read(&closed).network.vpc, seed().vpc.id);
    // A subnet says of which VPC it is.
    home.run("--sandbox init --force --private-subnets subnet-0222222222222222b,subnet-0222222222222222a").exits(0);
    assert_eq!(read(&home).network.vpc, "vpc-0222222222222222a");
    home.run("--sandbox init --force --private-subnets subnet-1,subnet-2").exits(2).says("there is no subnet subnet-1");
}

#[test]
fn one_subnet_a_zone_is_chosen_and_those_with_a_way_out_come_first() {
    let vpc = seed().vpc.id;
    // Isolated subnets, such as those of databases, are no question.
    let isolated = home(|aws| subnet(aws, "subnet-0cccccccccccccccc", &seed().vpc.id, "eu-central-1a"));
    isolated.run("--sandbox init").exits(0);
    assert_eq!(read(&isolated).network.private_subnets, seed().private_subnets);

    let two = home(|aws| {
        subnet(aws, "subnet-0cccccccccccccccc", &vpc, "eu-central-1a");
        let association = json!([{"routeTableAssociationId": "rtbassoc-0ccc", "routeTableId": "rtb-0ccc",
            "subnetId": "subnet-0cccccccccccccccc", "main": false}]);
        route_table(aws, "rtb-0ccc", &vpc, association, &json!({"natGatewayId": NAT}));
    });
    let run = two.run("--sandbox init");
    run.exits(2).says("2 could be the private subnet in eu-central-1a").says("99 addresses free");
    run.says("--private-subnets decides");
    nothing_written(&two);
    let mut at_terminal = AtTerminal::start(&two, "--sandbox init --json");
    at_terminal.shows("nothing for 1: ");
    at_terminal.types("5");
    at_terminal.shows("That is none of them.");
    at_terminal.types("subnet-0cccccccccccccccc");
    at_terminal.end().exits(0).ends_as("changed");
    assert_eq!(read(&two).network.private_subnets[0], "subnet-0cccccccccccccccc");
}

#[test]
fn private_subnets_without_a_way_out_are_told() {
    let home = home(|aws| aws.route_table().lose_default_route());
    home.run("--sandbox init").exits(0).says("warning").says("cannot meter their use");
    assert!(written(&home).contains("# without a way out"), "{}", written(&home));
}

#[test]
fn the_zone_with_a_certificate_is_taken_and_two_names_alike_go_by_id() {
    let other = home(|aws| second_zone(aws, "Z0OTHER", "example.org", false));
    other.run("--sandbox init").exits(0).says("example.com, the only one that fits");
    assert_eq!(read(&other).dns.unwrap().zone, "example.com");
    let run = other.run("--sandbox init --force --zone example.org");
    run.exits(0).says("no ISSUED certificate in eu-central-1 covers app.example.org");
    other.run("--sandbox init --force --zone example.net").exits(2).says("there are: example.com, example.org");

    let alike = home(|aws| second_zone(aws, "Z0PRIVATE", "example.com", true));
    alike.run("--sandbox init").exits(2).says("Z0PRIVATE (example.com Z0PRIVATE, private").says("--zone decides");
    alike.run("--sandbox init --zone Z0PRIVATE").exits(0);
    assert_eq!(read(&alike).dns.unwrap().zone, "Z0PRIVATE");
    // The world asks no private zone.
    alike.run("--sandbox init --force --scheme internet-facing --allow-public").exits(0);
    assert_eq!(read(&alike).dns.unwrap().zone, seed().zone_id);
}

#[test]
fn without_a_zone_the_certificate_is_named() {
    let home = home(|aws| aws.delete_one(tables::ZONES, &seed().zone_id));
    home.run("--sandbox init").exits(0);
    let config = read(&home);
    assert_eq!((config.dns, config.load_balancer.certificate), (None, Some(seed().certificate)));
    home.run("--sandbox init --force --name oz.example.com").exits(0);
    let config = read(&home);
    assert_eq!((config.verify.name.as_deref(), config.load_balancer.certificate), (Some("oz.example.com"), None));
    let home = self::home(|aws| {
        aws.delete_one(tables::ZONES, &seed().zone_id);
        aws.delete_certificate();
    });
    home.run("--sandbox init").exits(2).says("HTTPS needs a certificate").says("--listener http does without");
    home.run("--sandbox init --listener http").exits(0);
}

#[test]
fn what_may_not_be_read_is_a_comment_and_a_note() {
    let cases = [
        (&["ec2:DescribeVpcs"][..], "network.vpc"),
        (&["ec2:DescribeSubnets"], "network.private_subnets"),
        (&["ec2:DescribeRouteTables"], "network.private_subnets"),
        (&["acm:ListCertificates"], "load_balancer.certificate"),
        (&["route53:ListHostedZones"], "dns.zone"),
        (&["ec2:DescribeImages"], "instance.image"),
    ];
    for (calls, path) in cases {
        let home = denied(calls);
        let operation = calls[0];
        home.run("--sandbox init").exits(0).says(&format!("warning: {path}: could not be read: {operation}"));
        read(&home);
        assert!(written(&home).contains(&format!("# could not be read: {operation}")), "{}", written(&home));
    }
    let all: Vec<&str> = cases.iter().flat_map(|(calls, _)| *calls).copied().collect();
    let home = denied(&all);
    home.run("--sandbox init").exits(0);
    assert_eq!(read(&home).network.vpc, "vpc-0123456789abcdef0");
    // What the flags say needs no look.
    let home = denied(&all);
    let subnets = seed().private_subnets.join(",");
    home.run(&format!("--sandbox init --vpc vpc-0123456789abcdefa --private-subnets {subnets} --zone a.net")).exits(0);
    assert_eq!(read(&home).network.vpc, "vpc-0123456789abcdefa");
    assert_eq!(read(&home).dns.unwrap().zone, "a.net");
}

#[test]
fn images_of_two_products_are_a_question() {
    let home = home(|aws| {
        let row = json!({
            "imageId": "ami-0ddddddddddddddd1", "name": "api-instant-prod-another", "imageState": "available",
            "imageOwnerAlias": "aws-marketplace", "imageOwnerId": "679593333241", "isPublic": true,
            "rootDeviceName": "/dev/xvda", "creationDate": "2025-03-01T00:00:00.000Z",
            "productCodes": [{"productCode": "another", "type": "marketplace"}],
        });
        aws.add(tables::IMAGES, "ami-0ddddddddddddddd1", row);
    });
    home.run("--sandbox init").exits(2).says("2 could be the image").says("product another").says("--image decides");
    home.run("--sandbox init --image product:another").exits(0);
    assert_eq!(read(&home).instance.image, "product:another");
}

#[test]
fn leaving_a_question_writes_nothing() {
    for (signal, code) in [(Some("-INT"), 130), (Some("-TERM"), 143), (None, 4)] {
        let home = home(|aws| second_vpc(aws, &json!({"natGatewayId": NAT})));
        let mut at_terminal = AtTerminal::start(&home, "--sandbox init --json");
        at_terminal.shows("Which is the VPC?");
        at_terminal.shows("nothing for 1: ");
        match signal {
            Some(signal) => at_terminal.send(signal),
            // The end of input, typed: Ctrl-D.
            None => std::io::Write::write_all(&mut at_terminal.person, &[4]).unwrap(),
        }
        at_terminal.end().exits(code);
        nothing_written(&home);
    }
}
