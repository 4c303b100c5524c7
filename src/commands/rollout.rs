//! A changed launch template on its way to the instances: whether it may begin, how far it is, whether the service works
//! on the way, and back when it does not.

use std::time::Duration;

use aws_sdk_autoscaling::types::Instance;

use super::client::{check, decided, sandbox_web};
use super::{Session, interrupted};
use crate::cloud::refresh::{Refresh, cancel, refreshes, roll_back};
use crate::cloud::{self, Error};
use crate::engine::{Clock, Event, Key, Outputs, Patience};
use crate::exit::Exit;
use crate::oz::capture::Beside;
use crate::oz::{Analysis, BaseUrl, Capture, Refused, Service, Token, Web};
use crate::report::{Check, Outcome, Planned, Problem};
use crate::site::Site;
use crate::steps::auto_scaling::{self, told};
use crate::steps::{launch_template, target_group};
use crate::verify::{self, Targets, Unhealthy, targets};

/// So many looks in a row must find the service broken before the rollout is taken back.
const PATIENCE: u32 = 3;

/// What a rollout consists of: the template's new version, and the group that brings it to its instances.
pub const ROLLS: [Key; 2] = [launch_template::VERSION.0, auto_scaling::NAME.0];

/// Whether a change replaces instances.
pub fn is_rollout(change: &Planned) -> bool {
    let brings = ["launch_template", "launch_template_version", "outdated_instances", "refresh_to"];
    change.resource == auto_scaling::NAME.0
        && ["update", "adopt"].contains(&change.action)
        && change.fields.iter().any(|field| brings.contains(&field.field.as_str()))
}

/// Whether a change ends a refresh to a version that nobody wants any more.
pub fn gives_way(change: &Planned) -> bool {
    change.fields.iter().any(|field| field.field == "refresh_to")
}

/// A rollout of one run.
pub struct Rollout<'a> {
    pub session: &'a Session<'a>,
    pub site: &'a Site,
    pub ids: &'a Outputs,
    pub clock: &'a Clock,
}

/// Time for a group to become healthy after something else was mended: two rounds of health checks and a start.
const MENDING: Duration = Duration::from_secs(600);

const NOT_BEGUN: &str = "the rollout was not begun; running again goes on from here";

/// What is asked of the service while instances are replaced.
pub struct Gate {
    endpoint: String,
    /// A real call, made once: it is metered.
    liveness: Option<(Capture, Service)>,
}

/// Why a rollout is taken back.
struct Bad {
    exit: Exit,
    why: String,
    check: Option<Check>,
}

