//! `deploy conform`: the vendor's guide, setting by setting, against what stands. Reads only.

use std::collections::BTreeSet;

use super::Session;
use super::first_reading::FIRST_READING;
use crate::engine::Goal;
use crate::exit::Exit;
use crate::guide::conformity;
use crate::outcome::{Conformity, Failed, Outcome, Setting};

/// Shows each setting of the guide: what it says, what is, and why they differ.
///
/// # Errors
/// The stack cannot be read.
pub async fn run(session: &Session<'_>) -> Result<Outcome, Failed> {
    let wait = session.wait(FIRST_READING);
    let stack = session.read_stack(Goal::Present, false, &wait).await?;
    let plan = session.planner(&stack.site, Goal::Present, false).plan(&stack.live);
    let pending: BTreeSet<_> = plan.pending().map(|(key, _)| key).collect();
    let settings = conformity(&stack.site, &stack.live, &pending);
    let count = |conformity| settings.iter().filter(|one| one.conformity == conformity).count();
    let [equal, chosen, decided, differ, absent] =
        [Conformity::Equal, Conformity::Chosen, Conformity::Decided, Conformity::Differs, Conformity::Absent]
            .map(count);
    let summary = format!(
        "{} settings of the guide: {equal} equal, {chosen} chosen in deploy.yaml, {decided} decided by deploy, \
         {differ} differ, {absent} absent.",
        settings.len()
    );
    let (exit, word) = if differ + absent == 0 { (Exit::Done, "conforms") } else { (Exit::Changes, "differs") };
    let checks = settings.iter().map(Setting::finding).collect();
    Ok(Outcome { settings, checks, ..Outcome::new(exit, word, summary) })
}
