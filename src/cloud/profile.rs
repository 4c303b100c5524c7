//! A profile of the shared configuration files that was asked for by name: it alone, whatever the environment holds, as
//! `aws --profile` does it (AWS CLI user guide, "Configuration and credential precedence").

use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

/// Where the credentials and the region of one profile come from.
pub struct Profile {
    /// Its credentials: keys, role, SSO, process.
    pub credentials: ProfileFileCredentialsProvider,
    /// Its region.
    pub region: ProfileFileRegionProvider,
}

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
        let (fs, env, files) = (Fs::real(), Env::real(), EnvConfigFiles::default());
        let profiles = aws_config::profile::load(&fs, &env, &files, None).await;
        let profiles = profiles.map_err(|error| Unusable::Unreadable(causes(&error)))?;
        if profiles.get_profile(name).is_none() {
            let mut known: Vec<String> = profiles.profiles().map(str::to_owned).collect();
            known.sort();
            return Err(Unusable::Unknown { name: name.to_owned(), known });
        }
        Ok(Profile {
            credentials: ProfileFileCredentialsProvider::builder().profile_name(name).build(),
            region: ProfileFileRegionProvider::builder().profile_name(name).build(),
        })
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", causes(cause)),
        None => error.to_string(),
    }
}
