//! Terraform, which nobody here wrote, makes the guide's stack in the sandbox, finds nothing to change, and removes it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{AwsServer, KEYS, PLUGINS, Run, left_out};

const CONFIGURATION: &str = include_str!("support/terraform/main.tf");

#[test]
fn terraform_makes_the_stack_finds_no_change_and_removes_it() {
    let Some(plugins) = std::env::var_os(PLUGINS) else {
        return left_out("terraform::terraform_makes_the_stack_finds_no_change_and_removes_it");
    };
    let server = AwsServer::sandbox_at(30);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("terraform-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("main.tf"), CONFIGURATION).unwrap();
    let terraform = |line: &str| {
        let mut command = Command::new("terraform");
        command.current_dir(&folder).args(line.split_whitespace()).envs(KEYS);
        command.env("TF_VAR_endpoint", &server.url).env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1");
        command.env_remove("HTTP_PROXY").env_remove("http_proxy");
        command
    };
    let runs = |line: &str| {
        Run::of(&mut terraform(line)).exits(0);
    };
    Run::of(terraform("init -no-color -input=false").arg("-plugin-dir").arg(&plugins)).exits(0);
    runs("apply -no-color -input=false -auto-approve");
    runs("plan -no-color -input=false -detailed-exitcode");
    runs("destroy -no-color -input=false -auto-approve");
    fs::remove_dir_all(&folder).unwrap();
}
