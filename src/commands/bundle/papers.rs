//! What is in a bundle, and what its README says of it.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_autoscaling::types::{Activity, ScalingActivityStatusCode};
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::cli;
use crate::cloud;
use crate::commands::first_reading::FIRST_READING;
use crate::commands::{Session, diagnose, status};
use crate::engine::{Goal, outputs_of};
use crate::outcome::{Failed, Outcome, Problem, Status};
use crate::report::{Mask, envelope, plan_text};
use crate::steps::auto_scaling;
use crate::steps::target_group::{self, find_targets};

/// What was collected.
pub struct Papers {
    versions: Value,
    status: Value,
    diagnosis: Value,
    drift: Value,
    plan: String,
    activities: Value,
    targets: Value,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl Papers {
    /// Asks for all of it. What fails is written down instead: who needs help has something that fails.
    pub async fn collect(session: &Session<'_>, timeout: Duration, start: Instant) -> Papers {
        let look = cli::Status { ids: true, watch: false, exit_code: false };
        let standing = Box::pin(status::run(session, &look)).await.unwrap_or_else(Outcome::from);
        let asked = cli::Diagnose { written: cli::Written::default(), timeout };
        let diagnosis = Box::pin(diagnose::run(session, &asked)).await.unwrap_or_else(Outcome::from);
        let overview = standing.overview.clone().unwrap_or_default();
        let versions = json!({
            "deploy": env!("CARGO_PKG_VERSION"),
            "service": overview.service.and_then(|service| service.answer),
            "template": overview.template,
            "rollout": overview.rollout,
        });
        let mut papers = Papers {
            versions,
            status: envelope(&session.frame("status", start), &standing),
            diagnosis: envelope(&session.frame("diagnose", start), &diagnosis),
            drift: Value::Null,
            plan: String::new(),
            activities: Value::Null,
            targets: Value::Null,
            problems: standing.problems,
        };
        if let Err(failed) = Box::pin(papers.read(session)).await {
            papers.problems.extend(Outcome::from(failed).problems);
        }
        papers.problems.extend(diagnosis.problems);
        let unknown = diagnosis.checks.iter().filter(|check| check.status == Status::Unknown);
        papers.problems.extend(unknown.map(|check| {
            let what = format!("{} is not known: {}", check.title, check.evidence);
            Problem::new(what, check.fix.as_deref().unwrap_or("`deploy diagnose` shows it."))
        }));
        // Each part met the same obstacle.
        let mut told = BTreeSet::new();
        papers.problems.retain(|problem| told.insert(problem.message.clone()));
        papers
    }

    async fn read(&mut self, session: &Session<'_>) -> Result<(), Failed> {
        let wait = session.wait(FIRST_READING);
        let stack = session.read_stack(Goal::Present, false, &wait).await?;
        let planner = session.planner(&stack.site, Goal::Present, false);
        let changes = planner.changes(&planner.plan(&stack.live));
        self.plan = plan_text(&changes);
        self.drift = json!(changes);
        let ids = outputs_of(&stack.live);
        let failed = |error: cloud::Error| Failed::from(Outcome::failed("").problem(&error));
        if let Some(arn) = ids.get(&target_group::ARN) {
            let targets = find_targets(&session.cloud, arn).await.map_err(failed)?;
            let others = targets.others.iter().map(
                |one| json!({ "id": one.id, "state": one.state, "reason": one.reason, "description": one.description }),
            );
            let (healthy, registered) = (targets.healthy, targets.registered);
            self.targets =
                json!({ "healthy": healthy, "registered": registered, "others": others.collect::<Vec<_>>() });
        }
        if let Some(group) = ids.get(&auto_scaling::NAME) {
            let request = session.cloud.autoscaling.describe_scaling_activities().auto_scaling_group_name(group);
            let reply = request.max_records(50).send().await.map_err(|error| failed(error.into()))?;
            self.activities = reply.activities.unwrap_or_default().iter().map(activity).collect();
        }
        Ok(())
    }

    /// The files, in order of their names, masked.
    pub fn files(&self, mask: &mut Mask) -> Vec<(&'static str, String)> {
        let documents = [
            ("activities.json", &self.activities),
            ("diagnose.json", &self.diagnosis),
            ("plan.json", &self.drift),
            ("status.json", &self.status),
            ("targets.json", &self.targets),
            ("versions.json", &self.versions),
        ];
        let mut files: Vec<(&str, String)> =
            documents.map(|(name, value)| (name, format!("{:#}\n", mask.value(value.clone())))).into();
        let plan = if self.plan.is_empty() { "No changes, or they could not be read.\n" } else { &self.plan };
        files.insert(3, ("plan.txt", mask.text(plan)));
        files
    }
}

fn activity(one: &Activity) -> Value {
    let at = |time: Option<&aws_smithy_types::DateTime>| time.and_then(|time| time.fmt(Format::DateTime).ok());
    json!({
        "status": one.status_code().map(ScalingActivityStatusCode::as_str),
        "description": one.description(),
        "cause": one.cause(),
        "message": one.status_message(),
        "started_at": at(one.start_time()),
        "ended_at": at(one.end_time()),
    })
}

/// What is in it and what is not.
pub fn readme(files: &[(&str, String)], mask: &Mask) -> String {
    let what = |name: &str| match name {
        "activities.json" => "the last 50 scaling activities of the auto scaling group, newest first",
        "diagnose.json" => "what the checks of `deploy diagnose` found: evidence, cause and fix",
        "plan.json" => "what differs from deploy.yaml, field by field, for programs",
        "plan.txt" => "the same, for people",
        "status.json" => "what stands, whether it answers, targets, instances, sizes and a rollout",
        "targets.json" => "targets that are not healthy, with AWS's reasons",
        _ => "versions of this program and of the service; image, instance type and launch template",
    };
    let list: Vec<String> = files.iter().map(|(name, _)| format!("  {name:16} {}", what(name))).collect();
    let at = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    format!(
        "What `deploy bundle` wrote for the vendor's support, at {at}.\n\nIn here:\n{}\n\n{NOT_IN_HERE}\n\n{}\n",
        list.join("\n"),
        mask.told()
    )
}

const NOT_IN_HERE: &str = "Not in here: pictures, captures, metadata, access tokens, credentials, user data,\n\
    deploy.yaml itself, logs of the instances. Nothing was changed to make it, and no metered call was made.";
