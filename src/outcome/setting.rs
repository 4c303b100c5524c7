//! A setting of the vendor's guide, held against what stands.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Finding, Status};

/// How far a setting is as the guide has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conformity {
    /// It is.
    Equal,
    /// deploy.yaml has it otherwise.
    Chosen,
    /// This program has it otherwise, for a reason.
    Decided,
    /// It is otherwise, and nobody said so.
    Differs,
    /// What has it does not stand.
    Absent,
}

impl Conformity {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Conformity::Equal => "equal",
            Conformity::Chosen => "chosen",
            Conformity::Decided => "decided",
            Conformity::Differs => "differs",
            Conformity::Absent => "absent",
        }
    }
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Setting {
    /// The guide's step.
    pub step: u8,
    /// What is set.
    #[serde(rename = "setting")]
    pub name: &'static str,
    /// What the guide says.
    pub guide: &'static str,
    /// What is; null where there is none.
    pub live: Option<String>,
    /// How far they agree.
    pub conformity: Conformity,
    /// Why they do not.
    pub why: Option<String>,
}

impl Setting {
    /// The same as a finding, for the reports.
    pub fn finding(&self) -> Finding {
        let live = self.live.as_deref().unwrap_or("(none)");
        let (status, evidence) = match self.conformity {
            Conformity::Equal => (Status::Pass, live.to_owned()),
            Conformity::Chosen | Conformity::Decided => (Status::Warn, format!("{live}; the guide has {}", self.guide)),
            Conformity::Differs => (Status::Fail, format!("{live}; the guide has {}", self.guide)),
            Conformity::Absent => (Status::Skip, format!("the guide has {}", self.guide)),
        };
        let finding = Finding::new("guide", self.step, self.name).found(status, evidence);
        match &self.why {
            Some(why) => finding.because(why.clone(), ""),
            None => finding,
        }
    }
}
