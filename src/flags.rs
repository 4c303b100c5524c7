//! The command line's flags, as messages name them. A test holds that each exists.

/// `up --force`
pub const FORCE: &str = "--force";
/// `up --no-verify`
pub const NO_VERIFY: &str = "--no-verify";
/// `liveness --additional-info`
pub const ADDITIONAL_INFO: &str = "--additional-info";
