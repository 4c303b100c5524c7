//! `deploy liveness`, `deploy biometry` and `deploy verify --base-url`, through the binary, against the stand-in service
//! over real HTTP.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use deploy::oz::picture::Kind;
use deploy::sandbox::oz::{Answer, Script, Service, samples, serve};
use serde_json::{Value, json};

/// A service on loopback, and a directory with samples.
pub struct Bench {
    pub service: Service,
    pub url: String,
    home: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Bench {
        let service = Service::new(Script::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = service.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(served, listener, std::future::pending())
                    .await
                    .unwrap();
            });
        });
        let bench = Bench {
            service,
            url,
            home: tempfile::tempdir().unwrap(),
        };
        bench.write("capture.json", samples::capture("anna", false).to_string());
        bench.write("spoof.json", samples::capture("anna", true).to_string());
        bench.write("anna.jpg", samples::picture(Kind::Jpeg, "anna", false));
        bench.write("anna.png", samples::picture(Kind::Png, "anna", false));
        bench.write("bert.png", samples::picture(Kind::Png, "bert", false));
        bench
    }

    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        self.service.script(change);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        command
            .current_dir(self.home.path())
            .args(line.replace("URL", &self.url).split_whitespace());
        for name in [
            "OZ_ACCESS_TOKEN",
            "HTTP_PROXY",
            "http_proxy",
            "AWS_ENDPOINT_URL",
            "SSL_CERT_FILE",
        ] {
            command.env_remove(name);
        }
        command.env("DEPLOY_SANDBOX_WORLD", self.path("world.json"));
        command
    }

    pub fn run(&self, line: &str) -> Run {
        Run(self.command(line).output().unwrap())
    }

    fn calls(&self) -> usize {
        self.service.requests().len()
    }
}

pub struct Run(Output);

impl Run {
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn told(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out()).unwrap_or_else(|_| panic!("no JSON: {}", self.out()))
    }
}

#[test]
fn an_accepted_capture_is_sent_as_the_guide_says() {
    let bench = Bench::new();
    let run = bench.run("liveness capture.json --base-url URL --best-shot best.jpg --json");
    assert_eq!(run.code(), 0, "{}", run.told());
    let envelope = run.json();
    assert_eq!(envelope["outcome"], "accepted");
    let verdict = &envelope["verdict"];
    assert_eq!(
        (
            &verdict["transport"],
            &verdict["technical"],
            &verdict["decision"]
        ),
        (&json!("ok"), &json!("ok"), &json!("SUCCESS"))
    );
    assert_eq!(
        (&verdict["score"], &verdict["folder_id"]),
        (&json!(0.02), &json!("some_id"))
    );
    assert!(verdict["duration_ms"].is_u64());

    let [seen] = &bench.service.requests()[..] else {
        panic!("one call")
    };
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("POST", "/api/instant/folders/")
    );
    assert!(!seen.headers.contains_key("x-forensic-access-token"));
    let part = |name: &str, file: Option<&str>, kind: &str| {
        (
            name.to_owned(),
            file.map(str::to_owned),
            Some(kind.to_owned()),
        )
    };
    let parts: Vec<_> = seen
        .parts
        .iter()
        .map(|(name, file, kind, _)| (name.clone(), file.clone(), kind.clone()))
        .collect();
    assert_eq!(
        parts,
        [
            part("media_key1", Some("media_key1.zip"), "application/zip"),
            part("payload", None, "application/json")
        ]
    );
    assert_eq!(
        seen.frames,
        [
            "img-1-00001.png",
            "img-1-00002.jpeg",
            "img-1-00003.jpeg",
            "img-1-00004.jpeg"
        ]
    );
    let capture = samples::capture("anna", false);
    let wanted = json!({
        "folder:meta_data": {"transaction_id": "sandbox"},
        "media:meta_data": {"media_key1": {"additional_info": capture["additional_info"]}},
        "media:tags": {"media_key1": ["video_selfie_blank"]},
        "analyses": [{"type": "quality", "params": {"extract_best_shot": true}}],
    });
    assert_eq!(seen.payload, Some(wanted));

    let best = std::fs::read(bench.path("best.jpg")).unwrap();
    assert_eq!(best, samples::picture(Kind::Jpeg, "anna", false));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(bench.path("best.jpg"))
            .unwrap()
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        envelope["outputs"]["best_shot"]
            .as_str()
            .unwrap()
            .contains("JPEG")
    );
}

