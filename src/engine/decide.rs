//! What to do about one resource: a pure function of what is wanted and what is there.

use serde_json::{Value, json};

use super::diff::{Change, diff};
use super::resource::{Owner, Status, Tags};

/// What to do about one resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It is as wanted.
    Nothing,
    /// AWS is busy with it: why. Look again.
    Wait(String),
    /// It is absent: make this.
    Create(Value),
    /// Change these fields in place; `adopt`: it was not ours until now.
    Update { changes: Vec<Change>, adopt: bool },
    /// These fields cannot be changed in place.
    Replace { changes: Vec<Change>, why: Vec<String> },
    /// It is ours and not wanted.
    Delete,
    /// It has our name and is not ours. `adoptable`: `--adopt` would make it ours and change these fields.
    Foreign { whose: String, adoptable: bool, changes: Vec<Change> },
}

/// What a decision depends on besides want and live.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The tag that names the owner, and its value for this stack.
    pub owner: (String, String),
    /// Take over what has our name and no owner.
    pub adopt: bool,
}

/// What is wanted of a resource: its spec and the tags it must carry.
pub struct Want<'a> {
    pub spec: &'a Value,
    pub tags: &'a Tags,
    pub fixed: &'a [&'a str],
}

/// What is there.
pub struct There<'a> {
    pub spec: &'a Value,
    pub status: &'a Status,
    pub owner: &'a Owner,
}

/// The four corners of wanted and there, and whose it is.
pub fn decide(want: Option<Want>, there: Option<There>, terms: &Terms) -> Decision {
    match (want, there) {
        (None, None) => Decision::Nothing,
        (Some(want), None) => Decision::Create(want.spec.clone()),
        (None, Some(there)) => match stranger(there.owner, terms) {
            Some((whose, adoptable)) => Decision::Foreign { whose, adoptable, changes: Vec::new() },
            None => match there.status {
                Status::Leaving(why) => Decision::Wait(why.clone()),
                Status::Ready | Status::Pending(_) => Decision::Delete,
            },
        },
        (Some(want), Some(there)) => converge(want, there, terms),
    }
}

fn converge(want: Want, there: There, terms: &Terms) -> Decision {
    let mut changes = diff(there.spec, want.spec);
    if let Owner::Tags(tags) = there.owner {
        changes.extend(diff(&json!({ "tags": wanted_only(tags, want.tags) }), &json!({ "tags": want.tags })));
    }
    let mut adopt = false;
    if let Some((whose, adoptable)) = stranger(there.owner, terms) {
        if !(terms.adopt && adoptable) {
            return Decision::Foreign { whose, adoptable, changes };
        }
        adopt = true;
    }
    if let Status::Leaving(why) | Status::Pending(why) = there.status {
        return Decision::Wait(why.clone());
    }
    let why = fixed_among(&changes, want.fixed);
    match (changes.is_empty(), why.is_empty()) {
        (true, _) => Decision::Nothing,
        (_, false) => Decision::Replace { changes, why },
        _ => Decision::Update { changes, adopt },
    }
}

/// Whose it is when it is not ours, and whether it can become ours. A part is judged by its parent before this.
pub fn stranger(owner: &Owner, terms: &Terms) -> Option<(String, bool)> {
    match owner {
        Owner::Parent(_) => None,
        Owner::Stranger(why) => Some((why.clone(), true)),
        Owner::Untouchable(why) => Some((why.clone(), false)),
        Owner::Tags(tags) => match tags.get(&terms.owner.0) {
            Some(stack) if *stack == terms.owner.1 => None,
            Some(stack) => Some((format!("it belongs to the stack {stack:?}"), false)),
            None => Some((format!("it has no tag {}", terms.owner.0), true)),
        },
    }
}

/// Tags of others stay unseen: only the wanted keys are compared.
fn wanted_only(tags: &Tags, wanted: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| wanted.contains_key(*key)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn fixed_among(changes: &[Change], fixed: &[&str]) -> Vec<String> {
    let is_fixed = |change: &&Change| {
        fixed.iter().any(|field| change.field == *field || change.field.starts_with(&format!("{field}.")))
    };
    changes.iter().filter(is_fixed).map(|change| change.field.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(adopt: bool) -> Terms {
        Terms { owner: ("owner".into(), "us".into()), adopt }
    }

    fn owned(by: Option<&str>) -> Owner {
        Owner::Tags(by.map(|by| ("owner".to_owned(), by.to_owned())).into_iter().collect())
    }

    fn decided(want: Option<Value>, live: Option<(Value, Owner, Status)>, adopt: bool) -> Decision {
        let tags: Tags = [("owner".to_owned(), "us".to_owned())].into();
        let want = want.as_ref().map(|spec| Want { spec, tags: &tags, fixed: &["vpc"] });
        let there = live.as_ref().map(|(spec, owner, status)| There { spec, owner, status });
        decide(want, there, &terms(adopt))
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
        let nobody = Some((json!({"a": 1}), owned(None), Status::Ready));
        let Decision::Update { changes, adopt: true } = decided(Some(json!({"a": 1})), nobody, true) else { panic!() };
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
