//! EC2: networks, security groups, instances. Launch templates are in `templates`.

use serde_json::{Value, json};

use super::templates;
use super::wire::{Refusal, Reply, list, need, number, refuse, texts};
use super::world::World;

/// One call.
pub fn call(world: &mut World, operation: &str, asked: &Value) -> Reply {
    match operation {
        "DescribeSecurityGroups" => describe_security_groups(world, asked),
        "DescribeSecurityGroupRules" => describe_rules(world, asked),
        "CreateSecurityGroup" => create_security_group(world, asked),
        "DeleteSecurityGroup" => delete_security_group(world, asked),
        "AuthorizeSecurityGroupIngress" => authorize(world, asked, false),
        "AuthorizeSecurityGroupEgress" => authorize(world, asked, true),
        "RevokeSecurityGroupIngress" => revoke(world, asked, false),
        "RevokeSecurityGroupEgress" => revoke(world, asked, true),
        "UpdateSecurityGroupRuleDescriptionsIngress" => describe_rules_anew(world, asked),
        "CreateTags" => tag(world, asked),
        "DescribeVpcs" => found(world, asked, "vpcs", "vpcSet", "VpcId", "InvalidVpcID.NotFound"),
        "DescribeSubnets" => found(world, asked, "subnets", "subnetSet", "SubnetId", "InvalidSubnetID.NotFound"),
        "DescribeImages" => found(world, asked, "images", "imagesSet", "ImageId", "InvalidAMIID.NotFound"),
        "DescribeRouteTables" => {
            found(world, asked, "route_tables", "routeTableSet", "RouteTableId", "InvalidRouteTableID.NotFound")
        }
        "DescribeNatGateways" => {
            found(world, asked, "nat_gateways", "natGatewaySet", "NatGatewayId", "NatGatewayNotFound")
        }
        "DescribeKeyPairs" => found(world, asked, "key_pairs", "keySet", "KeyName", "InvalidKeyPair.NotFound"),
        "DescribeAvailabilityZones" => {
            let mut zones: Vec<&str> =
                world.rows("subnets").filter_map(|row| row["availabilityZone"].as_str()).collect();
            zones.sort();
            zones.dedup();
            let zone = |name: &&str| json!({"zoneName": name, "zoneState": "available", "regionName": world.region});
            Ok(json!({"availabilityZoneInfo": zones.iter().map(zone).collect::<Vec<_>>()}))
        }
        "DescribeNetworkInterfaces" => found(
            world,
            asked,
            "interfaces",
            "networkInterfaceSet",
            "NetworkInterfaceId",
            "InvalidNetworkInterfaceID.NotFound",
        ),
        "DeleteNetworkInterface" => {
            remove_unused(world, asked, "interfaces", "NetworkInterfaceId", "InvalidNetworkInterfaceID.NotFound")
        }
        "DescribeVolumes" => found(world, asked, "volumes", "volumeSet", "VolumeId", "InvalidVolume.NotFound"),
        "DeleteVolume" => remove_unused(world, asked, "volumes", "VolumeId", "InvalidVolume.NotFound"),
        "DescribeRegions" => {
            let mut regions = vec![world.region.as_str()];
            regions.extend(world.rows("instances").filter_map(|row| row["_region"].as_str()));
            regions.dedup();
            let region = |name: &&str| json!({"regionName": name, "optInStatus": "opt-in-not-required"});
            Ok(json!({"regionInfo": regions.iter().map(region).collect::<Vec<_>>()}))
        }
        "DescribeInstanceTypeOfferings" => Ok(offerings(world, asked)),
        // Only how many vCPUs: the guide's type has 16 (Amazon EC2 instance types, c7i-flex).
        "DescribeInstanceTypes" => {
            let kinds = texts(asked, "InstanceType");
            let of = |kind: &String| json!({"instanceType": kind, "vCpuInfo": {"defaultVCpus": 16}});
            Ok(json!({"instanceTypeSet": kinds.iter().map(of).collect::<Vec<_>>()}))
        }
        "DescribeInstances" => {
            let reply = found(world, asked, "instances", "instancesSet", "InstanceId", "InvalidInstanceID.NotFound")?;
            let reservations =
                list(&reply, "instancesSet").iter().map(|one| json!({"reservationId": "r-0", "instancesSet": [one]}));
            Ok(json!({"reservationSet": reservations.collect::<Vec<_>>()}))
        }
        "TerminateInstances" => {
            texts(asked, "InstanceId").iter().for_each(|id| world.terminate(id));
            Ok(json!({"instancesSet": []}))
        }
        other => templates::call(world, other, asked),
    }
}

