//! The table of errors: whole, without rows that nothing reaches, and used where errors are reported.

use crate::support::{Error, Exit, Fault, Problem, Row, Stage, explain, explain_words, table};

fn refused(operation: &str, code: &str, message: &str) -> Error {
    Error::Refused {
        service: "ec2".to_owned(),
        operation: operation.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: Some("4e8f1d2c".to_owned()),
    }
}

/// One error for each code of a row, and one for each of its words.
fn samples(row: &Row) -> Vec<Error> {
    let (operation, says) = (row.operation.first(), row.says.first());
    let of = |text: Option<&String>| text.cloned().unwrap_or_default();
    let by_code = row.code.iter().map(|code| refused(&of(operation), code, &of(says)));
    let by_words = row.words.iter().map(|words| refused("", "ValidationError", words));
    by_code.chain(by_words).collect()
}

#[test]
fn every_row_says_why_and_what_to_do_and_can_be_reached() {
    assert!(table().len() >= 40, "{}", table().len());
    for row in table() {
        assert!(!row.cause.is_empty() && !row.fix.is_empty(), "{row:?}");
        assert!(row.step.is_none_or(|step| (1..=7).contains(&step)), "{row:?}");
        let reached = |error: &Error| explain(error).is_some_and(|found| std::ptr::eq(found, row));
        assert!(samples(row).iter().any(reached), "an earlier row hides {row:?}");
    }
}

