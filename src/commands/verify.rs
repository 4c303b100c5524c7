//! `deploy verify`: steps 6 and 7 of the guide and the client's part, as checks.

use std::path::Path;

use tokio::time::Instant;

use super::Session;
use super::client::{Client, beside, check, decided, lateness, sandbox_web};
use super::converge::{ids, outputs, planned, survey, walk};
use crate::cli;
use crate::engine::clock::Late;
use crate::engine::{Clock, Event, Goal, Graph, Outputs, Stop};
use crate::exit::Exit;
use crate::names::Names;
use crate::oz::{Analysis, BaseUrl, Capture, Decision, Picture, Refused, Service, Token, Verdict, Web};
use crate::report::{Check, Frame, Outcome, Planned, Problem, Report, Status};
use crate::sandbox::{self, Sandbox};
use crate::site::Site;
use crate::steps::{STACK, load_balancer};
use crate::verify::{Endpoint, Found, Stack, judge_version, timed, timed_each};

/// What is sent to the service, and how: everything that is refused is refused before any call.
struct Prepared {
    capture: Option<Capture>,
    reference: Option<Picture>,
    token: Option<Token>,
    base: Option<BaseUrl>,
    web: Web,
    names: Names,
}

/// Drift is what so many looks in a row show, over some seven seconds: reads may lag behind the writes of an `up` that has
/// just ended (Amazon EC2 developer guide, "Eventual consistency").
const DRIFT_LOOKS: u32 = 4;

/// Proves a stack.
pub async fn run(session: &Session<'_>, args: &cli::Verify) -> Outcome {
    let start = Instant::now();
    let clock = session.clock(args.timeout);
    let verify = &session.config.verify;
    let capture = args.capture.as_deref().or(verify.capture.as_deref().map(Path::new));
    let reference = args.reference.as_deref().or(verify.reference.as_deref().map(Path::new));
    let prepared = match prepare(args, capture, reference, session.sandbox.as_ref()).await {
        Ok(prepared) => prepared,
        Err(refused) => return Outcome::refused(refused),
    };
    let client = Client { report: session.report, stop: session.stop, sandbox: session.sandbox.as_ref() };
    let (mut passes, mut drifts) = (0, 0);
    for attempt in 0.. {
        let round = match clock.within(session.stop, Box::pin(look(session, &prepared, &clock, start))).await {
            Ok(round) => round,
            Err(late) => return stopped(late, session.stop, Vec::new()),
        };
        let round = match round {
            Ok(round) => round,
            Err(outcome) => return *outcome,
        };
        let wrong: Vec<&Found> = round.found.iter().filter(|found| !found.good()).collect();
        passes = if wrong.is_empty() { passes + 1 } else { 0 };
        let drift = wrong.iter().any(|found| is_drift(&found.check));
        drifts = if drift { drifts + 1 } else { 0 };
        let settled = |found: &&Found| !found.heals && (drifts >= DRIFT_LOOKS || !is_drift(&found.check));
        if wrong.iter().any(settled) || passes >= args.count {
            return finish(&client, args, &prepared, round, (&clock, start)).await;
        }
        let why = wrong.first().map_or_else(
            || format!("passed {passes} of {} times", args.count),
            |found| format!("{}: {}", found.check.title, found.check.evidence),
        );
        let name = session.config.stack.clone();
        session.report.event(Event::Waiting { key: "verify", name, why });
        if !clock.pause(attempt, session.stop).await {
            let late = if session.stop.signal().is_some() { Late::Stopped } else { Late::Deadline };
            return Outcome { outputs: round.outputs, ..stopped(late, session.stop, checks(round.found)) };
        }
    }
    unreachable!("it ends with a result, a deadline or a signal")
}

