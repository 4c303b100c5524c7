//! How a run ends, and what it leaves: whoever does not listen changes nothing, signals, deadlines, reports.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use quick_xml::events::Event;
use serde_json::Value;

use crate::support::{Answer, Home, LoopbackService, Run};

const UP: &str = "--sandbox up --json";

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// A pipe whose reader is gone.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn whoever_does_not_read_the_story_changes_nothing() {
    for (what, stderr) in [("a full disk", full as fn() -> Stdio), ("a closed pipe", closed)] {
        for line in [UP, "--sandbox -v up --json", "--sandbox up --json --set nonsense=1"] {
            let home = Home::new();
            let child = home.command(line).stdout(Stdio::piped()).stderr(stderr()).spawn().unwrap();
            let run = Run::end_of(child);
            let code = if line.contains("nonsense") { 2 } else { 0 };
            run.demand(run.code() == code, || format!("{line}: stderr is {what}"));
            assert_eq!(run.json()["exit_code"], code);
        }
    }
    // Usage errors and --help, which are not ours to print.
    let home = Home::new();
    let child = home.command("verify --nope").stderr(full()).stdout(Stdio::null()).spawn().unwrap();
    Run::end_of(child).exits(2);
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let lines = ["--sandbox plan", "--help", "up --help", "--version", "sandbox config", "sandbox weather"];
    for line in [UP, "verify --nope --json", "sandbox serve"].into_iter().chain(lines) {
        let home = Home::new();
        let run = Run::end_of(home.command(line).stdout(full()).stderr(Stdio::piped()).spawn().unwrap());
        run.demand(run.code() == 1, || format!("{line} on a full disk"));
        let told = run.stderr().matches("No space left").count();
        run.says("could not be written to stdout").demand(told == 1, || format!("told {told} times"));
    }
    // Who closes the pipe has read enough.
    for (line, code) in [(UP, 0), ("--sandbox plan --exit-code", 3), ("verify --nope --json", 2)]
        .into_iter()
        .chain(lines.map(|line| (line, 0)))
    {
        let home = Home::new();
        Run::end_of(home.command(line).stdout(closed()).stderr(Stdio::piped()).spawn().unwrap()).exits(code);
    }
}

