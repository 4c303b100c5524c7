//! A plan in a file: what was reviewed is what is applied, or nothing.

mod moved;

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Session;
use super::whole_file::WholeFile;
use crate::engine::diff::diff;
use crate::engine::{Key, Planner};
use crate::outcome::{Change, Failed, Outcome, Problem};
use crate::text::times;
use moved::moved_since;

/// The form of the file.
const SCHEMA: &str = "deploy/plan/v1";

/// What `plan --save` writes and `up --plan` reads.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    schema: String,
    /// By which version of the program.
    version: String,
    /// When, in UTC.
    saved_at: jiff::Timestamp,
    /// Of whose account; null where STS did not say.
    account: Option<String>,
    region: String,
    stack: String,
    sandbox: bool,
    /// Whether it takes over what has no owner.
    pub adopt: bool,
    /// Whether it replaces what AWS cannot change in place.
    pub replace: bool,
    /// deploy.yaml, with what the command line had set over it.
    configuration: Value,
    changes: Vec<Value>,
}

impl SavedPlan {
    /// These changes, to be applied to the stack of this session.
    pub fn new(session: &Session<'_>, (adopt, replace): (bool, bool), changes: &[Change]) -> SavedPlan {
        SavedPlan {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            saved_at: jiff::Timestamp::now(),
            account: session.cloud.known_identity().map(|identity| identity.account.id.clone()),
            region: session.cloud.region.clone(),
            stack: session.config.stack.clone(),
            sandbox: session.sandbox.is_some(),
            adopt,
            replace,
            configuration: json!(session.config),
            changes: changes.iter().map(|change| json!(change)).collect(),
        }
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Problem> {
        let written = WholeFile::new(path).and_then(|file| file.write(&format!("{:#}\n", json!(self))));
        written.map_err(|error| Problem::new(format!("{}: {error}", path.display()), "Name another with --save."))
    }

    /// Reads one.
    ///
    /// # Errors
    /// It cannot be read, or is no plan.
    pub fn read(path: &Path) -> Result<SavedPlan, Problem> {
        let cure = "`deploy plan --save FILE` writes one.";
        let wrong = |why: String| Problem::new(format!("{}: {why}", path.display()), cure);
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| wrong(format!("not a saved plan: {error}")))?;
        if value["schema"] != SCHEMA {
            return Err(wrong(format!("not a plan of this version, which is {SCHEMA}")));
        }
        serde_json::from_value(value).map_err(|error| wrong(format!("not a saved plan: {error}")))
    }

    /// How old it is, in a line.
    pub fn age(&self) -> String {
        let seconds = jiff::Timestamp::now().duration_since(self.saved_at).as_secs();
        let account = self.account.as_deref().unwrap_or("unknown");
        format!("the plan was saved {} ago ({:.0}) for account {account}", times::age(seconds), self.saved_at)
    }

    /// Refuses everything but this plan.
    ///
    /// # Errors
    /// It is another stack's, deploy.yaml has changed, or what exists has: everything that has moved since.
    pub fn admit(&self, session: &Session<'_>, now: &[Change]) -> Result<(), Failed> {
        let account = session.cloud.known_identity().map(|identity| identity.account.id.as_str());
        let mut moved: Vec<String> = Vec::new();
        let here = [
            ("account", self.account.as_deref(), account),
            ("region", Some(self.region.as_str()), Some(session.cloud.region.as_str())),
            ("stack", Some(self.stack.as_str()), Some(session.config.stack.as_str())),
        ];
        for (what, planned, here) in here {
            if planned != here {
                let word = |value: Option<&str>| value.unwrap_or("unknown").to_owned();
                moved.push(format!("{what}: the plan is for {}, this is {}", word(planned), word(here)));
            }
        }
        if self.sandbox != session.sandbox.is_some() {
            moved.push(format!("the plan is for {}", if self.sandbox { "the sandbox" } else { "AWS" }));
        }
        let configuration = diff(&self.configuration, &json!(session.config));
        moved.extend(configuration.iter().map(|field| format!("deploy.yaml, {field}")));
        if moved.is_empty() {
            moved = moved_since(&self.changes, now);
        }
        if moved.is_empty() {
            return Ok(());
        }
        let cure = "`deploy plan --save FILE` makes a plan of what is there now; give `up` the same --set as it.";
        let problems = moved.into_iter().map(Problem::bare).collect();
        let outcome = Outcome::preflight("the plan no longer fits; nothing was changed").with_problems(problems);
        Err(outcome.problem(Problem::new(self.age(), cure)).into())
    }

    /// Refuses what is neither in the plan nor hangs on what it changes: it has moved while the plan was applied.
    ///
    /// # Errors
    /// There is such a thing; what was changed before stays.
    pub fn hold(&self, planner: &Planner<'_>, pending: impl Iterator<Item = Key>) -> Result<(), Failed> {
        let planned = |key: &Key| self.changes.iter().any(|change| change["resource"] == *key);
        let keys = planner.graph.nodes().iter().map(|node| node.key()).filter(planned);
        let covered: BTreeSet<Key> = keys.flat_map(|key| planner.graph.bound_to(key)).collect();
        let more: Vec<Key> = pending.filter(|key| !covered.contains(key)).collect();
        if more.is_empty() {
            return Ok(());
        }
        let what = format!("somebody changed {} while the plan was applied", more.join(", "));
        let problem = Problem::new(what, "`deploy plan` shows what is left to do.");
        Err(Outcome::failed("failed; what was changed stays").problem(problem).into())
    }
}
