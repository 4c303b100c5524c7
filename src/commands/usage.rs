//! A command line that cannot be parsed.

use std::path::PathBuf;

use clap::CommandFactory;
use tokio::time::Instant;

use super::reports::Reports;
use super::session::began;
use crate::cli::{Cli, Written};
use crate::exit::Exit;
use crate::outcome::{Frame, Outcome, Problem};
use crate::report::{Report, parsed};

/// What it ends in; with `--json` in it, the envelope too, and the reports of a verb that writes them: what they said
/// yesterday is not so today.
pub fn refuse(refused: &clap::Error) -> Exit {
    if !refused.use_stderr() {
        // --help and --version: what is printed is the result.
        return parsed(refused).map_or(Exit::Failed, |()| Exit::Done);
    }
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let command = verb(&arguments).unwrap_or_default();
    let sandbox = arguments.iter().any(|argument| argument == "--sandbox");
    let frame = Frame { command, sandbox, started_at: began(Instant::now()), ..Frame::default() };
    let mut outcome = Outcome::refused(problem(&refused.render().to_string(), command));
    if writes_reports(command) {
        let named = |flag: &str| value(&arguments, flag).map(PathBuf::from);
        let written = Written { junit: named("--junit"), html: named("--html"), summary: named("--summary") };
        Reports::begin(&written, &frame).0.finish(&frame, &mut outcome);
    }
    if arguments.iter().any(|argument| argument == "--json") {
        return Report::new(true, true).result(&frame, &outcome).map_or(Exit::Failed, |()| Exit::Usage);
    }
    let _ = parsed(refused);
    Exit::Usage
}

fn writes_reports(command: &str) -> bool {
    let program = Cli::command();
    let verb = program.find_subcommand(command);
    verb.is_some_and(|verb| verb.get_arguments().any(|one| one.get_long() == Some("junit")))
}

/// The parser's own sentence, and what it advises: its paragraphs before the usage.
fn problem(words: &str, command: &str) -> Problem {
    let mut paragraphs = words.split("\n\n").map(|lines| lines.split_whitespace().collect::<Vec<_>>().join(" "));
    let sentence = paragraphs.next().unwrap_or_default();
    let tips = paragraphs.filter_map(|words| words.strip_prefix("tip: ").map(|tip| format!("{tip}; ")));
    let shown = ["deploy", command, "--help"].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let cure = format!("{}`{shown}` shows what there is.", tips.collect::<String>());
    Problem::new(sentence.trim_start_matches("error: "), cure)
}

/// The value of a flag, however it is written; the last one.
fn value<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
    let after = |(index, argument): (usize, &'a String)| match argument.strip_prefix(flag)? {
        "" => arguments.get(index + 1).map(String::as_str),
        rest => rest.strip_prefix('='),
    };
    let named = arguments.iter().enumerate().filter_map(after).next_back();
    named.filter(|value| !value.is_empty() && !value.starts_with('-'))
}

/// The verb that was typed: the first argument that is neither a flag nor a flag's value.
fn verb(arguments: &[String]) -> Option<&'static str> {
    let program = Cli::command();
    let takes_value = |flag: &str| {
        let known = program.get_arguments().find(|one| one.get_long().is_some_and(|long| flag == format!("--{long}")));
        known.is_some_and(|one| one.get_action().takes_values())
    };
    let mut rest = arguments.iter();
    let typed = loop {
        match rest.next()? {
            flag if flag.starts_with("--") && takes_value(flag) => drop(rest.next()),
            flag if flag.starts_with('-') => {}
            word => break word,
        }
    };
    // Leaked, since the process ends with it.
    let is_typed = |verb: &&clap::Command| verb.get_name() == typed || verb.get_all_aliases().any(|name| name == typed);
    program.get_subcommands().find(is_typed).map(|verb| &*verb.get_name().to_owned().leak())
}

#[cfg(test)]
mod tests {
    use super::{problem, value, verb};

    #[test]
    fn the_verb_is_the_first_word_that_belongs_to_no_flag() {
        let typed = |line: &str| verb(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(typed("--json --sandbox verify --nope"), Some("verify"));
        assert_eq!(typed("--config up plan --nope"), Some("plan"));
        assert_eq!(typed("--config=up -q plan up"), Some("plan"));
        assert_eq!(typed("--json vrify"), None);
        assert_eq!(typed("--json"), None);
        assert_eq!(typed("destroy --nope"), Some("teardown"));
    }

    #[test]
    fn the_parsers_sentence_is_whole_and_its_tips_are_a_cure() {
        let words = "error: these were not provided:\n  --base-url <URL>\n\n  tip: look\n\nUsage: x\n\nFor more";
        let problem = problem(words, "liveness");
        assert_eq!(problem.message, "these were not provided: --base-url <URL>");
        assert_eq!(problem.cure.as_deref(), Some("look; `deploy liveness --help` shows what there is."));
    }

    #[test]
    fn a_value_is_found_however_it_is_written() {
        let found =
            |line: &str| value(&line.split(' ').map(str::to_owned).collect::<Vec<_>>(), "--junit").map(str::to_owned);
        assert_eq!(found("verify --junit a --x").as_deref(), Some("a"));
        assert_eq!(found("verify --junit=a --junit=b").as_deref(), Some("b"));
        assert_eq!(found("verify --junit --html"), None);
        assert_eq!(found("verify --junit"), None);
        assert_eq!(found("verify --junitx a"), None);
    }
}
