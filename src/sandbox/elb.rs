//! Elastic Load Balancing v2: load balancers, target groups, listeners, rules.

use serde_json::{Value, json};

use super::ec2::set_tags;
use super::wire::{Refusal, Reply, list, need, number, refuse, texts};
use super::world::World;

/// The zone of aliases to application load balancers in eu-central-1 (AWS General Reference).
const ALIAS_ZONE: &str = "Z215JYRZR1TBD5";

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    match operation {
        "CreateLoadBalancer" => create_load_balancer(world, asked),
        "DescribeLoadBalancers" => describe(world, asked, BALANCERS),
        "SetSubnets" => set(world, asked, |row, asked, world| {
            row["AvailabilityZones"] = zones(world, &texts(asked, "Subnets"))?;
            Ok(json!({"AvailabilityZones": row["AvailabilityZones"]}))
        }),
        "SetSecurityGroups" => set(world, asked, |row, asked, _| {
            row["SecurityGroups"] = json!(texts(asked, "SecurityGroups"));
            Ok(json!({"SecurityGroupIds": row["SecurityGroups"]}))
        }),
        "DescribeLoadBalancerAttributes" => {
            Ok(json!({"Attributes": one(world, asked, "LoadBalancerArn", BALANCERS)?["_attributes"]}))
        }
        "ModifyLoadBalancerAttributes" => modify_attributes(world, asked, "LoadBalancerArn", BALANCERS),
        "DeleteLoadBalancer" => delete_load_balancer(world, asked),
        "CreateTargetGroup" => create_target_group(world, asked),
        "DescribeTargetGroups" => describe(world, asked, GROUPS),
        "ModifyTargetGroup" => modify_target_group(world, asked),
        "DescribeTargetGroupAttributes" => {
            Ok(json!({"Attributes": one(world, asked, "TargetGroupArn", GROUPS)?["_attributes"]}))
        }
        "ModifyTargetGroupAttributes" => modify_attributes(world, asked, "TargetGroupArn", GROUPS),
        "DescribeTargetHealth" => target_health(world, asked),
        "DeleteTargetGroup" => delete_target_group(world, asked),
        "CreateListener" => create_listener(world, asked),
        "DescribeListeners" => describe_listeners(world, asked),
        "ModifyListener" => modify_listener(world, asked),
        "DeleteListener" => {
            one(world, asked, "ListenerArn", LISTENERS)?;
            world.table(LISTENERS.0).remove(need(asked, "ListenerArn")?);
            Ok(json!({}))
        }
        "CreateRule" => create_rule(world, asked),
        "DescribeRules" => describe_rules(world, asked),
        "DescribeTags" => describe_tags(world, asked),
        "AddTags" => add_tags(world, asked),
        other => refuse("InvalidAction", format!("Could not find operation {other} for version 2015-12-01")),
    }
}

/// A kind's table, the name of its list, and the error for what is absent.
type Kind = (&'static str, &'static str, &'static str);
const BALANCERS: Kind = ("balancers", "LoadBalancers", "LoadBalancerNotFound");
const GROUPS: Kind = ("target_groups", "TargetGroups", "TargetGroupNotFound");
const LISTENERS: Kind = ("listeners", "Listeners", "ListenerNotFound");

fn one<'a>(world: &'a mut World, asked: &Value, arn: &str, kind: Kind) -> Result<&'a mut Value, Refusal> {
    let arn = need(asked, arn)?;
    match world.row_mut(kind.0, arn) {
        Some(row) => Ok(row),
        None => refuse(kind.2, format!("One or more of '{arn}' not found")),
    }
}

/// By names or ARNs: one that is missing refuses all.
fn describe(world: &mut World, asked: &Value, kind: Kind) -> Reply {
    let mut rows = Vec::new();
    let (name, arn) = (format!("{}Name", &kind.1[..kind.1.len() - 1]), format!("{}Arn", &kind.1[..kind.1.len() - 1]));
    let (names, arns) = (texts(asked, "Names"), texts(asked, &format!("{arn}s")));
    for (wanted, field) in names.iter().map(|one| (one, &name)).chain(arns.iter().map(|one| (one, &arn))) {
        match world.rows(kind.0).find(|row| row[field] == wanted.as_str()) {
            Some(row) => rows.push(row.clone()),
            None => {
                return refuse(kind.2, format!("One or more {} not found", kind.1.to_lowercase()));
            }
        }
    }
    if names.is_empty() && arns.is_empty() {
        rows = world.rows(kind.0).cloned().collect();
        let of = asked["LoadBalancerArn"].as_str();
        rows.retain(|row| of.is_none_or(|arn| list(row, "LoadBalancerArns").iter().any(|one| one == arn)));
    }
    for row in rows.iter_mut().filter(|_| kind == BALANCERS) {
        row["State"] = state(world, row);
    }
    Ok(json!({ kind.1: rows }))
}

