//! What `up`, `plan`, `status` and `teardown` share: the site, the first look, and words for what the engine says.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::cloud::{Error, settling};
use crate::engine::clock::{Clock, Late};
use crate::engine::diff::diff;
use crate::engine::walk::{Found, Plan, Trouble, known, verb};
use crate::engine::{Decision, Event, Failure, Goal, Graph, Key, Look, Outputs, Seen, Stop, Terms, Walk};
use crate::exit::Exit;
use crate::report::{Outcome, Planned, Problem};
use crate::site::{OWNER_TAG, Site, SiteError};
use crate::steps::{STACK, load_balancer};
use crate::verify;

use super::rollout::is_rollout;
use super::{Session, interrupted};

/// The site, and what stands on it.
pub struct Surveyed {
    pub site: Site,
    pub found: Found,
}

/// What a look found of each resource, before any of it is judged.
pub type Looked = BTreeMap<Key, crate::cloud::Result<Option<Seen>>>;

/// Looks the site up and looks at the stack, side by side; where AWS asks for patience, again.
///
/// # Errors
/// The time of a first look is over, or somebody asked to stop: reads in flight are dropped.
pub async fn survey_parts(
    session: &Session<'_>,
    goal: Goal,
    clock: &Clock,
) -> Result<(Result<Site, SiteError>, Looked), Late> {
    let clock = clock.at_most(FIRST_LOOK);
    for attempt in 0.. {
        // On the heap: all the finds side by side are deeply nested.
        let look = slowly_told(session, &clock, Box::pin(survey_once(session, goal)));
        let (site, found) = clock.within(session.stop, look).await?;
        let of_site = match &site {
            Err(SiteError::Cloud(error)) => Some(error),
            _ => None,
        };
        let errors: Vec<&Error> =
            of_site.into_iter().chain(found.values().filter_map(|one| one.as_ref().err())).collect();
        // Whoever does not answer at first may never have: a wrong endpoint, no way out.
        let put_off = |error: &&Error| match error {
            Error::Unseen(_) => true,
            error => settling(error).is_some() && !error.is_outage(),
        };
        if errors.is_empty() || !errors.iter().all(put_off) || !clock.pause(attempt, session.stop).await {
            return Ok((site, found));
        }
    }
    unreachable!("it ends with what was found")
}

/// How long the first look may take: with AWS there it takes a second.
pub const FIRST_LOOK: Duration = Duration::from_secs(300);

/// What the look gives; when that takes long, this is said.
async fn slowly_told<T>(session: &Session<'_>, clock: &Clock, look: impl Future<Output = T> + Unpin) -> T {
    let slow = Box::pin(clock.pause(u32::MAX, session.stop));
    match select(look, slow).await {
        Either::Left((done, _)) => done,
        Either::Right((waited, look)) => {
            if waited {
                session.report.event(Event::Waiting {
                    key: "aws",
                    name: session.cloud.region.clone(),
                    why: "not every call is answered yet; still trying".to_owned(),
                });
            }
            look.await
        }
    }
}

async fn survey_once(session: &Session<'_>, goal: Goal) -> (Result<Site, SiteError>, Looked) {
    let blank = Site::blank(session.config.clone(), &session.cloud.region);
    let (config, cloud) = (session.config.clone(), &session.cloud);
    let look = Look::new(STACK, goal);
    match goal {
        Goal::Present => {
            let site = Site::look_up(config, cloud, &look.shared);
            tokio::join!(site, look.all(STACK, cloud, &blank))
        }
        Goal::Absent => {
            let site = Site::look_up_for_teardown(config, cloud, &look.shared);
            let (site, found) = tokio::join!(site, look.all(STACK, cloud, &blank));
            (site.map_err(SiteError::from), found)
        }
    }
}

/// The site and what stands on it, or the outcome that says why they cannot be told.
pub async fn survey(session: &Session<'_>, goal: Goal, adopt: bool, clock: &Clock) -> Result<Surveyed, Outcome> {
    let (site, found) = survey_parts(session, goal, clock).await.map_err(|_| unanswered(session))?;
    let site = site.map_err(|error| site_outcome(&error))?;
    let graph = Graph::trace(STACK, &site);
    let (stop, quiet) = (Stop::never(), |_: Event| {});
    let walk = walk(session, &site, &graph, goal, adopt, session.clock(Duration::ZERO), &stop, &quiet);
    let found = walk.sift(found).map_err(|failures| failed(&failures, &stop, "nothing was changed"))?;
    Ok(Surveyed { site, found })
}

/// A first look that did not come to its end.
pub fn unanswered(session: &Session<'_>) -> Outcome {
    if let Some(signal) = session.stop.signal() {
        let summary = "interrupted; nothing was changed";
        return Outcome::new(interrupted(signal), "interrupted", summary);
    }
    let problem = Problem::new(
        "AWS did not answer in time",
        "Look at the network, HTTPS_PROXY and NO_PROXY, and AWS_ENDPOINT_URL; -v shows each attempt.",
    );
    let summary = "the time of a first look is over; nothing was changed";
    Outcome::new(Exit::Deadline, "timeout", summary).with_problems(vec![problem])
}

