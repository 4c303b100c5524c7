//! The protocols: requests in, trees; trees out, replies. Written once for all services.

use std::collections::BTreeMap;

use http::{Request, Response};
use serde_json::{Map, Value, json};

use super::world::World;
use super::{Call, account, autoscaling, dns, ec2, elb, iam, weather};

/// A refusal as AWS would put it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    pub message: String,
    pub status: u16,
}

/// A refusal of the usual status.
pub fn refuse<T>(code: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, message: message.into(), status: 400 })
}

/// What a call gives back.
pub type Reply = Result<Value, Refusal>;

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Query,
    Ec2,
    Json,
    Cbor,
    RestXml,
}

impl Protocol {
    fn of(service: &str, request: &Request<Vec<u8>>) -> Protocol {
        let headers = request.headers();
        match service {
            "route53" => Protocol::RestXml,
            "ec2" => Protocol::Ec2,
            _ if headers.contains_key("smithy-protocol") => Protocol::Cbor,
            _ if headers.contains_key("x-amz-target") => Protocol::Json,
            _ => Protocol::Query,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Protocol::Json => "application/x-amz-json-1.1",
            Protocol::Cbor => "application/cbor",
            _ => "text/xml;charset=UTF-8",
        }
    }
}

/// Every call passes here.
pub fn answer(world: &mut World, request: &Request<Vec<u8>>) -> (Call, Response<Vec<u8>>) {
    let service = service(request).unwrap_or_default();
    let protocol = Protocol::of(&service, request);
    let (operation, mut asked) = read(protocol, request);
    asked["_region"] = json!(scope(request, 2).unwrap_or_default());
    let reply = match weather::turned_away(world, &service) {
        Some(refusal) => Err(refusal),
        None => carry_out(world, &service, &operation, &asked),
    };
    let code = reply.as_ref().err().map(|refusal| refusal.code.to_owned());
    let id = format!("00000000-0000-4000-8000-{:012x}", world.request());
    let response = respond(protocol, &operation, reply, &id);
    (Call { service, operation, code }, response)
}

fn carry_out(world: &mut World, service: &str, operation: &str, asked: &Value) -> Reply {
    match service {
        "ec2" => ec2::call(world, operation, asked),
        "elasticloadbalancing" => elb::call(world, operation, asked),
        "autoscaling" => autoscaling::call(world, operation, asked),
        "iam" => iam::call(world, operation, asked),
        "route53" => dns::call(world, operation, asked),
        _ => account::call(world, service, operation, asked),
    }
}

/// A refusal that has nothing to do with what the world would have said.
pub fn refused(request: &Request<Vec<u8>>, code: &'static str, status: u16) -> Response<Vec<u8>> {
    let service = service(request).unwrap_or_default();
    let protocol = Protocol::of(&service, request);
    let (operation, _) = read(protocol, request);
    let denied = code == "AccessDenied" && protocol == Protocol::Ec2;
    let refusal = Refusal {
        code: if denied { "UnauthorizedOperation" } else { code },
        message: match denied {
            true => {
                let encoded = account::encoded(&format!("ec2:{operation}"), "arn:aws:iam::123456789012:user/sandbox");
                format!(
                    "You are not authorized to perform this operation. Encoded authorization failure message: {encoded}"
                )
            }
            false => format!("{operation} was disturbed"),
        },
        status,
    };
    respond(protocol, &operation, Err(refusal), "00000000-0000-4000-8000-000000000000")
}

/// A refusal that asks to slow down.
pub fn throttled(request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    match service(request).as_deref() {
        Some("ec2") => refused(request, "RequestLimitExceeded", 503),
        _ => refused(request, "Throttling", 400),
    }
}

/// Service and operation of a request.
pub fn named(request: &Request<Vec<u8>>) -> (String, String) {
    let service = service(request).unwrap_or_default();
    let (operation, _) = read(Protocol::of(&service, request), request);
    (service, operation)
}

/// Whether a call only reads.
pub fn reads(operation: &str) -> bool {
    ["Describe", "List", "Get", "Decode"].iter().any(|verb| operation.starts_with(verb))
}

/// The service that a request is signed for.
pub fn service(request: &Request<Vec<u8>>) -> Option<String> {
    scope(request, 3)
}

/// A part of the signature's scope: `Credential=KEY/20260101/eu-central-1/ec2/aws4_request`.
fn scope(request: &Request<Vec<u8>>, part: usize) -> Option<String> {
    let authorization = request.headers().get("authorization")?.to_str().ok()?;
    let scope = authorization.split("Credential=").nth(1)?.split(',').next()?;
    scope.split('/').nth(part).map(str::to_owned)
}

