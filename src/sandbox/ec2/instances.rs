//! Instances, their volumes and their network interfaces.

use serde_json::{Value, json};

use super::described::with_defaults;
use super::filters::passing;
use super::nouns::{INSTANCE, INTERFACE, VOLUME};
use super::{instance_types, tags};
use crate::sandbox::parameters::{Reply, flag, list, need, number, refuse, texts};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// What the account's own instances show of it.
const REQUESTED: &str = "User initiated";

/// An instance as DescribeInstances shows it.
pub fn shown(world: &World, row: &Value) -> Value {
    let id = row["instanceId"].as_str().unwrap_or_default();
    let of_instance = |one: &&Value| one["attachment"]["instanceId"] == id;
    let interface = world.rows(tables::INTERFACES).find(of_instance).map(|one| shown_interface(world, one));
    let subnet = row["subnetId"].as_str().and_then(|subnet| world.row(tables::SUBNETS, subnet));
    let image = row["imageId"].as_str().and_then(|image| world.row(tables::IMAGES, image));
    let lives = !["shutting-down", "terminated"].contains(&row["instanceState"]["name"].as_str().unwrap_or_default());
    let address = interface.as_ref().filter(|_| lives).map(|one| one["privateIpAddress"].clone());
    let host = address.as_ref().and_then(Value::as_str).map(|address| host_name(world, address));
    let none = json!({});
    let image = image.unwrap_or(&none);
    let cpus = row["instanceType"].as_str().and_then(instance_types::kind).unwrap_or_default()["vCpuInfo"].take();
    let zone = subnet.map(|row| &row["availabilityZone"]);
    let interfaces: Vec<Value> = interface.map(in_instance).into_iter().collect();
    let defaults = json!({
        "amiLaunchIndex": 0, "architecture": image["architecture"], "blockDeviceMapping": mappings(world, id),
        "cpuOptions": {"coreCount": cpus["defaultCores"], "threadsPerCore": cpus["defaultThreadsPerCore"]},
        "capacityReservationSpecification": {"capacityReservationPreference": "open"}, "clientToken": "",
        "currentInstanceBootMode": "legacy-bios", "dnsName": "", "ebsOptimized": false, "enaSupport": true,
        "enclaveOptions": {"enabled": false}, "hibernationOptions": {"configured": false}, "hypervisor": "xen",
        "maintenanceOptions": {"autoRecovery": "default"}, "metadataOptions": metadata(&none),
        "monitoring": {"state": "disabled"}, "networkInterfaceSet": interfaces,
        "placement": {"availabilityZone": zone, "groupName": "", "tenancy": "default"},
        "platformDetails": "Linux/UNIX", "usageOperation": "RunInstances",
        "usageOperationUpdateTime": row["launchTime"],
        "privateDnsName": host.unwrap_or_default(), "privateIpAddress": address,
        "privateDnsNameOptions": {
            "hostnameType": "ip-name", "enableResourceNameDnsARecord": false, "enableResourceNameDnsAAAARecord": false,
        },
        "productCodes": image["productCodes"], "reason": "", "rootDeviceName": image["rootDeviceName"],
        "rootDeviceType": "ebs", "sourceDestCheck": true, "tagSet": [], "virtualizationType": "hvm",
        "_reservation": reservation(id), "_owner": world.account,
    });
    let mut row = with_defaults(row.clone(), defaults);
    row["groupSet"] = named_groups(world, &row);
    for (key, part) in [("aws:ec2launchtemplate:id", "LaunchTemplateId"), ("aws:ec2launchtemplate:version", "Version")]
    {
        if let Some(value) = row["_template"][part].as_str().map(str::to_owned) {
            tags::set_tags(&mut row, ("tagSet", "key", "value"), &[json!({"key": key, "value": value})]);
        }
    }
    row
}

/// An interface as its instance shows it: without what the instance says itself (service model,
/// InstanceNetworkInterface).
fn in_instance(mut interface: Value) -> Value {
    for (within, names) in [
        ("", &["availabilityZone", "requesterManaged", "requesterId", "tagSet"][..]),
        ("attachment", &["instanceId", "instanceOwnerId"][..]),
    ] {
        let part = if within.is_empty() { &mut interface } else { &mut interface[within] };
        if let Some(fields) = part.as_object_mut() {
            names.iter().for_each(|name| drop(fields.remove(*name)));
        }
    }
    interface
}

