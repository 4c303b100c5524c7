//! The boxes and arrows of a stack: from what its resources want, and from what `status` saw.

use serde_json::Value;

use crate::config::Config;
use crate::engine::refs::Edge;
use crate::engine::{Decision, Goal, LiveStack, Ownership, Planner};
use crate::outcome::{Arrow, Diagram, DrawnBox, Look, Overview, Standing};
use crate::site::Site;
use crate::steps::{STACK, auto_scaling, target_group};

/// A stack as deploy.yaml wants it, with the network that it stands in.
pub fn as_wanted(config: &Config, region: &str) -> Diagram {
    let site = Site::blank(config.clone(), region);
    let planner = Planner::new(STACK, &site, Goal::Present, Ownership::default());
    let plan = planner.plan(&LiveStack::new());
    let network = network(config);
    let (mut boxes, mut specs) = (Vec::new(), Vec::new());
    for node in planner.graph.nodes() {
        if let Some(Decision::Create(spec)) = plan.decision(node.key()) {
            boxes.push(wanted_box(node.key(), &node.name(&site), node.step()));
            specs.push((node.key(), spec));
        }
    }
    let place = |boxes: &[DrawnBox], id: &str| boxes.iter().position(|one| one.id == id);
    let mut arrows = Vec::new();
    for (from, (key, _)) in specs.iter().enumerate() {
        let needs = planner.graph.needs(key).filter_map(|(other, edge)| Some((place(&boxes, other)?, edge)));
        arrows.extend(needs.map(|(to, edge)| Arrow { from, to, holds_id: edge == Edge::Value }));
    }
    for (noun, ids) in &network {
        let to = boxes.len();
        let users = specs.iter().enumerate().filter(|(_, (_, spec))| ids.iter().any(|id| has(spec, id)));
        let users: Vec<Arrow> = users.map(|(from, _)| Arrow { from, to, holds_id: true }).collect();
        if users.is_empty() {
            continue;
        }
        arrows.extend(users);
        let lines = std::iter::once(noun.replace('_', " ")).chain(ids.iter().cloned());
        boxes.push(DrawnBox { id: (*noun).to_owned(), lines: lines.collect(), look: Look::Given });
    }
    if let Some(to) = place(&boxes, VPC) {
        let subnets = boxes.iter().enumerate().filter(|(from, one)| *from != to && one.look == Look::Given);
        arrows.extend(subnets.map(|(from, _)| Arrow { from, to, holds_id: true }));
    }
    Diagram { title: format!("{} in {}", config.stack, shown_region(region)), boxes, arrows }
}

const VPC: &str = "vpc";

/// What the stack stands in, and never makes.
fn network(config: &Config) -> [(&'static str, Vec<String>); 3] {
    let network = &config.network;
    [
        ("private_subnets", network.private_subnets.clone()),
        ("public_subnets", network.public_subnets.clone()),
        (VPC, vec![network.vpc.clone()]),
    ]
}

fn shown_region(region: &str) -> &str {
    if region.is_empty() { "any region" } else { region }
}

fn wanted_box(key: &str, name: &str, step: u8) -> DrawnBox {
    let lines = vec![key.replace('_', " "), name.to_owned(), format!("guide step {step}")];
    DrawnBox { id: key.to_owned(), lines, look: Look::Wanted }
}

/// Whether this id occurs in a spec.
fn has(spec: &Value, id: &str) -> bool {
    match spec {
        Value::String(text) => text == id,
        Value::Array(values) => values.iter().any(|value| has(value, id)),
        Value::Object(fields) => fields.values().any(|value| has(value, id)),
        _ => false,
    }
}

/// The same with what stands: AWS's ids, health, and what is absent or otherwise than wanted. What stands and is not
/// wanted is drawn too.
pub fn as_it_stands(mut diagram: Diagram, standing: &[Standing], overview: &Overview) -> Diagram {
    for one in standing {
        if !diagram.boxes.iter().any(|other| other.id == one.resource) {
            diagram.boxes.push(wanted_box(one.resource, &one.name, one.step));
        }
        let Some(drawn) = diagram.boxes.iter_mut().find(|other| other.id == one.resource) else { continue };
        drawn.look = match one.state {
            "ok" => Look::Good,
            "absent" => Look::Absent,
            _ => Look::Wrong,
        };
        drawn.lines.truncate(2);
        // Of an ARN the part that tells one resource from another.
        let id = one.id.as_deref().map(|id| id.rsplit(':').next().unwrap_or(id));
        drawn.lines.extend(id.filter(|id| *id != one.name).map(str::to_owned));
        if one.state != "ok" {
            drawn.lines.push(one.state.to_owned());
        }
        if one.state != "absent" {
            health(drawn, overview);
        }
    }
    diagram
}

fn health(drawn: &mut DrawnBox, overview: &Overview) {
    if drawn.id == target_group::ARN.0 {
        if let Some(targets) = &overview.targets {
            drawn.lines.push(format!("{} of {} targets healthy", targets.healthy, targets.registered));
            if targets.healthy < targets.registered || targets.healthy == 0 {
                drawn.look = Look::Wrong;
            }
        }
    } else if drawn.id == auto_scaling::NAME.0 {
        let in_service = overview.instances.iter().flatten().filter(|one| one.state.as_deref() == Some("InService"));
        let in_service = in_service.count();
        if let Some(desired) = overview.capacity.as_ref().and_then(|capacity| capacity.desired) {
            drawn.lines.push(format!("{in_service} in service, desired {desired}"));
        }
    }
}
