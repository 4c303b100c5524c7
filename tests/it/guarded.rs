//! What the client refuses, hides and bounds.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Capture, Kind, LoopbackService, Run, samples};

/// What is refused for what it was given; the files are made by the test.
const REFUSED: [&str; 35] = [
    "liveness container.json --base-url URL",
    "liveness empty.json --base-url URL",
    "liveness none.json --base-url URL",
    "liveness action.json --base-url URL",
    "liveness url.json --base-url URL",
    "liveness base64.json --base-url URL",
    "liveness magic.json --base-url URL",
    "liveness lies.json --base-url URL",
    "liveness gif.json --base-url URL",
    "liveness number.json --base-url URL",
    "liveness meta.json --base-url URL",
    "liveness notjson.json --base-url URL",
    "liveness comments.json --base-url URL",
    "liveness twice.json --base-url URL",
    "liveness missing.json --base-url URL",
    "liveness nothing --base-url URL",
    "liveness anna.jpg --base-url URL",
    "liveness capture.json",
    "liveness capture.json --base-url http://192.0.2.1",
    "liveness capture.json --base-url ftp://localhost",
    "liveness capture.json --base-url http://user:secret@localhost",
    "liveness capture.json --base-url http://localhost/?a=b",
    "liveness capture.json --base-url URL --token-file ctrl.txt",
    "liveness capture.json --base-url URL --token-file missing.txt",
    "liveness capture.json --base-url URL --ca-file capture.json",
    "liveness capture.json --base-url URL --best-shot exists.jpg",
    "liveness capture.json --base-url URL --best-shot no/such/place.jpg",
    "liveness capture.json --base-url URL --best-shot nothing",
    "liveness capture.json --base-url URL --tag Not-A-Tag",
    "biometry --best-shot capture.json --reference anna.png --base-url URL",
    "biometry --best-shot anna.jpg --reference missing.png --base-url URL",
    "verify --base-url URL --reference anna.png",
    "verify --base-url URL --capture container.json",
    "verify --base-url URL --junit no/such/place.xml",
    "verify --base-url URL --html no/such/place.html",
];

#[test]
fn what_is_refused_is_refused_before_any_call() {
    let service = LoopbackService::new();
    let capture = samples::capture("anna", false);
    let with = |name: &str, key: &str, value: Value| {
        let mut changed = capture.clone();
        changed[key] = value;
        service.write(name, changed.to_string());
    };
    with("container.json", "data_container", json!({"blob": "x"}));
    with("empty.json", "frame_list", json!([]));
    with("none.json", "frame_list", json!(null));
    with("virtual.json", "frame_list", json!(null));
    with("action.json", "action", json!(null));
    with("url.json", "frame_list", json!(["http://example.com/1.jpg"]));
    with("base64.json", "frame_list", json!(["data:image/jpeg;base64,/9j/*"]));
    with("magic.json", "frame_list", json!(["data:image/jpeg;base64,AAAAAAAA"]));
    with("lies.json", "frame_list", json!([capture["frame_list"][1].as_str().unwrap().replace("jpeg", "png")]));
    with("gif.json", "frame_list", json!(["data:image/gif;base64,AAAA"]));
    with("number.json", "frame_list", json!([7]));
    with("meta.json", "meta", json!("text"));
    service.write("notjson.json", "{\"frame_list\": [");
    service.write("comments.json", format!("// no\n{capture}"));
    service.write("twice.json", "{\"frame_list\": [], \"frame_list\": []}");
    service.write("ctrl.txt", "abc\u{7}def");
    service.write("exists.jpg", "");
    std::fs::create_dir(service.path("nothing")).unwrap();
    for line in REFUSED {
        let run = service.run(&format!("{line} --json"));
        run.exits(2).ends_as("refused");
        assert_eq!(run.json()["exit_code"], 2, "{run}");
        run.demand(!run.stderr().contains("secret"), || "no password may be printed".to_owned());
    }
    assert_eq!(service.calls(), 0);
    let run = service.run("liveness capture.json --base-url URL --best-shot exists.jpg --force");
    run.exits(0);
    assert!(std::fs::metadata(service.path("exists.jpg")).unwrap().len() > 0);
}

#[test]
fn a_token_is_sent_when_there_is_one() {
    let service = LoopbackService::new();
    service.script(|script| script.token = Some("the-token".to_owned()));
    service.write("token.txt", "the-token\n");
    service.run("liveness capture.json --base-url URL --token-file token.txt").exits(0);
    let from_environment =
        |value: &str| Run::of(service.command("liveness capture.json --base-url URL").env("OZ_ACCESS_TOKEN", value));
    from_environment("the-token").exits(0);
    from_environment("another").exits(6).prints("the token is invalid");
    from_environment("").exits(6);
    assert!(!service.requests().pop().unwrap().headers.contains_key("x-forensic-access-token"));
}

#[test]
fn a_path_in_the_url_is_a_prefix() {
    let service = LoopbackService::new();
    service.script(|script| script.prefix = "/oz/v6".to_owned());
    service.run("liveness capture.json --base-url URL/oz/v6/").exits(0);
    service.run("verify --base-url URL/oz/v6").exits(0);
    service.run("verify --base-url URL").exits(6);
}

