//! What AWS, or reason, would refuse, although every value is of the right kind. Names are checked in `names`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::forms;
use super::mistake::{Findings, shown};
use super::{Config, Dns, HealthCheck, Instance, Listener, LoadBalancer, Network, Scaling, Scheme, Volume};

/// A load balancer's zones: AWS takes no fewer.
pub(super) const SUBNETS_MIN: usize = 2;

/// Refuses, before any call, what AWS would refuse in the middle of a run.
pub(super) fn check(config: &Config, findings: &mut Findings) {
    require_form("stack", &config.stack, "write 1 to 64 letters, digits and `-`", findings);
    if let Some(account) = &config.account {
        require_form("account", account, "write its twelve digits in quotes: \"123456789012\"", findings);
    }
    if let Some(region) = &config.region {
        require_form("region", region, "write a region such as eu-central-1", findings);
    }
    network(&config.network, findings);
    load_balancer(config, findings);
    instance(&config.instance, findings);
    volume(&config.instance.volume, findings);
    scaling(&config.scaling, findings);
    health_check(&config.health_check, findings);
    if let Some(dns) = &config.dns {
        record(dns, findings);
    }
    tags(&config.tags, findings);
    verify(config, findings);
}

/// A rule about one value, which the message shows.
fn require(holds: bool, path: &str, value: &str, cure: &str, findings: &mut Findings) {
    if !holds {
        findings.refuse(&[path], format!("`{path}` cannot be `{}`", shown(value)), cure);
    }
}

/// The rule that a text has the form of its key.
fn require_form(path: &str, text: &str, cure: &str, findings: &mut Findings) {
    require(forms::fits(path, text), path, text, cure, findings);
}

fn network(network: &Network, findings: &mut Findings) {
    require_form("network.vpc", &network.vpc, "write an id such as vpc-0123456789abcdef0", findings);
    subnets("network.private_subnets", &network.private_subnets, findings);
    subnets("network.public_subnets", &network.public_subnets, findings);
    if network.private_subnets.len() < SUBNETS_MIN {
        let what = format!("`network.private_subnets` has {} of the two subnets needed", network.private_subnets.len());
        findings.refuse(&["network.private_subnets"], what, "list at least two, in two zones (guide step 4)");
    }
}

fn subnets(path: &str, ids: &[String], findings: &mut Findings) {
    for (at, id) in ids.iter().enumerate() {
        let item = format!("{path}[{at}]");
        require_form(&item, id, "write an id such as subnet-0123456789abcdef0", findings);
        refuse_second(path, at, ids, findings);
    }
}

fn refuse_second(path: &str, at: usize, all: &[String], findings: &mut Findings) {
    if all[..at].contains(&all[at]) {
        let what = format!("`{}` is listed twice in `{path}`", shown(&all[at]));
        findings.refuse(&[&format!("{path}[{at}]")], what, "remove one of them");
    }
}

/// The address ranges of a list; a text that is not one is refused and left out.
pub(super) fn cidrs(path: &str, written: &[String], findings: &mut Findings) -> Vec<IpNet> {
    if written.is_empty() {
        let what = format!("`{path}` is empty: nobody could connect");
        findings.refuse(&[path], what, "list at least one range, such as 10.0.0.0/8");
    }
    let read = |(at, text): (usize, &String)| {
        refuse_second(path, at, written, findings);
        let refuse =
            |(why, cure)| findings.refuse(&[&format!("{path}[{at}]")], format!("`{}` {why}", shown(text)), cure);
        range(text).map_err(refuse).ok()
    };
    written.iter().enumerate().filter_map(read).collect()
}

/// An address range without host bits; or what is wrong with the text, and the cure.
fn range(text: &str) -> Result<IpNet, (&'static str, String)> {
    match (text.parse::<IpNet>(), text.parse::<IpAddr>()) {
        (Ok(net), _) if net == net.trunc() => Ok(net),
        (Ok(net), _) => Err(("has host bits set", format!("did you mean `{}`?", net.trunc()))),
        (_, Ok(address)) => Err(("has no length", format!("did you mean `{}`?", IpNet::from(address)))),
        _ => Err(("is no address range", "write one such as 10.0.0.0/8 or fd00::/8".to_owned())),
    }
}

