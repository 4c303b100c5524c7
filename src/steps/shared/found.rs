//! What a stack's deploy.yaml must have said, from what carries its tag: enough to remove it without the file.

use aws_sdk_ec2::types::{LaunchTemplateVersion, SecurityGroup};

use super::{lists, tagged_balancing};
use crate::cloud::{Absent, Cloud, Memo};
use crate::config::{Config, Names, Network};
use crate::engine::{Context, Result};
use crate::site::Site;
use crate::steps::instance_role::attached_policies;
use crate::steps::launch_template::find_version;
use crate::steps::security_groups::{Instances, Member};

/// The configuration of a stack: its names and its VPC. Policy, role and profile are those that the launch template
/// leads to. A name that nothing carries is the guide's, with the prefix that one of the others has.
///
/// # Errors
/// AWS does not describe what carries the tag.
pub async fn found_config(cloud: &Cloud, stack: &str) -> Result<Config> {
    let asked = Config { stack: stack.to_owned(), ..Config::new(Network::default()) };
    let site = Site::blank(asked, &cloud.region);
    let (cx, memo) = (Context::reading(cloud, &site), Memo::default());
    let groups = lists::own_security_groups(&cx, &memo);
    let templates = lists::own_launch_templates(&cx, &memo);
    let scaling = lists::own_scaling_groups(&cx, &memo);
    let balancing = tagged_balancing(&cx, &memo);
    let (groups, templates, scaling, balancing) = tokio::try_join!(groups, templates, scaling, balancing)?;
    let template = templates.first();
    let version = match template.and_then(|template| template.launch_template_id()) {
        Some(id) => find_version(cloud, id, "$Latest").await?,
        None => None,
    };
    let (of_instances, of_balancer) = parted(&groups, version.as_ref());
    let iam = of_iam(cloud, version.as_ref()).await?;
    let name = |group: Option<&SecurityGroup>| group.and_then(|group| group.group_name()).map(str::to_owned);
    let seen = Seen {
        load_balancer_security_group: name(of_balancer),
        instance_security_group: name(of_instances),
        launch_template: template.and_then(|template| template.launch_template_name.clone()),
        load_balancer: balancing.load_balancers.first().and_then(|one| one.load_balancer_name.clone()),
        target_group: balancing.target_groups.first().and_then(|one| one.target_group_name.clone()),
        auto_scaling_group: scaling.first().and_then(|group| group.auto_scaling_group_name.clone()),
        ..iam
    };
    let vpc = groups.first().and_then(|group| group.vpc_id.clone()).unwrap_or_default();
    let network = Network { vpc, ..Network::default() };
    Ok(Config { names: seen.names(stack), network, ..site.config })
}

/// The instances' security group and the load balancer's: by what the template has, else by what each says of itself.
fn parted<'a>(
    groups: &'a [SecurityGroup],
    version: Option<&LaunchTemplateVersion>,
) -> (Option<&'a SecurityGroup>, Option<&'a SecurityGroup>) {
    let of_template = version.and_then(|version| version.launch_template_data());
    let is_of_instances = |group: &&SecurityGroup| {
        let has = |ids: &[String]| ids.iter().any(|id| group.group_id() == Some(id));
        let by_template = of_template.is_some_and(|data| {
            let of_interfaces = data.network_interfaces().iter().any(|interface| has(interface.groups()));
            has(data.security_group_ids()) || of_interfaces
        });
        by_template || group.description() == Some(Instances::DESCRIPTION)
    };
    let of_instances = groups.iter().find(is_of_instances);
    let of_balancer = groups.iter().find(|group| of_instances.is_none_or(|one| one.group_id != group.group_id));
    (of_instances, of_balancer)
}

/// Profile, role and policy of what the template launches.
async fn of_iam(cloud: &Cloud, version: Option<&LaunchTemplateVersion>) -> Result<Seen> {
    let data = version.and_then(|version| version.launch_template_data());
    let profile = data.and_then(|data| data.iam_instance_profile());
    let name = profile.and_then(|profile| profile.name().or_else(|| profile.arn()?.rsplit('/').next()));
    let Some(name) = name else { return Ok(Seen::default()) };
    let mut seen = Seen { instance_profile: Some(name.to_owned()), ..Seen::default() };
    let reply = cloud.iam.get_instance_profile().instance_profile_name(name).send().await.or_absent()?;
    let role = reply.and_then(|reply| Some(reply.instance_profile?.roles.into_iter().next()?.role_name));
    let Some(role) = role else { return Ok(seen) };
    // AWS's own policies have no account in their ARN.
    let attached = attached_policies(cloud, &role).await?.into_iter().filter(|arn| !arn.contains(":iam::aws:"));
    let names: Vec<String> = attached.filter_map(|arn| Some(arn.rsplit('/').next()?.to_owned())).collect();
    let guide = Names::default().policy;
    let policy = names.iter().find(|name| name.ends_with(&guide)).or(names.first());
    seen.policy = policy.cloned();
    seen.role = Some(role);
    Ok(seen)
}

/// The names that were seen.
#[derive(Default)]
struct Seen {
    load_balancer_security_group: Option<String>,
    instance_security_group: Option<String>,
    policy: Option<String>,
    role: Option<String>,
    instance_profile: Option<String>,
    launch_template: Option<String>,
    load_balancer: Option<String>,
    target_group: Option<String>,
    auto_scaling_group: Option<String>,
}

impl Seen {
    fn names(self, stack: &str) -> Names {
        let guide = Names::default();
        let pairs = [
            (&self.load_balancer_security_group, &guide.load_balancer_security_group),
            (&self.instance_security_group, &guide.instance_security_group),
            (&self.launch_template, &guide.launch_template),
            (&self.load_balancer, &guide.load_balancer),
            (&self.target_group, &guide.target_group),
            (&self.auto_scaling_group, &guide.auto_scaling_group),
        ];
        let prefix = pairs.iter().find_map(|(seen, guide)| seen.as_ref()?.strip_suffix(guide.as_str()));
        // Where no name is the guide's, its names may be another stack's.
        let prefix = prefix.map_or_else(|| format!("{stack}-"), str::to_owned);
        let or_guide = |seen: Option<String>, guide: &str| seen.unwrap_or_else(|| format!("{prefix}{guide}"));
        Names {
            load_balancer_security_group: or_guide(
                self.load_balancer_security_group,
                &guide.load_balancer_security_group,
            ),
            instance_security_group: or_guide(self.instance_security_group, &guide.instance_security_group),
            policy: or_guide(self.policy, &guide.policy),
            role: or_guide(self.role, &guide.role),
            instance_profile: or_guide(self.instance_profile, &guide.instance_profile),
            launch_template: or_guide(self.launch_template, &guide.launch_template),
            load_balancer: or_guide(self.load_balancer, &guide.load_balancer),
            target_group: or_guide(self.target_group, &guide.target_group),
            auto_scaling_group: or_guide(self.auto_scaling_group, &guide.auto_scaling_group),
            prefix,
        }
    }
}
