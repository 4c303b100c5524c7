//! The stand-in for the Oz service, behind the load balancer: what a client of the stack sees.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::elb::{active, targets};
use super::health;
use super::wire::list;
use super::world::World;

/// What a client sees at `https://HOST/path`.
pub fn browse(world: &World, url: &str) -> Result<Response<Vec<u8>>, String> {
    let (scheme, rest) = url.split_once("://").ok_or("not a URL")?;
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, "/".to_owned()), |(host, path)| {
            (host, format!("/{path}"))
        });
    let port = if scheme == "https" { 443 } else { 80 };
    let balancer =
        resolve(world, &host.to_lowercase()).ok_or_else(|| format!("{host} does not resolve"))?;
    if !active(balancer, world.now) {
        return Err(format!(
            "{host} does not answer: the load balancer is provisioning"
        ));
    }
    if !opens(world, balancer, port) {
        return Err(format!(
            "{host}:{port} does not answer: no security group of the load balancer opens the port"
        ));
    }
    let mut listeners = world
        .rows("listeners")
        .filter(|row| row["LoadBalancerArn"] == balancer["LoadBalancerArn"]);
    let listener = listeners
        .find(|row| row["Port"] == port)
        .ok_or_else(|| format!("{host}:{port}: connection refused"))?;
    if list(listener, "DefaultActions")
        .iter()
        .any(|action| action["Type"] == "redirect")
    {
        let mut answer = plain(StatusCode::MOVED_PERMANENTLY, "");
        let to = http::HeaderValue::from_str(&format!("https://{host}:443{path}"))
            .map_err(|error| error.to_string())?;
        answer.headers_mut().insert("location", to);
        return Ok(answer);
    }
    let groups = targets(listener).filter_map(|arn| world.row("target_groups", arn));
    let healthy = |group: &Value| {
        list(group, "_targets")
            .iter()
            .any(|target| health::of(world, group, target).0 == "healthy")
    };
    match groups.into_iter().any(healthy) {
        true => Ok(service(&path)),
        false => Ok(plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "503 Service Temporarily Unavailable",
        )),
    }
}

/// The service itself. The fields of its version are not documented: these are synthetic.
fn service(path: &str) -> Response<Vec<u8>> {
    match path {
        "/api/version" => {
            let mut answer = plain(
                StatusCode::OK,
                &json!({"version": "0.0.0-sandbox"}).to_string(),
            );
            answer.headers_mut().insert(
                "content-type",
                http::HeaderValue::from_static("application/json"),
            );
            answer
        }
        _ => plain(StatusCode::NOT_FOUND, "not found"),
    }
}

/// The load balancer of this name, or the one that a record of this name is an alias of.
fn resolve<'a>(world: &'a World, host: &str) -> Option<&'a Value> {
    let named = |name: &str| {
        world.rows("balancers").find(|row| {
            row["DNSName"]
                .as_str()
                .is_some_and(|dns| dns.to_lowercase() == name)
        })
    };
    let mut records = world.rows("zones").flat_map(|zone| list(zone, "_records"));
    let alias = records
        .find(|record| record["Name"] == format!("{host}.").as_str() && record["Type"] == "A");
    let target = alias.and_then(|record| record["AliasTarget"]["DNSName"].as_str());
    named(host).or_else(|| {
        named(
            target?
                .trim_end_matches('.')
                .trim_start_matches("dualstack."),
        )
    })
}

fn opens(world: &World, balancer: &Value, port: i64) -> bool {
    let groups = list(balancer, "SecurityGroups")
        .iter()
        .filter_map(|id| world.row("groups", id.as_str()?));
    groups.flat_map(|group| list(group, "_rules")).any(|rule| {
        rule["isEgress"] == false
            && (rule["fromPort"].as_i64()..=rule["toPort"].as_i64()).contains(&Some(port))
    })
}

fn plain(status: StatusCode, body: &str) -> Response<Vec<u8>> {
    let mut answer = Response::new(body.as_bytes().to_vec());
    *answer.status_mut() = status;
    answer
}
