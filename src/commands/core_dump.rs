//! No core dump.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes core dumps off this process: its memory holds the token and faces, and a dump of it would outlive the run.
/// Unwinding from a panic would not be enough: a crash by a signal writes one too.
pub fn without_core_dump() {
    let maximum = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum }); // lowering is always allowed
    #[cfg(target_os = "linux")]
    {
        // A program that takes dumps over a pipe does not ask for the limit (core(5)).
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}