fn load_balancer(config: &Config, findings: &mut Findings) {
    let LoadBalancer { scheme, listener, certificate, ingress_cidrs, allow_public, .. } = &config.load_balancer;
    if *scheme == Scheme::InternetFacing {
        if config.network.public_subnets.len() < SUBNETS_MIN {
            let what = "an internet-facing load balancer needs at least two public subnets";
            let paths = ["network.public_subnets", "load_balancer.scheme"];
            let cure = "list them under network.public_subnets, or set load_balancer.scheme: internal (guide step 4)";
            findings.refuse(&paths, what, cure);
        }
        // Two halves of the Internet are the Internet.
        let open = IpNet::aggregate(ingress_cidrs).iter().any(|net| net.prefix_len() == 0);
        if open && !allow_public {
            let paths = ["load_balancer.scheme", "load_balancer.ingress_cidrs", "load_balancer.allow_public"];
            let what = "the load balancer would be open to the whole Internet, \
                        and the API has no authentication of its own";
            let cure = "narrow load_balancer.ingress_cidrs, or set load_balancer.allow_public: true";
            findings.refuse(&paths, what, cure);
        }
    }
    match certificate {
        Some(arn) => certificate_arn(arn, config.region.as_deref(), findings),
        None if *listener == Listener::Https && config.dns.is_none() && config.verify.name.is_none() => {
            let paths = ["load_balancer.listener", "load_balancer.certificate", "dns"];
            let what = "HTTPS needs a certificate, and there is neither load_balancer.certificate \
                        nor a dns record to find one for";
            let cure = "set load_balancer.certificate, dns or verify.name, or load_balancer.listener: http";
            findings.refuse(&paths, what, cure);
        }
        None => {}
    }
}

fn certificate_arn(arn: &str, region: Option<&str>, findings: &mut Findings) {
    const PATH: &str = "load_balancer.certificate";
    let fits = forms::fits(PATH, arn);
    let cure = "write the ARN of an ACM certificate: arn:aws:acm:REGION:ACCOUNT:certificate/ID";
    require(fits, PATH, arn, cure, findings);
    let place = arn.split(':').nth(3).unwrap_or_default();
    if let Some(region) = region.filter(|region| fits && place != *region) {
        let what = format!("the certificate is in {place}, the load balancer in {}", shown(region));
        findings.refuse(&[PATH, "region"], what, "name a certificate of the same region (guide, troubleshooting)");
    }
}

fn instance(instance: &Instance, findings: &mut Findings) {
    let image = instance.image.as_str();
    let printable = |text: &str| text.chars().all(|c| !c.is_control());
    let fits = match image.strip_prefix("ssm:") {
        Some(path) => path.starts_with('/') && path.len() > 1 && !path.contains(char::is_whitespace),
        None if image.starts_with("ami-") => forms::is(forms::AMI, image),
        None => (3..=128).contains(&image.chars().count()) && printable(image),
    };
    let cure = "write an AMI's name, an id such as ami-0123456789abcdef0, or ssm:/path/of/a/parameter";
    require(fits, "instance.image", image, cure, findings);
    let kind = instance.instance_type.as_str();
    require_form("instance.type", kind, "write an instance type such as c7i-flex.4xlarge", findings);
    if let Some(key) = &instance.key_pair {
        let fits = (1..=255).contains(&key.len()) && printable(key);
        require(fits, "instance.key_pair", key, "write a key pair's name, or null for none", findings);
    }
}

fn volume(volume: &Volume, findings: &mut Findings) {
    let Volume { size_gib, iops, throughput_mibps, encrypted, kms_key } = volume;
    if kms_key.is_some() && *encrypted != Some(true) {
        let paths = ["instance.volume.kms_key", "instance.volume.encrypted"];
        findings.refuse(&paths, "a KMS key encrypts only an encrypted volume", "set encrypted: true beside it");
    }
    let most = i64::from(*size_gib) * 500;
    if i64::from(*iops) > most {
        let paths = ["instance.volume.iops", "instance.volume.size_gib"];
        let what =
            format!("{iops} IOPS are more than a gp3 volume of {size_gib} GiB can have, {most} (500 for each GiB)");
        let needed = (i64::from(*iops) + 499) / 500;
        findings.refuse(&paths, what, format!("set iops to {most} or less, or size_gib to {needed} or more"));
    }
    if i64::from(*throughput_mibps) * 4 > i64::from(*iops) {
        let paths = ["instance.volume.throughput_mibps", "instance.volume.iops"];
        let (most, needed) = (iops / 4, i64::from(*throughput_mibps) * 4);
        let what =
            format!("{throughput_mibps} MiB/s are more than a gp3 volume of {iops} IOPS can have, {most} (a quarter)");
        findings.refuse(&paths, what, format!("set throughput_mibps to {most} or less, or iops to {needed} or more"));
    }
}

fn scaling(scaling: &Scaling, findings: &mut Findings) {
    let Scaling { min, desired, max, .. } = scaling;
    if *max == 0 {
        findings.refuse(&["scaling.max"], "`scaling.max` is 0: no instance could ever start", "write 1 or more");
    } else if min > max {
        let what = format!("`scaling.min` is {min}, more than `scaling.max`, {max}");
        findings.refuse(&["scaling.min", "scaling.max"], what, "make min at most max");
    } else if !(min..=max).contains(&desired) {
        let what = format!("`scaling.desired` is {desired}, outside {min} to {max}");
        let paths = ["scaling.desired", "scaling.min", "scaling.max"];
        findings.refuse(&paths, what, "set scaling.desired between scaling.min and scaling.max");
    }
}

