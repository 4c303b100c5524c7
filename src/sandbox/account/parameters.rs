//! SSM: the public parameter that names the product's image.

use serde_json::{Value, json};

use crate::sandbox::seed;
use crate::sandbox::wire::{Reply, list, need, refuse};
use crate::sandbox::world::World;

/// The product's newest image, as AWS Marketplace publishes it (Marketplace buyer guide, "Launch using a Systems
/// Manager parameter").
const IMAGE: &str = "/aws/service/marketplace/prod-ozsandbox00001/latest";
/// Seconds since 1970: 2025-01-01.
const PUBLISHED: u64 = 1_735_689_600;

/// One call; `None`: not one of SSM that the sandbox has.
pub fn call(world: &World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "GetParameter" => get(world, asked),
        "GetParameters" => get_all(world, asked),
        _ => return None,
    })
}

/// A parameter by name or ARN.
fn found(world: &World, name: &str) -> Option<Value> {
    let arn = format!("arn:aws:ssm:{}::parameter{IMAGE}", world.region);
    (name == IMAGE || name == arn).then(|| {
        json!({
            "Name": IMAGE, "Type": "String", "Value": seed().images[0].id, "Version": 1, "ARN": arn,
            "LastModifiedDate": PUBLISHED, "DataType": "aws:ec2:image",
        })
    })
}

fn get(world: &World, asked: &Value) -> Reply {
    match found(world, need(asked, "Name")?) {
        Some(parameter) => Ok(json!({ "Parameter": parameter })),
        None => refuse("ParameterNotFound", ""),
    }
}

fn get_all(world: &World, asked: &Value) -> Reply {
    let names = list(asked, "Names").iter().filter_map(Value::as_str);
    let (there, missing): (Vec<&str>, Vec<&str>) = names.partition(|name| found(world, name).is_some());
    let parameters: Vec<Value> = there.into_iter().filter_map(|name| found(world, name)).collect();
    Ok(json!({"Parameters": parameters, "InvalidParameters": missing}))
}
