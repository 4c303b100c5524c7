//! The invariants of the code map, src/README.md, and the limits that keep files readable.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::{Cli, Graph, STACK, Site, config, configuration};

/// Below these directories the limits hold.
const LIMITED: [&str; 2] = ["src", "tests"];
const FILE_LINES_MAX: usize = 420;
/// A verb is a page.
const COMMAND_LINES_MAX: usize = 150;
/// What all verbs share may be longer.
const SESSION: &str = "src/commands/session.rs";
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 120;

/// Modules from the lowest to the highest: each may use only those before it.
const LAYERS: [&str; 24] = [
    "exit",
    "event",
    "flags",
    "clock",
    "text",
    "proxy",
    "resolver",
    "outcome",
    "config",
    "cloud",
    "site",
    "permissions",
    "cost",
    "engine",
    "steps",
    "guide",
    "export",
    "oz",
    "checks",
    "rollout",
    "sandbox",
    "report",
    "cli",
    "commands",
];

/// A source file: its path below the repository, and its text.
struct Source {
    path: String,
    text: String,
}

fn sources(below: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut open, mut files) = (vec![root.join(below)], Vec::new());
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let below_root = path.strip_prefix(root).unwrap().display().to_string();
            files.push(Source { path: below_root, text: fs::read_to_string(&path).unwrap() });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn limited() -> impl Iterator<Item = Source> {
    LIMITED.into_iter().flat_map(sources)
}

#[track_caller]
fn none_of(offenders: Vec<String>, what: &str) {
    assert!(offenders.is_empty(), "{what}:\n{}", offenders.join("\n"));
}

/// Code without its tests and its comments.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !is_comment(line)).collect()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn only_in(words: &[&str], below: &str, allowed: &[&str]) {
    let found = sources(below).into_iter().filter_map(|Source { path, text }| {
        let code = code_of(&text);
        let word = words.iter().find(|word| code.contains(*word))?;
        let is_allowed = allowed.iter().any(|prefix| path.starts_with(prefix));
        (!is_allowed).then(|| format!("{path} has {word:?}"))
    });
    none_of(found.collect(), "this belongs elsewhere");
}

#[test]
fn only_the_clock_sleeps() {
    only_in(&["sleep(", "sleep_until(", "interval("], "src", &["src/clock.rs"]);
}

#[test]
fn only_the_report_prints() {
    only_in(&["println!", "print!(", "eprint"], "src", &["src/report/"]);
}

#[test]
fn flags_are_named_by_their_constants() {
    let at_the_edge =
        |path: &str| path.starts_with("src/cli/") || path == "src/flags.rs" || path.starts_with("src/commands/");
    let found = sources("src").into_iter().filter(|source| !at_the_edge(&source.path)).filter_map(|source| {
        let flag = flags_in(&without_aws_commands(&code_of(&source.text))).into_iter().next()?;
        Some(format!("{} names {flag}", source.path))
    });
    none_of(found.collect(), "src/flags.rs has the names of flags");
}

#[test]
fn every_constant_of_flags_is_a_flag_of_the_command_line() {
    let constants = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/flags.rs")).unwrap();
    let constants = flags_in(&code_of(&constants));
    assert!(constants.len() > 10, "{constants:?}");
    let real = long_flags(&<Cli as clap::CommandFactory>::command());
    none_of(constants.into_iter().filter(|flag| !real.contains(flag)).collect(), "these are no flags");
}

/// The long flags of a command and of those below it.
fn long_flags(command: &clap::Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?)));
    own.chain(command.get_subcommands().flat_map(long_flags)).collect()
}

/// Every `--word` of a text.
fn flags_in(text: &str) -> Vec<String> {
    let word = |after: &str| after.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
    let flags = text.split("--").skip(1).map(word).filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    flags.map(|word| format!("--{word}")).collect()
}

/// A text without the commands of the AWS CLI that it quotes: their flags are not ours.
fn without_aws_commands(text: &str) -> String {
    let (first, others) = text.split_once("`aws ").unwrap_or((text, ""));
    if others.is_empty() {
        return first.to_owned();
    }
    let after = others.split_once('`').map_or("", |(_, after)| after);
    format!("{first}{}", without_aws_commands(after))
}

