//! Lists of all that carries the stack's tag, a noun each. Where they are read besides, whoever looks for one thing
//! finds it there: only what carries no tag of ours, or is not there, is asked for by its name.

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ec2::types::{Filter, LaunchTemplate, SecurityGroup};
use tokio::sync::OnceCell;

use crate::cloud::{Memo, Result};
use crate::engine::{Context, Reading};
use crate::steps::auto_scaling;

#[derive(Default)]
struct OwnGroups(OnceCell<Vec<SecurityGroup>>);

#[derive(Default)]
struct OwnTemplates(OnceCell<Vec<LaunchTemplate>>);

#[derive(Default)]
struct OwnScaling(OnceCell<Vec<AutoScalingGroup>>);

#[derive(Default)]
struct NamedScaling(OnceCell<Option<AutoScalingGroup>>);

#[derive(Default)]
struct NamedGroups(OnceCell<Vec<SecurityGroup>>);

/// Security groups that carry the stack's tag, whatever their names.
///
/// # Errors
/// EC2 does not describe them.
pub async fn own_security_groups(cx: &Context<'_>, memo: &Memo) -> Result<Vec<SecurityGroup>> {
    let read = || async {
        let request = cx.cloud.ec2.describe_security_groups().filters(cx.site.owner_filter());
        Ok(request.into_paginator().page_size(1000).items().send().try_collect().await?)
    };
    memo.of::<OwnGroups>().0.get_or_try_init(read).await.cloned()
}

/// Launch templates that carry the stack's tag, whatever their names.
///
/// # Errors
/// EC2 does not describe them.
pub async fn own_launch_templates(cx: &Context<'_>, memo: &Memo) -> Result<Vec<LaunchTemplate>> {
    let read = || async {
        let request = cx.cloud.ec2.describe_launch_templates().filters(cx.site.owner_filter());
        Ok(request.into_paginator().page_size(200).items().send().try_collect().await?)
    };
    memo.of::<OwnTemplates>().0.get_or_try_init(read).await.cloned()
}

/// Auto scaling groups that carry the stack's tag, whatever their names.
///
/// # Errors
/// Auto Scaling does not describe them.
pub async fn own_scaling_groups(cx: &Context<'_>, memo: &Memo) -> Result<Vec<AutoScalingGroup>> {
    memo.of::<OwnScaling>().0.get_or_try_init(|| auto_scaling::tagged_groups(cx)).await.cloned()
}

/// Security groups of these names: ours in the wanted VPC, where both are; else all, in every VPC (by name they are
/// found with their case as it is).
///
/// # Errors
/// EC2 does not describe them.
pub async fn security_groups(cx: &Context<'_>, reading: &Reading, names: [&str; 2]) -> Result<Vec<SecurityGroup>> {
    let read = || async {
        if reading.memo.has_lists {
            let own = own_security_groups(cx, &reading.memo).await?;
            let vpc = Some(cx.site.config.network.vpc.as_str());
            let has = |name| own.iter().any(|one| one.group_name() == Some(name) && one.vpc_id() == vpc);
            if names.into_iter().all(has) {
                return Ok(own);
            }
        }
        let filter = Filter::builder().name("group-name").set_values(Some(names.map(str::to_owned).into())).build();
        let request = cx.cloud.ec2.describe_security_groups().filters(filter);
        Ok(request.into_paginator().page_size(1000).items().send().try_collect().await?)
    };
    reading.shared::<NamedGroups>().0.get_or_try_init(read).await.cloned()
}

/// The launch template of this name, whosever it is.
///
/// # Errors
/// EC2 does not describe it.
pub async fn launch_template(cx: &Context<'_>, memo: &Memo, name: &str) -> Result<Option<LaunchTemplate>> {
    let is_named = |template: &LaunchTemplate| template.launch_template_name() == Some(name);
    if memo.has_lists
        && let Some(own) = own_launch_templates(cx, memo).await?.into_iter().find(is_named)
    {
        return Ok(Some(own));
    }
    let named = Filter::builder().name("launch-template-name").values(name).build();
    let request = cx.cloud.ec2.describe_launch_templates().filters(named).into_paginator().page_size(200);
    let templates: Vec<LaunchTemplate> = request.items().send().try_collect().await?;
    Ok(templates.into_iter().find(is_named))
}

/// The auto scaling group of the site's name, whosever it is.
///
/// # Errors
/// Auto Scaling does not describe it.
pub async fn scaling_group(cx: &Context<'_>, memo: &Memo, name: &str) -> Result<Option<AutoScalingGroup>> {
    let is_named = |group: &AutoScalingGroup| group.auto_scaling_group_name() == Some(name);
    if memo.has_lists
        && let Some(own) = own_scaling_groups(cx, memo).await?.into_iter().find(is_named)
    {
        return Ok(Some(own));
    }
    let read = || auto_scaling::find_group(cx.cloud, name);
    memo.of::<NamedScaling>().0.get_or_try_init(read).await.cloned()
}
