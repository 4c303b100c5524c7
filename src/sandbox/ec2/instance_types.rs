//! Instance types, and where they are offered.

use serde_json::{Value, json};

use super::filters::passes;
use super::network::zones;
use super::nouns::zone_id;
use crate::sandbox::parameters::{Reply, refuse, texts};
use crate::sandbox::world::World;

/// A few families of today (Amazon EC2 instance types): the name, GiB of memory for one vCPU, the architecture.
const FAMILIES: [(&str, u64, &str); 18] = [
    ("t3", 4, "x86_64"),
    ("t3a", 4, "x86_64"),
    ("t4g", 4, "arm64"),
    ("m5", 4, "x86_64"),
    ("m6i", 4, "x86_64"),
    ("m6a", 4, "x86_64"),
    ("m7i", 4, "x86_64"),
    ("m7i-flex", 4, "x86_64"),
    ("m7g", 4, "arm64"),
    ("c5", 2, "x86_64"),
    ("c6i", 2, "x86_64"),
    ("c6a", 2, "x86_64"),
    ("c7i", 2, "x86_64"),
    ("c7i-flex", 2, "x86_64"),
    ("c7a", 2, "x86_64"),
    ("r5", 8, "x86_64"),
    ("r6i", 8, "x86_64"),
    ("r7i", 8, "x86_64"),
];

/// Sizes and their vCPUs.
const SIZES: [(&str, u64); 9] = [
    ("large", 2),
    ("xlarge", 4),
    ("2xlarge", 8),
    ("4xlarge", 16),
    ("8xlarge", 32),
    ("12xlarge", 48),
    ("16xlarge", 64),
    ("24xlarge", 96),
    ("48xlarge", 192),
];

/// The small sizes, which only the burstable families have: vCPUs and MiB.
const SMALL: [(&str, u64, u64); 4] = [("nano", 2, 512), ("micro", 2, 1024), ("small", 2, 2048), ("medium", 2, 4096)];

/// DescribeInstanceTypes.
pub fn describe(world: &mut World, asked: &Value) -> Reply {
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
    let names = if wanted.is_empty() { offered(world) } else { wanted };
    let mut kinds = Vec::new();
    for kind in names.iter().filter_map(|name| kind(name)) {
        if passes(&kind, asked, &known)? {
            kinds.push(kind);
        }
    }
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
    let mut offers = Vec::new();
    for place in &places {
        for name in offered(world) {
            let offer = json!({"instanceType": name, "locationType": location, "location": place});
            if passes(&offer, asked, &[("instance-type", "instanceType"), ("location", "location")])? {
                offers.push(offer);
            }
        }
    }
    Ok(json!({"instanceTypeOfferingSet": offers}))
}

/// Every type of the table.
fn offered(_: &World) -> Vec<String> {
    let sizes = |family: &str| {
        let small = SMALL.iter().map(|(size, ..)| *size).filter(|_| family.starts_with('t'));
        let sizes = small.chain(SIZES.iter().map(|(size, _)| *size));
        sizes.map(|size| format!("{family}.{size}")).collect::<Vec<_>>()
    };
    let names = FAMILIES.iter().flat_map(|(family, ..)| sizes(family));
    names.filter(|name| kind(name).is_some()).collect()
}

/// What there is to say of a type; `None`: there is none of this name.
pub fn kind(name: &str) -> Option<Value> {
    let (family, size) = name.split_once('.')?;
    let (_, gib, architecture) = FAMILIES.iter().find(|(known, ..)| *known == family)?;
    let burstable = family.starts_with('t');
    let usual = SIZES.iter().find(|(known, vcpus)| *known == size && (!burstable || *vcpus <= 8));
    let small = SMALL.iter().find(|(known, ..)| *known == size && burstable);
    let (vcpus, mib) = match (usual, small) {
        (Some((_, vcpus)), _) => (*vcpus, vcpus * gib * 1024),
        (None, Some((_, vcpus, mib))) => (*vcpus, *mib),
        (None, None) => return None,
    };
    let threads = if *architecture == "arm64" { 1 } else { 2 };
    Some(json!({
        "instanceType": name, "currentGeneration": true, "freeTierEligible": false, "bareMetal": false,
        "supportedUsageClasses": ["on-demand", "spot"], "supportedRootDeviceTypes": ["ebs"],
        "supportedVirtualizationTypes": ["hvm"], "hypervisor": "nitro",
        "processorInfo": {"supportedArchitectures": [architecture], "sustainedClockSpeedInGhz": 3.2},
        "vCpuInfo": {
            "defaultVCpus": vcpus, "defaultCores": vcpus / threads, "defaultThreadsPerCore": threads,
        },
        "memoryInfo": {"sizeInMiB": mib}, "instanceStorageSupported": false,
        "ebsInfo": {"ebsOptimizedSupport": "default", "encryptionSupport": "supported", "nvmeSupport": "required"},
        "networkInfo": {
            "networkPerformance": "Up to 12.5 Gigabit", "maximumNetworkInterfaces": 4, "maximumNetworkCards": 1,
            "defaultNetworkCardIndex": 0, "ipv4AddressesPerInterface": 15, "ipv6AddressesPerInterface": 15,
            "ipv6Supported": true, "enaSupport": "required", "efaSupported": false,
            "encryptionInTransitSupported": true,
        },
        "placementGroupInfo": {"supportedStrategies": ["cluster", "partition", "spread"]},
        "hibernationSupported": false, "burstablePerformanceSupported": burstable, "dedicatedHostsSupported": false,
        "autoRecoverySupported": true, "supportedBootModes": ["legacy-bios", "uefi"], "nitroEnclavesSupport": "unsupported",
    }))
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
