//! ELBv2: predefined security policies ("Security policies for your Application Load Balancer", user guide).

use serde_json::{Value, json};

use crate::sandbox::wire::{Refusal, Reply, refuse};

/// What a listener gets that names none, when it was made by the API.
pub const DEFAULT: &str = "ELBSecurityPolicy-2016-08";

/// Names, and the oldest and newest version of TLS that each takes.
const ALL: [(&str, u8, u8); 17] = [
    ("ELBSecurityPolicy-2016-08", 0, 2),
    ("ELBSecurityPolicy-TLS13-1-2-2021-06", 2, 3),
    ("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", 2, 3),
    ("ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", 2, 3),
    ("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", 2, 3),
    ("ELBSecurityPolicy-TLS13-1-1-2021-06", 1, 3),
    ("ELBSecurityPolicy-TLS13-1-0-2021-06", 0, 3),
    ("ELBSecurityPolicy-TLS13-1-3-2021-06", 3, 3),
    ("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", 2, 3),
    ("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", 2, 3),
    ("ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", 3, 3),
    ("ELBSecurityPolicy-TLS-1-1-2017-01", 1, 2),
    ("ELBSecurityPolicy-TLS-1-2-2017-01", 2, 2),
    ("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", 2, 2),
    ("ELBSecurityPolicy-FS-2018-06", 0, 2),
    ("ELBSecurityPolicy-FS-1-2-Res-2020-10", 2, 2),
    ("ELBSecurityPolicy-2015-05", 0, 2),
];
const OLD_CIPHERS: [&str; 4] = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
];
const NEW_CIPHERS: [&str; 3] = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/// DescribeSSLPolicies: by names, or all.
pub fn describe(names: &[String]) -> Reply {
    for name in names {
        check(name)?;
    }
    let wanted = ALL.iter().filter(|(name, ..)| names.is_empty() || names.iter().any(|one| one == name));
    Ok(json!({"SslPolicies": wanted.map(shown).collect::<Vec<_>>()}))
}

/// Whether there is such a policy.
pub fn check(name: &str) -> Result<(), Refusal> {
    if ALL.iter().any(|(known, ..)| *known == name) {
        Ok(())
    } else {
        refuse("SSLPolicyNotFound", format!("SSL policy '{name}' not found"))
    }
}

fn shown((name, oldest, newest): &(&str, u8, u8)) -> Value {
    let protocols: Vec<String> = (*oldest..=*newest)
        .map(|minor| if minor == 0 { "TLSv1".to_owned() } else { format!("TLSv1.{minor}") })
        .collect();
    let new = NEW_CIPHERS.iter().filter(|_| *newest == 3);
    let ciphers = new.chain(OLD_CIPHERS.iter().filter(|_| *oldest < 3)).enumerate();
    let ciphers: Vec<Value> = ciphers.map(|(index, name)| json!({"Name": name, "Priority": index + 1})).collect();
    json!({
        "Name": name, "SslProtocols": protocols, "Ciphers": ciphers,
        "SupportedLoadBalancerTypes": ["application", "network"],
    })
}