#[test]
fn the_first_frame_can_be_left_out() {
    let bench = Bench::new();
    assert_eq!(
        bench
            .run("liveness capture.json --base-url URL --first-frame skip")
            .code(),
        0
    );
    assert_eq!(
        bench.service.requests()[0].frames,
        ["img-1-00001.jpeg", "img-1-00002.jpeg", "img-1-00003.jpeg"]
    );
}

#[test]
fn a_directory_of_frames_is_a_capture() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("frames")).unwrap();
    for name in ["frames/1.jpg", "frames/2.jpg", "frames/.hidden"] {
        bench.write(name, samples::picture(Kind::Jpeg, "anna", false));
    }
    bench.write("meta.json", r#"{"iin": "1234567"}"#);
    bench.write("info.txt", "opaque\n");
    let run = bench.run("liveness frames --base-url URL --tag video_selfie_smile --meta meta.json --additional-info info.txt");
    assert_eq!(run.code(), 0, "{}", run.told());
    let seen = &bench.service.requests()[0];
    assert_eq!(seen.frames, ["img-1-00001.jpeg", "img-1-00002.jpeg"]);
    let payload = seen.payload.as_ref().unwrap();
    assert_eq!(
        payload["media:tags"]["media_key1"],
        json!(["video_selfie_smile"])
    );
    assert_eq!(
        payload["media:meta_data"]["media_key1"]["additional_info"],
        "opaque"
    );
    assert_eq!(payload["folder:meta_data"], json!({"iin": "1234567"}));
    let run = bench.run("liveness frames --base-url URL");
    assert_eq!(run.code(), 0);
    assert!(
        run.told()
            .contains("warning: the capture has no additional_info"),
        "{}",
        run.told()
    );
}

#[test]
fn biometry_compares_two_pictures_under_their_true_types() {
    let bench = Bench::new();
    // A JPEG that is called .png, as the guide's best shot is.
    bench.write("best_shot.png", samples::picture(Kind::Jpeg, "anna", false));
    let run =
        bench.run("biometry --best-shot best_shot.png --reference anna.png --base-url URL --json");
    assert_eq!(
        (run.code(), &run.json()["outcome"]),
        (0, &json!("accepted"))
    );
    let seen = &bench.service.requests()[0];
    let kinds: Vec<_> = seen
        .parts
        .iter()
        .map(|(name, _, kind, _)| (name.as_str(), kind.as_deref().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("media_key1", "image/png"),
            ("media_key2", "image/jpeg"),
            ("payload", "application/json")
        ]
    );
    assert_eq!(
        seen.payload.as_ref().unwrap()["media:tags"],
        json!({"media_key1": ["photo_selfie"], "media_key2": ["photo_selfie"]})
    );

    let floor = |floor: &str| {
        bench.run(&format!("biometry --best-shot anna.jpg --reference anna.png --base-url URL --min-confidence {floor}")).code()
    };
    assert_eq!((floor("0.99"), floor("0.995"), floor("1.5")), (0, 7, 2));
    let run = bench.run("biometry --best-shot anna.jpg --reference bert.png --base-url URL --json --min-confidence 0");
    assert_eq!(
        (run.code(), &run.json()["outcome"]),
        (7, &json!("declined"))
    );
}

#[test]
fn each_answer_has_its_exit_code() {
    let bench = Bench::new();
    let slow = Duration::from_secs(30);
    let with = |pointer, value| Answer::With(pointer, value);
    let rows = [
        (Answer::Judged, 0, "accepted"),
        (Answer::Declined, 7, "declined"),
        (Answer::OperatorRequired, 7, "operator_required"),
        (Answer::Failed, 6, "failed"),
        (Answer::Processing, 6, "failed"),
        (
            with("/analyses/0/resolution_status", json!("DECLINED")),
            6,
            "failed",
        ),
        (
            with("/analyses/0/resolution", json!("DECLINED")),
            6,
            "failed",
        ),
        (with("/system_resolution", json!("MAYBE")), 6, "failed"),
        (with("/analyses/0/results_media", json!([])), 6, "failed"),
        (with("/analyses/0/error_code", json!(4)), 6, "failed"),
        (with("/analyses/0/type", json!("BIOMETRY")), 6, "failed"),
        (with("/analyses/0/type", json!("quality")), 0, "accepted"),
        (with("/analyses", json!([])), 6, "failed"),
        (with("/analyses/1", json!({"type": "QUALITY"})), 6, "failed"),
        (with("/error_code", json!(0)), 6, "failed"),
        (Answer::Error(400, 4, "bad media"), 6, "failed"),
        (Answer::Error(200, 0, "with a good status"), 6, "failed"),
        (Answer::Html(413), 6, "failed"),
        (Answer::Html(502), 6, "failed"),
        (Answer::Redirect(301), 6, "failed"),
        (
            Answer::Raw(200, "text/html", b"<html>".to_vec()),
            6,
            "failed",
        ),
        (
            Answer::Raw(200, "application/json", b"[]".to_vec()),
            6,
            "failed",
        ),
        (
            Answer::Raw(201, "application/json", b"null".to_vec()),
            6,
            "failed",
        ),
        (Answer::Cut, 6, "failed"),
        (Answer::Flood(65 << 20), 6, "failed"),
        (Answer::Slow(slow), 5, "timeout"),
    ];
    for (answer, code, outcome) in rows {
        bench.script(|script| script.liveness = answer.clone());
        let run = bench.run("liveness capture.json --base-url URL --json --timeout 3s");
        let envelope = run.json();
        assert_eq!(
            (run.code(), &envelope["outcome"]),
            (code, &json!(outcome)),
            "{answer:?}: {envelope}"
        );
    }
    assert_eq!(bench.calls(), 26, "a POST is never repeated");
}

