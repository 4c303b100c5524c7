//! Whose account is looked at, if anybody's.

use crate::cli::Global;
use crate::cloud::{Access, Cloud, NotConnected};
use crate::commands::open_sandbox;
use crate::commands::session::not_connected;
use crate::outcome::{Failed, Outcome};
use crate::sandbox::{self, Sandbox};

/// Clients of the account, and the sandbox that stands in for it; `None`: nothing here has credentials.
///
/// # Errors
/// There are credentials and no region, or what is configured cannot be used.
pub async fn connected(global: &Global) -> Result<Option<(Cloud, Option<Sandbox>)>, Failed> {
    let opened = open_sandbox(global).map_err(Outcome::refused)?;
    // The sandbox has one region, and nobody has told it.
    let seeded = opened.as_ref().map(|_| sandbox::seed().region);
    let access =
        |region| Access { profile: global.profile.clone(), region, stand_in: opened.as_ref().map(Sandbox::stand_in) };
    let cloud = match Cloud::connect(&access(global.region.clone().or(seeded))).await {
        Ok(cloud) if cloud.lacks_credentials().await => None,
        Ok(cloud) => Some(cloud),
        Err(NotConnected::NoRegion) => {
            // Who has neither is new here; who has credentials is asked for the region alone.
            match Cloud::connect(&access(Some("us-east-1".to_owned()))).await {
                Ok(cloud) if cloud.lacks_credentials().await => None,
                _ => return Err(not_connected(&NotConnected::NoRegion).into()),
            }
        }
        Err(why) => return Err(not_connected(&why).into()),
    };
    Ok(cloud.map(|cloud| (cloud, opened)))
}
