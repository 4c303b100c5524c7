//! What the load balancer does with a request: the way from a host's name to the service behind it.

use http::StatusCode;
use serde_json::Value;

use super::elb::{active, targets};
use super::health;
use super::weather::is_of;
use super::wire::list;
use super::world::World;
use crate::oz::{NoAnswer, Stage};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// To a healthy target.
    Service,
    /// Back to the client, to come again by https: to this name, `#{host}` for the one that it asked.
    Redirect(String),
    /// To an identity provider, to sign in first: where that is.
    Login(String),
    /// To nobody.
    Unavailable(StatusCode),
}

/// What happens to a request for this host on this port; healthy targets take turns.
///
/// # Errors
/// The name does not resolve, or nobody answers there.
pub fn route(world: &World, host: &str, port: u16, turn: usize) -> Result<Route, NoAnswer> {
    let silent = |why: String| NoAnswer::at(Stage::Connection, why);
    let balancer = resolve(world, &host.to_lowercase())
        .ok_or_else(|| NoAnswer::at(Stage::Name, format!("{host} does not resolve")))?;
    if !active(world, balancer) {
        return Err(silent(format!("{host} does not answer: the load balancer is provisioning")));
    }
    if !opens(world, balancer, port.into()) {
        let why = format!("{host}:{port} does not answer: no security group of the load balancer opens the port");
        return Err(silent(why));
    }
    let Some(listener) = listener(world, balancer, port) else {
        return Err(NoAnswer::at(Stage::Refused, format!("{host}:{port}: connection refused")));
    };
    if let Some(action) = list(listener, "DefaultActions").iter().find(|action| action["Type"] == "redirect") {
        let to = action["RedirectConfig"]["Host"].as_str().unwrap_or("#{host}");
        return Ok(Route::Redirect(to.to_owned()));
    }
    // Who has no session is sent away to sign in (user guide, "Authenticate users": OnUnauthenticatedRequest).
    let login = list(listener, "DefaultActions").iter().find_map(|action| {
        let config = &action["AuthenticateOidcConfig"];
        let asks = config["OnUnauthenticatedRequest"].as_str().unwrap_or("authenticate") == "authenticate";
        config["AuthorizationEndpoint"].as_str().filter(|_| asks)
    });
    if let Some(to) = login {
        return Ok(Route::Login(to.to_owned()));
    }
    let groups = targets(listener).filter_map(|arn| world.row("target_groups", arn));
    let healthy: Vec<&Value> = groups
        .flat_map(|group| {
            let targets = list(group, "_targets").iter();
            targets.filter(|target| health::of(world, group, target).0 == "healthy")
        })
        .filter_map(|target| world.row("instances", target["Id"].as_str()?))
        .collect();
    Ok(match healthy.get(turn % healthy.len().max(1)) {
        Some(instance) if is_of(instance, &world.weather.mute) => Route::Unavailable(StatusCode::BAD_GATEWAY),
        Some(_) => Route::Service,
        None => Route::Unavailable(StatusCode::SERVICE_UNAVAILABLE),
    })
}

/// The listener of a port.
pub fn listener<'a>(world: &'a World, balancer: &Value, port: u16) -> Option<&'a Value> {
    let mut listeners = world.rows("listeners").filter(|row| row["LoadBalancerArn"] == balancer["LoadBalancerArn"]);
    listeners.find(|row| row["Port"] == port)
}

/// The load balancer of this name, or the one that a record of this name is an alias of.
pub fn resolve<'a>(world: &'a World, host: &str) -> Option<&'a Value> {
    let named = |name: &str| {
        world.rows("balancers").find(|row| row["DNSName"].as_str().is_some_and(|dns| dns.to_lowercase() == name))
    };
    let mut records = world.rows("zones").flat_map(|zone| list(zone, "_records"));
    let alias = records.find(|record| record["Name"] == format!("{host}.").as_str() && record["Type"] == "A");
    let target = alias.and_then(|record| record["AliasTarget"]["DNSName"].as_str());
    named(host).or_else(|| named(target?.trim_end_matches('.').trim_start_matches("dualstack.")))
}

fn opens(world: &World, balancer: &Value, port: i64) -> bool {
    let groups = list(balancer, "SecurityGroups").iter().filter_map(|id| world.row("groups", id.as_str()?));
    groups.flat_map(|group| list(group, "_rules")).any(|rule| {
        rule["isEgress"] == false && (rule["fromPort"].as_i64()..=rule["toPort"].as_i64()).contains(&Some(port))
    })
}
