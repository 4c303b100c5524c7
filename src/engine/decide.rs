//! What to do about one resource: a pure function of what is wanted and what AWS has.

use serde_json::{Value, json};

use super::diff::diff;
use super::effect::Effect;
use super::resource::{Owner, Status};
use crate::cloud::Tags;
use crate::outcome::{Action, FieldChange};

/// What to do about one resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It is as wanted.
    Nothing,
    /// AWS is busy with it: why. Read it again.
    Wait(String),
    /// It is absent: make this.
    Create(Value),
    /// Change it in place.
    Update {
        /// The fields that differ.
        changes: Vec<FieldChange>,
        /// It is tagged as ours with this update.
        adopt: bool,
        /// What the update does besides.
        effects: Vec<Effect>,
    },
    /// It cannot be changed in place.
    Replace {
        /// The fields that differ.
        changes: Vec<FieldChange>,
        /// Those of them that AWS does not change.
        why: Vec<String>,
    },
    /// It is ours and not wanted.
    Delete,
    /// It has our name and another owner, or none.
    Foreign {
        /// Why it is not ours.
        whose: String,
        /// Adopting it would make it ours and change these fields.
        adoptable: bool,
        /// The fields that differ.
        changes: Vec<FieldChange>,
    },
}

impl Decision {
    /// The verb for it; `None`: there is nothing to do.
    pub fn action(&self) -> Option<Action> {
        match self {
            Decision::Nothing => None,
            Decision::Wait(_) => Some(Action::Wait),
            Decision::Create(_) => Some(Action::Create),
            Decision::Update { adopt: true, .. } => Some(Action::Adopt),
            Decision::Update { .. } => Some(Action::Update),
            Decision::Replace { .. } => Some(Action::Replace),
            Decision::Delete => Some(Action::Delete),
            Decision::Foreign { .. } => Some(Action::Foreign),
        }
    }

    /// Whether there is something to do.
    pub fn is_pending(&self) -> bool {
        *self != Decision::Nothing
    }

    /// What else it does, for an update.
    pub fn effects(&self) -> &[Effect] {
        match self {
            Decision::Update { effects, .. } => effects,
            _ => &[],
        }
    }

    /// Whether it repeats `done` as if that had not been done.
    pub fn repeats(&self, done: &Decision) -> bool {
        match (done, self) {
            (Decision::Create(_), Decision::Create(_)) | (Decision::Delete, Decision::Delete) => true,
            (Decision::Update { changes: done, .. }, Decision::Update { changes: next, .. }) => {
                // A planned value that was not known is known now.
                done.iter().map(|change| &change.field).eq(next.iter().map(|change| &change.field))
            }
            _ => false,
        }
    }
}

/// The owner that a resource must have to be changed.
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    /// The tag that names the owner, and its value for this stack.
    pub owner: (String, String),
    /// Adopt what has our name and no owner.
    pub adopt: bool,
}

/// What is wanted of a resource.
pub struct Wanted<'a> {
    /// Its spec as a tree.
    pub spec: &'a Value,
    /// The tags that it must carry.
    pub tags: &'a Tags,
    /// Fields that AWS does not change in place.
    pub forces_replacement: &'a [&'a str],
}

/// What AWS has.
pub struct Actual<'a> {
    /// Its spec as a tree.
    pub spec: &'a Value,
    /// Whether it can be worked with.
    pub status: &'a Status,
    /// Its owner.
    pub owner: &'a Owner,
}

/// The decision for each case of wanted or not and there or not, by owner and state.
pub fn decide(want: Option<Wanted>, actual: Option<Actual>, ownership: &Ownership) -> Decision {
    match (want, actual) {
        (None, None) => Decision::Nothing,
        (Some(want), None) => Decision::Create(want.spec.clone()),
        (None, Some(actual)) => match foreign_owner(actual.owner, ownership) {
            Some((whose, adoptable)) => Decision::Foreign { whose, adoptable, changes: Vec::new() },
            None => match actual.status {
                Status::Leaving(why) => Decision::Wait(why.clone()),
                Status::Ready | Status::Pending(_) => Decision::Delete,
            },
        },
        (Some(want), Some(actual)) => converge(want, actual, ownership),
    }
}

fn converge(want: Wanted, actual: Actual, ownership: &Ownership) -> Decision {
    let mut changes = diff(actual.spec, want.spec);
    if let Owner::Tags(tags) = actual.owner {
        changes.extend(diff(&json!({ "tags": wanted_only(tags, want.tags) }), &json!({ "tags": want.tags })));
    }
    let mut adopt = false;
    if let Some((whose, adoptable)) = foreign_owner(actual.owner, ownership) {
        if !(ownership.adopt && adoptable) {
            return Decision::Foreign { whose, adoptable, changes };
        }
        adopt = true;
    }
    if let Status::Leaving(why) | Status::Pending(why) = actual.status {
        return Decision::Wait(why.clone());
    }
    let why = replacing_among(&changes, want.forces_replacement);
    match (changes.is_empty(), why.is_empty()) {
        (true, _) => Decision::Nothing,
        (_, false) => Decision::Replace { changes, why },
        _ => Decision::Update { changes, adopt, effects: Vec::new() },
    }
}

