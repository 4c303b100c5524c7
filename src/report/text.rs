//! Words for people, readable without colour.

use std::fmt::Write;

use super::colour::{self, painted};
use super::load::load;
use super::stacks::stacks;
use super::{columns, policy, status};
use crate::flags;
use crate::outcome::{
    Action, At, Change, Conformity, Cost, Finding, Frame, Outcome, Problem, Setting, Standing, Status, shown,
};
use crate::text::times::took;

/// How many of the things that go with a resource a plan shows.
const GOING_SHOWN: usize = 20;

/// The result of a command: the plan, what stands, the checks, the outputs. In brief, what passed is only counted where
/// something else did not.
pub fn result(frame: &Frame, outcome: &Outcome, is_brief: bool) -> String {
    let mut text = String::new();
    if outcome.planned {
        text += &plan(&outcome.changes);
    }
    if let Some(overview) = &outcome.overview {
        text += &status::screen(frame, outcome, overview, columns());
        if outcome.listed {
            text += &standing(&outcome.standing, columns());
        }
        return text;
    }
    text += &match outcome.settings.as_slice() {
        [] => checks(&outcome.checks, columns(), is_brief),
        some => settings(some),
    };
    text += &stacks(outcome.stacks.as_deref().unwrap_or_default());
    text += &outcome.load.as_ref().map_or_else(String::new, load);
    let width = outcome.outputs.keys().map(String::len).max().unwrap_or_default();
    for (name, value) in &outcome.outputs {
        let _ = writeln!(text, "{name:width$}  {value}");
    }
    if let Some(known) = &outcome.cost {
        text += &cost(known);
    }
    if let Some(document) = &outcome.document {
        let _ = writeln!(text, "{document:#}");
    }
    text
}

/// The last line; a run that changes something says how long it took.
pub fn summary(frame: &Frame, outcome: &Outcome) -> String {
    let took = took(frame.seconds);
    match outcome.summary.strip_prefix("Done: ") {
        Some(what) => format!("Done in {took}: {what}"),
        None if frame.command == "teardown" && !outcome.changes.is_empty() && !outcome.planned => {
            format!("{} [{took}]", outcome.summary)
        }
        None if frame.command == "verify" && !outcome.checks.is_empty() => format!("{} [{took}]", outcome.summary),
        None => outcome.summary.clone(),
    }
}

/// A problem: one line, then what to do.
pub fn problem(problem: &Problem) -> String {
    let resource = problem.resource.as_ref().map(|resource| format!("{resource}: ")).unwrap_or_default();
    let error = painted(colour::of_error(), "error");
    let mut text = format!("{error}: {resource}{}\n", problem.message);
    text += &problem.at.as_deref().map(excerpt).unwrap_or_default();
    if let Some(cause) = &problem.cause {
        let _ = writeln!(text, "  because: {cause}");
    }
    if let Some(cure) = &problem.cure {
        let _ = writeln!(text, "  hint: {}", cure.replace('\n', "\n        "));
    }
    text
}

/// The line of a file with a caret below the place, as compilers show it.
fn excerpt(at: &At) -> String {
    let number = at.line.to_string();
    let (gutter, column) = (" ".repeat(number.len()), at.column.saturating_sub(1));
    let (before, carets) = (" ".repeat(column), painted(colour::of_error(), &"^".repeat(at.width())));
    format!("  {gutter} |\n  {number} | {}\n  {gutter} | {before}{carets}\n", at.source)
}

/// Problems one below the other. What several of them share is said once, below the last.
pub fn problems(problems: &[Problem]) -> String {
    let shared = |at: usize| {
        let next = problems.get(at + 1);
        next.is_some_and(|next| next.cure == problems[at].cure && next.cause == problems[at].cause)
    };
    let told = problems.iter().enumerate().map(|(at, one)| {
        if shared(at) { problem(&Problem { cause: None, cure: None, ..one.clone() }) } else { problem(one) }
    });
    told.collect()
}

