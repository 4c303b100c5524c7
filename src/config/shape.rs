//! The keys of deploy.yaml, section by section, in the order of [`Config`].

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::mistake::Findings;
use super::rules;
use super::section::{Section, read};
use super::tree::Node;
use super::{
    Config, Dns, HealthCheck, Imds, Instance, Listener, LoadBalancer, Names, Network, Preflight, Scaling, Scheme,
    Verify, Volume,
};
use crate::outcome::CODES;

// What EBS takes for a gp3 volume (EC2's service model).
const GP3_SIZE_GIB: RangeInclusive<i64> = 1..=65_536;
const GP3_IOPS: RangeInclusive<i64> = 3_000..=80_000;
const GP3_THROUGHPUT_MIBPS: RangeInclusive<i64> = 125..=2_000;
/// Size of a group. AWS names no limit; ten thousand of these instances is a slip of the finger.
const INSTANCES: RangeInclusive<i64> = 0..=10_000;
/// Up to a day; AWS names no limit here either.
const SECONDS: RangeInclusive<i64> = 0..=86_400;

/// Reads the whole file. What cannot be read is reported and left at its default.
pub(super) fn config(root: Node, findings: &mut Findings) -> Config {
    let default = Config::new(Network::default());
    read("", root, findings, |top| Config {
        stack: top.text("stack", default.stack),
        account: top.optional_text("account"),
        region: top.optional_text("region"),
        network: top.required_section("network", "add it, with vpc and private_subnets", network),
        load_balancer: top.section("load_balancer", load_balancer),
        instance: top.section("instance", instance),
        scaling: top.section("scaling", scaling),
        health_check: top.section("health_check", health_check),
        dns: top.optional_section("dns", dns),
        names: top.section("names", Names::read),
        tags: top.section("tags", tags),
        verify: top.section("verify", verify),
        preflight: top.section("preflight", preflight),
    })
}

fn network(section: &mut Section) -> Network {
    Network {
        vpc: section.required_text("vpc", "add it, such as vpc: vpc-0123456789abcdef0"),
        private_subnets: section.required_texts(
            "private_subnets",
            "add a list of two subnets in two zones",
            rules::SUBNETS_MIN,
        ),
        public_subnets: section.texts("public_subnets", Vec::new(), 0),
    }
}

fn load_balancer(section: &mut Section) -> LoadBalancer {
    let default = LoadBalancer::default();
    let schemes = [("internal", Scheme::Internal), ("internet-facing", Scheme::InternetFacing)];
    let listeners = [("https", Listener::Https), ("http", Listener::Http)];
    LoadBalancer {
        scheme: section.choice("scheme", default.scheme, &schemes),
        listener: section.choice("listener", default.listener, &listeners),
        certificate: section.optional_text("certificate"),
        redirect_http: section.flag("redirect_http", default.redirect_http),
        ingress_cidrs: cidrs(section, &default.ingress_cidrs),
        allow_public: section.flag("allow_public", default.allow_public),
    }
}

fn cidrs(section: &mut Section, default: &[IpNet]) -> Vec<IpNet> {
    let written = section.texts("ingress_cidrs", default.iter().map(IpNet::to_string).collect(), 1);
    rules::cidrs("load_balancer.ingress_cidrs", &written, section.findings)
}

fn instance(section: &mut Section) -> Instance {
    let default = Instance::default();
    let imds = [("required", Imds::Required), ("optional", Imds::Optional)];
    Instance {
        image: section.text("image", default.image),
        instance_type: section.text("type", default.instance_type),
        key_pair: section.optional_text("key_pair"),
        volume: section.section("volume", volume),
        imds: section.choice("imds", default.imds, &imds),
    }
}

fn volume(section: &mut Section) -> Volume {
    let default = Volume::default();
    Volume {
        size_gib: section.whole("size_gib", default.size_gib, GP3_SIZE_GIB),
        iops: section.whole("iops", default.iops, GP3_IOPS),
        throughput_mibps: section.whole("throughput_mibps", default.throughput_mibps, GP3_THROUGHPUT_MIBPS),
        encrypted: section.optional_flag("encrypted"),
        kms_key: section.optional_text("kms_key"),
    }
}

fn scaling(section: &mut Section) -> Scaling {
    let default = Scaling::default();
    Scaling {
        min: section.whole("min", default.min, INSTANCES),
        desired: section.whole("desired", default.desired, INSTANCES),
        max: section.whole("max", default.max, INSTANCES),
        cpu_target_percent: section.number("cpu_target_percent", default.cpu_target_percent, 1.0..=100.0),
        warm_up_seconds: section.whole("warm_up_seconds", default.warm_up_seconds, SECONDS),
        grace_period_seconds: section.whole("grace_period_seconds", default.grace_period_seconds, SECONDS),
    }
}

fn health_check(section: &mut Section) -> HealthCheck {
    let default = HealthCheck::default();
    HealthCheck {
        port: section.whole("port", default.port, 1..=65_535),
        path: section.text("path", default.path),
        // Most people write 404 without quotes.
        success_codes: section.code("success_codes", default.success_codes),
    }
}

fn dns(section: &mut Section) -> Dns {
    Dns {
        zone: section.required_text("zone", "add it, such as zone: example.com, or omit dns for no record"),
        record: section.text("record", super::RECORD.to_owned()),
    }
}

fn tags(section: &mut Section) -> BTreeMap<String, String> {
    section.all_codes().into_iter().collect()
}

fn preflight(section: &mut Section) -> Preflight {
    let codes: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    Preflight { ignore: section.choices("ignore", &codes) }
}

fn verify(section: &mut Section) -> Verify {
    Verify {
        name: section.optional_text("name"),
        // A version such as 1.10 looks like a number, and its zero counts.
        version: section.optional_code("version"),
        capture: section.optional_text("capture").map(Into::into),
        reference: section.optional_text("reference").map(Into::into),
    }
}
