//! Filters of Describe calls: a name is a path into the row, or a tag. `*` and `?` in a value stand for other
//! characters (EC2 user guide, "List and filter your resources").

use serde_json::Value;

use crate::sandbox::parameters::{Refusal, list, refuse, texts};

/// A filter's name, and the paths into the row that it means, with a bar between two. A path goes through lists.
pub type Filter = (&'static str, &'static str);

/// Filters that every noun has that carries tags.
const TAG_KEY: &str = "tag-key";
const TAG: &str = "tag:";

/// The rows that pass every filter of a request.
///
/// # Errors
/// There is no such filter here, whether or not there is a row.
pub fn passing(rows: impl IntoIterator<Item = Value>, asked: &Value, known: &[Filter]) -> Result<Vec<Value>, Refusal> {
    for filter in list(asked, "Filter") {
        let name = filter["Name"].as_str().unwrap_or("null");
        let is_known = name == TAG_KEY || name.starts_with(TAG) || known.iter().any(|(known, _)| *known == name);
        if !is_known {
            return refuse("InvalidParameterValue", format!("The filter '{name}' is invalid"));
        }
    }
    Ok(rows.into_iter().filter(|row| passes(row, asked, known)).collect())
}

fn passes(row: &Value, asked: &Value, known: &[Filter]) -> bool {
    list(asked, "Filter").iter().all(|filter| {
        let (name, wanted) = (filter["Name"].as_str().unwrap_or("null"), texts(filter, "Value"));
        let mut values = Vec::new();
        if let Some(key) = name.strip_prefix(TAG) {
            let of_key = list(row, "tagSet").iter().filter(|tag| tag["key"] == key);
            of_key.for_each(|tag| collect(&tag["value"], &[], &mut values));
        } else if name == TAG_KEY {
            list(row, "tagSet").iter().for_each(|tag| collect(&tag["key"], &[], &mut values));
        } else if let Some((_, paths)) = known.iter().find(|(known, _)| *known == name) {
            for path in paths.split('|') {
                collect(row, &path.split('.').collect::<Vec<_>>(), &mut values);
            }
        }
        values.iter().any(|value| wanted.iter().any(|wanted| fits(wanted, value)))
    })
}

fn collect(value: &Value, path: &[&str], found: &mut Vec<String>) {
    match (value, path) {
        (Value::Array(items), _) => items.iter().for_each(|item| collect(item, path, found)),
        (Value::Object(_), [first, rest @ ..]) => collect(&value[first], rest, found),
        (Value::String(text), []) => found.push(text.clone()),
        (Value::Bool(_) | Value::Number(_), []) => found.push(value.to_string()),
        _ => {}
    }
}

/// Whether a text fits a pattern; a backslash takes away the meaning of the next character.
pub fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    rest_fits(&pattern, &text)
}

fn rest_fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => (0..=text.len()).any(|skipped| rest_fits(rest, &text[skipped..])),
        (['?', rest @ ..], [_, text @ ..]) => rest_fits(rest, text),
        (['\\', one, rest @ ..] | [one, rest @ ..], [first, text @ ..]) => one == first && rest_fits(rest, text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wildcards_stand_for_other_characters() {
        assert!(fits("api-*", "api-instant") && fits("a?i", "api") && fits("*", "") && fits("api", "api"));
        assert!(!fits("api", "api-instant") && !fits("a?", "a") && fits(r"a\*", "a*") && !fits(r"a\*", "ab"));
    }

    #[test]
    fn paths_go_through_lists_and_unknown_filters_are_refused() {
        let row = json!({"attachmentSet": [{"instanceId": "i-1"}], "tagSet": [{"key": "k", "value": "v"}], "size": 8});
        let asked = |name: &str, value: &str| json!({"Filter": [{"Name": name, "Value": [value]}]});
        let known: [Filter; 2] = [("attachment.instance-id", "attachmentSet.instanceId"), ("size", "size")];
        let pass = |name, value| passing([row.clone()], &asked(name, value), &known).map(|rows| rows.len() == 1);
        assert_eq!(pass("attachment.instance-id", "i-1"), Ok(true));
        assert_eq!(pass("size", "8"), Ok(true));
        assert_eq!(pass("tag:k", "v*"), Ok(true));
        assert_eq!(pass("tag-key", "other"), Ok(false));
        let none = passing([], &asked("no-such", "1"), &known);
        assert_eq!(none.unwrap_err().code, "InvalidParameterValue");
    }
}
