//! README is carried out: its shell blocks are run in the sandbox from top to bottom, the output that it shows is what
//! is printed, and every command that it names is one of the command line.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use clap::error::ErrorKind;
use regex_lite::Regex;

use crate::support::{CODES, Home, Run, USUAL, command, configuration};

const README: &str = include_str!("../../README.md");

/// Blocks that begin with these need what the tests do not have: Docker, a build of a quarter of an hour.
const NOT_RUN: [&str; 2] = ["cargo install --path . --locked ", "docker build --tag deploy .\n"];

/// What stands between a fence of this language and its end, and between the fences what else there is.
struct Block<'a> {
    language: &'a str,
    text: String,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let (mut found, mut open): (Vec<Block<'_>>, bool) = (Vec::new(), false);
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            open = !open;
            if open {
                found.push(Block { language, text: String::new() });
            }
        } else if let Some(block) = found.last_mut().filter(|_| open) {
            block.text += &format!("{line}\n");
        }
    }
    found
}

/// A home where `deploy` is the program; of itself it works in the sandbox, with deploy.yaml once that is there.
fn home() -> Home {
    let home = Home::new();
    fs::create_dir(home.path("bin")).unwrap();
    let choose = "case \"$*\" in\n*sandbox*) ;;\n*--config*) set -- --sandbox \"$@\" ;;\n*) set -- --sandbox \"$@\"\n  \
                  if [ -f deploy.yaml ]; then set -- --config deploy.yaml \"$@\"; fi ;;\nesac";
    let program = env!("CARGO_BIN_EXE_deploy");
    home.write("bin/deploy", format!("#!/bin/sh\n{choose}\nexec '{program}' \"$@\"\n"));
    fs::set_permissions(home.path("bin/deploy"), fs::Permissions::from_mode(0o755)).unwrap();
    let stage = configuration().replace("record: app", "record: stage");
    home.write("stage.yaml", format!("stack: stage\nnames: {{ prefix: stage- }}\n{stage}"));
    home
}

fn bash(home: &Home, script: &str) -> Run {
    let mut command = Command::new("bash");
    command.args(["-e", "-c", &format!("exec 2>&1\n{script}")]).current_dir(home.path("."));
    let path = format!("{}:{}", home.path("bin").display(), std::env::var("PATH").unwrap());
    Run::of(command.env("PATH", path).env("DEPLOY_SANDBOX_WORLD", home.path("world.json")))
}

/// The text with one word for every time and one for every id that a run chooses.
fn without_times_and_ids(text: &str) -> String {
    let words = [(r"\d+\.\d+s", "TIME"), (r"in \d+ ms", "in TIME"), (r"since \S+ \S+ UTC", "since TIME")];
    let ids = [(r"\bi-[0-9a-f]+", "i-ID"), (r"app-alb-\d+", "app-alb-ID")];
    let all = words.into_iter().chain(ids);
    all.fold(text.to_owned(), |text, (pattern, word)| {
        Regex::new(pattern).unwrap().replace_all(&text, word).into_owned()
    })
}

/// Whether this is the output, where a line `…` stands for any number of lines.
fn shows(shown: &str, output: &str) -> bool {
    let (shown, output) = (without_times_and_ids(shown), without_times_and_ids(output));
    let mut parts = shown.split("…\n");
    let Some(mut rest) = parts.next().and_then(|first| output.strip_prefix(first)) else { return false };
    let mut is_whole = rest.is_empty();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        is_whole = part.is_empty() || rest.is_empty();
    }
    is_whole
}

#[test]
fn what_is_left_out_may_be_anything_and_nothing_else() {
    assert!(shows("a\n…\nb\n", "a\nx\nb\n") && shows("a 1.5s\n", "a 0.3s\n") && shows("a\n…\n", "a\nb\n"));
    assert!(!shows("a\n", "a\nb\n") && !shows("a\n…\nc\n", "a\nb\n") && !shows("a\n…\nb\n", "a\nb\nc\n"));
    assert!(!shows("a\n…\n", "b\n"));
}

#[test]
fn every_shell_block_works_and_prints_what_is_shown() {
    let (home, mut ran, mut compared, mut last) = (home(), 0, 0, None);
    for block in blocks(README) {
        match block.language {
            "sh" if NOT_RUN.iter().any(|start| block.text.starts_with(start)) => {}
            "sh" => {
                let run = bash(&home, &block.text);
                run.exits(0);
                ran += 1;
                last = Some(run);
            }
            "text" => {
                let run: &Run = last.as_ref().expect("an output stands after what prints it");
                run.demand(shows(&block.text, &run.stdout()), || format!("README shows\n{}", block.text));
                compared += 1;
            }
            other => assert!(["yaml", "json"].contains(&other), "what is a block of {other:?}?"),
        }
    }
    assert!((9..30).contains(&ran) && compared == 2, "{ran} blocks were run, {compared} outputs compared");
}

