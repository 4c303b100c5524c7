//! Text and pictures as the world writes them: marks, encodings, base64, broken characters, the order of frames, and
//! files that are not what was meant.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Answer, Kind, LoopbackService, Run, configuration, samples};

const MARK: &str = "\u{feff}";

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeffu16).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_byte_order_mark_is_skipped_wherever_text_is_read() {
    let service = LoopbackService::new();
    let capture = samples::capture("anna", false).to_string();
    service.write("marked.json", format!("{MARK}{capture}"));
    service.write("meta.json", format!("{MARK}{{\"iin\": 1}}"));
    service.write("info.txt", format!("{MARK}opaque"));
    service.write("token.txt", format!("{MARK}secret\r\n"));
    service.script(|script| script.token = Some("secret".to_owned()));
    let line = "liveness marked.json --base-url URL --meta meta.json --additional-info info.txt --token-file token.txt";
    service.run(line).exits(0);
    let seen = service.requests().pop().unwrap().payload.unwrap();
    assert_eq!(seen["folder:meta_data"], json!({"iin": 1}));
    assert_eq!(seen["media:meta_data"]["media_key1"]["additional_info"], "opaque");
    let mut command = service.command("liveness marked.json --base-url URL");
    assert!(command.env("OZ_ACCESS_TOKEN", format!("{MARK}secret")).status().unwrap().success());
    // Answers too: a paid SUCCESS is one.
    let answer = include_str!("../../templates/oz-liveness.json");
    let version = format!("{MARK}{{\"v\": 1}}\0");
    service.script(|script| script.token = None);
    service.script(|script| script.version = Answer::Raw(200, "text/plain", version.into_bytes()));
    service.script(|script| {
        script.liveness = Answer::Raw(200, "application/json", format!("{MARK}{answer}\n\0").into_bytes());
    });
    service.run("verify --base-url URL --capture marked.json").exits(0).prints("{\"v\":1}");
    // deploy.yaml.
    service.write("deploy.yaml", format!("{MARK}stack: oz\nnonsense: 1\n"));
    service.run("plan").exits(2).says("deploy.yaml:2:1");
}

#[test]
fn authorities_for_aws_are_read_or_refused() {
    let service = LoopbackService::new();
    let without_region = configuration().lines().skip(1).collect::<Vec<_>>().join("\n");
    service.write("deploy.yaml", without_region);
    let pem = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap().cert.pem();
    service.write("marked.pem", format!("{MARK}{pem}"));
    service.write("none.pem", "nothing");
    service.write("wide.pem", utf16(&pem));
    for (file, code, said) in [
        ("marked.pem", 2, "no region is configured"), // read, and gone on
        ("missing.pem", 2, "missing.pem: No such file"),
        ("none.pem", 2, "no certificate in PEM"),
        ("wide.pem", 2, "it is UTF-16"),
    ] {
        let mut command = service.command("plan");
        command.env("AWS_CA_BUNDLE", service.path(file)).env("AWS_EC2_METADATA_DISABLED", "true");
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"] {
            command.env_remove(name);
        }
        command.env("HOME", service.path(""));
        Run::of(&mut command).exits(code).says(said);
    }
}

#[test]
fn other_encodings_are_named() {
    let service = LoopbackService::new();
    let capture = samples::capture("anna", false).to_string();
    service.write("wide.json", utf16(&capture));
    service.write("wide.txt", utf16("secret"));
    service.write("latin.txt", b"caf\xe9");
    service.write("latin.yaml", b"stack: caf\xe9\n");
    for (line, what) in [
        ("liveness wide.json --base-url URL", "wide.json: it is UTF-16"),
        ("liveness capture.json --base-url URL --meta wide.json", "wide.json: it is UTF-16"),
        ("liveness capture.json --base-url URL --additional-info latin.txt", "latin.txt: it is not UTF-8 (byte 4)"),
        ("liveness capture.json --base-url URL --token-file wide.txt", "wide.txt: it is UTF-16"),
        ("liveness capture.json --base-url URL --ca-file wide.txt", "wide.txt: it is UTF-16"),
        ("plan --config latin.yaml", "latin.yaml: it is not UTF-8 (byte 11)"),
        ("plan --config wide.txt", "wide.txt: it is UTF-16"),
    ] {
        service.run(line).exits(2).says(what).says("Save it as UTF-8");
    }
    assert_eq!(service.calls(), 0);
}

