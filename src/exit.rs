//! The exit codes, named.

/// What the process ends with; the same for every verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// AWS refused, or a bug.
    Failed = 1,
    /// Usage, or deploy.yaml is wrong.
    Usage = 2,
    /// Changes are pending.
    Changes = 3,
    /// Refused before anything was changed.
    Refused = 4,
    /// A deadline passed.
    Deadline = 5,
    /// The service is not right.
    Unverified = 6,
    /// The service works, and its decision was negative.
    Negative = 7,
    /// Something with our name is not ours; it was not touched.
    Foreign = 8,
    /// Something is left after a removal.
    Incomplete = 9,
    /// SIGHUP, after calls in flight were let finish.
    HungUp = 129,
    /// Ctrl-C, after calls in flight were let finish.
    Interrupted = 130,
    /// SIGTERM, after calls in flight were let finish.
    Terminated = 143,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> std::process::ExitCode {
        std::process::ExitCode::from(exit as u8)
    }
}