/// A plan, with every field that changes. Empty when there is nothing.
pub fn plan(changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let names = changes.iter().map(|change| change.name.len()).max().unwrap_or_default();
    let resources = changes.iter().map(|change| change.resource.len()).max().unwrap_or_default();
    let mut text = String::new();
    for change in changes {
        let sign = painted(colour::of_action(change.action), &format!("{:>3}", sign(change.action)));
        let (action, name, resource) = (change.action.word(), &change.name, change.resource);
        let _ = writeln!(text, "{sign} {action:7}  {resource:resources$}  {name:names$}  (guide step {})", change.step);
        // What goes with a fleet is one line each: the first say what it is, the document has all.
        let shown_fields = if change.action == Action::Delete { GOING_SHOWN } else { usize::MAX };
        for field in change.fields.iter().take(shown_fields) {
            if let Some(lines) = policy::lines(field) {
                let _ = writeln!(text, "        {}:", field.field);
                lines.iter().for_each(|line| text += &format!("          {line}\n"));
                continue;
            }
            let _ = match change.action {
                Action::Create => writeln!(text, "        {}: {}", field.field, shown(&field.new)),
                _ => writeln!(text, "        {field}"),
            };
        }
        if let Some(more) = change.fields.len().checked_sub(shown_fields).filter(|more| *more > 0) {
            let _ = writeln!(text, "        and {more} more ({} has all)", flags::JSON);
        }
        if let Some(why) = &change.why {
            let _ = writeln!(text, "        {why}");
        }
        for refusal in &change.refused {
            let _ = writeln!(text, "      ! refused: {refusal}");
        }
    }
    let _ = writeln!(text, "\n{}", counts(changes));
    text
}

/// `Plan: 2 to create, 1 to update.`
fn counts(changes: &[Change]) -> String {
    let count = |action: Action| changes.iter().filter(|change| change.action == action).count();
    let actions = [Action::Create, Action::Adopt, Action::Update, Action::Replace, Action::Delete];
    let counted = actions.map(|action| (count(action), action.word())).into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = counted.map(|(count, verb)| format!("{count} to {verb}")).collect();
    let foreign = count(Action::Foreign);
    let foreign = if foreign > 0 { format!(" {foreign} not ours.") } else { String::new() };
    if words.is_empty() { format!("Plan: nothing.{foreign}") } else { format!("Plan: {}.{foreign}", words.join(", ")) }
}

fn sign(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Update | Action::Adopt => "~",
        Action::Replace => "-/+",
        Action::Delete => "-",
        Action::Wait => "...",
        Action::Foreign => "!",
    }
}

/// What the stack costs, or why that is not known.
fn cost(cost: &Cost) -> String {
    let currency = cost.currency.as_deref().unwrap_or_default();
    let (Some(min), Some(max), Some(each), Some(balancer)) =
        (cost.monthly.min, cost.monthly.max, cost.instance, cost.load_balancer)
    else {
        return format!("cost a month: unknown ({})\n", cost.unknown.as_deref().unwrap_or("no price"));
    };
    let at = |amount: f64, instances: Option<i32>| format!("{amount:.2} with {}", instances.unwrap_or_default());
    let now = match cost.monthly.now {
        Some(now) => at(now, cost.instances.now),
        None => "unknown".to_owned(),
    };
    let (min, max) = (at(min, cost.instances.min), at(max, cost.instances.max));
    format!(
        "cost a month in {currency}: {min} instances (least), {max} (most), now {now}\n  \
         {each:.2} an instance with its volume, {balancer:.2} the load balancer\n  not included: {}\n",
        cost.not_included
    )
}

