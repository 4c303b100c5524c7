//! Progress for other programs: one JSON object a line, and its JSON Schema.

use std::time::Duration;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;

use super::usual::Usual;

/// The version of this format.
const SCHEMA: &str = "deploy/progress/v1";

/// One line of `--progress json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Progress of deploy, a line of it", inline)]
pub struct Line<'a> {
    /// The version of this format. Fields may be added to it; none is removed, renamed or given another type.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// When, RFC 3339.
    time: String,
    /// Since the run began.
    seconds: f64,
    /// The resource's key, or another noun of what is worked on; null: the run as a whole.
    resource: Option<&'a str>,
    /// AWS's name of it; null: the run as a whole.
    name: Option<&'a str>,
    /// What happened.
    state: State,
    /// What is done, or was: `create`, `update`, `delete`; null where that is not known.
    verb: Option<&'a str>,
    /// In words, for people.
    text: &'a str,
    /// How long that usually takes, from the least to the most; null where that is not known, or not minutes.
    usual_seconds: Option<[f64; 2]>,
}

/// What happened.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Work began.
    Started,
    /// It is not ready: `text` says why.
    Waiting,
    /// It is done.
    Finished,
    /// Something should not be missed.
    Warned,
    /// It could not be done.
    Failed,
    /// It was not tried, since something before it failed.
    Skipped,
    /// Something worth to know.
    Note,
    /// What is wrong with the run, with its cause and its cure.
    Problem,
    /// What the run came to: the last line.
    Ended,
}

/// Whom a line is about, and what is done there.
#[derive(Default, Clone, Copy)]
pub struct About<'a> {
    /// The resource and its name.
    pub resource: Option<(&'a str, &'a str)>,
    /// What is done.
    pub verb: Option<&'a str>,
    /// How long that usually takes, where time runs so fast.
    pub usual: Option<(&'static Usual, f64)>,
}

/// One line.
pub fn line(about: About<'_>, state: State, text: &str, since: Duration) -> String {
    let line = Line {
        schema: SCHEMA,
        time: jiff::Timestamp::now().to_string(),
        seconds: since.as_millis() as f64 / 1000.0,
        resource: about.resource.map(|(key, _)| key),
        name: about.resource.map(|(_, name)| name),
        state,
        verb: about.verb,
        text,
        usual_seconds: about.usual.map(|(usual, pace)| usual.times(pace).map(|time| time.as_secs_f64())),
    };
    serde_json::to_string(&line).expect("a line has only names as keys")
}

/// The JSON Schema (2020-12) of a line, from the type that is serialised.
pub fn schema() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Line<'_>>().to_value()
}
