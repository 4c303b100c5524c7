//! Whose credentials these are: asked of STS, which every caller may (IAM user guide, GetCallerIdentity).

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::config::ProvideCredentials;

use super::{Cloud, Need, Result};

/// The account that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// `aws`, `aws-cn`, `aws-us-gov` and the like.
    pub partition: String,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: Account,
    /// The user's or role session's ARN.
    pub caller: String,
}

impl Cloud {
    /// Who calls, as STS says it. Asked once.
    ///
    /// # Errors
    /// STS does not answer.
    pub async fn identity(&self) -> Result<&Identity> {
        self.identity.get_or_try_init(|| self.ask_identity()).await
    }

    /// Who calls, when it was asked.
    pub fn known_identity(&self) -> Option<&Identity> {
        self.identity.get()
    }

    /// The account: from the credentials when they carry it, else asked of STS.
    ///
    /// # Errors
    /// The credentials do not carry it, and STS does not answer.
    pub async fn account(&self) -> Result<Account> {
        if let Some(identity) = self.identity.get() {
            return Ok(identity.account.clone());
        }
        match self.account_of_credentials().await {
            Some(id) => Ok(Account { id, partition: partition(&self.region).to_owned() }),
            None => Ok(self.identity().await?.account.clone()),
        }
    }

    /// Whether no source has credentials: neither the environment, nor a profile, nor the machine. Credentials that are
    /// there and cannot be used are another matter: the first call says what is wrong with them.
    pub async fn lacks_credentials(&self) -> bool {
        let Some(credentials) = &self.credentials else { return true };
        matches!(credentials.provide_credentials().await, Err(CredentialsError::CredentialsNotLoaded(_)))
    }

    async fn ask_identity(&self) -> Result<Identity> {
        let identity = self.sts.get_caller_identity().send().await?;
        let caller = identity.arn.need("Arn")?;
        let partition = caller.split(':').nth(1).unwrap_or("aws").to_owned();
        Ok(Identity { account: Account { id: identity.account.need("Account")?, partition }, caller })
    }

    async fn account_of_credentials(&self) -> Option<String> {
        let credentials = self.credentials.as_ref()?.provide_credentials().await.ok()?;
        credentials.account_id().map(|id| id.as_str().to_owned())
    }
}

/// What the regions of a partition begin with, its name, and the domain of its hosts (botocore, partitions.json).
const PARTITIONS: [(&str, &str, &str); 7] = [
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", COMMERCIAL.1),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
];
/// The partition of every other region.
const COMMERCIAL: (&str, &str) = ("aws", "amazonaws.com");

fn place(region: &str) -> (&'static str, &'static str) {
    let found = PARTITIONS.iter().find(|(prefix, ..)| region.starts_with(prefix));
    found.map_or(COMMERCIAL, |(_, partition, domain)| (*partition, *domain))
}

/// The partition of a region.
pub fn partition(region: &str) -> &'static str {
    place(region).0
}

/// The domain of AWS's hosts in a region, load balancers among them.
pub fn domain(region: &str) -> &'static str {
    place(region).1
}

/// EC2 as one that assumes roles. In AWS's regions in China it has a name of its own (kops, IAMServiceEC2).
pub fn ec2_principal(partition: &str) -> &'static str {
    if partition == "aws-cn" { "ec2.amazonaws.com.cn" } else { "ec2.amazonaws.com" }
}

#[cfg(test)]
mod tests {
    use super::{domain, partition};

    #[test]
    fn every_partition_has_its_regions() {
        for (region, wanted) in [
            ("eu-central-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition(region), wanted, "{region}");
        }
        for (region, wanted) in [
            ("eu-central-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu"),
        ] {
            assert_eq!(domain(region), wanted, "{region}");
        }
    }
}
