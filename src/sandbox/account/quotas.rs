//! Service Quotas.

use serde_json::{Value, json};

use crate::sandbox::wire::{Reply, need, refuse};
use crate::sandbox::world::World;

/// Quotas that the stack uses: service, code, name, value (AWS General Reference). The vCPUs are the weather's.
const QUOTAS: [(&str, &str, &str, f64); 8] = [
    ("ec2", "L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5.0),
    ("ec2", "L-DB2E81BA", "Running On-Demand G and VT instances", 0.0),
    ("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers per Region", 50.0),
    ("elasticloadbalancing", "L-B22855CB", "Target Groups per Region", 3000.0),
    ("autoscaling", "L-CDE20ADC", "Auto Scaling groups per region", 500.0),
    ("vpc", "L-F678F1CE", "VPCs per Region", 5.0),
    ("vpc", "L-E79EC296", "VPC security groups per Region", 2500.0),
    ("vpc", "L-0EA8095F", "Inbound or outbound rules per security group", 60.0),
];

/// One call; `None`: not one of Service Quotas that the sandbox has.
pub fn call(world: &World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "GetServiceQuota" => get(asked, Some(world)),
        "GetAWSDefaultServiceQuota" => get(asked, None),
        "ListServiceQuotas" => all(world, asked),
        _ => return None,
    })
}

fn shown((service, code, name, value): (&str, &str, &str, f64), world: Option<&World>) -> Value {
    let own = world.and_then(|world| world.weather.quotas.get(code).copied());
    let vcpus = world.map(|world| world.weather.vcpus).filter(|_| code == "L-1216C47A");
    let value = own.or(vcpus).unwrap_or(value);
    json!({
        "ServiceCode": service, "ServiceName": service, "QuotaCode": code, "QuotaName": name, "Value": value,
        "QuotaArn": format!("arn:aws:servicequotas:::{service}/{code}"), "Unit": "None", "Adjustable": true,
        "GlobalQuota": false,
    })
}

fn get(asked: &Value, world: Option<&World>) -> Reply {
    let (service, code) = (need(asked, "ServiceCode")?, need(asked, "QuotaCode")?);
    match QUOTAS.into_iter().find(|quota| (quota.0, quota.1) == (service, code)) {
        Some(quota) => Ok(json!({"Quota": shown(quota, world)})),
        None => refuse("NoSuchResourceException", "The request failed because the specified service does not exist."),
    }
}

fn all(world: &World, asked: &Value) -> Reply {
    let service = need(asked, "ServiceCode")?;
    let of_service = QUOTAS.into_iter().filter(|quota| quota.0 == service);
    let quotas: Vec<Value> = of_service.map(|quota| shown(quota, Some(world))).collect();
    if quotas.is_empty() {
        refuse("NoSuchResourceException", "The request failed because the specified service does not exist.")
    } else {
        Ok(json!({ "Quotas": quotas }))
    }
}
