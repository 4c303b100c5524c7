//! The stack as a template of CloudFormation, and what it needs to import it.

mod balancing;
mod instances;

use serde_json::{Map, Value, json};

use super::{Heading, Live};
use crate::cloud::Tags;
use crate::engine::Key;

/// A template, and the list that `create-change-set` takes with it.
#[derive(Debug)]
pub struct Imported {
    /// The template.
    pub template: Value,
    /// `--resources-to-import`.
    pub resources: Value,
}

/// A resource as CloudFormation has it.
struct Resource {
    key: Key,
    kind: &'static str,
    /// The property by which CloudFormation finds it, and its value.
    identifier: (&'static str, String),
    /// The id that others hold, and the attribute that gives it; empty: the reference itself.
    gives: Option<(String, &'static str)>,
    properties: Value,
}

/// The stack as a template that imports it. Nothing is removed with CloudFormation's stack.
pub fn cloudformation(live: &Live, heading: &Heading) -> Imported {
    let all = groups(live).into_iter().chain(identity(live)).chain(instances::template(live));
    let all = all.chain(balancing::resources(live)).chain(instances::fleet(live));
    let (mut references, mut resources, mut imported) = (Map::new(), Map::new(), Vec::new());
    for Resource { key, kind, identifier: (property, value), gives, properties } in all {
        let name = logical(key);
        imported.push(json!({
            "ResourceType": kind, "LogicalResourceId": name, "ResourceIdentifier": { property: value },
        }));
        // Each may refer to those above it, and none to itself: there is no circle.
        let properties = referring(properties, &references);
        let body = json!({
            "Type": kind, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": properties,
        });
        references.extend(gives.map(|(id, attribute)| match attribute {
            "" => (id, json!({ "Ref": name })),
            attribute => (id, json!({ "Fn::GetAtt": [name, attribute] })),
        }));
        resources.insert(name, body);
    }
    let Heading { stack, region, .. } = heading;
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("The stack {stack} in {region}, as AWS has it; written by deploy."),
        "Metadata": { "Notes": notes(live, heading) },
        "Resources": resources,
    });
    Imported { template, resources: Value::from(imported) }
}

/// What the template does not say.
fn notes(live: &Live, heading: &Heading) -> Vec<String> {
    let mut notes = vec![
        "`aws cloudformation create-change-set --change-set-type IMPORT --template-body file://template.json \
         --resources-to-import file://resources-to-import.json --capabilities CAPABILITY_NAMED_IAM --change-set-name \
         import --stack-name NAME`, then `aws cloudformation execute-change-set`. From then on let no `deploy up` \
         change it."
            .to_owned(),
    ];
    notes.extend(heading.left_out.iter().map(|(key, why)| format!("Not in here: {key}: {why}")));
    if live.record.is_some() {
        notes
            .push("Not in here: dns_record: CloudFormation does not import records; AWS keeps it as it is.".to_owned());
    }
    if live.is_attached {
        notes.push("role_policy_attachment is the role's ManagedPolicyArns.".to_owned());
    }
    notes.push("Tags of policy, instance profile and listeners are no properties here; AWS keeps them.".to_owned());
    notes.extend(instances::notes(live));
    notes.extend(balancing::notes(live));
    notes
}

/// `launch_template` as `LaunchTemplate`
fn logical(key: Key) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    };
    key.split('_').map(word).collect()
}

/// The value with references in place of ids that another resource of the template gives.
fn referring(value: Value, references: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => references.get(&text).cloned().unwrap_or(Value::String(text)),
        Value::Array(values) => values.into_iter().map(|value| referring(value, references)).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, referring(value, references))).collect(),
        other => other,
    }
}

/// The properties that there are.
fn known<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let is_known = |value: &Value| !value.is_null() && *value != json!([]) && *value != json!({});
    properties.into_iter().filter(|(_, value)| is_known(value)).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn tags(live: &Live, key: Key) -> Value {
    live.tags.get(key).map(listed).unwrap_or_default()
}

