//! What a group's own history says of launches that failed.

use aws_sdk_autoscaling::types::{Activity, AutoScalingGroup, ScalingActivityStatusCode};

use crate::cloud::{self, Cloud, Row, explain_words};

/// The last launches of a group that failed one after another, newest first; none: the newest one succeeded.
#[derive(Debug, Default)]
pub struct Launches {
    failed: Vec<(String, String)>,
}

/// Why a group does not launch.
#[derive(Debug, Clone)]
pub struct Failing {
    /// Auto Scaling's words.
    pub words: String,
    /// What the table of errors knows of them.
    pub known: Option<&'static Row>,
    /// No use in waiting: it never heals, or no zone is left that could serve.
    pub lasts: bool,
}

/// Reads a group's last activities.
///
/// # Errors
/// Auto Scaling does not tell.
pub async fn launches(cloud: &Cloud, group: &str) -> cloud::Result<Launches> {
    let request = cloud.autoscaling.describe_scaling_activities().auto_scaling_group_name(group);
    let activities = request.max_records(20).send().await?.activities.unwrap_or_default();
    let launching = |words: Option<&str>| words.is_some_and(|words| words.starts_with("Launching"));
    let failed = |one: &Activity| {
        matches!(one.status_code(), Some(ScalingActivityStatusCode::Failed | ScalingActivityStatusCode::Cancelled))
    };
    // What failed before the newest success is history.
    let tried = activities.iter().filter(|one| launching(one.description()));
    let failed = tried.take_while(|one| failed(one)).map(|one| {
        let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
        (part(one.activity_id()), part(one.status_message()))
    });
    Ok(Launches { failed: failed.collect() })
}

impl Launches {
    /// The newest failure's id: what is older than it happened before.
    pub fn newest(&self) -> Option<&str> {
        self.failed.first().map(|(id, _)| id.as_str())
    }

    /// The newest failure after which nothing was launched; `None`: all is well, or nothing was tried since `before`. A
    /// zone without capacity is not the end while another one may serve.
    pub fn failing(&self, group: &AutoScalingGroup, before: Option<&str>) -> Option<Failing> {
        let fresh = self.failed.iter().take_while(|(id, _)| Some(id.as_str()) != before);
        let failed: Vec<&str> = fresh.map(|(_, words)| words.as_str()).collect();
        let lasting =
            failed.iter().find_map(|words| explain_words(words).filter(|row| row.lasts).map(|row| (*words, row)));
        if let Some((words, row)) = lasting {
            let (words, known) = (words.to_owned(), Some(row));
            return Some(Failing { words, known, lasts: true });
        }
        let words = (*failed.first()?).to_owned();
        let zones = group.availability_zones();
        let without = |zone: &String| failed.iter().any(|words| words.contains(zone.as_str()));
        Some(Failing { known: explain_words(&words), words, lasts: !zones.is_empty() && zones.iter().all(without) })
    }
}