#[test]
fn flags_are_found_in_texts_but_not_in_commands_of_aws() {
    let text = "give `--base-url` or --yes; `aws ec2 run --force`, then --adopt";
    assert_eq!(flags_in(text), ["--base-url", "--yes", "--force", "--adopt"]);
    assert_eq!(flags_in(&without_aws_commands(text)), ["--base-url", "--yes", "--adopt"]);
}

#[test]
fn the_engine_knows_no_service_and_the_steps_know_no_time() {
    only_in(&["aws_sdk", "ec2", "elb.", "iam."], "src/engine", &[]);
    only_in(&["Clock", "Instant", "Duration", "loop {"], "src/steps", &[]);
}

#[test]
fn every_step_is_in_the_stack_and_the_stack_has_an_order() {
    let config = config::parse(&configuration(), "deploy.yaml", &[]).unwrap();
    let site = Site::blank(config, "eu-central-1");
    assert_eq!(Graph::trace(STACK, &site).nodes().len(), STACK.len());
    let listed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/steps/mod.rs")).unwrap();
    for Source { path, .. } in sources("src/steps") {
        let below = path.strip_prefix("src/steps/").unwrap();
        let module = below.split(['/', '.']).next().unwrap();
        assert!(
            ["mod", "shared"].contains(&module) || listed.contains(&format!("&{module}::")),
            "{module} is not in STACK"
        );
    }
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/README.md")).unwrap();
    for node in STACK {
        assert!(map.contains(&format!("`{}`", node.key())), "src/README.md does not name {}", node.key());
    }
}

#[test]
fn files_are_short() {
    let lines = limited().map(|Source { path, text }| (path, text.lines().count()));
    let long = lines.filter(|(_, lines)| *lines > FILE_LINES_MAX).map(|(path, lines)| format!("{path}: {lines} lines"));
    none_of(long.collect(), &format!("files of more than {FILE_LINES_MAX} lines"));
}

#[test]
fn verbs_are_a_page() {
    let of_verbs = sources("src/commands").into_iter().filter(|file| file.path != SESSION);
    let lines = of_verbs.map(|Source { path, text }| (path, text.lines().count()));
    let long =
        lines.filter(|(_, lines)| *lines > COMMAND_LINES_MAX).map(|(path, lines)| format!("{path}: {lines} lines"));
    none_of(long.collect(), &format!("files of commands of more than {COMMAND_LINES_MAX} lines"));
}

#[test]
fn functions_are_short() {
    let long = limited().flat_map(|Source { path, text }| {
        let functions = functions(&text).into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
        functions
            .map(move |Function { name, line, lines }| format!("{path}:{line} {name}: {lines} lines"))
            .collect::<Vec<_>>()
    });
    none_of(long.collect(), &format!("functions of more than {FUNCTION_LINES_MAX} lines"));
}

#[derive(Debug, PartialEq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Functions with a body of more than one line: from their `fn` to the brace at its indentation.
fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let ends = |other: &&&str| indentation(other) == indentation(line) && other.ends_with(['}', ';']);
        let Some(length) = lines[start..].iter().position(|other| ends(&other)) else { continue };
        if length > 0 {
            found.push(Function { name: name.to_owned(), line: start + 1, lines: length + 1 });
        }
    }
    found
}

/// The name of the function that begins in this line.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let is_qualifier = |word: &str| ["const", "async", "unsafe", "extern"].contains(&word) || word.starts_with("pub");
    let begins = before.split_whitespace().all(is_qualifier) && (before.is_empty() || before.ends_with(' '));
    begins.then(|| after.split(['(', '<']).next().unwrap_or(after))
}

#[test]
fn functions_are_measured_from_fn_to_their_brace() {
    let text = r"
    pub async fn one(
        x: u8,
    ) -> u8 {
        x
    }
fn short() {}
let fn_like = |x| x;
fn declared(
);
const fn two<T>() {
    if x {
    }
}
";
    let found: Vec<_> = functions(text).into_iter().map(|found| (found.name, found.line, found.lines)).collect();
    let wanted = [("one", 2, 5), ("declared", 9, 2), ("two", 11, 4)];
    assert_eq!(found, wanted.map(|(name, line, lines)| (name.to_owned(), line, lines)));
}