/// Every `deploy …` between backticks, and in shell blocks that are not run, is understood by the command line.
#[test]
fn every_command_that_is_named_is_one() {
    let inline = README.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let shell = blocks(README).into_iter().filter(|block| block.language == "sh");
    let shell: Vec<String> =
        shell.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut tried = 0;
    for line in inline.map(str::to_owned).chain(shell) {
        // What follows is the shell's.
        let own = line.split([';', '>', '#']).next().unwrap().split(" || ").next().unwrap();
        let Some(words) = own.trim().strip_prefix("deploy ") else { continue };
        let words: Vec<&str> = words.split_whitespace().filter(|word| *word != "…").collect();
        let parsed = command().try_get_matches_from(std::iter::once("deploy").chain(words));
        let is_understood = parsed.is_ok() || parsed.as_ref().is_err_and(|why| why.kind() == ErrorKind::DisplayHelp);
        // A verb may be spoken of without what it must be given.
        let is_spoken_of = parsed.as_ref().is_err_and(|why| {
            let kinds = [ErrorKind::MissingRequiredArgument, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];
            kinds.contains(&why.kind()) && !own.contains(" --")
        });
        assert!(is_understood || is_spoken_of, "README names `{line}`: {}", parsed.unwrap_err());
        tried += 1;
    }
    assert!(tried > 80, "only {tried} commands are named");
}

/// Backticks left open at the end of a line turn code into text, and text into code, for whoever reads by lines.
#[test]
fn code_stands_on_one_line() {
    let mut fenced = false;
    for line in README.lines() {
        fenced ^= line.trim_start().starts_with("```");
        assert!(fenced || line.trim_start().starts_with("```") || line.matches('`').count() % 2 == 0, "{line}");
    }
}

#[test]
fn the_usual_failures_are_those_that_the_program_knows() {
    let rows = README.lines().skip_while(|line| *line != "| what you see | why | what to do |").skip(2);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 10);
    let (home, mut asked) = (Home::new(), 0);
    for row in rows {
        let seen = row.split('|').nth(1).unwrap();
        for word in seen.split('`').skip(1).step_by(2) {
            let is_code = CODES.iter().any(|(code, _)| *code == word);
            assert!(is_code || !word.starts_with("OZ"), "there is no {word}");
            home.run(&format!("explain {word}")).exits(0);
            asked += 1;
        }
    }
    assert!(asked > 12, "{asked}");
}

/// The numbers of calls that README gives are those that `lifecycle::calls_are_few` holds.
#[test]
fn the_numbers_of_calls_are_today_s() {
    let held = include_str!("lifecycle.rs");
    let held = |what: &str| {
        let line = held.lines().find_map(|line| line.trim().strip_prefix(what)).unwrap_or_else(|| panic!("{what}"));
        line.trim().to_owned()
    };
    let (create, plan, up) = (held("create, with the look afterwards:"), held("plan:"), held("up:"));
    let told = README.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = format!("today a create makes {create} (");
    let others = format!("a plan of no change {plan}, such an `up` {up}, ");
    assert!(told.contains(&sentence) && told.contains(&others), "README must say `{sentence}` and `{others}`");
}

/// How long README says that things take is what progress says beside them.
#[test]
fn the_usual_times_are_those_that_progress_shows() {
    for one in &USUAL {
        let named = match one.verb {
            "" => format!("| `{}`: ", one.resource),
            verb => format!("| `{}`, {verb}: ", one.resource),
        };
        let row = README.lines().find(|line| line.starts_with(&named)).unwrap_or_else(|| panic!("{one:?}"));
        let (least, most) = one.minutes;
        assert!(row.ends_with(&format!("| {least} to {most} minutes |")), "{row}: {one:?}");
    }
    let rows = README.lines().skip_while(|line| *line != "| what is waited for | usually |").skip(2);
    assert_eq!(rows.take_while(|line| line.starts_with('|')).count(), USUAL.len());
    let most = |resource: &str, verb: &str| {
        USUAL.iter().find(|one| (one.resource, one.verb) == (resource, verb)).map(|one| one.minutes.1).unwrap()
    };
    let (create, image) = (most("target_health", ""), most("auto_scaling_group", "roll out"));
    assert!(README.contains(&format!("| `up`, a new stack | {create} minutes |")));
    assert!(README.contains(&format!(" to {image} minutes | the same; a large group needs more |")));
}
