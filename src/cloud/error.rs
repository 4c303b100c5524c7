//! The one error of calls to AWS: which service and operation, what it answered, and the request's id.

use aws_sdk_ec2::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::limiter::NeverReached;

/// What a call to AWS can end in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// AWS answered, and refused.
    #[error("{service} {operation}: {code}: {message}{}", request(.request_id.as_ref()))]
    Refused {
        /// AWS's service, as in `iam`.
        service: String,
        /// AWS's operation, as in `CreateRole`.
        operation: String,
        /// AWS's code.
        code: String,
        /// AWS's message; empty when there is none.
        message: String,
        /// The request's id, which AWS's support asks for.
        request_id: Option<String>,
    },
    /// AWS was not reached, did not answer, or answered something that is not its protocol.
    #[error("{service} {operation}: {message}")]
    Unanswered {
        /// AWS's service, as in `iam`.
        service: String,
        /// AWS's operation, as in `CreateRole`.
        operation: String,
        /// The HTTP status, when there was an answer.
        status: Option<u16>,
        /// What went wrong, with its causes.
        message: String,
        /// Time ran out or a connection broke, after all retries: nothing is wrong with what was asked.
        outage: bool,
    },
    /// An answer lacks what AWS documents that it has, or says what cannot be.
    #[error("{0}")]
    Reply(String),
}

/// What most calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// AWS's code; empty when there is none.
    pub fn code(&self) -> &str {
        match self {
            Error::Refused { code, .. } => code,
            _ => "",
        }
    }

    /// AWS's service, as in `ec2`; empty when none was called.
    pub fn service(&self) -> &str {
        match self {
            Error::Refused { service, .. } | Error::Unanswered { service, .. } => service,
            Error::Reply(_) => "",
        }
    }

    /// AWS's operation, as in `CreateRole`; empty when none was called.
    pub fn operation(&self) -> &str {
        match self {
            Error::Refused { operation, .. } | Error::Unanswered { operation, .. } => operation,
            _ => "",
        }
    }

    /// AWS's message; empty when there is none.
    pub fn message(&self) -> &str {
        match self {
            Error::Refused { message, .. } | Error::Unanswered { message, .. } => message,
            _ => "",
        }
    }

    /// The action of IAM that the call needs: what AWS says was denied, else its own, as in `iam:CreateRole`.
    pub fn action(&self) -> String {
        let denied = self.message().split("not authorized to perform: ").nth(1);
        let is_end = |one: char| one.is_whitespace() || one == ',';
        let denied = denied.and_then(|rest| rest.split(is_end).next()).filter(|action| action.contains(':'));
        let service = if self.service() == "elasticloadbalancingv2" { "elasticloadbalancing" } else { self.service() };
        let own = || format!("{service}:{}", self.operation());
        denied.map_or_else(own, str::to_owned)
    }

    /// Whether AWS could not be reached, or did not answer, for reasons that may pass.
    pub fn is_outage(&self) -> bool {
        matches!(self, Error::Unanswered { outage: true, .. })
    }

    /// Whether the caller may not do it.
    pub fn is_denied(&self) -> bool {
        ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"].contains(&self.code())
    }

    /// The exact codes that mean "there is no such thing", and nothing looser.
    pub fn is_absent(&self) -> bool {
        const CODES: &[&str] = &[
            "InvalidGroup.NotFound",
            "InvalidSecurityGroupID.NotFound",
            "InvalidSecurityGroupRuleId.NotFound",
            "InvalidPermission.NotFound",
            "InvalidLaunchTemplateName.NotFoundException",
            "InvalidLaunchTemplateId.NotFound",
            "InvalidLaunchTemplateId.VersionNotFound",
            "NoSuchEntity",
            "LoadBalancerNotFound",
            "ListenerNotFound",
            "TargetGroupNotFound",
            "NoSuchHostedZone",
            "ParameterNotFound",
            "InvalidAMIID.NotFound",
            "InvalidKeyPair.NotFound",
            "InvalidInstanceID.NotFound",
            "InvalidVolume.NotFound",
            "InvalidNetworkInterfaceID.NotFound",
            "WAFNonexistentItemException",
        ];
        CODES.contains(&self.code()) || self.is_group_gone()
    }

    /// Whether Auto Scaling does not find the group. It has three texts for it: "AutoScalingGroup name not found",
    /// "AutoScaling Group NAME not found" and "Group NAME not found" (cloudquery and cloud-custodian match all of
    /// them).
    pub fn is_group_gone(&self) -> bool {
        let message = self.message();
        let group = message.contains("AutoScalingGroup") || message.contains("Group ");
        self.code() == "ValidationError"
            && group
            && message.contains("not found")
            && !message.contains("Target Group")
            && !message.contains("Launch")
    }
}

/// What does not exist is an answer, not an error.
pub trait Absent<T>: Sized {
    /// `None` when AWS says that there is no such thing.
    ///
    /// # Errors
    /// Every other error.
    fn or_absent(self) -> Result<Option<T>>;

    /// Success too when AWS says that there is no such thing: what a removal wants.
    ///
    /// # Errors
    /// Every other error.
    fn or_gone(self) -> Result<()> {
        self.or_absent().map(|_| ())
    }
}

