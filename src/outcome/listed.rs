//! One stack of an account, for `list`.

use schemars::JsonSchema;
use serde::Serialize;

/// A stack that was found by its tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedStack {
    /// The value of its owner tag.
    pub stack: String,
    /// How many of its security groups, launch templates, target groups, load balancers and auto scaling groups stand;
    /// `None`: not all of them could be looked for.
    pub resources: Option<usize>,
    /// Whether one of these kinds is missing; `None`: not all of them could be looked for.
    pub incomplete: Option<bool>,
    /// Fewest instances; `None`: no auto scaling group was seen.
    pub min: Option<i32>,
    /// How many instances are wanted now.
    pub desired: Option<i32>,
    /// Most instances.
    pub max: Option<i32>,
    /// How many instances are in service.
    pub running: Option<usize>,
    /// Whether it is parked: no instances, and its sizes kept; `None`: no auto scaling group was seen.
    pub parked: Option<bool>,
    /// The load balancer's own name in DNS.
    pub load_balancer: Option<String>,
    /// When it expires, as its tag says; `None`: never, unless its security groups could not be looked for.
    pub expires: Option<String>,
    /// How many seconds are left until then, less than 0 afterwards; `None` where the tag holds no time.
    pub expires_in_seconds: Option<i64>,
}
