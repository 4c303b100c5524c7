//! One file a verb. Here: from the command line to the exit code.

mod authorization;
mod best_shot;
mod biometry;
mod client;
mod diagnose;
mod first_reading;
mod liveness;
mod log;
mod plan;
mod preflight;
mod protection;
pub mod sandbox;
mod session;
mod signals;
mod stack;
mod status;
mod strays;
mod teardown;
mod up;
mod verify;

use tokio::time::Instant;

use crate::cli::{Cli, Verb};
use crate::clock::{Cancel, Clock, Ended, Wait};
use crate::event::Event;
use crate::exit::Exit;
use crate::outcome::{Failed, Frame, Outcome, Problem};
use crate::report::Report;
use client::Client;
use log::log_to_stderr;
pub use session::{Reach, Session};
use session::{open_sandbox, seconds, world_file};
use signals::cancel_on_signals;

/// Runs a command line to its exit code.
pub async fn run(cli: Cli) -> Exit {
    log_to_stderr(cli.global.verbose);
    let report = Report::new(cli.global.json, cli.global.quiet);
    let start = Instant::now();
    let mut frame = Frame { command: cli.verb.name(), ..Frame::default() };
    let cancel = cancel_on_signals();
    let mut outcome = match alone(&cli, &report, &cancel).await {
        Some(ended) => ended.unwrap_or_else(Outcome::from),
        None => match Session::open(&cli.global, &report, &cancel).await {
            Ok(session) => {
                let outcome = on_stack(&session, &cli).await;
                frame = session.frame(frame.command, start);
                outcome
            }
            Err(failed) => failed.into(),
        },
    };
    frame.seconds = seconds(start);
    if let Verb::Verify(args) = &cli.verb {
        verify::write_reports(args, &frame, &mut outcome);
    }
    report.result(&frame, &outcome);
    outcome.exit
}

/// Verbs that need neither deploy.yaml nor an account, and what is refused before either is looked at.
async fn alone(cli: &Cli, report: &Report, cancel: &Cancel) -> Option<Result<Outcome, Failed>> {
    let watch = |event: Event| report.event(event);
    let wait = |timeout| Wait { clock: Clock::new(timeout, 1.0), cancel, watch: &watch };
    match &cli.verb {
        Verb::Verify(args) => {
            if let Err(refused) = verify::writable(args) {
                return Some(Err(refused.into()));
            }
            let alone = args.base_url.is_some() && !cli.global.sandbox;
            if alone { Some(verify::client_alone(args, report, &wait(args.deadline())).await) } else { None }
        }
        Verb::Sandbox(verb) => Some(Ok(sandbox::run(verb, &world_file(&cli.global), report, cancel).await)),
        Verb::Liveness(_) | Verb::Biometry(_) => {
            let sandbox = match open_sandbox(&cli.global) {
                Ok(sandbox) => sandbox,
                Err(problem) => return Some(Ok(Outcome::refused(problem))),
            };
            let client = Client { report, reach: Reach { sandbox: sandbox.as_ref() } };
            match &cli.verb {
                Verb::Liveness(args) => Some(liveness::run(&client, args, &wait(args.timeout)).await),
                Verb::Biometry(args) => Some(biometry::run(&client, args, &wait(args.timeout)).await),
                _ => None,
            }
        }
        _ => None,
    }
}

async fn on_stack(session: &Session<'_>, cli: &Cli) -> Outcome {
    let mut outcome = perform(session, &cli.verb).await;
    let kept = session.sandbox.as_ref().map(|sandbox| sandbox.keep(&world_file(&cli.global)));
    if let Some(Err(error)) = kept {
        let cure = "Name a file that can be written with --sandbox-world.";
        outcome.problems.push(Problem::new(format!("the sandbox could not be kept: {error}"), cure));
        outcome.exit = Exit::Failed;
    }
    outcome
}

/// What a command line that cannot be parsed ends in; with `--json` in it, the envelope too.
pub fn refuse(refused: &clap::Error) -> Exit {
    let _ = refused.print();
    if !refused.use_stderr() {
        return Exit::Done; // --help and --version
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let problem = Problem::new(refused.kind().to_string(), "`deploy --help` shows what there is.");
        Report::new(true, true).result(&Frame::default(), &Outcome::refused(problem));
    }
    Exit::Usage
}

/// Carries out a verb that works on a stack.
pub async fn perform(session: &Session<'_>, verb: &Verb) -> Outcome {
    // On the heap: together they are more than a thread's stack in a debug build.
    let ended = match verb {
        Verb::Up(args) => Box::pin(up::run(session, args)).await,
        Verb::Plan(args) => Box::pin(plan::run(session, args)).await,
        Verb::Preflight => Box::pin(preflight::run(session)).await,
        Verb::Status => Box::pin(status::run(session)).await,
        Verb::Verify(args) => Box::pin(verify::run(session, args)).await,
        Verb::Diagnose(args) => Box::pin(diagnose::run(session, args)).await,
        Verb::Teardown(args) => Box::pin(teardown::run(session, args)).await,
        Verb::Liveness(_) | Verb::Biometry(_) | Verb::Sandbox(_) => {
            Ok(Outcome::new(Exit::Usage, "refused", "this verb works on no stack"))
        }
    };
    let mut outcome = ended.unwrap_or_else(Outcome::from);
    authorization::decode(&session.cloud, &mut outcome.problems).await;
    outcome
}

/// What a passed deadline or a signal ends in.
fn late(ended: Ended) -> Outcome {
    let summary = match ended {
        Ended::Cancelled(_) => "interrupted",
        Ended::TimedOut => "the deadline passed before there was an answer; --timeout allows more",
    };
    Outcome::ended(ended, summary)
}
