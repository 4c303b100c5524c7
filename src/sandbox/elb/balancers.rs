//! ELBv2: load balancers.

use serde_json::{Value, json};

use super::{BALANCERS, LISTENERS, actions, attributes, checked_name, found, invalid, one, tags, twin};
use crate::sandbox::wire::{Refusal, Reply, list, need, refuse, texts};
use crate::sandbox::world::World;

/// The zone of aliases to application load balancers in eu-central-1 (AWS General Reference).
const ALIAS_ZONE: &str = "Z215JYRZR1TBD5";

/// One call; `None`: it is not about load balancers.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    Some(match operation {
        "CreateLoadBalancer" => create(world, asked),
        "DescribeLoadBalancers" => describe(world, asked),
        "SetSubnets" => set_subnets(world, asked),
        "SetSecurityGroups" => set_groups(world, asked),
        "SetIpAddressType" => set_address_type(world, asked),
        "DescribeCapacityReservation" => one(world, asked, "LoadBalancerArn", BALANCERS)
            .map(|_| json!({"DecreaseRequestsRemaining": 2, "CapacityReservationState": []})),
        "DeleteLoadBalancer" => delete(world, asked),
        _ => return None,
    })
}

fn describe(world: &World, asked: &Value) -> Reply {
    let mut rows = found(world, asked, BALANCERS)?;
    for row in &mut rows {
        row["State"] = state(world, row);
    }
    Ok(json!({ "LoadBalancers": rows }))
}

/// Whether a load balancer has been made.
pub fn active(world: &World, row: &Value) -> bool {
    state(world, row)["Code"] == "active"
}

fn state(world: &World, row: &Value) -> Value {
    let over = row["_created"].as_f64().unwrap_or_default() + world.weather.provisioning_seconds;
    match &world.weather.provisioning_fails {
        _ if world.now < over => json!({"Code": "provisioning"}),
        Some(why) => json!({"Code": "failed", "Reason": why}),
        None => json!({"Code": "active"}),
    }
}

fn create(world: &mut World, asked: &Value) -> Reply {
    let name = checked_name(asked, BALANCERS)?.to_owned();
    tags::check(asked)?;
    let scheme = asked["Scheme"].as_str().unwrap_or("internet-facing").to_owned();
    if !["internal", "internet-facing"].contains(&scheme.as_str()) {
        return invalid(format!(
            "1 validation error detected: Value '{scheme}' at 'scheme' failed to satisfy constraint: Member must \
             satisfy enum value set: [internet-facing, internal]"
        ));
    }
    if let Some(twin) = twin(world, BALANCERS, &name, asked, "DuplicateLoadBalancerName")? {
        return Ok(twin);
    }
    let subnets = subnets(asked);
    let zones = zones(world, &subnets)?;
    let groups = checked_groups(world, asked)?;
    let address = address_type(asked)?;
    world.counter += 1;
    let id = world.counter;
    let arn = world.arn("elasticloadbalancing", &format!("loadbalancer/app/{name}/{id:016x}"));
    let prefix = if scheme == "internal" { "internal-" } else { "" };
    let vpc = world.row("subnets", &subnets[0]).map(|row| row["vpcId"].clone());
    let row = json!({
        "LoadBalancerArn": arn, "DNSName": format!("{prefix}{name}-{id:09}.{}.elb.amazonaws.com", world.region),
        "CanonicalHostedZoneId": ALIAS_ZONE, "CreatedTime": world.date(), "LoadBalancerName": name, "Scheme": scheme,
        "VpcId": vpc, "State": {"Code": "provisioning"}, "Type": "application", "AvailabilityZones": zones,
        "SecurityGroups": groups, "IpAddressType": address,
        "_created": world.now, "_asked": asked, "_tags": asked["Tags"], "_attributes": attributes::of_balancer(),
    });
    for subnet in &subnets {
        add_interface(world, &row, subnet);
    }
    world.table(BALANCERS.0).insert(arn, row.clone());
    Ok(json!({"LoadBalancers": [row]}))
}

/// A load balancer has a network interface in each of its subnets.
fn add_interface(world: &mut World, balancer: &Value, subnet: &str) {
    let interface = world.id("eni");
    let arn = balancer["LoadBalancerArn"].as_str().unwrap_or_default();
    let described = arn.split("loadbalancer/").nth(1).unwrap_or_default();
    let groups: Vec<Value> = texts(balancer, "SecurityGroups").iter().map(|id| json!({"groupId": id})).collect();
    let shown = json!({
        "networkInterfaceId": interface, "subnetId": subnet, "description": format!("ELB {described}"),
        "groupSet": groups, "requesterId": "amazon-elb", "status": "in-use", "_of": arn, "_until": null,
    });
    world.table("interfaces").insert(interface, shown);
}

/// Subnets by their ids, alone or in mappings.
fn subnets(asked: &Value) -> Vec<String> {
    let mapped = list(asked, "SubnetMappings").iter().filter_map(|one| one["SubnetId"].as_str().map(str::to_owned));
    texts(asked, "Subnets").into_iter().chain(mapped).collect()
}

