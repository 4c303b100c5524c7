//! What the tests run on: the program on a fresh sandbox, in this process, on a clock that does not make them wait.

use std::panic::Location;
use std::time::Duration;

use clap::Parser;
use serde_json::Value;
use tokio::time::Instant;

use super::aws::Aws;
use super::ended::Ended;
use super::other_client::OtherClient;
use super::program::{
    Access, Cancel, Cli, Cloud, Outcome, Report, Sandbox, Session, Weather, World, config, configuration, envelope,
    perform, plan_text, tables,
};
use super::schema::valid;

/// A sandbox, and the deploy.yaml of the stack on it.
pub struct Stage {
    pub sandbox: Sandbox,
    pub config: String,
    pub cancel: Cancel,
    pub report: Report,
    /// Which case of a loop this is: what fails on this stage prints it.
    pub note: String,
}

impl Stage {
    /// A fresh sandbox, with the configuration that fits it.
    pub fn new() -> Stage {
        Stage::with("")
    }

    /// The same with more lines of deploy.yaml.
    pub fn with(lines: &str) -> Stage {
        let config = format!("{}{lines}", configuration());
        let report = Report::new(false, true);
        Stage { sandbox: Sandbox::seeded(1.0), config, cancel: Cancel::never(), report, note: String::new() }
    }

    /// A fresh sandbox in this weather.
    pub fn under(weather: impl FnOnce(&mut Weather)) -> Stage {
        let stage = Stage::new();
        stage.weather(weather);
        stage
    }

    /// A copy of this world.
    pub fn of(world: &World) -> Stage {
        Stage { sandbox: Sandbox::of(world.clone(), 1.0), ..Stage::new() }
    }

    /// The same sandbox under another configuration.
    pub fn as_config(&self, config: String) -> Stage {
        Stage { config, sandbox: self.sandbox.clone(), note: self.note.clone(), ..Stage::new() }
    }

    /// The same sandbox, as another process that runs beside this one, or after it.
    pub fn again(&self) -> Stage {
        self.as_config(self.config.clone())
    }

    /// A fresh sandbox after `up`.
    pub async fn up() -> Stage {
        let stage = Stage::new();
        stage.succeeds("up").await;
        stage.sandbox.clear_calls();
        stage
    }

    /// The same, as this case of a loop.
    pub fn noting(self, note: impl Into<String>) -> Stage {
        Stage { note: note.into(), ..self }
    }

    /// The same, where chance has this seed.
    pub fn seeded(self, seed: u64) -> Stage {
        self.sandbox.seed(seed);
        self.noting(format!("seed {seed}"))
    }

    /// Changes what AWS does to those who use it.
    pub fn weather(&self, change: impl FnOnce(&mut Weather)) {
        self.sandbox.change(|world| change(&mut world.weather));
    }

    /// From now on the caller may do what this policy allows, and nothing else.
    pub fn allow(&self, policy: Value) {
        self.sandbox.change(|world| world.caller_policy = Some(policy));
    }

    /// Changes what there is, as someone else would: `stage.edit(|aws| aws.load_balancer().protect())`.
    pub fn edit(&self, edit: impl FnOnce(&mut Aws<'_>)) {
        self.sandbox.change(|world| edit(&mut Aws::of(world)));
    }

    /// The same after this edit, in a sandbox of its own: no read shows what was before.
    pub fn edited(self, edit: impl FnOnce(&mut Aws<'_>)) -> Stage {
        let mut world = self.sandbox.world();
        edit(&mut Aws::of(&mut world));
        let sandbox = Sandbox::of(world, self.sandbox.pace());
        sandbox.change(|_| {}); // health checks have found it already
        Stage { sandbox, ..self }
    }

    /// Another client of the same account.
    pub async fn other_client(&self) -> OtherClient {
        OtherClient(self.cloud().await)
    }

    async fn cloud(&self) -> Cloud {
        let (region, stand_in) = (Some("eu-central-1".to_owned()), Some(self.sandbox.stand_in()));
        Cloud::connect(&Access { profile: None, region, stand_in }).await.unwrap()
    }

    /// What a command line ends in.
    #[track_caller]
    pub fn run(&self, line: &str) -> impl Future<Output = Ended> {
        self.run_at(line, Location::caller())
    }

    /// The same of a command that asks over real sockets, where the clock is otherwise paused: answers need real time.
    #[track_caller]
    pub fn over_sockets(&self, line: &str) -> impl Future<Output = Ended> {
        let place = Location::caller();
        async move {
            tokio::time::resume();
            let ended = self.run_at(line, place).await;
            tokio::time::pause();
            ended
        }
    }

    /// Images of the instances that are not on their way out.
    pub fn images(&self) -> Vec<String> {
        let world = self.sandbox.world();
        let staying = world.rows(tables::INSTANCES).filter(|row| row["_ending"].is_null());
        staying.map(|row| row["imageId"].as_str().unwrap().to_owned()).collect()
    }

    /// A command line that is killed after so many seconds, in the middle.
    pub async fn killed_after(&self, seconds: u64, line: &str) {
        tokio::select! {
            ended = self.run(line) => panic!("it must take longer\n\n{ended}"),
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
        }
    }

    /// A command line that must end well.
    #[track_caller]
    pub fn succeeds(&self, line: &str) -> impl Future<Output = Ended> {
        let place = Location::caller();
        async move {
            let ended = self.run_at(line, place).await;
            ended.succeeds();
            ended
        }
    }

    /// A command line that must end well and change nothing.
    #[track_caller]
    pub fn unchanged_by(&self, line: &str) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            self.run_at(line, place).await.succeeds().writes_nothing();
        }
    }

    /// The envelope of a command line.
    pub async fn json(&self, line: &str) -> Value {
        let start = Instant::now();
        let (session, outcome) = self.session_run(line).await;
        let cli = parsed(line);
        valid(envelope(&session.frame(cli.verb.name(), start), &outcome))
    }

    /// The plan as it is printed.
    pub async fn plan(&self) -> String {
        self.plan_of("plan").await
    }

    /// The plan of this command line as it is printed. A plan only reads.
    pub async fn plan_of(&self, line: &str) -> String {
        let planned = self.run(line).await;
        planned.writes_nothing();
        plan_text(&planned.changes)
    }

    /// Nothing is there but the seed.
    #[track_caller]
    pub fn nothing_is_left(&self) {
        assert_eq!(self.sandbox.world().leftovers(), Vec::<String>::new(), "something is left; {}", self.note);
    }

    async fn run_at(&self, line: &str, place: &'static Location<'static>) -> Ended {
        let before = self.sandbox.calls().len();
        let end = self.session_run(line).await.1;
        let mut calls = self.sandbox.calls();
        let calls = calls.split_off(before.min(calls.len())); // someone may have cleared them meanwhile
        let ended = Ended { line: line.to_owned(), place, note: self.note.clone(), end, calls };
        ended.needs_no_other_permission();
        ended
    }

    async fn session_run(&self, line: &str) -> (Session<'_>, Outcome) {
        let cli = parsed(line);
        let config = config::parse(&self.config, "deploy.yaml", &cli.global.set).unwrap();
        let sandbox = Some(self.sandbox.clone());
        let session = Session::new(config, self.cloud().await, &self.report, &self.cancel, sandbox);
        let start = Instant::now();
        let outcome = perform(&session, &cli.verb).await;
        valid(envelope(&session.frame(cli.verb.name(), start), &outcome));
        (session, outcome)
    }
}

fn parsed(line: &str) -> Cli {
    Cli::try_parse_from(std::iter::once("deploy").chain(line.split_whitespace())).unwrap()
}
