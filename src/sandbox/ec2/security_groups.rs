//! Security groups.

use serde_json::{Value, json};

use super::filters::Filter;
use super::nouns::{SECURITY_GROUP, VPC};
use super::tags::tags_for;
use crate::sandbox::parameters::{Refusal, Reply, list, need, refuse, texts};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// Filters of security groups.
pub const FILTERS: &[Filter] = &[
    ("group-id", "groupId"),
    ("group-name", "groupName"),
    ("description", "groupDescription"),
    ("vpc-id", "vpcId"),
    ("owner-id", "ownerId"),
    ("ip-permission.cidr", "ipPermissions.ipRanges.cidrIp"),
    ("ip-permission.ipv6-cidr", "ipPermissions.ipv6Ranges.cidrIpv6"),
    ("ip-permission.from-port", "ipPermissions.fromPort"),
    ("ip-permission.to-port", "ipPermissions.toPort"),
    ("ip-permission.protocol", "ipPermissions.ipProtocol"),
    ("ip-permission.group-id", "ipPermissions.groups.groupId"),
    ("egress.ip-permission.cidr", "ipPermissionsEgress.ipRanges.cidrIp"),
    ("egress.ip-permission.from-port", "ipPermissionsEgress.fromPort"),
    ("egress.ip-permission.to-port", "ipPermissionsEgress.toPort"),
    ("egress.ip-permission.protocol", "ipPermissionsEgress.ipProtocol"),
    ("egress.ip-permission.group-id", "ipPermissionsEgress.groups.groupId"),
];

/// A group as DescribeSecurityGroups shows it: rules of one protocol and ports are one permission.
pub fn shown(world: &World, row: &Value) -> Value {
    let mut row = row.clone();
    let permissions = |egress: bool| {
        let mut all: Vec<Value> = Vec::new();
        for rule in list(&row, "_rules").iter().filter(|rule| rule["isEgress"] == egress) {
            let port = |name: &str| rule[name].as_i64().filter(|_| rule["ipProtocol"] != "-1");
            let (from, to) = (json!(port("fromPort")), json!(port("toPort")));
            let same =
                |one: &Value| one["ipProtocol"] == rule["ipProtocol"] && one["fromPort"] == from && one["toPort"] == to;
            let at = all.iter().position(same).unwrap_or_else(|| {
                all.push(json!({
                    "ipProtocol": rule["ipProtocol"], "fromPort": from, "toPort": to, "ipRanges": [], "ipv6Ranges": [],
                    "prefixListIds": [], "groups": [],
                }));
                all.len() - 1
            });
            let (set, peer) = peer(world, rule);
            all[at][set].as_array_mut().into_iter().for_each(|peers| peers.push(peer.clone()));
        }
        all
    };
    let (ingress, egress) = (json!(permissions(false)), json!(permissions(true)));
    let arn = world.arn("ec2", &format!("security-group/{}", row["groupId"].as_str().unwrap_or_default()));
    (row["ipPermissions"], row["ipPermissionsEgress"]) = (ingress, egress);
    (row["securityGroupArn"], row["ownerId"]) = (json!(arn), json!(world.account));
    row
}

/// The other side of a rule: which list of a permission it is in, and what it looks like there.
fn peer(world: &World, rule: &Value) -> (&'static str, Value) {
    let description = &rule["description"];
    if let Some(cidr) = rule["cidrIpv4"].as_str() {
        ("ipRanges", json!({"cidrIp": cidr, "description": description}))
    } else if let Some(cidr) = rule["cidrIpv6"].as_str() {
        ("ipv6Ranges", json!({"cidrIpv6": cidr, "description": description}))
    } else if let Some(id) = rule["prefixListId"].as_str() {
        ("prefixListIds", json!({"prefixListId": id, "description": description}))
    } else {
        let id = &rule["referencedGroupInfo"]["groupId"];
        ("groups", json!({"groupId": id, "userId": world.account, "description": description}))
    }
}

/// DescribeSecurityGroups: by ids, names, filters.
pub fn describe(world: &mut World, asked: &Value) -> Reply {
    let names = texts(asked, "GroupName");
    let mut rows = SECURITY_GROUP.rows(world, asked)?;
    if let Some(unknown) = names.iter().find(|name| !rows.iter().any(|row| row["groupName"] == name.as_str())) {
        return refuse("InvalidGroup.NotFound", format!("The security group '{unknown}' does not exist"));
    }
    rows.retain(|row| names.is_empty() || names.iter().any(|name| row["groupName"] == name.as_str()));
    Ok(json!({"securityGroupInfo": rows}))
}

