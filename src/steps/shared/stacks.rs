//! The stacks of an account and region, found by their tags and by nothing else.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_autoscaling::types::{AutoScalingGroup, Filter as ScalingFilter, LifecycleState};
use aws_sdk_ec2::types::Filter;

use super::balancing::tags_of_existing;
use crate::cloud::{Cloud, Error, Result, Tags, tags};
use crate::outcome::ListedStack;
use crate::site::{EXPIRES_TAG, OWNER_TAG};
use crate::steps::{auto_scaling, security_groups};

/// How many kinds of resources a stack is known by.
const KINDS: usize = 5;

/// The kind that says until when a stack is wanted.
pub const WITH_EXPIRY: &str = "security groups";

/// The stacks, and what could not be looked for.
#[derive(Debug, Default)]
pub struct Stacks {
    /// In the order of their names.
    pub found: Vec<ListedStack>,
    /// Kinds that could not be looked for, each with AWS's answer.
    pub unseen: Vec<(&'static str, Error)>,
}

impl Stacks {
    /// Whether nothing at all could be looked for.
    pub fn are_unknown(&self) -> bool {
        self.unseen.len() == KINDS
    }
}

/// Reads every kind side by side; a kind that may not be read hides no other.
pub async fn stacks(cloud: &Cloud, now: jiff::Timestamp) -> Stacks {
    let (groups, templates, scaling, balancers, targets) = tokio::join!(
        security_groups(cloud),
        launch_templates(cloud),
        scaling_groups(cloud),
        load_balancers(cloud),
        target_groups(cloud)
    );
    let mut seen = Seen::default();
    let mut ends: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for tags in seen.or_unseen(WITH_EXPIRY, groups) {
        if let Some(stack) = seen.count(&tags, "security group") {
            ends.entry(stack.stack.clone()).or_default().push(tags.get(EXPIRES_TAG).cloned());
        }
    }
    for tags in seen.or_unseen("launch templates", templates) {
        seen.count(&tags, "launch template");
    }
    for (tags, group) in seen.or_unseen("auto scaling groups", scaling) {
        if let Some(stack) = seen.count(&tags, "auto scaling group") {
            (stack.min, stack.desired, stack.max) = (group.min_size, group.desired_capacity, group.max_size);
            let is_in_service = |state: Option<&LifecycleState>| state == Some(&LifecycleState::InService);
            let running = group.instances().iter().filter(|one| is_in_service(one.lifecycle_state()));
            stack.running = Some(running.count());
            stack.parked = Some(auto_scaling::parked(&group).is_some());
        }
    }
    for (tags, name) in seen.or_unseen("load balancers", balancers) {
        if let Some(stack) = seen.count(&tags, "load balancer") {
            stack.load_balancer = Some(name);
        }
    }
    for (tags, _) in seen.or_unseen("target groups", targets) {
        seen.count(&tags, "target group");
    }
    seen.finish(ends, now)
}

#[derive(Default)]
struct Seen {
    stacks: BTreeMap<String, (ListedStack, usize, BTreeSet<&'static str>)>,
    unseen: Vec<(&'static str, Error)>,
}

impl Seen {
    fn or_unseen<T>(&mut self, kind: &'static str, read: Result<Vec<T>>) -> Vec<T> {
        read.unwrap_or_else(|error| {
            self.unseen.push((kind, error));
            Vec::new()
        })
    }

    /// The stack that these tags name, with one more resource of this kind.
    fn count(&mut self, tags: &Tags, kind: &'static str) -> Option<&mut ListedStack> {
        let name = tags.get(OWNER_TAG)?;
        let (stack, resources, kinds) = self.stacks.entry(name.clone()).or_default();
        stack.stack.clone_from(name);
        *resources += 1;
        kinds.insert(kind);
        Some(stack)
    }

    fn finish(self, mut ends: BTreeMap<String, Vec<Option<String>>>, now: jiff::Timestamp) -> Stacks {
        let all_seen = self.unseen.is_empty();
        let listed = self.stacks.into_values().map(|(mut stack, resources, kinds)| {
            stack.resources = all_seen.then_some(resources);
            stack.incomplete = all_seen.then_some(kinds.len() < KINDS);
            stack.expires = security_groups::latest(ends.remove(&stack.stack).unwrap_or_default());
            stack.expires_in_seconds = stack.expires.as_ref().and_then(|time| security_groups::seconds_left(time, now));
            stack
        });
        Stacks { found: listed.collect(), unseen: self.unseen }
    }
}

fn tag_key() -> Filter {
    Filter::builder().name("tag-key").values(OWNER_TAG).build()
}

async fn security_groups(cloud: &Cloud) -> Result<Vec<Tags>> {
    let request = cloud.ec2.describe_security_groups().filters(tag_key());
    let groups = request.into_paginator().page_size(1000).items().send().try_collect().await?;
    Ok(groups.iter().map(|group| tags::from_ec2(group.tags())).collect())
}

async fn launch_templates(cloud: &Cloud) -> Result<Vec<Tags>> {
    let request = cloud.ec2.describe_launch_templates().filters(tag_key());
    let templates = request.into_paginator().page_size(200).items().send().try_collect().await?;
    Ok(templates.iter().map(|template| tags::from_ec2(template.tags())).collect())
}

async fn scaling_groups(cloud: &Cloud) -> Result<Vec<(Tags, AutoScalingGroup)>> {
    let filter = ScalingFilter::builder().name("tag-key").values(OWNER_TAG).build();
    let request = cloud.autoscaling.describe_auto_scaling_groups().filters(filter);
    let groups = request.into_paginator().page_size(100).items().send().try_collect().await?;
    Ok(groups.into_iter().map(|group| (tags::from_autoscaling(group.tags()), group)).collect())
}

async fn load_balancers(cloud: &Cloud) -> Result<Vec<(Tags, String)>> {
    let request = cloud.elb.describe_load_balancers();
    let all = request.into_paginator().items().send().try_collect().await?;
    let named = all.into_iter().filter_map(|one| Some((one.load_balancer_arn?, one.dns_name.unwrap_or_default())));
    with_tags(cloud, named.collect()).await
}

async fn target_groups(cloud: &Cloud) -> Result<Vec<(Tags, String)>> {
    let request = cloud.elb.describe_target_groups();
    let all = request.into_paginator().items().send().try_collect().await?;
    let named = all.into_iter().filter_map(|one| Some((one.target_group_arn?, String::new())));
    with_tags(cloud, named.collect()).await
}

/// With their tags: there is no filter.
async fn with_tags(cloud: &Cloud, all: BTreeMap<String, String>) -> Result<Vec<(Tags, String)>> {
    let arns: Vec<String> = all.keys().cloned().collect();
    let tagged = tags_of_existing(cloud, &arns).await?.into_iter();
    Ok(tagged.filter_map(|(arn, tags)| Some((tags, all.get(&arn)?.clone()))).collect())
}
