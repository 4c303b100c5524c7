//! What AWS's errors mean for this stack: cause, guide step and cure, from the one table `templates/errors.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Error;
use crate::outcome::Problem;

/// One row of the table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Row {
    /// The error's code is one of these.
    pub code: Vec<String>,
    /// The operation is one of these.
    pub operation: Vec<String>,
    /// The message has one of these parts.
    pub says: Vec<String>,
    /// Or the text has one of these parts: any error's message, or what a scaling activity says.
    pub words: Vec<String>,
    /// Why AWS answers so.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// The guide's step; `None`: that of the resource.
    pub step: Option<u8>,
    /// In a scaling activity: it does not pass by itself.
    pub lasts: bool,
    /// In a scaling activity: it passes by itself, also when it happens in every zone.
    pub passes: bool,
}

impl Row {
    fn fits(&self, error: &Error) -> bool {
        let one_of = |list: &[String], is: &dyn Fn(&String) -> bool| list.is_empty() || list.iter().any(is);
        let by_code = !self.code.is_empty()
            && self.code.iter().any(|code| code == error.code())
            && one_of(&self.operation, &|operation| operation == error.operation())
            && one_of(&self.says, &|part| error.message().contains(part.as_str()));
        by_code || self.said(error.message())
    }

    /// What to do about this error.
    pub fn fix_of(&self, error: &Error) -> String {
        self.fix.replace("{action}", &error.action())
    }

    fn said(&self, text: &str) -> bool {
        self.words.iter().any(|word| text.contains(word.as_str()))
    }
}

/// The table.
pub fn table() -> &'static [Row] {
    static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
        serde_yaml::from_str(include_str!("../../templates/errors.yaml")).expect("the bundled table is whole")
    });
    &TABLE
}

impl From<&Error> for Problem {
    /// What AWS answered, whole, with what is known about it.
    fn from(error: &Error) -> Problem {
        let row = explain(error);
        Problem {
            message: error.to_string(),
            cause: row.map(|row| match row.step {
                Some(step) => format!("{} (guide step {step})", row.cause),
                None => row.cause.clone(),
            }),
            cure: row.map(|row| row.fix_of(error)),
            ..Problem::default()
        }
    }
}

/// The row of an error; `None`: it is not known, and is shown as it came.
pub fn explain(error: &Error) -> Option<&'static Row> {
    table().iter().find(|row| row.fits(error))
}

/// The row of what a scaling activity or a state's reason says.
pub fn explain_words(text: &str) -> Option<&'static Row> {
    table().iter().find(|row| row.said(text))
}
