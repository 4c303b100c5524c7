//! Target group, load balancer, listeners and the record.

use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, Listener, RedirectActionConfig};
use serde_json::Value;

use super::Resource;
use crate::export::hcl::Block;
use crate::export::live::Live;

/// What Elastic Load Balancing has of the stack, and the record that leads to it.
pub fn resources(live: &Live) -> Vec<Resource> {
    let listeners = live.listeners.iter().map(|(key, one)| listener(live, key, one));
    target_group(live).into_iter().chain(load_balancer(live)).chain(listeners).chain(record(live)).collect()
}

/// AWS's attribute, Terraform's, and whether it is a text.
type Row = (&'static str, &'static str, bool);

const OF_TARGET_GROUP: &[Row] = &[
    ("deregistration_delay.timeout_seconds", "deregistration_delay", false),
    ("slow_start.duration_seconds", "slow_start", false),
    ("load_balancing.algorithm.type", "load_balancing_algorithm_type", true),
    ("load_balancing.algorithm.anomaly_mitigation", "load_balancing_anomaly_mitigation", true),
    ("load_balancing.cross_zone.enabled", "load_balancing_cross_zone_enabled", true),
];

const OF_LOAD_BALANCER: &[Row] = &[
    ("deletion_protection.enabled", "enable_deletion_protection", false),
    ("idle_timeout.timeout_seconds", "idle_timeout", false),
    ("client_keep_alive.seconds", "client_keep_alive", false),
    ("routing.http2.enabled", "enable_http2", false),
    ("routing.http.desync_mitigation_mode", "desync_mitigation_mode", true),
    ("routing.http.drop_invalid_header_fields.enabled", "drop_invalid_header_fields", false),
    ("routing.http.preserve_host_header.enabled", "preserve_host_header", false),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "enable_tls_version_and_cipher_suite_headers", false),
    ("routing.http.xff_client_port.enabled", "enable_xff_client_port", false),
    ("routing.http.xff_header_processing.mode", "xff_header_processing_mode", true),
    ("waf.fail_open.enabled", "enable_waf_fail_open", false),
];

fn attributes(body: Block, live: &Live, key: &str, rows: &[Row]) -> Block {
    let Some(known) = live.attributes.get(key) else { return body };
    rows.iter().fold(body, |body, (name, attribute, is_text)| {
        let value = known.get(*name).map(|text| if *is_text { Value::from(text.as_str()) } else { literal(text) });
        body.maybe(attribute, value)
    })
}

