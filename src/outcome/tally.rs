//! How many checks ended how, in a line.

use super::{Finding, Status};

/// `4 failed, 1 warning, 4 skipped, 5 passed`
pub fn tally(checks: &[Finding]) -> String {
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let warnings = if count(Status::Warn) == 1 { "warning" } else { "warnings" };
    let counted = [
        (count(Status::Fail), "failed"),
        (count(Status::Unknown), "not known"),
        (count(Status::Warn), warnings),
        (count(Status::Skip), "skipped"),
        (count(Status::Pass), "passed"),
    ];
    let counted = counted.iter().filter(|(count, _)| *count > 0);
    counted.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}
