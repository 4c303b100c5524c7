//! A command line that cannot be parsed.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::outcome::{Frame, Outcome, Problem};
use crate::report::Report;

/// What it ends in; with `--json` in it, the envelope too.
pub fn refuse(refused: &clap::Error) -> Exit {
    let printed = refused.print();
    if !refused.use_stderr() {
        // --help and --version: what is printed is the result, of which a reader may have enough.
        let is_lost = printed.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe);
        return if is_lost { Exit::Failed } else { Exit::Done };
    }
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    if arguments.iter().any(|argument| argument == "--json") {
        let words = refused.render().to_string();
        let first = words.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let command = verb(&arguments).unwrap_or_default();
        let cure = if command.is_empty() {
            "`deploy --help` shows what there is.".to_owned()
        } else {
            format!("`deploy {command} --help` shows what there is.")
        };
        let outcome = Outcome::refused(Problem::new(first, cure));
        let frame = Frame { command, ..Frame::default() };
        if Report::new(true, true).result(&frame, &outcome).is_err() {
            return Exit::Failed;
        }
    }
    Exit::Usage
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
    program.get_subcommands().find(|verb| verb.get_name() == typed).map(|verb| &*verb.get_name().to_owned().leak())
}

#[cfg(test)]
mod tests {
    use super::verb;

    #[test]
    fn the_verb_is_the_first_word_that_belongs_to_no_flag() {
        let typed = |line: &str| verb(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(typed("--json --sandbox verify --nope"), Some("verify"));
        assert_eq!(typed("--config up plan --nope"), Some("plan"));
        assert_eq!(typed("--config=up -q plan up"), Some("plan"));
        assert_eq!(typed("--json vrify"), None);
        assert_eq!(typed("--json"), None);
    }
}
