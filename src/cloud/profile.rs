//! Profiles of the shared configuration files. One that was asked for by name: it alone, whatever the environment
//! holds, as `aws --profile` does it (AWS CLI user guide, "Configuration and credential precedence"). Else that of
//! `AWS_PROFILE`, or `default`, where no keys in the environment come before it.

use std::collections::BTreeSet;

use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

/// Where the credentials and the region of one profile come from.
pub struct Profile {
    /// Its credentials: keys, role, SSO, process.
    pub credentials: ProfileFileCredentialsProvider,
    /// Its region.
    pub region: ProfileFileRegionProvider,
}

const EXPORTED: &str = "`aws configure export-credentials --profile NAME --format env` prints keys for this shell; run \
                        without a profile then.";

/// Settings that AWS's own tools understand and this program does not, each with the way round: named before any call,
/// rather than left to fail as something else.
const UNSUPPORTED: [(&str, &str); 3] = [
    ("mfa_serial", EXPORTED),
    ("login_session", EXPORTED),
    ("ca_bundle", "Name the file in the environment too: AWS_CA_BUNDLE."),
];

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The files have no such profile.
    #[error("there is no profile {name:?} in the AWS configuration files")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Those that exist.
        known: Vec<String>,
    },
    /// It asks for what this program does not do.
    #[error("the profile {name:?} has {setting}, which is not supported here")]
    Unsupported {
        /// What was asked for.
        name: String,
        /// The setting, as the files name it.
        setting: &'static str,
        /// What to do instead.
        cure: &'static str,
    },
    /// The files cannot be read.
    #[error("the AWS configuration files: {0}")]
    Unreadable(String),
}

impl Profile {
    /// The profile of this name.
    ///
    /// # Errors
    /// There is none, or the files cannot be read.
    pub async fn named(name: &str) -> Result<Profile, Unusable> {
        check(&load().await?, name)?;
        Ok(Profile {
            credentials: ProfileFileCredentialsProvider::builder().profile_name(name).build(),
            region: ProfileFileRegionProvider::builder().profile_name(name).build(),
        })
    }
}

/// Looks at the profile that the credentials come from when none is asked for by name. Keys in the environment come
/// before it: then what it asks for does not matter.
///
/// # Errors
/// `AWS_PROFILE` names none that exists, the profile asks for what this program does not do, or the files cannot be
/// read.
pub async fn check_of_environment() -> Result<(), Unusable> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY") {
        return Ok(());
    }
    let profiles = load().await?;
    let name = profiles.selected_profile();
    // Nobody needs a default profile: there may be a role of the machine.
    if profiles.get_profile(name).is_none() && !is_set("AWS_PROFILE") {
        return Ok(());
    }
    check(&profiles, name)
}

async fn load() -> Result<ProfileSet, Unusable> {
    let (fs, env, files) = (Fs::real(), Env::real(), EnvConfigFiles::default());
    let profiles = aws_config::profile::load(&fs, &env, &files, None).await;
    profiles.map_err(|error| Unusable::Unreadable(causes(&error)))
}

/// Whether this profile exists, and neither it nor those that it takes its keys from ask for more than they may.
fn check(profiles: &ProfileSet, name: &str) -> Result<(), Unusable> {
    if profiles.get_profile(name).is_none() {
        let mut known: Vec<String> = profiles.profiles().map(str::to_owned).collect();
        known.sort();
        return Err(Unusable::Unknown { name: name.to_owned(), known });
    }
    let (mut next, mut seen) = (Some(name), BTreeSet::new());
    // One may name itself, or another that leads back.
    while let Some(name) = next.filter(|name| seen.insert(*name)) {
        let Some(profile) = profiles.get_profile(name) else { break };
        let has = |setting: &&(&str, &str)| match setting.0 {
            // The device is asked only for a role.
            "mfa_serial" => profile.get("role_arn").is_some() && profile.get(setting.0).is_some(),
            "ca_bundle" => std::env::var_os("AWS_CA_BUNDLE").is_none() && profile.get(setting.0).is_some(),
            setting => profile.get(setting).is_some(),
        };
        if let Some((setting, cure)) = UNSUPPORTED.iter().find(has) {
            return Err(Unusable::Unsupported { name: name.to_owned(), setting, cure });
        }
        next = profile.get("source_profile");
    }
    Ok(())
}

fn causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", causes(cause)),
        None => error.to_string(),
    }
}
