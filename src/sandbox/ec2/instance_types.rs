//! Instance types, and where they are offered.

use serde_json::{Value, json};

use super::filters::passing;
use super::network::zones;
use super::nouns::zone_id;
use crate::sandbox::parameters::{Reply, refuse, texts};
use crate::sandbox::world::World;

/// A few families of today (Amazon EC2 instance types): the name, GiB of memory for one vCPU, the architecture, the
/// sizes.
const FAMILIES: [(&str, u64, &str, &str); 19] = [
    ("t3", 4, "x86_64", "nano micro small medium large xlarge 2xlarge"),
    ("t3a", 4, "x86_64", "nano micro small medium large xlarge 2xlarge"),
    ("t4g", 4, "arm64", "nano micro small medium large xlarge 2xlarge"),
    ("m5", 4, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    ("m6i", 4, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    ("m6a", 4, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge"),
    ("m7i", 4, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("m7i-flex", 4, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("m7g", 4, "arm64", "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("c5", 2, "x86_64", "large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge"),
    ("c6i", 2, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    ("c6a", 2, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge"),
    ("c7i", 2, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("c7i-flex", 2, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("c7a", 2, "x86_64", "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge"),
    ("g5", 4, "x86_64", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("r5", 8, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    ("r6i", 8, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    ("r7i", 8, "x86_64", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
];

/// DescribeInstanceTypes.
pub fn describe(_: &mut World, asked: &Value) -> Reply {
    let known = [
        ("instance-type", "instanceType"),
        ("current-generation", "currentGeneration"),
        ("bare-metal", "bareMetal"),
        ("burstable-performance-supported", "burstablePerformanceSupported"),
        ("free-tier-eligible", "freeTierEligible"),
        ("hypervisor", "hypervisor"),
        ("instance-storage-supported", "instanceStorageSupported"),
        ("memory-info.size-in-mib", "memoryInfo.sizeInMiB"),
        ("processor-info.supported-architecture", "processorInfo.supportedArchitectures"),
        ("supported-root-device-type", "supportedRootDeviceTypes"),
        ("supported-usage-class", "supportedUsageClasses"),
        ("supported-virtualization-type", "supportedVirtualizationTypes"),
        ("vcpu-info.default-vcpus", "vCpuInfo.defaultVCpus"),
    ];
    let wanted = texts(asked, "InstanceType");
    let unknown: Vec<&str> = wanted.iter().map(String::as_str).filter(|name| kind(name).is_none()).collect();
    if !unknown.is_empty() {
        let message = format!("The following supplied instance types do not exist: [{}]", unknown.join(", "));
        return refuse("InvalidInstanceType", message);
    }
    let names = if wanted.is_empty() { names() } else { wanted };
    let kinds = passing(names.iter().filter_map(|name| kind(name)), asked, &known)?;
    Ok(json!({"instanceTypeSet": kinds}))
}

/// DescribeInstanceTypeOfferings: every zone offers every type, but for those that the weather takes out.
pub fn offerings(world: &mut World, asked: &Value) -> Reply {
    let out = &world.weather.not_offered;
    let zones: Vec<String> = zones(world).into_iter().filter(|zone| !out.contains(zone)).collect();
    let location = asked["LocationType"].as_str().unwrap_or("region");
    let places = match location {
        "region" => vec![world.region.clone()],
        "availability-zone" => zones,
        "availability-zone-id" => zones.iter().map(|zone| zone_id(zone)).collect(),
        other => {
            let message = format!("Value ({other}) for parameter LocationType is invalid.");
            return refuse("InvalidParameterValue", message);
        }
    };
    let offers = places.iter().flat_map(|place| {
        let offer = move |name| json!({"instanceType": name, "locationType": location, "location": place});
        names().into_iter().map(offer)
    });
    let known = [("instance-type", "instanceType"), ("location", "location")];
    let offers = passing(offers, asked, &known)?;
    Ok(json!({"instanceTypeOfferingSet": offers}))
}

/// Every type of the table.
fn names() -> Vec<String> {
    let sizes = |family: &str, sizes: &str| sizes.split(' ').map(|size| format!("{family}.{size}")).collect::<Vec<_>>();
    FAMILIES.iter().flat_map(|(family, _, _, all)| sizes(family, all)).collect()
}

/// The vCPUs of a type; `None`: there is none of this name.
pub fn vcpus(name: &str) -> Option<f64> {
    kind(name)?["vCpuInfo"]["defaultVCpus"].as_f64()
}

/// What there is to say of a type; `None`: there is none of this name.
pub fn kind(name: &str) -> Option<Value> {
    let (family, size) = name.split_once('.')?;
    let (_, gib, architecture, sizes) = FAMILIES.iter().find(|(known, ..)| *known == family)?;
    if !sizes.split(' ').any(|known| known == size) {
        return None;
    }
    let burstable = family.starts_with('t');
    let (vcpus, mib) = match size {
        "nano" => (2, 512),
        "micro" => (2, 1024),
        "small" => (2, 2048),
        "medium" if burstable => (2, 4096),
        "medium" => (1, gib * 1024),
        "large" => (2, 2 * gib * 1024),
        "xlarge" => (4, 4 * gib * 1024),
        many => {
            let many: u64 = many.trim_end_matches("xlarge").parse().ok()?;
            (4 * many, 4 * many * gib * 1024)
        }
    };
    let threads = if *architecture == "arm64" || vcpus == 1 { 1 } else { 2 };
    Some(json!({
        "instanceType": name, "currentGeneration": true, "freeTierEligible": false, "bareMetal": false,
        "supportedUsageClasses": ["on-demand", "spot"], "supportedRootDeviceTypes": ["ebs"],
        "supportedVirtualizationTypes": ["hvm"], "hypervisor": "nitro",
        "processorInfo": {"supportedArchitectures": [architecture], "sustainedClockSpeedInGhz": 3.2},
        "vCpuInfo": {
            "defaultVCpus": vcpus, "defaultCores": vcpus / threads, "defaultThreadsPerCore": threads,
        },
        "memoryInfo": {"sizeInMiB": mib}, "instanceStorageSupported": false,
        "ebsInfo": {
            "ebsOptimizedSupport": "default", "encryptionSupport": "supported", "nvmeSupport": "required",
            "ebsOptimizedInfo": ebs(vcpus),
        },
        "networkInfo": {
            "networkPerformance": "Up to 12.5 Gigabit", "maximumNetworkInterfaces": 4, "maximumNetworkCards": 1,
            "defaultNetworkCardIndex": 0, "ipv4AddressesPerInterface": 15, "ipv6AddressesPerInterface": 15,
            "ipv6Supported": true, "enaSupport": "required", "efaSupported": false,
            "encryptionInTransitSupported": true,
        },
        "placementGroupInfo": {"supportedStrategies": ["cluster", "partition", "spread"]},
        "hibernationSupported": false, "burstablePerformanceSupported": burstable, "dedicatedHostsSupported": false,
        "autoRecoverySupported": true, "supportedBootModes": ["legacy-bios", "uefi"],
        "nitroEnclavesSupport": "unsupported",
    }))
}

/// What EBS gives a type of so many vCPUs: always, and in bursts (EC2 user guide, "EBS-optimized instances": the
/// families differ little).
fn ebs(vcpus: u64) -> Value {
    let (mbps, iops) = match vcpus {
        0..=2 => (650, 3_600),
        3..=4 => (1_250, 6_000),
        5..=8 => (2_500, 12_000),
        9..=16 => (5_000, 20_000),
        many => (10_000 * many / 32, 40_000 * many / 32),
    };
    let (most_mbps, most_iops) = (mbps.max(10_000), iops.max(40_000));
    json!({
        "baselineBandwidthInMbps": mbps, "baselineThroughputInMBps": mbps as f64 / 8.0, "baselineIops": iops,
        "maximumBandwidthInMbps": most_mbps, "maximumThroughputInMBps": most_mbps as f64 / 8.0,
        "maximumIops": most_iops,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_vcpus_of_their_size() {
        let vcpus = |name| kind(name).map(|kind| kind["vCpuInfo"]["defaultVCpus"].clone());
        assert_eq!(vcpus("c7i-flex.4xlarge"), Some(json!(16)));
        assert_eq!(vcpus("t3.micro"), Some(json!(2)));
        assert_eq!(
            (vcpus("c7i.micro"), vcpus("t3.48xlarge"), vcpus("x9.large"), vcpus("c7i")),
            (None, None, None, None)
        );
    }
}
