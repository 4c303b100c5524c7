//! Guide step 2: the instance profile. The console makes it silently with the role; the API does not.

use serde::Serialize;

use super::instance_role::ROLE_NAME;
use crate::cloud::{Absent, Cloud, Result, tags};
use crate::engine::{Key, Live, Look, Output, Outputs, Owner, Refs, Resource, Status, Tags};
use crate::site::Site;

const PROFILE_NAME: Output = Output(InstanceProfile::KEY, "name");

/// What carries the role to an instance.
pub struct InstanceProfile;

/// The one role in the profile; null while there is none.
#[derive(Debug, Serialize)]
pub struct InstanceProfileSpec {
    role: Option<String>,
}

impl Resource for InstanceProfile {
    const KEY: Key = "instance_profile";
    const STEP: u8 = 2;
    type Spec = InstanceProfileSpec;

    fn name(&self, site: &Site) -> String {
        site.config.names.instance_profile.clone()
    }

    fn want(&self, _: &Site, refs: &Refs) -> InstanceProfileSpec {
        InstanceProfileSpec {
            role: Some(refs.get(ROLE_NAME)),
        }
    }

    async fn find(
        &self,
        cloud: &Cloud,
        site: &Site,
        _: &Look,
    ) -> Result<Option<Live<InstanceProfileSpec>>> {
        let request = cloud
            .iam
            .get_instance_profile()
            .instance_profile_name(self.name(site));
        let reply = request.send().await.or_absent()?;
        let Some(profile) = reply.and_then(|reply| reply.instance_profile) else {
            return Ok(None);
        };
        Ok(Some(Live {
            spec: InstanceProfileSpec {
                role: profile.roles().first().map(|role| role.role_name.clone()),
            },
            outputs: [(PROFILE_NAME, profile.instance_profile_name.clone())].into(),
            status: Status::Ready,
            owner: Owner::Tags(tags::from_iam(profile.tags())),
        }))
    }

    async fn create(
        &self,
        cloud: &Cloud,
        site: &Site,
        want: &InstanceProfileSpec,
    ) -> Result<Outputs> {
        let name = self.name(site);
        let request = cloud
            .iam
            .create_instance_profile()
            .instance_profile_name(&name);
        request
            .set_tags(Some(tags::to_iam(&site.tags(&name))?))
            .send()
            .await?;
        add_role(cloud, &name, want).await?;
        Ok([(PROFILE_NAME, name)].into())
    }

    async fn update(
        &self,
        cloud: &Cloud,
        _: &Site,
        live: &Live<InstanceProfileSpec>,
        want: &InstanceProfileSpec,
    ) -> Result<Outputs> {
        let name = &live.outputs[&PROFILE_NAME];
        if let Some(role) = &live.spec.role {
            let request = cloud
                .iam
                .remove_role_from_instance_profile()
                .instance_profile_name(name);
            request.role_name(role).send().await.or_absent()?;
        }
        add_role(cloud, name, want).await?;
        Ok(live.outputs.clone())
    }

    async fn tag(
        &self,
        cloud: &Cloud,
        live: &Live<InstanceProfileSpec>,
        tags: &Tags,
    ) -> Result<()> {
        let request = cloud
            .iam
            .tag_instance_profile()
            .instance_profile_name(&live.outputs[&PROFILE_NAME]);
        request.set_tags(Some(tags::to_iam(tags)?)).send().await?;
        Ok(())
    }

    async fn delete(
        &self,
        cloud: &Cloud,
        _: &Site,
        live: &Live<InstanceProfileSpec>,
    ) -> Result<()> {
        let name = &live.outputs[&PROFILE_NAME];
        if let Some(role) = &live.spec.role {
            let request = cloud
                .iam
                .remove_role_from_instance_profile()
                .instance_profile_name(name);
            request.role_name(role).send().await.or_absent()?;
        }
        cloud
            .iam
            .delete_instance_profile()
            .instance_profile_name(name)
            .send()
            .await
            .or_absent()?;
        Ok(())
    }
}

// How AWS spells it.

async fn add_role(cloud: &Cloud, profile: &str, want: &InstanceProfileSpec) -> Result<()> {
    let request = cloud
        .iam
        .add_role_to_instance_profile()
        .instance_profile_name(profile);
    request.set_role_name(want.role.clone()).send().await?;
    Ok(())
}
