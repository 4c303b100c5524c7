//! What happens during a run, for those who watch.

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The resource's key, or another noun of what is worked on.
    pub key: &'static str,
    /// AWS's name of it.
    pub name: String,
    /// What happened to it.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Its turn came: all of these, on which it depends, are done.
    Turn(Vec<&'static str>),
    /// Work on it began: Terraform's verb.
    Started(&'static str),
    /// It is not ready: why.
    Waiting(String),
    /// It is done: Terraform's verb.
    Finished(&'static str),
    /// It is done, and AWS warns of something.
    Warned(String),
    /// It could not be done: why.
    Failed(String),
    /// It was not tried: this other one, which it depends on, failed.
    Skipped(&'static str),
}
