//! What a group's own history says of launches that failed.

use aws_sdk_autoscaling::types::{Activity, AutoScalingGroup, ScalingActivityStatusCode};
use aws_smithy_types::DateTime;

use crate::cloud::{self, Cloud, Row, explain_words};

/// The last launches of a group that failed one after another, newest first; none: the newest one succeeded.
#[derive(Debug, Default)]
pub struct Launches {
    failed: Vec<FailedLaunch>,
    /// Ids of instances that were taken out of service for failed health checks of their load balancer, and when.
    unhealthy: Vec<(String, Option<DateTime>)>,
}

/// One launch that failed.
#[derive(Debug)]
struct FailedLaunch {
    id: String,
    words: String,
    at: Option<DateTime>,
    /// The availability zone that was tried; `None`: Auto Scaling does not say.
    zone: Option<String>,
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
/// Auto Scaling does not list them.
pub async fn launches(cloud: &Cloud, group: &str) -> cloud::Result<Launches> {
    let request = cloud.autoscaling.describe_scaling_activities().auto_scaling_group_name(group);
    let activities = request.max_records(50).send().await?.activities.unwrap_or_default();
    let launching = |words: Option<&str>| words.is_some_and(|words| words.starts_with("Launching"));
    let failed = |one: &Activity| {
        matches!(one.status_code(), Some(ScalingActivityStatusCode::Failed | ScalingActivityStatusCode::Cancelled))
    };
    // What failed before the newest success is history.
    let tried = activities.iter().filter(|one| launching(one.description()));
    let failed = tried.take_while(|one| failed(one)).map(|one| {
        let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
        let words = part(one.status_message());
        let zone = zone(one.details(), &words);
        FailedLaunch { id: part(one.activity_id()), zone, at: one.start_time, words }
    });
    let unhealthy = activities.iter().filter(|one| one.cause().is_some_and(|cause| cause.contains(UNHEALTHY)));
    let unhealthy = unhealthy.filter_map(|one| {
        let id = one.description()?.split_once(": ")?.1.split_whitespace().next()?;
        Some((id.to_owned(), one.start_time))
    });
    Ok(Launches { failed: failed.collect(), unhealthy: unhealthy.collect() })
}

/// The cause of such an activity (Amazon EC2 Auto Scaling user guide, "Troubleshoot an unhealthy instance").
const UNHEALTHY: &str = "ELB system health check";

impl Launches {
    /// The newest failure's id: what is older than it happened before.
    pub fn newest(&self) -> Option<&str> {
        self.failed.first().map(|launch| launch.id.as_str())
    }

    /// Ids of instances that were taken out of service for failed health checks of their load balancer; `since` then,
    /// or ever.
    pub fn unhealthy(&self, since: Option<DateTime>) -> impl Iterator<Item = &str> {
        self.unhealthy.iter().filter(move |(_, at)| *at >= since).map(|(id, _)| id.as_str())
    }

    /// The same as [`Launches::failing`], of what was tried since then.
    pub fn failing_since(&self, group: &AutoScalingGroup, since: Option<DateTime>) -> Option<Failing> {
        let fresh: Vec<&FailedLaunch> = self.failed.iter().take_while(|launch| launch.at >= since).collect();
        Launches::judged(group, &fresh)
    }

    /// The newest failure after which nothing was launched; `None`: all is well, or nothing was tried since `before`. A
    /// zone without capacity is not the end while another one may serve.
    pub fn failing(&self, group: &AutoScalingGroup, before: Option<&str>) -> Option<Failing> {
        let fresh = self.failed.iter().take_while(|launch| Some(launch.id.as_str()) != before);
        Launches::judged(group, &fresh.collect::<Vec<_>>())
    }

    fn judged(group: &AutoScalingGroup, failed: &[&FailedLaunch]) -> Option<Failing> {
        let lasting = failed.iter().find_map(|launch| {
            explain_words(&launch.words).filter(|row| row.lasts).map(|row| (launch.words.as_str(), row))
        });
        if let Some((words, row)) = lasting {
            let (words, known) = (words.to_owned(), Some(row));
            return Some(Failing { words, known, lasts: true });
        }
        let words = failed.first()?.words.clone();
        let zones = group.availability_zones();
        let passes = |launch: &FailedLaunch| explain_words(&launch.words).is_some_and(|row| row.passes);
        let without = |zone: &String| failed.iter().any(|launch| launch.zone.as_ref() == Some(zone) && !passes(launch));
        Some(Failing { known: explain_words(&words), words, lasts: !zones.is_empty() && zones.iter().all(without) })
    }
}

/// The zone that a launch was tried in: from the activity's details, else from the words. AWS's sentence about a zone
/// without capacity names the others too, as a way out.
fn zone(details: Option<&str>, words: &str) -> Option<String> {
    let details = serde_json::from_str::<serde_json::Value>(details.unwrap_or_default()).unwrap_or_default();
    if let Some(zone) = details["Availability Zone"].as_str() {
        return Some(zone.to_owned());
    }
    let after = words.split_once("requested Availability Zone (").or_else(|| words.split_once("you requested ("));
    Some(after?.1.split(')').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::zone;

    #[test]
    fn the_zone_is_the_one_that_was_tried_and_not_one_that_is_offered_instead() {
        let words = "We currently do not have sufficient c7i-flex.4xlarge capacity in the Availability Zone you \
                     requested (eu-central-1a). You can currently get c7i-flex.4xlarge capacity by not specifying \
                     an Availability Zone in your request or choosing eu-central-1b, eu-central-1c.";
        assert_eq!(zone(None, words).as_deref(), Some("eu-central-1a"));
        assert_eq!(zone(Some("{}"), words).as_deref(), Some("eu-central-1a"));
        let details = r#"{"Subnet ID":"subnet-0","Availability Zone":"eu-central-1b"}"#;
        assert_eq!(zone(Some(details), words).as_deref(), Some("eu-central-1b"));
        assert_eq!(zone(None, "Invalid IAM Instance Profile name"), None);
    }
}
