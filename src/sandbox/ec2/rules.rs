//! Rules of security groups.

use serde_json::{Value, json};

use super::described::{is_id, with_defaults};
use super::filters::passing;
use super::nouns::SECURITY_GROUP;
use super::rule_requests::{identity, rules};
use super::tags::tags_for;
use crate::sandbox::parameters::{Refusal, Reply, list, need, number, refuse, texts};
use crate::sandbox::tables::GROUPS;
use crate::sandbox::world::World;

/// Most rules of one direction (VPC user guide, "Amazon VPC quotas").
const MOST: usize = 60;

/// A rule as it is shown.
fn shown(world: &World, rule: &Value) -> Value {
    let mut rule = rule.clone();
    let id = rule["securityGroupRuleId"].as_str().unwrap_or_default();
    rule["securityGroupRuleArn"] = json!(world.arn("ec2", &format!("security-group-rule/{id}")));
    rule["groupOwnerId"] = json!(world.account);
    if rule["tagSet"].is_null() {
        rule["tagSet"] = json!([]);
    }
    if rule["referencedGroupInfo"].is_object() {
        rule["referencedGroupInfo"]["userId"] = json!(world.account);
    }
    rule
}

/// DescribeSecurityGroupRules.
pub fn describe(world: &mut World, asked: &Value) -> Reply {
    let known = [("group-id", "groupId"), ("security-group-rule-id", "securityGroupRuleId")];
    let mut all: Vec<Value> = Vec::new();
    for group in world.rows(GROUPS) {
        // A rule is found by its group, even if nothing but the group says whose it is.
        let of_group = json!({"groupId": group["groupId"]});
        all.extend(list(group, "_rules").iter().map(|rule| with_defaults(shown(world, rule), of_group.clone())));
    }
    let ids = texts(asked, "SecurityGroupRuleId");
    if let Some(id) = ids.iter().find(|id| !all.iter().any(|rule| rule["securityGroupRuleId"] == id.as_str())) {
        return unknown(id);
    }
    let is_asked = |rule: &Value| ids.is_empty() || ids.iter().any(|id| rule["securityGroupRuleId"] == id.as_str());
    let found = passing(all.into_iter().filter(is_asked), asked, &known)?;
    Ok(json!({"securityGroupRuleSet": found}))
}

fn unknown<T>(id: &str) -> Result<T, Refusal> {
    if !is_id(id, "sgr") {
        return refuse("InvalidSecurityGroupRuleId.Malformed", format!("Invalid id: \"{id}\" (expecting \"sgr-...\")"));
    }
    refuse("InvalidSecurityGroupRuleId.NotFound", format!("The security group rule ID '{id}' does not exist"))
}

/// The group that a request names by its id, or, when only its name is given, by that.
fn group_id(world: &World, asked: &Value) -> Result<String, Refusal> {
    if let (None, Some(name)) = (asked["GroupId"].as_str(), asked["GroupName"].as_str()) {
        return refuse("InvalidGroup.NotFound", format!("The security group '{name}' does not exist in default VPC"));
    }
    let id = need(asked, "GroupId")?;
    SECURITY_GROUP.row(world, id)?;
    Ok(id.to_owned())
}

/// All or nothing: one duplicate refuses the whole call.
pub fn authorize(world: &mut World, asked: &Value, egress: bool) -> Reply {
    let id = group_id(world, asked)?;
    let mut made = rules(world, asked)?;
    if made.is_empty() {
        return refuse("MissingParameter", "The request must contain the parameter ipPermissions");
    }
    let tags = tags_for(asked, "security-group-rule", &["security-group-rule"])?;
    for rule in &mut made {
        rule["securityGroupRuleId"] = json!(world.id("sgr"));
        rule["groupId"] = json!(id);
        rule["isEgress"] = json!(egress);
        rule["tagSet"] = json!(tags);
    }
    let row = SECURITY_GROUP.row_mut(world, &id)?;
    let known: Vec<Value> = list(row, "_rules").iter().filter(|rule| rule["isEgress"] == egress).cloned().collect();
    if let Some(twin) = made.iter().find(|rule| known.iter().any(|old| identity(old) == identity(rule))) {
        return refuse("InvalidPermission.Duplicate", format!("the specified rule \"{}\" already exists", words(twin)));
    }
    if known.len() + made.len() > MOST {
        let message = "The maximum number of rules per security group has been reached.";
        return refuse("RulesPerSecurityGroupLimitExceeded", message);
    }
    row["_rules"].as_array_mut().into_iter().for_each(|rules| rules.extend(made.clone()));
    let shown: Vec<Value> = made.iter().map(|rule| shown(world, rule)).collect();
    Ok(json!({"return": true, "securityGroupRuleSet": shown}))
}

/// A rule in the words of InvalidPermission.Duplicate.
fn words(rule: &Value) -> String {
    let text = |name: &str| rule[name].as_str();
    let group = rule["referencedGroupInfo"]["groupId"].as_str();
    let peer = text("cidrIpv4").or(text("cidrIpv6")).or(text("prefixListId")).or(group).unwrap_or_default();
    let protocol = text("ipProtocol").unwrap_or_default();
    if protocol == "-1" {
        return format!("peer: {peer}, ALL, ALLOW");
    }
    let (from, to) = (&rule["fromPort"], &rule["toPort"]);
    format!("peer: {peer}, {}, from port: {from}, to port: {to}, ALLOW", protocol.to_uppercase())
}