impl Rollout<'_> {
    /// What will be asked on the way.
    ///
    /// # Errors
    /// The capture of deploy.yaml or the token cannot be used: refused before anything is changed.
    pub async fn gate(&self) -> Result<Option<Gate>, Refused> {
        let Some(endpoint) = verify::endpoint(self.site, self.ids) else {
            return Ok(None);
        };
        let Some(path) = &self.site.config.verify.capture else {
            return Ok(Some(Gate { endpoint, liveness: None }));
        };
        let capture = Capture::read(path.as_ref(), &Beside::default())?;
        let web = match &self.session.sandbox {
            Some(sandbox) => sandbox_web(sandbox).await?.0,
            None => Web::new(None)?,
        };
        let base = BaseUrl::parse(&endpoint, true)?; // a stack without TLS was asked for in deploy.yaml
        let service =
            Service::new(base, Token::read(None)?, &web).map_err(|why| Refused::new(why, "This is a bug."))?;
        Ok(Some(Gate { endpoint, liveness: Some((capture, service)) }))
    }

    /// Whether the group may be rolled: an unhealthy one would not tell a bad version from a good one. One that was mended
    /// a moment ago is given time.
    pub async fn fit(&self, gate: Option<&Gate>, mended: bool) -> Result<(), Box<Outcome>> {
        let healing = if mended { MENDING } else { Duration::ZERO };
        let healing = self.clock.at_most(healing);
        let mut patience = Patience::default();
        for attempt in 0.. {
            let (why, clock) = match self.unfit(gate).await {
                Ok(None) => return Ok(()),
                Ok(Some(why)) => (why, &healing),
                Err(error) => match patience.with(error, self.clock) {
                    Ok(why) => (why.to_owned(), self.clock),
                    Err(error) => {
                        let failed = Outcome::new(Exit::Failed, "failed", NOT_BEGUN);
                        return Err(Box::new(failed.with_problems(vec![Problem::of(&error)])));
                    }
                },
            };
            self.tell(why.clone());
            if !clock.pause(attempt, self.session.stop).await {
                return Err(Box::new(self.not_begun(&why, mended)));
            }
        }
        unreachable!("it ends with a fit group, a deadline or a signal")
    }

    fn not_begun(&self, why: &str, mended: bool) -> Outcome {
        let (exit, word, summary) = match self.session.stop.signal() {
            Some(signal) => (interrupted(signal), "interrupted", NOT_BEGUN),
            None if self.clock.expired() => (Exit::Deadline, "timeout", NOT_BEGUN),
            None if mended => (Exit::Unverified, "failed", NOT_BEGUN),
            None => (Exit::Refused, "refused", "refused; nothing was changed"),
        };
        let problem = Problem::new(
            format!("the group is not rolled: {why}"),
            "`deploy diagnose` finds the cause. --force rolls it all the same, for a version that mends it; --no-verify does not ask the service.",
        );
        Outcome::new(exit, word, summary).with_problems(vec![problem])
    }

    async fn unfit(&self, gate: Option<&Gate>) -> cloud::Result<Option<String>> {
        let Some(group) = self.ids.get(&target_group::ARN) else {
            return Ok(None);
        };
        let targets = targets(&self.session.cloud, group).await?;
        if targets.registered == 0 {
            return Ok(None); // there is nothing that could be lost
        }
        // One that has just been launched is not ill.
        let ill = |one: &Unhealthy| !one.leaving && one.state != "initial";
        if targets.others.iter().any(ill) || targets.healthy == 0 {
            let what = format!("{} of {} targets healthy", targets.healthy, targets.registered);
            return Ok(Some(match targets.others().as_str() {
                "" => what,
                others => format!("{what} ({others})"),
            }));
        }
        let Some(gate) = gate else { return Ok(None) };
        let answer = self.ask(gate, targets.healthy).await;
        Ok(answer.err().map(|why| format!("{} does not answer: {why}", gate.endpoint)))
    }

    /// Follows an instance refresh to its end.
    pub async fn follow(&self, id: &str, gate: Option<&Gate>) -> Result<(), Box<Outcome>> {
        let name = self.site.config.names.auto_scaling_group.as_str();
        let (mut bad, mut broken, mut asked) = (None, 0, false);
        let mut patience = Patience::default();
        for attempt in 0.. {
            let looked = async {
                let all = refreshes(&self.session.cloud, name).await?;
                let Some(found) = all.into_iter().flatten().find(|one| one.id == id) else {
                    return Ok(None);
                };
                let healthy = match found.active() {
                    true => self.progress(&found).await?,
                    false => 0,
                };
                Ok::<_, Error>(Some((found, healthy)))
            };
            let (refresh, healthy) = match looked.await {
                Ok(None) => return Ok(()),
                Ok(Some((refresh, healthy))) if refresh.active() => (refresh, healthy),
                Ok(Some((refresh, _))) => {
                    self.ended(&refresh);
                    return concluded(&refresh, bad);
                }
                Err(error) => {
                    let why = patience.with(error, self.clock);
                    let why = why.map_err(|error| self.lost(&error))?.to_owned();
                    self.tell(why.clone());
                    match self.clock.pause(attempt, self.session.stop).await {
                        true => continue,
                        false => return Err(Box::new(self.left(why))),
                    }
                }
            };
            let under_way = refresh.forward() && (1..100).contains(&refresh.percent);
            if let Some(gate) = gate.filter(|_| under_way && bad.is_none()) {
                let found = self.judge(gate, healthy, &mut asked).await;
                broken = if found.is_some() { broken + 1 } else { 0 };
                // A decision is a decision; an answer that does not come may come yet.
                bad = found.filter(|bad| broken >= PATIENCE || bad.check.is_some());
                if let Some(bad) = &bad {
                    self.take_back(&bad.why).await?;
                }
            }
            if !self.clock.pause(attempt, self.session.stop).await {
                return Err(Box::new(self.left(told(&refresh))));
            }
        }
        unreachable!("it ends with the refresh, a deadline or a signal")
    }

    /// Takes the version back; where AWS cannot, keeps it from more instances.
    async fn take_back(&self, why: &str) -> Result<(), Box<Outcome>> {
        let name = self.site.config.names.auto_scaling_group.as_str();
        let taken = async {
            self.tell(format!("rolling back: {why}"));
            if !roll_back(&self.session.cloud, name).await? {
                self.tell("AWS has no way back here: cancelling".to_owned());
                cancel(&self.session.cloud, name).await?;
            }
            Ok(())
        };
        taken.await.map_err(|error| self.lost(&error))
    }

    /// Asks the service as often as it takes to meet every instance, and once for a real analysis.
    async fn judge(&self, gate: &Gate, healthy: usize, asked: &mut bool) -> Option<Bad> {
        if let Err(why) = self.ask(gate, healthy).await {
            return Some(Bad { exit: Exit::Unverified, why: format!("{}: {why}", gate.endpoint), check: None });
        }
        let (capture, service) = gate.liveness.as_ref().filter(|_| !*asked)?;
        *asked = true;
        let time = (self.clock, self.session.stop);
        // Without an answer, the wait that follows tells of the deadline or the signal.
        let answered = service.liveness(capture, time).await.ok()?;
        let (exit, _) = decided(&answered.verdict, None, None);
        let found = check(Analysis::Quality, &answered.verdict, None, None);
        (exit != Exit::Done).then(|| Bad { exit, why: found.evidence.clone(), check: Some(found) })
    }

    async fn ask(&self, gate: &Gate, healthy: usize) -> Result<(), String> {
        let url = format!("{}/api/version", gate.endpoint);
        for _ in 0..(2 * healthy).clamp(2, 10) {
            verify::get(&url, self.session.sandbox.as_ref()).await?;
        }
        Ok(())
    }

    /// One line for each change: how far it is, and what the instances do that come and go. How many are healthy.
    async fn progress(&self, refresh: &Refresh) -> cloud::Result<usize> {
        let cloud = &self.session.cloud;
        let name = self.site.config.names.auto_scaling_group.as_str();
        let group = cloud::group(cloud, name).await?;
        let targets = match self.ids.get(&target_group::ARN) {
            Some(arn) => targets(cloud, arn).await?,
            None => Targets::default(),
        };
        let moving = |one: &Instance| {
            let id = one.instance_id().unwrap_or("?");
            let version = one.launch_template().and_then(|from| from.version()).unwrap_or("?");
            let state = one.lifecycle_state().map_or("?", |state| state.as_str());
            let ill = targets.others.iter().find(|target| target.id == id).map(|target| target.state.as_str());
            match (state, ill) {
                ("InService", None) if version != refresh.version => None,
                (state, Some(ill)) => Some(format!("{id} (version {version}) {state}, {ill}")),
                (state, None) => Some(format!("{id} (version {version}) {state}")),
            }
        };
        let lines: Vec<String> = group.iter().flat_map(|group| group.instances()).filter_map(moving).collect();
        let what = told(refresh);
        self.tell(match lines.is_empty() {
            true => what,
            false => format!("{what}: {}", lines.join("; ")),
        });
        Ok(targets.healthy)
    }

    fn ended(&self, refresh: &Refresh) {
        let verb = match refresh.status.as_str() {
            "Successful" => "rolled out",
            _ if refresh.rolled_back() => "rolled back",
            _ => "not rolled out",
        };
        let (key, name) = (auto_scaling::REFRESH.0, &self.site.config.names);
        let name = name.auto_scaling_group.clone();
        self.session.report.event(Event::Finished { key, name, verb });
    }

    fn tell(&self, why: String) {
        let name = self.site.config.names.auto_scaling_group.clone();
        self.session.report.event(Event::Waiting { key: auto_scaling::REFRESH.0, name, why });
    }

    /// The run ends, the rollout does not.
    fn left(&self, what: String) -> Outcome {
        let summary = "the rollout goes on by itself; running again follows it";
        let (exit, word) = match self.session.stop.signal() {
            Some(signal) => (interrupted(signal), "interrupted"),
            None => (Exit::Deadline, "timeout"),
        };
        let problem = Problem::new(what, "Running again goes on from here.");
        Outcome::new(exit, word, summary).with_problems(vec![problem])
    }

    fn lost(&self, error: &Error) -> Box<Outcome> {
        let summary = "failed; the rollout goes on by itself, and running again follows it";
        Box::new(Outcome::new(Exit::Failed, "failed", summary).with_problems(vec![Problem::of(error)]))
    }
}