/// The rows that a Describe call asks for, by ids and filters.
pub fn found(world: &World, asked: &Value, kind: &str, name: &str, id: &str, absent: &'static str) -> Reply {
    let ids = texts(asked, id);
    let field = format!("{}{}", id[..1].to_lowercase(), &id[1..]);
    if let Some(unknown) = ids.iter().find(|id| world.row(kind, id).is_none()) {
        return refuse(absent, format!("The {field} '{unknown}' does not exist"));
    }
    let mut rows = Vec::new();
    let here = |row: &Value| row["_region"].as_str().unwrap_or(&world.region) == asked["_region"];
    for row in world.rows(kind).filter(|row| here(row) && (ids.is_empty() || ids.iter().any(|id| row[&field] == **id)))
    {
        if passes(row, asked)? {
            rows.push(row.clone());
        }
    }
    Ok(json!({ name: rows }))
}

/// Removes what nothing uses.
fn remove_unused(world: &mut World, asked: &Value, kind: &str, id: &str, absent: &'static str) -> Reply {
    let wanted = need(asked, id)?;
    match world.row(kind, wanted) {
        None => return refuse(absent, format!("The {id} '{wanted}' does not exist")),
        Some(row) if row["status"] == "in-use" => {
            let (code, words) = match kind {
                "volumes" => ("VolumeInUse", "is currently attached"),
                _ => ("InvalidParameterValue", "is currently in use"),
            };
            return refuse(code, format!("{wanted} {words}"));
        }
        Some(_) => drop(world.table(kind).remove(wanted)),
    }
    Ok(json!({"return": true}))
}

/// Every zone offers every type, but for those that the weather takes out.
fn offerings(world: &World, asked: &Value) -> Value {
    let of = |name: &str| {
        let filter = list(asked, "Filter").iter().find(|one| one["Name"] == name);
        filter.map(|one| texts(one, "Value")).unwrap_or_default()
    };
    let (types, locations) = (of("instance-type"), of("location"));
    let mut zones: Vec<&str> = world
        .rows("subnets")
        .filter_map(|row| row["availabilityZone"].as_str())
        .filter(|zone| !world.weather.not_offered.iter().any(|none| none == zone))
        .filter(|zone| locations.is_empty() || locations.iter().any(|one| one == zone))
        .collect();
    zones.sort();
    zones.dedup();
    let offered = zones.iter().flat_map(|zone| {
        types
            .iter()
            .map(move |kind| json!({"instanceType": kind, "locationType": "availability-zone", "location": zone}))
    });
    json!({"instanceTypeOfferingSet": offered.collect::<Vec<_>>()})
}

