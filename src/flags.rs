//! The command line's flags, as messages name them. A test holds that each exists.

/// `up --adopt`
pub const ADOPT: &str = "--adopt";
/// `up --force`
pub const FORCE: &str = "--force";
/// `up --allow-scale-in`
pub const ALLOW_SCALE_IN: &str = "--allow-scale-in";
/// `up --protected-instances`
pub const PROTECTED_INSTANCES: &str = "--protected-instances";
/// `up --standby-instances`
pub const STANDBY_INSTANCES: &str = "--standby-instances";
/// `up --remove-authentication`
pub const REMOVE_AUTHENTICATION: &str = "--remove-authentication";
/// `up --no-verify`
pub const NO_VERIFY: &str = "--no-verify";
/// `teardown --allow-unseen-regions`
pub const ALLOW_UNSEEN_REGIONS: &str = "--allow-unseen-regions";
/// `teardown --yes`
pub const YES: &str = "--yes";
/// `reap --account`
pub const ACCOUNT: &str = "--account";
/// `up --timeout`
pub const TIMEOUT: &str = "--timeout";
/// `deploy --config`
pub const CONFIG: &str = "--config";
/// `deploy --json`
pub const JSON: &str = "--json";
/// `deploy --verbose`
pub const VERBOSE: &str = "-v";
/// `deploy --trace`
pub const TRACE: &str = "--trace";
/// `deploy --set`
pub const SET: &str = "--set";
/// `deploy --profile`
pub const PROFILE: &str = "--profile";
/// `verify --base-url`
pub const BASE_URL: &str = "--base-url";
/// `verify --connect-to`
pub const CONNECT_TO: &str = "--connect-to";
/// `up --require-answer`
pub const REQUIRE_ANSWER: &str = "--require-answer";
/// `verify --ca-file`
pub const CA_FILE: &str = "--ca-file";
/// `verify --token-file`
pub const TOKEN_FILE: &str = "--token-file";
/// `verify --allow-http`
pub const ALLOW_HTTP: &str = "--allow-http";
/// `verify --min-confidence`
pub const MIN_CONFIDENCE: &str = "--min-confidence";
/// `verify --reference`
pub const REFERENCE: &str = "--reference";
/// `liveness --tag`
pub const TAG: &str = "--tag";
/// `liveness --meta`
pub const META: &str = "--meta";
/// `liveness --additional-info`
pub const ADDITIONAL_INFO: &str = "--additional-info";
