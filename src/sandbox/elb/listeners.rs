//! ELBv2: listeners and their certificates.

use serde_json::{Value, json};

use super::{BALANCERS, LISTENERS, absent, actions, attributes, invalid, one, security_policies, tags, within};
use crate::sandbox::wire::{Refusal, Reply, list, need, number, refuse, texts};
use crate::sandbox::world::World;

/// One call; `None`: it is not about listeners.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "CreateListener" => create(world, asked),
        "DescribeListeners" => describe(world, asked),
        "ModifyListener" => modify(world, asked),
        "DeleteListener" => delete(world, asked),
        "DescribeListenerCertificates" => certificates(world, asked),
        "AddListenerCertificates" => add_certificates(world, asked),
        "RemoveListenerCertificates" => remove_certificates(world, asked),
        _ => return None,
    })
}

/// What a listener speaks, as a reply shows it.
fn transport(world: &World, asked: &Value, row: &Value) -> Reply {
    let protocol = asked["Protocol"].as_str().or(row["Protocol"].as_str());
    let (given, policy) = (list(asked, "Certificates"), asked["SslPolicy"].as_str());
    match protocol {
        Some("HTTP") if !given.is_empty() => invalid("A certificate cannot be specified for HTTP listeners"),
        Some("HTTP") if policy.is_some() => invalid("An SSL policy cannot be specified for HTTP listeners"),
        Some("HTTP") => {
            Ok(json!({"Protocol": "HTTP", "Certificates": [], "SslPolicy": null, "MutualAuthentication": null}))
        }
        Some("HTTPS") => {
            let certificates = if given.is_empty() { list(row, "Certificates") } else { given };
            check_certificates(world, certificates)?;
            let policy = policy.or(row["SslPolicy"].as_str()).unwrap_or(security_policies::DEFAULT);
            security_policies::check(policy)?;
            Ok(json!({
                "Protocol": "HTTPS", "Certificates": certificates, "SslPolicy": policy,
                "MutualAuthentication": {"Mode": "off"},
            }))
        }
        Some(other) => invalid(format!("Listener protocol '{other}' must be one of 'HTTPS, HTTP'")),
        None => invalid("A listener protocol must be specified"),
    }
}

/// Exactly one, that exists and was issued.
fn check_certificates(world: &World, certificates: &[Value]) -> Result<(), Refusal> {
    match certificates {
        [] => return invalid("A certificate must be specified for HTTPS listeners"),
        [_] => {}
        _ => return invalid("Only one certificate can be specified as the default of a listener"),
    }
    certificates.iter().try_for_each(|certificate| check_certificate(world, certificate))
}

fn check_certificate(world: &World, certificate: &Value) -> Result<(), Refusal> {
    let arn = certificate["CertificateArn"].as_str().unwrap_or_default();
    match world.row("certificates", arn) {
        None if !arn.starts_with("arn:aws:") => invalid(format!("Certificate ARN '{arn}' is not valid")),
        None => refuse("CertificateNotFound", format!("Certificate ARN '{arn}' is not found")),
        Some(row) if row["Status"] != "ISSUED" => refuse(
            "UnsupportedCertificate",
            format!(
                "The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a \
                 supported key size."
            ),
        ),
        Some(_) => Ok(()),
    }
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let balancer = one(world, asked, "LoadBalancerArn", BALANCERS)?["LoadBalancerArn"].clone();
    tags::check(asked)?;
    let port = number(asked, "Port");
    if port.is_none() {
        return invalid("A listener port must be specified");
    }
    within(asked, "Port", 1..=65_535)?;
    if let Some(row) =
        world.rows(LISTENERS.0).find(|row| row["LoadBalancerArn"] == balancer && row["Port"].as_i64() == port)
    {
        return if row["_asked"] == *asked {
            Ok(json!({"Listeners": [row]}))
        } else {
            refuse("DuplicateListener", "A listener already exists on this port for this load balancer")
        };
    }
    let transport = transport(world, asked, &Value::Null)?;
    let actions = actions::shown(world, list(asked, "DefaultActions"), &balancer)?;
    world.counter += 1;
    let base = balancer.as_str().unwrap_or_default().replace(":loadbalancer/", ":listener/");
    let arn = format!("{base}/{:016x}", world.counter);
    let row = json!({
        "ListenerArn": arn, "LoadBalancerArn": balancer, "Port": port, "Protocol": transport["Protocol"],
        "Certificates": transport["Certificates"], "SslPolicy": transport["SslPolicy"], "DefaultActions": actions,
        "MutualAuthentication": transport["MutualAuthentication"], "_asked": asked, "_tags": asked["Tags"],
        "_rules": [],
        "_attributes": attributes::of_listener(), "_certificates": [],
    });
    world.table(LISTENERS.0).insert(arn, row.clone());
    actions::tie_target_groups(world);
    Ok(json!({"Listeners": [row]}))
}