/// Whether a row passes every filter. A filter's name is a path into the row, or a tag.
fn passes(row: &Value, asked: &Value) -> Result<bool, Refusal> {
    for filter in list(asked, "Filter") {
        let (name, wanted) = (need(filter, "Name")?, texts(filter, "Value"));
        let values = match name {
            "group-name" => vec![row["groupName"].clone()],
            "group-id" if row["groupId"].is_string() => vec![row["groupId"].clone()],
            "group-id" => list(row, "groupSet").iter().map(|group| group["groupId"].clone()).collect(),
            "ip-permission.group-id" => list(row, "_rules")
                .iter()
                .filter(|rule| rule["isEgress"] == false)
                .map(|rule| rule["referencedGroupInfo"]["groupId"].clone())
                .collect(),
            "status" => vec![row["status"].clone()],
            "vpc-id" => vec![row["vpcId"].clone()],
            "subnet-id" => vec![row["subnetId"].clone()],
            "association.subnet-id" => list(row, "associationSet").iter().map(|one| one["subnetId"].clone()).collect(),
            "availability-zone" => vec![row["availabilityZone"].clone()],
            "name" => vec![row["name"].clone()],
            "state" => vec![row["imageState"].clone(), row["state"].clone()],
            "description" => vec![row["description"].clone()],
            "instance-id" => vec![row["instanceId"].clone()],
            "instance-state-name" => vec![row["instanceState"]["name"].clone()],
            "iam-instance-profile.arn" => vec![row["iamInstanceProfile"]["arn"].clone()],
            "launch-template-name" => vec![row["launchTemplateName"].clone()],
            "tag-key" => list(row, "tagSet").iter().map(|tag| tag["key"].clone()).collect(),
            tag if tag.starts_with("tag:") => {
                let of_key = list(row, "tagSet").iter().filter(|one| one["key"] == tag[4..]);
                of_key.map(|one| one["value"].clone()).collect()
            }
            other => {
                return refuse("InvalidParameterValue", format!("The filter '{other}' is invalid"));
            }
        };
        if !values.iter().any(|value| wanted.iter().any(|wanted| value == wanted.as_str())) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tags of a create call, for one kind of resource.
pub fn tags_for(asked: &Value, kind: &str) -> Vec<Value> {
    let of_kind = list(asked, "TagSpecification").iter().filter(|one| one["ResourceType"] == kind);
    of_kind.flat_map(|one| list(one, "Tag")).map(|tag| json!({"key": tag["Key"], "value": tag["Value"]})).collect()
}

/// Sets tags over what is there.
pub fn set_tags(row: &mut Value, name: (&str, &str, &str), tags: &[Value]) {
    let (set, key, _) = name;
    let mut all: Vec<Value> = list(row, set).to_vec();
    for tag in tags {
        all.retain(|old| old[key] != tag[key]);
        all.push(tag.clone());
    }
    row[set] = Value::Array(all);
}

fn tag(world: &mut World, asked: &Value) -> Reply {
    let tags: Vec<Value> =
        list(asked, "Tag").iter().map(|tag| json!({"key": tag["Key"], "value": tag["Value"]})).collect();
    for id in texts(asked, "ResourceId") {
        let kinds = ["groups", "templates", "instances", "volumes", "interfaces", "vpcs", "subnets"];
        let Some(kind) = kinds.into_iter().find(|kind| world.row(kind, &id).is_some()) else {
            return refuse("InvalidID", format!("The ID '{id}' is not valid"));
        };
        if let Some(row) = world.row_mut(kind, &id) {
            set_tags(row, ("tagSet", "key", "value"), &tags);
        }
    }
    Ok(json!({"return": true}))
}

fn describe_security_groups(world: &World, asked: &Value) -> Reply {
    let mut reply = found(world, asked, "groups", "securityGroupInfo", "GroupId", "InvalidGroup.NotFound")?;
    for group in reply["securityGroupInfo"].as_array_mut().into_iter().flatten() {
        let permissions = |egress: bool| {
            let rules = list(group, "_rules").iter().filter(|rule| rule["isEgress"] == egress);
            rules.map(permission).collect::<Vec<_>>()
        };
        (group["ipPermissions"], group["ipPermissionsEgress"]) = (json!(permissions(false)), json!(permissions(true)));
    }
    Ok(reply)
}

/// A rule as DescribeSecurityGroups shows it.
fn permission(rule: &Value) -> Value {
    let with = |name: &str, peer: &Value| match peer.is_null() {
        true => json!([]),
        false => json!([{name: peer, "description": rule["description"]}]),
    };
    json!({
        "ipProtocol": rule["ipProtocol"],
        "fromPort": rule["fromPort"].as_i64().filter(|port| *port >= 0),
        "toPort": rule["toPort"].as_i64().filter(|port| *port >= 0),
        "ipRanges": with("cidrIp", &rule["cidrIpv4"]),
        "ipv6Ranges": with("cidrIpv6", &rule["cidrIpv6"]),
        "groups": with("groupId", &rule["referencedGroupInfo"]["groupId"]),
    })
}

fn describe_rules(world: &World, asked: &Value) -> Reply {
    let groups = describe_security_groups(world, asked)?;
    let rules = list(&groups, "securityGroupInfo").iter().flat_map(|group| list(group, "_rules").to_vec());
    Ok(json!({"securityGroupRuleSet": rules.collect::<Vec<_>>()}))
}

/// Names are unique in a VPC whatever their case, while filters heed it (EC2 API reference, CreateSecurityGroup).
fn create_security_group(world: &mut World, asked: &Value) -> Reply {
    let (name, vpc) = (need(asked, "GroupName")?.to_owned(), need(asked, "VpcId")?.to_owned());
    let description = need(asked, "GroupDescription")?;
    if world.row("vpcs", &vpc).is_none() {
        return refuse("InvalidVpcID.NotFound", format!("The vpc ID '{vpc}' does not exist"));
    }
    let same = |row: &Value| {
        row["vpcId"] == vpc.as_str() && row["groupName"].as_str().is_some_and(|old| old.eq_ignore_ascii_case(&name))
    };
    if world.rows("groups").any(same) {
        return refuse("InvalidGroup.Duplicate", format!("The security group '{name}' already exists for VPC '{vpc}'"));
    }
    let (id, rule) = (world.id("sg"), world.id("sgr"));
    let egress = json!({
        "securityGroupRuleId": rule, "groupId": id, "isEgress": true, "ipProtocol": "-1", "fromPort": -1, "toPort": -1,
        "cidrIpv4": "0.0.0.0/0",
    });
    let row = json!({
        "groupId": id, "groupName": name, "groupDescription": description, "vpcId": vpc, "ownerId": world.account,
        "tagSet": tags_for(asked, "security-group"), "_rules": [egress],
    });
    world.table("groups").insert(id.clone(), row);
    Ok(json!({"return": true, "groupId": id, "tagSet": tags_for(asked, "security-group")}))
}

fn group<'a>(world: &'a mut World, asked: &Value) -> Result<&'a mut Value, Refusal> {
    let id = need(asked, "GroupId")?;
    match world.row_mut("groups", id) {
        Some(row) => Ok(row),
        None => refuse("InvalidGroup.NotFound", format!("The security group '{id}' does not exist")),
    }
}

