//! What each call needs, by the Service Authorization Reference: its action, on which resource, with which condition
//! keys.

use serde_json::Value;

use super::{Question, ec2, pairs};
use crate::sandbox::account::firewalls;
use crate::sandbox::dispatch::is_read;
use crate::sandbox::dns;
use crate::sandbox::parameters::{list, texts};
use crate::sandbox::tables;
use crate::sandbox::wire::Asked;
use crate::sandbox::world::World;

/// The questions of one call; none: nobody needs a permission for it.
pub fn of(world: &World, asked: &Asked) -> Vec<Question> {
    let Asked { service, operation, parameters, .. } = asked;
    match service.as_str() {
        // "No permissions are required to perform this operation" (STS API reference, GetCallerIdentity).
        "sts" if operation == "GetCallerIdentity" => Vec::new(),
        "ec2" if is_read(operation) => vec![Question::new(format!("ec2:{operation}"), "*")],
        "ec2" => ec2::questions(world, operation, parameters),
        "elasticloadbalancing" if !is_read(operation) => load_balancing(world, operation, parameters),
        "autoscaling" if !is_read(operation) => auto_scaling(world, operation, parameters),
        "iam" => iam(world, operation, parameters),
        "route53" => route53(operation, parameters),
        "ssm" => {
            let name = parameters["Name"].as_str().unwrap_or_default();
            let arn = format!("arn:aws:ssm:{}:*:parameter{name}", world.region);
            vec![Question::new(format!("ssm:{operation}"), arn)]
        }
        "acm" if !parameters["CertificateArn"].is_null() => {
            let arn = parameters["CertificateArn"].as_str().unwrap_or_default();
            vec![Question::new(format!("acm:{operation}"), arn)]
        }
        "wafv2" => firewall(world, operation, parameters),
        "monitoring" => vec![Question::new(format!("cloudwatch:{operation}"), "*")],
        service => vec![Question::new(format!("{service}:{operation}"), "*")],
    }
}

/// The role is handed to EC2.
pub fn passed(world: &World, role: &str) -> Question {
    let role = world.arn("iam", &format!("role/{role}"));
    Question::new("iam:PassRole", role).knowing("iam:PassedToService", "ec2.amazonaws.com")
}

fn load_balancing(world: &World, operation: &str, asked: &Value) -> Vec<Question> {
    let action = format!("elasticloadbalancing:{operation}");
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let new = pairs(list(asked, "Tags"), "Key", "Value");
    let own = |arn: &str| {
        let tables = [tables::BALANCERS, tables::TARGET_GROUPS, tables::LISTENERS];
        let row = tables.iter().find_map(|table| world.row(table, arn));
        row.map(|row| pairs(list(row, "_tags"), "Key", "Value")).unwrap_or_default()
    };
    let made = |arn: String| {
        let make = Question::new(&action, &arn).setting(&new);
        if new.is_empty() {
            return vec![make];
        }
        let tag = Question::new("elasticloadbalancing:AddTags", arn).setting(&new);
        vec![make, tag.knowing("elasticloadbalancing:CreateAction", operation)]
    };
    let arn = |rest: String| world.arn("elasticloadbalancing", &rest);
    match operation {
        "CreateLoadBalancer" => made(arn(format!("loadbalancer/app/{}/*", text("Name")))),
        "CreateTargetGroup" => made(arn(format!("targetgroup/{}/*", text("Name")))),
        "CreateListener" => {
            let balancer = text("LoadBalancerArn");
            let mut questions = made(balancer.replace(":loadbalancer/", ":listener/") + "/*");
            balancer.clone_into(&mut questions[0].resource);
            questions[0] = questions[0].clone().tagged(&own(balancer));
            questions
        }
        "AddTags" | "RemoveTags" => {
            let arns = texts(asked, "ResourceArns");
            arns.iter().map(|arn| Question::new(&action, arn).tagged(&own(arn)).setting(&new)).collect()
        }
        _ => {
            let names = ["ListenerArn", "LoadBalancerArn", "TargetGroupArn"];
            let arn = names.into_iter().map(text).find(|arn| !arn.is_empty()).unwrap_or("*");
            vec![Question::new(&action, arn).tagged(&own(arn))]
        }
    }
}

