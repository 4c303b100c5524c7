//! The ready files for pipelines: every step of theirs is run against the sandbox, as GitHub and GitLab would run it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::Value;

use crate::support::{Exit, Home, Need, Run, Stage, configuration, policy};

/// What a step gives to bash, and the environment in which it does.
struct Step {
    script: String,
    environment: Vec<(String, String)>,
}

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(at(path)).unwrap();
    serde_yaml::from_str(&text).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The files below a directory with this ending.
fn below(directory: &str, ending: &str) -> Vec<String> {
    let files = fs::read_dir(at(directory)).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> =
        files.filter(|name| name.ends_with(ending)).map(|name| format!("{directory}/{name}")).collect();
    files.sort();
    files
}

/// A home where `deploy` is the program with the sandbox behind it. Of itself, --sandbox reads no deploy.yaml.
fn home() -> Home {
    let home = Home::new();
    fs::create_dir(home.path("bin")).unwrap();
    let program = env!("CARGO_BIN_EXE_deploy");
    let config = "case \"$*\" in *--config*) ;; *) set -- --config deploy.yaml \"$@\" ;; esac";
    home.write("bin/deploy", format!("#!/bin/sh\n{config}\nexec '{program}' --sandbox \"$@\"\n"));
    fs::set_permissions(home.path("bin/deploy"), fs::Permissions::from_mode(0o755)).unwrap();
    for file in ["deploy.yaml", "test.yaml"] {
        home.write(file, configuration());
    }
    home
}

fn bash(home: &Home, step: &Step) -> Run {
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &step.script]).current_dir(home.path("."));
    let path = format!("{}:{}", home.path("bin").display(), std::env::var("PATH").unwrap());
    command.env("PATH", path).env("DEPLOY_SANDBOX_WORLD", home.path("world.json"));
    command.env("RUNNER_TEMP", home.path(".")).env("GITHUB_OUTPUT", home.path("output"));
    command.env("GITHUB_STEP_SUMMARY", home.path("summary")).env("AWS_TOKEN", "a token of GitLab");
    command.envs(step.environment.iter().map(|(name, value)| (name, value)));
    Run::of(&mut command)
}

fn words(value: &Value) -> Option<&str> {
    value.as_str()
}

/// The steps of a workflow of GitHub that run the program, in the order of its jobs.
fn of_github(path: &str) -> Vec<Step> {
    let workflow = yaml(path);
    let jobs = workflow["jobs"].as_mapping().unwrap().values();
    let steps = jobs.flat_map(|job| job["steps"].as_sequence().unwrap());
    steps.filter_map(|step| of_step(path, step)).collect()
}

/// What a step runs. One that this does not know fails: nothing stands in an example that no test has run.
fn of_step(path: &str, step: &Value) -> Option<Step> {
    if let Some(script) = words(&step["run"]) {
        return Some(Step { script: script.to_owned(), environment: Vec::new() });
    }
    let action = words(&step["uses"]).unwrap_or_else(|| panic!("{path}: a step without run and uses: {step:?}"));
    if !action.starts_with("your-org/deploy/.github/actions/deploy@") {
        let known = ["actions/", "aws-actions/configure-aws-credentials@"];
        assert!(known.iter().any(|owner| action.starts_with(owner)), "{path}: what is {action}?");
        return None;
    }
    let inputs = yaml(".github/actions/deploy/action.yml")["inputs"].clone();
    for (name, value) in step["with"].as_mapping().unwrap() {
        assert!(!inputs[name].is_null(), "{path}: the action has no input {name:?}");
        assert!(!words(value).unwrap().contains("${{"), "{path}: {value:?} is known to GitHub only");
    }
    let given = |name: &str| words(&step["with"][name]).or(words(&inputs[name]["default"])).unwrap().to_owned();
    let environment = vec![("DEPLOY_ARGS".to_owned(), given("args")), ("DEPLOY_ACCEPT".to_owned(), given("accept"))];
    Some(Step { script: script_of_the_action(), environment })
}

/// The step of our action that runs the program; those before it only find or build it.
fn script_of_the_action() -> String {
    let action = yaml(".github/actions/deploy/action.yml");
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    let ids: Vec<&str> = steps.iter().map(|step| words(&step["id"]).unwrap()).collect();
    assert_eq!(ids, ["found", "source", "kept", "build", "path", "run"], "the action has a step that no test knows");
    words(&steps[5]["run"]).unwrap().to_owned()
}

/// The jobs of a file of GitLab, each as the one script that GitLab makes of it.
fn of_gitlab(path: &str) -> Vec<(String, Step)> {
    let file = yaml(path);
    let lines = |value: &Value| -> Vec<String> {
        value.as_sequence().unwrap().iter().map(|line| words(line).unwrap().to_owned()).collect()
    };
    let before = lines(&file["default"]["before_script"]);
    let jobs = file.as_mapping().unwrap().iter().filter(|(_, job)| !job["script"].is_null());
    jobs.map(|(name, job)| {
        assert!(job["before_script"].is_null() && job["after_script"].is_null(), "{name:?} has a script of its own");
        let script = [before.clone(), lines(&job["script"])].concat().join("\n");
        (words(name).unwrap().to_owned(), Step { script, environment: Vec::new() })
    })
    .collect()
}

