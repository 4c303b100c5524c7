//! `deploy iam-policy`: what the verbs need, before there is anybody who has it. Asks nobody.

use super::deploy_yaml::config_file;
use super::session::configured;
use crate::cli::{Global, IamPolicy, Purpose};
use crate::cloud::partition;
use crate::config::{Config, Dns, Network};
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome};
use crate::permissions::{self, Need, Where};
use crate::report::Report;

/// Most characters of a customer managed policy, white space apart (IAM user guide, "IAM and AWS STS quotas").
const MANAGED_POLICY_MAX: usize = 6144;

/// Prints the policy for the stack of deploy.yaml, or of the guide's names where there is none.
///
/// # Errors
/// deploy.yaml has mistakes.
pub fn run(args: &IamPolicy, global: &Global, report: &Report) -> Result<Outcome, Failed> {
    let has_file = global.config.is_some() || global.sandbox || config_file(global).exists();
    let config = if has_file { configured(global)? } else { of_the_guide() };
    let from_env = || std::env::var("AWS_REGION").or_else(|_| std::env::var("AWS_DEFAULT_REGION")).ok();
    let region = config.region.clone().or_else(from_env);
    let place = Where {
        partition: partition(region.as_deref().unwrap_or_default()),
        region: region.as_deref().unwrap_or("*"),
        account: config.account.as_deref().unwrap_or("*"),
    };
    let document = permissions::document(&config, &place, &needs(args));
    if !has_file {
        report.note("there is no deploy.yaml here: with the guide's names, in any network and for any record");
    }
    for (name, value) in [("region", place.region), ("account", place.account)] {
        if value == "*" {
            report.note(&format!("for any {name}: set `{name}` in deploy.yaml to narrow it"));
        }
    }
    let length = document.to_string().chars().filter(|one| !one.is_whitespace()).count();
    if length > MANAGED_POLICY_MAX {
        report.note(&format!(
            "{length} characters: more than the {MANAGED_POLICY_MAX} of a managed policy; embed it in a role \
             (`aws iam put-role-policy`), or attach one for each of --for up, verify and teardown"
        ));
    }
    let mut outcome = Outcome::new(Exit::Done, "printed", "");
    outcome.document = Some(document);
    Ok(outcome)
}

fn needs(args: &IamPolicy) -> Vec<Need> {
    let of = |purpose: &Purpose| match purpose {
        Purpose::Up => vec![Need::Up],
        Purpose::Verify => vec![Need::Verify],
        Purpose::Teardown => vec![Need::Teardown],
        Purpose::All => vec![Need::Up, Need::Verify, Need::Teardown],
    };
    args.purposes.iter().flat_map(of).chain(args.adopt.then_some(Need::Adopt)).collect()
}

fn of_the_guide() -> Config {
    let any = || "*".to_owned();
    let network = Network { vpc: any(), private_subnets: Vec::new(), public_subnets: Vec::new() };
    Config { dns: Some(Dns { zone: any(), record: any() }), ..Config::new(network) }
}