/// Why it is not ours, and whether it can become ours; `None`: it is ours. A part has its parent's owner by now.
pub fn foreign_owner(owner: &Owner, ownership: &Ownership) -> Option<(String, bool)> {
    match owner {
        Owner::Parent(_) => None,
        Owner::Stranger(why) => Some((why.clone(), true)),
        Owner::Untouchable(why) => Some((why.clone(), false)),
        Owner::Tags(tags) => match tags.get(&ownership.owner.0) {
            Some(stack) if *stack == ownership.owner.1 => None,
            Some(stack) => Some((format!("it belongs to the stack {stack:?}"), false)),
            None => Some((format!("it has no tag {}", ownership.owner.0), true)),
        },
    }
}

/// Only the wanted keys are compared: other tags may be there.
fn wanted_only(tags: &Tags, wanted: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| wanted.contains_key(*key)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn replacing_among(changes: &[FieldChange], forces_replacement: &[&str]) -> Vec<String> {
    let replaces = |change: &&FieldChange| {
        forces_replacement.iter().any(|field| change.field == *field || change.field.starts_with(&format!("{field}.")))
    };
    changes.iter().filter(replaces).map(|change| change.field.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ownership(adopt: bool) -> Ownership {
        Ownership { owner: ("owner".into(), "us".into()), adopt }
    }

    fn owned(by: Option<&str>) -> Owner {
        Owner::Tags(by.map(|by| ("owner".to_owned(), by.to_owned())).into_iter().collect())
    }

    fn decided(want: Option<Value>, live: Option<(Value, Owner, Status)>, adopt: bool) -> Decision {
        let tags: Tags = [("owner".to_owned(), "us".to_owned())].into();
        let want = want.as_ref().map(|spec| Wanted { spec, tags: &tags, forces_replacement: &["vpc"] });
        let actual = live.as_ref().map(|(spec, owner, status)| Actual { spec, status, owner });
        decide(want, actual, &ownership(adopt))
    }

    fn ours(spec: Value) -> Option<(Value, Owner, Status)> {
        Some((spec, owned(Some("us")), Status::Ready))
    }

    #[test]
    fn the_four_corners() {
        assert_eq!(decided(None, None, false), Decision::Nothing);
        assert_eq!(decided(Some(json!({})), None, false), Decision::Create(json!({})));
        assert_eq!(decided(None, ours(json!({})), false), Decision::Delete);
        assert_eq!(decided(Some(json!({"a": 1})), ours(json!({"a": 1})), false), Decision::Nothing);
        assert!(matches!(decided(Some(json!({"a": 1})), ours(json!({"a": 2})), false), Decision::Update { .. }));
        let replaced = decided(Some(json!({"vpc": 1})), ours(json!({"vpc": 2})), false);
        assert!(matches!(replaced, Decision::Replace { why, .. } if why == ["vpc"]));
    }

    #[test]
    fn what_carries_no_tag_of_ours_is_not_ours() {
        for goal in [None, Some(json!({"a": 1}))] {
            let live = Some((json!({"a": 1}), owned(None), Status::Ready));
            assert!(matches!(decided(goal, live, false), Decision::Foreign { adoptable: true, .. }));
        }
    }

    #[test]
    fn adopting_tags_and_another_stack_is_never_adopted() {
        let unowned = Some((json!({"a": 1}), owned(None), Status::Ready));
        let Decision::Update { changes, adopt: true, .. } = decided(Some(json!({"a": 1})), unowned, true) else {
            panic!()
        };
        assert_eq!(changes[0].field, "tags.owner");
        let other = Some((json!({"a": 1}), owned(Some("them")), Status::Ready));
        assert!(matches!(decided(Some(json!({"a": 1})), other, true), Decision::Foreign { adoptable: false, .. }));
    }

    #[test]
    fn what_is_on_its_way_is_waited_for_and_may_be_deleted() {
        let pending = || Some((json!({"a": 1}), owned(Some("us")), Status::Pending("coming".into())));
        assert_eq!(decided(Some(json!({"a": 2})), pending(), false), Decision::Wait("coming".into()));
        assert_eq!(decided(None, pending(), false), Decision::Delete);
    }

    #[test]
    fn what_is_leaving_is_waited_for() {
        let leaving = || Some((json!({}), owned(Some("us")), Status::Leaving("busy".into())));
        assert_eq!(decided(Some(json!({})), leaving(), false), Decision::Wait("busy".into()));
        assert_eq!(decided(None, leaving(), false), Decision::Wait("busy".into()));
    }
}
