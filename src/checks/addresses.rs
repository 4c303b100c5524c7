//! Addresses compared: whether two names lead to the same place.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

/// An address, or the IPv4 address within it: mapped (RFC 4291, 2.5.5.2), or made by DNS64 (RFC 6052, 2.1).
pub fn embedded(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let octets = v6.octets();
    let is_nat64 = v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    match v6.to_ipv4_mapped() {
        Some(v4) => IpAddr::V4(v4),
        None if is_nat64 => IpAddr::V4(Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15])),
        None => ip,
    }
}

/// Those of `some` that are not among `all`.
pub fn beyond(some: &[IpAddr], all: &[IpAddr]) -> Vec<IpAddr> {
    let known: BTreeSet<IpAddr> = all.iter().map(|ip| embedded(*ip)).collect();
    some.iter().filter(|ip| !known.contains(&embedded(**ip))).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(text: &str) -> Vec<IpAddr> {
        text.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
    }

    #[test]
    fn an_address_is_the_same_in_every_dress() {
        let all = ips("192.0.2.1 192.0.2.2");
        assert!(beyond(&ips("64:ff9b::192.0.2.1 ::ffff:192.0.2.2 192.0.2.1"), &all).is_empty());
        assert_eq!(beyond(&ips("192.0.2.3 2001:db8::1"), &all), ips("192.0.2.3 2001:db8::1"));
    }
}
