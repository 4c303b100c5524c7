//! What the program may do in an account: the least-privilege policy for each verb, from the one table
//! `templates/permissions.yaml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cloud::ec2_principal;
use crate::config::Config;
use crate::site::{full_name, is_zone_id};

/// Who needs an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// `up`, `plan`, `preflight`, `touch`, `park` and `unpark`.
    Up,
    /// `verify`, `diagnose` and `status`.
    Verify,
    /// `teardown` and `reap`.
    Teardown,
    /// `up --adopt`, beside [`Need::Up`].
    Adopt,
}

impl Need {
    fn letter(self) -> char {
        match self {
            Need::Up => 'u',
            Need::Verify => 'v',
            Need::Teardown => 't',
            Need::Adopt => 'a',
        }
    }
}

/// One statement of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    sid: String,
    actions: BTreeMap<String, String>,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    conditions: Option<Value>,
}

fn table() -> &'static [Row] {
    static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
        let text = include_str!("../templates/permissions.yaml");
        serde_yaml::from_str(text).expect("the bundled table is whole")
    });
    &TABLE
}

/// Where the stack is, as ARNs say it; `*` for what is not known.
#[derive(Debug, Clone)]
pub struct Where<'a> {
    /// `aws`, `aws-cn` and the like.
    pub partition: &'a str,
    /// `eu-central-1` and the like.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
}

/// What these verbs ask of IAM: each statement's actions, on which resources, under which conditions.
pub fn statements(config: &Config, place: &Where<'_>, needs: &[Need]) -> Vec<Statement> {
    let names = Names::of(config, place);
    let statement = |row: &Row| {
        let needed = |letters: &str| needs.iter().any(|need| letters.contains(need.letter()));
        let actions = row.actions.iter().filter(|(_, letters)| needed(letters)).map(|(action, _)| action.clone());
        let actions: Vec<String> = actions.collect();
        let resources = row.resources.iter().map(|resource| names.filled(resource));
        let resources: Vec<String> = resources.collect::<Option<_>>()?;
        let conditions = match &row.conditions {
            Some(conditions) => Some(names.filled_in(conditions)?),
            None => None,
        };
        (!actions.is_empty()).then(|| Statement { sid: row.sid.clone(), actions, resources, conditions })
    };
    table().iter().filter_map(statement).collect()
}

/// The policy document for these verbs, in IAM's own form.
pub fn document(config: &Config, place: &Where<'_>, needs: &[Need]) -> Value {
    let statements: Vec<Value> = statements(config, place, needs).iter().map(Statement::to_json).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// One statement of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its name.
    pub sid: String,
    /// What it allows.
    pub actions: Vec<String>,
    /// On which resources; none: on all, since the actions know none.
    pub resources: Vec<String>,
    /// Under which conditions, as IAM writes them.
    pub conditions: Option<Value>,
}

impl Statement {
    /// Those of its actions that may change something.
    pub fn writes(&self) -> impl Iterator<Item = &String> {
        const READS: [&str; 5] = [":Decode", ":Describe", ":Get", ":List", ":Simulate"];
        self.actions.iter().filter(|action| !READS.iter().any(|read| action.contains(read)))
    }

    fn to_json(&self) -> Value {
        let mut statement = json!({"Sid": self.sid, "Effect": "Allow", "Action": self.actions});
        statement["Resource"] = match self.resources.as_slice() {
            [] => json!("*"),
            [one] => json!(one),
            many => json!(many),
        };
        if let Some(conditions) = &self.conditions {
            statement["Condition"] = conditions.clone();
        }
        statement
    }
}

/// What the names in braces stand for; a statement with one that has no value is left out.
struct Names(BTreeMap<&'static str, String>);

impl Names {
    fn of(config: &Config, place: &Where<'_>) -> Names {
        let names = &config.names;
        let mut known = BTreeMap::from([
            ("partition", place.partition),
            ("ec2", ec2_principal(place.partition)),
            ("region", place.region),
            ("account", place.account),
            ("stack", &config.stack),
            ("vpc", &config.network.vpc),
            ("policy", &names.policy),
            ("role", &names.role),
            ("instance_profile", &names.instance_profile),
            ("load_balancer", &names.load_balancer),
            ("target_group", &names.target_group),
            ("auto_scaling_group", &names.auto_scaling_group),
        ]);
        // By a zone's id its name is not known here.
        let record = config.dns.as_ref().map(|dns| {
            if is_zone_id(&dns.zone) {
                (dns.zone.as_str(), full_name(&dns.record, "*"))
            } else {
                ("*", full_name(&dns.record, &dns.zone))
            }
        });
        if let Some((zone, record)) = &record {
            known.extend([("zone", *zone), ("record", record.as_str())]);
        }
        Names(known.into_iter().map(|(name, value)| (name, value.to_owned())).collect())
    }

    fn filled(&self, text: &str) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            filled += before;
            filled += self.0.get(name)?;
            rest = after;
        }
        Some(filled + rest)
    }

    fn filled_in(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::String(text) => Value::String(self.filled(text)?),
            Value::Array(values) => values.iter().map(|value| self.filled_in(value)).collect::<Option<_>>()?,
            Value::Object(fields) => {
                let filled = fields.iter().map(|(key, value)| Some((key.clone(), self.filled_in(value)?)));
                Value::Object(filled.collect::<Option<Map<_, _>>>()?)
            }
            other => other.clone(),
        })
    }
}
