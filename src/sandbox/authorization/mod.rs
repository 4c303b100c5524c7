//! Who may do what: where the world's caller has a policy, every call is held against it, as IAM does.

mod ec2;
mod policy;
mod questions;

use serde_json::Value;

use super::wire::Asked;
use super::world::World;

pub use policy::{Decision, Question, decide};

/// The user that a caller with a policy is.
pub const USER: &str = "user/sandbox";

/// The actions that a call needs (Service Authorization Reference).
pub fn actions(world: &World, asked: &Asked) -> Vec<String> {
    let mut actions: Vec<String> = questions::of(world, asked).into_iter().map(|one| one.action).collect();
    actions.dedup();
    actions
}

/// The first thing that the caller's policy does not allow this call; `None`: it may be made.
pub fn not_allowed(world: &World, asked: &Asked) -> Option<Question> {
    let policy = world.caller_policy.as_ref()?;
    let may = |question: &Question| decide(std::slice::from_ref(policy), question) == Decision::Allowed;
    questions::of(world, asked).into_iter().find(|question| !may(question))
}

/// Tags as IAM sees them: the key and the value of each.
type Pairs = Vec<(String, String)>;

/// Tags of a list of rows in which the key and the value have these names.
fn pairs(tags: &[Value], key: &str, value: &str) -> Pairs {
    let text = |tag: &Value, name: &str| tag[name].as_str().unwrap_or_default().to_owned();
    tags.iter().map(|tag| (text(tag, key), text(tag, value))).collect()
}

impl Question {
    /// This action on this resource, of which nothing more is known.
    fn new(action: impl Into<String>, resource: impl Into<String>) -> Question {
        Question { action: action.into(), resource: resource.into(), ..Question::default() }
    }

    /// With one more condition key.
    fn knowing(mut self, key: impl Into<String>, value: impl Into<String>) -> Question {
        self.context.entry(key.into()).or_default().push(value.into());
        self
    }

    /// With the tags that the request sets.
    fn setting(self, tags: &Pairs) -> Question {
        tags.iter().fold(self, |one, (key, value)| {
            one.knowing(format!("aws:RequestTag/{key}"), value).knowing("aws:TagKeys", key)
        })
    }

    /// With the tags that the resource has.
    fn tagged(self, tags: &Pairs) -> Question {
        let service = self.action.split(':').next().unwrap_or_default().to_owned();
        tags.iter().fold(self, |one, (key, value)| {
            one.knowing(format!("aws:ResourceTag/{key}"), value).knowing(format!("{service}:ResourceTag/{key}"), value)
        })
    }
}
