//! The stand-in service refuses what the real one is documented to refuse; its front is a load balancer, TLS and DNS.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{Analysis, Decision, Kind, LoopbackService, Redaction, Stage, judge, samples};

/// A client of the test's own. It never speaks TLS, and must be given some.
fn tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

fn payload(tags: Value, kind: &str) -> String {
    json!({"folder:meta_data": {}, "media:tags": tags, "analyses": [{"type": kind}]}).to_string()
}

fn field(text: impl Into<String>) -> Part {
    Part::text(text.into()).mime_str("application/json").unwrap()
}

fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file(name, stored).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

fn archive(bytes: Vec<u8>) -> Part {
    Part::bytes(bytes).file_name("media_key1.zip").mime_str("application/zip").unwrap()
}

fn photo(kind: Kind, mime: &str) -> Part {
    Part::bytes(samples::picture(kind, "anna", false)).file_name("photo").mime_str(mime).unwrap()
}

#[tokio::test]
async fn requests_are_judged_as_strictly_as_documented() {
    let service = LoopbackService::new();
    let good = || archive(zip("img-1-00001.jpeg", &samples::picture(Kind::Jpeg, "anna", false)));
    let blank = || json!({"media_key1": ["video_selfie_blank"]});
    let selfies = || json!({"a": ["photo_selfie"], "b": ["photo_selfie"]});
    let live = |zip: Part, payload: Part| Form::new().part("media_key1", zip).part("payload", payload);
    let two = |first: Part, second: Part, tags: Value| {
        Form::new().part("a", first).part("b", second).part("payload", field(payload(tags, "biometry")))
    };
    let jpeg = || photo(Kind::Jpeg, "image/jpeg");
    let rows = [
        ("good", live(good(), field(payload(blank(), "quality"))), 200, 0),
        ("no payload", Form::new().part("media_key1", good()), 400, 3),
        ("payload as a file", live(good(), field(payload(blank(), "quality")).file_name("payload.json")), 400, 5),
        ("payload as text", live(good(), Part::text(payload(blank(), "quality"))), 400, 5),
        ("the guide's own payload, with comments", live(good(), field("{\n// meta_data\n\"media:tags\": {}}")), 400, 3),
        (
            "the guide's curl: octet-stream",
            live(good().mime_str("application/octet-stream").unwrap(), field(payload(blank(), "quality"))),
            400,
            5,
        ),
        (
            "tags of media that is not there",
            live(good(), field(payload(json!({"media_key2": ["video_selfie_blank"]}), "quality"))),
            400,
            4,
        ),
        ("no tags", live(good(), field(payload(json!({"media_key1": []}), "quality"))), 400, 5),
        (
            "an unknown tag",
            live(good(), field(payload(json!({"media_key1": ["video_selfie_wave"]}), "quality"))),
            400,
            4,
        ),
        ("an unknown analysis", live(good(), field(payload(blank(), "document"))), 400, 4),
        ("no archive", live(archive(b"no zip".to_vec()), field(payload(blank(), "quality"))), 400, 4),
        ("no picture in it", live(archive(zip("a.txt", b"text")), field(payload(blank(), "quality"))), 400, 5),
        ("two good photos", two(jpeg(), photo(Kind::Png, "image/png"), selfies()), 200, 0),
        ("a photo of another type", two(jpeg(), photo(Kind::Png, "image/jpeg"), selfies()), 400, 5),
        ("a photo with another tag", two(jpeg(), jpeg(), json!({"a": ["photo_selfie"], "b": ["photo_id"]})), 400, 4),
        (
            "one photo",
            Form::new().part("a", jpeg()).part("payload", field(payload(json!({"a": ["photo_selfie"]}), "biometry"))),
            400,
            3,
        ),
    ];
    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    let client = plain.tls_backend_preconfigured(tls()).build().unwrap();
    let url = format!("{}/api/instant/folders/", service.url);
    for (what, form, status, code) in rows {
        let answer = client.post(&url).multipart(form).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{what}");
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(body["error_code"].as_i64().unwrap_or(0), code, "{what}: {body}");
    }
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(client.post(url.trim_end_matches('/'))).await, 301, "without the slash");
    assert_eq!(status(client.get(&url)).await, 405);
    assert_eq!(status(client.get(format!("{}/nothing", service.url))).await, 404);
}

#[test]
fn the_guides_own_answers_are_understood() {
    let redaction = Redaction::default();
    let liveness: Value = serde_json::from_str(include_str!("../../templates/oz-liveness.json")).unwrap();
    let verdict = judge(Analysis::Quality, &liveness, &redaction);
    assert_eq!((verdict.decision, verdict.score), (Some(Decision::Success), None), "{}", verdict.why);
    let biometry: Value = serde_json::from_str(include_str!("../../templates/oz-biometry.json")).unwrap();
    let verdict = judge(Analysis::Biometry, &biometry, &redaction);
    assert_eq!((verdict.decision, verdict.score), (Some(Decision::Success), Some(1.0)), "{}", verdict.why);
    assert!(judge(Analysis::Biometry, &liveness, &redaction).decision.is_none(), "another analysis");
    // The guide's examples repeat keys: the last one counts.
    let twice = liveness.to_string().replacen("\"state\":", "\"analysis_id\":\"first\",\"state\":", 1);
    assert!(judge(Analysis::Quality, &serde_json::from_str(&twice).unwrap(), &redaction).decision.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let stage = Stage::up().await;
    tokio::time::resume();
    let stage = stage.edited(|aws| aws.certificate().cover_only("localhost"));
    let servers = stage.sandbox.serve_loopback().await.unwrap();
    let service = LoopbackService::new();
    service.write("authority.pem", &servers.authority);
    let code = async |line: &str, variable: Option<&str>| {
        let mut command = service.command(&line.replace("FRONT", &format!("https://localhost:{}", servers.web.port())));
        command.env("NO_PROXY", "localhost");
        if let Some(file) = variable {
            command.env("SSL_CERT_FILE", service.path(file));
        }
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        output.status.code().unwrap()
    };
    let line = "verify --base-url FRONT --capture capture.json --reference anna.jpg";
    assert_eq!(code(&format!("{line} --ca-file authority.pem"), None).await, 0);
    assert_eq!(code(line, Some("authority.pem")).await, 0);
    assert_eq!(code(line, None).await, 6, "nobody trusts it");
}