/// RevokeSecurityGroupIngress, RevokeSecurityGroupEgress: by ids or by what the rules say.
pub fn revoke(world: &mut World, asked: &Value, egress: bool) -> Reply {
    let id = group_id(world, asked)?;
    let ids = texts(asked, "SecurityGroupRuleId");
    let by_properties = rules_to_revoke(world, asked)?;
    if ids.is_empty() && by_properties.is_empty() {
        let message = "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.";
        return refuse("MissingParameter", message);
    }
    let row = SECURITY_GROUP.row_mut(world, &id)?;
    let known: Vec<Value> = list(row, "_rules").iter().filter(|rule| rule["isEgress"] == egress).cloned().collect();
    if let Some(missing) = ids.iter().find(|id| !known.iter().any(|rule| rule["securityGroupRuleId"] == id.as_str())) {
        return unknown(missing);
    }
    // In a VPC that is not the default one a rule that does not match refuses the call (RevokeSecurityGroupIngress).
    if by_properties.iter().any(|rule| !known.iter().any(|old| identity(old) == identity(rule))) {
        return refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
    }
    let goes = |rule: &Value| {
        rule["isEgress"] == egress
            && (ids.iter().any(|id| rule["securityGroupRuleId"] == id.as_str())
                || by_properties.iter().any(|other| identity(other) == identity(rule)))
    };
    row["_rules"].as_array_mut().into_iter().for_each(|rules| rules.retain(|rule| !goes(rule)));
    let revoked = |rule: &Value| {
        let mut rule = rule.clone();
        rule["referencedGroupId"] = rule["referencedGroupInfo"]["groupId"].take();
        rule.as_object_mut().into_iter().for_each(|fields| {
            fields.remove("referencedGroupInfo");
            fields.remove("tagSet");
        });
        rule
    };
    let gone: Vec<Value> = known.iter().filter(|rule| goes(rule)).map(revoked).collect();
    Ok(json!({"return": true, "revokedSecurityGroupRuleSet": gone}))
}

/// A group that is gone can still be in a rule to revoke.
fn rules_to_revoke(world: &World, asked: &Value) -> Result<Vec<Value>, Refusal> {
    match rules(world, asked) {
        Err(refusal) if refusal.code == "InvalidGroup.NotFound" => {
            refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
        }
        found => found,
    }
}

/// UpdateSecurityGroupRuleDescriptionsIngress and Egress.
pub fn describe_anew(world: &mut World, asked: &Value, egress: bool) -> Reply {
    let id = group_id(world, asked)?;
    let renamed = rules(world, asked)?;
    let by_id = list(asked, "SecurityGroupRuleDescription");
    let row = SECURITY_GROUP.row_mut(world, &id)?;
    let mut known = row["_rules"].as_array().cloned().unwrap_or_default();
    for new in &renamed {
        if let Some(rule) = known.iter_mut().find(|rule| rule["isEgress"] == egress && identity(rule) == identity(new))
        {
            rule["description"] = new["description"].clone();
        } else {
            let message = "The specified rule does not exist in this security group.";
            return refuse("InvalidPermission.NotFound", message);
        }
    }
    for new in by_id {
        match known.iter_mut().find(|rule| rule["securityGroupRuleId"] == new["SecurityGroupRuleId"]) {
            Some(rule) => rule["description"] = new["Description"].clone(),
            None => return unknown(new["SecurityGroupRuleId"].as_str().unwrap_or_default()),
        }
    }
    row["_rules"] = Value::Array(known);
    Ok(json!({"return": true}))
}

/// ModifySecurityGroupRules: a rule keeps its id and becomes another.
pub fn modify(world: &mut World, asked: &Value) -> Reply {
    let id = group_id(world, asked)?;
    let row = SECURITY_GROUP.row_mut(world, &id)?;
    let mut known = row["_rules"].as_array().cloned().unwrap_or_default();
    for one in list(asked, "SecurityGroupRule") {
        let (rule_id, new) = (need(one, "SecurityGroupRuleId")?, &one["SecurityGroupRule"]);
        let Some(rule) = known.iter_mut().find(|rule| rule["securityGroupRuleId"] == rule_id) else {
            return unknown(rule_id);
        };
        for (name, field) in [
            ("IpProtocol", "ipProtocol"),
            ("CidrIpv4", "cidrIpv4"),
            ("CidrIpv6", "cidrIpv6"),
            ("PrefixListId", "prefixListId"),
            ("Description", "description"),
        ] {
            rule[field] = new[name].clone();
        }
        rule["referencedGroupInfo"] = match new["ReferencedGroupId"].as_str() {
            Some(id) => json!({"groupId": id}),
            None => Value::Null,
        };
        for (name, field) in [("FromPort", "fromPort"), ("ToPort", "toPort")] {
            rule[field] = json!(number(new, name).unwrap_or(-1));
        }
    }
    row["_rules"] = Value::Array(known);
    Ok(json!({"return": true}))
}
