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

impl Exit {
    /// Every one, by number.
    pub const ALL: [Exit; 13] = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Changes,
        Exit::Refused,
        Exit::Deadline,
        Exit::Unverified,
        Exit::Negative,
        Exit::Foreign,
        Exit::Incomplete,
        Exit::HungUp,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    /// Whether the run ended before it had its answer.
    pub fn is_early(self) -> bool {
        matches!(
            self,
            Exit::Failed | Exit::Usage | Exit::Deadline | Exit::HungUp | Exit::Interrupted | Exit::Terminated
        )
    }

    /// What it means, as the help and `explain` say it.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done or nothing to do",
            Exit::Failed => "failed: AWS refused, or the result could not be written",
            Exit::Usage => "usage, or deploy.yaml is wrong",
            Exit::Changes => "changes pending (plan, when it is asked for) or drift (verify)",
            Exit::Refused => "refused before anything was changed",
            Exit::Deadline => "a deadline passed",
            Exit::Unverified => "the service is not right",
            Exit::Negative => "the service works and its decision was negative",
            Exit::Foreign => "something with our name is not ours; it was not touched",
            Exit::Incomplete => "teardown is incomplete: something is left",
            Exit::HungUp => "the terminal went away (SIGHUP)",
            Exit::Interrupted => "interrupted (Ctrl-C)",
            Exit::Terminated => "terminated (SIGTERM)",
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> std::process::ExitCode {
        std::process::ExitCode::from(exit as u8)
    }
}
