//! Which services are called somewhere else than at AWS: an emulator may lack what AWS has. Leniency goes no further,
//! and never to a question of ownership or use.

use std::collections::BTreeSet;

use url::Url;

/// The services that are redirected, by the name that errors and environment variables give them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirected {
    everything: bool,
    services: BTreeSet<String>,
}

/// The suffixes of AWS's own hosts (botocore, partitions.json).
const AWS_HOSTS: [&str; 14] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "api.aws",
    "api.aws.hci.ic.gov",
    "api.aws.ic.gov",
    "api.aws.scloud",
    "api.cloud-aws.adc-e.uk",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
    "sc2s.sgov.gov",
];

impl Redirected {
    /// From the environment's variables and the profile's `endpoint_url`.
    pub fn read(variables: impl Iterator<Item = (String, String)>, profile: Option<&str>) -> Redirected {
        let variables: Vec<(String, String)> = variables.collect();
        let is_ignored = |(name, value): &(String, String)| {
            name == "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" && value.eq_ignore_ascii_case("true")
        };
        if variables.iter().any(is_ignored) {
            return Redirected::default();
        }
        let elsewhere = |(_, url): &&(String, String)| leads_elsewhere(url);
        let named = |name: &str| variables.iter().filter(elsewhere).any(|(other, _)| other == name);
        let of_services =
            variables.iter().filter(elsewhere).filter_map(|(name, _)| name.strip_prefix("AWS_ENDPOINT_URL_"));
        Redirected {
            everything: named("AWS_ENDPOINT_URL") || profile.is_some_and(leads_elsewhere),
            services: of_services.map(|service| service.to_lowercase().replace('_', "")).collect(),
        }
    }

    /// Whether this service is called somewhere else; `service` as errors name it: `ec2`, `autoscaling`.
    pub fn has(&self, service: &str) -> bool {
        self.everything || self.services.contains(service)
    }

    /// Whether any of these is.
    pub fn has_any(&self, services: &[&str]) -> bool {
        services.iter().any(|service| self.has(service))
    }
}

/// Whether this is a host of AWS's, in whichever partition; `host` in lower case.
pub fn is_aws(host: &str) -> bool {
    AWS_HOSTS.iter().any(|suffix| host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')))
}

fn leads_elsewhere(url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_lowercase));
    host.is_some_and(|host| !is_aws(&host))
}

#[cfg(test)]
mod tests {
    use super::Redirected;

    fn read(variables: &[(&str, &str)]) -> Redirected {
        Redirected::read(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())), None)
    }

    #[test]
    fn only_the_service_that_is_redirected_is_another() {
        let s3 = read(&[("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000")]);
        assert!(!s3.has("ec2") && !s3.has("iam") && !s3.has("elasticloadbalancingv2"));
        let ec2 = read(&[("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:5000")]);
        assert!(ec2.has("ec2") && !ec2.has("iam"));
        let elb = read(&[("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "http://127.0.0.1:5000")]);
        assert!(elb.has("elasticloadbalancingv2"));
        let all = read(&[("AWS_ENDPOINT_URL", "http://localhost:5000")]);
        assert!(all.has("ec2") && all.has("iam"));
        assert!(Redirected::read(std::iter::empty(), Some("http://localhost:5000")).has("iam"));
    }

    #[test]
    fn awss_own_hosts_are_aws_and_so_is_what_is_ignored() {
        for host in [
            "https://vpce-0.ec2.eu-central-1.vpce.amazonaws.com",
            "https://ec2.cn-north-1.amazonaws.com.cn",
            "https://ec2.eusc-de-east-1.amazonaws.eu",
            "https://ec2.eusc-de-east-1.api.amazonwebservices.eu",
            "https://ec2.eu-isoe-west-1.cloud.adc-e.uk",
        ] {
            assert_eq!(read(&[("AWS_ENDPOINT_URL", host)]), Redirected::default(), "{host}");
        }
        assert!(read(&[("AWS_ENDPOINT_URL", "https://amazonaws.com.evil.example")]).has("ec2"));
        let ignored = [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), ("AWS_ENDPOINT_URL", "http://localhost:5000")];
        assert_eq!(read(&ignored), Redirected::default());
    }
}
