//! What an account has: identity, certificates, parameters, quotas, metrics and alarms. A few calls each of STS, ACM,
//! SSM, Service Quotas, CloudWatch and WAF.

mod certificates;
pub mod firewalls;
mod identity;
mod metrics;
mod parameters;
mod prices;
mod quotas;

use serde_json::Value;

use super::parameters::missing_as;
use super::wire::{Reply, refuse};
use super::world::World;
pub use identity::encoded;

/// One call.
pub fn call(world: &mut World, service: &str, operation: &str, asked: &Value) -> Reply {
    let reply = match service {
        "sts" => identity::call(world, operation, asked),
        "acm" => certificates::call(world, operation, asked),
        "ssm" => parameters::call(world, operation, asked),
        "servicequotas" => quotas::call(world, operation, asked),
        "pricing" => prices::call(world, operation, asked),
        "monitoring" => metrics::call(world, operation, asked),
        "wafv2" => firewalls::call(world, operation, asked),
        _ => None,
    };
    match (reply, service) {
        (Some(reply), "sts" | "monitoring") => missing_as("ValidationError", reply),
        (Some(reply), _) => missing_as("ValidationException", reply),
        (None, "acm" | "pricing" | "ssm" | "servicequotas" | "wafv2") => refuse("UnknownOperationException", operation),
        (None, _) => refuse("InvalidAction", format!("Could not find operation {operation}")),
    }
}