/// GetWebACLForResource "uses GetWebACL, to verify that your account has permission to access the retrieved web ACL"
/// (API reference).
fn firewall(world: &World, operation: &str, asked: &Value) -> Vec<Question> {
    let found = (operation == "GetWebACLForResource")
        .then(|| firewalls::before(world, asked["ResourceArn"].as_str().unwrap_or_default()))
        .flatten();
    let main = Question::new(format!("wafv2:{operation}"), "*");
    [main].into_iter().chain(found.map(|acl| Question::new("wafv2:GetWebACL", acl))).collect()
}

fn auto_scaling(world: &World, operation: &str, asked: &Value) -> Vec<Question> {
    let action = format!("autoscaling:{operation}");
    let new = pairs(list(asked, "Tags"), "Key", "Value");
    let name = asked["AutoScalingGroupName"].as_str().or_else(|| asked["Tags"][0]["ResourceId"].as_str());
    let row = name.and_then(|name| world.row(tables::ASGS, name));
    let own = row.map(|row| pairs(list(row, "Tags"), "Key", "Value")).unwrap_or_default();
    let arn = format!("autoScalingGroup:*:autoScalingGroupName/{}", name.unwrap_or("*"));
    let main = Question::new(action, world.arn("autoscaling", &arn)).tagged(&own).setting(&new);
    let template = match operation {
        "StartInstanceRefresh" => &asked["DesiredConfiguration"]["LaunchTemplate"],
        _ => &asked["LaunchTemplate"],
    };
    let launches = if template.is_object() { ec2::launch(world, template) } else { Vec::new() };
    [vec![main], launches].concat()
}

fn iam(world: &World, operation: &str, asked: &Value) -> Vec<Question> {
    let action = format!("iam:{operation}");
    let text = |name: &str| asked[name].as_str();
    let named = |kind: &str, name: &str| world.arn("iam", &format!("{kind}/{name}"));
    let new = pairs(list(asked, "Tags"), "Key", "Value");
    let (table, arn) = if let Some(name) = text("InstanceProfileName") {
        (Some((tables::PROFILES, name)), named("instance-profile", name))
    } else if let Some(name) = text("RoleName") {
        (Some((tables::ROLES, name)), named("role", name))
    } else if let Some(name) = text("PolicyName") {
        (None, named("policy", name))
    } else if let Some(arn) = text("PolicyArn") {
        (Some((tables::POLICIES, arn)), arn.to_owned())
    } else {
        (None, text("PolicySourceArn").unwrap_or("*").to_owned())
    };
    let row = table.and_then(|(table, id)| world.row(table, id));
    let own = row.map(|row| pairs(list(row, "Tags"), "Key", "Value")).unwrap_or_default();
    let mut main = Question::new(&action, &arn).tagged(&own).setting(&new);
    if let ("AttachRolePolicy" | "DetachRolePolicy", Some(policy)) = (operation, text("PolicyArn")) {
        main = main.knowing("iam:PolicyARN", policy);
    }
    let tag = (operation.starts_with("Create") && !new.is_empty())
        .then(|| Question::new(action.replace("Create", "Tag"), &arn).setting(&new));
    let pass = (operation == "AddRoleToInstanceProfile").then(|| passed(world, text("RoleName").unwrap_or_default()));
    [main].into_iter().chain(tag).chain(pass).collect()
}

fn route53(operation: &str, asked: &Value) -> Vec<Question> {
    let action = format!("route53:{operation}");
    let zone = asked["Id"].as_str().filter(|id| !id.is_empty());
    let kind = if operation == "GetChange" { "change" } else { "hostedzone" };
    let arn = zone.map_or("*".to_owned(), |id| format!("arn:aws:route53:::{kind}/{id}"));
    let changes = &asked["Body"]["ChangeResourceRecordSetsRequest"]["ChangeBatch"]["Changes"]["Change"];
    let question = dns::many(changes).iter().fold(Question::new(action, arn), |question, change| {
        let record = &change["ResourceRecordSet"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = |rest: &str| format!("route53:ChangeResourceRecordSets{rest}");
        question
            .knowing(key("NormalizedRecordNames"), text(&record["Name"]).trim_end_matches('.').to_lowercase())
            .knowing(key("RecordTypes"), text(&record["Type"]))
            .knowing(key("Actions"), text(&change["Action"]))
    });
    vec![question]
}
