//! What an account has: identity, certificates, parameters, quotas, metrics and alarms. A few calls each of STS, ACM,
//! SSM, Service Quotas and CloudWatch.

use base64::Engine;
use serde_json::{Value, json};

use super::wire::{Refusal, Reply, list, need, refuse, texts};
use super::world::World;

/// One call.
pub fn call(world: &mut World, service: &str, operation: &str, asked: &Value) -> Reply {
    match (service, operation) {
        ("sts", "GetCallerIdentity") => {
            let arn = world.arn("iam", "root");
            Ok(json!({"Account": world.account, "UserId": world.account, "Arn": arn}))
        }
        ("sts", "DecodeAuthorizationMessage") => decode(world, asked),
        ("acm", "ListCertificates") => certificates(world, asked),
        ("acm", "DescribeCertificate") => match world.row("certificates", need(asked, "CertificateArn")?) {
            Some(row) => Ok(json!({"Certificate": without(row, &["SubjectAlternativeNameSummaries", "InUse"])})),
            None => refuse("ResourceNotFoundException", "Could not find certificate"),
        },
        ("ssm", "GetParameter") => refuse("ParameterNotFound", "The parameter was not found."),
        ("servicequotas", "GetServiceQuota") => quota(world, asked),
        ("monitoring", "DescribeAlarms") => Ok(alarms(world, asked)),
        ("monitoring", "GetMetricStatistics") => Ok(statistics(world, asked)),
        ("acm" | "ssm" | "servicequotas" | "monitoring", other) => refuse("UnknownOperationException", other),
        (_, other) => refuse("InvalidAction", format!("Could not find operation {other}")),
    }
}

/// What EC2 encodes when it denies something. The real encoding is secret; this one is base64.
pub fn encoded(action: &str, principal: &str) -> String {
    let told = json!({
        "allowed": false, "explicitDeny": false,
        "context": {"principal": {"arn": principal}, "action": action, "resource": "arn:aws:ec2:*:*:*/*"},
    });
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(told.to_string())
}

fn decode(world: &World, asked: &Value) -> Reply {
    if !world.weather.may_decode {
        return Err(Refusal {
            code: "AccessDenied",
            message: "User is not authorized to perform: sts:DecodeAuthorizationMessage".to_owned(),
            status: 403,
        });
    }
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(need(asked, "EncodedMessage")?);
    match bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(message) => Ok(json!({"DecodedMessage": message})),
        None => refuse("InvalidAuthorizationMessageException", "Message is not valid"),
    }
}

fn quota(world: &World, asked: &Value) -> Reply {
    match (need(asked, "ServiceCode")?, need(asked, "QuotaCode")?) {
        ("ec2", code @ "L-1216C47A") => Ok(json!({"Quota": {
            "ServiceCode": "ec2", "QuotaCode": code, "Unit": "None", "Value": world.weather.vcpus,
            "QuotaName": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
        }})),
        _ => refuse("NoSuchResourceException", "The request failed because the specified service does not exist."),
    }
}

/// The two alarms of each target tracking policy, by the CPU that the weather gives every group.
fn alarms(world: &World, asked: &Value) -> Value {
    let names = texts(asked, "AlarmNames");
    let policies = world.rows("policies_of_groups");
    let all = policies.flat_map(|policy| {
        let target = policy["TargetTrackingConfiguration"]["TargetValue"].as_str().and_then(|text| text.parse::<f64>().ok());
        let (target, cpu) = (target.unwrap_or_default(), world.weather.cpu);
        let high = |name: &str| name.ends_with("AlarmHigh");
        list(policy, "Alarms").iter().filter_map(move |alarm| {
            let name = alarm["AlarmName"].as_str()?;
            let on = if high(name) { cpu > target } else { cpu < target * 0.9 };
            Some(json!({"AlarmName": name, "StateValue": if on { "ALARM" } else { "OK" }, "ActionsEnabled": true, "Threshold": target}))
        })
    });
    let wanted = |alarm: &Value| names.is_empty() || names.iter().any(|name| alarm["AlarmName"] == name.as_str());
    json!({"MetricAlarms": all.filter(wanted).collect::<Vec<_>>(), "CompositeAlarms": []})
}

/// CPU of a group; vCPUs in use of the account.
fn statistics(world: &World, asked: &Value) -> Value {
    let running = world.rows("instances").filter(|row| row["instanceState"]["name"] == "running").count() as f64;
    let value = match asked["MetricName"].as_str() {
        Some("CPUUtilization") if running > 0.0 => Some(world.weather.cpu),
        // 16 each: the guide's c7i-flex.4xlarge.
        Some("ResourceCount") => Some(running * 16.0),
        _ => None,
    };
    let point = |value: f64| json!({"Average": value, "Maximum": value, "Unit": "None"});
    json!({"Label": asked["MetricName"], "Datapoints": value.map(point).into_iter().collect::<Vec<_>>()})
}

/// Without `keyTypes` only RSA of 1024 and 2048 bits are listed (ACM API reference, ListCertificates).
fn certificates(world: &World, asked: &Value) -> Reply {
    let asked_kinds = list(&asked["Includes"], "keyTypes");
    let listed = |row: &&Value| match asked_kinds {
        [] => ["RSA-1024", "RSA-2048"].iter().any(|kind| row["KeyAlgorithm"] == *kind),
        kinds => kinds.iter().any(|kind| {
            kind.as_str().map(|kind| kind.replace('_', "-")) == row["KeyAlgorithm"].as_str().map(str::to_owned)
        }),
    };
    // A certificate is in one region.
    let here = |row: &&Value| {
        row["CertificateArn"].as_str().and_then(|arn| arn.split(':').nth(3)) == asked["_region"].as_str()
    };
    let states = list(asked, "CertificateStatuses");
    let of_state = |row: &&Value| states.is_empty() || states.contains(&row["Status"]);
    let chosen = world.rows("certificates").filter(here).filter(listed).filter(of_state);
    let shown = chosen.map(|row| without(row, &["SubjectAlternativeNames"]));
    Ok(json!({"CertificateSummaryList": shown.collect::<Vec<_>>()}))
}

/// A row is the summary and the details of a certificate in one; each has fields that the other has not.
fn without(row: &Value, fields: &[&str]) -> Value {
    let mut shown = row.clone();
    fields.iter().for_each(|field| shown[field] = Value::Null);
    shown
}
