//! Tags: on what is there, and on what is made.

use serde_json::{Value, json};

use super::described::{Noun, is_id};
use super::filters::passing;
use super::nouns::TAGGED;
use crate::sandbox::parameters::{Refusal, Reply, list, refuse, texts};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// Most tags of one resource (EC2 user guide, "Tag restrictions").
const MOST: usize = 50;

/// Sets tags over what is there; `set`, `key`: what the row calls its tags and their keys.
pub fn set_tags(row: &mut Value, (set, key, _): (&str, &str, &str), tags: &[Value]) {
    let mut all: Vec<Value> = list(row, set).to_vec();
    for tag in tags {
        all.retain(|old| old[key] != tag[key]);
        all.push(tag.clone());
    }
    row[set] = Value::Array(all);
}

/// Tags of a create call for one kind of resource, checked.
///
/// # Errors
/// A kind that the call does not make, or a tag that AWS refuses.
pub fn tags_for(asked: &Value, kind: &str, makes: &[&str]) -> Result<Vec<Value>, Refusal> {
    let mut tags = Vec::new();
    for one in list(asked, "TagSpecification") {
        let of = one["ResourceType"].as_str().unwrap_or_default();
        if !makes.contains(&of) {
            let message = format!("'{of}' is not a valid taggable resource type for this operation.");
            return refuse("InvalidParameterValue", message);
        }
        if of == kind {
            tags.extend(checked(list(one, "Tag"))?);
        }
    }
    Ok(tags)
}

/// Tags as rows have them.
///
/// # Errors
/// A key or a value that AWS refuses.
pub fn checked(tags: &[Value]) -> Result<Vec<Value>, Refusal> {
    let mut all: Vec<Value> = Vec::new();
    for tag in tags {
        let (key, value) = (tag["Key"].as_str().unwrap_or_default(), tag["Value"].as_str().unwrap_or_default());
        let wrong = if key.is_empty() {
            Some("Tag key cannot be empty".to_owned())
        } else if key.len() > 128 {
            Some("Tag key exceeds the maximum length of 128 characters".to_owned())
        } else if value.len() > 256 {
            Some("Tag value exceeds the maximum length of 256 characters".to_owned())
        } else if key.starts_with("aws:") {
            Some("Tag keys starting with 'aws:' are reserved for internal use".to_owned())
        } else if all.iter().any(|other| other["key"] == key) {
            Some(format!("Duplicate tag key '{key}' specified."))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return refuse("InvalidParameterValue", wrong);
        }
        all.push(json!({"key": key, "value": value}));
    }
    if all.len() > MOST {
        return refuse(
            "TagLimitExceeded",
            format!("The maximum number of Tags for a resource has been reached: {MOST}"),
        );
    }
    Ok(all)
}

/// CreateTags: on every resource or on none.
pub fn create(world: &mut World, asked: &Value) -> Reply {
    let tags = checked(list(asked, "Tag"))?;
    if tags.is_empty() {
        return refuse("MissingParameter", "The request must contain the parameter Tag");
    }
    for id in named(world, asked)? {
        let mut row = tagged(world, &id)?.clone();
        set_tags(&mut row, ("tagSet", "key", "value"), &tags);
        let own = list(&row, "tagSet").iter().filter(|tag| !is_reserved(tag));
        if own.count() > MOST {
            return refuse("TagLimitExceeded", format!("The maximum number of Tags for {id} has been reached: {MOST}"));
        }
        tagged(world, &id)?["tagSet"] = row["tagSet"].clone();
    }
    Ok(json!({"return": true}))
}

/// DeleteTags: by key, or by key and value; without any, all that are not AWS's own.
pub fn delete(world: &mut World, asked: &Value) -> Reply {
    let tags = list(asked, "Tag");
    for id in named(world, asked)? {
        let row = tagged(world, &id)?;
        let goes = |one: &Value| {
            let is_named =
                |tag: &Value| tag["Key"] == one["key"] && (tag["Value"].is_null() || tag["Value"] == one["value"]);
            !is_reserved(one) && (tags.is_empty() || tags.iter().any(is_named))
        };
        if let Some(all) = row["tagSet"].as_array_mut() {
            all.retain(|one| !goes(one));
        }
    }
    Ok(json!({"return": true}))
}

/// DescribeTags.
pub fn describe(world: &mut World, asked: &Value) -> Reply {
    let known = [("resource-id", "resourceId"), ("resource-type", "resourceType"), ("key", "key"), ("value", "value")];
    let mut all = Vec::new();
    let mut add = |id: &Value, kind: &str, row: &Value| {
        for tag in list(row, "tagSet") {
            all.push(json!({"resourceId": id, "resourceType": kind, "key": tag["key"], "value": tag["value"]}));
        }
    };
    for (noun, kind) in TAGGED {
        for row in world.rows(noun.table) {
            add(&row[noun.field], kind, &(noun.shown)(world, row));
        }
    }
    for rule in world.rows(tables::GROUPS).flat_map(|group| list(group, "_rules")) {
        add(&rule["securityGroupRuleId"], "security-group-rule", rule);
    }
    // `tag:` and `tag-key` mean the tag itself here.
    for one in &mut all {
        one["tagSet"] = json!([{"key": one["key"], "value": one["value"]}]);
    }
    let mut tags = passing(all, asked, &known)?;
    for tag in tags.iter_mut().filter_map(Value::as_object_mut) {
        tag.remove("tagSet");
    }
    Ok(json!({"tagSet": tags}))
}

/// The resources that a call names, of which every one is there.
fn named(world: &mut World, asked: &Value) -> Result<Vec<String>, Refusal> {
    let ids = texts(asked, "ResourceId");
    if ids.is_empty() {
        return refuse("MissingParameter", "The request must contain the parameter ResourceId");
    }
    for id in &ids {
        tagged(world, id)?;
    }
    Ok(ids)
}

fn tagged<'a>(world: &'a mut World, id: &str) -> Result<&'a mut Value, Refusal> {
    if id.starts_with("sgr-") {
        let mut rules = world
            .table(tables::GROUPS)
            .values_mut()
            .flat_map(|group| group["_rules"].as_array_mut().into_iter().flatten());
        return match rules.find(|rule| rule["securityGroupRuleId"] == id) {
            Some(rule) => Ok(rule),
            None => refuse(
                "InvalidSecurityGroupRuleId.NotFound",
                format!("The security group rule ID '{id}' does not exist"),
            ),
        };
    }
    if id.starts_with("key-") {
        let mut pairs = world.table(tables::KEY_PAIRS).values_mut();
        return match pairs.find(|pair| pair["keyPairId"] == id) {
            Some(pair) => Ok(pair),
            None => refuse("InvalidKeyPair.NotFound", format!("The key pair '{id}' does not exist")),
        };
    }
    let table = TAGGED.iter().map(|(noun, _)| noun.table).find(|table| world.row(table, id).is_some());
    if let Some(row) = table.and_then(|table| world.row_mut(table, id)) {
        return Ok(row);
    }
    let of_kind = |noun: &&Noun| is_id(id, noun.prefix);
    match TAGGED.iter().map(|(noun, _)| *noun).find(of_kind) {
        Some(noun) => noun.refuse(id),
        None => refuse("InvalidID", format!("The ID '{id}' is not valid")),
    }
}

fn is_reserved(tag: &Value) -> bool {
    tag["key"].as_str().is_some_and(|key| key.starts_with("aws:"))
}