/// Metadata options of an instance whose template has these (EC2 user guide, "Instance metadata options": defaults).
pub fn metadata(asked: &Value) -> Value {
    let defaults = json!({
        "state": "applied", "httpTokens": "optional", "httpPutResponseHopLimit": 1, "httpEndpoint": "enabled",
        "httpProtocolIpv6": "disabled", "instanceMetadataTags": "disabled",
    });
    with_defaults(if asked.is_object() { asked.clone() } else { json!({}) }, defaults)
}

/// The groups of an instance or an interface, with their names.
fn named_groups(world: &World, row: &Value) -> Value {
    let named = |group: &Value| {
        let row = group["groupId"].as_str().and_then(|id| world.row(tables::GROUPS, id));
        json!({"groupId": group["groupId"], "groupName": row.map_or(&group["groupName"], |row| &row["groupName"])})
    };
    list(row, "groupSet").iter().map(named).collect()
}

fn mappings(world: &World, instance: &str) -> Vec<Value> {
    let volumes = world.rows(tables::VOLUMES).filter(|row| row["attachmentSet"][0]["instanceId"] == instance);
    let mapping = |volume: &Value| {
        let volume = shown_volume(world, volume);
        let attached = &volume["attachmentSet"][0];
        json!({"deviceName": attached["device"], "ebs": {
            "volumeId": volume["volumeId"], "attachTime": attached["attachTime"], "status": "attached",
            "deleteOnTermination": attached["deleteOnTermination"],
        }})
    };
    volumes.map(mapping).collect()
}

fn reservation(instance: &str) -> String {
    format!("r-{}", instance.trim_start_matches("i-"))
}

/// A volume as DescribeVolumes shows it.
pub fn shown_volume(world: &World, row: &Value) -> Value {
    let defaults = json!({
        "createTime": world.date(), "encrypted": false, "multiAttachEnabled": false, "snapshotId": "", "tagSet": [],
        "volumeType": "gp3", "size": 8, "availabilityZone": format!("{}a", world.region), "attachmentSet": [],
    });
    let mut row = with_defaults(row.clone(), defaults);
    // gp3's baseline (Amazon EBS user guide, "General Purpose SSD volumes").
    if row["volumeType"] == "gp3" {
        row = with_defaults(row, json!({"iops": 3000, "throughput": 125}));
    }
    let (id, time) = (row["volumeId"].clone(), row["createTime"].clone());
    for attached in row["attachmentSet"].as_array_mut().into_iter().flatten() {
        let defaults = json!({
            "volumeId": id, "status": "attached", "attachTime": time, "device": "/dev/xvda",
            "deleteOnTermination": true,
        });
        *attached = with_defaults(attached.take(), defaults);
    }
    row
}

/// A network interface as DescribeNetworkInterfaces shows it.
pub fn shown_interface(world: &World, row: &Value) -> Value {
    let id = row["networkInterfaceId"].as_str().unwrap_or_default();
    let subnet = row["subnetId"].as_str().and_then(|subnet| world.row(tables::SUBNETS, subnet));
    let none = json!({});
    let subnet = subnet.unwrap_or(&none);
    let address = interface_address(subnet["cidrBlock"].as_str().unwrap_or("10.0.0.0/24"), id);
    let host = host_name(world, &address);
    let managed = !row["requesterId"].is_null();
    let defaults = json!({
        "availabilityZone": subnet["availabilityZone"], "vpcId": subnet["vpcId"], "description": "", "groupSet": [],
        "interfaceType": "interface", "ipv6AddressesSet": [], "macAddress": mac_address(id), "ownerId": world.account,
        "privateDnsName": host, "privateIpAddress": address, "requesterManaged": managed, "sourceDestCheck": !managed,
        "privateIpAddressesSet": [{"primary": true, "privateIpAddress": address, "privateDnsName": host}], "tagSet": [],
        "status": "in-use",
    });
    let mut row = with_defaults(row.clone(), defaults);
    row["groupSet"] = named_groups(world, &row);
    if managed && row["status"] == "in-use" && row["attachment"].is_null() {
        // A load balancer's interfaces are attached by AWS.
        row["attachment"] = json!({
            "attachmentId": id.replace("eni-", "ela-attach-"), "deviceIndex": 1, "deleteOnTermination": false,
            "instanceOwnerId": row["requesterId"],
        });
    }
    if row["attachment"].is_object() {
        let defaults = json!({
            "attachmentId": format!("eni-attach-{}", id.trim_start_matches("eni-")), "deviceIndex": 0,
            "networkCardIndex": 0, "status": "attached", "deleteOnTermination": true, "attachTime": world.date(),
            "instanceOwnerId": world.account,
        });
        row["attachment"] = with_defaults(row["attachment"].take(), defaults);
    }
    row
}

