//! What a removal ends in.

use crate::exit::Exit;
use crate::outcome::{Change, Outcome, Problem};

/// What a removal ends in that came to its end; `left`: what stays.
pub fn concluded(removed: usize, left: Vec<Problem>) -> Outcome {
    if left.is_empty() {
        let summary =
            format!("Removed {removed} resources; a look afterwards, by name and by tag, found none of them.");
        return Outcome::new(Exit::Done, "changed", summary);
    }
    let summary = format!("Removed {removed} resources; {} that are not ours stay.", left.len());
    Outcome::new(Exit::Incomplete, "incomplete", summary).with_problems(left)
}

/// Something that has our name and is not ours.
pub fn stays(change: &Change) -> Problem {
    let why = change.why.clone().unwrap_or_default();
    let why = why.replace("; with --adopt it would be tagged and changed as above", "");
    Problem::new(why, "It was left as it is.").of(format!("{} {}", change.resource, change.name))
}
