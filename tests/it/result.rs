//! The document of `--json`. Every test that reads one holds it to `schema --of result`; here every verb and every kind
//! of end comes by.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Home, Stage, WORDS, progress_schema, result_schema, status_text, valid_line};

#[test]
fn every_verb_and_every_end_prints_one_document_of_the_schema() {
    let home = Home::new();
    home.write("wrong.yaml", "stack: [\n");
    home.write("bad.yaml", "network: { vpc: 3 }\nnope: 1\n");
    let ends = [
        ("--sandbox plan", 0, "changes_pending"),
        ("--sandbox status", 0, "absent"),
        ("--sandbox verify", 6, "failed"),
        ("--sandbox preflight", 0, "ready"),
        ("--sandbox up", 0, "changed"),
        ("--sandbox up", 0, "unchanged"),
        ("--sandbox status --ids", 0, "standing"),
        ("--sandbox status --exit-code --set scaling.max=9", 3, "standing"),
        ("--sandbox verify", 0, "accepted"),
        ("--sandbox diagnose", 0, "healthy"),
        ("--sandbox plan --exit-code --set instance.type=c7i.4xlarge", 3, "changes_pending"),
        ("--sandbox up --set scaling.min=1 --set scaling.desired=1 --set scaling.max=1", 4, "refused"),
        ("--sandbox plan --set stack=another", 8, "refused"),
        ("--sandbox teardown", 2, "refused"),
        ("--sandbox verify --nope", 2, "refused"),
        ("--config wrong.yaml plan", 2, "refused"),
        ("--config bad.yaml up", 2, "refused"),
        ("--sandbox liveness nothing-here", 2, "refused"),
        ("--sandbox teardown --yes", 0, "changed"),
        ("sandbox reset", 0, "changed"),
    ];
    for (line, code, outcome) in ends {
        let run = home.run(&format!("--json {line}"));
        let document = run.json();
        run.exits(code).ends_as(outcome);
        run.demand(document["exit_code"] == code, || "the document must hold the exit code".to_owned());
        run.demand(document["summary"] != "", || "the summary must be a sentence".to_owned());
        run.demand(document["sandbox"] == line.contains("--sandbox"), || "it must say what is real".to_owned());
        run.demand(document["version"] == env!("CARGO_PKG_VERSION"), || "it must say which program".to_owned());
    }
}

/// `--progress json`: every line of stderr is an object of its schema, and the last one says what the run came to.
#[test]
fn progress_is_a_stream_of_objects_of_its_schema() {
    let home = Home::new();
    let runs = [
        ("up --require-answer", 0, "Done in "),
        ("up --set scaling.max=1", 2, "refused"),
        ("plan --set stack=another", 8, ""),
        ("--quiet up", 0, ""),
        ("-v up", 2, "refused"),
        ("teardown --yes", 0, "Removed 16 resources"),
    ];
    let mut seen = BTreeSet::new();
    for (line, code, ends) in runs {
        let run = home.run(&format!("--sandbox --progress json {line}"));
        let lines: Vec<Value> =
            run.exits(code).stderr().lines().map(|line| valid_line(serde_json::from_str(line).unwrap())).collect();
        if line.starts_with("--quiet") {
            assert_eq!(lines, Vec::<Value>::new());
            continue;
        }
        let last = lines.last().unwrap();
        assert!(last["state"] == "ended" && last["text"].as_str().unwrap().starts_with(ends), "{line}: {last}");
        assert_eq!(lines.iter().any(|line| line["state"] == "problem"), code == 2, "{line}");
        seen.extend(lines.iter().map(|line| line["state"].as_str().unwrap().to_owned()));
        let made = |line: &&Value| (&line["resource"], &line["state"]) == (&json!("load_balancer"), &json!("finished"));
        if code == 0 {
            let made = lines.iter().find(made).unwrap();
            let verb = if line.starts_with("up") { "create" } else { "delete" };
            assert!(made["name"] == "app-alb" && made["verb"] == verb, "{made}");
        }
        let waits = |line: &&Value| line["resource"] == "target_health" && line["state"] == "waiting";
        if let Some(waits) = lines.iter().find(waits) {
            // Of 3 to 6 minutes, in the sandbox's time.
            assert_eq!(waits["usual_seconds"], json!([4.5, 9.0]));
        }
    }
    let wanted = ["ended", "finished", "note", "problem", "started", "waiting"];
    assert_eq!(seen, wanted.map(str::to_owned).into());
}

#[test]
fn what_is_printed_is_the_schema_that_tests_hold_documents_to() {
    for (of, held) in [("result", result_schema()), ("progress", progress_schema())] {
        let printed = Home::new().run(&format!("schema --of {of}"));
        let schema: Value = serde_json::from_str(&printed.exits(0).stdout()).unwrap();
        assert_eq!(schema, held);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        for (name, field) in schema["properties"].as_object().unwrap() {
            let is_described =
                field["description"].is_string() || field["$ref"].is_string() || field["anyOf"].is_array();
            assert!(is_described, "{of}: {name} has no description");
        }
    }
}

