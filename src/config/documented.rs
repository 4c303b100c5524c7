//! What each key means: the comments of deploy.yaml.example and the defaults of [`Config`].

use serde_yaml::Value;

use super::example::meanings;
use super::{Config, Dns, Network, RECORD};

/// A key, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// With its sections: `scaling.max`.
    pub path: String,
    /// What deploy.yaml.example says of it; empty: only of its section.
    pub meaning: String,
    /// What it says of the sections around it.
    pub section: String,
    /// As YAML; `null`: none.
    pub default: String,
}

/// Every key that is no section, in the order of the example.
pub fn keys() -> Vec<Key> {
    let meanings = meanings();
    let comment = |path: &str| (*meanings.get(path).unwrap_or(&"")).to_owned();
    let dns = Some(Dns { zone: String::new(), record: RECORD.to_owned() });
    let documented = |(path, default): (String, String)| {
        let section = path.rsplit_once('.').map(|(section, _)| comment(section)).unwrap_or_default();
        Key { meaning: comment(&path), section, default, path }
    };
    values(&Config { dns, ..Config::new(Network::default()) }).into_iter().map(documented).collect()
}

/// The value of every key of a configuration, as one line of YAML.
pub fn values(config: &Config) -> Vec<(String, String)> {
    let mut found = Vec::new();
    flatten("", &serde_yaml::to_value(config).unwrap_or_default(), &mut found);
    found
}

fn flatten(path: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Mapping(all) if path != "tags" => {
            for (key, value) in all {
                let key = key.as_str().unwrap_or_default();
                flatten(&if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }, value, found);
            }
        }
        value => found.push((path.to_owned(), serde_json::to_string(value).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::{keys, meanings};

    #[test]
    fn every_key_is_in_the_example_or_its_section_is() {
        let keys = keys();
        assert!(keys.len() > 40, "{keys:?}");
        for key in &keys {
            let section = key.path.rsplit_once('.').map_or("", |(section, _)| section);
            let is_told = meanings().contains_key(&key.path) || meanings().contains_key(section);
            assert!(is_told, "deploy.yaml.example does not have {}", key.path);
        }
        let volume = keys.iter().find(|key| key.path == "instance.volume.kms_key").unwrap();
        assert_eq!(volume.meaning, "ARN, id or alias; null: the account's default key");
        assert_eq!((volume.section.as_str(), volume.default.as_str()), ("the root volume, gp3", "null"));
    }
}
