//! ELBv2: what listeners and rules do with requests.

use serde_json::{Value, json};

use super::{GROUPS, LISTENERS, invalid};
use crate::sandbox::wire::{Refusal, Reply, list, need, refuse};
use crate::sandbox::world::World;

/// Every target group that a listener or its rules forward to.
pub fn targets(listener: &Value) -> impl Iterator<Item = &str> {
    let of_rules = list(listener, "_rules").iter().flat_map(|rule| list(rule, "Actions"));
    list(listener, "DefaultActions").iter().chain(of_rules).flat_map(forwards)
}

/// The target groups of one action.
fn forwards(action: &Value) -> Vec<&str> {
    if let Some(arn) = action["TargetGroupArn"].as_str() {
        vec![arn]
    } else {
        let groups = list(&action["ForwardConfig"], "TargetGroups").iter();
        groups.filter_map(|group| group["TargetGroupArn"].as_str()).collect()
    }
}

/// Target groups know the load balancers that use them.
pub fn tie_target_groups(world: &mut World) {
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

/// Actions as a reply shows them: a forward tells its target group twice, a redirect all its parts.
pub fn shown(world: &World, asked: &[Value], balancer: &Value) -> Reply {
    let mut shown = Vec::new();
    for (order, action) in asked.iter().enumerate() {
        let mut action = action.clone();
        action["Order"] = json!(order + 1);
        match need(&action, "Type")? {
            "forward" => forward(world, &mut action, balancer)?,
            "redirect" => redirect(&mut action)?,
            "fixed-response" => {
                let code = action["FixedResponseConfig"]["StatusCode"].as_str().unwrap_or_default();
                if code.len() != 3 || !code.starts_with(['2', '4', '5']) {
                    return invalid(format!("The fixed response's status code '{code}' must be 2XX, 4XX or 5XX"));
                }
            }
            "authenticate-oidc" => hide_secret(&mut action)?,
            "authenticate-cognito" | "jwt-validation" => {}
            other => return invalid(format!("Action type '{other}' must be one of 'redirect,fixed-response,forward'")),
        }
        shown.push(action);
    }
    Ok(Value::Array(shown))
}

fn forward(world: &World, action: &mut Value, balancer: &Value) -> Result<(), Refusal> {
    let arns: Vec<String> = forwards(action).into_iter().map(str::to_owned).collect();
    if arns.is_empty() {
        return invalid("A target group ARN must be specified");
    }
    for arn in &arns {
        let Some(row) = world.row(GROUPS.0, arn) else {
            return refuse("TargetGroupNotFound", format!("Target groups '{arn}' not found"));
        };
        // One load balancer for each target group ("Target groups for your Application Load Balancers", user guide).
        if list(row, "LoadBalancerArns").iter().any(|other| other != balancer) {
            return refuse(
                "TargetGroupAssociationLimit",
                format!("The following target groups cannot be associated with more than one load balancer: {arn}"),
            );
        }
    }
    if let [arn] = arns.as_slice() {
        action["TargetGroupArn"] = json!(arn);
        action["ForwardConfig"] = json!({
            "TargetGroups": [{"TargetGroupArn": arn, "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": false},
        });
    }
    Ok(())
}

/// No reply shows a client's secret; a request gives one, or says that it stays (API reference,
/// AuthenticateOidcActionConfig). The words of the refusal are assumed.
fn hide_secret(action: &mut Value) -> Result<(), Refusal> {
    let Some(config) = action["AuthenticateOidcConfig"].as_object_mut() else {
        return invalid("The authenticate-oidc action must have a configuration");
    };
    let (secret, kept) = (config.remove("ClientSecret"), config.remove("UseExistingClientSecret"));
    if secret.is_none() && kept.is_none_or(|kept| kept != "true") {
        return invalid("A client secret must be specified");
    }
    Ok(())
}

fn redirect(action: &mut Value) -> Result<(), Refusal> {
    let config = &mut action["RedirectConfig"];
    if config["StatusCode"] != "HTTP_301" && config["StatusCode"] != "HTTP_302" {
        return invalid("The redirect's status code must be one of 'HTTP_301, HTTP_302'");
    }
    let parts = [
        ("Protocol", "#{protocol}"),
        ("Port", "#{port}"),
        ("Host", "#{host}"),
        ("Path", "/#{path}"),
        ("Query", "#{query}"),
    ];
    for (part, same) in parts {
        if config[part].is_null() {
            config[part] = json!(same);
        }
    }
    if parts[..4].iter().all(|(part, same)| config[part] == *same) {
        return refuse(
            "InvalidLoadBalancerAction",
            "The redirect configuration is not valid because it creates a loop.",
        );
    }
    Ok(())
}
