//! What the stack costs: shown before something is made or changed, and refused above `--max-monthly`.

use super::Session;
use crate::clock::Wait;
use crate::cost::{Running, is_as_wanted, monthly};
use crate::engine::LiveStack;
use crate::outcome::{Cost, Failed, Outcome, Problem};
use crate::steps::{auto_scaling, launch_template, load_balancer};

impl Session<'_> {
    /// What deploy.yaml's stack costs a month, and what of it runs.
    pub async fn cost(&self, live: &LiveStack, wait: &Wait<'_>) -> Cost {
        let found = |key| live.get(key).and_then(Option::as_ref);
        let instances = match found(auto_scaling::NAME.0) {
            Some(group) => group.outputs.get(&auto_scaling::DESIRED).and_then(|desired| desired.parse().ok()),
            None => Some(0),
        };
        let template = found(launch_template::ID.0);
        let is_as_wanted = template.is_some_and(|template| is_as_wanted(&template.spec, &self.config));
        let has_load_balancer = found(load_balancer::ARN.0).is_some();
        let running = Running { instances, is_as_wanted, has_load_balancer };
        monthly(&self.cloud, &self.config, &running, wait).await
    }
}

/// Refuses a stack that may cost more than this a month, or whose cost is not known.
///
/// # Errors
/// It may, or it is not.
pub fn refuse_above(cost: &Cost, most: Option<f64>) -> Result<(), Failed> {
    let Some(most) = most else { return Ok(()) };
    let currency = cost.currency.as_deref().unwrap_or_default();
    let problem = match cost.monthly.max {
        Some(max) if max <= most => return Ok(()),
        Some(max) => Problem::new(
            format!("with scaling.max instances it costs {max:.2} {currency} a month, and --max-monthly is {most:.2}"),
            "Lower scaling.max, take a smaller instance.type or volume, or raise --max-monthly.",
        ),
        None => Problem::new(
            format!("what the stack costs is not known, and --max-monthly is {most:.2}"),
            "Allow pricing:GetProducts and the way to AWS's price list, or leave --max-monthly out.",
        )
        .because(cost.unknown.clone().unwrap_or_default()),
    };
    let outcome = Outcome::preflight("refused; nothing was changed").problem(problem);
    Err(Outcome { cost: Some(cost.clone()), ..outcome }.into())
}
