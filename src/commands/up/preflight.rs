//! What AWS would refuse minutes later: looked at before the first create.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::Subnet;

use crate::cloud;
use crate::commands::Session;
use crate::engine::{Decision, Plan};
use crate::outcome::{Failed, Outcome, Problem};
use crate::site::Site;

/// Looks at what the stack is made in.
///
/// # Errors
/// Something would not do: everything at once.
pub async fn preflight(session: &Session<'_>, site: &Site, plan: &Plan) -> Result<(), Failed> {
    if !plan.iter().any(|(_, decision)| matches!(decision, Decision::Create(_))) {
        return Ok(());
    }
    let refused = Outcome::preflight("preflight refused; nothing was changed");
    let problems = match subnets(session, site).await {
        Ok(subnets) => judge(&subnets, site),
        Err(error) => return Err(refused.problem(&error).into()),
    };
    if problems.is_empty() { Ok(()) } else { Err(refused.with_problems(problems).into()) }
}

async fn subnets(session: &Session<'_>, site: &Site) -> cloud::Result<Vec<Subnet>> {
    let network = &site.config.network;
    let ids: BTreeSet<&String> = network.private_subnets.iter().chain(&network.public_subnets).collect();
    let request = session.cloud.ec2.describe_subnets().set_subnet_ids(Some(ids.into_iter().cloned().collect()));
    Ok(request.send().await?.subnets.unwrap_or_default())
}

fn judge(subnets: &[Subnet], site: &Site) -> Vec<Problem> {
    let network = &site.config.network;
    let mut problems = Vec::new();
    for subnet in subnets.iter().filter(|subnet| subnet.vpc_id() != Some(&network.vpc)) {
        let (id, vpc) = (subnet.subnet_id().unwrap_or_default(), subnet.vpc_id().unwrap_or_default());
        let what = format!("{id} is in {vpc}, not in {}", network.vpc);
        problems.push(Problem::new(what, "Name subnets of network.vpc."));
    }
    for (key, wanted) in [("private", &network.private_subnets), ("public", &network.public_subnets)] {
        let of_kind = subnets.iter().filter(|subnet| wanted.iter().any(|id| subnet.subnet_id() == Some(id)));
        let zones: BTreeSet<_> = of_kind.filter_map(Subnet::availability_zone).collect();
        if zones.len() < wanted.len().min(2) {
            let what = format!("network.{key}_subnets are all in one availability zone");
            problems.push(Problem::new(what, "A load balancer needs subnets of at least two zones."));
        }
    }
    problems
}