/// How a refresh ended. What was rolled back is not tried again by itself.
fn concluded(refresh: &Refresh, bad: Option<Bad>) -> Result<(), Box<Outcome>> {
    let back = refresh.rolled_back();
    let (exit, why, found) = match bad {
        Some(bad) => (bad.exit, bad.why, bad.check),
        None if back => (Exit::Unverified, refresh.reason.clone(), None),
        None => return Ok(()), // a cancelled one too: the next plan begins it anew
    };
    let version = &refresh.version;
    let (word, summary, message, cure) = match back {
        true => (
            "rolled_back",
            "rolled back",
            format!("version {version} was not taken: {why}"),
            "The instances run the version before it. Mend deploy.yaml or the image; `up --force` tries this version again.",
        ),
        false => (
            "failed",
            "failed; the version was not taken back",
            format!("version {version} does not work: {why}"),
            "Instances that were replaced keep this version. Mend deploy.yaml or the image and run `up` again: the group \
             is pinned to a numbered version then, to which AWS can go back.",
        ),
    };
    let problem = Problem {
        resource: Some("auto_scaling_group (guide step 4)".to_owned()),
        message,
        cause: Some(format!("the instance refresh ended in {}", refresh.status)),
        cure: Some(cure.to_owned()),
    };
    let mut outcome = Outcome::new(exit, word, summary).with_problems(vec![problem]);
    outcome.checks.extend(found);
    Err(Box::new(outcome))
}
