//! deploy.yaml: its defaults, its example, its mistakes.

use crate::support::config::{Config, Dns, Network, parse};
use expect_test::expect;
use serde_json::Value;

const EXAMPLE: &str = include_str!("../../deploy.yaml.example");

fn config(text: &str) -> Config {
    parse(text, "deploy.yaml", &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn mistakes(text: &str, set: &[&str]) -> String {
    let set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
    format!("{}\n", parse(text, "deploy.yaml", &set).expect_err("it has mistakes"))
}

/// The file as a tree, by another parser than the program's own.
fn tree(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn the_example_is_the_defaults() {
    let example = config(EXAMPLE);
    let network = Network {
        vpc: "vpc-0123456789abcdef0".to_owned(),
        private_subnets: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"].map(str::to_owned).to_vec(),
        ..Network::default()
    };
    let dns = Some(Dns { zone: "example.com".to_owned(), record: "app".to_owned() });
    let region = Some("eu-central-1".to_owned());
    assert_eq!(example, Config { dns, region, ..Config::new(network) });
}

#[test]
fn the_example_holds_every_key() {
    let mut keys = Vec::new();
    paths(String::new(), &serde_json::to_value(config(EXAMPLE)).unwrap(), &mut keys);
    let mut written = Vec::new();
    paths(String::new(), &tree(EXAMPLE), &mut written);
    keys.sort();
    written.sort();
    assert_eq!(keys, written);
}

fn paths(above: String, value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(key, value)| paths(format!("{above}.{key}"), value, into));
        }
        _ => into.push(above),
    }
}

#[test]
fn each_optional_part_may_be_left_out() {
    let whole = config(EXAMPLE);
    for part in
        ["stack", "load_balancer", "instance", "scaling", "health_check", "names", "tags", "verify", "preflight"]
    {
        let mut fields = tree(EXAMPLE);
        fields.as_object_mut().unwrap().remove(part).unwrap();
        assert_eq!(config(&serde_yaml::to_string(&fields).unwrap()), whole, "{part}");
    }
}

#[test]
fn every_mistake_is_reported_at_once_with_its_place_and_cure() {
    let text = "\
stak: a
network: { vpc: vpc-1, private_subnets: [subnet-0123456789abcdef0] }
load_balancer:
  scheme: public
  ingress_cidrs: [10.0.0.1/8]
scaling: { min: 5, desired: 2, max: 3, cpu_target_percent: many }
instance: { volume: { size_gib: 10, iops: 12000 } }
health_check: { success_codes: 600, path: health }
dns: { zone: example.com, record: '${HOST}' }
names: { target_group: -tg-, prefix: a-very-long-prefix-for-a-stack- }
tags: { 'aws:x': y }
stack: b
stack: c
";
    expect![[r#"
        deploy.yaml:1:1: unknown key `stak`; did you mean `stack`?
        deploy.yaml:2:17: `network.vpc` cannot be `vpc-1`; write an id such as vpc-0123456789abcdef0
        deploy.yaml:2:41: `network.private_subnets` has 1 of the two subnets needed; list at least two, in two zones (guide step 4)
        deploy.yaml:4:11: `load_balancer.scheme` cannot be `public`; write one of `internal`, `internet-facing`
        deploy.yaml:5:19: `10.0.0.1/8` has host bits set; did you mean `10.0.0.0/8`?
        deploy.yaml:6:60: `scaling.cpu_target_percent` must be a number, found the text "many"; write a number from 1 to 100, without quotes
        deploy.yaml:7:43: 12000 IOPS are more than a gp3 volume of 10 GiB can have, 5000 (500 for each GiB); set iops to 5000 or less, or size_gib to 24 or more
        deploy.yaml:8:32: `health_check.success_codes` cannot be `600`; write codes from 200 to 499: 404, "200,404" or "200-299", without spaces
        deploy.yaml:8:43: `health_check.path` cannot be `health`; write at most 1024 visible ASCII characters that begin with `/`
        deploy.yaml:9:35: `dns.record` holds ${HOST}, and variables are not expanded; write the value, or pass --set dns.record=VALUE
        deploy.yaml:10:24: `names.target_group` begins with `-`; a target group may not
        deploy.yaml:10:38: `names.prefix` comes before every name: `names.load_balancer`, then `a-very-long-prefix-for-a-stack-app-alb`, has 38 characters; a load balancer may have 1 to 32: change the prefix or the name
        deploy.yaml:11:9: the tag `aws:x` has a reserved prefix; aws: is AWS's and oz-deploy: is this program's; choose another key
        deploy.yaml:13:1: `stack` is given twice, first at deploy.yaml:12:1; keep one of them
        --set nonsense: no `=` in it; write KEY=VALUE, such as scaling.max=10
        --set scaling.max=many: `scaling.max` must be a whole number, found the text "many"; write a whole number from 0 to 10000, without quotes
        --set scaling.maximum=4: unknown key `maximum` in `scaling`; did you mean `max`?
    "#]].assert_eq(&mistakes(
        text,
        &["scaling.maximum=4", "scaling.max=many", "nonsense"],
    ));
}