/// Only the client's checks: neither an account nor deploy.yaml.
pub async fn client_alone(args: &cli::Verify, report: &Report, stop: &Stop) -> Outcome {
    let start = Instant::now();
    let clock = Clock::new(args.timeout, 1.0);
    let prepared = match prepare(args, args.capture.as_deref(), args.reference.as_deref(), None).await {
        Ok(prepared) => prepared,
        Err(refused) => return Outcome::refused(refused),
    };
    let client = Client { report, stop, sandbox: None };
    let mut found = Vec::new();
    for _ in 0..args.count {
        found = match reach_alone(&prepared, (&clock, stop), start).await {
            Ok(found) => found,
            Err(late) => return stopped(late, stop, Vec::new()),
        };
        if found.iter().any(|found| !found.good()) {
            break;
        }
    }
    let round = Round { found, ..Round::default() };
    finish(&client, args, &prepared, round, (&clock, start)).await
}

/// Whether the reports can be written where they are asked for.
///
/// # Errors
/// One cannot.
pub fn writable(args: &cli::Verify) -> Result<(), Refused> {
    for path in [&args.junit, &args.html].into_iter().flatten() {
        let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|error| {
            Refused::new(format!("{}: {error}", path.display()), "Name a file that can be written.")
        })?;
    }
    Ok(())
}

/// Writes the reports that are asked for, whatever the outcome.
pub fn write_reports(args: &cli::Verify, frame: &Frame, outcome: &mut Outcome) {
    let reports = [
        (&args.junit, crate::report::junit as fn(&Frame, &Outcome) -> String),
        (&args.html, crate::report::html as fn(&Frame, &Outcome) -> String),
    ];
    for (path, render) in reports {
        let Some(path) = path else { continue };
        if let Err(error) = std::fs::write(path, render(frame, outcome))
            && outcome.exit != Exit::Usage
        {
            let problem = Problem::new(format!("{}: {error}", path.display()), "The checks themselves are above.");
            outcome.problems.push(problem);
            (outcome.exit, outcome.outcome) = (Exit::Failed, "failed");
        }
    }
}

async fn prepare(
    args: &cli::Verify,
    capture: Option<&Path>,
    reference: Option<&Path>,
    sandbox: Option<&Sandbox>,
) -> Result<Prepared, Refused> {
    let mut capture = capture.map(|path| Capture::read(path, &beside(&args.beside))).transpose()?;
    let mut reference = reference.map(Picture::read).transpose()?;
    if capture.is_none() && reference.is_some() {
        return Err(Refused::new(
            "a reference without a capture",
            "Its best shot is what a reference is compared with: --capture FILE.",
        ));
    }
    if let (None, Some(_)) = (&capture, sandbox) {
        capture = Some(Capture::parse(sandbox::sample_capture().to_string().as_bytes(), false)?);
        reference = Picture::new(sandbox::sample_reference());
    }
    let token = Token::read(args.service.token_file.as_deref())?;
    let base = args.base_url.as_deref().map(|url| BaseUrl::parse(url, args.service.allow_http)).transpose()?;
    let (web, names) = match sandbox {
        Some(sandbox) => {
            let (web, front) = sandbox_web(sandbox).await?;
            (web, Names::Sandbox(front.names))
        }
        None => (Web::new(args.service.ca_file.as_deref())?, Names::System),
    };
    Ok(Prepared { capture, reference, token, base, web, names })
}

/// What one look found.
#[derive(Default)]
struct Round {
    found: Vec<Found>,
    outputs: std::collections::BTreeMap<String, String>,
    /// Where the analyses go.
    to: Option<BaseUrl>,
}

