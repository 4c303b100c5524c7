//! IAM: what names, paths and tags may be.

use serde_json::Value;

use crate::sandbox::wire::{Refusal, need, refuse};
use crate::sandbox::world::World;

/// A name of so many characters at most, of those that IAM takes (API reference, CreateRole).
pub fn checked<'a>(asked: &'a Value, parameter: &str, longest: usize) -> Result<&'a str, Refusal> {
    let name = need(asked, parameter)?;
    let member = format!("{}{}", parameter[..1].to_lowercase(), &parameter[1..]);
    if name.chars().count() > longest {
        return refuse(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must \
                 have length less than or equal to {longest}"
            ),
        );
    }
    if !name.chars().all(|one| one.is_ascii_alphanumeric() || "+=,.@_-".contains(one)) {
        return refuse(
            "ValidationError",
            format!(
                "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the \
                 following: +=,.@_-"
            ),
        );
    }
    Ok(name)
}

/// A path: `/`, or one that begins and ends with it.
pub fn path(asked: &Value) -> Result<String, Refusal> {
    let path = asked["Path"].as_str().unwrap_or("/");
    if path.starts_with('/')
        && path.ends_with('/')
        && path.len() <= 512
        && path.chars().all(|one| one.is_ascii_graphic())
    {
        return Ok(path.to_owned());
    }
    refuse(
        "ValidationError",
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
         characters and/or / characters.",
    )
}

/// "Names are not distinguished by case" (API reference, CreateRole, CreatePolicy, CreateInstanceProfile).
pub fn is_taken(world: &World, table: &str, field: &str, name: &str) -> bool {
    world.rows(table).any(|row| row[field].as_str().is_some_and(|old| old.eq_ignore_ascii_case(name)))
}

/// An id that a name always gets: `ANPA…`.
pub fn id(prefix: &str, name: &str) -> String {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{prefix}{hash:017X}")
}

/// At most 50 tags, each key once whatever its case ("Rules for tagging in IAM and STS").
pub fn check_tags(tags: &[Value]) -> Result<(), Refusal> {
    let mut keys: Vec<String> = Vec::new();
    for tag in tags {
        let key = tag["Key"].as_str().unwrap_or_default();
        if key.is_empty()
            || key.chars().count() > 128
            || tag["Value"].as_str().unwrap_or_default().chars().count() > 256
        {
            return refuse(
                "ValidationError",
                format!("1 validation error detected: the tag key '{key}' or its value is too long"),
            );
        }
        if key.to_lowercase().starts_with("aws:") {
            return refuse("InvalidInput", "Tag keys cannot start with the reserved prefix aws:");
        }
        keys.push(key.to_lowercase());
    }
    keys.sort();
    let all = keys.len();
    keys.dedup();
    if keys.len() < all {
        return refuse("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    if all > 50 {
        return super::too_many("TagsPerResource", 50);
    }
    Ok(())
}
