//! The schedule of a run: its steps, what each waited for, and which of them made the run as long as it was.

use tokio::time::Instant;

use crate::event::{Event, What};

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The resource's key, or another noun of what was waited for.
    pub resource: &'static str,
    /// What was done: Terraform's verb, or how a wait ended.
    pub verb: &'static str,
    /// When its turn came, in milliseconds since the run began.
    pub started_ms: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The steps that it waited for; none: whatever was done before.
    pub after: Vec<&'static str>,
}

impl Step {
    /// When it ended, in milliseconds since the run began.
    pub fn ended_ms(&self) -> u64 {
        self.started_ms + self.duration_ms
    }
}

/// What was done when, as the events of a run tell it.
#[derive(Debug)]
pub struct Schedule {
    start: Instant,
    noted: Vec<Noted>,
}

#[derive(Debug)]
struct Noted {
    step: Step,
    is_over: bool,
}

/// The verb of a step of which only waits are known.
const WAIT: &str = "wait";
/// The verb of a step whose turn came and of which nothing is known yet.
const NOTHING: &str = "";

impl Schedule {
    /// A run that begins now.
    pub fn begin() -> Schedule {
        Schedule { start: Instant::now(), noted: Vec::new() }
    }

    /// Something happened now.
    pub fn note(&mut self, event: &Event) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (verb, is_over) = match &event.what {
            What::Turn(_) => (NOTHING, false),
            What::Started(verb) => (*verb, false),
            What::Waiting(_) => (WAIT, false),
            What::Finished(verb) => (*verb, true),
            What::Failed(_) => ("failed", true),
            What::Warned(_) | What::Skipped(_) => return,
        };
        let mut open = self.noted.iter().rposition(|one| one.step.resource == event.key && !one.is_over);
        if let What::Turn(after) = &event.what {
            let step = Step { resource: event.key, verb, started_ms: now, duration_ms: 0, after: after.clone() };
            self.noted.push(Noted { step, is_over });
            return;
        }
        if open.is_none() {
            let step = Step { resource: event.key, verb, started_ms: now, duration_ms: 0, after: Vec::new() };
            self.noted.push(Noted { step, is_over: false });
            open = self.noted.len().checked_sub(1);
        }
        if let Some(one) = open.and_then(|at| self.noted.get_mut(at)) {
            one.step.duration_ms = now - one.step.started_ms;
            if verb != WAIT || one.step.verb == NOTHING {
                one.step.verb = verb;
            }
            one.is_over = is_over;
        }
    }

    /// The steps so far, in the order in which their turns came.
    pub fn steps(&self) -> Vec<Step> {
        let known = self.noted.iter().filter(|one| one.step.verb != NOTHING);
        let mut steps: Vec<Step> = known.map(|one| one.step.clone()).collect();
        steps.sort_by_key(|step| step.started_ms);
        steps
    }
}

/// Indices of the steps that made the run as long as it was, from the first to the last: each is the one that ended
/// last of those that the next one waited for.
pub fn critical_path(steps: &[Step]) -> Vec<usize> {
    let last = |indices: &mut dyn Iterator<Item = usize>| indices.max_by_key(|at| (steps[*at].ended_ms(), *at));
    let (mut path, mut next) = (Vec::new(), last(&mut (0..steps.len())));
    while let Some(at) = next {
        path.push(at);
        let step = &steps[at];
        // Of what happened at one moment, what stands before it in the list was before it.
        let earlier = |other: &usize| {
            let ended = steps[*other].ended_ms();
            *other != at
                && !path.contains(other)
                && (ended < step.started_ms || (ended == step.started_ms && *other < at))
        };
        let is_waited_for = |other: &usize| step.after.contains(&steps[*other].resource);
        next = last(&mut (0..steps.len()).filter(earlier).filter(is_waited_for))
            .or_else(|| last(&mut (0..steps.len()).filter(earlier)));
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::elapse;
    use std::time::Duration;

    fn step(resource: &'static str, (started_ms, ended): (u64, u64), after: &[&'static str]) -> Step {
        Step { resource, verb: "create", started_ms, duration_ms: ended - started_ms, after: after.to_vec() }
    }

    fn path(steps: &[Step]) -> Vec<&'static str> {
        critical_path(steps).into_iter().map(|at| steps[at].resource).collect()
    }

    #[test]
    fn the_path_goes_back_from_the_last_end_by_what_was_waited_for() {
        let steps = [
            step("group", (0, 100), &[]),
            step("role", (0, 900), &[]),
            step("balancer", (100, 300), &["group"]),
            step("listener", (300, 400), &["balancer", "group"]),
            step("record", (300, 310), &["balancer"]),
            step("fleet", (900, 950), &["role", "listener"]),
        ];
        assert_eq!(path(&steps), ["role", "fleet"]);
        assert_eq!(path(&steps[..4]), ["role"], "what ended last, though nothing waited for it");
        assert_eq!(path(&[]), Vec::<&str>::new());
    }

    #[test]
    fn what_follows_everything_follows_what_ended_last() {
        let steps = [
            step("template", (0, 50), &[]),
            step("group", (50, 90), &["template"]),
            step("balancer", (0, 200), &[]),
            step("targets", (210, 900), &[]),
        ];
        assert_eq!(path(&steps), ["balancer", "targets"]);
    }

    #[test]
    fn what_took_no_time_has_its_place_too() {
        let steps = [
            step("a", (0, 0), &[]),
            step("b", (0, 0), &["a"]),
            step("c", (0, 0), &["b"]),
            step("other", (0, 0), &[]),
            step("d", (0, 5), &["c"]),
        ];
        assert_eq!(path(&steps), ["a", "b", "c", "d"]);
    }

    #[tokio::test(start_paused = true)]
    async fn events_become_steps() {
        let mut schedule = Schedule::begin();
        let mut note = |key, what| schedule.note(&Event { key, name: String::new(), what });
        note("group", What::Turn(vec![]));
        note("group", What::Started("create"));
        elapse(Duration::from_secs(2)).await;
        note("group", What::Waiting("AWS is not ready".to_owned()));
        note("group", What::Finished("create"));
        note("fleet", What::Turn(vec!["group"]));
        note("listener", What::Turn(vec!["group"]));
        elapse(Duration::from_secs(1)).await;
        note("fleet", What::Failed("no".to_owned()));
        note("targets", What::Waiting("0 of 2".to_owned()));
        elapse(Duration::from_secs(1)).await;
        note("targets", What::Waiting("1 of 2".to_owned()));
        let failed = Step { verb: "failed", ..step("fleet", (2000, 3000), &["group"]) };
        let waiting = Step { verb: "wait", ..step("targets", (3000, 4000), &[]) };
        assert_eq!(schedule.steps(), [step("group", (0, 2000), &[]), failed, waiting]);
    }
}
