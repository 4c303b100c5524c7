//! Target group, load balancer and listeners.

use aws_sdk_elasticloadbalancingv2::types::{Action, Listener};
use serde_json::{Value, json};

use super::{Resource, known, tags};
use crate::engine::Key;
use crate::export::Live;

/// What Elastic Load Balancing has of the stack.
pub fn resources(live: &Live) -> Vec<Resource> {
    let listeners = live.listeners.iter().map(|(key, one)| listener(key, one));
    target_group(live).into_iter().chain(load_balancer(live)).chain(listeners).collect()
}

/// What is not written down of them.
pub fn notes(live: &Live) -> Vec<String> {
    let unwritten = live.listeners.iter().filter(|(_, one)| actions(one).is_none());
    unwritten.map(|(key, _)| format!("{key}: its actions cannot be written down here; AWS keeps them.")).collect()
}

fn attributes(live: &Live, key: Key) -> Value {
    let known = live.attributes.get(key).into_iter().flatten().filter(|(_, value)| !value.is_empty());
    known.map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

fn target_group(live: &Live) -> Option<Resource> {
    let (key, group) = ("target_group", live.target_group.as_ref()?);
    let arn = group.target_group_arn()?.to_owned();
    let properties = known([
        ("Name", json!(group.target_group_name())),
        ("VpcId", json!(group.vpc_id())),
        ("TargetType", json!(group.target_type().map(|one| one.as_str()))),
        ("Protocol", json!(group.protocol().map(|one| one.as_str()))),
        ("ProtocolVersion", json!(group.protocol_version())),
        ("Port", json!(group.port())),
        ("HealthCheckEnabled", json!(group.health_check_enabled())),
        ("HealthCheckProtocol", json!(group.health_check_protocol().map(|one| one.as_str()))),
        ("HealthCheckPort", json!(group.health_check_port())),
        ("HealthCheckPath", json!(group.health_check_path())),
        ("HealthCheckIntervalSeconds", json!(group.health_check_interval_seconds())),
        ("HealthCheckTimeoutSeconds", json!(group.health_check_timeout_seconds())),
        ("HealthyThresholdCount", json!(group.healthy_threshold_count())),
        ("UnhealthyThresholdCount", json!(group.unhealthy_threshold_count())),
        ("Matcher", known([("HttpCode", json!(group.matcher().and_then(|one| one.http_code())))])),
        ("TargetGroupAttributes", attributes(live, key)),
        ("Tags", tags(live, key)),
    ]);
    let kind = "AWS::ElasticLoadBalancingV2::TargetGroup";
    Some(Resource { key, kind, identifier: ("TargetGroupArn", arn.clone()), gives: Some((arn, "")), properties })
}

fn load_balancer(live: &Live) -> Option<Resource> {
    let (key, balancer) = ("load_balancer", live.load_balancer.as_ref()?);
    let arn = balancer.load_balancer_arn()?.to_owned();
    let subnets = balancer.availability_zones().iter().map(|zone| json!(zone.subnet_id())).collect();
    let properties = known([
        ("Name", json!(balancer.load_balancer_name())),
        ("Type", json!("application")),
        ("Scheme", json!(balancer.scheme().map(|one| one.as_str()))),
        ("IpAddressType", json!(balancer.ip_address_type().map(|one| one.as_str()))),
        ("Subnets", subnets),
        ("SecurityGroups", json!(balancer.security_groups())),
        ("LoadBalancerAttributes", attributes(live, key)),
        ("Tags", tags(live, key)),
    ]);
    let kind = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    Some(Resource { key, kind, identifier: ("LoadBalancerArn", arn.clone()), gives: Some((arn, "")), properties })
}

fn listener(key: Key, listener: &Listener) -> Resource {
    let certificates = listener.certificates().iter();
    let certificates = certificates.map(|one| json!({ "CertificateArn": one.certificate_arn() })).collect();
    Resource {
        key,
        kind: "AWS::ElasticLoadBalancingV2::Listener",
        identifier: ("ListenerArn", listener.listener_arn().unwrap_or_default().to_owned()),
        gives: None,
        properties: known([
            ("LoadBalancerArn", json!(listener.load_balancer_arn())),
            ("Port", json!(listener.port())),
            ("Protocol", json!(listener.protocol().map(|one| one.as_str()))),
            ("SslPolicy", json!(listener.ssl_policy())),
            ("Certificates", certificates),
            ("DefaultActions", actions(listener).unwrap_or_default()),
        ]),
    }
}

/// Its actions; `None`: one of them has no short form.
fn actions(listener: &Listener) -> Option<Value> {
    listener.default_actions().iter().map(action).collect()
}

fn action(action: &Action) -> Option<Value> {
    let groups = action.forward_config().map(|config| config.target_groups()).unwrap_or_default();
    let group = action.target_group_arn().or(groups.first().and_then(|one| one.target_group_arn()));
    let redirect = action.redirect_config().map(|redirect| {
        known([
            ("Protocol", json!(redirect.protocol())),
            ("Host", json!(redirect.host())),
            ("Port", json!(redirect.port())),
            ("Path", json!(redirect.path())),
            ("Query", json!(redirect.query())),
            ("StatusCode", json!(redirect.status_code().map(|one| one.as_str()))),
        ])
    });
    match (action.r#type()?.as_str(), redirect) {
        ("forward", _) if groups.len() < 2 => Some(json!({ "Type": "forward", "TargetGroupArn": group? })),
        ("redirect", Some(redirect)) => Some(json!({ "Type": "redirect", "RedirectConfig": redirect })),
        _ => None,
    }
}