#[test]
fn base64_is_taken_as_browsers_take_it_both_ways() {
    let service = LoopbackService::new();
    let picture = samples::picture(Kind::Jpeg, "anna", false);
    let plain = STANDARD.encode(&picture);
    let lines =
        plain.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\r\n");
    let frames = [
        format!("data:image/jpeg;base64,{lines}"),
        format!(" DATA:image/JPEG;charset=utf-8;BASE64,{}", plain.trim_end_matches('=')),
        format!("data:image/jpeg; base64,{}", plain.replace('+', "%2B").replace('/', "%2f")),
    ];
    for (index, frame) in frames.iter().enumerate() {
        let mut capture = samples::capture("anna", false);
        capture["frame_list"] = json!([frame]);
        service.write("one.json", capture.to_string());
        let run = service.run("liveness one.json --base-url URL");
        run.demand(run.code() == 0, || format!("frame {index}"));
    }
    for broken in ["data:image/jpeg;base64,/9j/4AAQ!", "data:image/jpeg,%ff%d8%ff", "data:image/jpeg;base64,/"] {
        let mut capture = samples::capture("anna", false);
        capture["frame_list"] = json!([frames[0], broken]);
        service.write("one.json", capture.to_string());
        service.run("liveness one.json --base-url URL").exits(2).says("frame 2");
    }
    // What comes back.
    let answered = |shot: String| {
        let pointer = "/analyses/0/results_media/0/output_images/0/image_b64";
        service.script(|script| script.liveness = Answer::With(pointer, json!(shot)));
    };
    for shot in [
        lines.clone(),
        plain.trim_end_matches('=').to_owned(),
        format!("data:image/jpeg;base64,{plain}"),
        format!("data:image/png;base64,{plain}"), // the guide calls its JPEG best_shot.png
        format!("data:application/octet-stream;base64,{plain}"),
    ] {
        answered(shot);
        service.run("liveness capture.json --base-url URL --best-shot best.jpg --force").exits(0);
        assert_eq!(std::fs::read(service.path("best.jpg")).unwrap(), picture);
    }
    // A flaw in it does not take the paid decision away.
    answered("!!!".to_owned());
    service.run("liveness capture.json --base-url URL").exits(0);
    let run = service.run("liveness capture.json --base-url URL --best-shot other.jpg --json");
    run.exits(1).says("the answer's best shot: broken base64");
    assert_eq!(run.json()["verdict"]["decision"], "SUCCESS");
    assert!(!service.path("other.jpg").exists());
}