#[test]
fn what_yaml_has_beyond_a_tree_is_refused() {
    let text = "\
stack: &name oz
network: !here { vpc: vpc-0123456789abcdef0, private_subnets: !those [a, b] }
load_balancer: { ingress_cidrs: [10.0.0.1, everywhere, fd00::/8, fd00::/8], <<: *name }
instance: { image: *name, type: !!str c7i }
[names]: {}
scaling: { min: 1.5, warm_up_seconds: 100000 }
";
    expect![[r#"
        deploy.yaml:2:10: tags (`!name`) are not read here; remove it
        deploy.yaml:2:63: tags (`!name`) are not read here; remove it
        deploy.yaml:3:16: HTTPS needs a certificate, and there is neither load_balancer.certificate nor a dns record to find one for; set load_balancer.certificate, dns or verify.name, or load_balancer.listener: http
        deploy.yaml:3:34: `10.0.0.1` has no length; did you mean `10.0.0.1/32`?
        deploy.yaml:3:44: `everywhere` is no address range; write one such as 10.0.0.0/8 or fd00::/8
        deploy.yaml:3:66: `fd00::/8` is listed twice in `load_balancer.ingress_cidrs`; remove one of them
        deploy.yaml:3:77: merge keys (`<<`) are not read here; write the keys out
        deploy.yaml:3:81: aliases (`*name`) are not read here; write the value out
        deploy.yaml:4:20: aliases (`*name`) are not read here; write the value out
        deploy.yaml:4:33: the tag `str` is not read here; remove it; quotes make a text of a number
        deploy.yaml:5:1: a key must be a word, found a list; see deploy.yaml.example
        deploy.yaml:6:17: `scaling.min` must be a whole number, found the number 1.5; write a whole number from 0 to 10000, without quotes
        deploy.yaml:6:39: `scaling.warm_up_seconds` is 100000, beyond the limits; write a whole number from 0 to 86400, without quotes
    "#]].assert_eq(&mistakes(text, &[]));
}

#[test]
fn an_open_load_balancer_needs_consent() {
    let text = format!("{EXAMPLE}\n").replace("scheme: internal ", "scheme: internet-facing ");
    expect![[r#"
        deploy.yaml:15:19: an internet-facing load balancer needs at least two public subnets; list them under network.public_subnets, or set load_balancer.scheme: internal (guide step 4)
        deploy.yaml:18:11: the load balancer would be open to the whole Internet, and the API has no authentication of its own; narrow load_balancer.ingress_cidrs, or set load_balancer.allow_public: true
    "#]].assert_eq(&mistakes(&text, &[]));
}

#[test]
fn overrides_replace_one_key() {
    let set = ["scaling.max=10", "health_check.success_codes=404", "tags.team=a=b", "dns=null", "names.prefix=x-"];
    let set = set.map(str::to_owned).to_vec();
    let set: Vec<String> = set.into_iter().chain(["load_balancer.listener=http".to_owned()]).collect();
    let changed = parse(EXAMPLE, "deploy.yaml", &set).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!((changed.scaling.max, changed.dns), (10, None));
    assert_eq!((changed.health_check.success_codes.as_str(), changed.tags["team"].as_str()), ("404", "a=b"));
    assert_eq!((changed.names.role.as_str(), changed.names.target_group.as_str()), ("x-OZMarketplace", "x-app-tg"));
}

/// The keys under `names:` whose value is a name.
fn names() -> Vec<String> {
    let names = serde_json::to_value(config(EXAMPLE).names).unwrap();
    names.as_object().unwrap().keys().filter(|key| *key != "prefix").cloned().collect()
}

#[test]
fn every_name_can_be_chosen_and_has_the_prefix() {
    let one = |key: &String| format!("names.{key}=mine-{}", key.replace('_', "-"));
    let set: Vec<String> = names().iter().map(one).chain(["names.prefix=x-".to_owned()]).collect();
    let changed = parse(EXAMPLE, "deploy.yaml", &set).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let changed = serde_json::to_value(changed.names).unwrap();
    for key in names() {
        assert_eq!(changed[&key], format!("x-mine-{}", key.replace('_', "-")), "{key}");
    }
}

#[test]
fn every_name_has_a_limit() {
    // No service takes more than 255 characters, and none takes an accent.
    for (key, name) in names().into_iter().flat_map(|key| [(key.clone(), "n".repeat(256)), (key, "é".to_owned())]) {
        let refused = mistakes(EXAMPLE, &[&format!("names.{key}={name}")]);
        assert!(refused.contains(&format!("`names.{key}` has ")), "{key}: {refused}");
    }
}

#[test]
fn no_text_makes_it_panic() {
    let hostile = [
        "",
        "\u{feff}",
        "---\n---\n",
        "a: &a [*a]\n",
        "? [1, 2] : 3\n",
        "[]",
        "42",
        "\t",
        "a: b: c",
        "<<: *x\n",
        "network: !!binary x\n",
        "scaling: { min: 99999999999999999999999999 }\n",
        "network: null\r\nscaling: 3\r\n",
        "\"",
        "'",
        "{",
        "- - - -",
        "a: |\n  x\n b\n",
    ];
    for text in hostile {
        assert!(parse(text, "deploy.yaml", &[]).is_err(), "{text:?}");
    }
    let deep = "[".repeat(20_000);
    assert!(parse(&deep, "deploy.yaml", &[]).is_err());
    for end in 0..EXAMPLE.len() {
        if EXAMPLE.is_char_boundary(end) {
            let _ = parse(&EXAMPLE[..end], "deploy.yaml", &[]);
        }
    }
}
