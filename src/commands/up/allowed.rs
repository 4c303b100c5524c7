//! What the command line allows a run to do besides changing fields.

use crate::cli::{self, Protected, Standby};
use crate::engine::{Effect, Kept, KeptInstances, Key, LiveStack, Plan, Planner};
use crate::flags;
use crate::outcome::Problem;

/// What the command line allows.
#[derive(Debug, Default, Clone, Copy)]
pub struct Consents {
    pub(super) scale_in: bool,
    pub(super) retry_rolled_back: bool,
    pub(super) remove_authentication: bool,
    pub(super) protected: bool,
    pub(super) standby: bool,
}

/// What this command line lets a rollout do with instances that a person keeps.
pub fn kept(args: &cli::Up) -> KeptInstances {
    let protected = args.protected_instances.map(|how| match how {
        Protected::Refresh => Kept::Replaced,
        Protected::Ignore => Kept::Ignored,
        Protected::Wait => Kept::WaitedFor,
    });
    let standby = args.standby_instances.map(|how| match how {
        Standby::Terminate => Kept::Replaced,
        Standby::Ignore => Kept::Ignored,
        Standby::Wait => Kept::WaitedFor,
    });
    KeptInstances { protected, standby }
}

impl Consents {
    /// Those of these arguments.
    pub fn of(args: &cli::Up) -> Consents {
        Consents {
            scale_in: args.allow_scale_in,
            retry_rolled_back: args.force,
            remove_authentication: args.remove_authentication,
            protected: args.protected_instances.is_some(),
            standby: args.standby_instances.is_some(),
        }
    }

    /// Why this is refused; `None`: it is allowed, or needs no consent.
    pub(super) fn refusal(self, effect: &Effect) -> Option<Problem> {
        match effect {
            Effect::ScalesIn { max, running } if !self.scale_in => Some(scales_in(*max, *running)),
            Effect::RetriesRolledBack { version, why } if !self.retry_rolled_back => {
                let what = format!("version {version} was rolled back ({why})");
                Some(Problem::new(what, format!("{} does it all the same.", flags::FORCE)))
            }
            Effect::RemovesAuthentication { what } if !self.remove_authentication => Some(removes_authentication(what)),
            Effect::MeetsProtected { instances } if !self.protected => Some(meets_kept(
                format!("{} to be replaced: protected from scale-in", instances.join(", ")),
                format!("Take the protection off, or use {} refresh, ignore or wait.", flags::PROTECTED_INSTANCES),
            )),
            Effect::MeetsStandby { instances } if !self.standby => Some(meets_kept(
                format!("{} to be replaced: in standby", instances.join(", ")),
                format!("Return them to service, or use {} terminate, ignore or wait.", flags::STANDBY_INSTANCES),
            )),
            _ => None,
        }
    }
}

/// What this plan does besides and nobody allowed, each with its resource and the flag that allows it.
pub fn unasked(consents: Consents, planner: &Planner<'_>, plan: &Plan, live: &LiveStack) -> Vec<(Key, Problem)> {
    let effects = plan.effects().chain(planner.removal_effects(plan, live));
    effects.filter_map(|(key, effect)| Some((key, consents.refusal(effect)?))).collect()
}

fn scales_in(max: i32, running: i32) -> Problem {
    Problem::new(
        format!("scaling.max {max} is below the {running} instances that the group keeps now"),
        format!("Wait until the load falls, or use {}.", flags::ALLOW_SCALE_IN),
    )
    .because(format!("AWS would terminate {} of them at once", running - max))
}

fn meets_kept(what: String, cure: String) -> Problem {
    Problem::new(what, cure).because("an instance refresh would wait an hour for them, then fail and go back")
}

fn removes_authentication(what: &str) -> Problem {
    Problem::new(
        format!("{what} stands in front of the service and goes with the listener"),
        format!("Keep the listener, or use {}.", flags::REMOVE_AUTHENTICATION),
    )
    .because("the service itself asks nobody who they are")
}
