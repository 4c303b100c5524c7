//! How long the credentials last.

use std::time::SystemTime;

use aws_sdk_ec2::config::ProvideCredentials;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::Cloud;

/// How long credentials last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// A user's own keys.
    Endless,
    /// Until then, and nobody renews them.
    Until(SystemTime),
    /// Until then; their source (a role, IAM Identity Center, a process) is asked for new ones before.
    Renewed(SystemTime),
    /// They are temporary, and nobody says until when.
    Unknown,
}

impl Cloud {
    /// How long the credentials last, as far as it is known.
    pub async fn lifetime(&self) -> Lifetime {
        if let Some(end) = self.ends {
            return Lifetime::Until(end);
        }
        let credentials = match &self.credentials {
            Some(provider) => provider.provide_credentials().await.ok(),
            None => None,
        };
        let Some(credentials) = credentials else { return Lifetime::Unknown };
        let variable = |name: &str| std::env::var(name).ok();
        match (credentials.session_token(), credentials.expiry()) {
            (_, Some(end)) => Lifetime::Renewed(end),
            (None, None) => Lifetime::Endless,
            // `aws configure export-credentials` writes it beside the keys; the SDK does not read it.
            (token, None) if token == variable("AWS_SESSION_TOKEN").as_deref() => {
                let end = variable("AWS_CREDENTIAL_EXPIRATION").and_then(|end| time(&end));
                end.map_or(Lifetime::Unknown, Lifetime::Until)
            }
            _ => Lifetime::Unknown,
        }
    }
}

fn time(text: &str) -> Option<SystemTime> {
    DateTime::from_str(text, Format::DateTimeWithOffset).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_has_a_zone() {
        let wanted = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        assert_eq!(time("2026-01-01T00:00:00Z"), Some(wanted));
        assert_eq!(time("2026-01-01T01:00:00+01:00"), Some(wanted));
        assert_eq!(time("soon"), None);
    }
}