fn health_check(check: &HealthCheck, findings: &mut Findings) {
    const CODES: &str = "health_check.success_codes";
    let cure = "write at most 1024 visible ASCII characters that begin with `/`";
    require_form("health_check.path", &check.path, cure, findings);
    let codes = check.success_codes.as_str();
    let rises = |range: &str| range.split_once('-').is_none_or(|(from, to)| from < to);
    let cure = "write codes from 200 to 499: 404, \"200,404\" or \"200-299\", without spaces";
    require(forms::fits(CODES, codes) && codes.split(',').all(rises), CODES, codes, cure, findings);
}

fn record(dns: &Dns, findings: &mut Findings) {
    let Dns { zone, record } = dns;
    let zone_id = zone.starts_with('Z') && !zone.contains('.');
    let is_name = forms::fits("dns.zone", zone) && zone.trim_end_matches('.').len() <= DOMAIN_MAX;
    let fits = if zone_id { forms::is(forms::ZONE_ID, zone) } else { is_name };
    let cure = "write a domain such as example.com, or a hosted zone's id such as Z0123456789ABC";
    require(fits, "dns.zone", zone, cure, findings);
    if record.is_empty() || record == "@" {
        return;
    }
    let cure = "write labels such as app or app.eu, or @ for the zone itself";
    require(is_domain(record), "dns.record", record, cure, findings);
    let (bare, lower) = (zone.trim_end_matches('.').to_lowercase(), record.to_lowercase());
    if let Some(within) = lower.strip_suffix(&bare).filter(|_| !zone_id && !bare.is_empty())
        && (within.is_empty() || within.ends_with('.'))
    {
        let within = if within.is_empty() { "@" } else { within.trim_end_matches('.') };
        let what = format!("`dns.record` repeats the zone: it would make {}.{}", shown(&lower), shown(&bare));
        findings.refuse(&["dns.record", "dns.zone"], what, format!("did you mean `{}`?", shown(within)));
    } else if !zone_id && record.len() + 1 + bare.len() > DOMAIN_MAX {
        let what = "the record's whole name is longer than 253 characters";
        findings.refuse(&["dns.record", "dns.zone"], what, "shorten dns.record");
    }
}

/// The longest name that DNS knows.
const DOMAIN_MAX: usize = 253;

fn is_domain(name: &str) -> bool {
    name.len() <= DOMAIN_MAX && forms::is(forms::DOMAIN, name)
}

/// The strictest of the services: IAM, which also ignores case in keys.
fn tags(tags: &BTreeMap<String, String>, findings: &mut Findings) {
    // AWS takes 50; ours, and those that Auto Scaling and CloudFormation add, need room.
    const MOST: usize = 40;
    if tags.len() > MOST {
        findings.refuse(&["tags"], format!("{} tags", tags.len()), format!("keep at most {MOST}"));
    }
    let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
    for (at, (key, value)) in tags.iter().enumerate() {
        let path = format!("tags.{key}");
        let lower = key.to_lowercase();
        let named = format!("the tag `{}`", shown(key));
        let (length, value_length) = (key.chars().count(), value.chars().count());
        let broken = if lower.starts_with("aws:") || lower.starts_with("oz-deploy:") {
            Some(("has a reserved prefix", "aws: is AWS's and oz-deploy: is this program's; choose another key"))
        } else if lower == "name" {
            Some(("is set by this program", "set the resource's name under names instead"))
        } else if !(1..=128).contains(&length) || value_length > 256 {
            Some(("is too long or empty", "a key may have 1 to 128 characters, a value at most 256"))
        } else if !allowed(key) || !allowed(value) {
            Some(("has a character that AWS refuses", "use letters, digits, spaces and `_.:/=+-@`"))
        } else if tags.keys().take(at).any(|other| other.to_lowercase() == lower) {
            Some(("differs from another only in case", "IAM ignores case in keys; keep one of them"))
        } else {
            None
        };
        if let Some((what, cure)) = broken {
            findings.refuse(&[&path], format!("{named} {what}"), cure);
        }
    }
}

fn verify(config: &Config, findings: &mut Findings) {
    let verify = &config.verify;
    if let Some(name) = &verify.name {
        let cure = "write a whole name such as app.example.com, or null for the record's";
        require(is_domain(name) && name.contains('.'), "verify.name", name, cure, findings);
        if config.dns.is_some() {
            let what = "`verify.name` is for a record that is kept elsewhere, and `dns` makes one here";
            findings.refuse(&["verify.name", "dns"], what, "leave one of them out");
        }
    }
    let paths = [("verify.capture", &verify.capture), ("verify.reference", &verify.reference)];
    for (path, file) in paths {
        let empty = file.as_ref().is_some_and(|file| file.as_os_str().is_empty());
        require(!empty, path, "", "write a file's path, or null for none", findings);
    }
    let empty = verify.version.as_deref() == Some("");
    require(!empty, "verify.version", "", "write a version, or null for any", findings);
}