#[test]
fn a_service_that_is_not_there_is_exit_6_and_soon() {
    let service = LoopbackService::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = service.run(&format!("liveness capture.json --base-url http://{free} --json"));
    run.exits(6);
    assert_eq!(run.json()["verdict"]["transport"], "failed", "{run}");
    let run = service.run(&format!("liveness capture.json --base-url http://{free} --json --timeout 1s"));
    run.exits(5);
    // Somebody takes the connection and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let run = service.run(&format!("verify --base-url {url} --timeout 1s --json"));
    run.exits(5).ends_as("timeout");
}

#[test]
fn a_signal_ends_a_call_with_its_envelope() {
    let service = LoopbackService::new();
    service.script(|script| script.liveness = Answer::Slow(Duration::from_secs(60)));
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut command = service.command("liveness capture.json --base-url URL --json");
        let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
        let before = service.calls();
        while service.calls() == before {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap().success());
        let run = Run::end_of(child);
        run.exits(code).ends_as("interrupted");
    }
}

/// Markers in everything that is sensitive; none may be in anything that is printed or written.
#[test]
fn nothing_sensitive_is_printed() {
    let service = LoopbackService::new();
    let mark = "SECRETMARKER";
    let mut capture = samples::capture(&format!("{mark}FRAME"), false);
    capture["additional_info"] = json!(format!("{mark}INFO"));
    capture["meta"] = json!({"iin": format!("{mark}META"), "deep": [{"n": 987_654_321}]});
    service.write("marked.json", capture.to_string());
    let broken =
        capture.to_string().replace("\"action\":\"video_selfie_blank\"", &format!("\"action\":\"{mark}ACTION\""));
    service.write("broken.json", &broken);
    service.write("cut.json", &broken[..broken.len() / 2]);
    service.write("wrong.json", format!("{{\"frame_list\": \"{mark}\", \"meta\": \"{mark}\"}}"));
    service.write("badmeta.json", format!("\"{mark}\""));
    service.write("token.txt", format!("{mark}TOKEN"));
    service.write("ref.jpg", samples::picture(Kind::Jpeg, &format!("{mark}REF"), false));
    let encoded = |text: &str| base64_of(text.as_bytes());
    let marks = [mark.to_owned(), "987654321".to_owned(), encoded(mark)[..12].to_owned(), "/9j/4AAQ".to_owned()];
    let answers = [
        Answer::Judged,
        Answer::Echo,
        Answer::Declined,
        Answer::Failed,
        Answer::Raw(400, "text/plain", format!("{mark}TOKEN").into_bytes()),
        Answer::Cut,
    ];
    for answer in answers {
        service.script(|script| {
            (script.liveness, script.version) =
                (answer.clone(), if answer == Answer::Echo { Answer::Echo } else { Answer::Judged });
        });
        for line in [
            "liveness marked.json --base-url URL --token-file token.txt --best-shot shot.jpg --force",
            "verify --base-url URL --capture marked.json --reference ref.jpg --token-file token.txt \
             --junit j.xml --html h.html",
            "liveness broken.json --base-url URL",
            "liveness cut.json --base-url URL",
            "liveness wrong.json --base-url URL",
            "liveness capture.json --meta badmeta.json --base-url URL",
        ] {
            for more in ["-vv", "-vv --json"] {
                let run = service.run(&format!("{line} {more}"));
                for text in [run.stdout(), run.stderr()] {
                    clean(&text, &marks, line);
                }
            }
            for file in ["j.xml", "h.html"] {
                clean(&std::fs::read_to_string(service.path(file)).unwrap_or_default(), &marks, file);
            }
        }
    }
}

fn clean(text: &str, marks: &[String], what: &str) {
    for mark in marks {
        assert!(!text.contains(mark.as_str()), "{what} shows {mark}: {text}");
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Design, section 9: below twice the file's size plus 64 MiB.
#[test]
fn a_large_capture_stays_within_its_bound_of_memory() {
    let service = LoopbackService::new();
    let mut frame = samples::picture(Kind::Jpeg, "anna", false);
    frame.resize(3 << 20, 7);
    let url = format!("data:image/jpeg;base64,{}", base64_of(&frame));
    let list: Vec<&str> = std::iter::repeat_n(url.as_str(), 50).collect();
    let capture = json!({"frame_list": list, "action": "video_selfie_blank", "additional_info": "x", "meta": {}});
    service.write("large.json", capture.to_string());
    let size = std::fs::metadata(service.path("large.json")).unwrap().len();
    assert!(size > 200 << 20);
    let (code, peak) = measured(service.command("liveness large.json --base-url URL --timeout 5m"));
    assert_eq!(code, Some(0));
    assert!(peak < 2 * size + (64 << 20), "peak {} MiB for {} MiB", peak >> 20, size >> 20);
}

/// Exit code and peak of resident memory in bytes, as the kernel reports them.
fn measured(mut command: Command) -> (Option<i32>, u64) {
    let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(Path::new(&status)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
        peak = peak.max(kib << 10);
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), peak);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

proptest::proptest! {
    /// No capture, however broken, panics or hangs: it is read or refused.
    #[test]
    fn no_text_breaks_the_parser(text in ".{0,200}", cut in 0usize..4000, byte in 0u8..=255, at in 0usize..4000) {
        let _ = Capture::parse(text.as_bytes(), false);
        let mut whole = samples::capture("anna", false).to_string().into_bytes();
        let length = whole.len();
        whole[at % length] = byte;
        let _ = Capture::parse(&whole, true);
        let _ = Capture::parse(&whole[..cut % length], false);
    }
}
