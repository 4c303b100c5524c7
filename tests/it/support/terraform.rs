//! Terraform, where it is at hand.

use std::io::Write;

/// The folder of an installed AWS provider, as `terraform init -plugin-dir` wants it.
pub const PLUGINS: &str = "DEPLOY_TERRAFORM_PLUGINS";

/// Says that this test is left out.
pub fn left_out(test: &str) {
    let _ = writeln!(std::io::stderr(), "LEFT OUT, for want of {PLUGINS}: {test} needs terraform and its provider");
}
