//! What an account leaves open: asked at a terminal; elsewhere everything at once, each with the flag that decides.

use crate::clock::{Ended, Wait};
use crate::commands::{Session, terminal};
use crate::outcome::{Failed, Outcome, Problem};

/// One of several.
pub struct Question {
    /// What is chosen: `the VPC`.
    pub what: String,
    /// The flag that decides.
    pub flag: &'static str,
    /// Its values, and what each is. Never empty.
    pub candidates: Vec<(String, String)>,
    /// Which of them is taken when nothing is typed.
    pub default: usize,
    /// Whether that is the only one that fits: then it is taken where nobody can be asked.
    pub is_clear: bool,
}

/// Who answers.
pub struct Asker<'a> {
    session: &'a Session<'a>,
    wait: Wait<'a>,
    /// What nobody was there to answer, and flags that name what is not there.
    pub problems: Vec<Problem>,
}

impl<'a> Asker<'a> {
    /// A person, if one is there.
    pub fn new(session: &'a Session<'a>, wait: Wait<'a>) -> Asker<'a> {
        Asker { session, wait, problems: Vec::new() }
    }

    /// The value of one of the candidates; the default's where nobody answers, which is a problem.
    ///
    /// # Errors
    /// A signal, or the end of the input.
    pub async fn choose(&mut self, question: Question) -> Result<String, Failed> {
        let Question { what, flag, candidates, default, is_clear } = &question;
        if !terminal::is_there() && *is_clear {
            let (value, words) = &candidates[*default];
            self.session
                .report
                .note(&format!("{what} is {value}, the only one that fits ({words}); {flag} names another"));
            return Ok(value.clone());
        }
        if !terminal::is_there() {
            let words: Vec<String> = candidates.iter().map(|(value, words)| format!("{value} ({words})")).collect();
            let problem = format!("{} could be {what}: {}", candidates.len(), words.join("; "));
            self.problems.push(Problem::new(problem, format!("{flag} decides; at a terminal you are asked.")));
            return Ok(candidates[*default].0.clone());
        }
        let width = candidates.iter().map(|(value, _)| value.chars().count()).max().unwrap_or_default();
        let mut shown = format!("\nWhich is {what}? ({flag} decides without a question)\n");
        for (at, (value, words)) in candidates.iter().enumerate() {
            shown += &format!("  {:>2}  {value:width$}  {words}\n", at + 1);
        }
        let prompt = format!("1 to {}, nothing for {}: ", candidates.len(), default + 1);
        self.session.report.ask(&format!("{shown}{prompt}"));
        loop {
            let ended = |ended: Ended| Outcome::ended(ended, NOTHING);
            let Some(line) = self.wait.within(terminal::line()).await.map_err(ended)? else {
                return Err(Outcome::preflight(format!("\nThe input ended; {NOTHING}.")).into());
            };
            if let Some(value) = question.answered(line.trim()) {
                return Ok(value);
            }
            self.session.report.ask(&format!("That is none of them. {prompt}"));
        }
    }
}

/// How a question ends that nobody answers.
const NOTHING: &str = "nothing was written";

impl Question {
    /// By its number or as itself.
    fn answered(&self, typed: &str) -> Option<String> {
        let at = match typed.parse::<usize>() {
            _ if typed.is_empty() => Some(self.default),
            Ok(number) => number.checked_sub(1),
            Err(_) => self.candidates.iter().position(|(value, _)| value == typed),
        };
        self.candidates.get(at?).map(|(value, _)| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::Question;

    #[test]
    fn an_answer_is_a_number_a_value_or_nothing() {
        let candidates = ["a", "b"].map(|value| (value.to_owned(), String::new())).to_vec();
        let question = Question { what: "it".to_owned(), flag: "--it", candidates, default: 1, is_clear: false };
        for (typed, chosen) in [
            ("", Some("b")),
            ("1", Some("a")),
            ("2", Some("b")),
            ("a", Some("a")),
            ("0", None),
            ("3", None),
            ("c", None),
        ] {
            assert_eq!(question.answered(typed).as_deref(), chosen, "{typed:?}");
        }
    }
}