#[test]
fn biometry_needs_a_usable_confidence() {
    let bench = Bench::new();
    for value in [json!("1.0"), json!(null), json!(1.5), json!({})] {
        bench.script(|script| {
            script.biometry = Answer::With("/analyses/0/results_data/min_confidence", value.clone())
        });
        assert_eq!(
            bench
                .run("biometry --best-shot anna.jpg --reference anna.png --base-url URL")
                .code(),
            6,
            "{value}"
        );
    }
}

#[test]
fn a_negative_control_turns_the_codes_round() {
    let bench = Bench::new();
    let code = |line: &str| {
        let run = bench.run(&format!("{line} --base-url URL --expect declined --json"));
        (
            run.code(),
            run.json()["outcome"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(code("liveness spoof.json"), (0, "declined".to_owned()));
    assert_eq!(code("liveness capture.json"), (7, "accepted".to_owned()));
    assert_eq!(
        code("biometry --best-shot anna.jpg --reference bert.png"),
        (0, "declined".to_owned())
    );
    assert_eq!(
        code("verify --capture spoof.json"),
        (0, "declined".to_owned())
    );
    assert_eq!(
        code("verify --capture capture.json --reference bert.png"),
        (0, "declined".to_owned())
    );
    assert_eq!(
        code("verify --capture capture.json --reference anna.png"),
        (7, "accepted".to_owned())
    );
    bench.script(|script| script.liveness = Answer::OperatorRequired);
    assert_eq!(
        code("liveness spoof.json"),
        (7, "operator_required".to_owned())
    );
    bench.script(|script| script.liveness = Answer::Failed);
    assert_eq!(code("liveness spoof.json"), (6, "failed".to_owned()));
}

#[test]
fn verify_against_a_url_chains_the_calls() {
    let bench = Bench::new();
    let run = bench
        .run("verify --base-url URL --capture capture.json --reference anna.png --count 3 --json");
    assert_eq!(run.code(), 0, "{}", run.told());
    let envelope = run.json();
    let ids: Vec<_> = envelope["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            (
                check["id"].as_str().unwrap(),
                check["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        ids,
        [
            ("version", "pass"),
            ("liveness", "pass"),
            ("biometry", "pass")
        ]
    );
    let paths: Vec<_> = bench
        .service
        .requests()
        .into_iter()
        .map(|seen| seen.method)
        .collect();
    assert_eq!(
        paths,
        ["GET", "GET", "GET", "POST", "POST"],
        "only the free check is repeated"
    );
    // The best shot is sent on as what it is, with the liveness folder's meta.
    let last = bench.service.requests().pop().unwrap();
    assert_eq!(last.parts[1].2.as_deref(), Some("image/jpeg"));
    assert_eq!(
        last.payload.unwrap()["folder:meta_data"],
        json!({"transaction_id": "sandbox"})
    );

    bench.script(|script| script.liveness = Answer::NoBestShot);
    assert_eq!(
        bench
            .run("verify --base-url URL --capture capture.json")
            .code(),
        0
    );
    assert_eq!(
        bench
            .run("verify --base-url URL --capture capture.json --reference anna.png")
            .code(),
        6
    );
    assert_eq!(
        bench
            .run("liveness capture.json --base-url URL --best-shot none.jpg")
            .code(),
        6
    );
    assert!(!bench.path("none.jpg").exists());
    bench.script(|script| script.version = Answer::Html(503));
    let before = bench.calls();
    assert_eq!(
        bench
            .run("verify --base-url URL --capture capture.json")
            .code(),
        6
    );
    assert_eq!(
        bench.calls(),
        before + 1,
        "no metered call to a service that does not answer"
    );
}

#[test]
fn what_is_refused_is_refused_before_any_call() {
    let bench = Bench::new();
    let capture = samples::capture("anna", false);
    let with = |name: &str, key: &str, value: Value| {
        let mut changed = capture.clone();
        changed[key] = value;
        bench.write(name, changed.to_string());
    };
    with("container.json", "data_container", json!({"blob": "x"}));
    with("empty.json", "frame_list", json!([]));
    with("none.json", "frame_list", json!(null));
    with("virtual.json", "frame_list", json!(null));
    with("action.json", "action", json!(null));
    with(
        "url.json",
        "frame_list",
        json!(["http://example.com/1.jpg"]),
    );
    with(
        "base64.json",
        "frame_list",
        json!(["data:image/jpeg;base64,/9j/*"]),
    );
    with(
        "magic.json",
        "frame_list",
        json!(["data:image/jpeg;base64,AAAAAAAA"]),
    );
    with(
        "lies.json",
        "frame_list",
        json!([capture["frame_list"][1]
            .as_str()
            .unwrap()
            .replace("jpeg", "png")]),
    );
    with(
        "gif.json",
        "frame_list",
        json!(["data:image/gif;base64,AAAA"]),
    );
    with("number.json", "frame_list", json!([7]));
    with("meta.json", "meta", json!("text"));
    bench.write("notjson.json", "{\"frame_list\": [");
    bench.write("comments.json", format!("// no\n{capture}"));
    bench.write("twice.json", "{\"frame_list\": [], \"frame_list\": []}");
    bench.write("ctrl.txt", "abc\u{7}def");
    bench.write("exists.jpg", "");
    std::fs::create_dir(bench.path("nothing")).unwrap();
    for line in [
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
    ] {
        let run = bench.run(&format!("{line} --json"));
        let envelope = run.json();
        assert_eq!(
            (run.code(), &envelope["outcome"], &envelope["exit_code"]),
            (2, &json!("refused"), &json!(2)),
            "{line}: {envelope}"
        );
        assert!(!run.told().contains("secret"), "{}", run.told());
    }
    assert_eq!(bench.calls(), 0);
    let run = bench.run("liveness capture.json --base-url URL --best-shot exists.jpg --force");
    assert_eq!(run.code(), 0, "{}", run.told());
    assert!(std::fs::metadata(bench.path("exists.jpg")).unwrap().len() > 0);
}

#[test]
fn a_token_is_sent_when_there_is_one() {
    let bench = Bench::new();
    bench.script(|script| script.token = Some("the-token".to_owned()));
    bench.write("token.txt", "the-token\n");
    assert_eq!(
        bench
            .run("liveness capture.json --base-url URL --token-file token.txt")
            .code(),
        0
    );
    let from_environment = |value: &str| {
        bench
            .command("liveness capture.json --base-url URL")
            .env("OZ_ACCESS_TOKEN", value)
            .output()
            .unwrap()
    };
    assert_eq!(from_environment("the-token").status.code(), Some(0));
    let wrong = from_environment("another");
    assert_eq!(wrong.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&wrong.stdout).contains("the token is invalid"));
    assert_eq!(from_environment("").status.code(), Some(6));
    assert!(
        !bench
            .service
            .requests()
            .pop()
            .unwrap()
            .headers
            .contains_key("x-forensic-access-token")
    );
}

#[test]
fn a_path_in_the_url_is_a_prefix() {
    let bench = Bench::new();
    bench.script(|script| script.prefix = "/oz/v6".to_owned());
    assert_eq!(
        bench
            .run("liveness capture.json --base-url URL/oz/v6/")
            .code(),
        0
    );
    assert_eq!(bench.run("verify --base-url URL/oz/v6").code(), 0);
    assert_eq!(bench.run("verify --base-url URL").code(), 6);
}

#[test]
fn nobody_there_is_exit_6_and_soon() {
    let bench = Bench::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let run = bench.run(&format!(
        "liveness capture.json --base-url http://{free} --json"
    ));
    assert_eq!(
        (run.code(), &run.json()["verdict"]["transport"]),
        (6, &json!("failed"))
    );
    let run = bench.run(&format!(
        "liveness capture.json --base-url http://{free} --json --timeout 1s"
    ));
    assert_eq!(run.code(), 5);
    // Somebody takes the connection and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let run = bench.run(&format!("verify --base-url {url} --timeout 1s --json"));
    assert_eq!((run.code(), &run.json()["outcome"]), (5, &json!("timeout")));
}

#[test]
fn a_signal_ends_a_call_with_its_envelope() {
    let bench = Bench::new();
    bench.script(|script| script.liveness = Answer::Slow(Duration::from_secs(60)));
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut command = bench.command("liveness capture.json --base-url URL --json");
        let child = command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let before = bench.calls();
        while bench.calls() == before {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(
            Command::new("kill")
                .args([format!("-{signal}"), child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let run = Run(child.wait_with_output().unwrap());
        assert_eq!(
            (run.code(), &run.json()["outcome"]),
            (code, &json!("interrupted"))
        );
    }
}

/// Markers in everything that is sensitive; none may be in anything that is printed or written.
#[test]
fn nothing_sensitive_is_printed() {
    let bench = Bench::new();
    let mark = "SECRETMARKER";
    let mut capture = samples::capture(&format!("{mark}FRAME"), false);
    capture["additional_info"] = json!(format!("{mark}INFO"));
    capture["meta"] = json!({"iin": format!("{mark}META"), "deep": [{"n": 987_654_321}]});
    bench.write("marked.json", capture.to_string());
    let broken = capture.to_string().replace(
        "\"action\":\"video_selfie_blank\"",
        &format!("\"action\":\"{mark}ACTION\""),
    );
    bench.write("broken.json", &broken);
    bench.write("cut.json", &broken[..broken.len() / 2]);
    bench.write(
        "wrong.json",
        format!("{{\"frame_list\": \"{mark}\", \"meta\": \"{mark}\"}}"),
    );
    bench.write("badmeta.json", format!("\"{mark}\""));
    bench.write("token.txt", format!("{mark}TOKEN"));
    bench.write(
        "ref.jpg",
        samples::picture(Kind::Jpeg, &format!("{mark}REF"), false),
    );
    let encoded = |text: &str| base64_of(text.as_bytes());
    let marks = [
        mark.to_owned(),
        "987654321".to_owned(),
        encoded(mark)[..12].to_owned(),
        "/9j/4AAQ".to_owned(),
    ];
    let answers = [
        Answer::Judged,
        Answer::Echo,
        Answer::Declined,
        Answer::Failed,
        Answer::Raw(400, "text/plain", format!("{mark}TOKEN").into_bytes()),
        Answer::Cut,
    ];
    for answer in answers {
        bench.script(|script| {
            (script.liveness, script.version) = (
                answer.clone(),
                if answer == Answer::Echo {
                    Answer::Echo
                } else {
                    Answer::Judged
                },
            )
        });
        for line in [
            "liveness marked.json --base-url URL --token-file token.txt --best-shot shot.jpg --force",
            "verify --base-url URL --capture marked.json --reference ref.jpg --token-file token.txt --junit j.xml --html h.html",
            "liveness broken.json --base-url URL",
            "liveness cut.json --base-url URL",
            "liveness wrong.json --base-url URL",
            "liveness capture.json --meta badmeta.json --base-url URL",
        ] {
            for more in ["-vv", "-vv --json"] {
                let run = bench.run(&format!("{line} {more}"));
                for text in [run.out(), run.told()] {
                    clean(&text, &marks, line);
                }
            }
            for file in ["j.xml", "h.html"] {
                clean(
                    &std::fs::read_to_string(bench.path(file)).unwrap_or_default(),
                    &marks,
                    file,
                );
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
    let bench = Bench::new();
    let mut frame = samples::picture(Kind::Jpeg, "anna", false);
    frame.resize(3 << 20, 7);
    let url = format!("data:image/jpeg;base64,{}", base64_of(&frame));
    let list: Vec<&str> = std::iter::repeat_n(url.as_str(), 50).collect();
    let capture = json!({"frame_list": list, "action": "video_selfie_blank", "additional_info": "x", "meta": {}});
    bench.write("large.json", capture.to_string());
    let size = std::fs::metadata(bench.path("large.json")).unwrap().len();
    assert!(size > 200 << 20);
    let (code, peak) = measured(bench.command("liveness large.json --base-url URL --timeout 5m"));
    assert_eq!(code, Some(0));
    assert!(
        peak < 2 * size + (64 << 20),
        "peak {} MiB for {} MiB",
        peak >> 20,
        size >> 20
    );
}

/// Exit code and peak of resident memory in bytes, as the kernel tells them.
fn measured(mut command: Command) -> (Option<i32>, u64) {
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(Path::new(&status)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = line
            .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or(0);
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
        let _ = deploy::oz::Capture::parse(text.as_bytes(), false);
        let mut whole = samples::capture("anna", false).to_string().into_bytes();
        let length = whole.len();
        whole[at % length] = byte;
        let _ = deploy::oz::Capture::parse(&whole, true);
        let _ = deploy::oz::Capture::parse(&whole[..cut % length], false);
    }
}