#[test]
fn every_step_of_the_workflows_for_github_works() {
    let (mut ran, mut verbs) = (0, String::new());
    for path in below(".github/pipelines", ".yml").iter().filter(|path| path.contains("github-actions")) {
        let home = home();
        for step in of_github(path) {
            bash(&home, &step).exits(0);
            ran += 1;
        }
        verbs += &fs::read_to_string(home.path("summary")).unwrap();
        assert!(home.path("verify.xml").is_file() && home.path("verify.html").is_file(), "{path} leaves no reports");
    }
    assert_eq!(ran, 8);
    for line in ["`deploy plan --exit-code --save plan.json` ended with 3", "16 to create", "Verified: "] {
        assert!(verbs.contains(line), "no summary has {line}:\n{verbs}");
    }
}

#[test]
fn the_action_hands_on_what_it_was_not_told_to_accept() {
    let home = home();
    let run = |args: &str, accept: &str| {
        let environment = [("DEPLOY_ARGS", args), ("DEPLOY_ACCEPT", accept)];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        bash(&home, &Step { script: script_of_the_action(), environment })
    };
    run("plan --exit-code", "0 3").exits(0).prints("16 to create");
    run("plan --exit-code", "0").exits(3);
    run("plan --nope", "0 3").exits(2);
    run("version; touch caught $(touch caught)", "0").exits(2);
    assert!(!home.path("caught").exists(), "words of `args` became a command");
    let codes = fs::read_to_string(home.path("output")).unwrap();
    assert_eq!(codes, "exit-code=3\nexit-code=3\nexit-code=2\nexit-code=2\n");
}

#[test]
fn every_job_of_the_file_for_gitlab_works() {
    let path = ".github/pipelines/gitlab-ci.yml";
    let (home, file) = (home(), yaml(path));
    let jobs = of_gitlab(path);
    let names: Vec<&str> = jobs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["plan", "up", "verify", "test-up", "test-teardown"]);
    for (name, step) in &jobs {
        let allowed = file[name.as_str()]["allow_failure"]["exit_codes"].as_sequence();
        let expected = allowed.map_or(0, |codes| i32::try_from(codes[0].as_i64().unwrap()).unwrap());
        bash(&home, step).exits(expected);
    }
    // What was planned as nothing is applied as nothing: a job that somebody starts all the same does not fail.
    let planned_and_applied =
        |home: &Home| jobs[..2].iter().map(|(_, step)| bash(home, step).code()).collect::<Vec<_>>();
    assert_eq!(planned_and_applied(&home), [3, 0]);
    assert_eq!(planned_and_applied(&home), [0, 0]);
}

#[test]
fn the_script_plans_applies_and_verifies_and_stops_where_it_is_refused() {
    let home = home();
    let script = fs::read_to_string(at(".github/pipelines/deploy.sh")).unwrap();
    let run = || bash(&home, &Step { script: script.clone(), environment: Vec::new() });
    run().exits(0).prints("16 to create").prints("Verified: ");
    run().exits(0).prints("nothing to change").prints("Verified: ");
    home.write("deploy.yaml", format!("{}\nnope: 1\n", configuration()));
    let refused = run();
    refused.exits(2).demand(!refused.stdout().contains("Verified"), || "it must stop".to_owned());
    home.write("deploy.yaml", format!("stack: another\n{}", configuration()));
    run().exits(8);
}

/// Who reads a pull request needs no right to change anything.
#[tokio::test(start_paused = true)]
async fn a_plan_is_saved_with_the_policy_of_verify() {
    let stage = Stage::new();
    stage.allow(policy("", &[Need::Verify]));
    let file = tempfile::NamedTempFile::new().unwrap();
    let line = format!("plan --exit-code --save {}", file.path().display());
    stage.run(&line).await.exits(Exit::Changes).writes_nothing();
    // Prices are not in it, and what is not known is no price.
    stage.run("plan --max-monthly 100000").await.exits(Exit::Refused).writes_nothing();
    let stage = Stage::up().await;
    stage.allow(policy("", &[Need::Verify]));
    stage.run("plan --exit-code").await.exits(Exit::Done);
}

#[test]
fn actions_of_others_are_named_by_their_major_version() {
    let directories = [".github/workflows", ".github/pipelines", ".github/actions/deploy"];
    let files = directories.into_iter().flat_map(|directory| below(directory, ".yml"));
    let mut named = 0;
    for path in files {
        let text = fs::read_to_string(at(&path)).unwrap();
        for action in text.lines().filter_map(|line| line.trim_start_matches([' ', '-', '#']).strip_prefix("uses: ")) {
            let version = action.split_once("@v").map_or("", |(_, version)| version);
            assert!(!version.is_empty() && version.bytes().all(|one| one.is_ascii_digit()), "{path}: {action}");
            named += 1;
        }
    }
    assert!(named > 20, "only {named} actions are named");
}

/// GitHub runs what is in .github/workflows: examples for users must not be there.
#[test]
fn only_our_own_workflows_run_here() {
    for path in below(".github/workflows", ".yml") {
        let text = fs::read_to_string(at(&path)).unwrap();
        assert!(!text.contains("configure-aws-credentials"), "{path} would touch an account");
    }
    for path in below(".github/pipelines", "") {
        let text = fs::read_to_string(at(&path)).unwrap();
        assert!(text.contains("An example"), "{path} does not say that it is one");
    }
}
