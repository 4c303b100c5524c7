//! What AWS asks for its parts: its own price list, read live (AWS Billing user guide, "AWS Price List Query API").

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_pricing::types::{Filter, FilterType};
use serde_json::Value;

use crate::cloud::{self, Cloud, partition};

/// On-demand prices, without discounts and taxes. `None`: the price list has none, or more than one.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    /// `USD`, in China `CNY`.
    pub currency: String,
    /// An instance, an hour.
    pub instance_hour: Option<f64>,
    /// gp3, a GiB and month.
    pub gib_month: Option<f64>,
    /// gp3 above [`FREE_IOPS`], each IOPS and month.
    pub iops_month: Option<f64>,
    /// gp3 above [`FREE_MIBPS`], each MiB/s and month.
    pub mibps_month: Option<f64>,
    /// An Application Load Balancer, an hour.
    pub load_balancer_hour: Option<f64>,
}

/// gp3 has so many IOPS and MiB/s in its price (EBS user guide, "General Purpose SSD volumes").
pub const FREE_IOPS: i32 = 3000;
/// See [`FREE_IOPS`].
pub const FREE_MIBPS: i32 = 125;

/// Where the price list of a partition is asked; `None`: nowhere.
pub fn endpoint_region(region: &str) -> Option<&'static str> {
    match partition(region) {
        "aws" if region.starts_with("eu-") => Some("eu-central-1"),
        "aws" if region.starts_with("ap-") => Some("ap-south-1"),
        "aws" => Some("us-east-1"),
        "aws-cn" => Some("cn-northwest-1"),
        _ => None,
    }
}

/// How long the price list may take: nobody waits for a guess of the bill.
pub const TIMEOUT: Duration = Duration::from_secs(8);

/// Reads the prices of an instance type and what stands beside it.
///
/// # Errors
/// The price list does not answer, or may not be read.
pub async fn read(cloud: &Cloud, home: &str, instance_type: &str) -> cloud::Result<Prices> {
    let client = cloud.pricing_in(home);
    let region = ("regionCode", cloud.region.as_str());
    let compute = [
        region,
        ("instanceType", instance_type),
        ("operatingSystem", "Linux"),
        ("tenancy", "Shared"),
        ("preInstalledSw", "NA"),
        ("capacitystatus", "Used"),
    ];
    let volume = [region, ("volumeApiName", "gp3")];
    let balancer = [region, ("productFamily", "Load Balancer-Application")];
    let (instance, volume, balancer) = tokio::try_join!(
        products(&client, "AmazonEC2", &compute),
        products(&client, "AmazonEC2", &volume),
        products(&client, "AWSELB", &balancer),
    )?;
    let all = [&instance, &volume, &balancer];
    let currency = all.into_iter().flatten().find_map(|one| Some(price(one)?.0)).unwrap_or_else(|| "USD".to_owned());
    Ok(Prices {
        currency,
        instance_hour: only(&instance, |usage| usage.contains("BoxUsage")),
        gib_month: only(&volume, |usage| usage.ends_with("EBS:VolumeUsage.gp3")),
        iops_month: only(&volume, |usage| usage.ends_with("EBS:VolumeP-IOPS.gp3")),
        // The list has it by GiB/s.
        mibps_month: only(&volume, |usage| usage.ends_with("EBS:VolumeP-Throughput.gp3")).map(|price| price / 1024.0),
        load_balancer_hour: only(&balancer, |usage| {
            usage.ends_with("LoadBalancerUsage") && !usage.contains("Outposts")
        }),
    })
}

async fn products(
    client: &aws_sdk_pricing::Client,
    service: &str,
    filters: &[(&str, &str)],
) -> cloud::Result<Vec<Value>> {
    let mut request = client.get_products().service_code(service).format_version("aws_v1");
    for (field, value) in filters {
        let filter = Filter::builder().r#type(FilterType::TermMatch).field(*field).value(*value);
        request = request.filters(filter.build()?);
    }
    let listed: Vec<String> = request.into_paginator().items().send().try_collect().await?;
    let read =
        |text: &String| serde_json::from_str(text).map_err(|error| cloud::Error::Reply(format!("a price: {error}")));
    listed.iter().map(read).collect()
}

/// The one price of the products of this kind of usage.
fn only(products: &[Value], is: impl Fn(&str) -> bool) -> Option<f64> {
    let of_usage = |one: &&Value| one["product"]["attributes"]["usagetype"].as_str().is_some_and(&is);
    let prices: Vec<f64> = products.iter().filter(of_usage).filter_map(|one| Some(price(one)?.1)).collect();
    let distinct: BTreeSet<String> = prices.iter().map(f64::to_string).collect();
    prices.first().copied().filter(|_| distinct.len() == 1)
}

/// The currency and the on-demand price of a product.
fn price(product: &Value) -> Option<(String, f64)> {
    let term = product["terms"]["OnDemand"].as_object()?.values().next()?;
    let dimension = term["priceDimensions"].as_object()?.values().next()?;
    let (currency, price) = dimension["pricePerUnit"].as_object()?.iter().next()?;
    Some((currency.clone(), price.as_str()?.parse().ok()?))
}
