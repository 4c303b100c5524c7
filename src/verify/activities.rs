//! What a group's own history says of launches that failed.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::{AutoScalingGroup, ScalingActivityStatusCode};

use crate::cloud::{self, Cloud};
use crate::explain::{Row, explain_words};

/// The last launches of a group, newest first.
#[derive(Debug, Default)]
pub struct Launches {
    failed: Vec<String>,
    /// Whether the newest one succeeded, or none was tried.
    well: bool,
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
    let request = cloud
        .autoscaling
        .describe_scaling_activities()
        .auto_scaling_group_name(group);
    let activities = request
        .max_records(20)
        .send()
        .await?
        .activities
        .unwrap_or_default();
    let launching = |words: Option<&str>| words.is_some_and(|words| words.starts_with("Launching"));
    let mut launches = Launches {
        failed: Vec::new(),
        well: true,
    };
    let tried = activities.iter().filter(|one| launching(one.description()));
    for (index, one) in tried.enumerate() {
        let bad = matches!(
            one.status_code(),
            Some(ScalingActivityStatusCode::Failed | ScalingActivityStatusCode::Cancelled)
        );
        // What failed before the newest success is history.
        match bad {
            false if index == 0 => return Ok(launches),
            false => break,
            true => launches
                .failed
                .push(one.status_message().unwrap_or_default().to_owned()),
        }
        launches.well = false;
    }
    Ok(launches)
}

impl Launches {
    /// The newest failure after which nothing was launched; `None`: all is well. A zone without capacity is not the end
    /// while another one may serve.
    pub fn failing(&self, group: &AutoScalingGroup) -> Option<Failing> {
        if self.well {
            return None;
        }
        let words = self.failed.first()?.clone();
        let known = explain_words(&words);
        let lasting = self.failed.iter().find_map(|words| {
            explain_words(words)
                .filter(|row| row.lasts)
                .map(|row| (words.clone(), row))
        });
        if let Some((words, row)) = lasting {
            return Some(Failing {
                words,
                known: Some(row),
                lasts: true,
            });
        }
        let zones: BTreeSet<&str> = group
            .availability_zones()
            .iter()
            .map(String::as_str)
            .collect();
        let without = zones
            .iter()
            .filter(|zone| self.failed.iter().any(|words| words.contains(**zone)))
            .count();
        let lasts = !zones.is_empty() && without == zones.len();
        Some(Failing {
            words,
            known,
            lasts,
        })
    }
}
