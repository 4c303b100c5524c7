//! What AWS has of the stack, whole: a plan compares a part of it, and code must say all.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{AutoScalingGroup, ScalingPolicy};
use aws_sdk_ec2::types::{LaunchTemplateVersion, SecurityGroup};
use aws_sdk_elasticloadbalancingv2::types::{Listener, LoadBalancer, TargetGroup};
use aws_sdk_iam::types::{InstanceProfile, Policy, Role};
use serde_json::Value;

use crate::cloud::document::as_written;
use crate::cloud::{Absent, Cloud, Result, Tags, tags};
use crate::engine::{Key, LiveStack, Outputs, Owner, outputs_of};
use crate::steps::auto_scaling::{self, find_group};
use crate::steps::instance_role::{POLICY_ARN, ROLE_NAME};
use crate::steps::launch_template::{self, find_version};
use crate::steps::load_balancer::{self, find_listeners, find_load_balancer};
use crate::steps::scaling_policy::find_target_tracking;
use crate::steps::security_groups::find_security_groups;
use crate::steps::target_group::{self, find_target_group};

/// A stack as AWS has it. What is absent, or not ours, is `None` or empty.
#[derive(Debug, Default)]
pub struct Live {
    /// The security groups, that of the load balancer first.
    pub groups: Vec<(Key, SecurityGroup)>,
    /// The policy and its document.
    pub policy: Option<(Policy, Value)>,
    /// The role and its trust policy.
    pub role: Option<(Role, Value)>,
    /// Whether the role has the policy.
    pub is_attached: bool,
    /// The profile.
    pub profile: Option<InstanceProfile>,
    /// The newest version of the launch template: what a tool that keeps the template goes by.
    pub template: Option<LaunchTemplateVersion>,
    /// The number of the version that is the default.
    pub default_version: Option<String>,
    /// The target group.
    pub target_group: Option<TargetGroup>,
    /// The load balancer.
    pub load_balancer: Option<LoadBalancer>,
    /// Its listeners, with their keys.
    pub listeners: Vec<(Key, Listener)>,
    /// The group.
    pub scaling_group: Option<AutoScalingGroup>,
    /// Its policy.
    pub scaling_policy: Option<ScalingPolicy>,
    /// The record's spec.
    pub record: Option<Value>,
    /// Attributes of load balancer and target group.
    pub attributes: BTreeMap<Key, BTreeMap<String, String>>,
    /// Tags by key.
    pub tags: BTreeMap<Key, Tags>,
    /// What is ours and there, in order.
    pub keys: Vec<Key>,
}

impl Live {
    /// Reads what is ours of this reading. `ours`: keys of what is there and is ours, in the order of the stack.
    ///
    /// # Errors
    /// AWS does not say.
    pub async fn read(cloud: &Cloud, stack: &LiveStack, ours: &[Key]) -> Result<Live> {
        let found = outputs_of(stack);
        let ids: Outputs = found.into_iter().filter(|(output, _)| ours.contains(&output.0)).collect();
        let mut live = Live { keys: ours.to_vec(), ..Live::default() };
        for key in ours {
            let seen = stack.get(key).and_then(Option::as_ref);
            if let Some(Owner::Tags(own)) = seen.map(|seen| &seen.owner) {
                live.tags.insert(key, own.clone());
            }
            if *key == "dns_record" {
                live.record = seen.map(|seen| seen.spec.clone());
            }
        }
        live.is_attached = ours.contains(&"role_policy_attachment");
        live.read_identity(cloud, &ids).await?;
        live.read_balancing(cloud, &ids).await?;
        live.read_instances(cloud, &ids).await?;
        Ok(live)
    }

    /// Whether this resource is among what is exported.
    pub fn has(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    async fn read_identity(&mut self, cloud: &Cloud, ids: &Outputs) -> Result<()> {
        let iam = &cloud.iam;
        if let Some(arn) = ids.get(&POLICY_ARN)
            && let Some(policy) = iam.get_policy().policy_arn(arn).send().await.or_absent()?.and_then(|one| one.policy)
        {
            let version = policy.default_version_id().unwrap_or("v1");
            let reply = iam.get_policy_version().policy_arn(arn).version_id(version).send().await?;
            let document = reply.policy_version.and_then(|version| version.document).unwrap_or_default();
            self.policy = Some((policy, as_written(&document)?));
        }
        if let Some(name) = ids.get(&ROLE_NAME) {
            let role = iam.get_role().role_name(name).send().await.or_absent()?.and_then(|one| one.role);
            if let Some(role) = role {
                let trust = as_written(role.assume_role_policy_document().unwrap_or("{}"))?;
                self.role = Some((role, trust));
            }
        }
        let profile = ids.iter().find(|(output, _)| output.0 == "instance_profile").map(|(_, name)| name);
        if let Some(name) = profile {
            let reply = iam.get_instance_profile().instance_profile_name(name).send().await.or_absent()?;
            self.profile = reply.and_then(|one| one.instance_profile);
        }
        Ok(())
    }

    async fn read_balancing(&mut self, cloud: &Cloud, ids: &Outputs) -> Result<()> {
        if let Some(arn) = ids.get(&target_group::ARN) {
            self.target_group = find_target_group(cloud, arn).await?;
            let request = cloud.elb.describe_target_group_attributes().target_group_arn(arn);
            let pairs = request.send().await?.attributes.unwrap_or_default();
            let pairs = pairs.into_iter().filter_map(|one| Some((one.key?, one.value?)));
            self.attributes.insert(target_group::ARN.0, pairs.collect());
        }
        let Some(arn) = ids.get(&load_balancer::ARN) else { return Ok(()) };
        self.load_balancer = find_load_balancer(cloud, arn).await?;
        let request = cloud.elb.describe_load_balancer_attributes().load_balancer_arn(arn);
        let pairs = request.send().await?.attributes.unwrap_or_default();
        let pairs = pairs.into_iter().filter_map(|one| Some((one.key?, one.value?)));
        self.attributes.insert(load_balancer::ARN.0, pairs.collect());
        for listener in find_listeners(cloud, arn).await? {
            let key = match listener.port() {
                Some(443) => "https_listener",
                Some(80) => "http_listener",
                _ => continue,
            };
            if let Some(arn) = listener.listener_arn().filter(|_| self.has(key)) {
                let tagged = cloud.elb.describe_tags().resource_arns(arn).send().await?;
                let own = tagged.tag_descriptions().first().map(|one| tags::from_elb(one.tags()));
                self.tags.insert(key, own.unwrap_or_default());
                self.listeners.push((key, listener));
            }
        }
        self.listeners.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
        Ok(())
    }

    async fn read_instances(&mut self, cloud: &Cloud, ids: &Outputs) -> Result<()> {
        for key in ["load_balancer_security_group", "instance_security_group"] {
            if let Some((_, id)) = ids.iter().find(|(output, _)| output.0 == key) {
                let found = find_security_groups(cloud, vec![id.clone()]).await?;
                self.groups.extend(found.into_values().map(|group| (key, group)));
            }
        }
        if let Some(id) = ids.get(&launch_template::ID) {
            self.template = find_version(cloud, id, "$Latest").await?;
            self.default_version = ids.get(&launch_template::VERSION).cloned();
        }
        if let Some(name) = ids.get(&auto_scaling::NAME) {
            self.scaling_group = find_group(cloud, name).await?;
            if self.has("scaling_policy") {
                self.scaling_policy = find_target_tracking(cloud, name).await?;
            }
        }
        Ok(())
    }
}
