//! `status` on one screen: is it up, on what, and does it differ.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;

use crate::flags;
use crate::outcome::{Frame, InstanceState, Outcome, Overview, ServiceState, Template, few};
use crate::text::times;

/// How many instances are shown one by one; of more, only those that differ from the others.
const SHOWN: usize = 5;
/// Where the text begins, behind its label.
const INDENT: usize = 10;

/// The screen, in lines of at most `width` columns.
pub fn screen(frame: &Frame, outcome: &Outcome, overview: &Overview, width: usize) -> String {
    let account = if frame.account.is_empty() { "not known" } else { &frame.account };
    let sandbox = if frame.sandbox { "  (the sandbox: nothing of it is real)" } else { "" };
    let place = format!("account {account}  {}{sandbox}", frame.region);
    if outcome.outcome == "absent" {
        return wrapped(&frame.stack, &format!("nothing of it stands in {place}"), width);
    }
    // The sandbox's time is its own.
    let now = (!frame.sandbox).then(Timestamp::now);
    let mut text = wrapped(&frame.stack, &place, width);
    if let Some(service) = &overview.service {
        let endpoint = outcome.outputs.get("endpoint").map_or("", String::as_str);
        let word = if service.up { "up" } else { "down" };
        text += &wrapped(word, format!("{endpoint}  {}", answer(service)).trim(), width);
    }
    if let Some(targets) = &overview.targets {
        text += &wrapped("targets", &format!("{} healthy", targets.words()), width);
    }
    text += &group(overview, now, width);
    if let Some(sizes) = &overview.parked {
        let size = |size: Option<i32>| size.unwrap_or_default();
        let (min, desired, max) = (size(sizes.min), size(sizes.desired), size(sizes.max));
        let words = format!("min {min}, desired {desired}, max {max} when it comes back  (deploy unpark)");
        text += &wrapped("parked", &words, width);
    }
    if let Some(time) = &overview.expires {
        text += &wrapped("expires", &format!("{time}  (deploy touch)"), width);
    }
    let rollout = match &overview.rollout {
        Some(rollout) => {
            let version = rollout.version.as_ref().map_or(String::new(), |version| format!(" to version {version}"));
            let since = age(rollout.started_at.as_deref(), now).map_or(String::new(), |age| format!("  {age}"));
            format!("{}{version}, {} %, {} to go{since}", rollout.status, rollout.percent, rollout.to_update)
        }
        None => "none".to_owned(),
    };
    text += &wrapped("rollout", &rollout, width);
    if let Some(drift) = &overview.drift {
        let words = match drift.resources.as_slice() {
            [] => format!("none of {} resources differs", drift.of),
            some => format!("{} of {} differ: {}  (deploy plan)", some.len(), drift.of, few(some, ", ")),
        };
        text += &wrapped("drift", &words, width);
    }
    text
}

/// The state in a line, for who follows it: equal lines mean that nothing changed.
pub fn line(overview: &Overview) -> String {
    let up = match &overview.service {
        Some(service) if service.up => "up",
        Some(_) => "down",
        None => "nothing answers yet",
    };
    let targets = overview.targets.as_ref().map(|targets| format!("targets {} healthy", targets.words()));
    let group =
        overview.instances.as_ref().map(|instances| states(instances, |one| from(one, overview.template.as_ref())));
    let version = version(overview).map(|version| format!("version {version}"));
    let rollout = overview.rollout.as_ref().map(|rollout| format!("rollout {} {} %", rollout.status, rollout.percent));
    let drift = Some(overview.differing()).filter(|count| *count > 0).map(|count| format!("{count} differ"));
    let parts = [targets, group, version, rollout, drift].into_iter().flatten();
    std::iter::once(up.to_owned()).chain(parts).collect::<Vec<_>>().join(", ")
}

fn answer(service: &ServiceState) -> String {
    match (&service.answer, service.duration_ms, &service.why) {
        (Some(answer), Some(took), _) => {
            let version = answer.get("version").and_then(|version| version.as_str()).map(str::to_owned);
            format!("answers {} in {took} ms", version.unwrap_or_else(|| answer.to_string()))
        }
        (_, _, Some(why)) if service.asked => why.clone(),
        (_, _, Some(why)) => format!("(not asked from here: {why})"),
        _ => String::new(),
    }
}

fn version(overview: &Overview) -> Option<&str> {
    overview.template.as_ref()?.version.as_deref()
}

