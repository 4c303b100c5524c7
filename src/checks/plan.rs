//! The checks that compare what exists with what deploy.yaml wants.

use async_trait::async_trait;

use super::check::{About, Asks, Check, CheckContext, Node, Place, Ran, Verb};
use super::stack::{Stack, UP};
use crate::flags;
use crate::outcome::{Action, Change};

/// Whether everything exists that `up` makes, and is ours.
pub struct Stands;

#[async_trait(?Send)]
impl Check for Stands {
    fn about(&self) -> &'static About {
        &About { id: "stands", step: 0, title: "stack stands", places: &[], verbs: &[Verb::Diagnose], asks: Asks::Plan }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let (stack, finding) = (cx.stack()?, self.finding());
        if stack.ids.is_empty() && stack.site.is_some() {
            return Ok(finding.fail(
                "nothing of this stack was found",
                "it was not made, or in another region or account, or under other names",
                format!(
                    "`deploy plan` shows what `deploy up` would make; look at region, {} and names.",
                    flags::PROFILE
                ),
            ));
        }
        if stack.site.is_none() {
            return Ok(finding.skip("what the stack needs is not all there"));
        }
        let of = |action: Action| -> Vec<String> {
            let changes = stack.changes.iter().filter(|change| change.action == action);
            changes.map(|change| format!("{} {}", change.resource, change.name)).collect()
        };
        let (foreign, absent) = (of(Action::Foreign), of(Action::Create));
        if !foreign.is_empty() {
            return Ok(finding.fail(
                foreign.join("; "),
                "something with our names is not ours",
                format!("`deploy plan {}` shows what taking it over would change; or set names.prefix.", flags::ADOPT),
            ));
        }
        if !absent.is_empty() {
            return Ok(finding.fail(absent.join("; "), "it was not made, or was removed", "`deploy up` makes it."));
        }
        Ok(finding.pass("everything that `deploy up` makes is there"))
    }
}

/// Whether the listeners are as wanted.
pub struct Listeners;

#[async_trait(?Send)]
impl Check for Listeners {
    fn about(&self) -> &'static About {
        &About {
            id: "listeners",
            step: 4,
            title: "listeners as wanted",
            places: &[Place::At(Node::LoadBalancer), Place::WayTo(Node::TargetGroup)],
            verbs: &[Verb::Verify],
            asks: Asks::Plan,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let wrong = differences(cx.stack()?, |resource| resource.ends_with("_listener"));
        if wrong.is_empty() {
            return Ok(self.finding().pass("as deploy.yaml wants them"));
        }
        Ok(self.finding().fail(wrong.join("; "), "a listener is missing or was changed", UP))
    }
}

/// Whether `deploy plan` would say nothing.
pub struct Drift;

#[async_trait(?Send)]
impl Check for Drift {
    fn about(&self) -> &'static About {
        &About {
            id: "drift",
            step: 0,
            title: "as deploy.yaml wants it",
            places: &[],
            verbs: &[Verb::Verify],
            asks: Asks::Plan,
        }
    }

    async fn run(&self, cx: &CheckContext<'_>) -> Ran {
        let wrong = differences(cx.stack()?, |_| true);
        if wrong.is_empty() {
            return Ok(self.finding().pass("no difference"));
        }
        Ok(self.finding().fail(wrong.join("; "), "the stack or deploy.yaml was changed", UP))
    }
}

fn differences(stack: &Stack<'_>, which: fn(&str) -> bool) -> Vec<String> {
    let changes = stack.changes.iter().filter(|change| which(change.resource));
    let words = |change: &Change| {
        let fields: Vec<&str> = change.fields.iter().map(|field| field.field.as_str()).take(4).collect();
        match change.action {
            Action::Update => format!("{} {}: {} differs", change.resource, change.name, fields.join(", ")),
            action => format!("{} {}: {}", change.resource, change.name, action.word()),
        }
    };
    changes.map(words).collect()
}
