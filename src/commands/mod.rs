//! One file a verb. Here: what they share, from the command line to the exit code.

mod converge;
mod plan;
pub mod sandbox;
mod status;
mod teardown;
mod up;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use crate::cli::{Cli, Global, Verb};
use crate::cloud::{Access, Cloud};
use crate::config::{self, Config};
use crate::engine::clock::Signal;
use crate::engine::{Clock, Event, Stop};
use crate::exit::Exit;
use crate::report::{Frame, Outcome, Problem, Report};
use crate::sandbox::Sandbox;

/// How many of AWS's seconds pass in one of the sandbox's, so that a person sees progress move.
pub const PACE: f64 = 40.0;

/// What a command works with.
pub struct Session {
    pub config: Config,
    pub cloud: Cloud,
    pub report: Report,
    pub stop: Stop,
    pub sandbox: Option<Sandbox>,
}

impl Session {
    /// A deadline, with pauses that suit where we are.
    pub fn clock(&self, timeout: Duration) -> Clock {
        Clock::new(timeout, self.sandbox.as_ref().map_or(1.0, Sandbox::pace))
    }

    /// What the envelope says of this session.
    pub fn frame(&self, command: &'static str, start: Instant) -> Frame {
        Frame {
            command,
            stack: self.config.stack.clone(),
            region: self.cloud.region.clone(),
            seconds: (start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            calls: self.cloud.gate.calls(),
        }
    }

    /// Where events go.
    pub fn tell(&self) -> impl Fn(Event) + '_ {
        |event| self.report.event(event)
    }
}

/// Runs a command line to its exit code.
pub async fn run(cli: Cli) -> Exit {
    log_to_stderr(cli.global.verbose);
    let report = Report::new(cli.global.json, cli.global.quiet);
    let mut frame = Frame {
        command: name(&cli.verb),
        ..Frame::default()
    };
    let start = Instant::now();
    if let Verb::Sandbox(verb) = &cli.verb {
        let outcome = sandbox::run(verb, &world_file(&cli.global), &report, &signals()).await;
        report.result(&frame, &outcome);
        return outcome.exit;
    }
    let session = match open(&cli.global, report).await {
        Ok(session) => session,
        Err((report, outcome)) => {
            report.result(&frame, &outcome);
            return outcome.exit;
        }
    };
    let mut outcome = perform(&session, &cli.verb).await;
    if let Some(Err(error)) = session
        .sandbox
        .as_ref()
        .map(|sandbox| sandbox.keep(&world_file(&cli.global)))
    {
        let cure = "Name a file that can be written with --sandbox-world.";
        outcome.problems.push(Problem::new(
            format!("the sandbox could not be kept: {error}"),
            cure,
        ));
        outcome.exit = Exit::Failed;
    }
    frame = session.frame(frame.command, start);
    session.report.result(&frame, &outcome);
    outcome.exit
}

/// What a command line that cannot be parsed ends in; with `--json` in it, the envelope too.
pub fn refuse(refused: &clap::Error) -> Exit {
    let _ = refused.print();
    if !refused.use_stderr() {
        return Exit::Done; // --help and --version
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let message = refused.kind().to_string();
        let problem = Problem::new(message, "`deploy --help` shows what there is.");
        let outcome = Outcome::new(Exit::Usage, "failed", "").with_problems(vec![problem]);
        Report::new(true, true).result(&Frame::default(), &outcome);
    }
    Exit::Usage
}

/// Carries out a verb that works on a stack.
pub async fn perform(session: &Session, verb: &Verb) -> Outcome {
    match verb {
        Verb::Up(args) => up::run(session, args).await,
        Verb::Plan(args) => plan::run(session, args).await,
        Verb::Status => status::run(session).await,
        Verb::Teardown(args) => teardown::run(session, args).await,
        Verb::Sandbox(_) => Outcome::new(Exit::Usage, "failed", "the sandbox has no stack"),
    }
}

