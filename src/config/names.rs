//! What the resources are called, and what AWS allows them to be called.

use serde::{Deserialize, Serialize};

use super::mistake::{Findings, shown};

/// Names of the resources, the guide's by default. What [`super::parse`] returns has the prefix in each of them, IAM's
/// too: every reader sees the name that AWS sees, and nobody puts the prefix before it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    /// Put before every name below, for a second stack in one account.
    pub prefix: String,
    /// Security group of the load balancer (guide step 1).
    pub load_balancer_security_group: String,
    /// Security group of the instances (guide step 1).
    pub instance_security_group: String,
    /// IAM policy (guide step 2).
    pub policy: String,
    /// IAM role (guide step 2).
    pub role: String,
    /// IAM instance profile (guide step 2).
    pub instance_profile: String,
    /// Launch template (guide step 3).
    pub launch_template: String,
    /// Application Load Balancer (guide step 4).
    pub load_balancer: String,
    /// Target group (guide steps 4 and 5).
    pub target_group: String,
    /// Auto Scaling group (guide step 4).
    pub auto_scaling_group: String,
}

impl Default for Names {
    fn default() -> Names {
        Names {
            prefix: String::new(),
            load_balancer_security_group: "alb-sg".to_owned(),
            instance_security_group: "app-sg".to_owned(),
            policy: "OZMarketplacePolicy".to_owned(),
            role: "OZMarketplace".to_owned(),
            instance_profile: "OZMarketplace".to_owned(),
            launch_template: "app-launch-template".to_owned(),
            load_balancer: "app-alb".to_owned(),
            target_group: "app-tg".to_owned(),
            auto_scaling_group: "app-asg".to_owned(),
        }
    }
}

impl Names {
    /// The names with the prefix before each of them.
    pub(super) fn prefixed(self) -> Names {
        let full = |name: String| format!("{}{name}", self.prefix);
        Names {
            load_balancer_security_group: full(self.load_balancer_security_group),
            instance_security_group: full(self.instance_security_group),
            policy: full(self.policy),
            role: full(self.role),
            instance_profile: full(self.instance_profile),
            launch_template: full(self.launch_template),
            load_balancer: full(self.load_balancer),
            target_group: full(self.target_group),
            auto_scaling_group: full(self.auto_scaling_group),
            prefix: self.prefix,
        }
    }
}

/// What AWS allows one kind of name to be.
struct Limits {
    noun: &'static str,
    shortest: usize,
    longest: usize,
    /// Beside ASCII letters and digits.
    marks: &'static str,
    refused_start: &'static [&'static str],
    refused_end: &'static [&'static str],
}

// Lengths and alphabets are the service models'. EC2 trims spaces, so a name with one at its end is never found again.
const SECURITY_GROUP: Limits = Limits {
    noun: "a security group",
    shortest: 1,
    longest: 255,
    marks: " ._-:/()#,@[]+=&;{}!$*",
    refused_start: &["sg-", " "],
    refused_end: &[" "],
};
const POLICY: Limits = iam("an IAM policy", 128);
const ROLE: Limits = iam("an IAM role", 64);
const INSTANCE_PROFILE: Limits = iam("an instance profile", 128);
const LAUNCH_TEMPLATE: Limits = Limits {
    noun: "a launch template",
    shortest: 3,
    longest: 128,
    marks: "().-/_",
    refused_start: &[],
    refused_end: &[],
};
const LOAD_BALANCER: Limits = Limits {
    noun: "a load balancer",
    shortest: 1,
    longest: 32,
    marks: "-",
    refused_start: &["internal-", "-"],
    refused_end: &["-"],
};
const TARGET_GROUP: Limits = Limits { noun: "a target group", refused_start: &["-"], ..LOAD_BALANCER };
const AUTO_SCALING_GROUP: Limits = Limits {
    noun: "an Auto Scaling group",
    shortest: 1,
    longest: 255,
    marks: "!\"#$%&'()*+,-./;<=>?@[\\]^_`{|}~",
    refused_start: &[],
    refused_end: &[],
};

const fn iam(noun: &'static str, longest: usize) -> Limits {
    Limits { noun, shortest: 1, longest, marks: "_+=,.@-", refused_start: &[], refused_end: &[] }
}

/// Refuses what AWS would refuse; `names` are still without their prefix.
pub(super) fn check(names: &Names, findings: &mut Findings) {
    let with_limits = [
        ("load_balancer_security_group", &names.load_balancer_security_group, &SECURITY_GROUP),
        ("instance_security_group", &names.instance_security_group, &SECURITY_GROUP),
        ("policy", &names.policy, &POLICY),
        ("role", &names.role, &ROLE),
        ("instance_profile", &names.instance_profile, &INSTANCE_PROFILE),
        ("launch_template", &names.launch_template, &LAUNCH_TEMPLATE),
        ("load_balancer", &names.load_balancer, &LOAD_BALANCER),
        ("target_group", &names.target_group, &TARGET_GROUP),
        ("auto_scaling_group", &names.auto_scaling_group, &AUTO_SCALING_GROUP),
    ];
    let mut caused_by_prefix = Vec::new();
    for (key, name, limits) in with_limits {
        let path = format!("names.{key}");
        if name.is_empty() {
            findings.refuse(&[&path], format!("`{path}` is empty"), "write a name, or leave the key out");
            continue;
        }
        let full = format!("{}{name}", names.prefix);
        let Some((complaint, cure)) = limits.complaint(&full) else {
            continue;
        };
        match limits.complaint(name) {
            Some((complaint, cure)) => findings.refuse(&[&path], format!("`{path}` {complaint}"), cure),
            None => caused_by_prefix.push((format!("`{path}`, then `{}`, {complaint}", shown(&full)), cure)),
        }
    }
    if let Some((first, cure)) = caused_by_prefix.first() {
        let others = caused_by_prefix.len() - 1;
        let more = if others == 0 { String::new() } else { format!(" (and {others} more of the names)") };
        findings.refuse(
            &["names.prefix"],
            format!("`names.prefix` comes before every name: {first}{more}"),
            format!("{cure}: change the prefix or the name"),
        );
    }
    let (balancer, instance) = (&names.load_balancer_security_group, &names.instance_security_group);
    if balancer.eq_ignore_ascii_case(instance) && !balancer.is_empty() {
        let paths = ["names.instance_security_group", "names.load_balancer_security_group"];
        let what = format!("both security groups are called `{}`, and EC2 ignores case", shown(instance));
        findings.refuse(&paths, what, "give them two names");
    }
}

impl Limits {
    /// What is wrong with a name, and the cure.
    fn complaint(&self, name: &str) -> Option<(String, String)> {
        let Limits { noun, shortest, longest, marks, .. } = self;
        let length = name.chars().count();
        if !(*shortest..=*longest).contains(&length) {
            let what = format!("has {length} characters");
            return Some((what, format!("{noun} may have {shortest} to {longest}")));
        }
        if let Some(bad) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !marks.contains(*c)) {
            let what = format!("has the character {bad:?}");
            return Some((what, format!("{noun} may have ASCII letters, digits and `{marks}`")));
        }
        if let Some(start) = self.refused_start.iter().find(|start| name.to_ascii_lowercase().starts_with(*start)) {
            return Some((format!("begins with `{start}`"), format!("{noun} may not")));
        }
        let end = self.refused_end.iter().find(|end| name.ends_with(*end))?;
        Some((format!("ends with `{end}`"), format!("{noun} may not")))
    }
}