/// Whether a load balancer has been made.
pub fn active(world: &World, row: &Value) -> bool {
    state(world, row)["Code"] == "active"
}

fn state(world: &World, row: &Value) -> Value {
    let over = row["_created"].as_f64().unwrap_or_default() + world.weather.provisioning;
    match &world.weather.provisioning_fails {
        _ if world.now < over => json!({"Code": "provisioning"}),
        Some(why) => json!({"Code": "failed", "Reason": why}),
        None => json!({"Code": "active"}),
    }
}

/// "If you attempt to create multiple load balancers with the same settings, each call succeeds" (API reference).
fn twin(world: &World, kind: Kind, name: &str, asked: &Value, code: &'static str) -> Result<Option<Value>, Refusal> {
    let field = format!("{}Name", &kind.1[..kind.1.len() - 1]);
    let settings = |asked: &Value| {
        let mut settings = asked.clone();
        if let Some(settings) = settings.as_object_mut().filter(|_| !world.weather.tags_are_settings) {
            settings.shift_remove("Tags");
        }
        settings
    };
    match world.rows(kind.0).find(|row| row[&field] == name) {
        Some(row) if settings(&row["_asked"]) == settings(asked) => Ok(Some(json!({ kind.1: [row] }))),
        Some(_) => refuse(code, format!("A resource with the name '{name}' exists, but with different settings")),
        None => Ok(None),
    }
}

fn create_load_balancer(world: &mut World, asked: &Value) -> Reply {
    let name = need(asked, "Name")?.to_owned();
    if let Some(twin) = twin(world, BALANCERS, &name, asked, "DuplicateLoadBalancerName")? {
        return Ok(twin);
    }
    let subnets = texts(asked, "Subnets");
    let zones = zones(world, &subnets)?;
    for group in texts(asked, "SecurityGroups") {
        if world.row("groups", &group).is_none() {
            return refuse("InvalidSecurityGroup", format!("The security group '{group}' does not exist"));
        }
    }
    let scheme = asked["Scheme"].as_str().unwrap_or("internet-facing").to_owned();
    world.counter += 1;
    let id = world.counter;
    let arn = world.arn("elasticloadbalancing", &format!("loadbalancer/app/{name}/{id:016x}"));
    let prefix = if scheme == "internal" { "internal-" } else { "" };
    let vpc = world.row("subnets", &subnets[0]).map(|row| row["vpcId"].clone());
    let row = json!({
        "LoadBalancerArn": arn, "DNSName": format!("{prefix}{name}-{id:09}.{}.elb.amazonaws.com", world.region),
        "CanonicalHostedZoneId": ALIAS_ZONE, "CreatedTime": world.date(), "LoadBalancerName": name, "Scheme": scheme,
        "VpcId": vpc, "State": {"Code": "provisioning"}, "Type": "application", "AvailabilityZones": zones,
        "SecurityGroups": texts(asked, "SecurityGroups"), "IpAddressType": "ipv4",
        "_created": world.now, "_asked": asked, "_tags": asked["Tags"],
        "_attributes": [
            {"Key": "deletion_protection.enabled", "Value": "false"}, {"Key": "idle_timeout.timeout_seconds", "Value": "60"},
        ],
    });
    for subnet in &subnets {
        let interface = world.id("eni");
        let groups: Vec<Value> = texts(asked, "SecurityGroups").iter().map(|id| json!({"groupId": id})).collect();
        let shown = json!({
            "networkInterfaceId": interface, "subnetId": subnet, "description": format!("ELB app/{name}/{id:016x}"),
            "groupSet": groups, "requesterId": "amazon-elb", "status": "in-use", "_of": arn, "_until": null,
        });
        world.table("interfaces").insert(interface, shown);
    }
    world.table(BALANCERS.0).insert(arn, row.clone());
    Ok(json!({"LoadBalancers": [row]}))
}