/// Configuration, sandbox and clients; or what is wrong with them, before any call.
async fn open(global: &Global, report: Report) -> Result<Session, (Report, Outcome)> {
    let usage =
        |problem: Problem| Outcome::new(Exit::Usage, "failed", "").with_problems(vec![problem]);
    let (file, text) = match configuration(global) {
        Ok(found) => found,
        Err(problem) => return Err((report, usage(problem))),
    };
    let mut config = match config::parse(&text, &file, &global.set) {
        Ok(config) => config,
        Err(mistakes) => {
            let lines = mistakes.to_string();
            let problems = lines.lines().map(|line| Problem {
                resource: None,
                message: line.to_owned(),
                cure: None,
            });
            return Err((
                report,
                Outcome::new(Exit::Usage, "failed", "").with_problems(problems.collect()),
            ));
        }
    };
    config.region = global.region.clone().or(config.region);
    let sandbox = match global
        .sandbox
        .then(|| Sandbox::open(&world_file(global), PACE))
        .transpose()
    {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let cure = "`deploy sandbox reset` begins anew.";
            return Err((
                report,
                usage(Problem::new(
                    format!("{}: {error}", world_file(global).display()),
                    cure,
                )),
            ));
        }
    };
    let access = Access {
        profile: global.profile.clone(),
        region: config.region.clone(),
        http_client: sandbox.as_ref().map(Sandbox::http_client),
    };
    let Some(cloud) = Cloud::connect(&access).await else {
        let cure = "Set region in deploy.yaml, --region, AWS_REGION, or the profile's region.";
        return Err((report, usage(Problem::new("no region is configured", cure))));
    };
    Ok(Session {
        config,
        cloud,
        report,
        stop: signals(),
        sandbox,
    })
}

/// The name and the text of the configuration. The sandbox needs none: its own network is seeded.
fn configuration(global: &Global) -> Result<(String, String), Problem> {
    let path = match &global.config {
        Some(path) => path.clone(),
        None if global.sandbox => {
            return Ok((
                "the sandbox's configuration".to_owned(),
                sandbox::configuration(),
            ));
        }
        None => PathBuf::from("deploy.yaml"),
    };
    let cure = "Copy deploy.yaml.example to deploy.yaml and set the network, or try `deploy --sandbox up`.";
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Problem::new(format!("{}: {error}", path.display()), cure))?;
    Ok((path.display().to_string(), text))
}

/// Where the sandbox is kept: `$XDG_STATE_HOME/deploy/sandbox.json`.
fn world_file(global: &Global) -> PathBuf {
    let state = || {
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or(home)
            .unwrap_or_else(std::env::temp_dir)
    };
    global
        .sandbox_world
        .clone()
        .unwrap_or_else(|| state().join("deploy").join("sandbox.json"))
}

/// Asks the run to stop at the first Ctrl-C or SIGTERM; a second one ends the process at once.
fn signals() -> Stop {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, stop) = Stop::channel();
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return Stop::never();
    };
    tokio::spawn(async move {
        loop {
            let asked = tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
            };
            if sender.borrow().is_some() {
                std::process::exit(interrupted(asked) as i32);
            }
            let _ = sender.send(Some(asked));
        }
    });
    stop
}

/// The exit code of a signal.
pub fn interrupted(signal: Signal) -> Exit {
    match signal {
        Signal::Interrupt => Exit::Interrupted,
        Signal::Terminate => Exit::Terminated,
    }
}

/// The verb's name.
pub fn name(verb: &Verb) -> &'static str {
    match verb {
        Verb::Up(_) => "up",
        Verb::Plan(_) => "plan",
        Verb::Status => "status",
        Verb::Teardown(_) => "teardown",
        Verb::Sandbox(_) => "sandbox",
    }
}

/// Nothing of a request's body or headers is logged: the SDK's own logs keep to names and times.
fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "warn,aws_smithy_runtime::client::retries=debug",
        _ => "info,aws_smithy_runtime=debug",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(level);
    let _ = subscriber.try_init();
}