/// The guide's settings: what is as the guide has it in a line, what is not with the reason.
fn settings(settings: &[Setting]) -> String {
    let widest = settings.iter().map(|one| one.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for one in settings {
        let word = painted(colour::of_conformity(one.conformity), &format!("{:8}", one.conformity.word()));
        let (step, setting) = (one.step, one.name);
        let live = one.live.as_deref().unwrap_or("(none)");
        let _ = writeln!(text, "{word} step {step}  {setting:widest$}  {live}");
        if one.conformity != Conformity::Equal {
            let why = one.why.as_deref().unwrap_or_default();
            let _ = writeln!(text, "                  guide: {}; {why}", one.guide);
        }
    }
    text
}

fn standing(standing: &[Standing], width: usize) -> String {
    let names = standing.iter().map(|one| one.name.len()).max().unwrap_or_default();
    let resources = standing.iter().map(|one| one.resource.len()).max().unwrap_or_default();
    let mut text = String::new();
    for one in standing {
        let (state, resource, name, id) = (one.state, one.resource, &one.name, one.id.as_deref().unwrap_or_default());
        let line = format!("{state:8} {resource:resources$}  {name:names$}  {id}");
        if line.trim_end().chars().count() <= width {
            let _ = writeln!(text, "{}", line.trim_end());
        } else {
            // An id stands whole on a line of its own, to be copied.
            let _ = writeln!(text, "{state:8} {resource}\n{:9}{name}", "");
            let _ = if id.is_empty() { Ok(()) } else { writeln!(text, "{:9}{id}", "") };
        }
    }
    text
}

/// How many columns stand before the title of a check.
const STATUS: usize = 16;

/// What passed first, and what failed last, where the eye is.
fn checks(checks: &[Finding], width: usize, is_brief: bool) -> String {
    let passed = checks.iter().filter(|check| check.status == Status::Pass).count();
    let is_counted = is_brief && passed < checks.len();
    let is_shown = |check: &&Finding| !(is_counted && check.status == Status::Pass);
    let titles = checks.iter().filter(is_shown).map(|check| check.name().len()).max().unwrap_or_default();
    let mut sorted: Vec<&Finding> = checks.iter().filter(is_shown).collect();
    sorted.sort_by_key(|check| match check.status {
        Status::Pass => 0,
        Status::Skip => 1,
        Status::Warn => 2,
        Status::Unknown => 3,
        Status::Fail => 4,
    });
    let mut text = String::new();
    if is_counted && passed > 0 {
        let status = painted(colour::of_status(Status::Pass), &format!("{:7}", Status::Pass.word()));
        let _ = writeln!(text, "{status}         {passed} ({} shows them)", flags::VERBOSE);
    }
    for check in sorted {
        let (title, evidence) = (check.name(), &check.evidence);
        let status = painted(colour::of_status(check.status), &format!("{:7}", check.status.word()));
        let step = match check.step {
            0 => String::new(),
            step => format!("step {step}"),
        };
        if STATUS + titles + 2 + evidence.chars().count() <= width {
            let _ = writeln!(text, "{status} {step:6}  {title:titles$}  {evidence}");
        } else {
            let _ = writeln!(text, "{}", format!("{status} {step:6}  {title}").trim_end());
            text += &status::wrapped("", evidence, width);
        }
        for (label, words) in [("because: ", &check.cause), ("fix: ", &check.fix)] {
            text +=
                &words.as_ref().map_or(String::new(), |words| status::wrapped("", &format!("{label}{words}"), width));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_brief_what_passed_is_counted_where_something_else_did_not() {
        let (good, bad) = (Finding::new("a", 1, "targets").pass(""), Finding::new("b", 1, "drift").fail("", "", ""));
        let all = checks(&[good.clone(), bad.clone()], 80, false);
        assert!(all.contains("targets") && all.contains("drift"), "{all}");
        let brief = checks(&[good.clone(), bad], 80, true);
        assert!(
            brief.contains("1 (-v shows them)") && !brief.contains("targets") && brief.contains("drift"),
            "{brief}"
        );
        let good = [good];
        assert_eq!(checks(&good, 80, true), checks(&good, 80, false));
    }
}
