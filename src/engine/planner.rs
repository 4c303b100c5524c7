//! What to do about every resource, from what was found. Pure: no clock, no calls, no listener.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::foreign_owner;
use super::diff::diff;
use super::resource::{Key, Outputs, Owner};
use super::{AnyLive, Decision, Effect, Error, Goal, Graph, Node, NodeError, Ownership, Refs, Result, Terms};
use crate::outcome::Change;
use crate::site::Site;

/// Everything found by one reading.
pub type LiveStack = BTreeMap<Key, Option<AnyLive>>;

/// The ids of everything that was found.
pub fn outputs_of(live: &LiveStack) -> Outputs {
    live.values().flatten().flat_map(|live| live.outputs.clone()).collect()
}

/// What to do about each resource, in order.
#[derive(Debug, Clone, Default)]
pub struct Plan(Vec<(Key, Decision)>);

impl Plan {
    /// Each resource with its decision, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Decision)> {
        self.0.iter().map(|(key, decision)| (*key, decision))
    }

    /// What is to be done about this resource.
    pub fn decision(&self, key: Key) -> Option<&Decision> {
        self.iter().find(|(other, _)| *other == key).map(|(_, decision)| decision)
    }

    /// The resources about which there is something to do.
    pub fn pending(&self) -> impl Iterator<Item = (Key, &Decision)> {
        self.iter().filter(|(_, decision)| decision.is_pending())
    }

    /// Whether everything is as wanted.
    pub fn is_settled(&self) -> bool {
        self.pending().next().is_none()
    }

    /// Whether there is nothing in it at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What its updates do besides changing fields, each with its resource.
    pub fn effects(&self) -> impl Iterator<Item = (Key, &Effect)> {
        self.iter().flat_map(|(key, decision)| decision.effects().iter().map(move |effect| (key, effect)))
    }

    /// The first of these resources whose decision repeats what was done: the reading does not show it yet.
    pub fn first_repeated(&self, done: &Plan) -> Option<Key> {
        done.iter().find(|(key, done)| self.decision(key).is_some_and(|next| next.repeats(done))).map(|(key, _)| key)
    }

    /// Adds what was done.
    pub fn extend(&mut self, more: impl IntoIterator<Item = (Key, Decision)>) {
        self.0.extend(more);
    }

    /// Reverses the order.
    pub fn reverse(&mut self) {
        self.0.reverse();
    }

    /// Keeps the decisions of which this is true.
    pub fn retain(&mut self, mut keep: impl FnMut(Key, &Decision) -> bool) {
        self.0.retain(|(key, decision)| keep(key, decision));
    }
}

impl IntoIterator for Plan {
    type Item = (Key, Decision);
    type IntoIter = std::vec::IntoIter<(Key, Decision)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Plans a stack.
pub struct Planner<'a> {
    /// The stack's resources and what depends on what.
    pub graph: Graph<'a>,
    /// deploy.yaml, and what was looked up for it.
    pub site: &'a Site,
    /// What the stack is to become.
    pub goal: Goal,
    /// The owner that its resources must have.
    pub ownership: Ownership,
}

impl<'a> Planner<'a> {
    /// A planner for these resources on this site.
    pub fn new(stack: &[&'a dyn Node], site: &'a Site, goal: Goal, ownership: Ownership) -> Planner<'a> {
        Planner { graph: Graph::trace(stack, site), site, goal, ownership }
    }

