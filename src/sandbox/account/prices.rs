//! AWS's price list, as far as the stack needs it. Form and usage types are AWS's; the prices are the sandbox's own.

use serde_json::{Value, json};

use crate::sandbox::ec2::vcpus;
use crate::sandbox::wire::{Reply, list, need};
use crate::sandbox::world::World;

/// A vCPU, an hour.
const VCPU_HOUR: f64 = 0.05;

/// One call; `None`: not one of the price list that the sandbox has.
pub fn call(world: &World, operation: &str, asked: &Value) -> Option<Reply> {
    (operation == "GetProducts").then(|| products(world, asked))
}

/// GetProducts: what has every value that is asked for (API reference: `TERM_MATCH`).
fn products(world: &World, asked: &Value) -> Reply {
    let service = need(asked, "ServiceCode")?;
    let wanted = |product: &&Value| {
        list(asked, "Filters").iter().all(|filter| {
            let field = filter["Field"].as_str().unwrap_or_default();
            let value = match field {
                "productFamily" => &product["product"]["productFamily"],
                field => &product["product"]["attributes"][field],
            };
            value == &filter["Value"]
        })
    };
    let kind = list(asked, "Filters").iter().find(|filter| filter["Field"] == "instanceType");
    let all = match service {
        "AmazonEC2" => of_ec2(&world.region, kind.and_then(|filter| filter["Value"].as_str())),
        "AWSELB" => of_load_balancing(&world.region),
        _ => Vec::new(),
    };
    let found: Vec<Value> = all.iter().filter(wanted).map(|product| json!(product.to_string())).collect();
    Ok(json!({"FormatVersion": "aws_v1", "PriceList": found}))
}

fn of_ec2(region: &str, kind: Option<&str>) -> Vec<Value> {
    let gp3 = |usage: &str, family: &str, unit: &str, price: f64| {
        let attributes =
            json!({"regionCode": region, "volumeApiName": "gp3", "usagetype": format!("EUC1-EBS:{usage}")});
        product(family, attributes, unit, price)
    };
    let volumes = [
        gp3("VolumeUsage.gp3", "Storage", "GB-Mo", 0.1),
        gp3("VolumeP-IOPS.gp3", "System Operation", "IOPS-Mo", 0.006),
        gp3("VolumeP-Throughput.gp3", "Provisioned Throughput", "GiBps-mo", 48.0),
    ];
    let instance = kind.and_then(|kind| Some((kind, vcpus(kind)?))).map(|(kind, vcpus)| {
        let attributes = json!({
            "regionCode": region, "instanceType": kind, "operatingSystem": "Linux", "tenancy": "Shared",
            "preInstalledSw": "NA", "capacitystatus": "Used", "usagetype": format!("EUC1-BoxUsage:{kind}"),
        });
        product("Compute Instance", attributes, "Hrs", vcpus * VCPU_HOUR)
    });
    volumes.into_iter().chain(instance).collect()
}

fn of_load_balancing(region: &str) -> Vec<Value> {
    let usages = [("LoadBalancerUsage", 0.025), ("LCUUsage", 0.008), ("Outposts-LoadBalancerUsage", 0.03)];
    let one = |(usage, price): (&str, f64)| {
        let attributes = json!({"regionCode": region, "usagetype": format!("EUC1-{usage}")});
        product("Load Balancer-Application", attributes, "Hrs", price)
    };
    usages.map(one).into()
}

fn product(family: &str, attributes: Value, unit: &str, price: f64) -> Value {
    let dimension = json!({"unit": unit, "pricePerUnit": {"USD": format!("{price:.10}")}});
    json!({
        "product": {"productFamily": family, "attributes": attributes},
        "terms": {"OnDemand": {"SKU.JRTCKXETXF": {"priceDimensions": {"SKU.JRTCKXETXF.6YS6EN2CT7": dimension}}}},
    })
}