/// A walk over the stack.
#[allow(clippy::too_many_arguments)] // the one place where a walk's parts come together
pub fn walk<'a>(
    session: &'a Session<'_>,
    site: &'a Site,
    graph: &'a Graph<'a>,
    goal: Goal,
    adopt: bool,
    clock: Clock,
    stop: &'a Stop,
    tell: &'a dyn Fn(Event),
) -> Walk<'a> {
    let terms = Terms { owner: (OWNER_TAG.to_owned(), site.config.stack.clone()), adopt };
    Walk { graph, cloud: &session.cloud, site, goal, terms, clock, stop, tell }
}

/// The lines of a plan: everything that is not as wanted.
pub fn planned(plan: &Plan, graph: &Graph, site: &Site) -> Vec<Planned> {
    let lines = plan.iter().filter_map(|(key, decision)| {
        let node = graph.node(key)?;
        let (fields, why) = match decision {
            Decision::Nothing => return None,
            Decision::Create(spec) => (diff(&serde_json::json!({}), spec), None),
            Decision::Update { changes, .. } => (changes.clone(), None),
            Decision::Replace { changes, why } => {
                (changes.clone(), Some(format!("AWS does not change {} in place", why.join(", "))))
            }
            Decision::Foreign { whose, adoptable, changes } => {
                let adopt = if *adoptable { "; with --adopt it would be tagged and changed as above" } else { "" };
                (changes.clone(), Some(format!("not ours: {whose}{adopt}")))
            }
            Decision::Wait(why) => (Vec::new(), Some(why.clone())),
            Decision::Delete => (Vec::new(), None),
        };
        let mut line =
            Planned { action: verb(decision), resource: key, name: node.name(site), step: node.step(), fields, why };
        if is_rollout(&line) {
            let words =
                "an instance refresh brings it to the instances: launch before terminate, back by itself when it fails";
            line.why = Some(words.to_owned());
        }
        Some(line)
    });
    lines.collect()
}

/// Everything of our names that is not ours, as the outcome that stops a run before anything is changed.
pub fn foreign(changes: &[Planned]) -> Option<Outcome> {
    let strangers = changes.iter().filter(|change| change.action == "foreign");
    let problems: Vec<Problem> = strangers
        .map(|change| Problem {
            resource: Some(format!("{} {}", change.resource, change.name)),
            message: change.why.clone().unwrap_or_default(),
            cause: None,
            cure: Some(
                "Use --adopt if it is to become a part of this stack (look at `deploy plan --adopt` first), or \
                        names.prefix for other names."
                    .to_owned(),
            ),
        })
        .collect();
    let summary = format!("{} resources with our names are not ours; nothing was changed", problems.len());
    (!problems.is_empty()).then(|| Outcome::new(Exit::Foreign, "refused", summary).with_problems(problems))
}

/// What could not be done, as an outcome. The worst of the reasons gives the exit code.
pub fn failed(failures: &[Failure], stop: &Stop, state: &str) -> Outcome {
    let has = |which: fn(&Trouble) -> bool| failures.iter().any(|failure| which(&failure.trouble));
    let again = "running again goes on from here";
    let (exit, word, summary) = if let Some(signal) = stop.signal() {
        (interrupted(signal), "interrupted", format!("interrupted; {again}"))
    } else if has(|trouble| matches!(trouble, Trouble::Foreign(_) | Trouble::Cloud(Error::Stranger(_)))) {
        (Exit::Foreign, "refused", format!("something with our name is not ours and was not touched; {state}"))
    } else if has(|trouble| matches!(trouble, Trouble::Cloud(Error::Consent { .. }))) {
        (Exit::Refused, "refused", format!("refused; {state}"))
    } else if has(|trouble| matches!(trouble, Trouble::Cloud(_) | Trouble::Fixed(_))) {
        (Exit::Failed, "failed", format!("failed; {state}"))
    } else {
        (Exit::Deadline, "timeout", format!("the deadline passed; {again}"))
    };
    let problems = failures.iter().filter(|failure| !matches!(failure.trouble, Trouble::Interrupted)).map(|failure| {
        let resource = format!("{} {} (guide step {})", failure.key, failure.name, failure.step);
        let problem = match &failure.trouble {
            Trouble::Cloud(error @ Error::Consent { flag, .. }) => {
                Problem { cure: Some(format!("{flag} does it all the same.")), ..Problem::of(error) }
            }
            Trouble::Cloud(error) => Problem::of(error),
            other => Problem { message: other.to_string(), ..Problem::default() },
        };
        Problem { resource: Some(resource), ..problem }
    });
    Outcome::new(exit, word, summary).with_problems(problems.collect())
}

/// What a person reads of the ids: where the service answers, and what it stands on.
pub fn outputs(site: &Site, outputs: &Outputs) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    if let Some(dns_name) = outputs.get(&load_balancer::DNS_NAME) {
        shown.insert("load_balancer".to_owned(), dns_name.clone());
        shown.extend(verify::endpoint(site, outputs).map(|endpoint| ("endpoint".to_owned(), endpoint)));
    }
    shown
}

/// The ids of everything that was found.
pub fn ids(found: &Found) -> Outputs {
    known(found)
}

fn site_outcome(error: &SiteError) -> Outcome {
    let problems = match error {
        SiteError::Missing(missing) => missing.iter().map(|one| Problem::new(&one.what, &one.cure)).collect(),
        SiteError::Cloud(error) => {
            return Outcome::new(Exit::Failed, "failed", "failed; nothing was changed")
                .with_problems(vec![Problem::of(error)]);
        }
    };
    Outcome::new(Exit::Refused, "refused", "refused; nothing was changed").with_problems(problems)
}
