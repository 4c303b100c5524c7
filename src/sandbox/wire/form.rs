//! Form fields, which the query protocols ask with.

use std::collections::BTreeMap;

use serde_json::Value;

/// Form fields as a tree: `Filter.1.Value.2=x`, `Tags.member.1.Key=k`.
pub fn tree(body: &[u8]) -> Value {
    let mut root = Branch::default();
    for (key, value) in form_urlencoded::parse(body) {
        let mut at = &mut root;
        for part in key.split('.').filter(|part| *part != "member") {
            at = at.below.entry(part.to_owned()).or_default();
        }
        at.leaf = Some(value.into_owned());
    }
    root.into_value()
}

#[derive(Default)]
struct Branch {
    leaf: Option<String>,
    below: BTreeMap<String, Branch>,
}

impl Branch {
    fn into_value(self) -> Value {
        if self.below.is_empty() {
            return self.leaf.map_or(Value::Null, Value::from);
        }
        if self.below.keys().all(|key| key.parse::<u32>().is_ok()) {
            let mut items: Vec<(u32, Branch)> =
                self.below.into_iter().filter_map(|(key, branch)| Some((key.parse().ok()?, branch))).collect();
            items.sort_by_key(|(index, _)| *index);
            return items.into_iter().map(|(_, branch)| branch.into_value()).collect();
        }
        Value::Object(self.below.into_iter().map(|(key, branch)| (key, branch.into_value())).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_become_trees_with_lists() {
        let asked = tree(b"Action=X&Filter.1.Name=a&Filter.1.Value.1=b&Filter.1.Value.2=c&Tags.member.1.Key=k");
        let want = json!({"Action": "X", "Filter": [{"Name": "a", "Value": ["b", "c"]}], "Tags": [{"Key": "k"}]});
        assert_eq!(asked, want);
    }
}
