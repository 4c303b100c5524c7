//! What the tests run on: the program on a fresh sandbox, in this process, on a clock that does not make them wait.

use clap::Parser;
use serde_json::Value;
use tokio::time::Instant;

use super::program::{
    Access, Cli, Cloud, Outcome, Report, Sandbox, Session, Stop, World, config, configuration, envelope, name, perform,
    plan_text,
};

/// A sandbox, and the deploy.yaml of the stack on it.
pub struct Stage {
    pub sandbox: Sandbox,
    pub config: String,
    pub stop: Stop,
    pub report: Report,
}

impl Stage {
    /// A fresh sandbox, with the configuration that fits it.
    pub fn new() -> Stage {
        Stage::with("")
    }

    /// The same with more lines of deploy.yaml.
    pub fn with(lines: &str) -> Stage {
        let config = format!("{}{lines}", configuration());
        Stage { sandbox: Sandbox::seeded(1.0), config, stop: Stop::never(), report: Report::new(false, true) }
    }

    /// A copy of this world.
    pub fn of(world: &World) -> Stage {
        Stage { sandbox: Sandbox::of(world.clone(), 1.0), ..Stage::new() }
    }

    /// The same sandbox under another configuration.
    pub fn as_config(&self, config: String) -> Stage {
        Stage { config, sandbox: self.sandbox.clone(), ..Stage::new() }
    }

    /// A stage on which the stack stands.
    pub async fn standing() -> Stage {
        let stage = Stage::new();
        stage.succeeds("up").await;
        stage.sandbox.clear_calls();
        stage
    }

    /// Another client of the same account.
    pub async fn other_client(&self) -> Cloud {
        let (region, http_client) = (Some("eu-central-1".to_owned()), Some(self.sandbox.http_client()));
        Cloud::connect(&Access { profile: None, region, http_client }).await.unwrap()
    }

    /// What a command line ends in.
    pub async fn run(&self, line: &str) -> Outcome {
        self.session_run(line).await.1
    }

    /// The envelope of a command line.
    pub async fn json(&self, line: &str) -> Value {
        let start = Instant::now();
        let (session, outcome) = self.session_run(line).await;
        let cli = parsed(line);
        envelope(&session.frame(name(&cli.verb), start), &outcome)
    }

    /// A command line that must end well.
    pub async fn succeeds(&self, line: &str) -> Outcome {
        let outcome = self.run(line).await;
        assert_eq!(outcome.exit as u8, 0, "{line}: {:?}", outcome.problems);
        outcome
    }

    /// The plan as it is printed.
    pub async fn plan(&self) -> String {
        plan_text(&self.run("plan").await.changes)
    }

    /// The operations called since the last look that may change something.
    pub fn writes(&self) -> Vec<String> {
        let calls = self.sandbox.calls();
        self.sandbox.clear_calls();
        calls.into_iter().filter(|call| call.mutates()).map(|call| call.operation).collect()
    }

    async fn session_run(&self, line: &str) -> (Session<'_>, Outcome) {
        let cli = parsed(line);
        let config = config::parse(&self.config, "deploy.yaml", &cli.global.set).unwrap();
        let session = Session {
            config,
            cloud: self.other_client().await,
            report: &self.report,
            stop: &self.stop,
            sandbox: Some(self.sandbox.clone()),
        };
        let outcome = perform(&session, &cli.verb).await;
        (session, outcome)
    }
}

fn parsed(line: &str) -> Cli {
    Cli::try_parse_from(std::iter::once("deploy").chain(line.split_whitespace())).unwrap()
}

/// The problems of an outcome, to look for words in.
pub fn words(outcome: &Outcome) -> String {
    format!("{:?}", outcome.problems)
}

/// What there is of a kind, to change.
pub fn rows<'a>(world: &'a mut World, kind: &str) -> impl Iterator<Item = &'a mut Value> {
    world.table(kind).values_mut()
}