/// At least two zones, and one subnet of each.
fn zones(world: &World, subnets: &[String]) -> Reply {
    let mut zones: Vec<Value> = Vec::new();
    for subnet in subnets {
        let Some(row) = world.row("subnets", subnet) else {
            return refuse("SubnetNotFound", format!("The subnet ID '{subnet}' does not exist"));
        };
        if zones.iter().any(|zone| zone["ZoneName"] == row["availabilityZone"]) {
            return refuse(
                "InvalidConfigurationRequest",
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
            );
        }
        zones.push(json!({"ZoneName": row["availabilityZone"], "SubnetId": subnet}));
    }
    match zones.len() {
        0 | 1 => refuse(
            "InvalidConfigurationRequest",
            "At least two subnets in two different Availability Zones must be specified",
        ),
        _ => Ok(Value::Array(zones)),
    }
}

fn set(world: &mut World, asked: &Value, change: fn(&mut Value, &Value, &World) -> Reply) -> Reply {
    let arn = need(asked, "LoadBalancerArn")?;
    let mut row = one(world, asked, "LoadBalancerArn", BALANCERS)?.clone();
    let reply = change(&mut row, asked, world)?;
    world.table(BALANCERS.0).insert(arn.to_owned(), row);
    Ok(reply)
}

/// "If the load balancer does not exist, the call succeeds" (API reference). Listeners and rules go with it.
fn delete_load_balancer(world: &mut World, asked: &Value) -> Reply {
    let arn = need(asked, "LoadBalancerArn")?;
    let protects = |row: &Value| row["Key"] == "deletion_protection.enabled" && row["Value"] == "true";
    if world.row(BALANCERS.0, arn).is_some_and(|row| list(row, "_attributes").iter().any(protects)) {
        return refuse(
            "OperationNotPermitted",
            format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled"),
        );
    }
    world.table(BALANCERS.0).remove(arn);
    world.table(LISTENERS.0).retain(|_, row| row["LoadBalancerArn"] != arn);
    world.let_interfaces_linger(arn);
    tie_target_groups(world);
    Ok(json!({}))
}

const SETTINGS: [(&str, &str); 8] = [
    ("HealthCheckProtocol", "HTTP"),
    ("HealthCheckPort", "traffic-port"),
    ("HealthCheckPath", "/"),
    ("HealthCheckIntervalSeconds", "30"),
    ("HealthCheckTimeoutSeconds", "5"),
    ("HealthyThresholdCount", "5"),
    ("UnhealthyThresholdCount", "2"),
    ("HealthCheckEnabled", "true"),
];

fn create_target_group(world: &mut World, asked: &Value) -> Reply {
    let name = need(asked, "Name")?.to_owned();
    if let Some(twin) = twin(world, GROUPS, &name, asked, "DuplicateTargetGroupName")? {
        return Ok(twin);
    }
    world.counter += 1;
    let arn = world.arn("elasticloadbalancing", &format!("targetgroup/{name}/{:016x}", world.counter));
    let attribute = |(key, value): (&str, &str)| json!({"Key": key, "Value": value});
    let attributes = [
        ("load_balancing.algorithm.type", "round_robin"),
        ("deregistration_delay.timeout_seconds", "300"),
        ("slow_start.duration_seconds", "0"),
        ("stickiness.enabled", "false"),
    ];
    let mut row = json!({
        "TargetGroupArn": arn, "TargetGroupName": name, "Protocol": asked["Protocol"], "Port": number(asked, "Port"),
        "VpcId": asked["VpcId"], "TargetType": asked["TargetType"].as_str().unwrap_or("instance"),
        "ProtocolVersion": "HTTP1", "IpAddressType": "ipv4", "LoadBalancerArns": [],
        "Matcher": {"HttpCode": asked["Matcher"]["HttpCode"].as_str().unwrap_or("200")},
        "_attributes": attributes.map(attribute), "_targets": [], "_asked": asked, "_tags": asked["Tags"],
    });
    for (field, default) in SETTINGS {
        row[field] = json!(asked[field].as_str().unwrap_or(default));
    }
    world.table(GROUPS.0).insert(arn, row.clone());
    Ok(json!({"TargetGroups": [row]}))
}

fn modify_target_group(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "TargetGroupArn", GROUPS)?;
    for (field, _) in SETTINGS.iter().filter(|(field, _)| asked[field].is_string()) {
        row[field] = asked[field].clone();
    }
    if asked["Matcher"]["HttpCode"].is_string() {
        row["Matcher"] = json!({"HttpCode": asked["Matcher"]["HttpCode"]});
    }
    Ok(json!({"TargetGroups": [row.clone()]}))
}

