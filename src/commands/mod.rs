//! One file a verb. Here: what they share, from the command line to the exit code.

mod authorization;
mod client;
mod converge;
mod diagnose;
mod plan;
mod rollout;
pub mod sandbox;
mod status;
mod teardown;
mod up;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use client::Client;
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
pub struct Session<'a> {
    pub config: Config,
    pub cloud: Cloud,
    pub report: &'a Report,
    pub stop: &'a Stop,
    pub sandbox: Option<Sandbox>,
}

impl Session<'_> {
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
            seconds: seconds(start),
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
    let start = Instant::now();
    let mut frame = Frame { command: name(&cli.verb), ..Frame::default() };
    let stop = signals();
    let mut outcome = match alone(&cli, &report, &stop).await {
        Some(outcome) => outcome,
        None => match open(&cli.global, &report, &stop).await {
            Ok(session) => {
                let outcome = on_stack(&session, &cli).await;
                frame = session.frame(frame.command, start);
                outcome
            }
            Err(outcome) => outcome,
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
async fn alone(cli: &Cli, report: &Report, stop: &Stop) -> Option<Outcome> {
    let world = world_file(&cli.global);
    if let Verb::Verify(args) = &cli.verb {
        if let Err(refused) = verify::writable(args) {
            return Some(Outcome::refused(refused));
        }
        let alone = args.base_url.is_some() && !cli.global.sandbox;
        return match alone {
            true => Some(verify::client_alone(args, report, stop).await),
            false => None,
        };
    }
    if let Verb::Sandbox(verb) = &cli.verb {
        return Some(sandbox::run(verb, &world, report, stop).await);
    }
    if !matches!(cli.verb, Verb::Liveness(_) | Verb::Biometry(_)) {
        return None;
    }
    let sandbox = match sandbox_of(&cli.global) {
        Ok(sandbox) => sandbox,
        Err(problem) => return Some(Outcome::refused(problem)),
    };
    let client = Client { report, stop, sandbox: sandbox.as_ref() };
    Some(match &cli.verb {
        Verb::Liveness(args) => client.liveness(args).await,
        Verb::Biometry(args) => client.biometry(args).await,
        _ => return None,
    })
}

async fn on_stack(session: &Session<'_>, cli: &Cli) -> Outcome {
    let mut outcome = perform(session, &cli.verb).await;
    let kept = session.sandbox.as_ref().map(|sandbox| sandbox.keep(&world_file(&cli.global)));
    if let Some(Err(error)) = kept {
        let cure = "Name a file that can be written with --sandbox-world.";
        let what = format!("the sandbox could not be kept: {error}");
        outcome.problems.push(Problem::new(what, cure));
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
        let message = refused.kind().to_string();
        let problem = Problem::new(message, "`deploy --help` shows what there is.");
        let outcome = Outcome::refused(problem);
        Report::new(true, true).result(&Frame::default(), &outcome);
    }
    Exit::Usage
}

/// Carries out a verb that works on a stack.
pub async fn perform(session: &Session<'_>, verb: &Verb) -> Outcome {
    // On the heap: together they are more than a thread's stack in a debug build.
    let mut outcome = match verb {
        Verb::Up(args) => Box::pin(up::run(session, args)).await,
        Verb::Plan(args) => plan::run(session, args).await,
        Verb::Status => status::run(session).await,
        Verb::Verify(args) => Box::pin(verify::run(session, args)).await,
        Verb::Diagnose(args) => Box::pin(diagnose::run(session, args)).await,
        Verb::Teardown(args) => Box::pin(teardown::run(session, args)).await,
        Verb::Liveness(_) | Verb::Biometry(_) | Verb::Sandbox(_) => {
            Outcome::new(Exit::Usage, "refused", "this verb works on no stack")
        }
    };
    authorization::decode(&session.cloud, &mut outcome.problems).await;
    outcome
}

/// Configuration, sandbox and clients; or what is wrong with them, before any call.
async fn open<'a>(global: &Global, report: &'a Report, stop: &'a Stop) -> Result<Session<'a>, Outcome> {
    let (file, text) = configuration(global).map_err(Outcome::refused)?;
    let mut config = config::parse(&text, &file, &global.set).map_err(|mistakes| {
        let lines = mistakes.to_string();
        let problems = lines.lines().map(|line| Problem { message: line.to_owned(), ..Problem::default() });
        Outcome::new(Exit::Usage, "refused", "").with_problems(problems.collect())
    })?;
    config.region = global.region.clone().or(config.region);
    let sandbox = sandbox_of(global).map_err(Outcome::refused)?;
    let access = Access {
        profile: global.profile.clone(),
        region: config.region.clone(),
        http_client: sandbox.as_ref().map(Sandbox::http_client),
    };
    let cure = "Set region in deploy.yaml, --region, AWS_REGION, or the profile's region.";
    let cloud =
        Cloud::connect(&access).await.ok_or_else(|| Outcome::refused(Problem::new("no region is configured", cure)))?;
    Ok(Session { config, cloud, report, stop, sandbox })
}

/// The sandbox as it was kept, when there is to be one.
fn sandbox_of(global: &Global) -> Result<Option<Sandbox>, Problem> {
    let world = world_file(global);
    let opened = global.sandbox.then(|| Sandbox::open(&world, PACE)).transpose();
    opened.map_err(|error| Problem::new(format!("{}: {error}", world.display()), "`deploy sandbox reset` begins anew."))
}

fn seconds(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

/// The name and the text of the configuration. The sandbox needs none: its own network is seeded.
fn configuration(global: &Global) -> Result<(String, String), Problem> {
    let path = match &global.config {
        Some(path) => path.clone(),
        None if global.sandbox => {
            return Ok(("the sandbox's configuration".to_owned(), sandbox::configuration()));
        }
        None => PathBuf::from("deploy.yaml"),
    };
    let cure = "Copy deploy.yaml.example to deploy.yaml and set the network, or try `deploy --sandbox up`.";
    let text =
        std::fs::read_to_string(&path).map_err(|error| Problem::new(format!("{}: {error}", path.display()), cure))?;
    Ok((path.display().to_string(), text))
}

/// Where the sandbox is kept: `$XDG_STATE_HOME/deploy/sandbox.json`.
fn world_file(global: &Global) -> PathBuf {
    let state = || {
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or(home).unwrap_or_else(std::env::temp_dir)
    };
    global.sandbox_world.clone().unwrap_or_else(|| state().join("deploy").join("sandbox.json"))
}

/// Asks the run to stop at the first Ctrl-C or SIGTERM; a second one ends the process at once.
fn signals() -> Stop {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, stop) = Stop::channel();
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
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
        Verb::Verify(_) => "verify",
        Verb::Diagnose(_) => "diagnose",
        Verb::Teardown(_) => "teardown",
        Verb::Liveness(_) => "liveness",
        Verb::Biometry(_) => "biometry",
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
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(level);
    let _ = subscriber.try_init();
}