impl<T, E: Into<Error>> Absent<T> for std::result::Result<T, E> {
    fn or_absent(self) -> Result<Option<T>> {
        match self.map_err(Into::into) {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Error {
        let (service, operation) = called::<E>();
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        let code = error.code().map(str::to_owned);
        match code.or_else(|| batch_code(error.raw_response())) {
            Some(code) => Error::Refused {
                message: error.message().map_or_else(|| messages(error.raw_response()), str::to_owned),
                request_id: request_id(&error),
                service,
                operation,
                code,
            },
            None => Error::Unanswered {
                service,
                operation,
                status,
                message: chain(&error, status),
                outage: is_outage(&error),
            },
        }
    }
}

impl From<aws_smithy_types::error::operation::BuildError> for Error {
    fn from(error: aws_smithy_types::error::operation::BuildError) -> Error {
        Error::Reply(format!("a request could not be made: {error}"))
    }
}

/// Service and operation from `aws_sdk_iam::operation::create_role::CreateRoleError`: for messages, never for a
/// decision.
fn called<E>() -> (String, String) {
    let name = std::any::type_name::<E>();
    let service = name.split("::").next().unwrap_or_default().trim_start_matches("aws_sdk_");
    let operation = name.rsplit("::").next().unwrap_or_default().trim_end_matches("Error");
    (service.to_owned(), operation.to_owned())
}

/// Route 53's reference shows this one error as an element of its own name, which the SDK takes for no error code.
fn batch_code(raw: Option<&HttpResponse>) -> Option<String> {
    let body = String::from_utf8_lossy(raw?.body().bytes()?);
    body.contains("<InvalidChangeBatch").then(|| "InvalidChangeBatch".to_owned())
}

/// Route 53 puts its messages in a list that the SDK's metadata leaves out.
fn messages(raw: Option<&HttpResponse>) -> String {
    let body = raw.and_then(|raw| raw.body().bytes()).map(String::from_utf8_lossy).unwrap_or_default();
    let texts = body.split("<Message>").skip(1).filter_map(|rest| rest.split("</Message>").next());
    let text = texts.collect::<Vec<_>>().join("; ");
    quick_xml::escape::unescape(&text).map(std::borrow::Cow::into_owned).unwrap_or(text)
}

/// The request's id: the SDK reads it from the headers only, and EC2 and the query services also have it in the body.
fn request_id<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    if let Some(id) = error.request_id() {
        return Some(id.to_owned());
    }
    let body = String::from_utf8_lossy(error.raw_response()?.body().bytes()?);
    let tag = ["<RequestId>", "<RequestID>", "<requestId>"].into_iter().find(|tag| body.contains(*tag))?;
    body.split(tag).nth(1)?.split('<').next().map(str::to_owned)
}

fn is_outage<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(failure) => {
            let why = failure.as_connector_error().and_then(std::error::Error::source);
            let is_never = matches!(why, Some(why) if why.is::<NeverReached>());
            failure.is_io() || failure.is_timeout() || is_never
        }
        _ => false,
    }
}

/// The whole chain of causes, without the repetitions that errors like to make.
fn chain(error: &(dyn std::error::Error + 'static), status: Option<u16>) -> String {
    let mut words: Vec<String> = status.map(|status| format!("HTTP status {status}")).into_iter().collect();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // The SDK's word for an error that it does not try again.
        if text != "user error" && !words.iter().any(|word| word.contains(&text)) {
            words.push(text);
        }
        next = cause.source();
    }
    if words.is_empty() { error.to_string() } else { words.join(": ") }
}

fn request(id: Option<&String>) -> String {
    id.map(|id| format!(" (request {id})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_iam::operation::create_role::CreateRoleError;

    #[test]
    fn a_refused_change_batch_is_understood_in_the_form_of_the_reference() {
        let body = "<InvalidChangeBatch><Messages><Message>a &lt;b&gt;</Message><Message>c</Message></Messages>\
                    </InvalidChangeBatch>";
        let raw = HttpResponse::new(400.try_into().unwrap(), aws_smithy_types::body::SdkBody::from(body));
        assert_eq!(batch_code(Some(&raw)).as_deref(), Some("InvalidChangeBatch"));
        assert_eq!(messages(Some(&raw)), "a <b>; c");
    }

    #[test]
    fn the_requests_id_is_read_from_the_headers_or_from_the_body_of_either_protocol() {
        let ec2 = "<Response><Errors><Error><Code>X</Code></Error></Errors><RequestID>a</RequestID></Response>";
        let query = "<ErrorResponse><Error><Code>X</Code></Error><RequestId>b</RequestId></ErrorResponse>";
        for (body, header, id) in
            [(ec2, None, Some("a")), (query, None, Some("b")), (ec2, Some("c"), Some("c")), ("", None, None)]
        {
            let mut raw = HttpResponse::new(400.try_into().unwrap(), aws_smithy_types::body::SdkBody::from(body));
            raw.headers_mut().try_insert("x-amzn-requestid", header.unwrap_or_default()).unwrap();
            if header.is_none() {
                raw.headers_mut().remove("x-amzn-requestid");
            }
            let error = SdkError::service_error(CreateRoleError::unhandled("x"), raw);
            assert_eq!(request_id(&error).as_deref(), id, "{body}");
        }
    }

    #[test]
    fn service_and_operation_are_read_from_the_errors_type() {
        assert_eq!(called::<CreateRoleError>(), ("iam".to_owned(), "CreateRole".to_owned()));
    }
}
