//! What was done and found as JUnit XML, as CI systems read it.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::outcome::{Change, Finding, Frame, Outcome, Status};

/// One suite a command, one case a change and a check; a change that was only planned is a skipped case. What went
/// wrong beside them is a case too: a run that failed never yields a file that is all green.
pub fn junit(frame: &Frame, outcome: &Outcome) -> String {
    // Two stacks in one pipeline are two suites, with cases of their own.
    let parts = ["deploy", frame.command, &frame.stack, &frame.region];
    let suite = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    let mut cases = TestSuite::new(suite.clone());
    let told =
        [("account", &frame.account), ("caller", &frame.caller), ("region", &frame.region), ("stack", &frame.stack)];
    for (name, value) in told.into_iter().filter(|(_, value)| !value.is_empty()) {
        cases.add_property((name, value.as_str()));
    }
    for (name, value) in [("timestamp", &frame.started_at), ("hostname", &frame.host)] {
        if !value.is_empty() {
            cases.extra.insert(name.into(), value.as_str().into());
        }
    }
    cases.add_test_cases(outcome.changes.iter().map(|one| change(&suite, one, (frame, outcome.planned))));
    let mut names = BTreeMap::new();
    for check in &outcome.checks {
        let mut case = case(&suite, check);
        let times = names.entry(check.name()).and_modify(|times| *times += 1).or_insert(1);
        if *times > 1 {
            case.name = format!("{} ({times})", check.name()).into();
        }
        cases.add_test_case(case);
    }
    for (number, problem) in outcome.problems.iter().enumerate() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("problem").set_message(problem.message.clone());
        let words = [&problem.cause, &problem.cure].map(|words| words.as_deref().unwrap_or_default());
        status.set_description(words.join("\n"));
        // Unique: CI systems take cases of one name for one case.
        let name = problem.resource.as_deref().unwrap_or("problem");
        let name = format!("{name} ({})", number + 1);
        let mut case = TestCase::new(name, status);
        case.set_classname(suite.clone());
        cases.add_test_case(case);
    }
    let bad = |check: &Finding| matches!(check.status, Status::Fail | Status::Unknown);
    if outcome.exit as u8 != 0 && outcome.problems.is_empty() && !outcome.checks.iter().any(bad) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("outcome").set_message(outcome.summary.clone());
        let mut case = TestCase::new("run", status);
        case.set_classname(suite.clone());
        cases.add_test_case(case);
    }
    cases.set_time(Duration::from_secs_f64(frame.seconds.max(0.0)));
    let mut report = Report::new("deploy");
    report.add_test_suite(cases);
    report.to_string().unwrap_or_default()
}

fn change(suite: &str, change: &Change, (frame, is_planned): (&Frame, bool)) -> TestCase {
    let words: Vec<String> = change.fields.iter().map(ToString::to_string).chain(change.why.clone()).collect();
    let mut status = if is_planned { TestCaseStatus::skipped() } else { TestCaseStatus::success() };
    if is_planned {
        status.set_message(format!("{}: planned, not done", change.action.word())).set_description(words.join("\n"));
    }
    let mut case = TestCase::new(format!("{} {} {}", change.action.word(), change.resource, change.name), status);
    case.set_classname(format!("{suite}.{}", change.resource));
    let step = frame.steps.iter().rfind(|step| step.resource == change.resource).filter(|_| !is_planned);
    case.set_time(Duration::from_millis(step.map_or(0, |step| step.duration_ms)));
    if !is_planned {
        case.set_system_out(words.join("\n"));
    }
    case
}

fn case(suite: &str, check: &Finding) -> TestCase {
    let words = words(check);
    let mut status = match check.status {
        Status::Pass | Status::Warn => TestCaseStatus::success(),
        Status::Skip => TestCaseStatus::skipped(),
        Status::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::Unknown => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if !matches!(check.status, Status::Pass | Status::Warn) {
        status
            .set_type(check.code.unwrap_or(check.id))
            .set_message(check.evidence.clone())
            .set_description(words.clone());
    }
    let mut case = TestCase::new(check.name(), status);
    case.set_classname(format!("{suite}.{}", check.id));
    case.set_time(Duration::from_millis(check.duration_ms));
    if matches!(check.status, Status::Pass | Status::Warn) {
        case.set_system_out(words);
    }
    case
}

fn words(check: &Finding) -> String {
    let because = check.cause.as_ref().map(|cause| format!("\nbecause: {cause}")).unwrap_or_default();
    let fix = check.fix.as_ref().map(|fix| format!("\nfix: {fix}")).unwrap_or_default();
    format!("{}{because}{fix}", check.evidence)
}
