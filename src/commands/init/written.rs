//! The deploy.yaml that is being made: what it says, and what a person should know of it.

use std::collections::BTreeMap;

use crate::cli;
use crate::config::example::{Filled, Value};
use crate::config::{self, Mistakes};

/// `network.vpc`
pub const VPC: &str = "network.vpc";
/// `network.private_subnets`
pub const PRIVATE_SUBNETS: &str = "network.private_subnets";
/// `network.public_subnets`
pub const PUBLIC_SUBNETS: &str = "network.public_subnets";
/// `load_balancer.certificate`
pub const CERTIFICATE: &str = "load_balancer.certificate";
/// `instance.image`
pub const IMAGE: &str = "instance.image";
/// `dns.zone`
pub const ZONE: &str = "dns.zone";
/// `dns.record`
pub const RECORD: &str = "dns.record";
/// `verify.name`
pub const NAME: &str = "verify.name";
const SCHEME: &str = "load_balancer.scheme";
const LISTENER: &str = "load_balancer.listener";

/// A file in the making.
#[derive(Default)]
pub struct Written {
    filled: Filled,
    /// The region that was looked at.
    pub region: String,
    /// Words above the first key.
    pub about: Vec<String>,
    /// What to look at before `up`, for stderr too.
    pub warnings: Vec<String>,
}

impl Written {
    /// What the flags say, whatever there is.
    pub fn of_flags(args: &cli::Init) -> Written {
        let mut written = Written::default();
        let texts = [
            ("stack", &args.stack),
            (VPC, &args.vpc),
            (SCHEME, &args.scheme),
            (LISTENER, &args.listener),
            (CERTIFICATE, &args.certificate),
            (IMAGE, &args.image),
            (ZONE, &args.zone),
            (RECORD, &args.record),
            ("names.prefix", &args.prefix),
            (NAME, &args.name),
        ];
        for (path, text) in texts {
            if let Some(text) = text {
                written.text(path, text);
            }
        }
        let lists = [
            (PRIVATE_SUBNETS, &args.private_subnets),
            (PUBLIC_SUBNETS, &args.public_subnets),
            ("load_balancer.ingress_cidrs", &args.ingress_cidrs),
        ];
        for (path, items) in lists.into_iter().filter(|(_, items)| !items.is_empty()) {
            written.set(path, Value::List(items.iter().map(|item| (item.clone(), String::new())).collect()));
        }
        if args.allow_public {
            written.set("load_balancer.allow_public", Value::Flag(true));
        }
        written
    }

    /// Says this.
    pub fn set(&mut self, path: &'static str, value: Value) {
        self.filled.values.insert(path, value);
    }

    /// Says this text.
    pub fn text(&mut self, path: &'static str, text: &str) {
        self.set(path, Value::Text(text.to_owned()));
    }

    /// A comment above a key.
    pub fn note(&mut self, path: &'static str, note: impl Into<String>) {
        self.filled.note(path, note);
    }

    /// A comment above a key, which stderr tells too.
    pub fn warn(&mut self, path: &'static str, warning: impl Into<String>) {
        let warning = warning.into();
        self.warnings.push(format!("{path}: {warning}"));
        self.note(path, warning);
    }

    /// Leaves the example's value where the account's could not be read.
    pub fn unseen(&mut self, path: &'static str, why: &str) {
        if !self.has(path) {
            self.warn(path, format!("{why}; what stands here is the example's"));
            self.filled.placeholder(path);
        }
    }

    /// Leaves the example's values at all keys that have no default.
    pub fn fill_up(&mut self, with_record: bool) {
        let record = if with_record { &[ZONE][..] } else { &[] };
        for path in ["region", VPC, PRIVATE_SUBNETS].iter().chain(record) {
            if !self.has(path) {
                self.filled.placeholder(path);
            }
        }
    }

    /// Whether it says anything there.
    pub fn has(&self, path: &str) -> bool {
        self.filled.values.contains_key(path)
    }

    /// Whether the load balancer is to be reached from the Internet.
    pub fn is_public(&self) -> bool {
        self.filled.values.get(SCHEME) == Some(&Value::Text("internet-facing".to_owned()))
    }

    /// Whether the load balancer is to speak HTTPS.
    pub fn is_https(&self) -> bool {
        self.filled.values.get(LISTENER) != Some(&Value::Text("http".to_owned()))
    }

    /// Its text, which the loader takes.
    ///
    /// # Errors
    /// The loader does not take it: what a flag said is wrong.
    pub fn render(&self) -> Result<String, Mistakes> {
        let text = self.filled.render(&self.about);
        config::parse(&text, "deploy.yaml", &[]).map(|_| text)
    }

    /// What it says, by path.
    pub fn values(&self) -> BTreeMap<String, String> {
        let words = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            Value::Flag(flag) => flag.to_string(),
            Value::List(items) => items.iter().map(|(item, _)| item.as_str()).collect::<Vec<_>>().join(","),
        };
        self.filled.values.iter().map(|(path, value)| ((*path).to_owned(), words(value))).collect()
    }
}
