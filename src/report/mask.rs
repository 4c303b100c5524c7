//! What tells who somebody is, behind a mask: the same thing always behind the same one.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};
use serde_json::Value;

use crate::cloud::is_aws;

/// Masks what it is shown, and remembers what is behind each mask.
pub struct Mask {
    is_on: bool,
    account: Option<String>,
    domains: Vec<String>,
    worn: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
}

/// A kind of thing that is masked: the word of its mask, its form, and whether one of that form is such a thing.
type Kind = (&'static str, LazyLock<Regex>, fn(&str) -> bool);

/// In this order: what holds another thing comes before that.
static KINDS: [Kind; 6] = [
    (
        "caller",
        LazyLock::new(|| pattern(r"arn:[a-z-]+:(?:iam|sts)::\d{12}:(?:user|assumed-role|federated-user)/[\w+=,.@/-]+")),
        |_| true,
    ),
    ("mail", LazyLock::new(|| pattern(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")), |_| true),
    // The last part of a UUID is no account.
    ("account", LazyLock::new(|| pattern(r"[\w-]*\d{12}[\w-]*")), |text| {
        text.len() == 12 && text.chars().all(|one| one.is_ascii_digit())
    }),
    ("address", LazyLock::new(|| pattern(r"\b(?:ip-)?\d{1,3}(?:[.-]\d{1,3}){3}\b")), |text| {
        text != "0.0.0.0" && text.split(['.', '-']).all(|part| part == "ip" || part.parse::<u8>().is_ok())
    }),
    ("address", LazyLock::new(|| pattern(r"[\w.-]*:[\w:.-]*:[\w:]*")), |text| {
        text != "::" && text.parse::<Ipv6Addr>().is_ok()
    }),
    ("name", LazyLock::new(|| pattern(r"(?i)[\w*@/:-]*(?:[a-z0-9-]+\.)+[a-z]{2,24}\b[\w-]*")), |_| true),
];

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that is written here")
}

/// Words with dots that are no host names: they begin as fields of plans and keys of deploy.yaml do, …
const FIELDS: &[&str] = &[
    "config",
    "dns",
    "document",
    "egress",
    "health_check",
    "ingress",
    "instance",
    "launched",
    "load_balancer",
    "names",
    "network",
    "preflight",
    "scaling",
    "tags",
    "trust",
    "verify",
    "volume",
];
/// … or end as files and instance types do.
const ENDINGS: &[&str] = &[
    "html", "json", "large", "medium", "metal", "micro", "nano", "small", "txt", "xlarge", "xml", "yaml", "yml", "zip",
];

impl Mask {
    /// A mask that is on, or one that shows everything.
    pub fn new(is_on: bool) -> Mask {
        Mask { is_on, account: None, domains: Vec::new(), worn: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// The same, which knows this account's number wherever it stands, in a bucket's name too.
    pub fn of_account(self, account: Option<String>) -> Mask {
        Mask { account, ..self }
    }

    /// The same, which masks names in these domains whatever they look like.
    pub fn of_domains(self, domains: impl IntoIterator<Item = String>) -> Mask {
        let domains = domains.into_iter().map(|name| name.trim_end_matches('.').to_lowercase());
        Mask { domains: domains.filter(|name| !name.is_empty()).collect(), ..self }
    }

    /// The text, masked.
    pub fn text(&mut self, text: &str) -> String {
        if !self.is_on {
            return text.to_owned();
        }
        let mut text = text.to_owned();
        for (kind, form, is_one) in &KINDS {
            let replaced = form.replace_all(&text, |found: &Captures<'_>| {
                let word = &found[0];
                match *kind {
                    "name" => self.name(word),
                    kind if is_one(word) => self.of(kind, word),
                    _ => word.to_owned(),
                }
            });
            text = replaced.into_owned();
        }
        if let Some(account) = self.account.clone().filter(|account| text.contains(account)) {
            text = text.replace(&account, &self.of("account", &account));
        }
        text
    }

    /// A document, masked: its texts and its names.
    pub fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(values) => values.into_iter().map(|value| self.value(value)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(name, value)| (self.text(&name), self.value(value))).collect()
            }
            other => other,
        }
    }

    /// What was masked, for whoever reads the bundle.
    pub fn told(&self) -> &'static str {
        if self.is_on {
            "Masked, each thing always in the same way: the account's number (account-1), who called (caller-1), IP \
             addresses (address-1),\nhost and domain names (name-1), mail addresses. Kept: AWS's ids of resources, the \
             names that deploy.yaml gives them, tags.\nRead it before you send it."
        } else {
            "Nothing is masked: account number, caller, addresses and names are as they are."
        }
    }

    fn of(&mut self, kind: &'static str, word: &str) -> String {
        if let Some(mask) = self.worn.get(word) {
            return mask.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let mask = format!("{kind}-{count}");
        self.worn.insert(word.to_owned(), mask.clone());
        mask
    }

    /// A host's or a domain's name in what may hold more: the way before it stays.
    fn name(&mut self, found: &str) -> String {
        let start = found.rfind(['/', ':', '@']).map_or(0, |place| place + 1);
        let (before, name) = found.split_at(start);
        let lower = name.to_lowercase();
        let first = lower.split('.').next().unwrap_or_default();
        let last = lower.rsplit('.').next().unwrap_or_default();
        let of_aws = is_aws(&lower) && !lower.contains(".elb.") || lower.ends_with("aws.amazon.com");
        let is_host = lower.contains('.') && !lower.contains('_') && last.chars().all(|one| one.is_ascii_alphabetic());
        let is_in = |domain: &String| lower == *domain || lower.ends_with(&format!(".{domain}"));
        let is_known = self.domains.iter().any(is_in);
        // `verify.name` is a key, `verify.example.com` is a host.
        let is_field = FIELDS.contains(&first) && (first == "launched" || lower.matches('.').count() == 1);
        if !is_known && (!is_host || of_aws || is_field || ENDINGS.contains(&last)) {
            return found.to_owned();
        }
        format!("{before}{}", self.of("name", &lower))
    }
}

#[cfg(test)]
mod tests {
    use super::Mask;

    #[test]
    fn what_tells_who_somebody_is_is_masked_and_the_rest_stays() {
        let mut mask =
            Mask::new(true).of_account(Some("123456789012".to_owned())).of_domains(["Names.test.".to_owned()]);
        let mut masked = |text: &str| mask.text(text);
        assert_eq!(
            masked("arn:aws:sts::123456789012:assumed-role/Admin/jo@example.com is not authorized"),
            "caller-1 is not authorized"
        );
        assert_eq!(
            masked("arn:aws:iam::123456789012:policy/OZ and 123456789012"),
            "arn:aws:iam::account-1:policy/OZ and account-1"
        );
        assert_eq!(masked("https://App.example.com/api/version"), "https://name-1/api/version");
        assert_eq!(masked("app.example.com. leads to *.example.com"), "name-1. leads to *.name-2");
        assert_eq!(masked("x-1.eu-central-1.elb.amazonaws.com"), "name-3");
        assert_eq!(
            masked("10.0.1.2, 10.0.0.0/16, ip-10-0-1-2, 10.0.1.2:443"),
            "address-1, address-2/16, address-3, address-1:443"
        );
        assert_eq!(masked("2001:db8::1 and fe80::1%eth0"), "address-4 and address-5%eth0");
        assert_eq!(masked("jo@example.com"), "mail-1");
        assert_eq!(masked("logs-123456789012"), "logs-account-1");
        assert_eq!(masked("verify.example.org and names.test, a.names.test"), "name-4 and name-5, name-6");
        let kept = "0.0.0.0/0 ::/0 2026-01-01T18:00:00Z i-00000000000000015 ec2.amazonaws.com.cn deploy.yaml \
                    scaling.max health_check.port c7i-flex.4xlarge m5.large 0.0.0-sandbox tags.oz-deploy:stack \
                    00000014-0000-4000-8000-000000000000";
        assert_eq!(masked(kept), kept);
        assert_eq!(Mask::new(false).text("10.0.1.2"), "10.0.1.2");
    }
}
