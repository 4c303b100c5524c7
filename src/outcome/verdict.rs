//! What the service answered to an analysis, in three levels.

use schemars::JsonSchema;
use serde::Serialize;

/// The analyses that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analysis {
    /// Liveness: `quality` in requests, `QUALITY` in answers.
    Quality,
    /// Whether two pictures show the same person.
    Biometry,
}

impl Analysis {
    /// As the service calls it, whatever the case.
    pub fn name(self) -> &'static str {
        match self {
            Analysis::Quality => "quality",
            Analysis::Biometry => "biometry",
        }
    }
}

/// Whether one of the first two levels held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It held.
    Ok,
    /// It did not.
    Failed,
}

/// The service's decision, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// Accepted.
    Success,
    /// Refused.
    Declined,
    /// A person must decide.
    OperatorRequired,
}

impl Decision {
    /// The service's word.
    pub fn word(self) -> &'static str {
        match self {
            Decision::Success => "SUCCESS",
            Decision::Declined => "DECLINED",
            Decision::OperatorRequired => "OPERATOR_REQUIRED",
        }
    }
}

/// Three levels: did it answer, did the analysis finish, what was decided.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Verdict {
    /// Whether an answer came.
    pub transport: Level,
    /// `None`: there was no answer to judge.
    pub technical: Option<Level>,
    /// `None`: there is none, because something before it failed.
    pub decision: Option<Decision>,
    /// Liveness: how sure it is of an attack, 0 to 1. Biometry: the least similarity, 0 to 1.
    pub score: Option<f64>,
    /// The service's id of the folder.
    pub folder_id: Option<String>,
    /// The service's id of the analysis.
    pub analysis_id: Option<String>,
    /// Milliseconds from the request to the answer.
    pub duration_ms: u64,
    /// Why one of the first two levels failed.
    #[serde(skip)]
    pub why: String,
}

impl Verdict {
    /// It did not answer, or not with what can be judged.
    pub fn unanswered(why: impl Into<String>) -> Verdict {
        Verdict {
            transport: Level::Failed,
            technical: None,
            decision: None,
            score: None,
            folder_id: None,
            analysis_id: None,
            duration_ms: 0,
            why: why.into(),
        }
    }

    /// In a line for people.
    pub fn words(&self, asked: Analysis) -> String {
        let Some(decision) = self.decision else {
            return self.why.clone();
        };
        let score = match (asked, self.score) {
            (Analysis::Quality, Some(score)) => format!(", confidence of an attack {score}"),
            (Analysis::Biometry, Some(score)) => format!(", least similarity {score}"),
            (_, None) => String::new(),
        };
        let folder = self.folder_id.as_ref().map_or(String::new(), |id| format!(", folder {id}"));
        format!("{}{score}{folder}", decision.word())
    }
}