async fn look(
    session: &Session<'_>,
    prepared: &Prepared,
    clock: &Clock,
    start: Instant,
) -> Result<Round, Box<Outcome>> {
    let surveyed = survey(session, Goal::Present, false, clock).await.map_err(|outcome| match outcome.exit {
        Exit::Refused => Outcome { exit: Exit::Unverified, outcome: "failed", ..outcome },
        _ => outcome,
    })?;
    let (site, ids) = (&surveyed.site, ids(&surveyed.found));
    let graph = Graph::trace(STACK, site);
    let (stop, quiet) = (Stop::never(), |_: Event| {});
    let plan = walk(session, site, &graph, Goal::Present, false, *clock, &stop, &quiet).plan(&surveyed.found);
    let changes: Vec<Planned> = planned(&plan, &graph, site);
    let stack = Stack { cloud: &session.cloud, config: &session.config, ids: &ids, changes: &changes };
    let (balancer, targets, instances, policy, called) = tokio::join!(
        timed(start, stack.load_balancer()),
        timed(start, stack.targets()),
        Box::pin(timed_each(start, stack.instances())),
        timed(start, stack.scaling_policy()),
        Box::pin(reach(session, prepared, (site, &ids), (clock, start))),
    );
    let called = called.map_err(|late| Box::new(stopped(late, session.stop, Vec::new())))?;
    let [profile, version] = instances;
    let coming = [&balancer, &targets].iter().any(|found| !found.good() && found.heals);
    let mut found = vec![balancer, stack.listeners(), targets, profile, version, policy];
    // What does not answer while the load balancer or its targets are still coming may answer later.
    found.extend(called.into_iter().map(|found| Found { heals: found.heals || coming, ..found }));
    found.push(stack.drift());
    let to = prepared.base.clone().or_else(|| endpoint(site, &ids));
    Ok(Round { found, outputs: outputs(site, &ids), to })
}

fn endpoint(site: &Site, ids: &Outputs) -> Option<BaseUrl> {
    // A stack without TLS was asked for in deploy.yaml.
    BaseUrl::parse(&crate::verify::endpoint(site, ids)?, true).ok()
}

async fn reach(
    session: &Session<'_>,
    prepared: &Prepared,
    (site, ids): (&Site, &Outputs),
    (clock, start): (&Clock, Instant),
) -> Result<Vec<Found>, Late> {
    let time = (clock, session.stop);
    if prepared.base.is_some() {
        return reach_alone(prepared, time, start).await;
    }
    let (Some(balancer), Some(base)) = (ids.get(&load_balancer::DNS_NAME), endpoint(site, ids)) else {
        return Ok(Vec::new());
    };
    let balancer = balancer.to_lowercase();
    let record = match (site.record_name(), &site.zone) {
        (Some(name), Some(zone)) => Some((name, crate::verify::name_servers(&session.cloud, &zone.id).await)),
        _ => None,
    };
    let endpoint = Endpoint {
        web: &prepared.web,
        names: prepared.names,
        balancer: &balancer,
        redirects: base.https() && site.config.load_balancer.redirect_http,
        base,
        record,
        token: prepared.token.clone(),
        version: site.config.verify.version.as_deref(),
        start,
        time,
    };
    endpoint.checks().await
}

async fn reach_alone(prepared: &Prepared, time: (&Clock, &Stop), start: Instant) -> Result<Vec<Found>, Late> {
    let Some(base) = &prepared.base else {
        return Ok(Vec::new());
    };
    let version = Check::new("version", 7, "/api/version");
    let service = match Service::new(base.clone(), prepared.token.clone(), &prepared.web) {
        Ok(service) => service,
        Err(why) => return Ok(vec![Found::settled(version.found(Status::Unknown, why))]),
    };
    let mut late = None;
    let found = timed(start, async {
        match service.version(time).await {
            Ok(answer) => judge_version(version, answer.map(|version| version.0), None),
            Err(why) => {
                late = Some(why);
                Found::settled(version)
            }
        }
    })
    .await;
    late.map_or(Ok(vec![found]), Err)
}

