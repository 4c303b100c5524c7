//! What carries the stack's tag under other names than deploy.yaml's, and what else leads to its load balancers.

use super::{lists, tagged_balancing};
use crate::cloud::Memo;
use crate::engine::{Context, Error, Result};
use crate::steps::dns_record;

/// What was found, in words.
#[derive(Debug, Default)]
pub struct Strays {
    /// What carries the stack's tag under other names: a stack beside this one, or a part of one.
    pub beside: Vec<String>,
    /// Records that lead to load balancers of the stack, beside the one of deploy.yaml.
    pub records: Vec<String>,
    /// Where records could not be looked for.
    pub unseen: Vec<String>,
}

/// Looks for all of it, one list a noun. Not looked at: policies, roles and instance profiles, whose lists in IAM have
/// no tags, so that each one of the account would be a call of its own; listeners, rules and scaling policies, which go
/// with what they are of; volumes and interfaces, which have no name of ours.
///
/// # Errors
/// AWS does not describe them.
pub async fn strays(cx: &Context<'_>, memo: &Memo) -> Result<Strays> {
    let names = &cx.site.config.names;
    let groups = async { Ok::<_, Error>(lists::own_security_groups(cx, memo).await?) };
    let templates = async { Ok(lists::own_launch_templates(cx, memo).await?) };
    let scaling = async { Ok(lists::own_scaling_groups(cx, memo).await?) };
    let balancing = async {
        let balancing = tagged_balancing(cx, memo).await?;
        let leading = balancing.load_balancers.iter().filter_map(|one| one.dns_name());
        let records = dns_record::strays(cx, memo, leading).await?;
        Ok((balancing, records))
    };
    let (groups, templates, scaling, (balancing, (records, unseen))) =
        tokio::try_join!(groups, templates, scaling, balancing)?;
    // Those first that a person knows a stack by: a line shows the first few.
    let scaling = scaling.iter().filter_map(|group| group.auto_scaling_group_name());
    let scaling = scaling.filter(|name| *name != names.auto_scaling_group);
    let mut beside: Vec<String> = scaling.map(|name| format!("auto scaling group {name}")).collect();
    let balancers = balancing.load_balancers.iter().filter_map(|one| one.load_balancer_name());
    beside.extend(balancers.filter(|name| *name != names.load_balancer).map(|name| format!("load balancer {name}")));
    let targets = balancing.target_groups.iter().filter_map(|group| group.target_group_name());
    beside.extend(targets.filter(|name| *name != names.target_group).map(|name| format!("target group {name}")));
    let templates = templates.iter().filter_map(|one| one.launch_template_name());
    beside
        .extend(templates.filter(|name| *name != names.launch_template).map(|name| format!("launch template {name}")));
    let own = [&names.load_balancer_security_group, &names.instance_security_group];
    let groups = groups.iter().filter_map(|group| Some((group.group_id()?, group.group_name()?)));
    let groups = groups.filter(|(_, name)| !own.iter().any(|own| own == name));
    beside.extend(groups.map(|(id, name)| format!("security group {name} ({id})")));
    Ok(Strays { beside, records, unseen })
}