/// At least two zones, and one subnet of each.
fn zones(world: &World, subnets: &[String]) -> Reply {
    let mut zones: Vec<Value> = Vec::new();
    for subnet in subnets {
        let Some(row) = world.row("subnets", subnet) else {
            return refuse("SubnetNotFound", format!("The subnet ID '{subnet}' does not exist"));
        };
        let zone = row["availabilityZone"].as_str().unwrap_or_default();
        if world.weather.constrained.iter().any(|one| one == zone) {
            // The words of a report (widdix/mastodon-on-aws#13).
            return invalid(format!(
                "The following Availability Zones {zone} cannot be associated with a load balancer. Please try a \
                 different Availability Zone."
            ));
        }
        if zones.iter().any(|zone| zone["ZoneName"] == row["availabilityZone"]) {
            return refuse(
                "InvalidConfigurationRequest",
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
            );
        }
        zones.push(json!({"ZoneName": row["availabilityZone"], "SubnetId": subnet, "LoadBalancerAddresses": []}));
    }
    match zones.len() {
        // The code is that of a report (kasmtech/terraform#5).
        0 | 1 => invalid("At least two subnets in two different Availability Zones must be specified"),
        _ => Ok(Value::Array(zones)),
    }
}

fn checked_groups(world: &World, asked: &Value) -> Result<Vec<String>, Refusal> {
    let groups = texts(asked, "SecurityGroups");
    match groups.iter().find(|group| world.row("groups", group).is_none()) {
        Some(group) => {
            refuse("InvalidSecurityGroup", format!("One or more security groups are invalid: '{group}' does not exist"))
        }
        None => Ok(groups),
    }
}

/// No subnet here has IPv6 addresses.
fn address_type(asked: &Value) -> Result<&str, Refusal> {
    match asked["IpAddressType"].as_str().unwrap_or("ipv4") {
        "ipv4" => Ok("ipv4"),
        "dualstack" | "dualstack-without-public-ipv4" => {
            refuse("InvalidSubnet", "You must specify subnets with an associated IPv6 CIDR block")
        }
        other => invalid(format!("IP address type '{other}' is not valid")),
    }
}

fn set_subnets(world: &mut World, asked: &Value) -> Reply {
    let before = one(world, asked, "LoadBalancerArn", BALANCERS)?.clone();
    let subnets = subnets(asked);
    let zones = zones(world, &subnets)?;
    let arn = before["LoadBalancerArn"].clone();
    let had = |subnet: &str| list(&before, "AvailabilityZones").iter().any(|zone| zone["SubnetId"] == subnet);
    for subnet in subnets.iter().filter(|subnet| !had(subnet)) {
        add_interface(world, &before, subnet);
    }
    let until = world.now + world.weather.linger_seconds;
    for row in world.table("interfaces").values_mut().filter(|row| row["_of"] == arn) {
        if !subnets.iter().any(|subnet| row["subnetId"] == subnet.as_str()) {
            row["_until"] = json!(until);
        }
    }
    one(world, asked, "LoadBalancerArn", BALANCERS)?["AvailabilityZones"] = zones.clone();
    Ok(json!({"AvailabilityZones": zones, "IpAddressType": before["IpAddressType"]}))
}

fn set_groups(world: &mut World, asked: &Value) -> Reply {
    let arn = one(world, asked, "LoadBalancerArn", BALANCERS)?["LoadBalancerArn"].clone();
    let groups = checked_groups(world, asked)?;
    let set: Vec<Value> = groups.iter().map(|id| json!({"groupId": id})).collect();
    for row in world.table("interfaces").values_mut().filter(|row| row["_of"] == arn) {
        row["groupSet"] = json!(set);
    }
    one(world, asked, "LoadBalancerArn", BALANCERS)?["SecurityGroups"] = json!(groups);
    Ok(json!({"SecurityGroupIds": groups}))
}

fn set_address_type(world: &mut World, asked: &Value) -> Reply {
    let row = one(world, asked, "LoadBalancerArn", BALANCERS)?;
    row["IpAddressType"] = json!(address_type(asked)?);
    Ok(json!({"IpAddressType": row["IpAddressType"]}))
}

/// "If the load balancer does not exist, the call succeeds" (API reference). Listeners and rules go with it; its target
/// groups are in use for a while yet.
fn delete(world: &mut World, asked: &Value) -> Reply {
    let arn = need(asked, "LoadBalancerArn")?;
    if !arn.starts_with("arn:aws:elasticloadbalancing:") {
        return invalid(format!("'{arn}' is not a valid load balancer ARN"));
    }
    let protects = |row: &Value| row["Key"] == "deletion_protection.enabled" && row["Value"] == "true";
    if world.row(BALANCERS.0, arn).is_some_and(|row| list(row, "_attributes").iter().any(protects)) {
        return refuse(
            "OperationNotPermitted",
            format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled"),
        );
    }
    let until = world.now + world.weather.target_group_linger_seconds;
    for group in world.table("target_groups").values_mut() {
        if list(group, "LoadBalancerArns").iter().any(|one| one == arn) {
            group["_used_until"] = json!(until);
        }
    }
    world.table(BALANCERS.0).remove(arn);
    world.table(LISTENERS.0).retain(|_, row| row["LoadBalancerArn"] != arn);
    world.let_interfaces_linger(arn);
    actions::tie_target_groups(world);
    Ok(json!({}))
}
