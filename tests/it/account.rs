//! Which account is touched: said first, part of every envelope, and refused when it is another one than deploy.yaml's.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Fault, Home, Run, Stage};

const OTHER: &str = "--set account='999999999999'";
const OURS: &str = "--set account='123456789012'";

#[tokio::test(start_paused = true)]
async fn another_account_is_refused_by_every_verb_before_any_write() {
    let stage = Stage::up().await;
    for verb in ["up --set scaling.max=50", "plan", "status", "verify", "diagnose", "teardown --yes"] {
        let ended = stage.run(&format!("{verb} {OTHER}")).await;
        ended.refused_before_any_write().ends_as("wrong_account").says("123456789012").says("999999999999");
    }
    stage.unchanged_by(&format!("up {OURS}")).await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_sts_does_not_say_is_the_credentials_own() {
    let stage = Stage::up().await;
    let calls = stage.succeeds("up").await.calls;
    let asked = calls.iter().position(|call| call.operation == "GetCallerIdentity").unwrap();
    for (account, exit) in [("", 0), (OURS, 0), (OTHER, 4)] {
        stage.sandbox.disturb(asked, Fault::Refuse);
        let ended = stage.run(&format!("up {account}")).await;
        ended.writes_nothing().demand(stage.sandbox.clear_fault(), || "the question must have been refused".to_owned());
        ended.demand(ended.exit as u8 == exit, || format!("it must exit with {exit}"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_envelope_says_account_and_caller() {
    let stage = Stage::up().await;
    for verb in ["up", "plan", "status", "verify", "diagnose", "teardown --dry-run"] {
        let envelope = stage.json(verb).await;
        assert_eq!(envelope["account"], "123456789012", "{verb}");
        assert_eq!(envelope["caller"], "arn:aws:iam::123456789012:user/sandbox", "{verb}");
    }
}

#[test]
fn an_account_is_twelve_digits() {
    let home = Home::new();
    home.run("--sandbox plan --set account='12345'").exits(2).says("twelve digits");
}

/// The first line of every verb on a stack, in the sandbox too, which says that it is one.
#[test]
fn the_first_line_says_what_is_touched() {
    let home = Home::new();
    for verb in ["up --no-verify", "plan", "status", "teardown --yes"] {
        let run = home.run(&format!("--sandbox {verb}"));
        let stderr = run.stderr();
        let first = stderr.lines().next().unwrap_or_default();
        let says =
            ["the sandbox", "123456789012", "eu-central-1", "oz-liveness"].iter().all(|part| first.contains(part));
        run.exits(0).demand(says, || "its first line must say account, region and stack".to_owned());
    }
}

const STACK: &str = "network: { vpc: vpc-0123456789abcdef0, private_subnets: [subnet-0123456789abcdef0, \
                     subnet-0123456789abcdef1] }\nload_balancer: { listener: http }\n";

/// The program with two profiles, and other keys in the environment.
fn with_profiles(home: &Home, line: &str, endpoint: &str) -> Command {
    let prod = format!("[profile prod]\nregion = eu-west-1\n{endpoint}\n");
    home.write("config", format!("{prod}[profile test]\nregion = eu-central-1\n"));
    home.write("credentials", "[prod]\naws_access_key_id = AKIAPROD\naws_secret_access_key = prod\n");
    home.write("deploy.yaml", STACK);
    let mut command = home.command(line);
    command.env("AWS_CONFIG_FILE", home.path("config")).env("AWS_SHARED_CREDENTIALS_FILE", home.path("credentials"));
    command.env("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT").env("AWS_SECRET_ACCESS_KEY", "environment");
    command.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION").env_remove("AWS_PROFILE");
    command
}

#[test]
fn a_profile_that_does_not_exist_is_refused_with_those_that_do() {
    let home = Home::new();
    Run::of(&mut with_profiles(&home, "plan --profile nope", "")).exits(2).says("\"nope\"").says("prod, test");
}

/// What AWS's own tools do with a profile and this program does not is named, before any call.
#[test]
fn a_profile_that_asks_for_more_than_keys_is_refused_by_what_it_asks_for() {
    for (settings, setting, cure) in [
        ("role_arn = arn:aws:iam::1:role/x\nmfa_serial = arn:aws:iam::1:mfa/x", "mfa_serial", "export-credentials"),
        ("login_session = arn:aws:iam::1:user/x", "login_session", "export-credentials"),
        ("ca_bundle = /etc/corporate.pem", "ca_bundle", "AWS_CA_BUNDLE"),
    ] {
        let home = Home::new();
        let mut command = with_profiles(&home, "plan --profile prod", settings);
        command.env_remove("AWS_CA_BUNDLE");
        Run::of(&mut command).exits(2).says("\"prod\"").says(setting).says(cure);
        // The same where nobody names it on the command line and it is where the keys come from.
        let mut command = with_profiles(&home, "plan", settings);
        without_keys(&mut command).env("AWS_PROFILE", "prod");
        Run::of(&mut command).exits(2).says("\"prod\"").says(setting).says(cure);
        let config = std::fs::read_to_string(home.path("config")).unwrap();
        let mut command = with_profiles(&home, "plan", settings);
        home.write("config", config.replace("[profile prod]", "[default]"));
        Run::of(without_keys(&mut command)).exits(2).says("\"default\"").says(setting).says(cure);
        let mut command = with_profiles(&home, "plan --profile test", settings);
        home.write("config", config.replace("[profile test]", "[profile test]\nsource_profile = prod"));
        Run::of(without_keys(&mut command)).exits(2).says("\"prod\"").says(setting).says(cure);
    }
}

/// Nothing of the environment comes before the files.
fn without_keys(command: &mut Command) -> &mut Command {
    command.env_remove("AWS_CA_BUNDLE").env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY")
}

#[test]
fn a_profile_of_the_environment_that_does_not_exist_is_refused_with_those_that_do() {
    let home = Home::new();
    let mut command = with_profiles(&home, "plan", "");
    Run::of(without_keys(&mut command).env("AWS_PROFILE", "nope")).exits(2).says("\"nope\"").says("prod, test");
}

/// Keys in the environment come before a profile that nobody named: what it asks for does not matter then.
#[test]
fn keys_in_the_environment_win_over_a_profile_of_the_environment() {
    let (home, listener) = (Home::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let settings = format!("login_session = x\nendpoint_url = http://{}", listener.local_addr().unwrap());
    let mut command = with_profiles(&home, "plan", &settings);
    command.env("AWS_PROFILE", "prod");
    let mut child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    listener.set_nonblocking(true).unwrap();
    let head = first_request(&listener);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(head.contains("AKIAENVIRONMENT/"), "{head}");
}

/// `--profile` means that profile, whatever the environment holds: the request is signed with its key for its region.
#[test]
fn a_profile_wins_over_keys_in_the_environment() {
    let (home, listener) = (Home::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let endpoint = format!("endpoint_url = http://{}", listener.local_addr().unwrap());
    let mut command = with_profiles(&home, "plan --profile prod", &endpoint);
    let mut child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    listener.set_nonblocking(true).unwrap();
    let head = first_request(&listener);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(head.contains("AKIAPROD/") && head.contains("/eu-west-1/"), "{head}");
    assert!(!head.contains("AKIAENVIRONMENT"), "{head}");
}

/// The head of the first request that comes within ten seconds.
fn first_request(listener: &TcpListener) -> String {
    for _ in 0..1000 {
        if let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut buffer = vec![0; 8192];
            let read = stream.read(&mut buffer).unwrap();
            return String::from_utf8_lossy(&buffer[..read]).into_owned();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no request came");
}