fn modify_attributes(world: &mut World, asked: &Value, arn: &str, kind: Kind) -> Reply {
    let row = one(world, asked, arn, kind)?;
    for new in list(asked, "Attributes") {
        let known = row["_attributes"].as_array_mut().into_iter().flatten();
        match known.into_iter().find(|old| old["Key"] == new["Key"]) {
            Some(old) => *old = new.clone(),
            None => {
                return refuse(
                    "InvalidConfigurationRequest",
                    format!("The attribute key '{}' is not recognized", new["Key"].as_str().unwrap_or_default()),
                );
            }
        }
    }
    Ok(json!({"Attributes": row["_attributes"]}))
}

fn target_health(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "TargetGroupArn", GROUPS)?.clone();
    let described = list(&row, "_targets").iter().map(|target| {
        let (state, reason, words) = super::health::of(world, &row, target);
        json!({
            "Target": {"Id": target["Id"], "Port": row["Port"]}, "HealthCheckPort": row["HealthCheckPort"],
            "TargetHealth": {"State": state, "Reason": reason, "Description": words},
        })
    });
    Ok(json!({"TargetHealthDescriptions": described.collect::<Vec<_>>()}))
}

fn delete_target_group(world: &mut World, asked: &Value) -> Reply {
    let arn = need(asked, "TargetGroupArn")?;
    let used = world.rows(LISTENERS.0).any(|row| targets(row).any(|target| target == arn));
    if used {
        return refuse("ResourceInUse", format!("Target group '{arn}' is currently in use by a listener or a rule"));
    }
    world.table(GROUPS.0).remove(arn);
    Ok(json!({}))
}

/// Every target group that a listener or its rules forward to.
pub fn targets(listener: &Value) -> impl Iterator<Item = &str> {
    let of_rules = list(listener, "_rules").iter().flat_map(|rule| list(rule, "Actions"));
    let actions = list(listener, "DefaultActions").iter().chain(of_rules);
    actions.filter_map(|action| action["TargetGroupArn"].as_str())
}

/// Target groups know the load balancers that use them.
fn tie_target_groups(world: &mut World) {
    let listeners: Vec<Value> = world.rows(LISTENERS.0).cloned().collect();
    for (arn, row) in world.table(GROUPS.0).iter_mut() {
        let mut users: Vec<&str> = listeners
            .iter()
            .filter(|listener| targets(listener).any(|target| target == arn))
            .filter_map(|listener| listener["LoadBalancerArn"].as_str())
            .collect();
        users.dedup();
        row["LoadBalancerArns"] = json!(users);
    }
}

