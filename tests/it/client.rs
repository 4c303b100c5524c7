//! `deploy liveness`, `deploy biometry` and `deploy verify --base-url`: the binary against the stand-in service, over
//! real HTTP.

use std::time::Duration;

use serde_json::json;

use crate::support::{Answer, Kind, LoopbackService, samples};

#[test]
fn an_accepted_capture_is_sent_as_the_guide_says() {
    let service = LoopbackService::new();
    let run = service.run("liveness capture.json --base-url URL --best-shot best.jpg --json");
    run.exits(0);
    let envelope = run.json();
    assert_eq!(envelope["outcome"], "accepted");
    let verdict = &envelope["verdict"];
    assert_eq!(
        (&verdict["transport"], &verdict["technical"], &verdict["decision"]),
        (&json!("ok"), &json!("ok"), &json!("SUCCESS"))
    );
    assert_eq!((&verdict["score"], &verdict["folder_id"]), (&json!(0.02), &json!("some_id")));
    assert!(verdict["duration_ms"].is_u64());

    let [seen] = &service.requests()[..] else { panic!("one call") };
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/api/instant/folders/"));
    assert!(!seen.headers.contains_key("x-forensic-access-token"));
    let part =
        |name: &str, file: Option<&str>, kind: &str| (name.to_owned(), file.map(str::to_owned), Some(kind.to_owned()));
    let parts: Vec<_> =
        seen.parts.iter().map(|(name, file, kind, _)| (name.clone(), file.clone(), kind.clone())).collect();
    assert_eq!(
        parts,
        [part("media_key1", Some("media_key1.zip"), "application/zip"), part("payload", None, "application/json")]
    );
    assert_eq!(seen.frames, ["img-1-00001.png", "img-1-00002.jpeg", "img-1-00003.jpeg", "img-1-00004.jpeg"]);
    let capture = samples::capture("anna", false);
    let wanted = json!({
        "folder:meta_data": {"transaction_id": "sandbox"},
        "media:meta_data": {"media_key1": {"additional_info": capture["additional_info"]}},
        "media:tags": {"media_key1": ["video_selfie_blank"]},
        "analyses": [{"type": "quality", "params": {"extract_best_shot": true}}],
    });
    assert_eq!(seen.payload, Some(wanted));

    let best = std::fs::read(service.path("best.jpg")).unwrap();
    assert_eq!(best, samples::picture(Kind::Jpeg, "anna", false));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(service.path("best.jpg")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(envelope["outputs"]["best_shot"].as_str().unwrap().contains("JPEG"));
}

#[test]
fn the_first_frame_can_be_left_out() {
    let service = LoopbackService::new();
    service.run("liveness capture.json --base-url URL --first-frame skip").exits(0);
    assert_eq!(service.requests()[0].frames, ["img-1-00001.jpeg", "img-1-00002.jpeg", "img-1-00003.jpeg"]);
}

#[test]
fn a_directory_of_frames_is_a_capture() {
    let service = LoopbackService::new();
    std::fs::create_dir(service.path("frames")).unwrap();
    for name in ["frames/1.jpg", "frames/2.jpg", "frames/.hidden"] {
        service.write(name, samples::picture(Kind::Jpeg, "anna", false));
    }
    service.write("meta.json", r#"{"iin": "1234567"}"#);
    service.write("info.txt", "opaque\n");
    let run = service
        .run("liveness frames --base-url URL --tag video_selfie_smile --meta meta.json --additional-info info.txt");
    run.exits(0);
    let seen = &service.requests()[0];
    assert_eq!(seen.frames, ["img-1-00001.jpeg", "img-1-00002.jpeg"]);
    let payload = seen.payload.as_ref().unwrap();
    assert_eq!(payload["media:tags"]["media_key1"], json!(["video_selfie_smile"]));
    assert_eq!(payload["media:meta_data"]["media_key1"]["additional_info"], "opaque");
    assert_eq!(payload["folder:meta_data"], json!({"iin": "1234567"}));
    let run = service.run("liveness frames --base-url URL");
    run.exits(0).says("warning: the capture has no additional_info");
}

#[test]
fn biometry_compares_two_pictures_under_their_true_types() {
    let service = LoopbackService::new();
    // A JPEG that is called .png, as the guide's best shot is.
    service.write("best_shot.png", samples::picture(Kind::Jpeg, "anna", false));
    let run = service.run("biometry --best-shot best_shot.png --reference anna.png --base-url URL --json");
    run.exits(0).ends_as("accepted");
    let seen = &service.requests()[0];
    let kinds: Vec<_> = seen.parts.iter().map(|(name, _, kind, _)| (name.as_str(), kind.as_deref().unwrap())).collect();
    assert_eq!(kinds, [("media_key1", "image/png"), ("media_key2", "image/jpeg"), ("payload", "application/json")]);
    assert_eq!(
        seen.payload.as_ref().unwrap()["media:tags"],
        json!({"media_key1": ["photo_selfie"], "media_key2": ["photo_selfie"]})
    );

    for (floor, code) in [("0.99", 0), ("0.995", 7), ("1.5", 2)] {
        let line = "biometry --best-shot anna.jpg --reference anna.png --base-url URL --min-confidence";
        service.run(&format!("{line} {floor}")).exits(code);
    }
    let run =
        service.run("biometry --best-shot anna.jpg --reference bert.png --base-url URL --json --min-confidence 0");
    run.exits(7).ends_as("declined");
}

#[test]
fn each_answer_has_its_exit_code() {
    let service = LoopbackService::new();
    let slow = Duration::from_secs(30);
    let with = |pointer, value| Answer::With(pointer, value);
    let rows = [
        (Answer::Judged, 0, "accepted"),
        (Answer::Declined, 7, "declined"),
        (Answer::OperatorRequired, 7, "operator_required"),
        (Answer::Failed, 6, "failed"),
        (Answer::Processing, 6, "failed"),
        (with("/analyses/0/resolution_status", json!("DECLINED")), 6, "failed"),
        (with("/analyses/0/resolution", json!("DECLINED")), 6, "failed"),
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
        (Answer::Raw(200, "text/html", b"<html>".to_vec()), 6, "failed"),
        (Answer::Raw(200, "application/json", b"[]".to_vec()), 6, "failed"),
        (Answer::Raw(201, "application/json", b"null".to_vec()), 6, "failed"),
        (Answer::Cut, 6, "failed"),
        (Answer::Flood(65 << 20), 6, "failed"),
        (Answer::Slow(slow), 5, "timeout"),
    ];
    for (answer, code, outcome) in rows {
        service.script(|script| script.liveness = answer.clone());
        let run = service.run("liveness capture.json --base-url URL --json --timeout 3s");
        run.demand(run.code() == code, || format!("{answer:?} must be exit {code}")).ends_as(outcome);
    }
    assert_eq!(service.calls(), 26, "a POST is never repeated");
}

#[test]
fn biometry_needs_a_usable_confidence() {
    let service = LoopbackService::new();
    for value in [json!("1.0"), json!(null), json!(1.5), json!({})] {
        let answer = Answer::With("/analyses/0/results_data/min_confidence", value);
        service.script(|script| script.biometry = answer);
        service.run("biometry --best-shot anna.jpg --reference anna.png --base-url URL").exits(6);
    }
}

#[test]
fn a_negative_control_turns_the_codes_round() {
    let service = LoopbackService::new();
    let ends = |line: &str, code: i32, outcome: &str| {
        service.run(&format!("{line} --base-url URL --expect declined --json")).exits(code).ends_as(outcome);
    };
    ends("liveness spoof.json", 0, "declined");
    ends("liveness capture.json", 7, "accepted");
    ends("biometry --best-shot anna.jpg --reference bert.png", 0, "declined");
    ends("verify --capture spoof.json", 0, "declined");
    ends("verify --capture capture.json --reference bert.png", 0, "declined");
    ends("verify --capture capture.json --reference anna.png", 7, "accepted");
    service.script(|script| script.liveness = Answer::OperatorRequired);
    ends("liveness spoof.json", 7, "operator_required");
    service.script(|script| script.liveness = Answer::Failed);
    ends("liveness spoof.json", 6, "failed");
}

#[test]
fn verify_against_a_url_chains_the_calls() {
    let service = LoopbackService::new();
    let run = service.run("verify --base-url URL --capture capture.json --reference anna.png --count 3 --json");
    run.exits(0);
    let envelope = run.json();
    let ids: Vec<_> = envelope["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["id"].as_str().unwrap(), check["status"].as_str().unwrap()))
        .collect();
    assert_eq!(ids, [("version", "pass"), ("liveness", "pass"), ("biometry", "pass")]);
    let paths: Vec<_> = service.requests().into_iter().map(|seen| seen.method).collect();
    assert_eq!(paths, ["GET", "GET", "GET", "POST", "POST"], "only the free check is repeated");
    // The best shot is sent on as what it is, with the liveness folder's meta.
    let last = service.requests().pop().unwrap();
    assert_eq!(last.parts[1].2.as_deref(), Some("image/jpeg"));
    assert_eq!(last.payload.unwrap()["folder:meta_data"], json!({"transaction_id": "sandbox"}));

    service.script(|script| script.liveness = Answer::NoBestShot);
    service.run("verify --base-url URL --capture capture.json").exits(0);
    service.run("verify --base-url URL --capture capture.json --reference anna.png").exits(6);
    service.run("liveness capture.json --base-url URL --best-shot none.jpg").exits(6);
    assert!(!service.path("none.jpg").exists());
    service.script(|script| script.version = Answer::Html(503));
    let before = service.calls();
    service.run("verify --base-url URL --capture capture.json").exits(6);
    assert_eq!(service.calls(), before + 1, "no metered call to a service that does not answer");
}
