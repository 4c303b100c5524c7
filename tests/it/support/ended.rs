//! What a command line ended in. An assertion that fails prints the run as its user would have seen it.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::LazyLock;

use super::permissions::every_action;
use super::program::{Call, Exit, Finding, Outcome, Status, problem_text};

/// What a command line ended in, and the calls it made.
pub struct Ended {
    pub(super) line: String,
    /// Where the test ran it.
    pub(super) place: &'static Location<'static>,
    /// The case of a loop that it belongs to.
    pub(super) note: String,
    pub(super) end: Outcome,
    pub calls: Vec<Call>,
}

impl Deref for Ended {
    type Target = Outcome;

    fn deref(&self) -> &Outcome {
        &self.end
    }
}

impl Ended {
    #[track_caller]
    pub fn exits(&self, exit: Exit) -> &Ended {
        self.demand(self.exit == exit, || format!("it must exit with {} ({exit:?})", exit as u8))
    }

    #[track_caller]
    pub fn succeeds(&self) -> &Ended {
        self.exits(Exit::Done)
    }

    /// In a word, for programs: `rolled_back`.
    #[track_caller]
    pub fn ends_as(&self, outcome: &str) -> &Ended {
        self.demand(self.end.outcome == outcome, || format!("its outcome must be {outcome:?}"))
    }

    #[track_caller]
    pub fn refused_before_any_write(&self) -> &Ended {
        self.exits(Exit::Refused).writes_nothing()
    }

    /// Its problems hold these words, as they are printed.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Ended {
        self.demand(self.problems_text().contains(words), || format!("its problems must say {words:?}"))
    }

    /// Its last line holds these words.
    #[track_caller]
    pub fn sums_up(&self, words: &str) -> &Ended {
        self.demand(self.summary.contains(words), || format!("its summary must say {words:?}"))
    }

    /// It has changed these resources, in this order.
    #[track_caller]
    pub fn changed(&self, resources: &[&str]) -> &Ended {
        let changed: Vec<&str> = self.changes.iter().map(|change| change.resource).collect();
        self.demand(changed == resources, || format!("it must have changed {resources:?}"))
    }

    /// The calls that may change something were these.
    #[track_caller]
    pub fn writes(&self, operations: &[&str]) -> &Ended {
        self.demand(self.written() == operations, || format!("its writes must be {operations:?}"))
    }

    #[track_caller]
    pub fn writes_nothing(&self) -> &Ended {
        self.writes(&[])
    }

    /// Every call that it made is one of those that `deploy iam-policy` allows.
    #[track_caller]
    pub(super) fn needs_no_other_permission(&self) {
        static ALLOWED: LazyLock<BTreeSet<String>> = LazyLock::new(every_action);
        let asked: BTreeSet<&String> = self.calls.iter().flat_map(|call| &call.actions).collect();
        let more: Vec<_> = asked.into_iter().filter(|action| !ALLOWED.contains(*action)).collect();
        self.demand(more.is_empty(), || format!("templates/permissions.yaml does not have {more:?}"));
    }

    /// Among its calls was this one.
    #[track_caller]
    pub fn has_called(&self, operation: &str) -> &Ended {
        let called = self.calls.iter().any(|call| call.operation == operation);
        self.demand(called, || format!("it must call {operation}"))
    }

    #[track_caller]
    pub fn has_not_called(&self, operation: &str) -> &Ended {
        let called = self.calls.iter().any(|call| call.operation == operation);
        self.demand(!called, || format!("it must not call {operation}"))
    }

    /// One of its calls was refused with this code.
    #[track_caller]
    pub fn was_refused(&self, code: &str) -> &Ended {
        let refused = self.calls.iter().any(|call| call.code.as_deref() == Some(code));
        self.demand(refused, || format!("one of its calls must be refused with {code}"))
    }

    /// The operations that it called and that may change something.
    pub fn written(&self) -> Vec<&str> {
        self.calls.iter().filter(|call| call.mutates()).map(|call| call.operation.as_str()).collect()
    }

    /// This check has this result.
    #[track_caller]
    pub fn finds(&self, check: &str, status: Status) -> &Ended {
        let found = self.check(check).status;
        self.demand(found == status, || format!("the check {check} must be {}", status.word()))
    }

    /// The evidence of this check holds these words.
    #[track_caller]
    pub fn sees(&self, check: &str, words: &str) -> &Ended {
        let found = self.check(check).evidence.contains(words);
        self.demand(found, || format!("the evidence of the check {check} must say {words:?}"))
    }

    /// The cause that this check names holds these words.
    #[track_caller]
    pub fn blames(&self, check: &str, words: &str) -> &Ended {
        let found = self.check(check).cause.as_ref().is_some_and(|cause| cause.contains(words));
        self.demand(found, || format!("the cause of the check {check} must say {words:?}"))
    }

    /// The fix that this check names holds these words.
    #[track_caller]
    pub fn advises(&self, check: &str, words: &str) -> &Ended {
        let found = self.check(check).fix.as_ref().is_some_and(|fix| fix.contains(words));
        self.demand(found, || format!("the fix of the check {check} must say {words:?}"))
    }

    /// The evidence of this check, its cause or its fix holds these words.
    #[track_caller]
    pub fn check_says(&self, check: &str, words: &str) -> &Ended {
        let text = check_text(self.check(check));
        self.demand(text.contains(words), || format!("the check {check} must say {words:?}"))
    }

    #[track_caller]
    pub fn every_check_passes(&self) -> &Ended {
        let passes = self.checks.iter().all(|check| check.status == Status::Pass);
        self.demand(passes, || "every check must pass".to_owned())
    }

    #[track_caller]
    pub fn check(&self, id: &str) -> &Finding {
        let found = self.checks.iter().find(|check| check.id == id);
        self.demand(found.is_some(), || format!("there must be a check {id}"));
        found.unwrap()
    }

    /// Anything else that must be true of it, in words.
    #[track_caller]
    pub fn demand(&self, is_so: bool, what: impl FnOnce() -> String) -> &Ended {
        assert!(is_so, "{}\n\n{self}", what());
        self
    }

    pub fn problems_text(&self) -> String {
        self.problems.iter().map(problem_text).collect()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        let note = if self.note.is_empty() { String::new() } else { format!(", {}", self.note) };
        writeln!(into, "deploy {}   (at {}{note})", self.line, self.place)?;
        writeln!(into, "exit {} ({:?}), {:?}: {}", self.exit as u8, self.exit, self.end.outcome, self.summary)?;
        write!(into, "{}", self.problems_text())?;
        for check in &self.checks {
            write!(into, "{}", check_text(check))?;
        }
        for change in &self.changes {
            writeln!(into, "changed: {} {}", change.resource, change.name)?;
        }
        for call in &self.calls {
            let written = if call.mutates() { " (writes)" } else { "" };
            let refused = call.code.as_ref().map(|code| format!(": {code}")).unwrap_or_default();
            writeln!(into, "call: {} {}{written}{refused}", call.service, call.operation)?;
        }
        Ok(())
    }
}

/// A check as it is printed for people, by its id.
fn check_text(check: &Finding) -> String {
    let mut text = format!("{} {}: {}\n", check.status.word(), check.id, check.evidence);
    for (label, words) in [("because", &check.cause), ("fix", &check.fix)] {
        text += &words.as_ref().map(|words| format!("  {label}: {words}\n")).unwrap_or_default();
    }
    text
}
