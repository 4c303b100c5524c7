//! `deploy bundle`: what the vendor's support asks for, in one file, and nothing that tells who somebody is.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{Exit, Home, Need, Stage, policy, without};

/// The files of a bundle.
fn opened(path: &Path) -> BTreeMap<String, String> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut text = |name: &str| {
        let mut text = String::new();
        zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    names.iter().map(|name| (name.clone(), text(name))).collect()
}

/// The files of a bundle of this stage.
async fn bundled(stage: &Stage, flags: &str) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("support.zip");
    let ended = stage.over_sockets(&format!("bundle {} {flags}", path.display())).await;
    ended.exits(Exit::Done).ends_as("printed").writes_nothing();
    opened(&path)
}

fn json(files: &BTreeMap<String, String>, name: &str) -> Value {
    serde_json::from_str(&files[name]).unwrap_or_else(|error| panic!("{name}: {error}\n{}", files[name]))
}

/// A stack that is broken in ways that the support would ask for.
async fn broken() -> Stage {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.dead.push("*".to_owned()));
    stage.edited(|aws| {
        aws.target_group().matcher("200");
        aws.security_group("app-sg").close(8501);
    })
}

#[tokio::test(start_paused = true)]
async fn it_has_what_the_support_asks_for() {
    let files = bundled(&broken().await, "").await;
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let all = ["README.txt", "activities.json", "diagnose.json", "plan.json", "plan.txt", "status.json"];
    assert_eq!(names, [&all[..], &["targets.json", "versions.json"]].concat());
    for name in &names[1..] {
        assert!(files["README.txt"].contains(&format!("  {name}")), "README.txt says what {name} is");
    }
    assert!(files["plan.txt"].contains("health_check.success_codes: \"200\" -> \"404\""), "{}", files["plan.txt"]);
    assert_eq!(json(&files, "plan.json")[0]["action"], "update");
    let findings = &json(&files, "diagnose.json")["checks"];
    assert!(findings.as_array().unwrap().iter().any(|one| one["status"] == "fail"), "{findings}");
    let status = json(&files, "status.json");
    assert_eq!([&status["schema"], &status["command"]], ["deploy/v1", "status"]);
    let activities = json(&files, "activities.json");
    assert!(activities[0]["description"].as_str().unwrap().contains("i-"), "{activities}");
    assert_eq!(json(&files, "targets.json")["registered"], 2);
    let versions = json(&files, "versions.json");
    assert_eq!(versions["deploy"], env!("CARGO_PKG_VERSION"));
    assert_eq!(versions["template"]["instance_type"], "c7i-flex.4xlarge");
}

/// Neither the account nor a name nor an address is in it; what stands behind one mask is one thing.
#[tokio::test(start_paused = true)]
async fn nothing_in_it_tells_who_somebody_is() {
    let stage = broken().await;
    let shown = bundled(&stage, "--no-redact").await;
    let masked = bundled(&stage, "").await;
    let [shown_all, masked_all] = [&shown, &masked].map(|files| files.values().cloned().collect::<String>());
    for secret in ["123456789012", "user/sandbox", "example.com", "elb.amazonaws.com"] {
        assert!(shown_all.contains(secret), "without a mask {secret} is there");
        assert!(!masked_all.contains(secret), "{secret} is in the bundle");
    }
    let status = json(&masked, "status.json");
    assert_eq!([&status["account"], &status["caller"]], ["account-1", "caller-1"]);
    assert_eq!(status["account"], json(&masked, "diagnose.json")["account"], "the same mask everywhere");
    let of_balancer = |id: &str| id.starts_with("arn:aws:elasticloadbalancing:eu-central-1:account-1:");
    let ids = status["resources"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str());
    assert_eq!(ids.filter(|id| of_balancer(id)).count(), 4, "{status}");
    assert!(masked["README.txt"].contains("Masked") && shown["README.txt"].contains("Nothing is masked"));
}

/// What may not be read is told, and the rest is in the bundle.
#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_told() {
    let stage = Stage::up().await;
    stage.allow(without(policy("bundle", &[Need::Verify]), "acm:DescribeCertificate"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("support.zip");
    let ended = stage.over_sockets(&format!("bundle {}", path.display())).await;
    ended.exits(Exit::Done).ends_as("printed").says("is not known");
    assert_eq!(json(&opened(&path), "status.json")["outcome"], "standing");
}

/// A bundle is written also where nothing stands: who needs help has something that fails.
#[tokio::test(start_paused = true)]
async fn it_is_written_also_where_nothing_stands() {
    let files = bundled(&Stage::new(), "").await;
    assert_eq!(json(&files, "status.json")["outcome"], "absent");
    assert!(files["plan.txt"].contains("16 to create"), "{}", files["plan.txt"]);
    assert_eq!(files["activities.json"], "null\n");
}

#[test]
fn it_is_never_written_over_another_file() {
    let home = Home::new();
    home.run("--sandbox up").exits(0);
    home.write("support.zip", "theirs");
    home.run("--sandbox bundle support.zip").exits(2).says("support.zip is there already");
    assert_eq!(std::fs::read(home.path("support.zip")).unwrap(), b"theirs");
    home.run("--sandbox bundle support.zip --force").exits(0).says("are masked");
    assert!(opened(&home.path("support.zip"))["README.txt"].contains("versions.json"));
    home.run("--sandbox bundle no/such/place.zip").exits(1).says("no/such/place.zip");
    let made = std::process::Command::new("mkfifo").arg(home.path("pipe")).status().unwrap();
    assert!(made.success());
    home.run("--sandbox bundle pipe --force").exits(1).says("it is there, and is no file");
    assert!(std::fs::metadata(home.path("pipe")).unwrap().file_type().is_fifo());
    home.write("deploy.yaml", "");
    home.run("--sandbox bundle deploy.yaml --force").exits(2).says("a file that this run reads");
}
