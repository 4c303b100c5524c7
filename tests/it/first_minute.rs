//! The mistakes of the first minute: each is told at once, with the one thing to do.

use crate::support::{Home, Run, configuration};

#[test]
fn a_mistake_shows_its_line() {
    let home = Home::new();
    home.write("deploy.yaml", "network:\n  vcp: vpc-0a1b2c3d4e5f60718\nscaling: { min: many }\n");
    let run = home.run("plan");
    run.exits(2).says(
        "deploy.yaml:2:3: unknown key `vcp` in `network`\n    |\n  2 |   vcp: vpc-0a1b2c3d4e5f60718\n    |   ^^^\n",
    );
    run.says("  3 | scaling: { min: many }\n    |                 ^^^^\n").says("hint: did you mean `vpc`?");
    let envelope = home.run("plan --json").json();
    let first = envelope["problems"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["message"].as_str().unwrap().contains("vcp"))
        .unwrap();
    assert_eq!((&first["file"], &first["column"], &first["key"]), (&"deploy.yaml".into(), &3.into(), &"vcp".into()));
    assert!(first["cure"].as_str().unwrap().contains("did you mean"), "{first}");
}

#[test]
fn a_mistake_that_nobody_wrote_blames_no_line() {
    let home = Home::new();
    let network = "network: { vpc: vpc-0a1b2c3d4e5f60718, private_subnets: [subnet-0bbbbbbbbbbbbbbb1, \
                   subnet-0bbbbbbbbbbbbbbb2] }\n";
    home.write("deploy.yaml", network);
    let run = home.run("plan");
    run.exits(2).says("deploy.yaml: HTTPS needs a certificate").demand(!run.stderr().contains("1:1"), || "1:1".into());
    home.write("deploy.yaml", format!("{network}load_balancer:\n  listener: https\n"));
    home.run("plan")
        .exits(2)
        .says("deploy.yaml:3:13: HTTPS needs")
        .says("  3 |   listener: https\n    |             ^^^^^\n");
}

#[test]
fn a_region_that_is_none_is_told_before_any_call() {
    let home = Home::new();
    home.write("deploy.yaml", configuration());
    let mut command = home.command("plan --region eu-centrl-1");
    command.env("AWS_ACCESS_KEY_ID", "none").env("AWS_SECRET_ACCESS_KEY", "none");
    Run::of(&mut command).exits(2).says("no such region \"eu-centrl-1\"").says("did you mean eu-central-1?");
}

#[test]
fn an_endpoint_that_is_no_url_is_told_before_any_call() {
    let home = Home::new();
    home.write("deploy.yaml", configuration());
    let run = Run::of(&mut home.command_at("127.0.0.1:1", "plan"));
    run.exits(2).says("AWS_ENDPOINT_URL: 127.0.0.1:1 is no URL").says("write http://127.0.0.1:1");
    let mut of_one = home.command_at("http://127.0.0.1:1", "plan");
    Run::of(of_one.env("AWS_ENDPOINT_URL_EC2", "localhost:5000")).exits(2).says("AWS_ENDPOINT_URL_EC2: localhost:5000");
}

#[test]
fn samples_are_written_and_kept() {
    let home = Home::new();
    home.run("sandbox sample here").exits(0).says("deploy --sandbox liveness");
    home.run("--sandbox up").exits(0);
    home.run("--sandbox liveness here/capture.json --best-shot best.jpg").exits(0);
    home.run("--sandbox biometry --best-shot best.jpg --reference here/reference.jpg").exits(0);
    home.run("sandbox sample here").exits(2).says("exists already").says("--force");
    home.run("sandbox sample here --force").exits(0);
}

#[test]
fn every_switch_of_the_weather_is_told_with_its_meaning() {
    let home = Home::new();
    let shown = home.run("sandbox weather");
    shown.exits(0).prints("The service of a new instance answers after so long.");
    for line in shown.stdout().lines().filter(|line| !line.starts_with([' ', '#', '-'])) {
        assert!(line.contains(':'), "{line}");
    }
    let text = shown.stdout();
    let switches = text.lines().filter(|line| line.contains(": ") && !line.starts_with('#')).count();
    assert!(text.lines().filter(|line| line.starts_with("# ")).count() >= switches, "{text}");
    home.run("sandbox weather boot_seconds=abc").exits(2).says("boot_seconds").says("a number");
    home.run("sandbox weather boot_second=9").exits(2).says("did you mean boot_seconds?");
}
