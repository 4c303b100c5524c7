//! What the verbs on a stack share: the first reading of the site and of what exists, and what is shown of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Session;
use super::first_reading::unanswered;
use super::strays::Strays;
use crate::checks;
use crate::clock::{Cancel, Wait};
use crate::cloud::Memo;
use crate::engine::reconcile::failed;
use crate::engine::{Goal, LiveStack, Outputs, Ownership, Planner};
use crate::outcome::{Failed, Outcome, Problem};
use crate::site::{Missing, Noun, OWNER_TAG, Site, SiteError};
use crate::steps::{STACK, load_balancer};

/// What to do where no stack of deploy.yaml's name is found.
pub const WHICH_STACKS: &str =
    "`deploy list` shows the stacks of this account and region; `stack` in deploy.yaml names one.";

/// The site, and what exists on it.
pub struct ReadStack {
    /// deploy.yaml, and what was looked up for it.
    pub site: Site,
    /// What exists.
    pub live: LiveStack,
}

impl Session<'_> {
    /// Looks the site up and reads the stack, side by side.
    ///
    /// # Errors
    /// The outcome that says why they cannot be read; nothing was changed.
    pub async fn read_stack(&self, goal: Goal, adopt: bool, wait: &Wait<'_>) -> Result<ReadStack, Failed> {
        // A removal looks through all zones for further records.
        let memo = if goal == Goal::Absent { Memo::with_lists() } else { Memo::default() };
        self.read_stack_sharing(Rc::new(memo), goal, adopt, wait).await
    }

    /// The same of a stack that is wanted, and strays, side by side: lists that both need are read once, into `memo`.
    pub async fn read_stack_and_strays(
        &self,
        adopt: bool,
        wait: &Wait<'_>,
    ) -> (Result<ReadStack, Failed>, Strays, Rc<Memo>) {
        let memo = Rc::new(Memo::with_lists());
        let stack = self.read_stack_sharing(Rc::clone(&memo), Goal::Present, adopt, wait);
        let (stack, strays) = tokio::join!(stack, self.strays(wait, Rc::clone(&memo)));
        (stack, strays, memo)
    }

    /// The same; what is read besides stays in `memo`.
    ///
    /// # Errors
    /// As [`Session::read_stack`].
    pub async fn read_stack_sharing(
        &self,
        memo: Rc<Memo>,
        goal: Goal,
        adopt: bool,
        wait: &Wait<'_>,
    ) -> Result<ReadStack, Failed> {
        let (read, identified) = tokio::join!(self.first_reading(goal, wait, memo), self.identify(wait));
        identified?;
        let (site, found) = read.map_err(unanswered)?;
        let site = site.map_err(|error| site_outcome(&error))?;
        let planner = self.planner(&site, goal, adopt);
        let live = planner.collect(found).map_err(|errors| failed(&errors, &Cancel::never(), NOTHING_CHANGED))?;
        Ok(ReadStack { site, live })
    }

    /// A planner of this stack.
    pub fn planner<'s>(&self, site: &'s Site, goal: Goal, adopt: bool) -> Planner<'s> {
        let ownership = Ownership { owner: (OWNER_TAG.to_owned(), site.config.stack.clone()), adopt };
        Planner::new(STACK, site, goal, ownership)
    }
}

const NOTHING_CHANGED: &str = "nothing was changed";

/// What is not there any more and the stack goes on with: whether it is as deploy.yaml wants it is not known of that.
pub fn gone(site: &Site) -> Vec<Problem> {
    let told = |gone: &Missing| {
        let problem = Problem::from(gone);
        match gone.noun {
            Noun::Zone => problem.because("what exists goes on, and the record is neither looked at nor made"),
            Noun::Image | Noun::Certificate => {
                problem.because("what exists goes on, and no new instance or listener can use it")
            }
        }
    };
    site.gone.iter().map(told).collect()
}

/// What a person reads of the ids: where the service answers, and what it runs on.
pub fn outputs(site: &Site, ids: &Outputs) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    if let Some(dns_name) = ids.get(&load_balancer::DNS_NAME) {
        shown.insert("load_balancer".to_owned(), dns_name.clone());
        shown.extend(checks::endpoint(site, ids).map(|endpoint| ("endpoint".to_owned(), endpoint.to_string())));
        if let (Some(name), Some(zone)) = (&site.config.verify.name, ids.get(&load_balancer::ZONE)) {
            let record = format!("{name}: an alias (A) to {dns_name} in hosted zone {zone}, or a CNAME to it");
            shown.insert("record_to_make".to_owned(), record);
        }
    }
    shown
}

fn site_outcome(error: &SiteError) -> Outcome {
    match error {
        SiteError::Missing(missing) => {
            let problems = missing.iter().map(Problem::from).collect();
            Outcome::preflight("refused; nothing was changed").with_problems(problems)
        }
        SiteError::Cloud(error) => Outcome::failed("failed; nothing was changed").problem(error),
    }
}
