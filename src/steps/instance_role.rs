//! Guide step 2: the policy and the role for EC2. IAM is one for all regions of an account.

use std::sync::LazyLock;

use aws_sdk_iam::types::PolicyVersion;
use serde::Serialize;
use serde_json::Value;

use crate::cloud::{self, Absent, Cloud, Memo, Need, Tags, document, ec2_principal, partition, tags};
use crate::engine::{Context, Error, Goal, Key, Live, Output, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::Site;

/// The policy's ARN.
pub const POLICY_ARN: Output = Output(Policy::KEY, "arn");
/// The role's name.
pub const ROLE_NAME: Output = Output(Role::KEY, "name");

const POLICY: &str = include_str!("../../templates/instance-policy.json");
const TRUST: &str = include_str!("../../templates/instance-trust.json");
/// IAM keeps five versions of a policy (IAM quotas).
const MAX_VERSIONS: usize = 5;
/// It has, or is attached to, something else.
const CONFLICT: &str = "DeleteConflict";

/// The policy: what the instances may do, which is to meter their use.
pub struct Policy;

/// A policy's default version.
#[derive(Debug, Serialize)]
pub struct PolicySpec {
    document: Value,
}

impl Resource for Policy {
    const KEY: Key = "policy";
    const STEP: u8 = 2;
    const FOUND_BY_NAME: bool = true;
    type Spec = PolicySpec;

    fn name(&self, site: &Site) -> String {
        site.config.names.policy.clone()
    }

    fn want(&self, _: &Site, _: &Refs) -> PolicySpec {
        PolicySpec { document: POLICY_DOCUMENT.clone() }
    }

    async fn find(
        &self,
        &Context { cloud, site, .. }: &Context<'_>,
        reading: &Reading,
    ) -> Result<Option<Live<PolicySpec>>> {
        let arn = policy_arn(cloud, site).await?;
        let Some(reply) = cloud.iam.get_policy().policy_arn(&arn).send().await.or_absent()? else {
            return Ok(None);
        };
        let policy = reply.policy.need("Policy")?;
        let version = policy.default_version_id.need("DefaultVersionId")?;
        let document = match reading.goal {
            Goal::Present => version_document(cloud, &arn, &version).await?,
            Goal::Absent => Value::Null, // it makes no difference
        };
        let spec = PolicySpec { document };
        let owner = Owner::Tags(tags::from_iam(policy.tags.as_deref().unwrap_or_default()));
        Ok(Some(Live::ready(spec, owner).output(POLICY_ARN, arn)))
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new()) // IAM has no search by tag: names must do
    }

    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, _: &PolicySpec) -> Result<Outputs> {
        let name = self.name(site);
        let request = cloud.iam.create_policy().policy_name(&name).policy_document(POLICY);
        let reply = request.set_tags(Some(tags::to_iam(&site.tags(&name))?)).send().await?;
        Ok([(POLICY_ARN, reply.policy.and_then(|policy| policy.arn).need("Policy.Arn")?)].into())
    }

    /// An equal version that exists is made the default again, so that a lost answer or a second run adds none.
    async fn update(
        &self,
        &Context { cloud, .. }: &Context<'_>,
        live: &Live<PolicySpec>,
        want: &PolicySpec,
    ) -> Result<Outputs> {
        let arn = &live.outputs[&POLICY_ARN];
        let versions = other_versions(cloud, arn).await?;
        for version in &versions {
            let id = version.version_id().need("VersionId")?;
            if version_document(cloud, arn, id).await? == want.document {
                cloud.iam.set_default_policy_version().policy_arn(arn).version_id(id).send().await?;
                return Ok(Outputs::new());
            }
        }
        if versions.len() + 1 >= MAX_VERSIONS {
            let oldest =
                versions.iter().min_by_key(|version| version.create_date().map(aws_smithy_types::DateTime::secs));
            delete_version(cloud, arn, oldest.and_then(PolicyVersion::version_id).need("VersionId")?).await?;
        }
        let request = cloud.iam.create_policy_version().policy_arn(arn).policy_document(POLICY);
        request.set_as_default(true).send().await?;
        Ok(Outputs::new())
    }

    async fn tag(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<PolicySpec>, tags: &Tags) -> Result<()> {
        let request = cloud.iam.tag_policy().policy_arn(&live.outputs[&POLICY_ARN]);
        request.set_tags(Some(tags::to_iam(tags)?)).send().await?;
        Ok(())
    }

    /// AWS refuses to delete a policy that is attached, or has versions besides the default: those go first.
    async fn delete(&self, &Context { cloud, site, .. }: &Context<'_>, live: &Live<PolicySpec>) -> Result<()> {
        let arn = &live.outputs[&POLICY_ARN];
        match cloud.iam.delete_policy().policy_arn(arn).send().await.or_gone() {
            Err(error) if error.code() == CONFLICT => {}
            deleted => return Ok(deleted?),
        }
        let held = attached_to_others(cloud, site, arn).await?;
        if !held.is_empty() {
            return Err(Error::Held(format!("also attached to {}, which is not ours", held.join(", "))));
        }
        for version in other_versions(cloud, arn).await? {
            delete_version(cloud, arn, version.version_id().need("VersionId")?).await?;
        }
        Ok(cloud.iam.delete_policy().policy_arn(arn).send().await.or_gone()?)
    }
}

