//! What EC2 says of a denial is encoded; who may decode it is shown what it says.

use serde_json::Value;

use crate::cloud::Cloud;
use crate::outcome::Problem;

const MARK: &str = "Encoded authorization failure message: ";

/// Adds to every problem with an encoded message what it says, or how to read it.
pub async fn decode(cloud: &Cloud, problems: &mut [Problem]) {
    for problem in problems {
        let Some((_, rest)) = problem.message.split_once(MARK) else {
            continue;
        };
        let encoded = rest.split_whitespace().next().unwrap_or_default();
        let reply = cloud.sts.decode_authorization_message().encoded_message(encoded).send().await;
        let decoded = reply.ok().and_then(|reply| reply.decoded_message);
        let words = match decoded.as_deref().and_then(told) {
            Some(told) => format!("decoded: {told}"),
            None => "`aws sts decode-authorization-message --encoded-message …` decodes it, for whoever may call that"
                .to_owned(),
        };
        problem.cause = Some(match problem.cause.take() {
            Some(cause) => format!("{cause}; {words}"),
            None => words,
        });
    }
}

/// Who may not do what with which, and whether something denies it or nothing allows it
/// (STS API reference, DecodeAuthorizationMessage).
fn told(decoded: &str) -> Option<String> {
    let decoded: Value = serde_json::from_str(decoded).ok()?;
    let context = &decoded["context"];
    let (action, resource) = (context["action"].as_str()?, context["resource"].as_str()?);
    let principal = context["principal"]["arn"].as_str().unwrap_or("the caller");
    let why = match decoded["explicitDeny"].as_bool() {
        Some(true) => "a policy denies it explicitly",
        _ => "no policy allows it",
    };
    Some(format!("{principal} may not {action} on {resource}: {why}"))
}
