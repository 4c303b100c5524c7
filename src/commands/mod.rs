//! One file a verb. Here: which of them works on a stack.

mod authorization;
mod best_shot;
mod biometry;
mod bundle;
mod client;
mod conform;
mod core_dump;
mod cost;
mod credentials;
mod deploy_yaml;
mod diagnose;
mod document;
mod expiry;
mod explain;
mod export;
mod first_reading;
mod graph;
mod iam_policy;
mod init;
mod known;
mod list;
mod liveness;
mod load;
mod log;
mod manual;
mod park;
mod plan;
mod preflight;
mod protection;
mod reap;
mod reports;
mod run;
pub mod sandbox;
mod saved_plan;
mod schema;
mod session;
mod signals;
mod stack;
mod status;
mod strays;
mod teardown;
mod terminal;
mod touch;
mod up;
mod usage;
mod verify;
mod whole_file;

use crate::cli::{Cli, Verb};
use crate::clock::{Cancel, Clock, Wait};
use crate::event::Event;
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::report::Report;
use client::Client;
pub use core_dump::without_core_dump;
pub use run::run;
pub use session::{Reach, Session};
use session::{open_sandbox, world_file};
use signals::late;
pub use usage::refuse;

/// Verbs that need neither deploy.yaml nor an account, and what is refused before either is looked at.
async fn alone(cli: &Cli, report: &Report, cancel: &Cancel) -> Option<Result<Outcome, Failed>> {
    let watch = |event: Event| report.event(event);
    let wait = |timeout| Wait { clock: Clock::new(timeout, 1.0), cancel, watch: &watch };
    match &cli.verb {
        Verb::Verify(args) if args.base_url.is_some() && !cli.global.sandbox => {
            Some(verify::client_alone(args, report, &wait(args.deadline())).await)
        }
        Verb::IamPolicy(args) => Some(iam_policy::run(args, &cli.global, report)),
        Verb::Schema(args) => Some(Ok(schema::run(args, report))),
        Verb::Explain(args) => Some(explain::run(args, &cli.global, report)),
        Verb::Completions { shell } => Some(manual::completions(*shell, report)),
        Verb::Man(args) => Some(manual::page(args, report)),
        Verb::Version => Some(manual::version(report)),
        Verb::Graph(args) if !args.live => Some(graph::alone(args, &cli.global, report)),
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
    credentials::told_once(cli.global.profile.as_deref(), &mut outcome.problems);
    let kept = session.sandbox.as_ref().map(|sandbox| sandbox.keep(&world_file(&cli.global)));
    if let Some(Err(error)) = kept {
        let cure = "Name a file that can be written with --sandbox-world.";
        outcome.problems.push(Problem::new(format!("the sandbox could not be kept: {error}"), cure));
        outcome.exit = Exit::Failed;
    }
    outcome
}

/// Carries out a verb that works on a stack.
pub async fn perform(session: &Session<'_>, verb: &Verb) -> Outcome {
    // On the heap: together they are more than a thread's stack in a debug build.
    let ended = match verb {
        Verb::Up(args) => Box::pin(up::run(session, args)).await,
        Verb::Plan(args) => Box::pin(plan::run(session, args)).await,
        Verb::Preflight(args) => Box::pin(preflight::run(session, args)).await,
        Verb::Conform(_) => Box::pin(conform::run(session)).await,
        Verb::Status(args) => Box::pin(status::run(session, args)).await,
        Verb::Export(args) => Box::pin(export::run(session, args)).await,
        Verb::Bundle(args) => Box::pin(bundle::run(session, args)).await,
        Verb::Graph(args) => Box::pin(graph::run(session, args)).await,
        Verb::List => Box::pin(list::run(session)).await,
        Verb::Touch(args) => Box::pin(touch::run(session, args)).await,
        Verb::Reap(args) => Box::pin(reap::run(session, args)).await,
        Verb::Park(args) => Box::pin(park::run(session, args)).await,
        Verb::Unpark(args) => Box::pin(park::undo(session, args)).await,
        Verb::Verify(args) => Box::pin(verify::run(session, args)).await,
        Verb::Diagnose(args) => Box::pin(diagnose::run(session, args)).await,
        Verb::Teardown(args) => Box::pin(teardown::run(session, args)).await,
        Verb::Init(_)
        | Verb::Liveness(_)
        | Verb::Biometry(_)
        | Verb::IamPolicy(_)
        | Verb::Schema(_)
        | Verb::Explain(_)
        | Verb::Completions { .. }
        | Verb::Man(_)
        | Verb::Version
        | Verb::Sandbox(_) => Ok(Outcome::new(Exit::Usage, "refused", "this verb works on no stack")),
    };
    let mut outcome = ended.unwrap_or_else(Outcome::from);
    authorization::decode(&session.cloud, &mut outcome.problems).await;
    outcome
}
