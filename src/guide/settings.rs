//! The settings of the vendor's guide, in its order.

use super::{Row, View};
use crate::cloud::ec2_principal;

const ALB_SG: &str = "load_balancer_security_group";
const ALB_RULES: &str = "load_balancer_security_group_rules";
const APP_SG: &str = "instance_security_group";
const APP_RULES: &str = "instance_security_group_rules";
const TEMPLATE: &str = "launch_template";
const GROUP: &str = "auto_scaling_group";
const BALANCER: &str = "load_balancer";
const TARGETS: &str = "target_group";
const POLICY: &str = "scaling_policy";
const RECORD: &str = "dns_record";

const fn row(step: u8, what: &'static str, guide: &'static str, of: &'static str, live: Live) -> Row {
    Row { step, what, guide, of, live, key: "", decided: "" }
}

type Live = fn(&View<'_>) -> Option<String>;

impl Row {
    /// A key of deploy.yaml decides it.
    const fn by(self, key: &'static str) -> Row {
        Row { key, ..self }
    }

    /// This program sets it otherwise.
    const fn but(self, decided: &'static str) -> Row {
        Row { decided, ..self }
    }
}

/// Every setting.
pub const SETTINGS: &[Row] = &[
    row(1, "load balancer's group: name", "alb-sg", ALB_SG, |v| v.name(ALB_SG))
        .by("names.load_balancer_security_group"),
    row(1, "load balancer's group: VPC", "your VPC", ALB_SG, |v| vpc(v, ALB_SG)),
    row(1, "load balancer's group: HTTPS 443 from 0.0.0.0/0", "Allow HTTPS traffic", ALB_RULES, |v| {
        v.rule(ALB_RULES, 443, "0.0.0.0/0")
    })
    .by("load_balancer.ingress_cidrs"),
    row(1, "load balancer's group: HTTPS 443 from ::/0", "Allow HTTPS traffic", ALB_RULES, |v| {
        v.rule(ALB_RULES, 443, "::/0")
    })
    .by("load_balancer.ingress_cidrs"),
    row(1, "load balancer's group: HTTP 80", "closed with HTTPS", ALB_RULES, |v| {
        v.found(ALB_RULES)?;
        v.rule(ALB_RULES, 80, "0.0.0.0/0").or_else(|| Some("closed with HTTPS".to_owned()))
    })
    .but("80 only sends browsers on to 443; load_balancer.redirect_http: false closes it"),
    row(1, "load balancer's group: outbound", "all traffic to 0.0.0.0/0", ALB_RULES, |v| egress(v, ALB_RULES)),
    row(1, "instances' group: name", "app-sg", APP_SG, |v| v.name(APP_SG)).by("names.instance_security_group"),
    row(1, "instances' group: VPC", "your VPC", APP_SG, |v| vpc(v, APP_SG)),
    row(1, "instances' group: TCP 8501 from alb-sg", "Allow traffic from ALB for health checks", APP_RULES, |v| {
        v.rule(APP_RULES, 8501, &v.id(ALB_SG, "id")?)
    })
    .by("health_check.port"),
    row(
        1,
        "instances' group: HTTP 80 from alb-sg",
        "Allow traffic from ALB for request for analysis",
        APP_RULES,
        |v| v.rule(APP_RULES, 80, &v.id(ALB_SG, "id")?),
    ),
    row(1, "instances' group: outbound", "all traffic to 0.0.0.0/0", APP_RULES, |v| egress(v, APP_RULES)),
    row(2, "policy: name", "OZMarketplacePolicy", "policy", |v| v.name("policy")).by("names.policy"),
    row(2, "policy: actions", "MeterUsage, BatchMeterUsage, GetEntitlements", "policy", |v| {
        let words = "MeterUsage, BatchMeterUsage, GetEntitlements";
        let wanted = ["BatchMeterUsage", "GetEntitlements", "MeterUsage"].map(|one| format!("aws-marketplace:{one}"));
        v.as_guide("policy", "/document/Statement/0/Action", |value| *value == serde_json::json!(wanted), words)
    }),
    row(2, "policy: resource", "*", "policy", |v| v.text("policy", "/document/Statement/0/Resource/0")),
    row(2, "role: name", "OZMarketplace", "role", |v| v.name("role")).by("names.role"),
    row(2, "role: trusted entity", "EC2", "role", |v| {
        let is_ec2 = |value: &serde_json::Value| ["aws", "aws-cn"].iter().any(|of| value == ec2_principal(of));
        v.as_guide("role", "/trust/Statement/0/Principal/Service/0", is_ec2, "EC2")
    }),
    row(2, "role: attached policy", "OZMarketplacePolicy", "role_policy_attachment", |v| {
        let arn = v.text("role_policy_attachment", "/policy")?;
        arn.rsplit('/').next().map(str::to_owned)
    })
    .by("names.policy"),
    row(2, "instance profile: name", "OZMarketplace", "instance_profile", |v| v.name("instance_profile"))
        .by("names.instance_profile"),
    row(2, "instance profile: role", "OZMarketplace", "instance_profile", |v| v.text("instance_profile", "/role"))
        .by("names.role"),
    row(3, "template: name", "app-launch-template", TEMPLATE, |v| v.name(TEMPLATE)).by("names.launch_template"),
    row(3, "template: AMI", "api-instant", TEMPLATE, |v| {
        v.as_guide(TEMPLATE, "/image", |value| *value == v.site.image.id.as_str(), &v.config().instance.image)
    })
    .by("instance.image"),
    row(3, "template: instance type", "c7i-flex.4xlarge", TEMPLATE, |v| v.text(TEMPLATE, "/instance_type"))
        .by("instance.type"),
    row(3, "template: key pair", "none, or yours", TEMPLATE, |v| {
        let is_own = |value: &serde_json::Value| value.as_str() == v.config().instance.key_pair.as_deref();
        v.as_guide(TEMPLATE, "/key_pair", is_own, "none, or yours")
    }),
    row(3, "template: security group", "app-sg", TEMPLATE, |v| {
        let id = v.id(APP_SG, "id")?;
        let name = v.name(APP_SG)?;
        v.as_guide(TEMPLATE, "/security_groups", |value| *value == serde_json::json!([id]), &name)
    })
    .by("names.instance_security_group"),
    row(3, "template: storage in GB", "50", TEMPLATE, |v| v.text(TEMPLATE, "/volume/size_gib"))
        .by("instance.volume.size_gib"),
    row(3, "template: IOPS", "12000", TEMPLATE, |v| v.text(TEMPLATE, "/volume/iops")).by("instance.volume.iops"),
    row(3, "template: throughput", "500", TEMPLATE, |v| v.text(TEMPLATE, "/volume/throughput_mibps"))
        .by("instance.volume.throughput_mibps"),
    row(3, "template: instance profile", "OZMarketplace", TEMPLATE, |v| v.text(TEMPLATE, "/instance_profile"))
        .by("names.instance_profile"),
    row(4, "group: name", "app-asg", GROUP, |v| v.name(GROUP)).by("names.auto_scaling_group"),
    row(4, "group: launch template", "app-launch-template", GROUP, |v| {
        let id = v.id(TEMPLATE, "id")?;
        let name = v.name(TEMPLATE)?;
        v.as_guide(GROUP, "/launch_template", |value| *value == id.as_str(), &name)
    })
    .by("names.launch_template"),
    row(4, "group: subnets", "your private subnets", GROUP, |v| {
        let wanted = &v.config().network.private_subnets;
        v.as_guide(GROUP, "/subnets", |value| is_same(value, wanted), "your private subnets")
    }),
    row(4, "load balancer: name", "app-alb", BALANCER, |v| v.name(BALANCER)).by("names.load_balancer"),
    row(4, "load balancer: scheme", "internal", BALANCER, |v| v.text(BALANCER, "/scheme")).by("load_balancer.scheme"),
    row(4, "load balancer: subnets", "two zones or more, of its scheme", BALANCER, |v| {
        let wanted = v.config().load_balancer_subnets().1;
        v.as_guide(BALANCER, "/subnets", |value| is_same(value, wanted), "two zones or more, of its scheme")
    }),
    row(4, "load balancer: security group", "alb-sg", BALANCER, |v| {
        let id = v.id(ALB_SG, "id")?;
        let name = v.name(ALB_SG)?;
        v.as_guide(BALANCER, "/security_groups", |value| *value == serde_json::json!([id]), &name)
    })
    .by("names.load_balancer_security_group"),
    row(4, "load balancer: secure listener", "HTTPS 443", "https_listener", |v| {
        v.found("https_listener").map(|_| "HTTPS 443".to_owned())
    })
    .by("load_balancer.listener"),
    row(4, "target group: name", "app-tg", TARGETS, |v| v.name(TARGETS)).by("names.target_group"),
    row(4, "group: target group", "app-tg", GROUP, |v| {
        let arn = v.id(TARGETS, "arn")?;
        let name = v.name(TARGETS)?;
        v.as_guide(GROUP, "/target_groups", |value| *value == serde_json::json!([arn]), &name)
    })
    .by("names.target_group"),
    row(4, "group: health checks", "ELB", GROUP, |v| v.text(GROUP, "/health_check")),
    row(4, "group: desired", "2", GROUP, |v| v.id(GROUP, "desired"))
        .but("it is the scaling policy's after the creation"),
    row(4, "group: min", "2", GROUP, |v| v.text(GROUP, "/min")).by("scaling.min"),
    row(4, "group: max", "91", GROUP, |v| v.text(GROUP, "/max")).by("scaling.max"),
    row(4, "scaling policy: metric", "average CPU utilization", POLICY, |v| {
        let is_cpu = |value: &serde_json::Value| value == "ASGAverageCPUUtilization";
        v.as_guide(POLICY, "/metric", is_cpu, "average CPU utilization")
    }),
    row(4, "scaling policy: target", "30", POLICY, |v| {
        Some(v.text(POLICY, "/target_percent")?.trim_end_matches(".0").to_owned())
    })
    .by("scaling.cpu_target_percent"),
    row(4, "scaling policy: warm-up in seconds", "120", GROUP, |v| v.text(GROUP, "/warm_up_seconds"))
        .by("scaling.warm_up_seconds"),
    row(5, "target group: attributes", "least outstanding requests", TARGETS, |v| {
        let is_least = |value: &serde_json::Value| value == "least_outstanding_requests";
        v.as_guide(TARGETS, "/algorithm", is_least, "least outstanding requests")
    }),
    row(5, "health check: protocol", "HTTP", TARGETS, |v| v.text(TARGETS, "/health_check/protocol")),
    row(5, "health check: path", "/", TARGETS, |v| v.text(TARGETS, "/health_check/path")).by("health_check.path"),
    row(5, "health check: port", "8501", TARGETS, |v| v.text(TARGETS, "/health_check/port")).by("health_check.port"),
    row(5, "health check: success codes", "404", TARGETS, |v| v.text(TARGETS, "/health_check/success_codes"))
        .by("health_check.success_codes"),
    row(7, "record: name", "your name in your zone", RECORD, |v| {
        let own = v.site.record_name();
        v.as_guide(RECORD, "/name", |value| value.as_str() == own.as_deref(), "your name in your zone")
    }),
    row(7, "record: type", "CNAME", RECORD, |v| v.text(RECORD, "/kind"))
        .but("an alias of a load balancer has its type: Route 53 refuses a CNAME as alias"),
    row(7, "record: alias of", "app-alb", RECORD, |v| {
        let dns_name = v.id(BALANCER, "dns_name")?.to_lowercase();
        let name = v.name(BALANCER)?;
        let leads = |value: &serde_json::Value| value.as_str().is_some_and(|to| to.to_lowercase().ends_with(&dns_name));
        v.as_guide(RECORD, "/alias", leads, &name)
    })
    .by("names.load_balancer"),
];

fn vpc(view: &View<'_>, key: &'static str) -> Option<String> {
    view.as_guide(key, "/vpc", |value| *value == view.config().network.vpc.as_str(), "your VPC")
}

fn egress(view: &View<'_>, key: &'static str) -> Option<String> {
    let is_open =
        |value: &serde_json::Value| value.as_object().is_some_and(|rules| rules.keys().eq(["all to 0.0.0.0/0"]));
    view.as_guide(key, "/egress", is_open, "all traffic to 0.0.0.0/0")
}

fn is_same(value: &serde_json::Value, wanted: &[String]) -> bool {
    let mut wanted = wanted.to_vec();
    wanted.sort();
    let mut live: Vec<&str> = value.as_array().into_iter().flatten().filter_map(|one| one.as_str()).collect();
    live.sort_unstable();
    live == wanted
}
