//! The command as it is parsed and shown: headings, examples, and what other tools' users type.

use clap::builder::UnknownArgumentValueParser;
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use super::{Cli, EXAMPLES, Verb};
use crate::exit::Exit;

/// Global flags that mean nothing for a verb: accepted there, and not shown.
const NOT_SHOWN: &[(&str, &[&str])] = &[
    ("sandbox", &["config", "set", "profile", "region", "sandbox"]),
    ("liveness", &["config", "set", "profile", "region"]),
    ("biometry", &["config", "set", "profile", "region"]),
    ("iam-policy", &["profile"]),
    ("schema", ALL_BUT_JSON),
    ("explain", &["profile", "region", "sandbox", "sandbox_world", "quiet", "verbose", "trace", "progress"]),
    ("completions", ALL_BUT_JSON),
    ("man", ALL_BUT_JSON),
    ("version", ALL_BUT_JSON),
];

const ALL_BUT_JSON: &[&str] =
    &["config", "set", "profile", "region", "sandbox", "sandbox_world", "quiet", "verbose", "trace", "progress"];

/// The command line, whole.
pub fn command() -> Command {
    let mut command = Cli::command();
    let globals: Vec<Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    for (verb, hidden) in NOT_SHOWN {
        let hidden = globals.iter().filter(|arg| hidden.contains(&arg.get_id().as_str()));
        // A verb that has an argument of this name already keeps it.
        command = command.mut_subcommand(verb, |verb| verb.args(hidden.map(|arg| arg.clone().hide(true))));
    }
    // Terraform's users type it, and `up` has nothing to agree to.
    let never_asks = UnknownArgumentValueParser::suggest("`up` never asks; leave it out");
    let agreed = Arg::new("yes").long("yes").visible_alias("auto-approve").short('y').hide(true);
    let agreed = agreed.action(ArgAction::SetTrue).value_parser(never_asks);
    command = command.mut_subcommand("up", |up| up.arg(agreed));
    for (verb, _) in EXAMPLES {
        command = with_examples(command, &verb.split(' ').collect::<Vec<_>>(), &examples(verb));
    }
    let codes = Exit::ALL.map(|exit| format!("  {:>3}  {}", exit as u8, exit.meaning())).join("\n");
    command.after_long_help(format!("{}\n\nExit codes:\n{codes}", examples("")))
}

fn with_examples(command: Command, verb: &[&str], text: &str) -> Command {
    match verb {
        [] | [""] => command.after_help(text.to_owned()),
        [first, rest @ ..] => command.mut_subcommand(first, |one| with_examples(one, rest, text)),
    }
}

/// The examples of a verb, one a line.
fn examples(verb: &str) -> String {
    let (_, rows) = EXAMPLES.iter().find(|(of, _)| *of == verb).copied().unwrap_or_default();
    let width = rows.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
    let rows: Vec<String> = rows.iter().map(|(line, what)| format!("  {line:width$}  # {what}")).collect();
    format!("Examples:\n{}", rows.join("\n"))
}

impl Cli {
    /// The process's own command line.
    ///
    /// # Errors
    /// It cannot be parsed, or asks for help.
    pub fn read() -> Result<Cli, clap::Error> {
        let mut cli = Cli::from_arg_matches(&command().try_get_matches()?)?;
        let planned = match &cli.verb {
            Verb::Up(up) if up.dry_run => Some(up.planned()),
            _ => None,
        };
        cli.verb = planned.map(Verb::Plan).unwrap_or(cli.verb);
        Ok(cli)
    }
}