/// An action as a reply shows it: a forward tells its target group twice, a redirect all its parts.
fn shown_actions(world: &World, asked: &Value) -> Reply {
    let mut shown = Vec::new();
    for (order, action) in list(asked, "DefaultActions").iter().chain(list(asked, "Actions")).enumerate() {
        let mut action = action.clone();
        action["Order"] = json!(order + 1);
        if let Some(arn) = action["TargetGroupArn"].as_str().map(str::to_owned) {
            if world.row(GROUPS.0, &arn).is_none() {
                return refuse("TargetGroupNotFound", format!("One or more target groups not found: {arn}"));
            }
            action["ForwardConfig"] = json!({"TargetGroups": [{"TargetGroupArn": arn, "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": false}});
        }
        shown.push(action);
    }
    Ok(Value::Array(shown))
}

fn checked_certificates(world: &World, asked: &Value) -> Reply {
    let certificates = list(asked, "Certificates");
    if asked["Protocol"] == "HTTPS" && certificates.is_empty() {
        return refuse("ValidationError", "A certificate must be specified for HTTPS listeners");
    }
    for certificate in certificates {
        let arn = certificate["CertificateArn"].as_str().unwrap_or_default();
        if world.row("certificates", arn).is_none() {
            return refuse("CertificateNotFound", format!("Certificate ARN '{arn}' is not found"));
        }
    }
    Ok(Value::Array(certificates.to_vec()))
}

fn create_listener(world: &mut World, asked: &Value) -> Reply {
    let balancer = one(world, asked, "LoadBalancerArn", BALANCERS)?["LoadBalancerArn"].clone();
    let port = number(asked, "Port");
    if let Some(row) =
        world.rows(LISTENERS.0).find(|row| row["LoadBalancerArn"] == balancer && row["Port"].as_i64() == port)
    {
        return match row["_asked"] == *asked {
            true => Ok(json!({"Listeners": [row]})),
            false => refuse("DuplicateListener", "A listener already exists on this port for this load balancer"),
        };
    }
    let (actions, certificates) = (shown_actions(world, asked)?, checked_certificates(world, asked)?);
    world.counter += 1;
    let base = balancer.as_str().unwrap_or_default().replace(":loadbalancer/", ":listener/");
    let arn = format!("{base}/{:016x}", world.counter);
    let row = json!({
        "ListenerArn": arn, "LoadBalancerArn": balancer, "Port": port, "Protocol": asked["Protocol"],
        "Certificates": certificates, "SslPolicy": asked["SslPolicy"], "DefaultActions": actions,
        "_asked": asked, "_tags": asked["Tags"], "_rules": [],
    });
    world.table(LISTENERS.0).insert(arn, row.clone());
    tie_target_groups(world);
    Ok(json!({"Listeners": [row]}))
}

fn describe_listeners(world: &mut World, asked: &Value) -> Reply {
    let arns = texts(asked, "ListenerArns");
    let of = match arns.is_empty() {
        true => one(world, asked, "LoadBalancerArn", BALANCERS)?["LoadBalancerArn"].clone(),
        false => Value::Null,
    };
    let wanted =
        |row: &&Value| row["LoadBalancerArn"] == of || arns.iter().any(|arn| row["ListenerArn"] == arn.as_str());
    Ok(json!({"Listeners": world.rows(LISTENERS.0).filter(wanted).collect::<Vec<_>>()}))
}

fn modify_listener(world: &mut World, asked: &Value) -> Reply {
    let (actions, certificates) = (shown_actions(world, asked)?, checked_certificates(world, asked)?);
    let row = one(world, asked, "ListenerArn", LISTENERS)?;
    if asked["Protocol"].is_string() {
        (row["Protocol"], row["SslPolicy"]) = (asked["Protocol"].clone(), asked["SslPolicy"].clone());
        row["Certificates"] = certificates;
    }
    if !list(&actions, "").is_empty() || actions.as_array().is_some_and(|actions| !actions.is_empty()) {
        row["DefaultActions"] = actions;
    }
    let row = row.clone();
    tie_target_groups(world);
    Ok(json!({"Listeners": [row]}))
}

fn create_rule(world: &mut World, asked: &Value) -> Reply {
    let actions = shown_actions(world, asked)?;
    world.counter += 1;
    let id = world.counter;
    let row = one(world, asked, "ListenerArn", LISTENERS)?;
    let arn = format!(
        "{}/{id:016x}",
        row["ListenerArn"].as_str().unwrap_or_default().replace(":listener/", ":listener-rule/")
    );
    let rule = json!({
        "RuleArn": arn, "Priority": asked["Priority"], "Conditions": asked["Conditions"], "Actions": actions, "IsDefault": false,
    });
    row["_rules"].as_array_mut().into_iter().for_each(|rules| rules.push(rule.clone()));
    tie_target_groups(world);
    Ok(json!({"Rules": [rule]}))
}

fn describe_rules(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "ListenerArn", LISTENERS)?;
    let mut rules = list(row, "_rules").to_vec();
    let arn = row["ListenerArn"].as_str().unwrap_or_default().replace(":listener/", ":listener-rule/");
    rules.push(json!({"RuleArn": format!("{arn}/default"), "Priority": "default", "Actions": row["DefaultActions"], "IsDefault": true}));
    Ok(json!({"Rules": rules}))
}

const TAGGED: [Kind; 3] = [BALANCERS, GROUPS, LISTENERS];

fn describe_tags(world: &mut World, asked: &Value) -> Reply {
    let mut described = Vec::new();
    for arn in texts(asked, "ResourceArns") {
        match TAGGED.iter().find_map(|kind| world.row(kind.0, &arn)) {
            Some(row) => described.push(json!({"ResourceArn": arn, "Tags": list(row, "_tags")})),
            None => return refuse("LoadBalancerNotFound", format!("'{arn}' not found")),
        }
    }
    Ok(json!({"TagDescriptions": described}))
}

fn add_tags(world: &mut World, asked: &Value) -> Reply {
    for arn in texts(asked, "ResourceArns") {
        let Some(kind) = TAGGED.iter().find(|kind| world.row(kind.0, &arn).is_some()) else {
            return refuse("LoadBalancerNotFound", format!("'{arn}' not found"));
        };
        if let Some(row) = world.row_mut(kind.0, &arn) {
            set_tags(row, ("_tags", "Key", "Value"), list(asked, "Tags"));
        }
    }
    Ok(json!({}))
}
