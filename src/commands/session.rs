//! What a command works with, from the command line and deploy.yaml.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::deploy_yaml::{config_file, configuration};
use crate::cli::{Global, PACE};
use crate::clock::{Cancel, Clock, Wait};
use crate::cloud::{Access, Cloud, NotConnected, Unusable};
use crate::config::{self, Config};
use crate::event::Event;
use crate::exit::Exit;
use crate::outcome::{Failed, Frame, Outcome, Problem, Schedule};
use crate::oz::{Network, Refused, Transport, Web};
use crate::report::Report;
use crate::resolver::Dns;
use crate::sandbox::Sandbox;

/// What a command on a stack works with.
pub struct Session<'a> {
    /// deploy.yaml, with names as AWS will see them.
    pub config: Config,
    /// AWS's clients.
    pub cloud: Rc<Cloud>,
    /// Who prints.
    pub report: &'a Report,
    /// Whether a signal asked to stop.
    pub cancel: &'a Cancel,
    /// The local AWS, in place of the real one.
    pub sandbox: Option<Sandbox>,
    /// How the service is asked for its version.
    pub transport: Box<dyn Transport>,
    watch: Box<dyn Fn(Event) + 'a>,
    schedule: Rc<RefCell<Schedule>>,
    identified: OnceCell<()>,
}

