//! Rules as requests write them: one for each protocol, ports and other side.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::nouns::SECURITY_GROUP;
use super::security_groups::is_allowed;
use crate::sandbox::parameters::{Refusal, list, number, refuse};
use crate::sandbox::world::World;

/// The rules in a request, checked.
///
/// # Errors
/// No rule at all, or one that AWS refuses.
pub fn rules(world: &World, asked: &Value) -> Result<Vec<Value>, Refusal> {
    let mut permissions = list(asked, "IpPermissions").to_vec();
    if permissions.is_empty() && !asked["IpProtocol"].is_null() {
        // The older way to write one rule.
        let mut one =
            json!({"IpProtocol": asked["IpProtocol"], "FromPort": asked["FromPort"], "ToPort": asked["ToPort"]});
        if !asked["CidrIp"].is_null() {
            one["IpRanges"] = json!([{"CidrIp": asked["CidrIp"]}]);
        }
        permissions.push(one);
    }
    let mut rules: Vec<Value> = Vec::new();
    for one in &permissions {
        let (protocol, from, to) = protocol_and_ports(one)?;
        let base = json!({"ipProtocol": protocol, "fromPort": from, "toPort": to});
        for (key, peer, description) in peers(one) {
            let mut rule = base.clone();
            rule[key] = network(&peer).map_or(peer, Value::from);
            rule["description"] = description;
            check_peer(world, &rule)?;
            if rules.iter().any(|other| identity(other) == identity(&rule)) {
                return refuse("InvalidParameterValue", "The same permission must not appear multiple times");
            }
            rules.push(rule);
        }
    }
    Ok(rules)
}

/// The other sides of a permission, and what each is described with.
fn peers(permission: &Value) -> Vec<(&'static str, Value, Value)> {
    let mut peers = Vec::new();
    let mut add = |set: &str, field: &str, key: &'static str| {
        for one in list(permission, set) {
            let peer = if key == "referencedGroupInfo" { json!({"groupId": one[field]}) } else { one[field].clone() };
            peers.push((key, peer, one["Description"].clone()));
        }
    };
    add("IpRanges", "CidrIp", "cidrIpv4");
    add("Ipv6Ranges", "CidrIpv6", "cidrIpv6");
    add("PrefixListIds", "PrefixListId", "prefixListId");
    add("Groups", "GroupId", "referencedGroupInfo");
    peers
}

/// Names and numbers of protocols are the same (EC2 API reference, IpPermission).
fn protocol_and_ports(permission: &Value) -> Result<(String, i64, i64), Refusal> {
    let protocol = match permission["IpProtocol"].as_str() {
        Some("6") => "tcp".to_owned(),
        Some("17") => "udp".to_owned(),
        Some("1") => "icmp".to_owned(),
        Some(name) => name.to_lowercase(),
        None => return refuse("MissingParameter", "The request must contain the parameter ipProtocol"),
    };
    let (from, to) = (number(permission, "FromPort"), number(permission, "ToPort"));
    match protocol.as_str() {
        "tcp" | "udp" => {
            let (Some(from), Some(to)) = (from, to) else {
                let message = format!(
                    "Invalid value 'Must specify both from and to ports with {}' for portRange.",
                    protocol.to_uppercase()
                );
                return refuse("InvalidParameterValue", message);
            };
            if let Some(port) = [from, to].into_iter().find(|port| !(0..=65535).contains(port)) {
                return refuse(
                    "InvalidParameterValue",
                    format!("Invalid value '{port}' for portRange. Must be between 0 and 65535."),
                );
            }
            if from > to {
                let message = format!("Invalid {} port range ({from}:{to})", protocol.to_uppercase());
                return refuse("InvalidParameterValue", message);
            }
            Ok((protocol, from, to))
        }
        "icmp" | "icmpv6" | "58" => Ok((protocol, from.unwrap_or(-1), to.unwrap_or(-1))),
        "-1" => Ok((protocol, -1, -1)),
        other if other.parse::<u8>().is_ok() => Ok((protocol, -1, -1)),
        other => refuse("InvalidPermission.Malformed", format!("Invalid protocol '{other}'.")),
    }
}

fn check_peer(world: &World, rule: &Value) -> Result<(), Refusal> {
    let description = rule["description"].as_str().unwrap_or_default();
    if description.len() > 255 || !description.chars().all(is_allowed) {
        return refuse(
            "InvalidParameterValue",
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: \
             \x20a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        );
    }
    let malformed = |cidr: &str| refuse("InvalidParameterValue", format!("CIDR block {cidr} is malformed"));
    if let Some(cidr) = rule["cidrIpv4"].as_str().filter(|cidr| !is_block::<Ipv4Addr>(cidr, 32)) {
        return malformed(cidr);
    }
    if let Some(cidr) = rule["cidrIpv6"].as_str().filter(|cidr| !is_block::<Ipv6Addr>(cidr, 128)) {
        return malformed(cidr);
    }
    if let Some(id) = rule["referencedGroupInfo"]["groupId"].as_str() {
        SECURITY_GROUP.row(world, id)?;
    }
    Ok(())
}

/// The network of a block of IPv4 addresses: 10.1.2.3/24 is kept as 10.1.2.0/24 (IpRange in the EC2 API reference).
fn network(peer: &Value) -> Option<String> {
    let (address, bits) = peer.as_str()?.split_once('/')?;
    let (address, bits): (Ipv4Addr, u32) = (address.parse().ok()?, bits.parse().ok()?);
    let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or_default();
    Some(format!("{}/{bits}", Ipv4Addr::from(u32::from(address) & mask)))
}

fn is_block<Address: std::str::FromStr>(text: &str, most: u8) -> bool {
    let parts = text.split_once('/');
    parts.is_some_and(|(address, bits)| {
        address.parse::<Address>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    })
}

/// What identifies a rule: not its description.
pub fn identity(rule: &Value) -> [&Value; 7] {
    let fields = ["ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId"].map(|field| &rule[field]);
    let [protocol, from, to, four, six, prefixes] = fields;
    [protocol, from, to, four, six, prefixes, &rule["referencedGroupInfo"]["groupId"]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_have_names_and_numbers() {
        let read = |permission| protocol_and_ports(&permission).map_err(|refusal| refusal.code);
        let ports = json!({"IpProtocol": "6", "FromPort": "80", "ToPort": "81"});
        assert_eq!(read(ports), Ok(("tcp".to_owned(), 80, 81)));
        assert_eq!(read(json!({"IpProtocol": "-1", "FromPort": "80"})), Ok(("-1".to_owned(), -1, -1)));
        assert_eq!(read(json!({"IpProtocol": "tcp", "FromPort": "81", "ToPort": "80"})), Err("InvalidParameterValue"));
        assert_eq!(read(json!({"IpProtocol": "tpc"})), Err("InvalidPermission.Malformed"));
    }

    #[test]
    fn blocks_are_an_address_and_a_length() {
        assert!(is_block::<Ipv4Addr>("10.0.0.0/8", 32) && is_block::<Ipv6Addr>("::/0", 128));
        assert_eq!(network(&json!("10.1.2.3/24")).as_deref(), Some("10.1.2.0/24"));
        assert_eq!(network(&json!("1.2.3.4/0")).as_deref(), Some("0.0.0.0/0"));
        assert!(!is_block::<Ipv4Addr>("10.0.0.0/33", 32) && !is_block::<Ipv4Addr>("10.0.0.0", 32));
    }
}
