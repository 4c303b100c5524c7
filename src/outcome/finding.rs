//! What one check found.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::code::code_of;

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Pass,
    /// Right now, and something to look after.
    Warn,
    /// Not as it should be.
    Fail,
    /// Does not apply here, or what it needs failed.
    Skip,
    /// It could not be found out.
    Unknown,
}

impl Status {
    /// As it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Warn => "warn",
            Status::Fail => "fail",
            Status::Skip => "skip",
            Status::Unknown => "unknown",
        }
    }
}

/// One check, as `--json` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// What scripts know it by.
    pub id: &'static str,
    /// Its stable code, when it is a check of the preflight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The guide's step; 0: none of the seven.
    pub step: u8,
    /// What people know it by.
    pub title: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was seen.
    pub evidence: String,
    /// Why it is so.
    pub cause: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
    /// Milliseconds from the start of the run to the start of this check.
    pub started_ms: u64,
    /// Milliseconds that it took.
    pub duration_ms: u64,
    /// It is not right yet, and waiting may change that.
    #[serde(skip)]
    pub heals: bool,
    /// It may show for so long while all is well; after that waiting changes nothing.
    #[serde(skip)]
    pub settles: Duration,
}

impl Finding {
    /// A check of the guide's `step` that has not been carried out yet.
    pub fn new(id: &'static str, step: u8, title: &'static str) -> Finding {
        Finding {
            id,
            code: code_of(id),
            step,
            title,
            status: Status::Unknown,
            evidence: String::new(),
            cause: None,
            fix: None,
            started_ms: 0,
            duration_ms: 0,
            heals: false,
            settles: Duration::ZERO,
        }
    }

    /// As it should be.
    pub fn pass(self, evidence: impl Into<String>) -> Finding {
        self.found(Status::Pass, evidence)
    }

    /// Not carried out: why.
    pub fn skip(self, evidence: impl Into<String>) -> Finding {
        self.found(Status::Skip, evidence)
    }

    /// Not as it should be.
    pub fn fail(self, evidence: impl Into<String>, cause: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.found(Status::Fail, evidence).because(cause, fix)
    }

    /// What was found.
    pub fn found(mut self, status: Status, evidence: impl Into<String>) -> Finding {
        self.status = status;
        self.evidence = evidence.into();
        self
    }

    /// Not right yet: waiting may help.
    pub fn healing(mut self) -> Finding {
        self.heals = true;
        self
    }

    /// Not wrong for certain before every look has shown it for so long.
    pub fn settling(mut self, settles: Duration) -> Finding {
        self.settles = settles;
        self
    }

    /// Its title, after its code when it has one.
    pub fn name(&self) -> String {
        match self.code {
            Some(code) => format!("{code} {}", self.title),
            None => self.title.to_owned(),
        }
    }

    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        !matches!(self.status, Status::Fail | Status::Unknown)
    }

    /// Why, and what to do.
    pub fn because(mut self, cause: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.cause = Some(cause.into());
        self.fix = Some(fix.into());
        self
    }
}
