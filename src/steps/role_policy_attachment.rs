//! Guide step 2: the policy's attachment to the role.

use serde::Serialize;

use super::instance_profile::InstanceProfile;
use super::instance_role::{POLICY_ARN, ROLE_NAME, Role, attached_policies, policy_arn};
use crate::cloud::{Absent, Memo};
use crate::engine::{Context, Key, Live, Outputs, Owner, Reading, Refs, Resource, Result};
use crate::site::Site;

/// The policy's attachment to the role, identified by both.
pub struct RolePolicyAttachment;

/// Which policy is attached to which role.
#[derive(Debug, Serialize)]
pub struct Spec {
    role: String,
    policy: String,
}

impl Resource for RolePolicyAttachment {
    const KEY: Key = "role_policy_attachment";
    const STEP: u8 = 2;
    type Spec = Spec;

    fn name(&self, site: &Site) -> String {
        format!("{}/{}", site.config.names.role, site.config.names.policy)
    }

    fn want(&self, _: &Site, refs: &Refs) -> Spec {
        // Whether others use the profile is checked when that is removed: their instances keep the policy too.
        refs.outlives(InstanceProfile::KEY);
        Spec { role: refs.get(ROLE_NAME), policy: refs.get(POLICY_ARN) }
    }

    async fn find(&self, &Context { cloud, site, .. }: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
        let Some(role) = reading.output(ROLE_NAME).await? else {
            return Ok(None);
        };
        let policy = policy_arn(cloud, site).await?;
        let attached = attached_policies(cloud, &role).await?;
        if !attached.contains(&policy) {
            return Ok(None);
        }
        let owner = Owner::Parent(Role::KEY);
        let spec = Spec { role, policy };
        Ok(Some(Live::ready(spec, owner)))
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new()) // an attachment carries no tags
    }

    async fn create(&self, &Context { cloud, .. }: &Context<'_>, want: &Spec) -> Result<Outputs> {
        cloud.iam.attach_role_policy().role_name(&want.role).policy_arn(&want.policy).send().await?;
        Ok(Outputs::new())
    }

    async fn update(&self, cx: &Context<'_>, _: &Live<Spec>, want: &Spec) -> Result<Outputs> {
        self.create(cx, want).await
    }

    async fn delete(&self, &Context { cloud, .. }: &Context<'_>, live: &Live<Spec>) -> Result<()> {
        let Spec { role, policy } = &live.spec;
        Ok(cloud.iam.detach_role_policy().role_name(role).policy_arn(policy).send().await.or_gone()?)
    }
}
