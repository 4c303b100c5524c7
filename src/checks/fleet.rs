//! The wait for a stack's health, as `up` knows it.

use aws_sdk_elasticloadbalancingv2::types::LoadBalancerStateEnum;

use super::check::Check;
use super::load_balancer::{NOT_MADE, make_again};
use super::reasons::explain;
use super::replaced::Replaced;
use super::targets::TargetsHealthy;
use super::unproven::Unproven;
use super::version::{VersionAlone, unsaid};
use crate::clock::{Attempt, Ended, Label, Late, Streak, Wait};
use crate::cloud::{Cloud, RetryBudget};
use crate::config::Config;
use crate::engine::Outputs;
use crate::event::{Event, What};
use crate::flags;
use crate::outcome::{Finding, Status};
use crate::oz::{BaseUrl, NoVersion, Transport, VERSION, ask_version};
use crate::site::Site;
use crate::steps::auto_scaling::{self, launches};
use crate::steps::load_balancer::{self, Listener, find_load_balancer};
use crate::steps::target_group::{self, Targets, find_targets};

/// How many healthy targets make a stack healthy.
pub fn targets_wanted(config: &Config) -> usize {
    usize::try_from(config.scaling.min.max(1)).unwrap_or(1)
}

/// The stack's group of instances, as the wait for its health knows it.
pub struct Fleet<'a> {
    /// AWS's clients.
    pub cloud: &'a Cloud,
    /// deploy.yaml, and what was looked up for it.
    pub site: &'a Site,
    /// The ids of what exists.
    pub ids: &'a Outputs,
    /// The group was made just now, so that every failure in its history is of now.
    pub is_new: bool,
}

impl Fleet<'_> {
    /// Waits until as many targets are healthy as the group has at least, and the load balancer is active.
    ///
    /// # Errors
    /// The deadline passed, or what is waited for can never come true.
    pub async fn wait_healthy(&self, wait: &Wait<'_>) -> Result<Finding, Unproven> {
        let (Some(group), Some(balancer)) = (self.ids.get(&target_group::ARN), self.ids.get(&load_balancer::ARN))
        else {
            return Err(Unproven::NoAnswer {
                what: "there is no load balancer or no target group".to_owned(),
                cause: "it was removed meanwhile".to_owned(),
                fix: "Running again makes it.".to_owned(),
            });
        };
        let wanted = targets_wanted(&self.site.config);
        let label = Label::new("target_health", self.site.config.names.target_group.clone());
        let mut watched = Watched {
            active: self.ids.get(&load_balancer::STATE).is_some_and(|state| state == "active"),
            baseline: if self.is_new { Baseline::Read(None) } else { Baseline::Unread },
            unused: Streak::default(),
            replaced: Replaced::default(),
        };
        let (config, mut budget) = (&self.site.config, RetryBudget::default());
        wait.until(&label, async || match self.look((group, balancer), wanted, &mut watched).await {
            Ok(targets) => {
                budget = RetryBudget::default();
                if targets.healthy >= wanted && watched.active {
                    return Ok(Attempt::Done(()));
                }
                lost(self.site, (&targets, wanted), &mut watched)?;
                watched.replaced.check(&targets, wanted, config)?;
                Ok(Attempt::Again(waited_for(&targets, wanted, watched.active) + &watched.replaced.words(config)))
            }
            Err(Unproven::Cloud(error)) => Ok(Attempt::Again(budget.allow(error, &wait.clock)?.to_owned())),
            Err(error) => Err(error),
        })
        .await?;
        (wait.watch)(Event { key: label.key, name: label.name.clone(), what: What::Finished("healthy") });
        let evidence = format!("{wanted} or more targets of {} are healthy", label.name);
        Ok(TargetsHealthy.finding().pass(evidence))
    }

    async fn look(
        &self,
        (group, balancer): (&str, &str),
        wanted: usize,
        watched: &mut Watched,
    ) -> Result<Targets, Unproven> {
        let active = watched.active;
        let is_active = async { if active { Ok(true) } else { is_active(self.cloud, balancer).await } };
        let (targets, state) = tokio::join!(find_targets(self.cloud, group), is_active);
        let targets = targets?;
        if targets.registered < wanted {
            refused(self.cloud, self.ids, &mut watched.baseline).await?;
        }
        if let Some(name) = self.ids.get(&auto_scaling::NAME).filter(|_| targets.healthy < wanted) {
            watched.replaced.look(self.cloud, name, &targets).await?;
        }
        watched.active = state?;
        Ok(targets)
    }
}

