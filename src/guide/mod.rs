//! The vendor's guide, setting by setting, held against what stands.

mod settings;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::config::Config;
use crate::engine::{AnyLive, Key, LiveStack};
use crate::outcome::{Conformity, Setting};
use crate::site::Site;
use crate::steps::STACK;
use settings::SETTINGS;

/// One setting of the guide.
struct Row {
    step: u8,
    what: &'static str,
    /// What the guide says.
    guide: &'static str,
    /// The resource that has it.
    of: Key,
    /// What it is, in the guide's words where it is so; `None`: it has none.
    live: fn(&View<'_>) -> Option<String>,
    /// The key of deploy.yaml that changes it; empty: none does.
    key: &'static str,
    /// Why this program sets it otherwise; empty: it does not.
    decided: &'static str,
}

/// What stands, as the settings read it.
struct View<'a> {
    site: &'a Site,
    live: &'a LiveStack,
}

impl View<'_> {
    fn found(&self, key: Key) -> Option<&AnyLive> {
        self.live.get(key).and_then(Option::as_ref)
    }

    /// A field of a resource, as text.
    fn text(&self, key: Key, pointer: &str) -> Option<String> {
        let value = self.found(key)?.spec.pointer(pointer).filter(|value| !value.is_null())?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// The name of a resource that stands: it was found by it.
    fn name(&self, key: Key) -> Option<String> {
        self.found(key)?;
        let node = STACK.iter().find(|node| node.key() == key)?;
        Some(node.name(self.site))
    }

    /// In the guide's words where it is so; else as it is.
    fn as_guide(&self, key: Key, pointer: &str, is: impl Fn(&Value) -> bool, words: &str) -> Option<String> {
        let value = self.found(key)?.spec.pointer(pointer).unwrap_or(&Value::Null);
        Some(if is(value) { words.to_owned() } else { value.to_string() })
    }

    /// The description of a rule that lets this in; `from` is an address range or a group's id.
    fn rule(&self, key: Key, port: u16, from: &str) -> Option<String> {
        self.text(key, &format!("/ingress/tcp {port} from {}", from.replace('/', "~1")))
    }

    fn config(&self) -> &Config {
        &self.site.config
    }

    /// An output of a resource that stands.
    fn id(&self, key: Key, name: &str) -> Option<String> {
        let outputs = &self.found(key)?.outputs;
        outputs.iter().find(|(output, _)| output.0 == key && output.1 == name).map(|(_, value)| value.clone())
    }
}

/// Every setting of the guide, as it stands. `pending`: the resources that are not as deploy.yaml wants them.
pub fn conformity(site: &Site, live: &LiveStack, pending: &BTreeSet<Key>) -> Vec<Setting> {
    let view = View { site, live };
    let guide = json!(Config::new(site.config.network.clone()));
    let own = json!(site.config);
    SETTINGS.iter().map(|row| judged(row, &view, (&guide, &own), pending)).collect()
}

fn judged(row: &Row, view: &View<'_>, (guide, own): (&Value, &Value), pending: &BTreeSet<Key>) -> Setting {
    let live = (row.live)(view);
    let pointer = format!("/{}", row.key.replace('.', "/"));
    let is_chosen = !row.key.is_empty() && guide.pointer(&pointer) != own.pointer(&pointer);
    let stands = view.found(row.of).is_some();
    let (conformity, why) = match &live {
        Some(live) if live == row.guide => (Conformity::Equal, None),
        None if !stands => (Conformity::Absent, Some("it does not stand".to_owned())),
        _ if !row.decided.is_empty() && !pending.contains(row.of) => {
            (Conformity::Decided, Some(row.decided.to_owned()))
        }
        _ if is_chosen && !pending.contains(row.of) => {
            (Conformity::Chosen, Some(format!("{} in deploy.yaml", row.key)))
        }
        _ => (Conformity::Differs, Some("`deploy plan` shows it".to_owned())),
    };
    Setting { step: row.step, name: row.what, guide: row.guide, live, conformity, why }
}

#[cfg(test)]
mod tests {
    use super::settings::SETTINGS;
    use super::*;
    use crate::config::Network;

    #[test]
    fn every_row_is_of_a_resource_and_a_key_that_there_is() {
        let network = Network { vpc: "vpc-1".to_owned(), private_subnets: Vec::new(), public_subnets: Vec::new() };
        let config = json!(Config::new(network));
        for row in SETTINGS {
            assert!(STACK.iter().any(|node| node.key() == row.of), "{}", row.what);
            let (section, _) = row.key.split_once('.').unwrap_or((row.key, ""));
            let pointer = format!("/{}", row.key.replace('.', "/"));
            let is_known = row.key.is_empty() || section == "dns" || config.pointer(&pointer).is_some();
            assert!(is_known, "{}: no key {}", row.what, row.key);
        }
    }
}
