//! What a stack costs.

use schemars::JsonSchema;
use serde::Serialize;

/// A value at the group's least size, as it is now, and at its most; null where it is not known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Band<T> {
    /// At `scaling.min`.
    pub min: Option<T>,
    /// As it is.
    pub now: Option<T>,
    /// At `scaling.max`.
    pub max: Option<T>,
}

/// What a stack costs a month, by AWS's price list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Cost {
    /// `USD` or `CNY`; null when no price is known.
    pub currency: Option<String>,
    /// All of it, a month.
    pub monthly: Band<f64>,
    /// One instance with its volume, a month.
    pub instance: Option<f64>,
    /// The load balancer without its capacity units, a month.
    pub load_balancer: Option<f64>,
    /// How many instances that is.
    pub instances: Band<i32>,
    /// What is not in it.
    pub not_included: &'static str,
    /// Why it is not known; null when it is.
    pub unknown: Option<String>,
}