/// What one wait has seen so far.
struct Watched {
    /// The load balancer is active.
    active: bool,
    baseline: Baseline,
    /// Since when a target is what waiting does not change.
    unused: Streak,
    replaced: Replaced,
}

/// Failed launches that happened before the wait began: what caused them may be repaired since.
enum Baseline {
    Unread,
    /// The newest failure's id; `None`: there was none.
    Read(Option<String>),
}

/// What is not there yet, and AWS's words for it.
fn waited_for(targets: &Targets, wanted: usize, active: bool) -> String {
    // What it waits for first: a narrow terminal cuts the end.
    let mut why = format!("{} of {wanted} targets healthy", targets.healthy);
    if !active {
        why += "; the load balancer is provisioning";
    }
    let others = targets.others();
    if !others.is_empty() {
        why += &format!(" ({others})");
    }
    why
}

/// Errors when launches fail for a reason that does not pass. Failures older than the baseline are ignored.
async fn refused(cloud: &Cloud, outputs: &Outputs, baseline: &mut Baseline) -> Result<(), Unproven> {
    let Some(name) = outputs.get(&auto_scaling::NAME) else {
        return Ok(());
    };
    let (launches, group) = tokio::try_join!(launches(cloud, name), auto_scaling::find_group(cloud, name))?;
    if let Baseline::Unread = baseline {
        *baseline = Baseline::Read(launches.newest().map(str::to_owned));
    }
    let before = match &baseline {
        Baseline::Read(newest) => newest.as_deref(),
        Baseline::Unread => None,
    };
    let failing = group.and_then(|group| launches.failing(&group, before));
    match failing.filter(|failing| failing.lasts) {
        None => Ok(()),
        Some(failing) => {
            let known = failing.known.map(|row| (row.cause.clone(), row.fix.clone()));
            let (cause, fix) = known.unwrap_or_default();
            let what = format!("no instance can be launched: {}", failing.words);
            Err(Unproven::Never { what, cause, fix, refused: true })
        }
    }
}

/// Ends a wait for targets that nothing will make healthy. A listener of a load balancer that is still being made is no
/// listener yet, and one that was made a moment ago is not seen everywhere.
fn lost(site: &Site, (targets, wanted): (&Targets, usize), watched: &mut Watched) -> Result<(), Unproven> {
    let lost = targets.others.iter().filter(|one| watched.active && !one.leaving).find_map(|one| {
        let explained = explain(&one.reason, one.description.as_deref(), &site.config);
        (!explained.heals).then_some((one, explained))
    });
    let shown = watched.unused.look(lost.is_some());
    match lost.filter(|(_, explained)| shown >= explained.settles) {
        Some((one, explained)) => Err(Unproven::Never {
            what: format!("{} of {wanted} targets healthy; {one}", targets.healthy),
            cause: explained.cause,
            fix: explained.fix,
            refused: false,
        }),
        None => Ok(()),
    }
}

/// `https://app.example.com`: by the record, by the name that verify.name gives, which leads to the load balancer
/// whatever DNS says of it, or by the load balancer's own. A record whose zone is gone is asked for there too.
pub fn endpoint(site: &Site, outputs: &Outputs) -> Option<BaseUrl> {
    let scheme = if site.https() { "https" } else { "http" };
    let balancer = outputs.get(&load_balancer::DNS_NAME);
    // A stack without TLS was asked for in deploy.yaml.
    let at = |name: &str| BaseUrl::parse(&format!("{scheme}://{name}"), true).ok();
    match (site.record_name(), &site.config.verify.name) {
        (Some(record), _) if site.lacks_zone() => Some(at(&record)?.via(balancer?)),
        (Some(record), _) => at(&record),
        (None, Some(name)) => Some(at(name)?.via(balancer?)),
        (None, None) => at(&balancer?.to_lowercase()),
    }
}