/// The metered calls, once, when everything before is good; then the outcome.
async fn finish(
    client: &Client<'_>,
    args: &cli::Verify,
    prepared: &Prepared,
    round: Round,
    (clock, start): (&Clock, Instant),
) -> Outcome {
    let good = round.found.iter().all(Found::good);
    let to = round.to.or_else(|| prepared.base.clone());
    let mut checks = checks(round.found);
    let mut decision = None;
    match (&prepared.capture, to) {
        (Some(capture), Some(base)) if good => {
            client.tell(capture, args.beside.first_frame);
            match chain(client, args, (prepared, capture), base, (clock, start)).await {
                Ok((more, verdict, exit)) => {
                    checks.extend(more);
                    decision = Some((verdict, exit));
                }
                Err(late) => {
                    return Outcome { outputs: round.outputs, ..stopped(late, client.stop, checks) };
                }
            }
        }
        (Some(_), _) => checks.push(
            Check::new("liveness", 0, "liveness").skip("not called: something before it failed, and calls are metered"),
        ),
        (None, _) => {}
    }
    let (exit, word) = match decision {
        Some((_, (exit, word))) => (exit, word),
        None => ended(&checks),
    };
    let failed = checks.iter().filter(|check| matches!(check.status, Status::Fail | Status::Unknown)).count();
    let summary = match failed {
        0 => format!("Verified: {} checks.", checks.len()),
        failed => format!("{failed} of {} checks failed.", checks.len()),
    };
    let mut outcome = Outcome { outputs: round.outputs, checks, ..Outcome::new(exit, word, summary) };
    outcome.verdict = decision.map(|(verdict, _)| verdict);
    outcome
}

/// Whether this check compares what stands with what is wanted, and asks nobody whether it works.
fn is_drift(check: &Check) -> bool {
    ["drift", "listeners"].contains(&check.id)
}

fn ended(checks: &[Check]) -> (Exit, &'static str) {
    let wrong = |status| checks.iter().filter(move |check| check.status == status);
    let drift_alone = wrong(Status::Fail).all(is_drift);
    match (wrong(Status::Fail).count(), wrong(Status::Unknown).count()) {
        (0, 0) => (Exit::Done, "verified"),
        (0, _) => (Exit::Failed, "failed"),
        (_, 0) if drift_alone => (Exit::Changes, "drift"),
        _ => (Exit::Unverified, "failed"),
    }
}

type Decided = (Vec<Check>, Verdict, (Exit, &'static str));

/// Capture -> liveness -> best shot, in memory -> biometry against the reference.
async fn chain(
    client: &Client<'_>,
    args: &cli::Verify,
    (prepared, capture): (&Prepared, &Capture),
    base: BaseUrl,
    (clock, start): (&Clock, Instant),
) -> Result<Decided, Late> {
    let (expect, time) = (args.service.expect, (clock, client.stop));
    let service = match Service::new(base, prepared.token.clone(), &prepared.web) {
        Ok(service) => service,
        Err(why) => {
            let verdict = Verdict::unanswered(why);
            return Ok((vec![check(Analysis::Quality, &verdict, None, None)], verdict, (Exit::Unverified, "failed")));
        }
    };
    let began = start.elapsed();
    let live = service.liveness(capture, time).await?;
    let chained = prepared.reference.as_ref().filter(|_| live.verdict.decision == Some(Decision::Success));
    // The negative control may come true in the second link: then the first one's SUCCESS is no failure.
    let mut first = check(Analysis::Quality, &live.verdict, None, expect.filter(|_| chained.is_none()));
    first.started_ms = began.as_millis() as u64;
    let Some(reference) = chained else {
        let ended = decided(&live.verdict, None, expect);
        return Ok((vec![first], live.verdict, ended));
    };
    let Some(shot) = &live.best_shot else {
        let missing = Check::new("biometry", 0, "biometry").fail(
            "the answer to the liveness call holds no best shot",
            "some services give one for certain gestures only",
            "Take a capture of another gesture, or leave --reference out.",
        );
        return Ok((vec![first, missing], live.verdict, (Exit::Unverified, "failed")));
    };
    let began = start.elapsed();
    let same = service.biometry((reference, shot), capture.meta.expose(), time).await?;
    let mut second = check(Analysis::Biometry, &same.verdict, args.min_confidence, expect);
    second.started_ms = began.as_millis() as u64;
    let ended = decided(&same.verdict, args.min_confidence, expect);
    Ok((vec![first, second], same.verdict, ended))
}

fn checks(found: Vec<Found>) -> Vec<Check> {
    found.into_iter().map(|found| found.check).collect()
}

fn stopped(late: Late, stop: &Stop, checks: Vec<Check>) -> Outcome {
    let (exit, word, summary) = lateness(late, stop);
    Outcome { checks, ..Outcome::new(exit, word, summary) }
}