impl<'a> Session<'a> {
    /// A session on this stack.
    pub fn new(
        config: Config,
        cloud: impl Into<Rc<Cloud>>,
        report: &'a Report,
        cancel: &'a Cancel,
        sandbox: Option<Sandbox>,
    ) -> Session<'a> {
        let cloud = cloud.into();
        let transport: Box<dyn Transport> = match &sandbox {
            Some(sandbox) => Box::new(sandbox.clone()),
            None => Box::new(Network::default()),
        };
        let schedule = Rc::new(RefCell::new(Schedule::begin()));
        let noted = Rc::clone(&schedule);
        let watch = Box::new(move |event| {
            noted.borrow_mut().note(&event);
            report.event(event);
        });
        let identified = OnceCell::new();
        Session { config, cloud, report, cancel, sandbox, transport, watch, schedule, identified }
    }

    /// Configuration, sandbox and clients.
    ///
    /// # Errors
    /// What is wrong with them, before any call.
    pub async fn open(global: &Global, report: &'a Report, cancel: &'a Cancel) -> Result<Session<'a>, Failed> {
        Session::connect(configured(global)?, global, report, cancel).await
    }

    /// The same for a verb that works on an account: of deploy.yaml, where there is one, only its account and region.
    ///
    /// # Errors
    /// What is wrong with them, before any call.
    pub async fn open_account(global: &Global, report: &'a Report, cancel: &'a Cancel) -> Result<Session<'a>, Failed> {
        let has_file = global.config.is_some() || config_file(global).exists();
        let mut config = if has_file { configured(global)? } else { Config::new(config::Network::default()) };
        config.stack.clear();
        if !has_file {
            config.region = if global.sandbox { configured(global)?.region } else { global.region.clone() };
        }
        Session::connect(config, global, report, cancel).await
    }

    /// A session on one stack of the account, with these clients.
    pub fn of_stack(&self, config: Config) -> Session<'a> {
        let config = Config { account: self.config.account.clone(), region: self.config.region.clone(), ..config };
        Session::new(config, Rc::clone(&self.cloud), self.report, self.cancel, self.sandbox.clone())
    }

    async fn connect(
        config: Config,
        global: &Global,
        report: &'a Report,
        cancel: &'a Cancel,
    ) -> Result<Session<'a>, Failed> {
        let sandbox = open_sandbox(global).map_err(Outcome::refused)?;
        let access = Access {
            profile: global.profile.clone(),
            region: config.region.clone(),
            stand_in: sandbox.as_ref().map(Sandbox::stand_in),
        };
        let cloud = Cloud::connect(&access).await.map_err(|why| not_connected(&why))?;
        Ok(Session::new(config, cloud, report, cancel, sandbox))
    }

    /// A deadline, with pauses that suit AWS or the sandbox, cancellation and listener.
    pub fn wait(&self, timeout: Duration) -> Wait<'_> {
        let pace = self.sandbox.as_ref().map_or(1.0, Sandbox::pace);
        Wait { clock: Clock::new(timeout, pace), cancel: self.cancel, watch: &*self.watch }
    }

    /// Says once which account is called, by whom, and refuses every other one than deploy.yaml's.
    ///
    /// # Errors
    /// It is another account, or it is not known and deploy.yaml names one.
    pub async fn identify(&self, wait: &Wait<'_>) -> Result<(), Failed> {
        self.identified.get_or_try_init(|| self.ask_identity(wait)).await.copied()
    }

    async fn ask_identity(&self, wait: &Wait<'_>) -> Result<(), Failed> {
        let asked = wait.at_most(IDENTITY_TIMEOUT).within(self.cloud.identity()).await;
        let identity = asked.ok().and_then(Result::ok);
        if let Some(identity) = identity {
            let place = if self.sandbox.is_some() { "the sandbox: account" } else { "account" };
            let (id, caller) = (&identity.account.id, &identity.caller);
            let (region, stack) = (&self.cloud.region, &self.config.stack);
            let stack = if stack.is_empty() { String::new() } else { format!(", stack {stack}") };
            self.report.note(&format!("{place} {id} ({caller}), region {region}{stack}"));
        }
        let Some(wanted) = &self.config.account else { return Ok(()) };
        // The credentials may carry the account where STS cannot be reached.
        let account = match identity {
            Some(identity) => Some(identity.account.id.clone()),
            None => self.cloud.account().await.ok().map(|account| account.id),
        };
        match account {
            Some(account) if account == *wanted => Ok(()),
            other => Err(wrong_account(wanted, other.as_deref())),
        }
    }

    /// What the envelope says of this session.
    pub fn frame(&self, command: &'static str, start: Instant) -> Frame {
        let identity = self.cloud.known_identity();
        Frame {
            command,
            account: identity.map(|identity| identity.account.id.clone()).unwrap_or_default(),
            caller: identity.map(|identity| identity.caller.clone()).unwrap_or_default(),
            stack: self.config.stack.clone(),
            region: self.cloud.region.clone(),
            seconds: seconds(start),
            calls: self.cloud.limiter.calls(),
            steps: self.schedule.borrow().steps(),
            shows_steps: false,
            started_at: began(start),
            sandbox: self.sandbox.is_some(),
            host: host(),
        }
    }

    /// How the service is reached.
    pub fn reach(&self) -> Reach<'_> {
        Reach { sandbox: self.sandbox.as_ref() }
    }

    /// Trust and routes to the service.
    ///
    /// # Errors
    /// The authorities cannot be used, or loopback cannot be listened on.
    pub async fn web(&self, ca_file: Option<&Path>) -> Result<Web, Refused> {
        Ok(self.reach().web_and_dns(ca_file).await?.0)
    }
}

/// How the service is reached: over the network, or inside the sandbox.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    /// The local AWS, with the stand-in service behind its load balancers.
    pub sandbox: Option<&'a Sandbox>,
}

impl Reach<'_> {
    /// Trust and routes, and where names are asked.
    ///
    /// # Errors
    /// The authorities cannot be used, or loopback cannot be listened on.
    pub async fn web_and_dns(&self, ca_file: Option<&Path>) -> Result<(Web, Dns), Refused> {
        let Some(sandbox) = self.sandbox else {
            return Ok((Web::new(ca_file)?, Dns::System));
        };
        let cure = "The sandbox needs a free port on loopback.";
        let servers = sandbox.serve_loopback().await.map_err(|error| Refused::new(error.to_string(), cure))?;
        let web = Web::sandbox(servers.web, &servers.authority).map_err(|why| Refused::new(why, cure))?;
        Ok((web, Dns::Server(servers.names)))
    }
}

