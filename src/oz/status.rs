//! What an answer says that is not the service's own good one: who answered, and why. Status and header `Server`
//! decide, not the body's shape.

use serde_json::Value;

use super::exchange::Answer;
use super::sensitive::Redaction;
use super::verdict::error_words;

/// What was answered instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// In words, with its status.
    pub words: String,
    /// Why, the likeliest first where several fit.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// The service itself said it, in the vendor's form.
    pub by_service: bool,
    /// A load balancer whose targets are on their way says it too.
    pub may_pass: bool,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// The service: the vendor's error body.
    Service,
    /// An AWS load balancer (`Server: awselb/2.0`).
    LoadBalancer,
    /// Something else: the value of its header `Server`, if it has one.
    Other(Option<String>),
}

const DIAGNOSE: &str = "`deploy diagnose` looks at the way behind it.";

impl Said {
    /// Of an answer whose status is not good, or whose body is no JSON.
    pub fn of(answer: &Answer, json: Option<&Value>, redaction: &Redaction) -> Said {
        let (status, who) = (answer.status.as_u16(), Who::of(answer, json));
        if answer.status.is_redirection() {
            return redirect(status, answer, redaction);
        }
        if answer.status.is_success() {
            return Said {
                words: format!("HTTP {status}, and the body is not JSON{}", shown(answer)),
                cause: "something else than the service answers there: a page in front of it (a login, a captive \
                        portal, a proxy), or the base URL is wrong"
                    .to_owned(),
                fix: "Open the URL in a browser, or with `curl -i`.".to_owned(),
                by_service: false,
                may_pass: false,
            };
        }
        let (cause, fix) = match &who {
            Who::Service => service(status),
            Who::LoadBalancer => load_balancer(status),
            Who::Other(_) => other(status),
        };
        let told = match (&who, json) {
            (Who::Service, Some(error)) => format!(": {}", error_words(error, redaction)),
            (_, Some(error)) => message(error, redaction),
            (_, None) => String::new(),
        };
        Said {
            words: format!("HTTP {status} from {}{told}", who.words()),
            cause: cause.to_owned(),
            fix: fix.to_owned(),
            by_service: who == Who::Service,
            may_pass: matches!(status, 502..=504),
        }
    }
}

impl Who {
    fn of(answer: &Answer, json: Option<&Value>) -> Who {
        let has_code = json.is_some_and(|body| body["error_code"].is_i64() || body["error_message"].is_string());
        let server = answer.server.as_deref().unwrap_or_default();
        match server.to_lowercase() {
            _ if has_code => Who::Service,
            name if name.starts_with("awselb") => Who::LoadBalancer,
            _ => Who::Other(answer.server.as_ref().map(|name| name.chars().take(40).collect())),
        }
    }

    fn words(&self) -> String {
        match self {
            Who::Service => "the service".to_owned(),
            Who::LoadBalancer => "the load balancer".to_owned(),
            Who::Other(Some(server)) => format!("{server:?} (its header Server)"),
            Who::Other(None) => "something that does not say what it is".to_owned(),
        }
    }
}

/// The service's own errors.
fn service(status: u16) -> (&'static str, &'static str) {
    match status {
        401 | 403 => (
            "the service wants a token, or another one",
            "OZ_ACCESS_TOKEN gives one; a service of one's own wants none by default.",
        ),
        404 => ("the service knows no such path", "Look at the path in the base URL."),
        413 => ("the media is larger than the service takes", "Take a shorter capture."),
        500..=599 => ("the service failed itself", "Try again; if it stays so, look at the instance's own log."),
        _ => (
            "the service refused what it was sent",
            "Look at the error's words; the media may be of a kind or quality that it cannot take.",
        ),
    }
}