/// Refusals of calls as AWS words them: operation, code and message, words of the row that must be found, and its step.
const REFUSALS: [(&str, &str, &str, &str, Option<u8>); 23] = [
    (
        "CreateAutoScalingGroup",
        "ValidationError",
        "You must use a valid fully-formed launch template. The image id '[ami-0]' does not exist",
        "image",
        Some(3),
    ),
    (
        "CreateAutoScalingGroup",
        "ValidationError",
        "You must use a valid fully-formed launch template. Volume of size 8GB is smaller than snapshot \
         'snap-0', expect size >= 50GB",
        "smaller",
        Some(3),
    ),
    (
        "CreateAutoScalingGroup",
        "ValidationError",
        "You are not authorized to use launch template: app-launch-template",
        "RunInstances",
        Some(3),
    ),
    (
        "CreateAutoScalingGroup",
        "ValidationError",
        "You must use a valid fully-formed launch template. The key pair 'ops' does not exist",
        "key pair",
        Some(3),
    ),
    (
        "CreateAutoScalingGroup",
        "AccessDenied",
        "User: arn:aws:iam::1:user/ci is not authorized to perform: iam:PassRole on resource: \
         arn:aws:iam::1:role/OZMarketplace",
        "PassRole",
        Some(2),
    ),
    (
        "CreateLoadBalancer",
        "AccessDenied",
        "User: arn:aws:sts::1:assumed-role/ci/x is not authorized to perform: iam:CreateServiceLinkedRole on \
         resource",
        "service-linked",
        Some(4),
    ),
    (
        "CreateSecurityGroup",
        "UnauthorizedOperation",
        "You are not authorized to perform this operation with an explicit deny in a service control policy",
        "service control policy",
        None,
    ),
    ("DescribeImages", "RequestExpired", "Request has expired.", "expired", None),
    ("GetRole", "ExpiredToken", "The security token included in the request is expired", "expired", None),
    (
        "GetRole",
        "SignatureDoesNotMatch",
        "Signature not yet current: 20261125T000000Z is still later than 20261124T000000Z",
        "clock",
        None,
    ),
    (
        "DescribeVpcs",
        "AuthFailure",
        "AWS was not able to validate the provided access credentials",
        "does not know",
        None,
    ),
    (
        "CreateLoadBalancer",
        "InvalidSubnet",
        "Not enough IP space available in subnet-0. ELB requires at least 8 free IP addresses in each subnet.",
        "8 free",
        Some(4),
    ),
    // widdix/mastodon-on-aws#13, kubernetes/kops#382, and the ELBv2 API reference.
    (
        "CreateLoadBalancer",
        "ValidationError",
        "The following Availability Zones us-west-1a cannot be associated with a load balancer. Please try a \
         different Availability Zone.",
        "constrained zone",
        Some(4),
    ),
    (
        "CreateLoadBalancer",
        "ValidationError",
        "The requested Availability Zone us-east-1b is constrained and cannot be used together with us-east-1c. \
         Please retry your request by not choosing us-east-1b and us-east-1c together.",
        "constrained zone",
        Some(4),
    ),
    (
        "SetSubnets",
        "AvailabilityZoneNotSupported",
        "The specified Availability Zone is not supported.",
        "constrained zone",
        Some(4),
    ),
    (
        "CreateLoadBalancer",
        "ValidationError",
        "At least two subnets in two different Availability Zones must be specified",
        "at least two zones",
        Some(4),
    ),
    (
        "CreateLoadBalancer",
        "OperationNotPermitted",
        "This AWS account currently does not support creating load balancers. For more information, please \
         contact AWS Support.",
        "new accounts",
        Some(4),
    ),
    (
        "DeleteLoadBalancer",
        "OperationNotPermitted",
        "Load balancer 'arn' cannot be deleted because deletion protection is enabled",
        "protection",
        Some(4),
    ),
    (
        "CreateListener",
        "UnsupportedCertificate",
        "The certificate 'arn' must have a fully-qualified domain name, a supported signature, and a supported \
         key size.",
        "issued",
        Some(4),
    ),
    (
        "ChangeResourceRecordSets",
        "InvalidChangeBatch",
        "[RRSet of type A with DNS name app.example.com. is not permitted because a conflicting RRSet of type \
         CNAME with the same DNS name already exists in zone example.com.]",
        "CNAME",
        Some(7),
    ),
    ("AttachRolePolicy", "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10", "managed policies", Some(2)),
    ("CreateRole", "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "as many roles", Some(2)),
    ("CreateAutoScalingGroup", "LimitExceeded", "Only 500 AutoScalingGroups are allowed", "quota", None),
];

/// Failed launches as Auto Scaling words them, and whether such a failure lasts.
const FAILED_LAUNCHES: [(&str, bool); 10] = [
    (
        "We currently do not have sufficient c7i-flex.4xlarge capacity in the Availability Zone you requested \
         (eu-central-1a). Our system will be working on provisioning additional capacity. You can currently get \
         c7i-flex.4xlarge capacity by not specifying an Availability Zone in your request or choosing eu-central-1b, \
         eu-central-1c. Launching EC2 instance failed.",
        false,
    ),
    (
        "Your requested instance type (c7i-flex.4xlarge) is not supported in your requested Availability Zone \
         (eu-central-1c). Please retry your request by not specifying an Availability Zone or choosing \
         eu-central-1a, eu-central-1b. Launching EC2 instance failed.",
        false,
    ),
    (
        "Your request for accessing resources in this region is being validated, and you will not be able to launch \
         additional resources in this region until the validation is complete. Launching EC2 instance failed.",
        true,
    ),
    ("The specified instance type is not eligible for Free Tier. Launching EC2 instance failed.", true),
    (
        "The instance configuration for this AWS Marketplace product is not supported. Please see the AWS Marketplace \
         site for more information about supported instance types. Launching EC2 instance failed.",
        true,
    ),
    (
        "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance \
         bucket that the specified instance type belongs to.",
        true,
    ),
    (
        "In order to use this AWS Marketplace product you need to accept terms and subscribe. To do so please \
             visit https://aws.amazon.com/marketplace/pp?sku=0",
        true,
    ),
    (
        "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: \
             Client.InternalError: Client error on launch",
        true,
    ),
    ("There are not enough free addresses in subnet 'subnet-0' to satisfy the requested number of instances.", false),
    ("Invalid IAM Instance Profile name. Launching EC2 instance failed.", false),
];

#[test]
fn messages_of_aws_are_understood() {
    for (operation, code, message, words, step) in REFUSALS {
        let row = explain(&refused(operation, code, message)).unwrap_or_else(|| panic!("{message}"));
        assert!(format!("{} {}", row.cause, row.fix).contains(words), "{message}: {}", row.cause);
        assert_eq!(row.step, step, "{message}");
    }
    for (words, lasts) in FAILED_LAUNCHES {
        assert_eq!(explain_words(words).map(|row| row.lasts), Some(lasts), "{words}");
    }
}

#[test]
fn what_is_not_known_is_shown_whole_with_its_request() {
    let error = refused("CreateRole", "SomethingNew", "never seen before");
    let problem = Problem::from(&error);
    assert_eq!((problem.cause, problem.cure), (None, None));
    assert_eq!(problem.message, "ec2 CreateRole: SomethingNew: never seen before (request 4e8f1d2c)");
}

#[tokio::test(start_paused = true)]
async fn an_encoded_denial_is_decoded_when_that_is_allowed() {
    for may in [true, false] {
        let stage = Stage::under(|weather| weather.may_decode = may);
        // The first call that EC2 gets is denied for good.
        let mut outcome = None;
        for after in 0..8 {
            stage.sandbox.disturb(after, Fault::Refuse);
            let denied = stage.run("plan").await;
            stage.sandbox.clear_fault();
            if denied.problems.iter().any(|problem| problem.message.contains("Encoded authorization")) {
                outcome = Some(denied);
                break;
            }
        }
        let outcome = outcome.expect("EC2 is among the first that are asked");
        outcome.exits(Exit::Failed);
        let words = if may {
            "arn:aws:iam::123456789012:user/sandbox may not ec2:"
        } else {
            "aws sts decode-authorization-message"
        };
        let cause = outcome.problems[0].cause.as_ref().unwrap();
        assert!(cause.contains(words), "{cause}");
    }
}

/// One cause is told once, with one hint; what was not tried because of it is one line.
#[tokio::test(start_paused = true)]
async fn what_was_not_tried_is_one_line() {
    let stage = Stage::new();
    stage.weather(|weather| weather.denied = vec!["elasticloadbalancing:CreateLoadBalancer".to_owned()]);
    let failed = stage.run("up --set preflight.ignore=[OZ105]").await;
    failed.exits(Exit::Failed).says("elasticloadbalancing:CreateLoadBalancer");
    let text = failed.problems_text();
    assert_eq!(
        text.matches("CreateLoadBalancer").count(),
        text.matches("elasticloadbalancing:CreateLoadBalancer").count() + 1,
        "{text}"
    );
    failed.says("not tried after that: https_listener, http_listener, auto_scaling_group, scaling_policy, dns_record");
}
