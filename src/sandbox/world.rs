//! Everything that exists, as AWS would describe it. What time does to it is in `time`, what it begins with in `seed`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::parameters::list;
use super::tables;
use super::weather::Weather;

/// Rows of one kind by their id; a row is what a Describe call shows, and what begins with `_` is for the world alone.
pub type Table = BTreeMap<String, Value>;

/// Everything that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The account's number.
    pub account: String,
    /// The only region.
    pub region: String,
    /// Seconds since it was seeded.
    pub now: f64,
    /// What ids are counted with.
    pub counter: u64,
    /// What requests are counted with.
    pub requests: u64,
    /// Rows by their kind.
    pub tables: BTreeMap<String, Table>,
    /// Answers to client tokens.
    pub tokens: BTreeMap<String, (Value, Value)>,
    /// What goes on around it.
    #[serde(default)]
    pub weather: Weather,
    /// What the caller may do; `None`: it is the account's root, who may do everything.
    #[serde(default)]
    pub caller_policy: Option<Value>,
    /// Calls that each service still takes, and since when.
    #[serde(default)]
    pub buckets: BTreeMap<String, (f64, f64)>,
}

impl World {
    /// The rows of a kind.
    ///
    /// # Panics
    /// When there is no table of this name, here and in the three below: a name with a mistake in it would otherwise
    /// make a table of its own, in which nothing is ever found.
    pub fn table(&mut self, kind: &str) -> &mut Table {
        self.tables.entry(known(kind).to_owned()).or_default()
    }

    /// The rows of a kind, to read.
    pub fn rows(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.tables.get(known(kind)).into_iter().flat_map(|table| table.values())
    }

    /// One row.
    pub fn row(&self, kind: &str, id: &str) -> Option<&Value> {
        self.tables.get(known(kind))?.get(id)
    }

    /// One row, to change.
    pub fn row_mut(&mut self, kind: &str, id: &str) -> Option<&mut Value> {
        self.tables.get_mut(known(kind))?.get_mut(id)
    }

    /// A new id: `sg-00000000000000001`.
    pub fn id(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}-{:017x}", self.counter)
    }

    /// The number of a request.
    pub fn request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// The time as AWS writes it.
    pub fn date(&self) -> String {
        const SEEDED: i64 = 1_767_225_600; // 2026-01-01
        let time = jiff::Timestamp::from_second(SEEDED + self.now as i64).unwrap_or_default();
        time.to_string()
    }

    /// An ARN of this account and region.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        let region = if service == "iam" { "" } else { &self.region };
        format!("arn:aws:{service}:{region}:{}:{rest}", self.account)
    }

    /// What is not seeded, by name; what is over (terminated instances, past activities and refreshes) does not count.
    pub fn leftovers(&self) -> Vec<String> {
        let others = [
            tables::VPCS,
            tables::SUBNETS,
            tables::ROUTE_TABLES,
            tables::NAT_GATEWAYS,
            tables::INTERNET_GATEWAYS,
            tables::VPC_ENDPOINTS,
            tables::IMAGES,
            tables::KEY_PAIRS,
            tables::CERTIFICATES,
            tables::WEB_ACLS,
            tables::ZONES,
            tables::ACTIVITIES,
            tables::REFRESHES,
        ];
        let dead = |kind: &str, row: &Value| kind == tables::INSTANCES && row["instanceState"]["name"] == "terminated";
        let mut left: Vec<String> = Vec::new();
        for (kind, table) in self.tables.iter().filter(|(kind, _)| !others.contains(&kind.as_str())) {
            left.extend(table.iter().filter(|(_, row)| !dead(kind, row)).map(|(id, _)| format!("{kind} {id}")));
        }
        let records = self.rows(tables::ZONES).flat_map(|zone| list(zone, "_records"));
        left.extend(records.map(|record| format!("record {}", record["Name"].as_str().unwrap_or_default())));
        left
    }
}

/// This name, when it is a table's.
fn known(kind: &str) -> &str {
    assert!(tables::ALL.contains(&kind), "the sandbox has no table {kind:?}; it has {}", tables::ALL.join(", "));
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no table \"load_balancers\"; it has vpcs, vpc_endpoints")]
    fn a_table_that_there_is_not_is_an_error() {
        World::seeded(&crate::sandbox::seed()).table("load_balancers");
    }
}