#[test]
fn a_paid_answer_is_not_lost_to_a_flaw_in_it() {
    let service = LoopbackService::new();
    let answer: Value = serde_json::from_str(include_str!("../../templates/oz-liveness.json")).unwrap();
    let mut flawed = answer.clone();
    flawed["remark"] = json!("REMARK");
    let flawed = flawed.to_string();
    // What mending leaves of a decision is none.
    for broken in ["SUCC\\ESS", "SUCCESS\n", "SUCCESS\\ud83d"] {
        let body = answer.to_string().replace("\"SUCCESS\"", &format!("\"{broken}\"")).into_bytes();
        service.script(|script| script.liveness = Answer::Raw(200, "application/json", body.clone()));
        service.run("liveness capture.json --base-url URL").exits(6);
    }
    let wide: Vec<u8> = utf16(&flawed);
    let rows: [(Vec<u8>, &'static str); 9] = [
        (wide, "application/json; charset=utf-16"),
        (flawed.replace("REMARK", "two\nlines").into_bytes(), "application/json"),
        (flawed.replace("REMARK", "C:\\path").into_bytes(), "application/json"),
        (flawed.replace("REMARK", "\\u12").into_bytes(), "application/json"),
        (flawed.replace("REMARK", "\\ud83d").into_bytes(), "application/json"),
        (flawed.replace("\"REMARK\"", "NaN").into_bytes(), "text/html"),
        (
            [
                flawed.split("REMARK").next().unwrap().as_bytes(),
                b"caf\xe9",
                flawed.split("REMARK").nth(1).unwrap().as_bytes(),
            ]
            .concat(),
            "application/json; charset=latin1",
        ),
        (flawed.replace("\"REMARK\"", "1e999").into_bytes(), "application/json"),
        (format!("\n\n {flawed}\n").into_bytes(), ""),
    ];
    for (body, kind) in rows {
        service.script(|script| script.liveness = Answer::Raw(200, kind, body.clone()));
        let run = service.run("liveness capture.json --base-url URL");
        run.demand(run.code() == 0, || String::from_utf8_lossy(&body[body.len().saturating_sub(300)..]).into_owned());
    }
}

#[test]
fn a_broken_character_names_its_field() {
    let service = LoopbackService::new();
    let capture = samples::capture("anna", false);
    let with = |field: &str, value: &str| {
        let mut changed = capture.clone();
        *changed.pointer_mut(field).unwrap() = json!("PLACE");
        changed.to_string().replace("PLACE", value)
    };
    for (field, name) in [
        ("/meta/transaction_id", "meta: transaction_id: a broken character"),
        ("/additional_info", "additional_info: a broken character"),
        ("/action", "action: a broken character"),
        ("/frame_list/2", "frame 3: a broken character"),
    ] {
        service.write("broken.json", with(field, "\\ud83d"));
        let run = service.run("liveness broken.json --base-url URL");
        run.exits(2).says(name);
    }
    service.write("meta.json", r#"{"user": {"names": ["anna", "\ud83d"]}}"#);
    let run = service.run("liveness capture.json --base-url URL --meta meta.json");
    run.exits(2).says("meta.json: user.names[1]: a broken character");
    service.write("deep.json", format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200)));
    service.run("liveness capture.json --base-url URL --meta deep.json").exits(2).says("nested too deep");
    service.write("obeyed.json", r#"{"\u001b[31m": "\ud83d"}"#);
    let run = service.run("liveness capture.json --base-url URL --meta obeyed.json");
    run.exits(2).demand(!run.stderr().contains('\u{1b}'), || "a key must not command the terminal".to_owned());
    let latin = with("/meta/transaction_id", "caf~").into_bytes();
    let latin: Vec<u8> = latin.into_iter().map(|byte| if byte == b'~' { 0xe9 } else { byte }).collect();
    service.write("latin.json", latin);
    service.run("liveness latin.json --base-url URL").exits(2).says("meta: bytes that are not UTF-8: save it as UTF-8");
    service.write("list.json", "[1]");
    service.run("liveness capture.json --base-url URL --meta list.json").exits(2).says("not of the shape");
    // Where nothing reads it, it does not matter.
    let mut unused = capture.clone();
    unused["best_frame"] = json!("PLACE");
    service.write("unused.json", unused.to_string().replace("PLACE", "\\ud83d"));
    service.run("liveness unused.json --base-url URL").exits(0);
}

#[test]
fn metadata_goes_out_byte_for_byte() {
    let service = LoopbackService::new();
    let meta =
        r#"{"b": 1.0, "a": 12345678901234567890123, "e": 1E400,  "empty": "", "none": null, "deep": {"z": -0.0}}"#;
    let mut capture = samples::capture("anna", false);
    capture["meta"] = json!("META");
    service.write("numbers.json", capture.to_string().replace("\"META\"", meta));
    service.write("meta.json", meta);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, (told, seen)) = (format!("http://{}", listener.local_addr().unwrap()), channel());
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let (mut all, mut piece) = (Vec::new(), [0; 8192]);
            while !String::from_utf8_lossy(&all).contains("\"analyses\"") {
                let read = client.read(&mut piece).unwrap();
                all.extend_from_slice(&piece[..read]);
            }
            let _ = client.write_all(b"HTTP/1.1 500 Nothing\r\nContent-Length: 0\r\n\r\n");
            told.send(String::from_utf8_lossy(&all).into_owned()).unwrap();
        }
    });
    for line in ["liveness numbers.json", "liveness capture.json --meta meta.json"] {
        service.run(&format!("{line} --base-url {url}")).exits(6);
        assert!(seen.recv().unwrap().contains(&format!("\"folder:meta_data\":{meta},")), "{line}");
    }
    for (sent, wanted) in [("null", json!({})), ("{}", json!({}))] {
        service.write("empty.json", capture.to_string().replace("\"META\"", sent));
        service.run("liveness empty.json --base-url URL").exits(0);
        assert_eq!(service.requests().pop().unwrap().payload.unwrap()["folder:meta_data"], wanted);
    }
}

