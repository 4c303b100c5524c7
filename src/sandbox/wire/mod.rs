//! The protocols: requests in, trees; trees out, answers. Written once for all services.

mod cbor;
mod form;
mod xml;

use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::dns;
pub use super::parameters::{Refusal, Reply, list, need, number, refuse, texts};
pub use xml::tree as xml_tree;

const JSON_10: &str = "application/x-amz-json-1.0";

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Forms in, XML out.
    Query,
    /// EC2's own form of it.
    Ec2,
    /// JSON both ways.
    Json,
    /// The same in its first version, which CloudWatch speaks.
    Json10,
    /// CBOR both ways.
    Cbor,
    /// A path and XML in, XML out.
    RestXml,
}

impl Protocol {
    fn of(service: &str, request: &Request<Vec<u8>>) -> Protocol {
        let headers = request.headers();
        match service {
            "route53" => Protocol::RestXml,
            "ec2" => Protocol::Ec2,
            _ if headers.contains_key("smithy-protocol") => Protocol::Cbor,
            _ if headers.get("content-type").is_some_and(|kind| kind == JSON_10) => Protocol::Json10,
            _ if headers.contains_key("x-amz-target") => Protocol::Json,
            _ => Protocol::Query,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Protocol::Json => "application/x-amz-json-1.1",
            Protocol::Json10 => JSON_10,
            Protocol::Cbor => "application/cbor",
            Protocol::Ec2 => "text/xml;charset=UTF-8",
            Protocol::Query | Protocol::RestXml => "text/xml",
        }
    }
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The service that it is signed for, such as `elasticloadbalancing`.
    pub service: String,
    /// How it is written, and how its answer is to be.
    pub protocol: Protocol,
    /// The operation, such as `DescribeVpcs`.
    pub operation: String,
    /// Its parameters. `_region` is the region that it is signed for.
    pub parameters: Value,
}

/// Reads a request.
pub fn read(request: &Request<Vec<u8>>) -> Asked {
    let service = service(request).unwrap_or_default();
    let protocol = Protocol::of(&service, request);
    let last = |text: &str, mark: char| text.rsplit(mark).next().unwrap_or_default().to_owned();
    let (operation, mut parameters) = match protocol {
        Protocol::RestXml => dns::read_rest(request),
        Protocol::Json | Protocol::Json10 => {
            let target =
                request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
            (last(target, '.'), serde_json::from_slice(request.body()).unwrap_or_default())
        }
        Protocol::Cbor => (last(request.uri().path(), '/'), cbor::tree(request.body())),
        Protocol::Query | Protocol::Ec2 => {
            let asked = form::tree(request.body());
            (asked["Action"].as_str().unwrap_or_default().to_owned(), asked)
        }
    };
    if !parameters.is_object() {
        parameters = json!({});
    }
    parameters["_region"] = json!(region(request).unwrap_or_default());
    Asked { service, protocol, operation, parameters }
}

/// The service that a request is signed for.
pub fn service(request: &Request<Vec<u8>>) -> Option<String> {
    scope(request, 3)
}

/// The region that a request is signed for.
pub fn region(request: &Request<Vec<u8>>) -> Option<String> {
    scope(request, 2)
}

/// A part of the signature's scope: `Credential=KEY/20260101/eu-central-1/ec2/aws4_request`.
fn scope(request: &Request<Vec<u8>>, part: usize) -> Option<String> {
    let authorization = request.headers().get("authorization")?.to_str().ok()?;
    let scope = authorization.split("Credential=").nth(1)?.split(',').next()?;
    scope.split('/').nth(part).map(str::to_owned)
}

/// Writes an answer; `id` is the request's.
pub fn respond(asked: &Asked, reply: &Reply, id: &str) -> Response<Vec<u8>> {
    let Asked { service, protocol, operation, .. } = asked;
    let status = reply.as_ref().map_or_else(|refusal| refusal.status, |_| 200);
    let tree = match reply {
        Ok(value) => shown(value),
        Err(refusal) => json!({"__type": refusal.code, "message": refusal.message}),
    };
    let body = match protocol {
        Protocol::Json | Protocol::Json10 => tree.to_string().into_bytes(),
        Protocol::Cbor => cbor::bytes(&tree),
        protocol => xml::document((service, *protocol), operation, reply.as_ref(), id).into_bytes(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(protocol.content_type()));
    if *protocol == Protocol::Cbor {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    headers.extend(HeaderValue::from_str(id).ok().map(|id| (HeaderName::from_static("x-amzn-requestid"), id)));
    response
}

/// When the answer was given (RFC 9110, "Date"), from the time as AWS writes it.
pub fn date(time: &str) -> Option<(HeaderName, HeaderValue)> {
    let time: jiff::Timestamp = time.parse().ok()?;
    let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()?;
    Some((http::header::DATE, HeaderValue::from_str(&text).ok()?))
}

/// A tree without what is the world's own, and without what is not there.
fn shown(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let visible = fields.iter().filter(|(name, value)| !name.starts_with('_') && !value.is_null());
            Value::Object(visible.map(|(name, value)| (name.clone(), shown(value))).collect())
        }
        Value::Array(list) => list.iter().map(shown).collect(),
        value => value.clone(),
    }
}
