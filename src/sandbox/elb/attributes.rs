//! ELBv2: attributes of load balancers, target groups and listeners, and what each account may have.

use serde_json::{Value, json};

use super::{BALANCERS, GROUPS, Kind, LISTENERS, one, security_policies};
use crate::sandbox::wire::{Refusal, Reply, list, refuse, texts};
use crate::sandbox::world::World;

/// "Application load balancer attributes" (user guide), with their defaults.
const OF_BALANCER: [(&str, &str); 20] = [
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.prefix", ""),
    ("client_keep_alive.seconds", "3600"),
    ("connection_logs.s3.enabled", "false"),
    ("connection_logs.s3.bucket", ""),
    ("connection_logs.s3.prefix", ""),
    ("deletion_protection.enabled", "false"),
    ("idle_timeout.timeout_seconds", "60"),
    ("ipv6.deny_all_igw_traffic", "false"),
    ("load_balancing.cross_zone.enabled", "true"),
    ("routing.http.desync_mitigation_mode", "defensive"),
    ("routing.http.drop_invalid_header_fields.enabled", "false"),
    ("routing.http.preserve_host_header.enabled", "false"),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false"),
    ("routing.http.xff_client_port.enabled", "false"),
    ("routing.http.xff_header_processing.mode", "append"),
    ("routing.http2.enabled", "true"),
    ("waf.fail_open.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
];
/// "Target group attributes" (user guide), with their defaults.
const OF_GROUP: [(&str, &str); 14] = [
    ("load_balancing.algorithm.type", "round_robin"),
    ("load_balancing.algorithm.anomaly_mitigation", "off"),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
    ("deregistration_delay.timeout_seconds", "300"),
    ("slow_start.duration_seconds", "0"),
    ("stickiness.enabled", "false"),
    ("stickiness.type", "lb_cookie"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("stickiness.app_cookie.cookie_name", ""),
    ("stickiness.app_cookie.duration_seconds", "86400"),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"),
];
/// "Listener attributes" (user guide), with their defaults.
const OF_LISTENER: [(&str, &str); 10] = [
    ("routing.http.response.server.enabled", "true"),
    ("routing.http.response.strict_transport_security.header_value", ""),
    ("routing.http.response.access_control_allow_origin.header_value", ""),
    ("routing.http.response.access_control_allow_methods.header_value", ""),
    ("routing.http.response.access_control_allow_headers.header_value", ""),
    ("routing.http.response.access_control_allow_credentials.header_value", ""),
    ("routing.http.response.access_control_max_age.header_value", ""),
    ("routing.http.response.content_security_policy.header_value", ""),
    ("routing.http.response.x_content_type_options.header_value", ""),
    ("routing.http.response.x_frame_options.header_value", ""),
];
/// "Quotas for your Application Load Balancers" (user guide).
const LIMITS: [(&str, &str); 9] = [
    ("application-load-balancers", "50"),
    ("target-groups", "3000"),
    ("targets-per-application-load-balancer", "1000"),
    ("listeners-per-application-load-balancer", "50"),
    ("rules-per-application-load-balancer", "100"),
    ("certificates-per-application-load-balancer", "25"),
    ("target-groups-per-application-load-balancer", "100"),
    ("target-groups-per-action-on-application-load-balancer", "5"),
    ("condition-values-per-alb-rule", "5"),
];

/// One call; `None`: it is not about attributes or limits.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Option<Reply> {
    let (kind, arn) = match operation {
        "DescribeLoadBalancerAttributes" | "ModifyLoadBalancerAttributes" => (BALANCERS, "LoadBalancerArn"),
        "DescribeTargetGroupAttributes" | "ModifyTargetGroupAttributes" => (GROUPS, "TargetGroupArn"),
        "DescribeListenerAttributes" | "ModifyListenerAttributes" => (LISTENERS, "ListenerArn"),
        "DescribeAccountLimits" => {
            let own = |name: &str| world.weather.quotas.get(name).map(f64::to_string);
            let limits = LIMITS.map(|(name, most)| json!({"Name": name, "Max": own(name).unwrap_or(most.to_owned())}));
            return Some(Ok(json!({ "Limits": limits })));
        }
        "DescribeSSLPolicies" => return Some(security_policies::describe(&texts(asked, "Names"))),
        _ => return None,
    };
    Some(if operation.starts_with("Describe") {
        one(world, asked, arn, kind).map(|row| json!({"Attributes": row["_attributes"]}))
    } else {
        modify(world, asked, arn, kind)
    })
}

fn defaults(all: &[(&str, &str)]) -> Value {
    all.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The attributes of a new load balancer.
pub fn of_balancer() -> Value {
    defaults(&OF_BALANCER)
}

/// The attributes of a new target group.
pub fn of_group() -> Value {
    defaults(&OF_GROUP)
}

/// The attributes of a new listener.
pub fn of_listener() -> Value {
    defaults(&OF_LISTENER)
}

/// All or nothing.
fn modify(world: &mut World, asked: &Value, arn: &str, kind: Kind) -> Reply {
    let row = one(world, asked, arn, kind)?;
    let mut attributes = list(row, "_attributes").to_vec();
    for new in list(asked, "Attributes") {
        let (key, value) = (new["Key"].as_str().unwrap_or_default(), new["Value"].as_str().unwrap_or_default());
        let Some(old) = attributes.iter_mut().find(|old| old["Key"] == key) else {
            return refuse(
                "InvalidConfigurationRequest",
                format!("Load balancer attribute key '{key}' is not recognized"),
            );
        };
        check(key, value)?;
        old["Value"] = json!(value);
    }
    row["_attributes"] = Value::Array(attributes);
    Ok(json!({"Attributes": row["_attributes"]}))
}

/// What an attribute may be.
fn check(key: &str, value: &str) -> Result<(), Refusal> {
    let among = |all: &[&str]| all.contains(&value);
    let between = |low: u64, high: u64| value.parse::<u64>().is_ok_and(|number| (low..=high).contains(&number));
    let fits = match key {
        "idle_timeout.timeout_seconds" => between(1, 4000),
        "client_keep_alive.seconds" => between(60, 604_800),
        "deregistration_delay.timeout_seconds" => between(0, 3600),
        "slow_start.duration_seconds" => value == "0" || between(30, 900),
        "stickiness.lb_cookie.duration_seconds" | "stickiness.app_cookie.duration_seconds" => between(1, 604_800),
        "stickiness.type" => among(&["lb_cookie", "app_cookie"]),
        "load_balancing.algorithm.type" => among(&["round_robin", "least_outstanding_requests", "weighted_random"]),
        "load_balancing.algorithm.anomaly_mitigation" => among(&["on", "off"]),
        "load_balancing.cross_zone.enabled" => among(&["true", "false", "use_load_balancer_configuration"]),
        "routing.http.desync_mitigation_mode" => among(&["monitor", "defensive", "strictest"]),
        "routing.http.xff_header_processing.mode" => among(&["append", "preserve", "remove"]),
        key if key.ends_with(".enabled") => among(&["true", "false"]),
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        refuse("InvalidConfigurationRequest", format!("The value '{value}' of the attribute '{key}' is not valid"))
    }
}