/// A server may echo metadata as it was written, as it reads it, or as its own JSON writes it.
#[test]
fn metadata_is_withheld_however_it_is_echoed() {
    let service = LoopbackService::new();
    let meta =
        r#"{"n": [12345678901234567890123, 77E5, 1234.50], "t": "first-secret", "t": "caf\u00e9-annà", "q": "a\"b"}"#;
    service.write("meta.json", meta);
    let echoes = [
        ("12345678901234567890123", "789012345678"),
        ("1.2345678901234568e+22", "2345678"),
        ("77E5", "77E5"),
        ("7700000", "77000"),
        ("1234.50", "1234"),
        ("first-secret", "first-secret"),
        ("café-annà", "caf"),
        ("caf\\u00e9-ann\\u00e0", "caf"),
        ("a\\\"b", "a\\\"b"),
    ];
    for (echo, secret) in echoes {
        let answer = json!({"error_code": 4, "error_message": format!("this is bad: {echo}")}).to_string();
        service.script(|script| script.liveness = Answer::Raw(400, "application/json", answer.clone().into_bytes()));
        let run = service.run("liveness capture.json --base-url URL --meta meta.json -vv");
        run.exits(6).prints("this is bad: [withheld]");
        run.demand(!format!("{}{}", run.stdout(), run.stderr()).contains(secret), || format!("{echo} is shown"));
    }
}

