//! The codes of the checks of the preflight: stable, for pipelines, for `preflight.ignore` and for a search.

/// Every code with the id of its check. A code is never given to another check.
pub const CODES: &[(&str, &str)] = &[
    ("OZ101", "caller"),
    ("OZ102", "credentials"),
    ("OZ103", "clock"),
    ("OZ104", "service_roles"),
    ("OZ105", "permissions"),
    ("OZ201", "instance_type"),
    ("OZ202", "vcpu_quota"),
    ("OZ203", "image_fits"),
    ("OZ204", "key_pair"),
    ("OZ205", "subscription"),
    ("OZ206", "volume_limits"),
    ("OZ207", "volume_key"),
    ("OZ301", "subnets"),
    ("OZ302", "load_balancer_zones"),
    ("OZ303", "free_addresses"),
    ("OZ304", "instance_addresses"),
    ("OZ305", "private_subnets"),
    ("OZ306", "public_subnets"),
    ("OZ401", "usable_certificate"),
    ("OZ501", "zone_fits"),
    ("OZ502", "zone_delegated"),
    ("OZ601", "load_balancer_quota"),
    ("OZ602", "target_group_quota"),
    ("OZ603", "auto_scaling_quota"),
    ("OZ604", "security_group_quota"),
    ("OZ605", "rule_quota"),
];

/// The code of a check; `None`: it is none of the preflight's.
pub fn code_of(id: &str) -> Option<&'static str> {
    CODES.iter().find(|(_, check)| *check == id).map(|(code, _)| *code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::CODES;

    #[test]
    fn codes_and_ids_are_unique_and_in_order() {
        let ids: BTreeSet<_> = CODES.iter().map(|(_, id)| id).collect();
        assert_eq!(ids.len(), CODES.len());
        assert!(CODES.is_sorted_by(|(a, _), (b, _)| a < b), "each code once, in order");
    }
}