/// Names are unique in a VPC whatever their case, while filters heed it (EC2 API reference, CreateSecurityGroup).
pub fn create(world: &mut World, asked: &Value) -> Reply {
    let name = need(asked, "GroupName")?.to_owned();
    let description = need(asked, "GroupDescription")?;
    checked_text("GroupName", &name)?;
    checked_text("GroupDescription", description)?;
    if name.starts_with("sg-") {
        return refuse(
            "InvalidParameterValue",
            format!("Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*."),
        );
    }
    let Some(vpc) = asked["VpcId"].as_str().map(str::to_owned) else {
        return refuse("VPCIdNotSpecified", "No default VPC for this user");
    };
    VPC.row(world, &vpc)?;
    if name == "default" {
        return refuse("InvalidParameterValue", "Cannot use reserved security group name: default");
    }
    let same = |row: &Value| {
        row["vpcId"] == vpc.as_str() && row["groupName"].as_str().is_some_and(|old| old.eq_ignore_ascii_case(&name))
    };
    if world.rows(tables::GROUPS).any(same) {
        return refuse("InvalidGroup.Duplicate", format!("The security group '{name}' already exists for VPC '{vpc}'"));
    }
    let tags = tags_for(asked, "security-group", &["security-group"])?;
    let (id, rule) = (world.id("sg"), world.id("sgr"));
    let egress = json!({
        "securityGroupRuleId": rule, "groupId": id, "isEgress": true, "ipProtocol": "-1", "fromPort": -1, "toPort": -1,
        "cidrIpv4": "0.0.0.0/0", "tagSet": [],
    });
    let row = json!({
        "groupId": id, "groupName": name, "groupDescription": description, "vpcId": vpc, "ownerId": world.account,
        "tagSet": tags, "_rules": [egress],
    });
    world.table(tables::GROUPS).insert(id.clone(), row);
    let arn = world.arn("ec2", &format!("security-group/{id}"));
    Ok(json!({"return": true, "groupId": id, "tagSet": tags, "securityGroupArn": arn}))
}

/// "Constraints for EC2-VPC: a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*", at most 255 (CreateSecurityGroup).
fn checked_text(name: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > 255 {
        let message =
            format!("Value ({text}) for parameter {name} is invalid. The value must be 255 characters or less.");
        return refuse("InvalidParameterValue", message);
    }
    if !text.chars().all(is_allowed) {
        let message = format!(
            "Value ({text}) for parameter {name} is invalid. Character sets beyond ASCII are not supported. Valid \
             characters are a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{{}}!$*"
        );
        return refuse("InvalidParameterValue", message);
    }
    Ok(())
}

/// Whether a character may be in a name or a description of a group or of a rule.
pub fn is_allowed(one: char) -> bool {
    one.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(one)
}

/// What another group's rules name, or a network interface carries, cannot go (EC2 API reference).
pub fn delete(world: &mut World, asked: &Value) -> Reply {
    let id = match (asked["GroupId"].as_str(), asked["GroupName"].as_str()) {
        (None, Some(name)) => {
            // Only a group of the default VPC can be named, and there is none (DeleteSecurityGroup).
            return refuse("InvalidGroup.NotFound", format!("The security group '{name}' does not exist"));
        }
        _ => need(asked, "GroupId")?.to_owned(),
    };
    SECURITY_GROUP.row(world, &id)?;
    let named = |row: &Value| {
        row["groupId"] != id.as_str()
            && list(row, "_rules").iter().any(|rule| rule["referencedGroupInfo"]["groupId"] == id.as_str())
    };
    let carries = |row: &Value| list(row, "groupSet").iter().any(|group| group["groupId"] == id.as_str());
    let alive = |row: &&Value| row["instanceState"]["name"] != "terminated";
    let held = world.rows(tables::GROUPS).any(named)
        || world.rows(tables::INTERFACES).any(carries)
        || world.rows(tables::INSTANCES).filter(alive).any(carries);
    if held {
        return refuse("DependencyViolation", format!("resource {id} has a dependent object"));
    }
    world.table(tables::GROUPS).remove(&id);
    Ok(json!({"return": true, "groupId": id}))
}
