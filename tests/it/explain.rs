//! `deploy explain`: each kind of word, from where the code has it.

use crate::support::{Home, configuration, table};

#[test]
fn each_kind_of_word_is_explained() {
    let home = Home::new();
    home.run("explain scaling.max").exits(0).prints("key of deploy.yaml").prints("91").prints("guide step 4");
    home.run("explain kms_key").exits(0).prints("instance.volume.kms_key").prints("ARN, id or alias");
    let name = home.run("explain names.load_balancer_security_group");
    name.exits(0)
        .prints("meaning    security group of the load balancer")
        .prints("default    \"alb-sg\"")
        .prints("step       1");
    home.run("explain scaling").exits(0).prints("scaling.min").prints("scaling.grace_period_seconds");
    home.run("explain 8").exits(0).prints("exit code").prints("not ours");
    home.run("explain exit 130").exits(0).prints("interrupted");
    home.run("explain drift").exits(0).prints("check").prints("verify");
    home.run("explain OZ305").exits(0).prints("private_subnets").prints("a way out");
    home.run("explain step 4").exits(0).prints("auto_scaling_group").prints("scaling.max").prints("load_balancer");
    home.run("explain launch_template").exits(0).prints("resource of the stack");
    let row = table().iter().find(|row| row.code.iter().any(|code| code == "ExpiredToken")).unwrap();
    home.run("explain expiredtoken").exits(0).prints(&row.cause).prints(&row.fix);
}

#[test]
fn what_this_deploy_yaml_says_is_told_beside_the_default() {
    let home = Home::new();
    home.write("deploy.yaml", configuration());
    home.run("explain scaling.max --set scaling.max=7").exits(0).prints("default    91").prints("here       7");
    let json = home.run("--json explain scaling.max").json();
    assert!(json["outputs"]["explanation"].as_str().unwrap().contains("here       91"), "{json}");
}

#[test]
fn words_that_are_not_known_are_told_with_the_nearest() {
    let home = Home::new();
    home.run("explain scaling.mx").exits(2).says("Did you mean").says("scaling.max");
    home.run("explain UnauthorisedOperation").exits(2).says("UnauthorizedOperation");
    home.run("explain qqqqq").exits(2).says("`deploy explain` lists");
    home.run("explain").exits(0).prints("scaling.max").prints("130").prints("drift").prints("step 1 to step 7");
}
