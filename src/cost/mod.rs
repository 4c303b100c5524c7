//! What the stack costs a month: at its least, as it is now, at its most. Never a guess: what has no price is unknown.

mod prices;

use serde_json::Value;

use crate::clock::Wait;
use crate::cloud::Cloud;
use crate::config::Config;
use crate::outcome::{Band, Cost};
use prices::{FREE_IOPS, FREE_MIBPS, Prices, TIMEOUT, endpoint_region};

/// AWS counts a month as so many hours.
const HOURS: f64 = 730.0;

/// What is not in it.
pub const NOT_INCLUDED: &str =
    "the product's own fee on AWS Marketplace, the load balancer's capacity units, traffic, NAT, discounts and taxes";

/// What runs now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Running {
    /// How many instances; `None`: that is not known.
    pub instances: Option<i32>,
    /// Whether they are of deploy.yaml's type and volume.
    pub is_as_wanted: bool,
    /// Whether the load balancer stands.
    pub has_load_balancer: bool,
}

/// Asks AWS's price list what deploy.yaml's stack costs.
pub async fn monthly(cloud: &Cloud, config: &Config, running: &Running, wait: &Wait<'_>) -> Cost {
    let Some(home) = endpoint_region(&cloud.region) else {
        return unknown(format!("AWS has no price list for {}", cloud.region));
    };
    let read = prices::read(cloud, home, &config.instance.instance_type);
    match wait.at_most(TIMEOUT).within(read).await {
        Ok(Ok(prices)) => of(config, &prices, running),
        Ok(Err(error)) => unknown(format!("AWS's price list: {error}")),
        Err(_) => unknown(format!("AWS's price list did not answer within {} s", TIMEOUT.as_secs())),
    }
}

fn unknown(why: String) -> Cost {
    Cost { not_included: NOT_INCLUDED, unknown: Some(why), ..Cost::default() }
}

/// The bill at these prices.
fn of(config: &Config, prices: &Prices, running: &Running) -> Cost {
    let volume = &config.instance.volume;
    let above = |value: i32, free: i32| f64::from((value - free).max(0));
    let parts = [
        ("instance", prices.instance_hour.map(|price| price * HOURS)),
        ("gp3 GiB", prices.gib_month.map(|price| price * f64::from(volume.size_gib))),
        ("gp3 IOPS", prices.iops_month.map(|price| price * above(volume.iops, FREE_IOPS))),
        ("gp3 throughput", prices.mibps_month.map(|price| price * above(volume.throughput_mibps, FREE_MIBPS))),
        ("load balancer", prices.load_balancer_hour.map(|price| price * HOURS)),
    ];
    let missing: Vec<&str> = parts.iter().filter(|(_, price)| price.is_none()).map(|(what, _)| *what).collect();
    if !missing.is_empty() {
        let (kind, region) = (&config.instance.instance_type, config.region.as_deref().unwrap_or("this region"));
        return unknown(format!("AWS's price list has no price of {} for {kind} in {region}", missing.join(", ")));
    }
    let [instance, gib, iops, throughput, load_balancer] = parts.map(|(_, price)| price.unwrap_or_default());
    let each = instance + gib + iops + throughput;
    let at = |instances: i32| rounded(f64::from(instances) * each + load_balancer);
    let now = match running.instances {
        Some(0) if !running.has_load_balancer => Some(0.0),
        Some(instances) if running.is_as_wanted => {
            Some(rounded(f64::from(instances) * each + if running.has_load_balancer { load_balancer } else { 0.0 }))
        }
        _ => None,
    };
    Cost {
        currency: Some(prices.currency.clone()),
        monthly: Band { min: Some(at(config.scaling.min)), now, max: Some(at(config.scaling.max)) },
        instance: Some(rounded(each)),
        load_balancer: Some(rounded(load_balancer)),
        instances: Band { min: Some(config.scaling.min), now: running.instances, max: Some(config.scaling.max) },
        not_included: NOT_INCLUDED,
        unknown: None,
    }
}

/// To a cent.
fn rounded(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

/// Whether a launch template's spec is of deploy.yaml's type and volume, as far as that has a price.
pub fn is_as_wanted(spec: &Value, config: &Config) -> bool {
    let volume = &config.instance.volume;
    spec["instance_type"] == config.instance.instance_type.as_str()
        && spec["volume"]["size_gib"] == volume.size_gib
        && spec["volume"]["iops"] == volume.iops
        && spec["volume"]["throughput_mibps"] == volume.throughput_mibps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Network;

    fn config() -> Config {
        let network = Network { vpc: "vpc-1".to_owned(), private_subnets: Vec::new(), public_subnets: Vec::new() };
        Config::new(network)
    }

    fn prices() -> Prices {
        Prices {
            currency: "USD".to_owned(),
            instance_hour: Some(0.5),
            gib_month: Some(0.1),
            iops_month: Some(0.01),
            mibps_month: Some(0.1),
            load_balancer_hour: Some(0.02),
        }
    }

    /// 0.5 × 730 + 50 × 0.1 + (12000 − 3000) × 0.01 + (500 − 125) × 0.1 = 497.5 each, and 14.6 for the load balancer.
    #[test]
    fn the_bill_counts_what_is_above_the_free_part() {
        let running = Running { instances: Some(3), is_as_wanted: true, has_load_balancer: true };
        let cost = of(&config(), &prices(), &running);
        assert_eq!((cost.instance, cost.load_balancer), (Some(497.5), Some(14.6)));
        assert_eq!(cost.monthly, Band { min: Some(1009.6), now: Some(1507.1), max: Some(45287.1) });
        let mut small = config();
        (small.instance.volume.iops, small.instance.volume.throughput_mibps) = (3000, 125);
        assert_eq!(of(&small, &prices(), &running).instance, Some(370.0));
    }

    #[test]
    fn what_has_no_price_is_unknown_and_never_nothing() {
        let cost = of(&config(), &Prices { iops_month: None, ..prices() }, &Running::default());
        assert!(cost.unknown.is_some_and(|why| why.contains("no price of gp3 IOPS")));
        assert_eq!(cost.monthly, Band::default());
        let other = Running { instances: Some(2), is_as_wanted: false, has_load_balancer: true };
        assert_eq!(of(&config(), &prices(), &other).monthly.now, None);
    }
}
