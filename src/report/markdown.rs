//! What was done and found as Markdown, for the page of a pipeline's job.

use std::fmt::Write;

use super::text::plan;
use crate::outcome::{Finding, Frame, Outcome, Problem, Status, tally};
use crate::text::times::took;

/// A heading with the end in a word, the facts, what is wrong, what was changed and what was found: failures first.
pub fn markdown(frame: &Frame, outcome: &Outcome) -> String {
    let mark = if outcome.exit as u8 == 0 { "✅" } else { "❌" };
    let stack = if frame.stack.is_empty() { String::new() } else { format!(" {}", plain(&frame.stack)) };
    let mut text = format!("### {mark} deploy {}{stack}: {}\n\n", frame.command, outcome.outcome.replace('_', " "));
    if !outcome.summary.is_empty() {
        let _ = writeln!(text, "{}\n", plain(&outcome.summary));
    }
    let _ = writeln!(text, "{}\n", facts(frame, outcome));
    for problem in &outcome.problems {
        text += &item(problem);
    }
    if !outcome.problems.is_empty() {
        text.push('\n');
    }
    if !outcome.changes.is_empty() {
        let title = if outcome.planned { "What would be done" } else { "What was done" };
        let changes = anstream::adapter::strip_str(&plan(&outcome.changes)).to_string();
        // A line that begins with its sign is coloured.
        let lines: Vec<&str> = changes.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
        let _ =
            writeln!(text, "<details><summary>{title}</summary>\n\n~~~~diff\n{}\n~~~~\n</details>\n", lines.join("\n"));
    }
    text += &checks(&outcome.checks);
    for (name, value) in &outcome.outputs {
        let _ = writeln!(text, "- {}: {}", plain(name), plain(value));
    }
    text.push('\n');
    text
}

fn facts(frame: &Frame, outcome: &Outcome) -> String {
    let account = [&frame.account, &frame.caller].map(|word| plain(word)).join(" ");
    let sandbox = if frame.sandbox { "the sandbox: nothing of it is real" } else { "" };
    let facts = [
        sandbox.to_owned(),
        account.trim().to_owned(),
        frame.region.clone(),
        frame.started_at.clone(),
        took(frame.seconds),
        plain(&frame.host),
        format!("exit code {}", outcome.exit as u8),
        format!("deploy {}", env!("CARGO_PKG_VERSION")),
    ];
    facts.into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn item(problem: &Problem) -> String {
    let of = problem.resource.as_ref().map(|of| format!("**{}**: ", plain(of))).unwrap_or_default();
    let (cause, cure) = (below("Because", problem.cause.as_deref()), below("Fix", problem.cure.as_deref()));
    format!("- {of}{}{cause}{cure}\n", plain(&problem.message))
}

fn checks(checks: &[Finding]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let is_good = |check: &&Finding| matches!(check.status, Status::Pass | Status::Skip);
    let (good, odd): (Vec<&Finding>, Vec<&Finding>) = checks.iter().partition(is_good);
    let mut text = format!("{}\n\n", tally(checks));
    let table = |rows: &[&Finding]| {
        let rows: String = rows.iter().map(|check| row(check)).collect();
        format!("| | check | seen |\n|---|---|---|\n{rows}")
    };
    if !odd.is_empty() {
        let _ = writeln!(text, "{}", table(&odd));
    }
    if !good.is_empty() {
        let _ = writeln!(text, "<details><summary>The others</summary>\n\n{}</details>\n", table(&good));
    }
    text
}

fn row(check: &Finding) -> String {
    let (cause, fix) = (below("because", check.cause.as_deref()), below("fix", check.fix.as_deref()));
    let seen = format!("{}{cause}{fix}", plain(&check.evidence));
    format!("| {} | {} | {seen} |\n", check.status.word(), plain(&check.name()))
}

/// Words on a line of their own, where there are any.
fn below(label: &str, words: Option<&str>) -> String {
    words.map(|words| format!("<br>{label}: {}", plain(words))).unwrap_or_default()
}

/// Words that mean nothing to Markdown, in one line: of its marks only code stays.
fn plain(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for mark in words.chars() {
        match mark {
            '&' => text += "&amp;",
            '<' => text += "&lt;",
            '>' => text += "&gt;",
            '|' | '*' | '_' | '[' | ']' | '#' | '~' | '\\' => text.extend(['\\', mark]),
            mark if mark.is_control() => text.push(' '),
            mark => text.push(mark),
        }
    }
    text
}
