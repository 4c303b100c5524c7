//! What a text of deploy.yaml looks like, as patterns: the loader's rules and the schema have the same ones.

use regex_lite::Regex;

/// A text of a form of its own.
pub(super) struct Form {
    /// The key, without the place in a list.
    pub path: &'static str,
    /// Of the whole text; what JSON Schema's dialect and `regex_lite` read alike.
    pub pattern: &'static str,
}

const VPC: &str = "^vpc-[0-9a-f]{8,17}$"; // 17 digits, or 8 in EC2's old form
const SUBNET: &str = "^subnet-[0-9a-f]{8,17}$";
const CERTIFICATE: &str = "^arn:aws[^:]*:acm:[a-z]{2,}(-[a-z]{2,})+-[0-9]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$";
/// Labels of letters, digits, `-` and `_`, as DNS and Route 53 take them.
macro_rules! domain {
    () => {
        r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
    };
}

/// An image's id, in place of its name.
pub(super) const AMI: &str = "^ami-[0-9a-f]{8,17}$";
/// A hosted zone's id, in place of its name.
pub(super) const ZONE_ID: &str = "^Z[0-9A-Z]{1,31}$";
/// A domain name.
pub(super) const DOMAIN: &str = concat!("^", domain!(), "$");

/// Every text with a form.
pub(super) const FORMS: &[Form] = &[
    Form { path: "stack", pattern: "^[A-Za-z0-9-]{1,64}$" },
    Form { path: "account", pattern: "^[0-9]{12}$" },
    Form { path: "region", pattern: "^[a-z]{2,}(-[a-z]{2,})+-[0-9]+$" },
    Form { path: "network.vpc", pattern: VPC },
    Form { path: "network.private_subnets", pattern: SUBNET },
    Form { path: "network.public_subnets", pattern: SUBNET },
    Form { path: "load_balancer.certificate", pattern: CERTIFICATE },
    Form { path: "instance.type", pattern: r"^[a-z0-9-]+\.[a-z0-9-]+$" },
    Form { path: "health_check.path", pattern: "^/[!-~]{0,1023}$" },
    Form {
        path: "health_check.success_codes",
        pattern: "^[2-4][0-9]{2}(-[2-4][0-9]{2})?(,[2-4][0-9]{2}(-[2-4][0-9]{2})?)*$",
    },
    Form { path: "dns.zone", pattern: concat!("^", domain!(), r"\.?$") },
    Form { path: "dns.record", pattern: concat!("^(|@|", domain!(), ")$") },
    Form { path: "verify.name", pattern: DOMAIN },
];

/// The form of a key's text, or of each text in its list.
pub(super) fn of(path: &str) -> Option<&'static Form> {
    let key = path.split('[').next().unwrap_or_default();
    FORMS.iter().find(|form| form.path == key)
}

/// Whether a text has the form of its key.
pub(super) fn fits(path: &str, text: &str) -> bool {
    of(path).is_none_or(|form| is(form.pattern, text))
}

/// Whether a text is of this pattern.
pub(super) fn is(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_can_be_read() {
        for pattern in FORMS.iter().map(|form| form.pattern).chain([AMI, ZONE_ID, DOMAIN]) {
            assert!(Regex::new(pattern).is_ok(), "{pattern}");
            assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{pattern}");
        }
    }
}
