//! What `status` tells of a stack: numbers as numbers, and nothing where nothing is known.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Whether the stack is up, and on what it runs. What is not there, or is not known, is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Overview {
    /// Whether it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceState>,
    /// The health of the targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<TargetCounts>,
    /// The sizes of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// The sizes that a parked group will have again; left out: it is not parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<Capacity>,
    /// Until when the stack is wanted, as its tag says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// What the group launches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// Every instance of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<Vec<InstanceState>>,
    /// The instance refresh that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutState>,
    /// What is not as deploy.yaml wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftCount>,
}

impl Overview {
    /// Whether it is up; false also where nothing is known.
    pub fn is_up(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.up)
    }

    /// How many resources are not as wanted.
    pub fn differing(&self) -> usize {
        self.drift.as_ref().map_or(0, |drift| drift.resources.len())
    }

    /// In a sentence.
    pub fn summary(&self) -> String {
        let up = match &self.service {
            Some(ServiceState { up: true, asked: true, .. }) => "Up",
            Some(ServiceState { up: true, .. }) => "Up as far as AWS can tell",
            _ if self.parked.is_some() => "Parked",
            Some(_) => "Down",
            None => "Nothing that answers stands yet",
        };
        let targets = self.targets.as_ref().map(|targets| format!(": {} targets healthy", targets.words()));
        let drift = match self.differing() {
            0 => String::new(),
            1 => "; 1 resource differs from deploy.yaml".to_owned(),
            more => format!("; {more} resources differ from deploy.yaml"),
        };
        format!("{up}{}{drift}.", targets.unwrap_or_default())
    }
}

/// Whether the service answers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ServiceState {
    /// It answers; or, where it cannot be asked from here, enough targets are healthy.
    pub up: bool,
    /// Whether it was asked: an internal load balancer is not reached from everywhere.
    pub asked: bool,
    /// What it answered to `/api/version`; null: nothing.
    pub answer: Option<Value>,
    /// How long that took; null: there was no answer.
    pub duration_ms: Option<u64>,
    /// Why it was not asked, or what came instead of an answer; null: it answered.
    pub why: Option<String>,
}

/// The health of the targets, by count.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TargetCounts {
    /// How many are healthy.
    pub healthy: usize,
    /// How many are registered.
    pub registered: usize,
}

impl TargetCounts {
    /// `2 of 2`
    pub fn words(&self) -> String {
        format!("{} of {}", self.healthy, self.registered)
    }
}

/// The sizes of the group; null: AWS does not say.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Capacity {
    /// How many instances it keeps now.
    pub desired: Option<i32>,
    /// The fewest.
    pub min: Option<i32>,
    /// The most.
    pub max: Option<i32>,
}

/// The version of the launch template that the group launches; null: AWS does not say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Template {
    /// The launch template's id.
    pub id: Option<String>,
    /// The version's number, or what the group follows: `$Default`, `$Latest`.
    pub version: Option<String>,
    /// The image's id.
    pub image: Option<String>,
    /// The instance type.
    pub instance_type: Option<String>,
    /// When the version was made, RFC 3339.
    pub created_at: Option<String>,
}

/// One instance of the group; null: AWS does not say.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct InstanceState {
    /// Its id.
    pub id: String,
    /// Its availability zone.
    pub zone: Option<String>,
    /// Auto Scaling's word: `InService`, `Pending`, `Terminating`.
    pub state: Option<String>,
    /// The target group's word: `healthy`, `initial`, `unhealthy`, `draining`; null: it is no target.
    pub health: Option<String>,
    /// The id of the launch template that it was launched from.
    pub template: Option<String>,
    /// The version of it.
    pub version: Option<String>,
    /// When it was launched, RFC 3339.
    pub launched_at: Option<String>,
}

/// An instance refresh that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RolloutState {
    /// AWS's word: `Pending`, `InProgress`, `Baking`, `Cancelling`, `RollbackInProgress`.
    pub status: String,
    /// The version that it brings; null: it was started without.
    pub version: Option<String>,
    /// Instances that are replaced, healthy and warm, in percent.
    pub percent: i32,
    /// Instances still to be replaced.
    pub to_update: i32,
    /// When it began, RFC 3339; null: AWS does not say.
    pub started_at: Option<String>,
}

/// What is not as deploy.yaml wants it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DriftCount {
    /// The resources that differ, by key.
    pub resources: Vec<&'static str>,
    /// Of how many.
    pub of: usize,
}