/// How long the question who calls may take: it is asked beside the first reading.
const IDENTITY_TIMEOUT: Duration = Duration::from_secs(10);

fn wrong_account(wanted: &str, account: Option<&str>) -> Failed {
    let what = match account {
        Some(account) => format!("these credentials are of the account {account}, and deploy.yaml is for {wanted}"),
        None => format!("deploy.yaml is for the account {wanted}, and which one these credentials are of is not known"),
    };
    let cure = "Look at --profile, AWS_PROFILE and `aws sts get-caller-identity`; or correct `account` in deploy.yaml.";
    let outcome = Outcome::new(Exit::Refused, "wrong_account", "refused; nothing was changed");
    outcome.problem(Problem::new(what, cure)).into()
}

/// What a command ends in that cannot call AWS.
pub fn not_connected(why: &NotConnected) -> Outcome {
    let cure = match why {
        NotConnected::NoRegion => {
            "Set region in deploy.yaml, --region, AWS_REGION, or the profile's region.".to_owned()
        }
        NotConnected::Region { cure, .. } | NotConnected::Endpoint { cure, .. } => cure.clone(),
        NotConnected::Profile(Unusable::Unknown { known, .. }) if known.is_empty() => {
            "No profile exists: `aws configure --profile NAME` makes one.".to_owned()
        }
        NotConnected::Profile(Unusable::Unknown { known, .. }) => format!("Those that exist: {}.", known.join(", ")),
        NotConnected::Proxy(why) => why.cure(),
        NotConnected::Authorities(_) => "Name a file of certificates in PEM, or unset AWS_CA_BUNDLE.".to_owned(),
        NotConnected::Profile(Unusable::Unsupported { cure, .. }) => (*cure).to_owned(),
        NotConnected::Profile(Unusable::Unreadable(_)) => {
            "Look at ~/.aws/config and ~/.aws/credentials, or at AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE."
                .to_owned()
        }
    };
    Outcome::refused(Problem::new(why.to_string(), cure))
}

/// The sandbox as it was kept, when there is to be one.
///
/// # Errors
/// The file cannot be read.
pub fn open_sandbox(global: &Global) -> Result<Option<Sandbox>, Problem> {
    let world = world_file(global);
    let opened = global.sandbox.then(|| Sandbox::open(&world, PACE)).transpose();
    opened.map_err(|error| Problem::new(format!("{}: {error}", world.display()), "`deploy sandbox reset` begins anew."))
}

/// When that was, RFC 3339, to the second.
pub fn began(start: Instant) -> String {
    let at = jiff::Timestamp::now().as_second() - start.elapsed().as_secs() as i64;
    jiff::Timestamp::from_second(at).unwrap_or_default().to_string()
}

/// The name of this machine; what is "not reached from here" depends on it.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Since then, in seconds, to the millisecond.
pub fn seconds(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

/// Where the sandbox is kept: `$XDG_STATE_HOME/deploy/sandbox.json`.
pub fn world_file(global: &Global) -> PathBuf {
    let state = || {
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or(home).unwrap_or_else(std::env::temp_dir)
    };
    global.sandbox_world.clone().unwrap_or_else(|| state().join("deploy").join("sandbox.json"))
}

/// The configuration, with what the command line overrides.
///
/// # Errors
/// It cannot be read, or every mistake in it.
pub fn configured(global: &Global) -> Result<Config, Failed> {
    let (file, text) = configuration(global).map_err(Outcome::refused)?;
    let mut config = config::parse(&text, &file, &global.set).map_err(|mistakes| {
        let problems = mistakes.0.iter().map(|mistake| mistake.problem(&text)).collect();
        Outcome::new(Exit::Usage, "refused", "").with_problems(problems)
    })?;
    config.region = global.region.clone().or(config.region);
    Ok(config)
}
