//! What the resources are called, and what AWS allows them to be called.
//!
//! [`names!`] is the only list of names: a new one is one line of it, and one of deploy.yaml.example.

use serde::Serialize;

use super::mistake::{Findings, shown};
use super::section::Section;

/// Makes [`Names`] of lines `key: "the guide's name", LIMITS_OF_ITS_KIND;` with a doc comment each.
macro_rules! names {
    ($($(#[doc = $doc:literal])+ $key:ident: $guide:literal, $limits:ident;)+) => {
        /// Names of the resources, the guide's by default. What [`super::parse`] returns has the prefix in each of
        /// them, IAM's too: every reader sees the name that AWS sees, and none adds the prefix again.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct Names {
            /// Put before every name below, for a second stack in one account.
            pub prefix: String,
            $($(#[doc = $doc])+ pub $key: String,)+
        }

        impl Default for Names {
            fn default() -> Names {
                Names { prefix: String::new(), $($key: $guide.to_owned(),)+ }
            }
        }

        impl Names {
            /// Reads the section of deploy.yaml; the names are still without their prefix.
            pub(super) fn read(section: &mut Section) -> Names {
                Names {
                    prefix: section.text("prefix", String::new()),
                    $($key: section.text(stringify!($key), $guide.to_owned()),)+
                }
            }

            /// The names with the prefix before each of them.
            pub(super) fn prefixed(self) -> Names {
                Names { $($key: format!("{}{}", self.prefix, self.$key),)+ prefix: self.prefix }
            }

            /// Each name below the prefix: its key, itself, and what AWS allows.
            fn with_limits(&self) -> Vec<(&'static str, &str, &'static Limits)> {
                vec![$((stringify!($key), self.$key.as_str(), &$limits),)+]
            }
        }
    };
}

names! {
    /// Security group of the load balancer (guide step 1).
    load_balancer_security_group: "alb-sg", SECURITY_GROUP;
    /// Security group of the instances (guide step 1).
    instance_security_group: "app-sg", SECURITY_GROUP;
    /// IAM policy (guide step 2).
    policy: "OZMarketplacePolicy", POLICY;
    /// IAM role (guide step 2).
    role: "OZMarketplace", ROLE;
    /// IAM instance profile (guide step 2).
    instance_profile: "OZMarketplace", INSTANCE_PROFILE;
    /// Launch template (guide step 3).
    launch_template: "app-launch-template", LAUNCH_TEMPLATE;
    /// Application Load Balancer (guide step 4).
    load_balancer: "app-alb", LOAD_BALANCER;
    /// Target group (guide steps 4 and 5).
    target_group: "app-tg", TARGET_GROUP;
    /// Auto Scaling group (guide step 4).
    auto_scaling_group: "app-asg", AUTO_SCALING_GROUP;
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

/// The pattern of a name, as far as it holds before any prefix; `None`: it is none of them.
pub(super) fn pattern(path: &str) -> Option<String> {
    let key = path.strip_prefix("names.")?;
    let names = Names::default();
    let (_, _, limits) = names.with_limits().into_iter().find(|(one, ..)| *one == key)?;
    // No other escapes: not every dialect has them.
    let escape = |mark: char| if r"\[]^-".contains(mark) { format!(r"\{mark}") } else { mark.to_string() };
    let class = |marks: &str| format!("[A-Za-z0-9{}]", marks.chars().map(escape).collect::<String>());
    let at_end = limits.refused_end.iter().fold(limits.marks.to_owned(), |marks, end| marks.replace(end, ""));
    Some(format!("^{}{{0,{}}}{}$", class(limits.marks), limits.longest - 1, class(&at_end)))
}

/// Refuses what AWS would refuse; `names` are still without their prefix.
pub(super) fn check(names: &Names, findings: &mut Findings) {
    let mut caused_by_prefix = Vec::new();
    for (key, name, limits) in names.with_limits() {
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
        let what = format!("`names.prefix` comes before every name: {first}{more}");
        findings.refuse(&["names.prefix"], what, format!("{cure}: change the prefix or the name"));
    }
    check_distinct_groups(names, findings);
}

/// Security groups are found by name, and EC2 refuses a second one of the same name in a VPC, in whatever case.
fn check_distinct_groups(names: &Names, findings: &mut Findings) {
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