#[test]
fn text_that_begins_like_a_binary_file_is_text() {
    let service = LoopbackService::new();
    service.write("meta.json", r#"{"img":"WEBP"}"#);
    for token in ["BM2token", "GIFtoken", "ID3token"] {
        service.script(|script| script.token = Some(token.to_owned()));
        service.write("token.txt", token);
        let line = "liveness capture.json --base-url URL --meta meta.json --token-file token.txt";
        service.run(&format!("{line} --additional-info token.txt")).exits(0);
    }
}

/// The call was paid for: what becomes of the picture takes nothing of the verdict away.
#[test]
fn a_best_shot_that_cannot_be_written_leaves_the_verdict() {
    let service = LoopbackService::new();
    std::fs::create_dir(service.path("out")).unwrap();
    service.script(|script| script.liveness = Answer::Slow(Duration::from_secs(1)));
    let mut command = service.command("liveness capture.json --base-url URL --best-shot out/best.jpg --json");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while service.calls() == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::remove_dir_all(service.path("out")).unwrap();
    let run = Run::end_of(child);
    run.exits(1).ends_as("failed").says("The best shot is lost; the call was made.");
    let verdict = &run.json()["verdict"];
    assert_eq!((&verdict["decision"], &verdict["folder_id"]), (&json!("SUCCESS"), &json!("some_id")), "{run}");
}

#[test]
fn frames_are_in_the_order_of_their_numbers() {
    let service = LoopbackService::new();
    let directory = |name: &str, frames: &[&str]| {
        std::fs::create_dir(service.path(name)).unwrap();
        for (index, frame) in frames.iter().enumerate() {
            let mut picture = samples::picture(Kind::Jpeg, "anna", false);
            picture.resize(picture.len() + index, 0); // to be told apart by their sizes
            service.write(&format!("{name}/{frame}"), picture);
        }
    };
    directory("ten", &["1.jpeg", "10.jpeg", "11.jpeg", "12.jpeg", "2.jpeg", "3.jpeg"]);
    let run = service.run("liveness ten --base-url URL");
    run.exits(0).says("in the order of their numbers: 1.jpeg, 2.jpeg, 3.jpeg, 10.jpeg, 11.jpeg, and 1 more");
    directory("padded", &["img-1-00001.jpeg", "img-1-00002.jpeg", "img-1-00010.jpeg"]);
    let run = service.run("liveness padded --base-url URL");
    run.exits(0).demand(!run.stderr().contains("in the order"), || "that is the order of the letters too".to_owned());
    // Frames may be numbered by fives, and one may be missing.
    directory("fives", &["0.jpeg", "5.jpeg", "10.jpeg"]);
    let run = service.run("liveness fives --base-url URL");
    run.exits(0).demand(!run.stderr().contains("missing"), || "nothing is missing by fives".to_owned());
    directory("gap", &["img_1.jpeg", "IMG_2.jpeg", "img_4.jpeg"]);
    let run = service.run("liveness gap --base-url URL");
    run.exits(0).says("no frame is between IMG_2.jpeg and img_4.jpeg: is one missing?");
    directory("link", &["1.jpeg", "3.jpeg"]);
    std::os::unix::fs::symlink("nowhere.jpeg", service.path("link/2.jpeg")).unwrap();
    service.run("liveness link --base-url URL").exits(2).says("link/2.jpeg: No such file");
    for (name, frames) in [("zero", ["1.jpeg", "01.jpeg"]), ("two", ["1.jpeg", "1.jpg"])] {
        directory(name, &frames);
        service.run(&format!("liveness {name} --base-url URL")).exits(2).says("which of them comes first is not known");
    }
}

#[test]
fn what_is_not_the_file_that_was_meant_is_named() {
    let service = LoopbackService::new();
    service.write("pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
    service.write("empty", "");
    service.write("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    service.write("photo.webp", b"RIFF\x24\0\0\0WEBPVP8 ");
    service.write("page.html", "<!DOCTYPE html><html><body>Sign in</body></html>");
    service.write("marked.html", format!("{MARK}<!DOCTYPE html><html><body>Sign in</body></html>"));
    service.write("line.txt", "\n");
    service.write("archive.zip", b"PK\x03\x04\x14\0\0\0\0\0");
    service.write("authority.der", rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap().cert.der());
    std::fs::create_dir(service.path("frames")).unwrap();
    std::fs::copy(service.path("pointer"), service.path("frames/1.jpeg")).unwrap();
    let lfs = "a pointer of Git LFS";
    for (line, what) in [
        ("liveness pointer --base-url URL", lfs),
        ("liveness frames --base-url URL", lfs),
        ("liveness capture.json --base-url URL --meta pointer", lfs),
        ("liveness capture.json --base-url URL --additional-info pointer", lfs),
        ("liveness capture.json --base-url URL --token-file pointer", lfs),
        ("liveness capture.json --base-url URL --ca-file pointer", lfs),
        ("liveness capture.json --base-url URL --ca-file authority.der", "it is in DER"),
        ("biometry --best-shot anna.jpg --reference pointer --base-url URL", lfs),
        ("biometry --best-shot pointer --reference anna.jpg --base-url URL", lfs),
        ("verify --base-url URL --capture capture.json --reference pointer", lfs),
        ("plan --config pointer", lfs),
        ("liveness empty --base-url URL", "empty"),
        ("liveness page.html --base-url URL", "it is an HTML page"),
        ("liveness archive.zip --base-url URL", "it is a ZIP archive"),
        ("liveness anna.jpg --base-url URL", "it is a JPEG"),
        ("biometry --best-shot anna.jpg --reference empty --base-url URL", "it is empty"),
        ("biometry --best-shot anna.jpg --reference photo.heic --base-url URL", "HEIF"),
        ("biometry --best-shot anna.jpg --reference photo.webp --base-url URL", "WebP"),
        ("biometry --best-shot anna.jpg --reference page.html --base-url URL", "an HTML page"),
        ("biometry --best-shot anna.jpg --reference capture.json --base-url URL", "it is text, neither JPEG nor PNG"),
        ("liveness marked.html --base-url URL", "it is an HTML page"),
        ("liveness capture.json --base-url URL --meta marked.html", "it is an HTML page"),
        ("liveness capture.json --base-url URL --additional-info page.html", "it is an HTML page"),
        ("liveness capture.json --base-url URL --token-file page.html", "it is an HTML page"),
        ("liveness capture.json --base-url URL --ca-file marked.html", "it is an HTML page"),
        ("plan --config page.html", "it is an HTML page"),
        ("liveness capture.json --base-url URL --token-file empty", "it is empty"),
        ("liveness capture.json --base-url URL --token-file line.txt", "there is no token in it"),
    ] {
        service.run(line).exits(2).says(what);
    }
    assert_eq!(service.calls(), 0, "before any call");
}