fn describe(world: &mut World, asked: &Value) -> Reply {
    let arns = texts(asked, "ListenerArns");
    if arns.is_empty() {
        if asked["LoadBalancerArn"].is_null() {
            return invalid("You must specify either listener ARNs or a load balancer ARN");
        }
        let of = one(world, asked, "LoadBalancerArn", BALANCERS)?["LoadBalancerArn"].clone();
        let of_balancer = world.rows(LISTENERS.0).filter(|row| row["LoadBalancerArn"] == of);
        return Ok(json!({"Listeners": of_balancer.collect::<Vec<_>>()}));
    }
    let found: Vec<&Value> = arns.iter().filter_map(|arn| world.row(LISTENERS.0, arn)).collect();
    if found.len() == arns.len() { Ok(json!({ "Listeners": found })) } else { absent(LISTENERS) }
}

fn modify(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "ListenerArn", LISTENERS)?.clone();
    within(asked, "Port", 1..=65_535)?;
    let transport = transport(world, asked, &row)?;
    let actions = actions::shown(world, list(asked, "DefaultActions"), &row["LoadBalancerArn"])?;
    let port = number(asked, "Port");
    let beside = |other: &Value| {
        other["LoadBalancerArn"] == row["LoadBalancerArn"] && other["ListenerArn"] != row["ListenerArn"]
    };
    if world.rows(LISTENERS.0).any(|other| beside(other) && port.is_some() && other["Port"].as_i64() == port) {
        return refuse("DuplicateListener", "A listener already exists on this port for this load balancer");
    }
    let row = one(world, asked, "ListenerArn", LISTENERS)?;
    for (field, value) in transport.as_object().into_iter().flatten() {
        row[field] = value.clone();
    }
    if let Some(port) = port {
        row["Port"] = json!(port);
    }
    if actions.as_array().is_some_and(|actions| !actions.is_empty()) {
        row["DefaultActions"] = actions;
    }
    let row = row.clone();
    actions::tie_target_groups(world);
    Ok(json!({"Listeners": [row]}))
}

fn delete(world: &mut World, asked: &Value) -> Reply {
    one(world, asked, "ListenerArn", LISTENERS)?;
    world.table(LISTENERS.0).remove(need(asked, "ListenerArn")?);
    actions::tie_target_groups(world);
    Ok(json!({}))
}

/// The default one, and those for other names.
fn certificates(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "ListenerArn", LISTENERS)?;
    let shown = |certificate: &Value, is_default: bool| {
        let arn = &certificate["CertificateArn"];
        json!({"CertificateArn": arn, "IsDefault": is_default})
    };
    let default = list(row, "Certificates").iter().map(|one| shown(one, true));
    let others = list(row, "_certificates").iter().map(|one| shown(one, false));
    Ok(json!({"Certificates": default.chain(others).collect::<Vec<_>>()}))
}

fn add_certificates(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "ListenerArn", LISTENERS)?.clone();
    if row["Protocol"] != "HTTPS" {
        return invalid("Certificates cannot be specified for HTTP listeners");
    }
    let given = list(asked, "Certificates");
    given.iter().try_for_each(|certificate| check_certificate(world, certificate))?;
    let mut all = list(&row, "_certificates").to_vec();
    all.retain(|old| !given.contains(old));
    all.extend(given.iter().cloned());
    one(world, asked, "ListenerArn", LISTENERS)?["_certificates"] = Value::Array(all);
    let shown = given.iter().map(|one| json!({"CertificateArn": one["CertificateArn"], "IsDefault": false}));
    Ok(json!({"Certificates": shown.collect::<Vec<_>>()}))
}

fn remove_certificates(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "ListenerArn", LISTENERS)?;
    let gone = list(asked, "Certificates");
    if gone.iter().any(|one| list(row, "Certificates").iter().any(|own| own["CertificateArn"] == one["CertificateArn"]))
    {
        return refuse("OperationNotPermitted", "The default certificate of a listener cannot be removed");
    }
    let mut left = list(row, "_certificates").to_vec();
    left.retain(|old| !gone.iter().any(|one| one["CertificateArn"] == old["CertificateArn"]));
    row["_certificates"] = Value::Array(left);
    Ok(json!({}))
}