#[test]
fn lines_are_short() {
    let long = limited().flat_map(|Source { path, text }| {
        let long = long_lines(&text).into_iter();
        long.map(|(line, columns)| format!("{path}:{line}: {columns} columns")).collect::<Vec<_>>()
    });
    none_of(long.collect(), &format!("lines of more than {COLUMNS_MAX} columns"));
}

/// Lines that are too long, and how long. What `expect!` holds is the program's own output, as wide as that is.
fn long_lines(text: &str) -> Vec<(usize, usize)> {
    let (mut is_output, mut found) = (false, Vec::new());
    for (number, line) in text.lines().enumerate() {
        is_output =
            if is_output { !line.contains("\"#]]") } else { line.contains("expect![[r#\"") && !line.contains("\"#]]") };
        let columns = line.chars().count();
        if !is_output && columns > COLUMNS_MAX {
            found.push((number + 1, columns));
        }
    }
    found
}

#[test]
fn lines_are_measured_outside_of_expected_output() {
    let wide = "x".repeat(COLUMNS_MAX + 1);
    let text = format!("{wide}\nexpect![[r#\"\n{wide}\n\"#]]\n{wide}\n");
    assert_eq!(long_lines(&text), [(1, COLUMNS_MAX + 1), (5, COLUMNS_MAX + 1)]);
}

#[test]
fn modules_use_only_what_is_below_them() {
    let files = sources("src");
    let modules: BTreeSet<&str> = files.iter().filter_map(|file| module_of(&file.path)).collect();
    let unplaced = modules.iter().filter(|module| !LAYERS.contains(module) && !["lib", "main"].contains(*module));
    none_of(unplaced.map(|module| (*module).to_owned()).collect(), "these modules have no place in LAYERS");
    let upward = files.iter().flat_map(|Source { path, text }| upward_uses(path, text, &LAYERS));
    none_of(upward.collect(), &format!("each of {} may use only those before it", LAYERS.join(", ")));
}

/// The module that a file of `src/` belongs to.
fn module_of(path: &str) -> Option<&str> {
    path.strip_prefix("src/")?.split(['/', '.']).next()
}

/// What a file uses of modules above its own; its tests too.
fn upward_uses(path: &str, text: &str, layers: &[&str]) -> Vec<String> {
    let place = |module: &str| layers.iter().position(|layer| *layer == module);
    let Some(own) = module_of(path).and_then(place) else { return Vec::new() };
    let upward = used_modules(text).into_iter().filter(|used| place(used).is_some_and(|used| used > own));
    upward.map(|used| format!("{path} uses {used}")).collect()
}

/// The modules that are named after `crate::`, alone or in braces.
fn used_modules(text: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !is_comment(line)).collect();
    let code = lines.join("\n");
    let used = code.split("crate::").skip(1).flat_map(|after| {
        let group = after.strip_prefix('{').map(outermost);
        let names = group.unwrap_or_else(|| after.to_owned());
        let first = |path: &str| path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if after.starts_with('{') { names.split(',').map(first).collect() } else { vec![first(&names)] }
    });
    used.filter(|name: &String| !name.is_empty()).collect()
}

/// What is in a pair of braces and in none inside of it; the opening one has been read.
fn outermost(after_brace: &str) -> String {
    let mut depth = 1;
    let mut kept = String::new();
    for character in after_brace.chars() {
        depth += i32::from(character == '{') - i32::from(character == '}');
        if depth == 0 {
            break;
        }
        if depth == 1 {
            kept.push(character);
        }
    }
    kept
}

#[test]
fn upward_uses_are_found_however_they_are_written() {
    let text = "//! [`crate::top`]\nuse crate::low::Thing;\nuse crate::{\n    mid::{A, top},\n    top::B,\n};\n\
                fn f() -> crate::mid::C {}\n";
    let used: Vec<String> = used_modules(text).into_iter().collect();
    assert_eq!(used, ["low", "mid", "top"]);
    let layers = ["low", "mid", "top"];
    assert_eq!(upward_uses("src/mid/file.rs", text, &layers), ["src/mid/file.rs uses top"]);
    assert_eq!(upward_uses("src/low.rs", text, &layers), ["src/low.rs uses mid", "src/low.rs uses top"]);
    assert_eq!(upward_uses("src/top/mod.rs", text, &layers), Vec::<String>::new());
}