/// The rules in a request: one for each source.
fn rules(asked: &Value) -> Vec<Value> {
    let mut rules = Vec::new();
    for one in list(asked, "IpPermissions") {
        let port = |name| number(one, name).unwrap_or(-1);
        let mut add = |key: &str, peer: Value, words: &Value| {
            let mut rule =
                json!({"ipProtocol": one["IpProtocol"], "fromPort": port("FromPort"), "toPort": port("ToPort")});
            rule[key] = peer;
            rule["description"] = words.clone();
            rules.push(rule);
        };
        list(one, "IpRanges").iter().for_each(|range| add("cidrIpv4", range["CidrIp"].clone(), &range["Description"]));
        list(one, "Ipv6Ranges")
            .iter()
            .for_each(|range| add("cidrIpv6", range["CidrIpv6"].clone(), &range["Description"]));
        let pairs = list(one, "Groups").iter();
        pairs.for_each(|pair| add("referencedGroupInfo", json!({"groupId": pair["GroupId"]}), &pair["Description"]));
    }
    rules
}

/// What identifies a rule: not its description.
fn identity(rule: &Value) -> [&Value; 6] {
    ["ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "referencedGroupInfo"].map(|field| &rule[field])
}

/// All or nothing: one duplicate refuses the whole call.
fn authorize(world: &mut World, asked: &Value, egress: bool) -> Reply {
    let mut made = rules(asked);
    for rule in &made {
        let source = rule["referencedGroupInfo"]["groupId"].as_str();
        if let Some(source) = source.filter(|id| world.row("groups", id).is_none()) {
            return refuse(
                "InvalidGroup.NotFound",
                format!("You have specified two resources that belong to different networks: {source}"),
            );
        }
    }
    for rule in &mut made {
        rule["securityGroupRuleId"] = json!(world.id("sgr"));
        rule["groupId"] = asked["GroupId"].clone();
        rule["isEgress"] = json!(egress);
    }
    let row = group(world, asked)?;
    let known: Vec<Value> = list(row, "_rules").iter().filter(|rule| rule["isEgress"] == egress).cloned().collect();
    if made.iter().any(|rule| known.iter().any(|old| identity(old) == identity(rule))) {
        return refuse("InvalidPermission.Duplicate", "the specified rule already exists");
    }
    row["_rules"].as_array_mut().into_iter().for_each(|rules| rules.extend(made.clone()));
    Ok(json!({"return": true, "securityGroupRuleSet": made}))
}

fn revoke(world: &mut World, asked: &Value, egress: bool) -> Reply {
    let (ids, by_properties) = (texts(asked, "SecurityGroupRuleId"), rules(asked));
    let row = group(world, asked)?;
    let known = list(row, "_rules").to_vec();
    let missing = ids.iter().find(|id| !known.iter().any(|rule| rule["securityGroupRuleId"] == id.as_str()));
    if let Some(missing) = missing {
        return refuse(
            "InvalidSecurityGroupRuleId.NotFound",
            format!("The security group rule ID '{missing}' does not exist"),
        );
    }
    // In a VPC that is not the default one a rule that does not match refuses the call (RevokeSecurityGroupIngress).
    if by_properties.iter().any(|rule| !known.iter().any(|old| identity(old) == identity(rule))) {
        return refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
    }
    let gone = |rule: &Value| {
        rule["isEgress"] == egress
            && (ids.iter().any(|id| rule["securityGroupRuleId"] == id.as_str())
                || by_properties.iter().any(|other| identity(other) == identity(rule)))
    };
    row["_rules"].as_array_mut().into_iter().for_each(|rules| rules.retain(|rule| !gone(rule)));
    Ok(json!({"return": true}))
}

fn describe_rules_anew(world: &mut World, asked: &Value) -> Reply {
    let renamed = rules(asked);
    let row = group(world, asked)?;
    for rule in row["_rules"].as_array_mut().into_iter().flatten() {
        if let Some(new) = renamed.iter().find(|new| identity(new) == identity(rule)) {
            rule["description"] = new["description"].clone();
        }
    }
    Ok(json!({"return": true}))
}

/// What another group's rules name, or a network interface carries, cannot go (EC2 API reference).
fn delete_security_group(world: &mut World, asked: &Value) -> Reply {
    let id = need(asked, "GroupId")?.to_owned();
    group(world, asked)?;
    let named = |row: &Value| {
        row["groupId"] != id.as_str()
            && list(row, "_rules").iter().any(|rule| rule["referencedGroupInfo"]["groupId"] == id.as_str())
    };
    let carries = |row: &Value| list(row, "groupSet").iter().any(|group| group["groupId"] == id.as_str());
    let alive = |row: &&Value| row["instanceState"]["name"] != "terminated";
    let held = world.rows("groups").any(named)
        || world.rows("interfaces").any(carries)
        || world.rows("instances").filter(alive).any(carries);
    if held {
        return refuse("DependencyViolation", format!("resource {id} has a dependent object"));
    }
    world.table("groups").remove(&id);
    Ok(json!({"return": true, "groupId": id}))
}