/// The service behind the load balancer itself, under the name that its clients use: whatever DNS says of that name.
pub fn through_load_balancer(site: &Site, outputs: &Outputs) -> Option<BaseUrl> {
    Some(endpoint(site, outputs)?.via(outputs.get(&load_balancer::DNS_NAME)?))
}

/// How often the version is asked for before there is said to be no answer.
const VERSION_ATTEMPTS: u32 = 5;
/// The same where no connection comes about: from outside its network an internal load balancer never answers.
const CONNECTION_ATTEMPTS: u32 = 2;

/// Asks the service for its version. One that is internal and not reached from here was not asked: that is unknown.
///
/// # Errors
/// No answer came, or the wait ended.
pub async fn version(
    base: &BaseUrl,
    is_internal: bool,
    transport: &dyn Transport,
    wait: &Wait<'_>,
) -> Result<Finding, Unproven> {
    let label = Label::new("version", base.join(VERSION).to_string());
    let (mut attempts, mut may_pass) = (0, Streak::default());
    wait.until(&label, async || {
        attempts += 1;
        let why = match wait.within(ask_version(transport, base)).await.map_err(|ended| late(ended, &label))? {
            Ok(version) => return Ok(Attempt::Done(VersionAlone.finding().pass(version.to_string()))),
            Err(why) => why,
        };
        if is_internal && attempts == CONNECTION_ATTEMPTS && is_unreached(&why) {
            let evidence = format!("not asked from here: {} is internal, and is not reached ({why})", base.host());
            let fix = format!(
                "Run `deploy verify` inside the VPC, or through a tunnel that leads there: `deploy verify {} \
                 localhost:8443`. {} makes this an error.",
                flags::CONNECT_TO,
                flags::REQUIRE_ANSWER
            );
            let cause = "this machine is not in the load balancer's network";
            return Ok(Attempt::Done(VersionAlone.finding().found(Status::Unknown, evidence).because(cause, fix)));
        }
        let found = unsaid(VersionAlone.finding(), &why);
        let shown = may_pass.look(!found.settles.is_zero());
        if attempts >= VERSION_ATTEMPTS && shown >= found.settles {
            return Err(Unproven::NoAnswer {
                what: format!("{}: {}", label.name, found.evidence),
                cause: found.cause.unwrap_or_default(),
                fix: found.fix.unwrap_or_default(),
            });
        }
        Ok(Attempt::Again(why.to_string()))
    })
    .await
}

fn is_unreached(why: &NoVersion) -> bool {
    matches!(why, NoVersion::NoAnswer(error) if error.is_unreached())
}

fn late(ended: Ended, label: &Label) -> Late {
    Late { ended, why: format!("{} did not answer", label.name) }
}

/// The same, said of the login that stands in front of the service, where one does: nobody has signed in.
pub fn behind_login(error: Unproven, ids: &Outputs) -> Unproven {
    match (error, ids.get(&Listener::<443>::LOGIN)) {
        (Unproven::NoAnswer { what, .. }, Some(login)) => Unproven::Never {
            what,
            cause: format!("{login} stands in front of the service, and a program cannot sign in there"),
            fix: format!("Ask for {VERSION} as someone who is signed in; {} leaves it out here.", flags::NO_VERIFY),
            refused: false,
        },
        (error, _) => error,
    }
}

async fn is_active(cloud: &Cloud, balancer: &str) -> Result<bool, Unproven> {
    let balancer = find_load_balancer(cloud, balancer).await?;
    let state = balancer.as_ref().and_then(|balancer| balancer.state());
    match state.and_then(|state| state.code()) {
        Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired) => Ok(true),
        Some(LoadBalancerStateEnum::Failed) => {
            let why = state.and_then(|state| state.reason()).unwrap_or("AWS gives no reason");
            Err(Unproven::Never {
                what: format!("the load balancer failed: {why}"),
                cause: NOT_MADE.to_owned(),
                fix: make_again(),
                refused: true,
            })
        }
        _ => Ok(false),
    }
}