/// The sizes, what is launched, and the instances: each of a few; of many how many are in which state, and those that
/// differ.
fn group(overview: &Overview, now: Option<Timestamp>, width: usize) -> String {
    let (Some(capacity), instances) = (&overview.capacity, overview.instances.as_deref().unwrap_or_default()) else {
        return String::new();
    };
    let size = |size: Option<i32>| size.map_or_else(|| "?".to_owned(), |size| size.to_string());
    let (min, desired, max) = (size(capacity.min), size(capacity.desired), size(capacity.max));
    let running = instances.iter().filter(|one| one.state.as_deref() == Some("InService")).count();
    let mut text = wrapped("group", &format!("{running} in service  (min {min}, desired {desired}, max {max})"), width);
    if let Some(template) = &overview.template {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
        let (version, kind, image) = (part(&template.version), part(&template.instance_type), part(&template.image));
        let since = template.created_at.as_deref().map_or(String::new(), |at| {
            format!("  since {}{}", at.split(['.', 'Z']).next().unwrap_or(at).replace('T', " "), " UTC")
        });
        text += &wrapped("", &format!("version {version}: {kind}, {image}{since}"), width);
    }
    let template = overview.template.as_ref();
    let wanted = version(overview);
    let usual = |one: &&InstanceState| {
        let is_new = wanted.is_none_or(|wanted| wanted.starts_with('$') || one.version.as_deref() == Some(wanted));
        let is_of_template = template.is_none_or(|template| one.template == template.id);
        let serves = one.health.as_deref() == Some("healthy") && one.state.as_deref() == Some("InService");
        serves && is_new && is_of_template
    };
    let from = |one: &InstanceState| from(one, template);
    if instances.len() <= SHOWN {
        return text + &rows(instances.iter(), from, now, width);
    }
    text += &wrapped("", &states(instances, from), width);
    let odd: Vec<&InstanceState> = instances.iter().filter(|one| !usual(one)).collect();
    text += &rows(odd.iter().take(SHOWN).copied(), from, now, width);
    if let Some(more) = odd.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text += &wrapped("", &format!("and {more} more that differ ({} has all)", flags::JSON), width);
    }
    text
}

/// `version 2`; `other template`, where the number is none of the template that the group launches; empty: from none.
fn from(one: &InstanceState, template: Option<&Template>) -> String {
    let is_other = one.template.is_some() && template.is_some_and(|template| template.id != one.template);
    match &one.version {
        Some(_) if is_other => "other template".to_owned(),
        Some(version) => format!("version {version}"),
        None => String::new(),
    }
}

/// `89 healthy on version 2, 2 draining on version 1`
fn states(instances: &[InstanceState], from: impl Fn(&InstanceState) -> String) -> String {
    let mut counts: BTreeMap<(bool, String), usize> = BTreeMap::new();
    for one in instances {
        let from = from(one);
        let on = if from.is_empty() { from } else { format!(" on {from}") };
        let healthy = one.health.as_deref() == Some("healthy");
        *counts.entry((!healthy, format!("{}{on}", health(one)))).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|((_, words), count)| format!("{count} {words}")).collect();
    if words.is_empty() { "no instances".to_owned() } else { words.join(", ") }
}

/// The target's health where it is one; what Auto Scaling says of it where that is no longer, or not yet, in service.
fn health(one: &InstanceState) -> &str {
    let state = one.state.as_deref().filter(|state| *state != "InService");
    state.or(one.health.as_deref()).unwrap_or("no target")
}

fn rows<'a>(
    instances: impl Iterator<Item = &'a InstanceState> + Clone,
    from: impl Fn(&InstanceState) -> String,
    now: Option<Timestamp>,
    width: usize,
) -> String {
    let cells = |one: &InstanceState| {
        let version = from(one);
        let age = age(one.launched_at.as_deref(), now).unwrap_or_default();
        [one.id.clone(), one.zone.clone().unwrap_or_default(), health(one).to_owned(), version, age]
    };
    let widths = instances.clone().map(cells).fold([0; 5], |mut widths, cells| {
        widths.iter_mut().zip(&cells).for_each(|(width, cell)| *width = (*width).max(cell.len()));
        widths
    });
    // The zone is what a narrow screen can do without.
    let is_narrow = INDENT + widths.iter().sum::<usize>() + 8 > width;
    let mut text = String::new();
    for one in instances {
        let cells = cells(one);
        let cells = cells.iter().zip(widths).enumerate().filter(|(column, _)| !(is_narrow && *column == 1));
        let row: Vec<String> = cells.map(|(_, (cell, width))| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{:INDENT$}{}", "", row.join("  ").trim_end());
    }
    text
}

/// `2h`, `3d`: how long ago that was.
fn age(at: Option<&str>, now: Option<Timestamp>) -> Option<String> {
    let at: Timestamp = at?.parse().ok()?;
    Some(times::age(now?.as_second() - at.as_second()))
}

/// A label and its text; what does not fit goes on below the text's beginning. A word is never cut.
pub fn wrapped(label: &str, words: &str, width: usize) -> String {
    let mut text = format!("{label:<INDENT$}");
    if label.len() >= INDENT {
        text += "  ";
    }
    let (mut column, mut is_first) = (text.len(), true);
    // Two blanks separate what belongs to different things, and stay.
    for part in words.split(' ') {
        let length = part.chars().count();
        if !is_first && !part.is_empty() && column + 1 + length > width {
            text.truncate(text.trim_end().len());
            text += &format!("\n{:INDENT$}", "");
            (column, is_first) = (INDENT, true);
        }
        if !is_first {
            text.push(' ');
            column += 1;
        }
        text += part;
        column += length;
        is_first = false;
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn a_line_fits_and_no_word_is_cut() {
        let words = "https://app.example.com  answers 2.1.0 in 34 ms";
        assert_eq!(wrapped("up", words, 80), "up        https://app.example.com  answers 2.1.0 in 34 ms\n");
        assert_eq!(wrapped("up", words, 50), "up        https://app.example.com  answers 2.1.0\n          in 34 ms\n");
        assert_eq!(wrapped("oz-liveness", "eu", 80), "oz-liveness  eu\n");
    }
}