fn listed(tags: &Tags) -> Value {
    let own = tags.iter().filter(|(key, _)| !key.starts_with("aws:"));
    own.map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

fn groups(live: &Live) -> Vec<Resource> {
    let resource = |(key, group): &(Key, aws_sdk_ec2::types::SecurityGroup)| {
        let id = group.group_id().unwrap_or_default().to_owned();
        Resource {
            key,
            kind: "AWS::EC2::SecurityGroup",
            identifier: ("Id", id.clone()),
            gives: Some((id, "GroupId")),
            properties: known([
                ("GroupName", json!(group.group_name())),
                ("GroupDescription", json!(group.description())),
                ("VpcId", json!(group.vpc_id())),
                ("SecurityGroupIngress", rules(group.ip_permissions(), "SourceSecurityGroupId", "SourcePrefixListId")),
                (
                    "SecurityGroupEgress",
                    rules(group.ip_permissions_egress(), "DestinationSecurityGroupId", "DestinationPrefixListId"),
                ),
                ("Tags", tags(live, key)),
            ]),
        }
    };
    live.groups.iter().map(resource).collect()
}

fn rules(permissions: &[aws_sdk_ec2::types::IpPermission], group: &str, list: &str) -> Value {
    let mut rules = Vec::new();
    for one in permissions {
        let mut rule = |peer: &str, value: Option<&str>, words: Option<&str>| {
            rules.push(known([
                ("Description", json!(words)),
                ("IpProtocol", json!(one.ip_protocol())),
                ("FromPort", json!(one.from_port())),
                ("ToPort", json!(one.to_port())),
                (peer, json!(value)),
            ]));
        };
        one.ip_ranges().iter().for_each(|to| rule("CidrIp", to.cidr_ip(), to.description()));
        one.ipv6_ranges().iter().for_each(|to| rule("CidrIpv6", to.cidr_ipv6(), to.description()));
        one.user_id_group_pairs().iter().for_each(|to| rule(group, to.group_id(), to.description()));
        one.prefix_list_ids().iter().for_each(|to| rule(list, to.prefix_list_id(), to.description()));
    }
    Value::from(rules)
}

fn identity(live: &Live) -> Vec<Resource> {
    let policy = live.policy.as_ref().map(|(policy, document)| {
        let arn = policy.arn().unwrap_or_default().to_owned();
        Resource {
            key: "policy",
            kind: "AWS::IAM::ManagedPolicy",
            identifier: ("PolicyArn", arn.clone()),
            gives: Some((arn, "")),
            properties: known([
                ("ManagedPolicyName", json!(policy.policy_name())),
                ("Path", json!(policy.path())),
                ("Description", json!(policy.description())),
                ("PolicyDocument", document.clone()),
            ]),
        }
    });
    let attached = live.policy.as_ref().filter(|_| live.is_attached).and_then(|(policy, _)| policy.arn());
    let role = live.role.as_ref().map(|(role, trust)| Resource {
        key: "role",
        kind: "AWS::IAM::Role",
        identifier: ("RoleName", role.role_name().to_owned()),
        gives: None,
        properties: known([
            ("RoleName", json!(role.role_name())),
            ("Path", json!(role.path())),
            ("Description", json!(role.description())),
            ("MaxSessionDuration", json!(role.max_session_duration())),
            ("PermissionsBoundary", json!(role.permissions_boundary().and_then(|one| one.permissions_boundary_arn()))),
            ("AssumeRolePolicyDocument", trust.clone()),
            ("ManagedPolicyArns", json!(attached.into_iter().collect::<Vec<_>>())),
            ("Tags", tags(live, "role")),
        ]),
    });
    let profile = live.profile.as_ref().map(|profile| Resource {
        key: "instance_profile",
        kind: "AWS::IAM::InstanceProfile",
        identifier: ("InstanceProfileName", profile.instance_profile_name().to_owned()),
        gives: None,
        properties: known([
            ("InstanceProfileName", json!(profile.instance_profile_name())),
            ("Path", json!(profile.path())),
            ("Roles", profile.roles().iter().map(|role| json!(role.role_name())).collect()),
        ]),
    });
    policy.into_iter().chain(role).chain(profile).collect()
}
