//! The binary: streams, exit codes, the envelope.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::support::{Home, Run};

#[test]
fn a_newcomer_sees_the_whole_life_of_a_stack() {
    let home = Home::new();
    home.run("--sandbox up").exits(0).prints("https://app.example.com").prints("0.0.0-sandbox");
    home.run("--sandbox up").exits(0).says("Nothing to do");
    let unchanged = home.run("--sandbox plan");
    unchanged.exits(0);
    let printed = (unchanged.stdout(), unchanged.stderr());
    let account = "the sandbox: account 123456789012 (arn:aws:iam::123456789012:user/sandbox), region \
                   eu-central-1, stack \
                   oz-liveness\n";
    assert_eq!(printed, ("No changes: the stack is as deploy.yaml wants it.\n".to_owned(), account.to_owned()));
    home.run("--sandbox teardown").exits(2); // no terminal, no --yes
    home.run("--sandbox teardown --yes").exits(0);
    let again = home.run("--sandbox teardown --yes");
    again.exits(0);
    assert_eq!(again.stderr(), format!("{account}There was nothing of this stack to remove.\n"));
    home.run("--sandbox plan --exit-code").exits(3);
    home.run("sandbox reset").exits(0);
}

#[test]
fn mistakes_are_reported_with_their_place_and_exit_with_2() {
    let home = Home::new();
    let run = home.run("plan");
    run.exits(2).says("deploy.yaml").says("--sandbox up");
    assert_eq!(run.stdout(), "");
    home.write("deploy.yaml", "network:\n  vcp: vpc-0a1b2c3d4e5f60718\nscaling: { min: many }\n");
    home.run("plan").exits(2).says("deploy.yaml:2:3").says("did you mean `vpc`").says("deploy.yaml:3:");
    home.run("up --no-such-flag").exits(2);
    home.run("up --timeout soon").exits(2);
    home.run("sandbox weather outage=maybe").exits(2).says("outage is true or false").says("shows every switch");
}

#[test]
fn the_envelope_is_one_document_on_failure_too() {
    let home = Home::new();
    for (line, code) in [
        ("--json plan", 2),
        ("--json up --no-such-flag", 2),
        ("--json --sandbox plan --exit-code", 3),
        ("--json --sandbox status", 0),
    ] {
        let run = home.run(line);
        let envelope = run.exits(code).json();
        assert_eq!(envelope["exit_code"], code, "{run}");
        assert_eq!(envelope["schema"], "deploy/v1", "{run}");
    }
}

/// Sends a signal; the code that the program then ends with.
fn ends_after(signal: &str, mut child: Child) -> Option<i32> {
    let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    child.wait().unwrap().code()
}

/// A list of accounts with an empty word in it is a pipeline's variable that was not set.
#[test]
fn an_account_in_which_stacks_may_be_removed_has_twelve_digits() {
    let home = Home::new();
    for account in ["", "12345678901", "prod"] {
        home.run(&format!("--sandbox reap --yes --account={account}")).exits(2).says("twelve digits");
    }
}

#[test]
fn interrupt_and_terminate_have_their_own_codes() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let home = Home::new();
        let mut child = home.command("--sandbox up").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(told.any(|line| line.starts_with("target_health")), "it must be waiting for healthy targets");
        std::thread::spawn(move || told.for_each(drop));
        assert_eq!(ends_after(signal, child), Some(code));
        home.run("--sandbox up").exits(0).says("Nothing to do");
    }
}

const ON_AN_ACCOUNT: &str = "region: eu-central-1\nload_balancer: { listener: http }\n\
    network: { vpc: vpc-0a1b2c3d4e5f60718, private_subnets: [subnet-0bbbbbbbbbbbbbbb1, subnet-0bbbbbbbbbbbbbbb2] }\n";

/// An endpoint that takes the connection and never answers: Ctrl-C and --timeout end the first look at once, not after
/// its last attempt.
#[test]
fn a_first_look_without_an_answer_can_be_ended() {
    let home = Home::new();
    home.write("deploy.yaml", ON_AN_ACCOUNT);
    let silent = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url)
    };
    for line in ["plan", "up", "teardown --yes", "status", "verify", "diagnose"] {
        let (listener, url) = silent();
        let child = home.command_at(&url, line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let _asked = listener.accept().unwrap(); // it is in the middle of it
        assert_eq!(ends_after("INT", child), Some(130), "{line}");
    }
    let (_listener, url) = silent();
    for line in ["up --timeout 1s", "teardown --yes --timeout 1s"] {
        Run::of(&mut home.command_at(&url, line)).exits(5);
    }
}

/// A run where no source has credentials.
fn without_credentials(home: &Home, line: &str) -> Run {
    let mut command = home.command(line);
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "none")
        .env("AWS_SHARED_CREDENTIALS_FILE", "none")
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_PROFILE");
    Run::of(&mut command)
}

#[test]
fn missing_credentials_are_reported_with_their_cure() {
    let home = Home::new();
    home.write("deploy.yaml", ON_AN_ACCOUNT);
    without_credentials(&home, "plan").exits(1).says("no usable credentials").says("aws sso login");
    let told = without_credentials(&home, "diagnose");
    told.demand(told.stderr().matches("error:").count() == 1, || "it is told once, not by each call".to_owned());
    told.says("the environment (environment variable not set); the profile \"default\" (nothing there)");
}