/// The private address of an interface in a subnet: the first four are AWS's own (VPC user guide, "Subnet sizing").
fn interface_address(cidr: &str, id: &str) -> String {
    let network = cidr.split('/').next().unwrap_or_default();
    let prefix = network.rsplit_once('.').map_or(network, |(prefix, _)| prefix);
    format!("{prefix}.{}", 4 + serial(id) % 250)
}

fn host_name(world: &World, address: &str) -> String {
    format!("ip-{}.{}.compute.internal", address.replace('.', "-"), world.region)
}

fn mac_address(id: &str) -> String {
    let bytes = serial(id).to_be_bytes();
    format!("02:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes[3], bytes[4], bytes[5], bytes[6], bytes[7])
}

/// An id as a number.
fn serial(id: &str) -> u64 {
    let digits = id.rsplit('-').next().unwrap_or_default();
    u64::from_str_radix(digits.get(digits.len().saturating_sub(15)..).unwrap_or_default(), 16).unwrap_or_default()
}

/// DescribeInstances: a reservation for each.
pub fn describe(world: &mut World, asked: &Value) -> Reply {
    let rows = INSTANCE.rows(world, asked)?;
    let reservation = |row: &Value| {
        let (id, owner) = (&row["_reservation"], &world.account);
        json!({"reservationId": id, "ownerId": owner, "groupSet": [], "instancesSet": [row]})
    };
    Ok(json!({"reservationSet": rows.iter().map(reservation).collect::<Vec<_>>()}))
}

/// DescribeInstanceStatus: only those that run, unless all are asked for.
pub fn status(world: &mut World, asked: &Value) -> Reply {
    let known = [
        ("availability-zone", "availabilityZone"),
        ("instance-state-name", "instanceState.name"),
        ("instance-state-code", "instanceState.code"),
        ("instance-status.status", "instanceStatus.status"),
        ("system-status.status", "systemStatus.status"),
    ];
    let ids = texts(asked, "InstanceId");
    for id in &ids {
        INSTANCE.row(world, id)?;
    }
    let all = flag(asked, "IncludeAllInstances") == Some(true);
    let is_asked = |row: &&Value| {
        (all || row["instanceState"]["name"] == "running")
            && (ids.is_empty() || ids.iter().any(|id| row["instanceId"] == id.as_str()))
    };
    let rows = world.rows(tables::INSTANCES).filter(is_asked);
    let statuses = passing(rows.map(|row| status_of(world, row)), asked, &known)?;
    Ok(json!({"instanceStatusSet": statuses}))
}

fn status_of(world: &World, row: &Value) -> Value {
    let runs = row["instanceState"]["name"] == "running";
    let word = if runs { "ok" } else { "not-applicable" };
    let details = runs.then(|| json!([{"name": "reachability", "status": "passed"}]));
    let check = json!({"status": word, "details": details});
    json!({
        "instanceId": row["instanceId"], "availabilityZone": shown(world, row)["placement"]["availabilityZone"],
        "instanceState": row["instanceState"], "instanceStatus": check, "systemStatus": check, "eventsSet": [],
        "attachedEbsStatus": {"status": word},
    })
}

/// DescribeInstanceAttribute.
pub fn attribute(world: &mut World, asked: &Value) -> Reply {
    let row = INSTANCE.row(world, need(asked, "InstanceId")?)?;
    let row = shown(world, row);
    let mut reply = json!({"instanceId": row["instanceId"]});
    let name = need(asked, "Attribute")?;
    reply[name] = match name {
        "instanceType" | "rootDeviceName" | "sourceDestCheck" | "ebsOptimized" | "enaSupport" => {
            json!({"value": row[name]})
        }
        "disableApiTermination" | "disableApiStop" => json!({"value": row["_kept"][name] == "true"}),
        "instanceInitiatedShutdownBehavior" => json!({"value": "stop"}),
        "userData" => json!({"value": row["_user_data"]}),
        "groupSet" | "blockDeviceMapping" | "productCodes" => row[name].clone(),
        "kernel" | "ramdisk" => json!({}),
        other => {
            let message = format!("Value ({other}) for parameter attribute is invalid. Unknown attribute.");
            return refuse("InvalidParameterValue", message);
        }
    };
    Ok(reply)
}

/// GetInstanceUefiData: the variable store's header, `AMZNUEFI`.
pub fn uefi_data(world: &mut World, asked: &Value) -> Reply {
    let row = INSTANCE.row(world, need(asked, "InstanceId")?)?;
    Ok(json!({"instanceId": row["instanceId"], "uefiData": "QU1aTlVFRkk="}))
}

/// ModifyInstanceMetadataOptions.
pub fn modify_metadata_options(world: &mut World, asked: &Value) -> Reply {
    let row = INSTANCE.row_mut(world, need(asked, "InstanceId")?)?;
    let mut options = metadata(&row["metadataOptions"]);
    for (name, field) in [
        ("HttpTokens", "httpTokens"),
        ("HttpEndpoint", "httpEndpoint"),
        ("HttpProtocolIpv6", "httpProtocolIpv6"),
        ("InstanceMetadataTags", "instanceMetadataTags"),
    ] {
        if !asked[name].is_null() {
            options[field] = asked[name].clone();
        }
    }
    if let Some(hops) = number(asked, "HttpPutResponseHopLimit") {
        options["httpPutResponseHopLimit"] = json!(hops);
    }
    row["metadataOptions"] = options.clone();
    options["state"] = json!("pending");
    Ok(json!({"instanceId": row["instanceId"], "instanceMetadataOptions": options}))
}

/// RebootInstances.
pub fn reboot(world: &mut World, asked: &Value) -> Reply {
    for id in named(asked)? {
        INSTANCE.row(world, &id)?;
    }
    Ok(json!({"return": true}))
}

/// TerminateInstances: all that are named or none.
pub fn terminate(world: &mut World, asked: &Value) -> Reply {
    let ids = named(asked)?;
    for id in &ids {
        let row = INSTANCE.row(world, id)?;
        if row["_kept"]["disableApiTermination"] == "true" {
            let message = format!(
                "The instance '{id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and \
                 try again."
            );
            return refuse("OperationNotPermitted", message);
        }
    }
    let mut changes = Vec::new();
    for id in &ids {
        let before = INSTANCE.row(world, id)?["instanceState"].clone();
        world.terminate(id);
        let row = INSTANCE.row_mut(world, id)?;
        row["reason"] = json!(REQUESTED);
        changes.push(json!({"instanceId": id, "previousState": before, "currentState": row["instanceState"]}));
    }
    Ok(json!({"instancesSet": changes}))
}

fn named(asked: &Value) -> Result<Vec<String>, crate::sandbox::parameters::Refusal> {
    let ids = texts(asked, "InstanceId");
    if ids.is_empty() {
        return refuse("MissingParameter", "The request must contain the parameter InstanceId");
    }
    Ok(ids)
}

/// DeleteVolume: one that nothing uses.
pub fn delete_volume(world: &mut World, asked: &Value) -> Reply {
    let id = need(asked, "VolumeId")?;
    if VOLUME.row(world, id)?["status"] == "in-use" {
        return refuse("VolumeInUse", format!("{id} is currently attached"));
    }
    world.table(tables::VOLUMES).remove(id);
    Ok(json!({"return": true}))
}

/// DeleteNetworkInterface: one that nothing uses.
pub fn delete_interface(world: &mut World, asked: &Value) -> Reply {
    let id = need(asked, "NetworkInterfaceId")?;
    if INTERFACE.row(world, id)?["status"] == "in-use" {
        return refuse("InvalidParameterValue", format!("Network interface '{id}' is currently in use."));
    }
    world.table(tables::INTERFACES).remove(id);
    Ok(json!({"return": true}))
}
