//! AWS as such, without a noun of the stack: clients, one error type, what is worth another try, tags.

mod calls;
pub mod document;
mod endpoint;
mod error;
mod explain;
mod identity;
mod lifetime;
mod limiter;
mod memo;
mod network;
mod profile;
mod region;
mod reply;
mod retry;
mod retryable;
pub mod tags;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_ec2::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::OnceCell;

use crate::proxy::Proxies;
use crate::resolver::Dns;
use endpoint::Redirected;
use profile::Profile;

pub use calls::CALLS;
pub use endpoint::is_aws;
pub use error::{Absent, Error, Result};
pub use explain::{Row, explain, explain_words, table};
pub use identity::{Identity, domain, ec2_principal, partition};
pub use lifetime::Lifetime;
pub use limiter::CallLimiter;
pub use memo::Memo;
pub use profile::Unusable;
pub use reply::Need;
pub use retry::RetryBudget;
pub use retryable::retryable;
pub use tags::Tags;

/// Where and as whom AWS is called.
#[derive(Debug, Default, Clone)]
pub struct Access {
    /// Profile of the shared configuration files; else `AWS_PROFILE`.
    pub profile: Option<String>,
    /// Region; else `AWS_REGION` or the profile's.
    pub region: Option<String>,
    /// In place of the network, with the account that it plays.
    pub stand_in: Option<StandIn>,
}

/// What answers in place of AWS.
#[derive(Debug, Clone)]
pub struct StandIn {
    /// Every call goes there.
    pub http_client: SharedHttpClient,
    /// The account of its credentials.
    pub account: String,
    /// When its credentials say that they end; `None`: never.
    pub ends: Option<SystemTime>,
}