/// A load balancer's own errors (Elastic Load Balancing user guide, "Troubleshoot your Application Load Balancers").
fn load_balancer(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("the load balancer takes the request for malformed", "Look for a proxy on the way that changes it."),
        401 | 561 => (
            "a listener asks who calls (a login or a token), and the answer to that failed",
            "`deploy plan` shows the listener's actions; the service itself asks nobody.",
        ),
        403 => (
            "a web ACL (AWS WAF) in front of the load balancer blocked the request",
            "Its logs name the rule; a large body with binary data trips size and content rules: except \
             /api/instant/folders/ from them.",
        ),
        408 => ("the request was not whole before the idle timeout", "Look at the connection's speed upwards."),
        413 | 414 => ("the request is larger than the load balancer takes", "Look at what is added to it on the way."),
        460 => ("the client closed the connection before the answer came", "Allow the call more time."),
        463 => (
            "X-Forwarded-For names more than 30 addresses: a loop of proxies",
            "Look at the proxies between this machine and the load balancer.",
        ),
        464 => (
            "the target group's protocol version is not that of the request",
            "`deploy plan` shows the target group: HTTP/1.1 is wanted.",
        ),
        500 => (
            "the load balancer failed itself: mostly a web ACL or a login in front that could not be carried out",
            "Look at the web ACL and at the listener's actions.",
        ),
        502 => (
            "the load balancer got no usable answer from the instance: the API behind port 80 is still starting, has \
             ended, or cut the connection",
            DIAGNOSE,
        ),
        503 => (
            "no target can take the request: none is registered, or none is healthy",
            "`deploy diagnose` shows the targets and why they are so.",
        ),
        504 => (
            "the instance did not answer the load balancer: no connection to port 80 within 10 s (a security group), \
             or no answer within the idle timeout (a slow analysis)",
            "`deploy diagnose` looks at the port; the idle timeout is an attribute of the load balancer.",
        ),
        _ => ("the load balancer refused the request", DIAGNOSE),
    }
}

/// Errors of something between the load balancer and the service, or before both.
fn other(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (
            "the request's Host is not one that the service allows (its APP_ALLOWED_HOSTS), or what stands before it \
             takes the request for malformed",
            "Use the name that the service is set up for.",
        ),
        401 => (
            "the service, or what stands before it, wants to know who calls",
            "OZ_ACCESS_TOKEN gives the service's token; a login in front must let this path through.",
        ),
        403 => (
            "a firewall or gateway before the service blocked the request, or the service wants a token",
            "Look at the logs of what stands before it: bodies with pictures trip its rules; OZ_ACCESS_TOKEN gives a \
             token.",
        ),
        404 => ("nothing is there: the base URL is wrong, or its path", "Compare it with the stack's endpoint."),
        407 => ("the proxy wants a login", "Name it in the variable: http://user:password@host:port."),
        413 => (
            "the body is larger than what stands before the service takes (a web server, a gateway, a firewall)",
            "Raise its limit (client_max_body_size of nginx, for one), or take a shorter capture.",
        ),
        429 => ("too many requests for what stands before the service", "Wait, and call less often."),
        502..=504 => (
            "what stands before the service got no answer from it: the service is still starting, has ended, or is \
             too slow",
            DIAGNOSE,
        ),
        500..=599 => (
            "the service, or what stands before it, failed",
            "Try again; if it stays so, look at the instance's own log.",
        ),
        _ => ("the service, or what stands before it, refused the request", "Look at it with `curl -i`."),
    }
}

/// A redirect is never followed: it would turn the POST into a GET, and lead a face elsewhere.
fn redirect(status: u16, answer: &Answer, redaction: &Redaction) -> Said {
    let to = answer.location.as_deref().unwrap_or_default();
    let host = url::Url::parse(to).ok().and_then(|url| url.host_str().map(str::to_owned));
    let words = match &host {
        Some(host) => format!("HTTP {status}: a redirect to {}, which is not followed", redaction.clean(host)),
        None => format!("HTTP {status}: a redirect, which is not followed"),
    };
    Said {
        words: words + &shown(answer),
        cause: "the base URL is wrong (http in place of https, another host, a slash); or something in front asks who \
                calls: a login at the listener, a captive portal"
            .to_owned(),
        fix: "`curl -i` of the URL shows where it leads; give that URL, or let this path through the login.".to_owned(),
        by_service: false,
        may_pass: false,
    }
}

/// ` (Server: nginx, text/html)`
fn shown(answer: &Answer) -> String {
    let server = answer.server.as_ref().map(|server| format!("Server: {server}"));
    let told: Vec<String> = [server, answer.content_type.clone()].into_iter().flatten().collect();
    let told = told.join(", ");
    if told.is_empty() { String::new() } else { format!(" ({})", told.chars().take(80).collect::<String>()) }
}

/// What a gateway's own JSON says.
fn message(body: &Value, redaction: &Redaction) -> String {
    let told = ["message", "Message", "detail", "error", "title"].iter().find_map(|name| body[*name].as_str());
    told.filter(|told| !told.is_empty()).map_or(String::new(), |told| format!(": {}", redaction.clean(told)))
}
