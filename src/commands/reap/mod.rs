//! `deploy reap`: removes the stacks of an account whose time is over.

mod removal;

use super::first_reading::FIRST_READING;
use super::{Session, late};
use crate::cli;
use crate::exit::Exit;
use crate::flags;
use crate::outcome::{Failed, ListedStack, Outcome, Problem};
use crate::steps::shared;
use removal::Reaped;

/// Lists what has expired; removes it with `--yes`, one stack after another.
///
/// # Errors
/// Which stacks have expired is not known, the account is not one in which stacks may be removed, or one of them was
/// not wholly removed.
pub async fn run(session: &Session<'_>, args: &cli::Reap) -> Result<Outcome, Failed> {
    let wait = session.wait(args.timeout);
    let reading = wait.at_most(FIRST_READING);
    session.identify(&reading).await?;
    if args.yes {
        admit(session, &args.accounts)?;
    }
    let stacks = reading.within(shared::stacks(&session.cloud, jiff::Timestamp::now())).await.map_err(late)?;
    if let Some((kind, error)) = stacks.unseen.iter().find(|(kind, _)| *kind == shared::WITH_EXPIRY) {
        let problem = Problem::from(error).of(format!("{kind} could not be looked for"));
        return Err(Outcome::failed("failed; what has expired is not known").problem(problem).into());
    }
    let expired: Vec<ListedStack> = stacks.found.into_iter().filter(has_expired).collect();
    let listed = Some(expired.clone());
    let count = match expired.len() {
        0 => {
            let nothing = Outcome::new(Exit::Done, "unchanged", "No stack has expired.");
            return Ok(Outcome { stacks: listed, ..nothing });
        }
        1 => "1 stack has".to_owned(),
        more => format!("{more} stacks have"),
    };
    if !args.yes {
        let summary = format!("{count} expired; nothing was removed. {} removes what has expired.", flags::YES);
        return Ok(Outcome { stacks: listed, ..Outcome::new(Exit::Done, "changes_pending", summary) });
    }
    let mut reaped = Reaped::default();
    for stack in &expired {
        reaped.remove(session, &stack.stack, &wait).await;
        if reaped.is_over() {
            break;
        }
    }
    Ok(Outcome { stacks: listed, ..reaped.outcome() })
}

fn has_expired(stack: &ListedStack) -> bool {
    stack.expires_in_seconds.is_some_and(|left| left <= 0)
}

/// Only in an account that was named.
fn admit(session: &Session<'_>, named: &[String]) -> Result<(), Failed> {
    let allowed: Vec<&str> = named.iter().chain(&session.config.account).map(String::as_str).collect();
    if allowed.is_empty() {
        let cure = format!("Name it: {} 123456789012; or `account` in deploy.yaml.", flags::ACCOUNT);
        let problem = Problem::new("reap removes stacks only in an account that is named", cure);
        return Err(Outcome::new(Exit::Usage, "refused", "nothing was removed").problem(problem).into());
    }
    let what = match session.cloud.known_identity().map(|identity| identity.account.id.as_str()) {
        Some(account) if allowed.contains(&account) => return Ok(()),
        Some(account) => {
            let allowed = allowed.join(", ");
            format!("these credentials are of the account {account}, and stacks may be removed only in {allowed}")
        }
        None => "which account these credentials are of is not known".to_owned(),
    };
    let cure = format!("Look at {} and AWS_PROFILE; {} names an account.", flags::PROFILE, flags::ACCOUNT);
    let outcome = Outcome::new(Exit::Refused, "wrong_account", "refused; nothing was removed");
    Err(outcome.problem(Problem::new(what, cure)).into())
}
