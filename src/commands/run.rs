//! From the command line to the exit code.

use std::time::Duration;

use tokio::time::Instant;

use super::deploy_yaml::config_file;
use super::log::log;
use super::reports::Reports;
use super::session::{began, host, seconds};
use super::signals::cancel_on_signals;
use super::{Session, alone, init, on_stack};
use crate::cli::{Cli, PACE, Verb};
use crate::clock::{Cancel, every};
use crate::exit::Exit;
use crate::flags;
use crate::outcome::{Frame, Outcome, Problem};
use crate::report::{ProgressForm, Report, colours};

/// Runs a command line to its exit code.
pub async fn run(cli: Cli) -> Exit {
    // Lines of calls would tear the bars.
    colours(cli.global.color);
    let pace = if cli.global.sandbox { PACE } else { 1.0 };
    let report = Report::new(cli.global.json, cli.global.quiet)
        .with_bars(cli.global.verbose == 0)
        .in_brief(cli.global.verbose == 0);
    let report = report.with_progress(cli.global.progress, pace);
    let start = Instant::now();
    let is_json_lines = cli.global.progress == ProgressForm::Json;
    let unusable = match cli.written_over(&config_file(&cli.global)) {
        Some(refused) => Some(Problem::from(refused)),
        None if is_json_lines && cli.global.verbose > 0 => Some(Problem::new(
            "-v writes lines between those of progress that are no JSON",
            format!("{} FILE writes the calls into a file.", flags::TRACE),
        )),
        None => log(cli.global.verbose, cli.global.trace.as_deref())
            .err()
            .map(|error| Problem::new(format!("--trace: {error}"), "Name a file that can be written.")),
    };
    if let Some(problem) = unusable {
        return report.result(&begun(&cli, start), &Outcome::refused(problem)).map_or(Exit::Failed, |()| Exit::Usage);
    }
    let cancel = cancel_on_signals();
    // A service that waits for its clients is not silent work.
    let is_work = !matches!(cli.verb, Verb::Sandbox(_));
    let beat = || {
        if is_work {
            report.beat();
        }
    };
    let acknowledged = async {
        cancel.asked().await;
        if is_work {
            report.note("stopping: what is under way may finish; the same again leaves at once");
        }
        std::future::pending().await
    };
    tokio::select! {
        // The answer to a signal first: the run may end in the same moment.
        biased;
        never = acknowledged => never,
        exit = reported(&cli, &report, &cancel, start) => exit,
        never = every(LISTENS, beat) => match never {},
    }
}

/// How often it is looked whether something should be told again.
const LISTENS: Duration = Duration::from_secs(5);

async fn reported(cli: &Cli, report: &Report, cancel: &Cancel, start: Instant) -> Exit {
    let mut frame = begun(cli, start);
    let (reports, refused) = match cli.verb.written() {
        Some(written) => Reports::begin(written, &frame),
        None => Default::default(),
    };
    let mut outcome = match refused {
        None => carried_out(cli, (report, &reports), cancel, (&mut frame, start)).await,
        Some(refused) => Outcome::refused(refused),
    };
    frame.seconds = seconds(start);
    reports.finish(&frame, &mut outcome);
    match report.result(&frame, &outcome) {
        Ok(()) => outcome.exit,
        Err(_) => Exit::Failed,
    }
}

/// What is known of a run before it has done anything.
fn begun(cli: &Cli, start: Instant) -> Frame {
    Frame {
        command: cli.verb.name(),
        started_at: began(start),
        sandbox: cli.global.sandbox,
        host: host(),
        ..Frame::default()
    }
}

async fn carried_out(
    cli: &Cli,
    (report, reports): (&Report, &Reports),
    cancel: &Cancel,
    (frame, start): (&mut Frame, Instant),
) -> Outcome {
    if let Some(ended) = alone(cli, report, cancel).await {
        return ended.unwrap_or_else(Outcome::from);
    }
    if let Verb::Init(args) = &cli.verb {
        return init::run((args, &cli.global), (report, cancel), (frame, start)).await.unwrap_or_else(Outcome::from);
    }
    let opened = match &cli.verb {
        Verb::List | Verb::Reap(_) => Session::open_account(&cli.global, report, cancel).await,
        _ => Session::open(&cli.global, report, cancel).await,
    };
    match opened {
        Ok(session) => {
            reports.begun(&session.frame(frame.command, start));
            let outcome = on_stack(&session, cli).await;
            *frame = Frame { shows_steps: cli.verb.shows_steps(), ..session.frame(frame.command, start) };
            outcome
        }
        Err(failed) => failed.into(),
    }
}