/// The role that the instances assume.
pub struct Role;

/// A role: who may assume it. Its path and description are not compared.
#[derive(Debug, Serialize)]
pub struct RoleSpec {
    trust: Value,
}

impl Resource for Role {
    const KEY: Key = "role";
    const STEP: u8 = 2;
    const FOUND_BY_NAME: bool = true;
    type Spec = RoleSpec;

    fn name(&self, site: &Site) -> String {
        site.config.names.role.clone()
    }

    fn want(&self, site: &Site, _: &Refs) -> RoleSpec {
        RoleSpec { trust: bundled(&trust(&site.region)) }
    }

    async fn find(&self, &Context { cloud, site, .. }: &Context<'_>, _: &Reading) -> Result<Option<Live<RoleSpec>>> {
        let request = cloud.iam.get_role().role_name(self.name(site));
        let Some(role) = request.send().await.or_absent()?.and_then(|reply| reply.role) else {
            return Ok(None);
        };
        let live = document::decoded(role.assume_role_policy_document().unwrap_or("{}"))?;
        let spec = RoleSpec { trust: document::spelled_like(live, &bundled(&trust(&site.region))) };
        let owner = Owner::Tags(tags::from_iam(role.tags()));
        Ok(Some(Live::ready(spec, owner).output(ROLE_NAME, role.role_name)))
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new()) // IAM has no search by tag: names must do
    }

    async fn create(&self, &Context { cloud, site, .. }: &Context<'_>, _: &RoleSpec) -> Result<Outputs> {
        let name = self.name(site);
        let request = cloud.iam.create_role().role_name(&name).assume_role_policy_document(trust(&site.region));
        request.set_tags(Some(tags::to_iam(&site.tags(&name))?)).send().await?;
        Ok([(ROLE_NAME, name)].into())
    }

    async fn update(
        &self,
        &Context { cloud, site, .. }: &Context<'_>,
        live: &Live<RoleSpec>,
        _: &RoleSpec,
    ) -> Result<Outputs> {
        let request = cloud.iam.update_assume_role_policy().role_name(&live.outputs[&ROLE_NAME]);
        request.policy_document(trust(&site.region)).send().await?;
        Ok(Outputs::new())
    }

    async fn tag(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<RoleSpec>, tags: &Tags) -> Result<()> {
        let request = cloud.iam.tag_role().role_name(&live.outputs[&ROLE_NAME]);
        request.set_tags(Some(tags::to_iam(tags)?)).send().await?;
        Ok(())
    }

    /// AWS refuses to delete a role that has anything: then what that is decides.
    async fn delete(&self, &Context { cloud, site, .. }: &Context<'_>, live: &Live<RoleSpec>) -> Result<()> {
        let name = &live.outputs[&ROLE_NAME];
        let refused = match cloud.iam.delete_role().role_name(name).send().await.or_gone() {
            Err(error) if error.code() == CONFLICT => error,
            deleted => return Ok(deleted?),
        };
        let held = held_by_role(cloud, site, name).await?;
        if !held.is_empty() {
            return Err(Error::Held(format!("it also has {}, which is not ours", held.join(", "))));
        }
        Err(refused.into()) // what was detached is still seen
    }
}

// How AWS spells it.

static POLICY_DOCUMENT: LazyLock<Value> = LazyLock::new(|| bundled(POLICY));