/// Why there are no clients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotConnected {
    /// No region is configured anywhere.
    #[error("no region is configured")]
    NoRegion,
    /// No region has this name.
    #[error("no such region {region:?}")]
    Region {
        /// As it was written.
        region: String,
        /// The one that was meant, or how they are written.
        cure: String,
    },
    /// An endpoint that cannot be called.
    #[error("{name}: {address} is no URL")]
    Endpoint {
        /// The variable that has it, or the profile's key.
        name: String,
        /// As it was written.
        address: String,
        /// What was meant.
        cure: String,
    },
    /// The profile that was asked for.
    #[error(transparent)]
    Profile(#[from] Unusable),
    /// The environment's proxies.
    #[error(transparent)]
    Proxy(#[from] crate::proxy::Unusable),
    /// The authorities of `AWS_CA_BUNDLE`.
    #[error("{0}")]
    Authorities(String),
}

/// One client for each service, and a count of their calls.
pub struct Cloud {
    /// Certificates.
    pub acm: aws_sdk_acm::Client,
    /// Auto scaling groups.
    pub autoscaling: aws_sdk_autoscaling::Client,
    /// Metrics and alarms.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Instances, networks, launch templates.
    pub ec2: aws_sdk_ec2::Client,
    /// Load balancers.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// Roles and policies.
    pub iam: aws_sdk_iam::Client,
    /// The account's limits.
    pub quotas: aws_sdk_servicequotas::Client,
    /// What AWS asks for its parts.
    pricing: aws_sdk_pricing::Client,
    /// DNS.
    pub route53: aws_sdk_route53::Client,
    /// Public parameters, such as an image's id.
    pub ssm: aws_sdk_ssm::Client,
    /// Who is calling.
    pub sts: aws_sdk_sts::Client,
    /// Web ACLs in front of load balancers.
    pub waf: aws_sdk_wafv2::Client,
    /// The region of everything but IAM and Route 53.
    pub region: String,
    /// Which services are called somewhere else than at AWS.
    pub redirected: Redirected,
    /// Where AWS's own DNS names are asked; `None`: an emulator or the sandbox, whose names exist nowhere else.
    pub dns: Option<Dns>,
    /// Counts calls.
    pub limiter: Arc<CallLimiter>,
    credentials: Option<SharedCredentialsProvider>,
    ends: Option<SystemTime>,
    identity: OnceCell<Identity>,
}

impl Cloud {
    /// Clients with the user's endpoints, credentials and proxies, as every AWS tool has them.
    /// Makes no call but those of the credentials' own sources.
    ///
    /// # Errors
    /// No region is configured anywhere, there is no such profile, or the environment's proxies or authorities cannot
    /// be used.
    pub async fn connect(access: &Access) -> Result<Cloud, NotConnected> {
        let inner = match &access.stand_in {
            Some(stand_in) => stand_in.http_client.clone(),
            None => network::client(Proxies::from_env()?).map_err(NotConnected::Authorities)?,
        };
        let mut loader =
            aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(inner.clone()).timeout_config(timeouts());
        if let Some(profile) = &access.profile {
            let named = Profile::named(profile).await?;
            loader = loader.profile_name(profile).credentials_provider(named.credentials);
            if access.region.is_none() {
                loader = loader.region(named.region);
            }
        } else if access.stand_in.is_none() {
            profile::check_of_environment().await?;
        }
        if let Some(region) = &access.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(stand_in) = &access.stand_in {
            let invented = Credentials::builder().access_key_id("SANDBOX").secret_access_key("sandbox");
            let invented = invented.account_id(&stand_in.account).provider_name("sandbox").build();
            loader = loader.credentials_provider(invented);
        }
        let config = loader.load().await;
        let redirected = match &access.stand_in {
            Some(_) => Redirected::default(),
            None => endpoints(&config)?,
        };
        // An emulator may call its regions as it likes.
        if let Some(region) = config.region().filter(|_| redirected == Redirected::default()) {
            let region = region.to_string();
            region::check(&region).map_err(|cure| NotConnected::Region { region, cure })?;
        }
        let dns = access.stand_in.is_none().then_some(Dns::System);
        let cloud = Cloud::new(config, &inner, redirected).ok_or(NotConnected::NoRegion)?;
        let ends = access.stand_in.as_ref().and_then(|stand_in| stand_in.ends);
        Ok(Cloud { dns, ends, ..cloud })
    }

    fn new(config: SdkConfig, inner: &SharedHttpClient, redirected: Redirected) -> Option<Cloud> {
        let limiter = Arc::new(CallLimiter::new());
        let region = config.region()?.to_string();
        // An emulator answers 500 to what it lacks, and answers it again.
        let attempts = if redirected.has_any(&STACK_SERVICES) { 3 } else { 10 };
        let retry = RetryConfig::standard()
            .with_max_attempts(attempts)
            .with_initial_backoff(Duration::from_millis(500))
            .with_max_backoff(Duration::from_secs(20));
        let config = config.into_builder().retry_config(retry).build();
        // A stack's calls are few: the bound is the number of attempts, not a budget that all calls share.
        let retries = RetryPartition::custom("deploy").token_bucket(TokenBucket::unlimited()).build();
        // Never more than a handful of calls a service at once; Route 53 allows five a second to a whole account.
        macro_rules! client {
            ($service:ident, $at_once:expr) => {
                client!($service, $at_once, config)
            };
            ($service:ident, $at_once:expr, $config:expr) => {
                $service::Client::from_conf(
                    $service::config::Builder::from(&$config)
                        .http_client(limiter.admit(inner.clone(), $at_once))
                        .retry_partition(retries.clone())
                        .interceptor(calls::Told)
                        .build(),
                )
            };
        }
        Some(Cloud {
            acm: client!(aws_sdk_acm, 2),
            autoscaling: client!(aws_sdk_autoscaling, 3),
            cloudwatch: client!(aws_sdk_cloudwatch, 2),
            ec2: client!(aws_sdk_ec2, 8),
            elb: client!(aws_sdk_elasticloadbalancingv2, 4),
            iam: client!(aws_sdk_iam, 4),
            quotas: client!(aws_sdk_servicequotas, 2),
            pricing: client!(aws_sdk_pricing, 3),
            route53: client!(aws_sdk_route53, 1),
            ssm: client!(aws_sdk_ssm, 1),
            sts: client!(aws_sdk_sts, 1),
            // A network may have no endpoint for it; what is not known then is said, and nothing waits for it.
            waf: client!(aws_sdk_wafv2, 1, with_few_attempts(&config)),
            region,
            redirected,
            dns: None,
            credentials: config.credentials_provider(),
            ends: None,
            limiter,
            identity: OnceCell::new(),
        })
    }

    /// Whether this endpoint does not know the call: an emulator, never AWS itself.
    pub fn lacks(&self, error: &Error) -> bool {
        let unknown = matches!(error, Error::Unanswered { status: Some(500), .. })
            || error.code() == "InvalidAction"
            || (error.code() == "ValidationError" && error.message().contains("is not supported"));
        self.redirected.has(error.service()) && unknown
    }

    /// ACM of another region.
    pub fn acm_in(&self, region: &str) -> aws_sdk_acm::Client {
        let config = self.acm.config().to_builder().region(Region::new(region.to_owned()));
        aws_sdk_acm::Client::from_conf(config.build())
    }

    /// The price list, which is kept in few regions; with few attempts, since a bill is no reason to wait.
    pub fn pricing_in(&self, region: &str) -> aws_sdk_pricing::Client {
        let config = self.pricing.config().to_builder().region(Region::new(region.to_owned()));
        aws_sdk_pricing::Client::from_conf(config.retry_config(RetryConfig::standard().with_max_attempts(2)).build())
    }

    /// EC2 of a region; of another one with few attempts, since there may be no way there.
    pub fn ec2_in(&self, region: &str) -> aws_sdk_ec2::Client {
        let mut config = self.ec2.config().to_builder().region(Region::new(region.to_owned()));
        if region != self.region {
            config = config.retry_config(RetryConfig::standard().with_max_attempts(3));
        }
        aws_sdk_ec2::Client::from_conf(config.build())
    }
}

/// For a service that there may be no way to.
fn with_few_attempts(config: &SdkConfig) -> SdkConfig {
    let retry = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    config.clone().into_builder().retry_config(retry.with_max_attempts(3)).build()
}

/// Where the environment and the profile lead the services to.
fn endpoints(config: &SdkConfig) -> Result<Redirected, NotConnected> {
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let variables: Vec<(String, String)> =
        variables.filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty()).collect();
    let redirected = Redirected::read(variables.iter().cloned(), config.endpoint_url());
    let is_ignored = |(name, value): &(String, String)| {
        name == "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" && value.eq_ignore_ascii_case("true")
    };
    if variables.iter().any(is_ignored) {
        return Ok(redirected);
    }
    let of_profile = config.endpoint_url().map(|url| ("endpoint_url of the profile".to_owned(), url.to_owned()));
    let named = variables.into_iter().filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL"));
    for (name, address) in named.chain(of_profile) {
        region::check_endpoint(&address).map_err(|cure| NotConnected::Endpoint { name, address, cure })?;
    }
    Ok(redirected)
}

/// Without these a half-open connection would never end; with a shorter attempt, slow creates would look like lost
/// answers.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(3100))
        .operation_attempt_timeout(Duration::from_secs(30))
        .operation_timeout(Duration::from_secs(150))
        .build()
}

/// The services that make the stack, as errors name them.
const STACK_SERVICES: [&str; 5] = ["autoscaling", "ec2", "elasticloadbalancingv2", "iam", "route53"];