fn read(protocol: Protocol, request: &Request<Vec<u8>>) -> (String, Value) {
    let last = |text: &str, mark: char| text.rsplit(mark).next().unwrap_or_default().to_owned();
    match protocol {
        Protocol::RestXml => dns::read_rest(request),
        Protocol::Json => {
            let target =
                request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
            (last(target, '.'), serde_json::from_slice(request.body()).unwrap_or_default())
        }
        Protocol::Cbor => (
            last(request.uri().path(), '/'),
            ciborium::from_reader(request.body().as_slice()).map_or(Value::Null, from_cbor),
        ),
        Protocol::Query | Protocol::Ec2 => {
            let asked = form(request.body());
            (asked["Action"].as_str().unwrap_or_default().to_owned(), asked)
        }
    }
}

/// CBOR as a tree; times, which are tagged, as their seconds.
fn from_cbor(value: ciborium::Value) -> Value {
    use ciborium::Value as Cbor;
    match value {
        Cbor::Bool(one) => one.into(),
        Cbor::Integer(one) => i64::try_from(one).map_or(Value::Null, Value::from),
        Cbor::Float(one) => one.into(),
        Cbor::Text(text) => text.into(),
        Cbor::Array(list) => list.into_iter().map(from_cbor).collect(),
        Cbor::Map(map) => {
            let fields = map.into_iter().filter_map(|(key, value)| Some((key.into_text().ok()?, from_cbor(value))));
            Value::Object(fields.collect())
        }
        Cbor::Tag(_, inner) => from_cbor(*inner),
        _ => Value::Null,
    }
}

/// Form fields as a tree: `Filter.1.Value.2=x`, `Tags.member.1.Key=k`.
fn form(body: &[u8]) -> Value {
    let mut root = Branch::default();
    for (key, value) in form_urlencoded::parse(body) {
        let mut at = &mut root;
        for part in key.split('.').filter(|part| *part != "member") {
            at = at.below.entry(part.to_owned()).or_default();
        }
        at.leaf = Some(value.into_owned());
    }
    root.into_value()
}

#[derive(Default)]
struct Branch {
    leaf: Option<String>,
    below: BTreeMap<String, Branch>,
}

impl Branch {
    fn into_value(self) -> Value {
        if self.below.is_empty() {
            return self.leaf.map_or(Value::Null, Value::from);
        }
        if self.below.keys().all(|key| key.parse::<u32>().is_ok()) {
            let mut items: Vec<(u32, Branch)> =
                self.below.into_iter().filter_map(|(key, branch)| Some((key.parse().ok()?, branch))).collect();
            items.sort_by_key(|(index, _)| *index);
            return items.into_iter().map(|(_, branch)| branch.into_value()).collect();
        }
        Value::Object(self.below.into_iter().map(|(key, branch)| (key, branch.into_value())).collect())
    }
}

