//! The JSON Schema of deploy.yaml, beside the loader and as another program reads it.

use serde_json::{Value, json};

use crate::support::{Home, config, configuration, left_out_offline, script};

const EXAMPLE: &str = include_str!("../../deploy.yaml.example");
const LEAST: &str = "\
network: { vpc: vpc-0123456789abcdef0, private_subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1] }
dns: { zone: example.com }
";

fn schema() -> Value {
    let home = Home::new();
    let run = home.run("schema");
    run.exits(0);
    assert_eq!(run.stdout(), home.run("schema --of config").stdout());
    serde_json::from_str(&run.stdout()).unwrap()
}

fn tree(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// The errors of each document, by another reader of schemas.
fn errors(documents: &[Value]) -> Vec<Vec<String>> {
    let home = Home::new();
    home.write("asked.json", json!({"schema": schema(), "documents": documents}).to_string());
    let printed = script("validate.py", &[home.path("asked.json").to_str().unwrap()]);
    serde_json::from_str(&printed).unwrap()
}

/// Every key of a document, as the schema has it.
fn keys(document: &Value, schema: &Value, above: &str, into: &mut Vec<(String, Value, Value)>) {
    for (key, value) in document.as_object().unwrap() {
        let (path, property) = (format!("{above}{key}"), &schema["properties"][key]);
        assert!(property.is_object(), "the schema lacks {path}");
        into.push((path.clone(), value.clone(), property.clone()));
        if value.is_object() && path != "tags" {
            keys(value, property, &format!("{path}."), into);
        }
    }
}

#[test]
fn every_key_of_the_example_is_in_it_with_its_default_and_its_meaning() {
    // Without a default: the user's own.
    const YOURS: [&str; 4] = ["region", "network.vpc", "network.private_subnets", "dns.zone"];
    let schema = schema();
    let mut all = Vec::new();
    keys(&tree(EXAMPLE), &schema, "", &mut all);
    for (path, value, property) in &all {
        assert!(property["description"].as_str().is_some_and(|words| words.len() > 2), "{path}: {property}");
        if value.is_object() {
            let others = &property["additionalProperties"];
            let is_closed = if path == "tags" { others["type"].is_array() } else { *others == false };
            assert!(is_closed, "{path} takes keys that the loader refuses");
        } else if !YOURS.contains(&path.as_str()) {
            // 30 and 30.0 are one number.
            let number = |value: &Value| value.as_f64().map_or_else(|| value.clone(), |number| json!(number));
            assert_eq!(number(value), number(&property["default"]), "{path}");
        }
    }
    // And no other: the example has every key, as another test holds.
    let count = |schema: &Value| schema.to_string().matches(r#""description":"#).count();
    assert_eq!(count(&schema), all.len() + 1, "the schema has a key more than the example");
    assert_eq!(schema["required"], json!(["network"]));
    assert_eq!(schema["properties"]["network"]["required"], json!(["vpc", "private_subnets"]));
}

#[test]
fn the_example_and_the_written_files_name_it() {
    let first = EXAMPLE.lines().next().unwrap();
    assert_eq!(first, "# yaml-language-server: $schema=deploy.schema.json");
    let home = Home::new();
    home.run("--sandbox init").exits(0);
    assert!(std::fs::read_to_string(home.path("deploy.yaml")).unwrap().starts_with(first));
}

#[test]
fn what_the_loader_takes_the_schema_takes() {
    if left_out_offline() {
        return;
    }
    let home = Home::new();
    home.run("--sandbox init").exits(0);
    let made = std::fs::read_to_string(home.path("deploy.yaml")).unwrap();
    let mut texts = vec![EXAMPLE.to_owned(), configuration(), LEAST.to_owned(), made];
    let more = [
        "load_balancer:\nnames: null\ntags: { a: 1, b: true, c: x }\n",
        "health_check: { success_codes: 404 }\nverify: { version: 1.10 }\n",
        "health_check: { success_codes: \"200-299,404\", path: /health?a=b }\n",
        "load_balancer: { certificate: \"arn:aws-cn:acm:cn-north-1:123456789012:certificate/a-b\" }\n",
        "instance: { image: \"ssm:/a/b\", type: m7i-flex.large, key_pair: null }\n",
        "instance: { volume: { encrypted: true, kms_key: k } }\n",
        "names: { prefix: v2-, load_balancer_security_group: \"a b [c] $!\", auto_scaling_group: 'a\\b]^\"-' }\n",
        "account: \"123456789012\"\nregion: us-gov-west-1\nstack: A-1\n",
        "scaling: { min: 0, max: 10000, cpu_target_percent: 33.3 }\n",
    ];
    texts.extend(more.iter().map(|more| format!("{LEAST}{more}")));
    for record in ["'@'", "''", "a.b", "_x"] {
        texts.push(LEAST.replace("zone: example.com", &format!("zone: Z0123456789ABC, record: {record}")));
    }
    for text in &texts {
        config::parse(text, "deploy.yaml", &[]).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"));
    }
    let documents: Vec<Value> = texts.iter().map(|text| tree(text)).collect();
    for (text, errors) in texts.iter().zip(errors(&documents)) {
        assert_eq!(errors, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_the_schema_refuses_the_loader_refuses() {
    const WRONG: [&str; 32] = [
        "stak: a",
        "stack: a_b",
        "stack: ''",
        "stack: 5",
        "account: 123456789012",
        "account: '12345678901'",
        "region: europe",
        "network: {}",
        "network: null",
        "network: { vpc: vpc-1, private_subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1] }",
        "network: { vpc: vpc-0123456789abcdef0, private_subnets: [subnet-0123456789abcdef0] }",
        "network: { vpc: vpc-0123456789abcdef0, private_subnets: [subnet-01234567, subnet-01234567] }",
        "load_balancer: { scheme: public }",
        "load_balancer: { ingress_cidrs: [] }",
        "load_balancer: { ingress_cidrs: 10.0.0.0/8 }",
        "load_balancer: { redirect_http: 'yes' }",
        "load_balancer: { certificate: arn:aws:iam::123456789012:server-certificate/a }",
        "instance: { type: large }",
        "instance: { imds: null }",
        "instance: { volume: { iops: 100 } }",
        "instance: { volume: { size: 50 } }",
        "scaling: { max: many }",
        "scaling: { max: 10001 }",
        "scaling: { min: 1.5 }",
        "scaling: { cpu_target_percent: 0 }",
        "health_check: { port: 65536 }",
        "health_check: { path: health }",
        "health_check: { success_codes: '600' }",
        "dns: { record: app }",
        "names: { target_group: a_b }",
        "names: { role: '' }",
        "tags: { a: [b] }",
    ];
    let texts: Vec<String> = WRONG
        .iter()
        .map(|wrong| {
            let key = wrong.split(':').next().unwrap();
            let rest: Vec<&str> = LEAST.lines().filter(|line| !line.starts_with(&format!("{key}:"))).collect();
            format!("{}\n{wrong}\n", rest.join("\n"))
        })
        .collect();
    for text in &texts {
        assert!(config::parse(text, "deploy.yaml", &[]).is_err(), "the loader takes it:\n{text}");
    }
    if left_out_offline() {
        return;
    }
    let documents: Vec<Value> = texts.iter().map(|text| tree(text)).collect();
    for (text, errors) in texts.iter().zip(errors(&documents)) {
        assert!(!errors.is_empty(), "the schema takes it:\n{text}");
    }
}
