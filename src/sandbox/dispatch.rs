//! From a request to its answer: who is turned away, which service is asked, what it says.

use http::{Request, Response};

use super::paging::Page;
use super::parameters::{Refusal, Reply, flag};
use super::wire::{self, Asked, Protocol};
use super::world::World;
use super::{Call, account, authorization, autoscaling, dns, ec2, elb, iam, weather};

/// Answers one request.
pub fn answer(world: &mut World, request: &Request<Vec<u8>>) -> (Call, Response<Vec<u8>>) {
    let asked = wire::read(request);
    let actions = authorization::actions(world, &asked);
    let reply = match weather::turned_away(world, &asked.service) {
        Some(refusal) => Err(refusal),
        None => perform(world, &asked),
    };
    let code = reply.as_ref().err().map(|refusal| refusal.code.to_owned());
    let id = format!("00000000-0000-4000-8000-{:012x}", world.request());
    let mut response = wire::respond(&asked, &reply, &id);
    response.headers_mut().extend(wire::date(&world.date()));
    let is_dry_run = is_dry_run(&asked);
    (Call { service: asked.service, operation: asked.operation, code, actions, is_dry_run }, response)
}

/// A page of what the call gives back. An EC2 call with `DryRun` is tried on a copy of the world.
fn perform(world: &mut World, asked: &Asked) -> Reply {
    let page = Page::of(&asked.service, &asked.operation, &asked.parameters)?;
    let page = match page {
        Some(page) if world.weather.large_account => Some(page.in_large_account(&asked.parameters)?),
        page => page,
    };
    if is_dry_run(asked) {
        carry_out(&mut world.clone(), asked)?;
        let message = "Request would have succeeded, but DryRun flag is set.".to_owned();
        return Err(Refusal { code: "DryRunOperation", message, status: 412 });
    }
    let all = carry_out(world, asked)?;
    Ok(match page {
        Some(page) => page.cut(all),
        None => all,
    })
}

/// An EC2 call that only asks whether it would be done.
fn is_dry_run(asked: &Asked) -> bool {
    asked.service == "ec2" && flag(&asked.parameters, "DryRun") == Some(true)
}

fn carry_out(world: &mut World, asked: &Asked) -> Reply {
    let Asked { service, operation, parameters, .. } = asked;
    if world.weather.token_refused_in.iter().any(|region| parameters["_region"] == region.as_str()) {
        let message = "AWS was not able to validate the provided access credentials".to_owned();
        return Err(Refusal { code: "AuthFailure", message, status: 401 });
    }
    if let Some(action) = world.weather.denied.iter().find(|action| **action == format!("{service}:{operation}")) {
        return Err(denied(asked.protocol, &world.arn("iam", authorization::USER), (action, "*")));
    }
    if let Some(question) = authorization::not_allowed(world, asked) {
        let on = (question.action.as_str(), question.resource.as_str());
        return Err(denied(asked.protocol, &world.arn("iam", authorization::USER), on));
    }
    match service.as_str() {
        "ec2" => ec2::call(world, operation, parameters),
        "elasticloadbalancing" => elb::call(world, operation, parameters),
        "autoscaling" => autoscaling::call(world, operation, parameters),
        "iam" => iam::call(world, operation, parameters),
        "route53" => dns::call(world, operation, parameters),
        _ => account::call(world, service, operation, parameters),
    }
}

/// What IAM's services say to a caller whom no policy allows the action (IAM user guide, "Troubleshoot access denied
/// error messages").
fn denied(protocol: Protocol, caller: &str, (action, resource): (&str, &str)) -> Refusal {
    if protocol == Protocol::Ec2 {
        let encoded = account::encoded(action, resource, caller);
        let words = "You are not authorized to perform this operation. Encoded authorization failure message: ";
        return Refusal { code: "UnauthorizedOperation", message: format!("{words}{encoded}"), status: 403 };
    }
    let why = format!("because no identity-based policy allows the {action} action");
    let on = if resource == "*" { String::new() } else { format!(" on resource: {resource}") };
    let message = format!("User: {caller} is not authorized to perform: {action}{on} {why}");
    Refusal { code: "AccessDenied", message, status: 403 }
}

/// A refusal that has nothing to do with what the world would have said.
pub fn refused(request: &Request<Vec<u8>>, code: &'static str, status: u16) -> Response<Vec<u8>> {
    let asked = wire::read(request);
    let refusal = if code == "AccessDenied" && asked.protocol == Protocol::Ec2 {
        let action = format!("ec2:{}", asked.operation);
        Refusal { status, ..denied(asked.protocol, "arn:aws:iam::123456789012:user/sandbox", (&action, "*")) }
    } else {
        Refusal { code, message: format!("{} was disturbed", asked.operation), status }
    };
    wire::respond(&asked, &Err(refusal), "00000000-0000-4000-8000-000000000000")
}

/// A refusal that asks to slow down.
pub fn throttled(request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    match wire::service(request).as_deref() {
        Some("ec2") => refused(request, "RequestLimitExceeded", 503),
        _ => refused(request, "Throttling", 400),
    }
}

/// Whether a call only reads.
pub fn is_read(operation: &str) -> bool {
    ["Describe", "List", "Get", "Decode", "Simulate"].iter().any(|verb| operation.starts_with(verb))
}