/// An XML document as a tree; an element that repeats becomes a list.
pub fn xml_tree(text: &str) -> Value {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut stack: Vec<(String, Map<String, Value>, String)> = vec![Default::default()];
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = start.local_name().as_ref().to_owned();
                stack.push((name, Map::new(), String::new()));
            }
            Ok(Event::Text(words)) => {
                if let Some(top) = stack.last_mut() {
                    top.2.push_str(&words);
                }
            }
            Ok(Event::GeneralRef(name)) => {
                let one = quick_xml::escape::unescape(&format!("&{};", &*name)).map(|text| text.into_owned());
                if let (Some(top), Ok(one)) = (stack.last_mut(), one) {
                    top.2.push_str(&one);
                }
            }
            Ok(Event::End(_)) => {
                let Some((name, fields, words)) = stack.pop() else {
                    return Value::Null;
                };
                let value = if fields.is_empty() { Value::from(words.trim()) } else { Value::Object(fields) };
                let Some(parent) = stack.last_mut() else {
                    return Value::Null;
                };
                match parent.1.get_mut(&name) {
                    Some(Value::Array(list)) => list.push(value),
                    Some(one) => *one = json!([one.take(), value]),
                    None => drop(parent.1.insert(name, value)),
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    stack.into_iter().next().map_or(Value::Null, |(_, fields, _)| Value::Object(fields))
}

fn respond(protocol: Protocol, operation: &str, reply: Reply, id: &str) -> Response<Vec<u8>> {
    let (status, body) = match (&reply, protocol) {
        (Ok(value), Protocol::Json) => (200, value.to_string().into_bytes()),
        (Ok(value), Protocol::Cbor) => (200, cbor(value)),
        (Err(no), Protocol::Json) => {
            (no.status, json!({"__type": no.code, "message": no.message}).to_string().into_bytes())
        }
        (Err(no), Protocol::Cbor) => (no.status, cbor(&json!({"__type": no.code, "message": no.message}))),
        (reply, protocol) => {
            let (status, text) = xml(protocol, operation, reply.as_ref(), id);
            (status, text.into_bytes())
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static(protocol.content_type()));
    if protocol == Protocol::Cbor {
        headers.insert("smithy-protocol", http::HeaderValue::from_static("rpc-v2-cbor"));
    }
    headers
        .extend(http::HeaderValue::from_str(id).ok().map(|id| (http::HeaderName::from_static("x-amzn-requestid"), id)));
    response
}

fn cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = ciborium::into_writer(value, &mut bytes); // a tree into memory: it cannot fail
    bytes
}

fn xml(protocol: Protocol, operation: &str, reply: Result<&Value, &Refusal>, id: &str) -> (u16, String) {
    match (reply, protocol) {
        (Ok(value), Protocol::Ec2) => {
            let inner = format!("<requestId>{id}</requestId>{}", fields(value, "item"));
            (
                200,
                format!(
                    "<{operation}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">{inner}</{operation}Response>"
                ),
            )
        }
        (Err(no), Protocol::Ec2) => (
            no.status,
            format!(
                "<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>{id}</RequestID></Response>",
                no.code,
                escaped(&no.message)
            ),
        ),
        (Ok(value), Protocol::RestXml) => {
            let name = format!("{operation}Response");
            (
                200,
                format!(
                    "<{name} xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">{}</{name}>",
                    fields(value, "")
                ),
            )
        }
        (Ok(value), _) => (
            200,
            format!(
                "<{operation}Response><{operation}Result>{}</{operation}Result><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>",
                fields(value, "member")
            ),
        ),
        (Err(no), _) => (
            no.status,
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>",
                no.code,
                escaped(&no.message)
            ),
        ),
    }
}

/// A tree as XML. Names that begin with `_` are the world's own and stay inside. `item`: what a list's element is called;
/// empty: the list's name without its last letter (Route 53).
fn fields(value: &Value, item: &str) -> String {
    let Value::Object(map) = value else {
        return scalar(value);
    };
    let mut out = String::new();
    for (name, value) in map.iter().filter(|(name, value)| !name.starts_with('_') && !value.is_null()) {
        let inner = match value {
            Value::Array(list) => {
                let named = if item.is_empty() { name.strip_suffix('s').unwrap_or(name) } else { item };
                let element = |one: &Value| format!("<{named}>{}</{named}>", fields(one, item));
                list.iter().map(element).collect()
            }
            value => fields(value, item),
        };
        out += &format!("<{name}>{inner}</{name}>");
    }
    out
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => escaped(text),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// A parameter that AWS requires.
pub fn need<'a>(asked: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    match asked[name].as_str() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => refuse("MissingParameter", format!("The request must contain the parameter {name}")),
    }
}

/// A list parameter; empty when it is absent.
pub fn list<'a>(asked: &'a Value, name: &str) -> &'a [Value] {
    asked[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A list parameter of texts.
pub fn texts(asked: &Value, name: &str) -> Vec<String> {
    list(asked, name).iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// A number parameter, which forms carry as text.
pub fn number(asked: &Value, name: &str) -> Option<i64> {
    asked[name].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_become_trees_with_lists() {
        let tree = form(b"Action=X&Filter.1.Name=a&Filter.1.Value.1=b&Filter.1.Value.2=c&Tags.member.1.Key=k");
        let want = json!({"Action": "X", "Filter": [{"Name": "a", "Value": ["b", "c"]}], "Tags": [{"Key": "k"}]});
        assert_eq!(tree, want);
    }

    #[test]
    fn trees_become_xml_without_what_is_the_worlds_own() {
        let tree = json!({"groups": [{"id": "a<b", "_until": 3}], "none": null});
        assert_eq!(fields(&tree, "item"), "<groups><item><id>a&lt;b</id></item></groups>");
        let zones = json!({"HostedZones": [{"Name": "x."}], "IsTruncated": false});
        let want =
            "<HostedZones><HostedZone><Name>x.</Name></HostedZone></HostedZones><IsTruncated>false</IsTruncated>";
        assert_eq!(fields(&zones, ""), want);
    }

    #[test]
    fn xml_becomes_a_tree() {
        let tree = xml_tree("<A><B>1 &amp; 2</B><C><D>x</D><D>y</D></C></A>");
        assert_eq!(tree, json!({"A": {"B": "1 & 2", "C": {"D": ["x", "y"]}}}));
    }
}
