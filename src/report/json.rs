//! The envelope of `--json`, and its JSON Schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;

use super::schedule::{self, Timed};
use crate::outcome::{
    Action, Change, Cost, Finding, Frame, ListedStack, Load, Outcome, Overview, Problem, Setting, Standing, Verdict,
    meaning, words,
};

/// The one document that every verb prints with `--json`, on failure too.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Result of deploy", inline)]
struct Envelope<'a> {
    /// The version of this format. Fields may be added to it; none is removed, renamed or given another type.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The program's version.
    version: &'static str,
    /// The verb; empty when none was recognised.
    command: &'a str,
    /// When the run began, RFC 3339.
    started_at: &'a str,
    /// Whether it was the sandbox: nothing of it is real.
    sandbox: bool,
    /// The account's twelve digits; null when it is not known.
    account: Option<&'a str>,
    /// The caller's ARN; null when it is not known.
    caller: Option<&'a str>,
    /// The stack's name; empty for verbs without one.
    stack: &'a str,
    /// The region; empty for verbs without one.
    region: &'a str,
    /// What it ended in, in a word.
    #[schemars(extend("enum" = words()))]
    outcome: &'a str,
    /// The exit code.
    exit_code: u8,
    /// What it ended in, in a sentence.
    summary: &'a str,
    /// What was done, or would be.
    changes: Vec<&'a Change>,
    /// What holds `up` back: AWS is busy with it, or it has our name and is not ours.
    blocked: Vec<&'a Change>,
    /// How many changes there are of each kind.
    counts: Counts,
    /// Each resource of the stack, for `status` and `graph --live`.
    resources: &'a [Standing],
    /// Where the service answers, and on what it runs.
    outputs: Outputs<'a>,
    /// The stacks of the account, for `list`; null elsewhere.
    stacks: Option<&'a [ListedStack]>,
    /// The settings of the vendor's guide, for `conform`.
    settings: &'a [Setting],
    /// What the stack costs a month, for `plan`, `preflight` and a refusal of `up`; null elsewhere.
    cost: Option<&'a Cost>,
    /// What a verb that makes a document gives out: the policy of `iam-policy`; null elsewhere.
    document: Option<&'a Value>,
    /// What the checks found.
    checks: &'a [Finding],
    /// What the service decided; null when it was not asked.
    verdict: Option<&'a Verdict>,
    /// What many calls of the service came to, for `liveness --repeat`; null elsewhere.
    load: Option<&'a Load>,
    /// What is wrong, each with its cure.
    problems: &'a [Problem],
    /// How long it took.
    timings: Timings<'a>,
}

/// How many changes there are of each kind.
#[derive(Serialize, JsonSchema)]
struct Counts {
    create: usize,
    adopt: usize,
    update: usize,
    replace: usize,
    delete: usize,
    wait: usize,
    foreign: usize,
}

/// `endpoint`, `load_balancer` and other texts by name, and with `status` the state of the stack.
#[derive(Serialize, JsonSchema)]
struct Outputs<'a> {
    /// What was asked of AWS and the service, for `status`.
    #[serde(flatten)]
    overview: Option<&'a Overview>,
    /// Names of texts with their values.
    #[serde(flatten)]
    texts: &'a BTreeMap<String, String>,
}

/// How long it took.
#[derive(Serialize, JsonSchema)]
struct Timings<'a> {
    /// The whole run.
    seconds: f64,
    /// HTTP requests sent to AWS, repetitions included.
    aws_calls: u64,
    /// What was worked on, in the order in which it began.
    steps: Vec<Timed<'a>>,
}

const SCHEMA: &str = "deploy/v1";

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// One document, on failure too.
pub fn envelope(frame: &Frame, outcome: &Outcome) -> Value {
    let (changes, blocked) = outcome.changes.iter().partition(|change| change.action.is_done());
    let load = outcome.load.as_ref().map(Load::words);
    let problem = outcome.problems.first().map(|problem| &*problem.message);
    let summary = some(&outcome.summary).or(problem).or(load.as_deref());
    let envelope = Envelope {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        command: frame.command,
        started_at: &frame.started_at,
        sandbox: frame.sandbox,
        account: some(&frame.account),
        caller: some(&frame.caller),
        stack: &frame.stack,
        region: &frame.region,
        outcome: outcome.outcome,
        exit_code: outcome.exit as u8,
        summary: summary.unwrap_or(meaning(outcome.outcome)),
        changes,
        blocked,
        counts: counts(&outcome.changes),
        resources: &outcome.standing,
        outputs: Outputs { overview: outcome.overview.as_ref(), texts: &outcome.outputs },
        stacks: outcome.stacks.as_deref(),
        settings: &outcome.settings,
        cost: outcome.cost.as_ref(),
        document: outcome.document.as_ref(),
        checks: &outcome.checks,
        verdict: outcome.verdict.as_ref(),
        load: outcome.load.as_ref(),
        problems: &outcome.problems,
        timings: Timings { seconds: frame.seconds, aws_calls: frame.calls, steps: schedule::data(frame) },
    };
    serde_json::to_value(envelope).expect("an envelope has only names as keys")
}

fn counts(changes: &[Change]) -> Counts {
    let count = |action: Action| changes.iter().filter(|change| change.action == action).count();
    Counts {
        create: count(Action::Create),
        adopt: count(Action::Adopt),
        update: count(Action::Update),
        replace: count(Action::Replace),
        delete: count(Action::Delete),
        wait: count(Action::Wait),
        foreign: count(Action::Foreign),
    }
}

/// The JSON Schema (2020-12) of the envelope, from the types that are serialised.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<Envelope<'_>>().to_value()
}