/// A run that hangs: the service never answers.
fn hanging(service: &LoopbackService, line: &str) -> Child {
    service.script(|script| script.version = Answer::Slow(Duration::from_secs(60)));
    service.script(|script| script.liveness = Answer::Slow(Duration::from_secs(60)));
    let calls = service.calls();
    let child = service.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while service.calls() == calls {
        assert!(began.elapsed() < Duration::from_secs(30), "{line} did not call");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

pub fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn each_signal_ends_a_run_within_a_second_with_its_code() {
    let service = LoopbackService::new();
    for (signal, code) in [("-HUP", 129), ("-INT", 130), ("-TERM", 143)] {
        for line in ["verify --base-url URL --json --junit j.xml", "liveness capture.json --base-url URL --json"] {
            let child = hanging(&service, line);
            let began = Instant::now();
            send(signal, &child);
            let run = Run::end_of(child);
            run.exits(code).ends_as("interrupted");
            assert!(began.elapsed() < Duration::from_secs(2), "{signal} took {:?}", began.elapsed());
            let checks = run.json()["checks"].as_array().unwrap().clone();
            run.demand(checks.iter().any(|check| check["status"] == "unknown"), || "what hung is named".to_owned());
        }
    }
    // What the caller ignores stays ignored: nohup.
    let program = env!("CARGO_BIN_EXE_deploy");
    service.script(|script| script.version = Answer::Slow(Duration::from_secs(2)));
    let calls = service.calls();
    let line = format!("trap '' HUP; exec {program} verify --base-url {}", service.url);
    let child = Command::new("sh").args(["-c", &line]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while service.calls() == calls {
        std::thread::sleep(Duration::from_millis(20));
    }
    send("-HUP", &child);
    Run::end_of(child).exits(0);
}

/// It hangs in a call of the system: nobody opens the other side of the pipe.
#[test]
fn a_second_signal_ends_what_hangs() {
    let service = LoopbackService::new();
    let made = Command::new("mkfifo").arg(service.path("pipe")).status().unwrap();
    assert!(made.success());
    let mut child = service.command("verify --base-url URL --junit pipe").stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    send("-TERM", &child);
    std::thread::sleep(Duration::from_millis(300)); // two that wait together are one
    send("-INT", &child);
    let began = Instant::now();
    let ended = loop {
        match child.try_wait().unwrap() {
            Some(ended) => break ended,
            None if began.elapsed() > Duration::from_secs(5) => {
                child.kill().unwrap();
                panic!("it goes on");
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    assert_eq!(ended.code(), Some(130));
}

/// Names of the cases of a JUnit file, and how many of them are errors.
fn cases(xml: &str) -> (Vec<String>, usize) {
    let (mut reader, mut names, mut errors) = (quick_xml::Reader::from_str(xml), Vec::new(), 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) | Event::Empty(start) => match start.name().as_ref() {
                "testcase" => {
                    let name = start.attributes().flatten().find(|one| one.key.as_ref() == "name").unwrap();
                    names.push(name.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned());
                }
                "error" | "failure" => errors += 1,
                _ => {}
            },
            Event::Eof => return (names, errors),
            _ => {}
        }
    }
}

fn read(service: &LoopbackService, name: &str) -> String {
    let mut text = String::new();
    File::open(service.path(name)).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_report_says_that_the_run_did_not_finish_until_it_has() {
    let service = LoopbackService::new();
    service.run("verify --base-url URL --junit j.xml --html p.html").exits(0);
    assert_eq!(cases(&read(&service, "j.xml")), (vec!["/api/version".to_owned()], 0), "yesterday's green");
    let before: BTreeSet<_> = std::fs::read_dir(service.path("")).unwrap().map(|one| one.unwrap().path()).collect();
    let mut child = hanging(&service, "verify --base-url URL --junit j.xml --html p.html");
    for name in ["j.xml", "p.html"] {
        assert!(read(&service, name).contains("did not finish"), "{name} while it runs");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(cases(&read(&service, "j.xml")).1, 1, "one error");
    assert!(read(&service, "p.html").contains("did not finish"));
    let after: BTreeSet<_> = std::fs::read_dir(service.path("")).unwrap().map(|one| one.unwrap().path()).collect();
    assert_eq!(before, after, "no other file is left");
    // What is no file is written through; one file is not two reports; a link stays one.
    service.script(|script| script.version = Answer::Judged);
    service.run("verify --base-url URL --junit /dev/stdout -q").exits(0).prints("<testsuite ");
    service.run("verify --base-url URL --junit same --html same").exits(2).says("one file");
    service.run("verify --base-url URL --junit .").exits(2);
    std::os::unix::fs::symlink(service.path("j.xml"), service.path("link.xml")).unwrap();
    service.run("verify --base-url URL --junit link.xml").exits(0);
    assert!(service.path("link.xml").is_symlink() && cases(&read(&service, "j.xml")).1 == 0);
}

#[test]
fn a_report_is_not_written_over_what_is_read() {
    let service = LoopbackService::new();
    let before = read(&service, "capture.json");
    service.write("deploy.yaml", "stack: oz\n");
    for line in ["--junit capture.json", "--html ./capture.json", "--junit deploy.yaml"] {
        let run = service.run(&format!("verify --base-url URL --capture capture.json {line}"));
        run.exits(2).says("a file that this run reads");
    }
    assert_eq!((read(&service, "capture.json"), service.calls()), (before, 0));
    assert_eq!(read(&service, "deploy.yaml"), "stack: oz\n");
}

#[test]
fn every_writer_lists_the_same_checks_and_the_one_that_hung() {
    let service = LoopbackService::new();
    let rows = [
        (Answer::Slow(Duration::from_secs(60)), Answer::Judged, "/api/version"),
        (Answer::Judged, Answer::Slow(Duration::from_secs(60)), "liveness"),
    ];
    for (version, liveness, hung) in rows {
        service.script(|script| (script.version, script.liveness) = (version, liveness));
        let line = "verify --base-url URL --capture capture.json --timeout 2s --json --junit j.xml --html p.html";
        let run = service.run(line);
        run.exits(5).ends_as("timeout");
        let document: Value = run.json();
        let checks = document["checks"].as_array().unwrap();
        let titles: Vec<String> = checks.iter().map(|check| check["title"].as_str().unwrap().to_owned()).collect();
        assert_eq!(cases(&read(&service, "j.xml")).0, titles, "{run}");
        let page = read(&service, "p.html");
        assert!(checks.iter().all(|check| page.contains(&format!("id=\"{}\"", check["id"].as_str().unwrap()))));
        let stuck = checks.iter().find(|check| check["title"] == hung).unwrap();
        assert_eq!(stuck["status"], "unknown", "{run}");
    }
}

/// An endpoint that takes the connection and never answers: the first reading of AWS hangs.
#[test]
fn an_unfinished_report_says_of_which_stack_it_is() {
    let home = Home::new();
    home.write(
        "deploy.yaml",
        "region: eu-central-1\nstack: one\nload_balancer: { listener: http }\nnetwork:\n  \
         vpc: vpc-0a1b2c3d4e5f60718\n  private_subnets: [subnet-0bbbbbbbbbbbbbbb1, subnet-0bbbbbbbbbbbbbbb2]\n",
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut command = home.command_at(&url, "verify --junit j.xml --html p.html");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _asked = listener.accept().unwrap();
    for name in ["j.xml", "p.html"] {
        let text = std::fs::read_to_string(home.path(name)).unwrap();
        for words in ["did not finish", "one", "eu-central-1"] {
            assert!(text.contains(words), "{name} while it runs: {text}");
        }
    }
    send("-TERM", &child);
    Run::end_of(child).exits(143);
    let text = std::fs::read_to_string(home.path("j.xml")).unwrap();
    assert!(
        text.contains("deploy.verify.one.eu-central-1") && text.contains("before a check had its answer"),
        "{text}"
    );
    assert_eq!(cases(&text).1, 1, "the problem of the document, and no case beside it");
}

#[test]
fn cases_are_unique_and_two_stacks_are_two_suites() {
    let service = LoopbackService::new();
    let stack =
        |name: &str| format!("stack: {name}\nregion: eu-central-1\nnetwork: {{ nonsense: 1, more: 2, third: 3 }}\n");
    service.write("deploy.yaml", stack("one"));
    service.run("verify --junit j.xml").exits(2);
    let (names, errors) = cases(&read(&service, "j.xml"));
    assert!(errors >= 3, "{names:?}");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn a_usage_error_names_its_verb_in_the_envelope() {
    let home = Home::new();
    for (line, verb, sentence, cure) in [
        ("verify --nope --json", "verify", "unexpected argument '--nope' found", "`deploy verify --help`"),
        ("--json --config up plan --x", "plan", "unexpected argument '--x' found", "`deploy plan --help`"),
        ("--json vrify", "", "unrecognized subcommand 'vrify'", "'verify'; `deploy --help`"),
        ("--json liveness", "liveness", "arguments were not provided: <CAPTURE>", "`deploy liveness --help`"),
        ("up --timeout 3x --json", "up", "'--timeout <TIME>': write it as 90s", "`deploy up --help`"),
        ("--json", "", "requires a subcommand", "`deploy --help`"),
    ] {
        let run = home.run(line);
        run.exits(2);
        assert_eq!(run.json()["command"], verb, "{line}");
        let problem = run.json()["problems"][0].clone();
        assert!(problem["message"].as_str().unwrap().contains(sentence), "{problem}");
        assert!(problem["cure"].as_str().unwrap().contains(cure), "{problem}");
        assert_eq!(run.stderr().matches("error: ").count(), 1, "told once: {run}");
    }
}

#[test]
fn a_report_that_cannot_be_written_or_a_usage_error_is_told_in_the_others() {
    let service = LoopbackService::new();
    for line in [
        "verify --base-url URL --junit j.xml --html none/p.html",
        "verify --base-url URL --junit=j.xml --nope",
        "--json verify --timeout never --junit j.xml",
        "verify --base-url URL --html ./j.xml --junit j.xml",
    ] {
        service.run("verify --base-url URL --junit j.xml").exits(0);
        let run = service.run(line);
        run.exits(2);
        let (names, errors) = cases(&read(&service, "j.xml"));
        run.demand((names.len(), errors) == (1, 1), || format!("the refusal alone: {names:?}"));
        run.demand(!read(&service, "j.xml").contains("did not finish"), || "it has finished".to_owned());
    }
}

#[test]
fn what_is_no_file_of_its_own_is_written_through() {
    let service = LoopbackService::new();
    // A file behind stdout: the result comes after the report, in one file.
    let both = File::create(service.path("both")).unwrap();
    let line = "verify --base-url URL --json --junit /dev/stdout";
    let child = service.command(line).stdout(both).stderr(Stdio::piped()).spawn().unwrap();
    Run::end_of(child).exits(0);
    let text = read(&service, "both");
    assert!(text.contains("</testsuites>") && text.contains(r#""schema":"deploy/v1""#), "{text}");
    // A pipe with a name, whose reader ends with its first writer.
    let made = Command::new("mkfifo").arg(service.path("pipe")).status().unwrap();
    assert!(made.success());
    let reader = Command::new("cat").arg(service.path("pipe")).stdout(Stdio::piped()).spawn().unwrap();
    service.run("verify --base-url URL --junit pipe").exits(0);
    Run::end_of(reader).prints("</testsuites>");
    // One whose reader has gone has been read enough.
    let mut command = service.command("verify --base-url URL --junit /dev/stdout");
    Run::end_of(command.stdout(closed()).stderr(Stdio::piped()).spawn().unwrap()).exits(0);
}

#[test]
fn what_is_silent_says_each_minute_that_it_is_still_at_work() {
    let service = LoopbackService::new();
    service.script(|script| script.liveness = Answer::Slow(Duration::from_secs(600)));
    let serving = service.command("sandbox serve").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let run = service.run("liveness capture.json --base-url URL --timeout 68s");
    run.exits(5).says("still at work [1m0");
    // Who waits for clients is not at work.
    send("-TERM", &serving);
    let served = Run::end_of(serving);
    served.says("Serving").demand(!served.stderr().contains("still at work"), || "it may be silent".to_owned());
}

#[test]
fn no_core_is_dumped() {
    let service = LoopbackService::new();
    service.script(|script| script.version = Answer::Slow(Duration::from_secs(60)));
    let program = env!("CARGO_BIN_EXE_deploy");
    let line = format!("ulimit -S -c unlimited; ulimit -c; exec {program} verify --base-url {}", service.url);
    let mut child =
        Command::new("sh").args(["-c", &line]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    while service.calls() == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    child.kill().unwrap();
    let before = Run::end_of(child);
    assert_eq!(before.stdout(), "unlimited\n", "dumps were allowed");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}
