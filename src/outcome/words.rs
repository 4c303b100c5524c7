//! The words of `outcome`, for programs.

/// Each word with what it means, in the order of README's table.
pub const WORDS: &[(&str, &str)] = &[
    ("changed", "the stack was made, changed or removed, and read back"),
    ("unchanged", "there was nothing to do"),
    ("changes_pending", "a plan with changes; nothing was done"),
    ("ready", "nothing is known to stand in the way of `deploy up`"),
    ("standing", "the stack, or a part of it, stands"),
    ("absent", "nothing of the stack stands"),
    ("verified", "every check passed"),
    ("drift", "it works, and is not as deploy.yaml wants it"),
    ("healthy", "nothing of the guide's troubleshooting table applies"),
    ("broken", "the most likely cause is the first check that failed"),
    ("accepted", "the service's decision was positive"),
    ("declined", "the service's decision was negative, or its score under the floor"),
    ("operator_required", "the service wants a person to decide"),
    ("conforms", "every setting of the guide is as it says, or otherwise for a reason that is told"),
    ("differs", "a setting of the guide is otherwise than it says, and nobody said so"),
    ("listed", "the stacks of the account, as far as they could be looked for"),
    ("printed", "a document was printed, or written into files"),
    ("refused", "refused before anything was changed"),
    ("wrong_account", "the credentials are of another account than deploy.yaml's"),
    ("failed", "it failed; `problems` and `checks` say why"),
    ("rolled_back", "the new version was taken back"),
    ("incomplete", "the removal left something, which is listed"),
    ("timeout", "a deadline passed"),
    ("interrupted", "a signal ended it"),
    ("unfinished", "the report of a run that has not ended yet, or was killed"),
];

/// What this word means; empty for one that does not exist.
pub fn meaning(word: &str) -> &'static str {
    WORDS.iter().find(|(known, _)| *known == word).map_or("", |(_, meaning)| meaning)
}

/// The words alone.
pub fn words() -> Vec<&'static str> {
    WORDS.iter().map(|(word, _)| *word).collect()
}