/// A number or a boolean that AWS writes as a text.
fn literal(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn target_group(live: &Live) -> Option<Resource> {
    let (key, group) = ("target_group", live.target_group.as_ref()?);
    let known = |name: &str| live.attributes.get(key).and_then(|all| all.get(name)).map(|text| literal(text));
    let check = Block::new("health_check")
        .maybe("enabled", group.health_check_enabled())
        .maybe("protocol", group.health_check_protocol().map(|one| one.as_str()))
        .maybe("port", group.health_check_port())
        .maybe("path", group.health_check_path())
        .maybe("matcher", group.matcher().and_then(|matcher| matcher.http_code()))
        .maybe("interval", group.health_check_interval_seconds())
        .maybe("timeout", group.health_check_timeout_seconds())
        .maybe("healthy_threshold", group.healthy_threshold_count())
        .maybe("unhealthy_threshold", group.unhealthy_threshold_count());
    let arn = group.target_group_arn();
    Some(Resource::new(key, "aws_lb_target_group", arn?).giving(arn, "arn").with(|body| {
        let body = body
            .maybe("name", group.target_group_name())
            .maybe("vpc_id", group.vpc_id())
            .maybe("target_type", group.target_type().map(|one| one.as_str()))
            .maybe("protocol", group.protocol().map(|one| one.as_str()))
            .maybe("protocol_version", group.protocol_version())
            .maybe("port", group.port());
        let body = attributes(body, live, key, OF_TARGET_GROUP).tags(live, key).block(check);
        let kind = known("stickiness.type").filter(|_| known("stickiness.enabled") == Some(Value::Bool(true)));
        match kind {
            Some(kind) => body.block(
                Block::new("stickiness")
                    .field("enabled", true)
                    .field("type", kind)
                    .maybe("cookie_name", known("stickiness.app_cookie.cookie_name"))
                    .maybe("cookie_duration", known("stickiness.lb_cookie.duration_seconds")),
            ),
            None => body,
        }
    }))
}

fn load_balancer(live: &Live) -> Option<Resource> {
    let (key, balancer) = ("load_balancer", live.load_balancer.as_ref()?);
    let mut subnets: Vec<String> =
        balancer.availability_zones().iter().filter_map(|zone| zone.subnet_id.clone()).collect();
    subnets.sort();
    let known = |name: &str| live.attributes.get(key).and_then(|all| all.get(name)).map(String::as_str);
    let logs = |body: Block, (name, block): (&str, &str)| {
        let part = |part: &str| known(&format!("{name}.s3.{part}")).filter(|text| !text.is_empty());
        match part("enabled") {
            Some("true") => body.block(
                Block::new(block)
                    .field("enabled", true)
                    .maybe("bucket", part("bucket"))
                    .maybe("prefix", part("prefix")),
            ),
            _ => body,
        }
    };
    let arn = balancer.load_balancer_arn();
    Some(Resource::new(key, "aws_lb", arn?).giving(arn, "arn").with(|body| {
        let body = body
            .maybe("name", balancer.load_balancer_name())
            .field("load_balancer_type", "application")
            .field("internal", balancer.scheme().is_some_and(|scheme| scheme.as_str() == "internal"))
            .maybe("ip_address_type", balancer.ip_address_type().map(|one| one.as_str()))
            .list("subnets", subnets)
            .list("security_groups", balancer.security_groups().to_vec());
        let body = attributes(body, live, key, OF_LOAD_BALANCER).tags(live, key);
        [("access_logs", "access_logs"), ("connection_logs", "connection_logs")].into_iter().fold(body, logs)
    }))
}

fn listener(live: &Live, key: &'static str, listener: &Listener) -> Resource {
    let (actions, mut ignored) = (listener.default_actions(), Vec::new());
    let written: Option<Vec<Block>> = actions.iter().map(action).collect();
    let body = Resource::new(key, "aws_lb_listener", listener.listener_arn().unwrap_or_default()).with(|body| {
        body.maybe("load_balancer_arn", listener.load_balancer_arn())
            .maybe("port", listener.port())
            .maybe("protocol", listener.protocol().map(|one| one.as_str()))
            .maybe("ssl_policy", listener.ssl_policy())
            .maybe("certificate_arn", listener.certificates().first().and_then(|one| one.certificate_arn()))
            .tags(live, key)
    });
    let mut blocks = written.unwrap_or_default();
    if blocks.len() != actions.len() || blocks.is_empty() {
        let kinds: Vec<&str> = actions.iter().filter_map(|one| one.r#type().map(ActionTypeEnum::as_str)).collect();
        let why = format!(
            "AWS has {} here, which is not written down; the block below only holds its place",
            kinds.join(", ")
        );
        ignored.push(("default_action", why));
        let target = live.target_group.as_ref().and_then(|group| group.target_group_arn());
        blocks = vec![Block::new("default_action").field("type", "forward").maybe("target_group_arn", target)];
    }
    if listener.mutual_authentication().is_some_and(|one| one.mode().is_some_and(|mode| mode != "off")) {
        ignored.push((
            "mutual_authentication",
            "clients show certificates, and their authorities are not written down".into(),
        ));
    }
    body.with(|body| blocks.into_iter().fold(body, Block::block).ignoring(&ignored))
}

/// A forward to one target group, or a redirect; `None`: there is no short way to write it.
fn action(action: &Action) -> Option<Block> {
    let block = Block::new("default_action").field("type", action.r#type()?.as_str());
    match (action.r#type()?, action.redirect_config()) {
        (ActionTypeEnum::Forward, _) => {
            let config = action.forward_config();
            let groups = config.map(|config| config.target_groups()).unwrap_or_default();
            let is_sticky = config
                .and_then(|config| config.target_group_stickiness_config())
                .is_some_and(|sticky| sticky.enabled() == Some(true));
            let first = groups.first().and_then(|group| group.target_group_arn());
            let arn = action.target_group_arn().or(first).filter(|_| groups.len() < 2 && !is_sticky)?;
            let block = block.field("target_group_arn", arn);
            // AWS says both, and an import takes both.
            Some(match groups.first() {
                Some(one) => {
                    let weighed = Block::new("target_group").field("arn", arn).maybe("weight", one.weight());
                    block.block(Block::new("forward").block(weighed))
                }
                None => block,
            })
        }
        (ActionTypeEnum::Redirect, Some(redirect)) => Some(block.block(redirected(redirect))),
        _ => None,
    }
}

fn redirected(redirect: &RedirectActionConfig) -> Block {
    Block::new("redirect")
        .maybe("protocol", redirect.protocol())
        .maybe("host", redirect.host())
        .maybe("port", redirect.port())
        .maybe("path", redirect.path())
        .maybe("query", redirect.query())
        .maybe("status_code", redirect.status_code().map(|one| one.as_str()))
}

fn record(live: &Live) -> Option<Resource> {
    let record = live.record.as_ref()?;
    let text = |field: &str| record[field].as_str().unwrap_or_default();
    let (zone, name, kind) = (text("zone"), text("name"), text("kind"));
    let balancer = live.load_balancer.as_ref();
    // Route 53 keeps the name of an alias in small letters, and so does the provider.
    let leads_here = balancer.and_then(|one| one.dns_name()).is_some_and(|dns| dns.to_lowercase() == text("alias"));
    let alias = Block::new("alias").field("evaluate_target_health", record["evaluate_target_health"].clone());
    let alias = if leads_here {
        alias.expression("name", "aws_lb.load_balancer.dns_name").expression("zone_id", "aws_lb.load_balancer.zone_id")
    } else {
        alias.field("name", text("alias")).field("zone_id", text("alias_zone"))
    };
    let resource = Resource::new("dns_record", "aws_route53_record", format!("{zone}_{name}_{kind}"));
    Some(resource.with(|body| body.field("zone_id", zone).field("name", name).field("type", kind).block(alias)))
}
