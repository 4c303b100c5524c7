//! Elastic Load Balancing v2: load balancers, target groups, listeners, rules.

mod actions;
mod attributes;
mod balancers;
mod listeners;
mod rules;
mod security_policies;
mod tags;
mod target_groups;

use serde_json::{Value, json};

use super::parameters::missing_as;
use super::wire::{Refusal, Reply, need, refuse, texts};
use super::world::World;
pub use actions::targets;
pub use balancers::active;

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    let answers = [balancers::call, target_groups::call, listeners::call, rules::call, tags::call, attributes::call];
    match answers.iter().find_map(|answer| answer(world, operation, asked)) {
        Some(reply) => missing_as("ValidationError", reply),
        None => refuse("InvalidAction", format!("Could not find operation {operation} for version 2015-12-01")),
    }
}

/// A kind's table, the name of its list, and the error for what is absent.
type Kind = (&'static str, &'static str, &'static str);
const BALANCERS: Kind = ("balancers", "LoadBalancers", "LoadBalancerNotFound");
const GROUPS: Kind = ("target_groups", "TargetGroups", "TargetGroupNotFound");
const LISTENERS: Kind = ("listeners", "Listeners", "ListenerNotFound");

/// What a kind is called in messages: `load balancer`.
fn noun(kind: Kind) -> &'static str {
    match kind.0 {
        "balancers" => "load balancer",
        "target_groups" => "target group",
        _ => "listener",
    }
}

fn absent<T>(kind: Kind) -> Result<T, Refusal> {
    refuse(kind.2, format!("One or more {}s not found", noun(kind)))
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Refusal> {
    refuse("ValidationError", message)
}

/// The row of an ARN. What is no ARN of its kind is not valid.
fn one<'a>(world: &'a mut World, asked: &Value, arn: &str, kind: Kind) -> Result<&'a mut Value, Refusal> {
    let arn = need(asked, arn)?;
    if !arn.starts_with("arn:aws:elasticloadbalancing:") {
        return invalid(format!("'{arn}' is not a valid {} ARN", noun(kind)));
    }
    match world.row_mut(kind.0, arn) {
        Some(row) => Ok(row),
        None => absent(kind),
    }
}

/// By names or ARNs: one that is missing refuses all.
fn found(world: &World, asked: &Value, kind: Kind) -> Result<Vec<Value>, Refusal> {
    let single = &kind.1[..kind.1.len() - 1];
    let (name, arn) = (format!("{single}Name"), format!("{single}Arn"));
    let (names, arns) = (texts(asked, "Names"), texts(asked, &format!("{arn}s")));
    if !names.is_empty() && !arns.is_empty() {
        return invalid(format!("{} names and ARNs cannot be specified at the same time", noun(kind)));
    }
    if names.is_empty() && arns.is_empty() {
        return Ok(world.rows(kind.0).cloned().collect());
    }
    let mut rows = Vec::new();
    for (wanted, field) in names.iter().map(|one| (one, &name)).chain(arns.iter().map(|one| (one, &arn))) {
        match world.rows(kind.0).find(|row| row[field] == wanted.as_str()) {
            Some(row) => rows.push(row.clone()),
            None if kind == BALANCERS => return refuse(kind.2, format!("Load balancers '[{wanted}]' not found")),
            None => return absent(kind),
        }
    }
    Ok(rows)
}

/// "If you attempt to create multiple load balancers with the same settings, each call succeeds" (API reference).
fn twin(world: &World, kind: Kind, name: &str, asked: &Value, code: &'static str) -> Result<Option<Value>, Refusal> {
    let field = format!("{}Name", &kind.1[..kind.1.len() - 1]);
    let settings = |asked: &Value| {
        let mut settings = asked.clone();
        if let Some(settings) = settings.as_object_mut().filter(|_| !world.weather.tags_are_settings) {
            settings.shift_remove("Tags");
        }
        settings
    };
    match world.rows(kind.0).find(|row| row[&field] == name) {
        Some(row) if settings(&row["_asked"]) == settings(asked) => Ok(Some(json!({ kind.1: [row] }))),
        Some(_) => {
            refuse(code, format!("A {} with the same name '{name}' exists, but with different settings", noun(kind)))
        }
        None => Ok(None),
    }
}

/// "up to 32 characters … alphanumeric characters or hyphens … must not begin or end with a hyphen" (API
/// reference).
fn checked_name(asked: &Value, kind: Kind) -> Result<&str, Refusal> {
    let (name, what) = (need(asked, "Name")?, noun(kind));
    if name.chars().count() > 32 {
        return invalid(format!("The {what} name '{name}' cannot be longer than '32' characters"));
    }
    if !name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-') {
        return invalid(format!(
            "The {what} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)"
        ));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return invalid(format!("The {what} name '{name}' cannot begin or end with a hyphen"));
    }
    if kind == BALANCERS && name.starts_with("internal-") {
        return invalid(format!("The load balancer name '{name}' cannot begin with 'internal-'"));
    }
    Ok(name)
}

/// A number within its limits, when it is given.
fn within(asked: &Value, name: &str, limits: std::ops::RangeInclusive<i64>) -> Result<(), Refusal> {
    match asked[name].as_str() {
        Some(text) if !text.parse::<i64>().is_ok_and(|number| limits.contains(&number)) => {
            invalid(format!("{name} '{text}' must be between {} and {}", limits.start(), limits.end()))
        }
        _ => Ok(()),
    }
}