    /// A planner of the same stack's removal.
    pub fn removing(&self) -> Planner<'a> {
        Planner { graph: self.graph.clone(), goal: Goal::Absent, ownership: self.ownership.clone(), site: self.site }
    }

    /// What to do about each resource, in order.
    pub fn plan(&self, live: &LiveStack) -> Plan {
        let mut outputs = Outputs::new();
        let mut plan = Plan::default();
        for node in self.graph.nodes() {
            let seen = live.get(node.key()).and_then(Option::as_ref);
            let mut decision = self.decide(*node, &Refs::new(outputs.clone()), seen);
            if let Decision::Update { changes, .. } = &mut decision {
                let ids = outputs.iter().filter(|(output, _)| output.1 == "id").map(|(output, id)| (output.0, &**id));
                let names: Vec<(Key, &str)> = ids.collect();
                changes.iter_mut().for_each(|change| change.field = self.named(&change.field, &names));
            }
            let stays = !matches!(decision, Decision::Create(_) | Decision::Replace { .. });
            let updated = matches!(decision, Decision::Update { .. });
            let unknown = if updated { node.unknown_after_update() } else { &[] };
            if let Some(seen) = seen.filter(|_| stays) {
                let known = seen.outputs.iter().filter(|(output, _)| !unknown.contains(output));
                outputs.extend(known.map(|(output, value)| (*output, value.clone())));
            }
            plan.extend([(node.key(), decision)]);
        }
        plan
    }

    /// What to do about one resource.
    pub fn decide(&self, node: &dyn Node, refs: &Refs, live: Option<&AnyLive>) -> Decision {
        node.decide(&Terms { site: self.site, goal: self.goal, ownership: &self.ownership }, refs, live)
    }

    /// What a reading found.
    ///
    /// # Errors
    /// Everything that could not be read, all at once.
    pub fn collect(&self, found: BTreeMap<Key, Result<Option<AnyLive>>>) -> Result<LiveStack, Vec<NodeError>> {
        let (mut stack, mut errors) = (LiveStack::new(), Vec::new());
        for (key, result) in found {
            match result {
                Ok(live) => {
                    stack.insert(key, live);
                }
                Err(Error::DependencyNotRead(_)) => {} // the other resource's own error says why
                Err(error) => errors.extend(self.error(key, error)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        self.inherit_owners(&mut stack);
        Ok(stack)
    }

    /// What a replacement removes first: the resources to replace, and everything that holds their ids.
    pub fn replaced(&self, plan: &Plan) -> BTreeSet<Key> {
        let replaced = plan.iter().filter(|(_, decision)| matches!(decision, Decision::Replace { .. }));
        replaced.flat_map(|(key, _)| self.graph.bound_to(key)).collect()
    }

    /// Everything that this plan removes, to make it again or not.
    pub fn removed(&self, plan: &Plan) -> BTreeSet<Key> {
        let deleted = plan.iter().filter(|(_, decision)| **decision == Decision::Delete).map(|(key, _)| key);
        self.replaced(plan).into_iter().chain(deleted).collect()
    }

    /// What the removals among these decisions do besides, each with its resource.
    pub fn removal_effects<'l>(&self, plan: &Plan, live: &'l LiveStack) -> Vec<(Key, &'l Effect)> {
        let found = self.removed(plan).into_iter().filter_map(|key| Some((key, live.get(key)?.as_ref()?)));
        found.flat_map(|(key, live)| live.on_removal.iter().map(move |effect| (key, effect))).collect()
    }

    /// The plan as data for the report: everything that is not as wanted.
    pub fn changes(&self, plan: &Plan) -> Vec<Change> {
        plan.iter().filter_map(|(key, decision)| self.change(key, decision)).collect()
    }

    /// An error of this resource.
    pub fn error(&self, key: Key, error: Error) -> Option<NodeError> {
        let node = self.graph.node(key)?;
        Some(NodeError { key, name: node.name(self.site), step: node.step(), error })
    }

    fn change(&self, key: Key, decision: &Decision) -> Option<Change> {
        let node = self.graph.node(key)?;
        let (fields, why) = match decision {
            Decision::Nothing => return None,
            Decision::Create(spec) => (diff(&serde_json::json!({}), spec), None),
            Decision::Update { changes, effects, .. } => (changes.clone(), replaces_instances(effects)),
            Decision::Replace { changes, why } => {
                (changes.clone(), Some(format!("AWS does not change {} in place", why.join(", "))))
            }
            Decision::Foreign { whose, adoptable, changes } => {
                let why = if *adoptable {
                    format!("not ours: {whose}; with {} it would be tagged and changed as above", crate::flags::ADOPT)
                } else {
                    format!("not ours: {whose}")
                };
                (changes.clone(), Some(why))
            }
            Decision::Wait(why) => (Vec::new(), Some(why.clone())),
            Decision::Delete => (Vec::new(), None),
        };
        let mut fields = fields;
        fields.iter_mut().for_each(|change| change.field = self.named(&change.field, &[]));
        let action = decision.action()?;
        let name = node.name(self.site);
        Some(Change { action, resource: key, name, step: node.step(), fields, why, refused: Vec::new() })
    }

    /// The name of a field with other resources by their names: a person knows no ids, least those that are not yet.
    fn named(&self, field: &str, ids: &[(Key, &str)]) -> String {
        let mut named = field.to_owned();
        for node in self.graph.nodes().iter().filter(|_| field.contains(' ')) {
            let unknown = format!("({}.id known after apply)", node.key());
            let known = ids.iter().filter(|(key, _)| *key == node.key()).map(|(_, id)| *id);
            for id in known.chain([&*unknown]).filter(|id| !id.is_empty()) {
                named = named.replace(id, &node.name(self.site));
            }
        }
        named
    }

    /// A part of something that is not ours is not ours.
    fn inherit_owners(&self, stack: &mut LiveStack) {
        for node in self.graph.nodes() {
            let live = stack.get(node.key()).and_then(Option::as_ref);
            let Some(Owner::Parent(parent)) = live.map(|live| live.owner.clone()) else {
                continue;
            };
            let above = stack.get(parent).and_then(Option::as_ref);
            let Some((_, adoptable)) = above.and_then(|live| foreign_owner(&live.owner, &self.ownership)) else {
                continue;
            };
            let whose = format!("it is a part of {parent}, which is not ours");
            if let Some(Some(live)) = stack.get_mut(node.key()) {
                live.owner = if adoptable { Owner::Stranger(whose) } else { Owner::Untouchable(whose) };
            }
        }
    }
}

fn replaces_instances(effects: &[Effect]) -> Option<String> {
    effects.contains(&Effect::ReplacesInstances).then(|| {
        "an instance refresh brings it to the instances: launch before terminate, back by itself when it fails"
            .to_owned()
    })
}