#[test]
fn readme_explains_every_outcome() {
    let readme = include_str!("../../README.md");
    for (word, meaning) in WORDS {
        assert!(readme.contains(&format!("| `{word}` | {meaning} |\n")), "README has no row for {word}: {meaning}");
    }
    let rows = readme.lines().skip_while(|line| *line != "| outcome | meaning |").skip(2);
    assert_eq!(rows.take_while(|line| line.starts_with('|')).count(), WORDS.len());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_yet_is_null_with_a_flag_and_kinds_are_counted() {
    let stage = Stage::new();
    let planned = stage.json("plan").await;
    let fields: Vec<&Value> =
        planned["changes"].as_array().unwrap().iter().flat_map(|one| one["fields"].as_array().unwrap()).collect();
    assert!(!planned.to_string().contains("\"new\":\"("), "{planned}");
    let unknown = fields.iter().filter(|field| field["new_unknown"] == true);
    assert!(unknown.clone().count() > 10);
    assert!(unknown.clone().any(|field| field["new"].is_null()));
    assert!(unknown.clone().any(|field| field["new"].is_array()));
    let made = planned["changes"].as_array().unwrap().len();
    let none = json!({"adopt": 0, "update": 0, "replace": 0, "delete": 0, "wait": 0, "foreign": 0});
    let mut counts = planned["counts"].clone();
    assert_eq!(counts.as_object_mut().unwrap().remove("create"), Some(json!(made)));
    assert_eq!(counts, none);

    let up = stage.json("up").await;
    let steps = up["timings"]["steps"].as_array().unwrap();
    assert_eq!(steps.iter().filter(|step| step["verb"] == "create").count(), made);
    assert!(steps.iter().any(|step| step["duration_ms"].as_u64() > Some(10_000)), "{up}");

    let foreign = stage.as_config(format!("{}stack: another\n", stage.config)).json("plan").await;
    assert_eq!(foreign["changes"], json!([]));
    assert_eq!(foreign["counts"]["foreign"], foreign["blocked"].as_array().unwrap().len());
}

#[tokio::test(start_paused = true)]
async fn the_state_is_numbers_and_one_screen_at_every_width() {
    let stage = Stage::up().await;
    let document = stage.json("status").await;
    let outputs = &document["outputs"];
    assert_eq!(outputs["capacity"], json!({"desired": 2, "min": 2, "max": 91}));
    assert_eq!(outputs["targets"], json!({"healthy": 2, "registered": 2}));
    assert_eq!(outputs["instances"][0]["health"], "healthy");
    assert_eq!(outputs["template"]["version"], "1");
    assert_eq!(outputs["service"]["answer"]["version"], "0.0.0-sandbox");
    let id = |key: &str| {
        document["resources"].as_array().unwrap().iter().find(|one| one["resource"] == key).unwrap()["id"].clone()
    };
    assert_eq!((id("auto_scaling_group"), id("instance_security_group_rules")), (json!("app-asg"), Value::Null));

    stage.edit(|aws| aws.instances().lose_profile());
    let drifted = stage.run("status --set scaling.max=9").await;
    for width in [60, 80, 120] {
        let frame = crate::support::Frame { stack: "oz-liveness".to_owned(), ..Default::default() };
        let screen = status_text(&frame, &drifted, width);
        assert!(screen.lines().all(|line| line.chars().count() <= width), "{width}:\n{screen}");
        assert!(screen.lines().count() < 16, "{screen}");
        for words in ["up        https://app.example.com", "2 of 2 healthy", "max 91", "version 1", "1 of 16 differ"] {
            assert!(screen.contains(words), "{words}: {screen}");
        }
    }
}

#[test]
fn exit_codes_of_status_tell_up_down_and_drift() {
    let home = Home::new();
    home.run("--sandbox status --exit-code").exits(6).prints("nothing of it stands");
    assert_eq!(home.run("--sandbox status").exits(0).stdout().lines().count(), 1);
    home.run("--sandbox up").exits(0);
    home.run("--sandbox status --exit-code").exits(0).prints("2 of 2 healthy");
    home.run("--sandbox status --exit-code --set scaling.max=9").exits(3).prints("1 of 16 differ: auto_scaling_group");
    home.run("--sandbox status --ids").exits(0).prints("lt-0000");
}

#[test]
fn a_watch_tells_each_change_once_and_ends_on_a_signal_with_130() {
    let home = Home::new();
    home.run("--sandbox up").exits(0);
    let mut watch = home.command("--sandbox status --watch");
    let piped = std::process::Stdio::piped;
    let mut child = watch.stdout(piped()).stderr(piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains(" up, targets 2 of 2 healthy"), "{first}");
    std::thread::sleep(Duration::from_secs(2)); // looks that find the same
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(lines.count(), 0, "a look that finds the same is not told");
    crate::support::Run::end_of(child).exits(130);
    home.run("--json status --watch").exits(2);
}