/// Who may assume the role.
fn trust(region: &str) -> String {
    TRUST.replace(ec2_principal("aws"), ec2_principal(partition(region)))
}

/// A document of `templates/`, held to be JSON by a test.
fn bundled(text: &str) -> Value {
    document::normal(serde_json::from_str(text).expect("the bundled documents are JSON"))
}

/// The ARN that the policy has or will have: an ARN has the path in it, and ours is `/`.
///
/// # Errors
/// AWS does not say which account this is.
pub(super) async fn policy_arn(cloud: &Cloud, site: &Site) -> Result<String> {
    let account = cloud.account().await?;
    Ok(format!("arn:{}:iam::{}:policy/{}", account.partition, account.id, site.config.names.policy))
}

async fn version_document(cloud: &Cloud, arn: &str, version: &str) -> cloud::Result<Value> {
    let reply = cloud.iam.get_policy_version().policy_arn(arn).version_id(version).send().await?;
    let document = document::decoded(&reply.policy_version.and_then(|version| version.document).need("Document")?)?;
    Ok(document::spelled_like(document, &POLICY_DOCUMENT))
}

async fn other_versions(cloud: &Cloud, arn: &str) -> Result<Vec<PolicyVersion>> {
    let reply = cloud.iam.list_policy_versions().policy_arn(arn).send().await.or_absent()?;
    let mut versions = reply.and_then(|reply| reply.versions).unwrap_or_default();
    versions.retain(|version| !version.is_default_version);
    Ok(versions)
}

async fn delete_version(cloud: &Cloud, arn: &str, version: &str) -> Result<()> {
    Ok(cloud.iam.delete_policy_version().policy_arn(arn).version_id(version).send().await.or_gone()?)
}

/// What else the policy is attached to. Our role was detached before, and may still be listed for a while.
async fn attached_to_others(cloud: &Cloud, site: &Site, arn: &str) -> Result<Vec<String>> {
    let mut pages = cloud.iam.list_entities_for_policy().policy_arn(arn).into_paginator().send();
    let mut held = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        held.extend(
            page.policy_roles()
                .iter()
                .filter_map(|role| role.role_name())
                .filter(|name| *name != site.config.names.role)
                .map(|name| format!("role {name}")),
        );
        held.extend(page.policy_users().iter().filter_map(|user| user.user_name()).map(|name| format!("user {name}")));
        let groups = page.policy_groups().iter().filter_map(|group| group.group_name());
        held.extend(groups.map(|name| format!("group {name}")));
    }
    Ok(held)
}

/// ARNs of the policies that a role has.
///
/// # Errors
/// IAM does not list them.
pub(super) async fn attached_policies(cloud: &Cloud, role: &str) -> Result<Vec<String>> {
    let mut pages = cloud.iam.list_attached_role_policies().role_name(role).into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = page.or_absent()? else { break };
        arns.extend(page.attached_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned)));
    }
    Ok(arns)
}

/// What blocks a role's removal and is not a part of the stack.
async fn held_by_role(cloud: &Cloud, site: &Site, role: &str) -> Result<Vec<String>> {
    let ours = policy_arn(cloud, site).await?;
    let (attached, inline, profiles) = tokio::join!(
        attached_policies(cloud, role),
        async { cloud.iam.list_role_policies().role_name(role).send().await.or_absent() },
        async { cloud.iam.list_instance_profiles_for_role().role_name(role).send().await.or_absent() },
    );
    let mut held: Vec<String> = attached?.into_iter().filter(|arn| *arn != ours).collect();
    let inline = inline?.map(|reply| reply.policy_names).unwrap_or_default();
    held.extend(inline.iter().map(|name| format!("the inline policy {name}")));
    let profiles = profiles?.map(|reply| reply.instance_profiles).unwrap_or_default();
    let others = profiles.iter().map(|profile| profile.instance_profile_name.as_str());
    held.extend(
        others.filter(|name| *name != site.config.names.instance_profile).map(|n| format!("the instance profile {n}")),
    );
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::trust;

    #[test]
    fn ec2_has_its_own_name_in_china() {
        assert!(trust("cn-north-1").contains("\"ec2.amazonaws.com.cn\""));
        assert!(trust("eu-central-1").contains("\"ec2.amazonaws.com\""));
    }
}
