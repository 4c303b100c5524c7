//! XML: Route 53 is asked with it; EC2, Route 53 and the query protocol answer with it.

use serde_json::{Map, Value, json};

use super::Protocol;
use crate::sandbox::parameters::Refusal;

/// An XML document as a tree; an element that repeats becomes a list.
pub fn tree(text: &str) -> Value {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut stack: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                stack.push(Element { name: start.local_name().as_ref().to_owned(), ..Element::default() });
            }
            Ok(Event::Text(words)) => {
                if let Some(top) = stack.last_mut() {
                    top.text.push_str(&words);
                }
            }
            Ok(Event::GeneralRef(name)) => {
                let one = quick_xml::escape::unescape(&format!("&{};", &*name)).map(std::borrow::Cow::into_owned);
                if let (Some(top), Ok(one)) = (stack.last_mut(), one) {
                    top.text.push_str(&one);
                }
            }
            Ok(Event::End(_)) => {
                let (Some(element), Some(parent)) = (stack.pop(), stack.last_mut()) else {
                    return Value::Null;
                };
                parent.add(element);
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    stack.into_iter().next().map_or(Value::Null, |root| Value::Object(root.fields))
}

/// An element that is open.
#[derive(Default)]
struct Element {
    name: String,
    fields: Map<String, Value>,
    text: String,
}

impl Element {
    fn add(&mut self, Element { name, fields, text }: Element) {
        let value = if fields.is_empty() { Value::from(text.trim()) } else { Value::Object(fields) };
        match self.fields.get_mut(&name) {
            Some(Value::Array(list)) => list.push(value),
            Some(one) => *one = json!([one.take(), value]),
            None => {
                self.fields.insert(name, value);
            }
        }
    }
}

/// An answer: the reply or the refusal in the envelope of its protocol.
pub fn document(
    (service, protocol): (&str, Protocol),
    operation: &str,
    reply: Result<&Value, &Refusal>,
    id: &str,
) -> String {
    const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    let namespace = namespace(service);
    let name = format!("{operation}Response");
    match (reply, protocol) {
        (Ok(value), Protocol::Ec2) => {
            let fields = fields(value, "item");
            format!("{DECLARATION}<{name}{namespace}><requestId>{id}</requestId>{fields}</{name}>")
        }
        (Err(refusal), Protocol::Ec2) => {
            let error = format!("<Error>{}</Error>", code_and_message(refusal));
            format!("{DECLARATION}<Response><Errors>{error}</Errors><RequestID>{id}</RequestID></Response>")
        }
        (Ok(value), Protocol::RestXml) => {
            format!("{DECLARATION}<{name}{namespace}>{}</{name}>", fields(value, ""))
        }
        (Ok(value), _) => {
            let fields = fields(value, "member");
            let has_result = !fields.is_empty() || answers_with_nothing(service, operation);
            let result = if has_result { format!("<{operation}Result>{fields}</{operation}Result>") } else { fields };
            let metadata = format!("<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>");
            format!("<{name}{namespace}>{result}{metadata}</{name}>")
        }
        (Err(refusal), _) => {
            let fault = if refusal.status < 500 { "Sender" } else { "Receiver" };
            let error = format!("<Error><Type>{fault}</Type>{}</Error>", code_and_message(refusal));
            format!("<ErrorResponse{namespace}>{error}<RequestId>{id}</RequestId></ErrorResponse>")
        }
    }
}

/// The XML namespace of a service's answers, as each service's API reference shows it.
fn namespace(service: &str) -> String {
    let address = match service {
        "ec2" => "http://ec2.amazonaws.com/doc/2016-11-15/",
        "elasticloadbalancing" => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
        "autoscaling" => "http://autoscaling.amazonaws.com/doc/2011-01-01/",
        "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        "monitoring" => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        "route53" => "https://route53.amazonaws.com/doc/2013-04-01/",
        _ => return String::new(),
    };
    format!(r#" xmlns="{address}""#)
}

/// Whether an answer without fields still has its `Result` element. Operations without any output have none (service
/// models: `AttachLoadBalancerTargetGroups` has an output, `CreateAutoScalingGroup` has not).
fn answers_with_nothing(service: &str, operation: &str) -> bool {
    const AUTO_SCALING: [&str; 7] = [
        "AttachLoadBalancerTargetGroups",
        "DetachLoadBalancerTargetGroups",
        "CompleteLifecycleAction",
        "DeleteLifecycleHook",
        "PutLifecycleHook",
        "RecordLifecycleActionHeartbeat",
        "SetInstanceProtection",
    ];
    match service {
        "autoscaling" => AUTO_SCALING.contains(&operation),
        "iam" => operation == "UpdateRole",
        _ => true,
    }
}

fn code_and_message(Refusal { code, message, .. }: &Refusal) -> String {
    format!("<Code>{code}</Code><Message>{}</Message>", escaped(message))
}

/// A tree as XML. Names that begin with `_` are the world's own and stay inside. `item`: what a list's element is
/// called; empty: the list's name without its last letter (Route 53).
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

#[cfg(test)]
mod tests {
    use super::*;

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
        let tree = tree("<A><B>1 &amp; 2</B><C><D>x</D><D>y</D></C></A>");
        assert_eq!(tree, json!({"A": {"B": "1 & 2", "C": {"D": ["x", "y"]}}}));
    }

    #[test]
    fn answers_carry_the_namespace_of_their_service() {
        let reply = json!({"HostedZones": []});
        let text = document(("autoscaling", Protocol::Query), "PutX", Ok(&reply), "1");
        assert!(
            text.starts_with(r#"<PutXResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><PutXResult>"#)
        );
        let text = document(("route53", Protocol::RestXml), "ListX", Ok(&reply), "1");
        assert!(text.ends_with("</HostedZones></ListXResponse>"));
    }
}
