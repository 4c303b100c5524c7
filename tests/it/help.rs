//! What the command line says of itself: help, examples, aliases, completions, manual pages; and the calls of -v.

use clap::Command;

use crate::support::{EXAMPLES, Home, command, configuration};

/// A home where the commands of the examples find what they name.
fn prepared() -> Home {
    let home = Home::new();
    home.write("deploy.yaml", configuration());
    home.run("sandbox sample").exits(0);
    home.run("--sandbox up").exits(0);
    home
}

#[test]
fn every_example_of_the_help_works() {
    let home = prepared();
    home.run("--sandbox liveness capture.json --best-shot best.jpg").exits(0);
    let mut tried = 0;
    for (_, examples) in EXAMPLES {
        for (line, _) in *examples {
            let line = line.strip_prefix("deploy ").unwrap_or_else(|| panic!("{line}"));
            let needs_none = ["--sandbox", "sandbox", "explain", "completions", "man", "schema", "iam-policy"];
            let is_alone = needs_none.iter().any(|verb| line.starts_with(verb));
            let line = if is_alone { line.to_owned() } else { format!("--sandbox {line}") };
            // A removal comes before other examples; pipelines read 3 as changes.
            let run = home.run(&line);
            let is_expected = if line.contains("--exit-code") { [0, 3].contains(&run.code()) } else { run.code() == 0 };
            run.demand(is_expected, || format!("the example `{line}` must work"));
            if line.contains("teardown --yes") {
                home.run("--sandbox up").exits(0);
            }
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
}

fn every_verb(of: &Command, path: &str, into: &mut Vec<String>) {
    for verb in of.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
        let path = format!("{path} {}", verb.get_name());
        into.push(path.trim().to_owned());
        every_verb(verb, &path, into);
    }
}

#[test]
fn every_help_has_its_own_flags_first_and_global_ones_apart() {
    let home = Home::new();
    let mut verbs = Vec::new();
    every_verb(&command(), "", &mut verbs);
    assert!(verbs.len() > 15, "{verbs:?}");
    for verb in &verbs {
        let help = home.run(&format!("{verb} --help"));
        help.exits(0).prints("Global options:");
        let help = help.stdout();
        let own = help.split("Global options:").next().unwrap();
        for global in ["--json", "--sandbox-world", "--profile"] {
            assert!(!own.contains(global), "{verb}: {global} is among its own flags\n{help}");
        }
        let top = verb.split(' ').next().unwrap();
        assert!(!EXAMPLES.iter().any(|(of, _)| *of == top) || verb != top || help.contains("Examples:"), "{help}");
    }
    for verb in verbs.iter().filter(|verb| !verb.contains(' ') && *verb != "version") {
        let shown = EXAMPLES.iter().find(|(of, _)| of == verb);
        assert!(shown.is_some_and(|(_, examples)| (2..=4).contains(&examples.len())), "{verb} has no examples");
    }
    let reset = home.run("sandbox reset --help").stdout();
    for nothing in ["--config", "--set", "--profile", "--region"] {
        assert!(!reset.contains(nothing), "{nothing} means nothing there\n{reset}");
    }
    home.run("--help").exits(0).prints("Exit codes:").prints("something with our name is not ours");
}

#[test]
fn words_of_other_tools_are_understood() {
    let home = Home::new();
    home.run("help").exits(0).prints("teardown");
    home.run("help up").exits(0).prints("--adopt").prints("Examples:");
    home.run("version").exits(0).prints(env!("CARGO_PKG_VERSION"));
    home.run("--sandbox apply").exits(0);
    home.run("--sandbox diff --exit-code").exits(0);
    home.run("--sandbox up --dry-run --set scaling.max=5").exits(0).prints("to update");
    home.run("--sandbox validate").exits(0);
    home.run("--sandbox doctor").exits(0);
    home.run("--sandbox destroy --yes").exits(0);
    home.run("--sandbox plan --exit-code").exits(3);
    for line in ["up --yes", "up --auto-approve", "up -y"] {
        home.run(line).exits(2).says("`up` never asks");
    }
    home.run("teardwn").exits(2).says("teardown");
    let refused = home.run("plan --json --exitcode");
    let envelope = refused.exits(2).json();
    assert_eq!(envelope["command"], "plan", "{refused}");
    refused.prints("unexpected argument '--exitcode' found").prints("--exit-code");
}

#[test]
fn shells_and_manuals_are_served() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        home.run(&format!("completions {shell}")).exits(0).prints("teardown").prints("lift-protection");
    }
    home.run("man up").exits(0).prints(".TH").prints("allow\\-scale\\-in").prints("GLOBAL OPTIONS");
    home.run("man sandbox weather").exits(0).prints(".TH");
    home.run("man nonsense").exits(2).says("there is no verb");
    home.run("man --dir pages").exits(0);
    for page in ["deploy.1", "deploy-up.1", "deploy-sandbox-weather.1"] {
        assert!(home.path("pages").join(page).is_file(), "{page}");
    }
    assert_eq!(home.run("version --json").json()["outputs"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn each_call_is_one_line_with_its_time() {
    let home = Home::new();
    let one = home.run("-v --sandbox plan");
    one.exits(0).demand(!one.stderr().contains("Input {"), || "-v has no parameters".to_owned());
    let is_call = |line: &&str| line.starts_with('+') && line.contains(" ec2 DescribeImages ") && line.ends_with(" ok");
    assert_eq!(one.stderr().lines().filter(is_call).count(), 1, "{one}");
    home.run("-vv --sandbox plan").exits(0).says("DescribeImagesInput {").says("api-instant");
    home.run("--sandbox plan --trace calls.jsonl").exits(0);
    let text = std::fs::read_to_string(home.path("calls.jsonl")).unwrap();
    let calls: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let call = calls.iter().find(|call| call["operation"] == "DescribeImages").unwrap();
    assert_eq!((&call["service"], &call["answer"]), (&"ec2".into(), &"ok".into()), "{call}");
    assert!(call["parameters"].as_str().unwrap().contains("api-instant") && call["milliseconds"].is_u64(), "{call}");
    home.run("--sandbox plan --trace none/calls").exits(2).says("--trace");
}

#[test]
fn nothing_secret_is_traced() {
    let home = Home::new();
    home.run("sandbox sample").exits(0);
    home.run("--sandbox up --no-verify").exits(0);
    home.write("token", "eyJ-a-secret-token");
    let run = home.run(
        "-vv --trace all.jsonl --sandbox verify --capture capture.json --reference reference.jpg --token-file token",
    );
    run.exits(0);
    let traced = std::fs::read_to_string(home.path("all.jsonl")).unwrap();
    assert!(traced.lines().count() > 20);
    for secret in ["eyJ-a-secret-token", "access_key", "secret_access", "base64", "Signature", "/9j/"] {
        assert!(!traced.contains(secret) && !run.stderr().contains(secret), "{secret} is told\n{run}");
    }
}

#[test]
fn colours_repeat_what_words_say() {
    let home = Home::new();
    let plain = home.run("--sandbox plan").stdout();
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let painted = home.run("--sandbox plan --color always").stdout();
    assert!(painted.contains("\u{1b}[32m  +\u{1b}[0m"), "{painted}");
    assert_eq!(anstream::adapter::strip_str(&painted).to_string(), plain);
    let settings = home.run("--sandbox conform --color always").stdout();
    assert!(settings.contains("\x1b[31mabsent  \x1b[0m step 1"), "{settings}");
    let forced = crate::support::Run::of(home.command("--sandbox plan").env("CLICOLOR_FORCE", "1"));
    assert_eq!(forced.stdout(), painted);
    let never = crate::support::Run::of(home.command("--sandbox plan --color never").env("CLICOLOR_FORCE", "1"));
    assert_eq!(never.stdout(), plain);
}
