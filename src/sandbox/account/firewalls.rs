//! WAF: which web ACL stands before a load balancer.

use serde_json::{Value, json};

use crate::sandbox::tables::{BALANCERS, WEB_ACLS};
use crate::sandbox::wire::{Refusal, Reply, need, refuse};
use crate::sandbox::world::World;

/// One call; `None`: not one of WAF that the sandbox has.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "AssociateWebACL" => associate(world, asked),
        "DisassociateWebACL" => balancer(world, asked).map(|row| row["_web_acl"] = Value::Null).map(|()| json!({})),
        "GetWebACLForResource" => for_resource(world, asked),
        "ListWebACLs" => summaries(world, asked),
        _ => return None,
    })
}

/// The ARN of the web ACL before this load balancer.
pub fn before(world: &World, balancer: &str) -> Option<String> {
    world.row(BALANCERS, balancer)?["_web_acl"].as_str().map(str::to_owned)
}

/// A resource has one web ACL at most: another takes its place ("Associating or disassociating protection with an AWS
/// resource", developer guide).
fn associate(world: &mut World, asked: &Value) -> Reply {
    let acl = need(asked, "WebACLArn")?;
    if world.row(WEB_ACLS, acl).is_none() {
        return nonexistent();
    }
    balancer(world, asked)?["_web_acl"] = json!(acl);
    Ok(json!({}))
}

/// Without a web ACL the answer is empty.
fn for_resource(world: &mut World, asked: &Value) -> Reply {
    let acl = balancer(world, asked)?["_web_acl"].clone();
    Ok(json!({"WebACL": acl.as_str().and_then(|arn| world.row(WEB_ACLS, arn))}))
}

fn summaries(world: &World, asked: &Value) -> Reply {
    let scope = need(asked, "Scope")?;
    let summary = |row: &Value| {
        json!({
            "Name": row["Name"], "Id": row["Id"], "ARN": row["ARN"], "LockToken": row["_lock_token"],
        })
    };
    let all: Vec<Value> = if scope == "REGIONAL" { world.rows(WEB_ACLS).map(summary).collect() } else { Vec::new() };
    Ok(json!({ "WebACLs": all }))
}

/// Of the resources that WAF protects, the sandbox has load balancers.
fn balancer<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let arn = need(asked, "ResourceArn")?;
    if !arn.starts_with("arn:aws:") {
        let why = "The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by \
                   colons or slashes.";
        let message = format!("Error reason: {why}, field: RESOURCE_ARN, parameter: {arn}");
        return refuse("WAFInvalidParameterException", message);
    }
    match world.row_mut(BALANCERS, arn) {
        Some(row) => Ok(row),
        None => nonexistent(),
    }
}

/// Also what WAF says of a load balancer that was just made (kubernetes-sigs/aws-load-balancer-controller#2022).
fn nonexistent<T>() -> Result<T, Refusal> {
    let message = "AWS WAF couldn’t perform the operation because your resource doesn’t exist.";
    refuse("WAFNonexistentItemException", message)
}
