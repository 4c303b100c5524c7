//! Paging, once for all services: how each asks for a page, what a page says of the next one, and which refusals there
//! are. A call gives back everything; what is cut from it here is the only list that it has.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::parameters::{Refusal, list, refuse};

/// How a service pages.
struct Style {
    service: &'static str,
    /// The parameter with the size of a page.
    size: &'static str,
    /// The parameter with the token of a page.
    token: &'static str,
    /// The reply's field with the token of the next page.
    next: &'static str,
    /// The sizes that are allowed.
    sizes: (usize, usize),
    /// The size when none is asked for. `None`: all.
    default: Option<usize>,
    /// How a token is refused that this service did not give out: the code, and the message around it.
    bad_token: (&'static str, &'static str, &'static str),
}

/// Sizes and names are those of the service models; refusals of tokens were seen (boto3#2673, aws-cli#1299) or are the
/// operations' documented errors.
const STYLES: [Style; 9] = [
    Style {
        service: "ec2",
        size: "MaxResults",
        token: "NextToken",
        next: "nextToken",
        sizes: (5, 1000),
        // "By default, a describe API action returns all results" (EC2 API reference, Pagination).
        default: None,
        bad_token: (
            "InvalidParameterValue",
            "Value ( ",
            " ) for parameter NextToken is invalid. The token is invalid.",
        ),
    },
    Style {
        service: "elasticloadbalancing",
        size: "PageSize",
        token: "Marker",
        next: "NextMarker",
        sizes: (1, 400),
        default: Some(400),
        bad_token: ("ValidationError", "Invalid marker '", "'"),
    },
    Style {
        service: "autoscaling",
        size: "MaxRecords",
        token: "NextToken",
        next: "NextToken",
        sizes: (1, 100),
        default: Some(50),
        bad_token: ("InvalidNextToken", "The token '", "' was invalid"),
    },
    Style {
        service: "iam",
        size: "MaxItems",
        token: "Marker",
        next: "Marker",
        sizes: (1, 1000),
        default: Some(100),
        bad_token: ("ValidationError", "Invalid Marker: '", "'"),
    },
    Style {
        service: "route53",
        size: "maxitems",
        token: "marker",
        next: "NextMarker",
        sizes: (1, 100),
        default: Some(100),
        bad_token: ("InvalidInput", "The marker '", "' is not one that was given out"),
    },
    Style {
        service: "acm",
        size: "MaxItems",
        token: "NextToken",
        next: "NextToken",
        sizes: (1, 1000),
        default: Some(1000),
        bad_token: ("ValidationException", "The token '", "' is not valid"),
    },
    Style {
        service: "ssm",
        size: "MaxResults",
        token: "NextToken",
        next: "NextToken",
        sizes: (1, 50),
        default: Some(10),
        bad_token: ("InvalidNextToken", "The token '", "' is not valid"),
    },
    Style {
        service: "servicequotas",
        size: "MaxResults",
        token: "NextToken",
        next: "NextToken",
        sizes: (1, 100),
        default: Some(100),
        bad_token: ("InvalidPaginationTokenException", "The token '", "' is not valid"),
    },
    Style {
        service: "monitoring",
        size: "MaxRecords",
        token: "NextToken",
        next: "NextToken",
        sizes: (1, 100),
        default: Some(50),
        bad_token: ("InvalidNextToken", "The token '", "' is not valid"),
    },
];

/// Operations whose pages have other sizes than those of their service: least, most, and when none is asked for.
const OTHER_SIZES: [(&str, usize, usize, Option<usize>); 7] = [
    ("DescribeLaunchTemplates", 1, 200, None),
    ("DescribeLaunchTemplateVersions", 1, 200, None),
    ("DescribeImages", 1, 1000, None),
    ("DescribeInstanceTypes", 5, 100, None),
    ("DescribeRouteTables", 5, 100, None),
    ("DescribeScalingActivities", 1, 100, Some(100)),
    ("ListResourceRecordSets", 1, 300, Some(300)),
];

/// What a page of Route 53 says of the next one instead of a token: its fields, and those of the first item left out.
const NEXT_ITEM: [(&str, &[(&str, &str)]); 2] = [
    (
        "ListResourceRecordSets",
        &[("NextRecordName", "Name"), ("NextRecordType", "Type"), ("NextRecordIdentifier", "SetIdentifier")],
    ),
    ("ListHostedZonesByName", &[("NextDNSName", "Name"), ("NextHostedZoneId", "Id")]),
];

/// Lists that come whole, however long (botocore's models: no token).
const WHOLE: [(&str, &str); 2] =
    [("elasticloadbalancing", "DescribeTargetHealth"), ("elasticloadbalancing", "DescribeTags")];

/// Lists of EC2 that have no pages (botocore's models).
const UNPAGED: [&str; 4] =
    ["DescribeAccountAttributes", "DescribeAvailabilityZones", "DescribeKeyPairs", "DescribeRegions"];

/// The page that a call asks for.
pub struct Page {
    style: &'static Style,
    operation: String,
    size: Option<usize>,
    start: usize,
    /// It begins with no token.
    is_first: bool,
    /// Nothing is on it, and others follow.
    is_empty: bool,
}

impl Page {
    /// Reads the size and the token; `None`: the operation has no pages.
    ///
    /// # Errors
    /// A size that is not allowed, a token that was not given out for this operation, ids together with a size.
    pub fn of(service: &str, operation: &str, asked: &Value) -> Result<Option<Page>, Refusal> {
        let lists = operation.starts_with("Describe") || operation.starts_with("List");
        let pages = lists && !WHOLE.contains(&(service, operation));
        let Some(style) = STYLES.iter().find(|style| pages && style.service == service) else {
            return Ok(None);
        };
        let other = OTHER_SIZES.iter().find(|(name, ..)| *name == operation);
        let (least, most, default) = other
            .map_or((style.sizes.0, style.sizes.1, style.default), |(_, least, most, default)| {
                (*least, *most, *default)
            });
        let size = match text(&asked[style.size]) {
            None => default,
            Some(size) => Some(style.checked(&size, (least, most))?),
        };
        if service == "ec2" && !asked[style.size].is_null() {
            refuse_ids(asked)?;
        }
        let token = text(&asked[style.token]);
        let is_first = token.is_none();
        let start = match token {
            None => 0,
            Some(token) => {
                if let Some(start) = start(&token, operation) {
                    start
                } else {
                    let (code, before, after) = style.bad_token;
                    return refuse(code, format!("{before}{token}{after}"));
                }
            }
        };
        Ok(Some(Page { style, operation: operation.to_owned(), size, start, is_first, is_empty: false }))
    }

    /// The same page in an account that has very many things. EC2 refuses there to list all of them at once
    /// (cilium/cilium#40443; it is not told in which words), and its first page may be empty where a filter leaves
    /// little ("there might be more results even if the page is empty": EC2 API reference, Pagination).
    ///
    /// # Errors
    /// It has no size, and asks for no ids.
    pub fn in_large_account(self, asked: &Value) -> Result<Page, Refusal> {
        let has_pages = self.style.service == "ec2" && !UNPAGED.contains(&self.operation.as_str());
        // A version of one template is one thing, as one of an id is.
        let is_version = asked["LaunchTemplateVersion"].is_array()
            && ["LaunchTemplateId", "LaunchTemplateName"].iter().any(|of| asked[of].is_string());
        if !has_pages || is_version || named_by(asked).is_some() {
            return Ok(self);
        }
        match self.size {
            None => refuse("OperationNotPermitted", format!("{} needs MaxResults in this account", self.operation)),
            Some(_) => Ok(Page { is_empty: self.is_first, ..self }),
        }
    }

    /// Cuts the page out of everything.
    pub fn cut(&self, mut all: Value) -> Value {
        let Some(name) = longest_list(&all) else { return all };
        if self.is_empty {
            all[name] = json!([]);
            all[self.style.next] = json!(token(&self.operation, 0));
            return all;
        }
        let items = list(&all, &name);
        let end = self.size.map_or(items.len(), |size| items.len().min(self.start.saturating_add(size)));
        let page: Vec<Value> = items.get(self.start.min(end)..end).unwrap_or_default().to_vec();
        let next = items.get(end).cloned();
        all[name] = Value::Array(page);
        match (next, NEXT_ITEM.iter().find(|(operation, _)| *operation == self.operation)) {
            (Some(next), Some((_, fields))) => {
                for (field, of_item) in *fields {
                    let value = next[of_item].as_str().map(|value| value.trim_start_matches("/hostedzone/"));
                    all[field] = json!(value);
                }
                all["IsTruncated"] = json!(true);
            }
            (Some(_), None) => {
                all[self.style.next] = json!(token(&self.operation, end));
                if !all["IsTruncated"].is_null() {
                    all["IsTruncated"] = json!(true);
                }
            }
            (None, _) => {}
        }
        if !all["MaxItems"].is_null() {
            all["MaxItems"] = json!(self.size.map(|size| size.to_string()));
        }
        all
    }
}

impl Style {
    /// A size as a number. Route 53 takes one that is too large for the largest (API reference).
    fn checked(&self, size: &str, (least, most): (usize, usize)) -> Result<usize, Refusal> {
        let number = size.parse::<usize>().ok().filter(|number| *number >= least);
        match number {
            Some(number) if number <= most => Ok(number),
            Some(_) if self.service == "route53" => Ok(most),
            number => {
                let (than, bound) = if number.is_some() { ("less", most) } else { ("greater", least) };
                let name = self.size;
                let lower = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
                let general = format!(
                    "1 validation error detected: Value '{size}' at '{lower}' failed to satisfy constraint: Member \
                     must have value {than} than or equal to {bound}"
                );
                match self.service {
                    "ec2" => refuse(
                        "InvalidParameterValue",
                        format!(
                            "Value ( {size} ) for parameter {name} is invalid. Expecting a value {than} than or equal \
                             to {bound}."
                        ),
                    ),
                    "route53" => refuse("InvalidInput", general),
                    "elasticloadbalancing" | "autoscaling" | "iam" => refuse("ValidationError", general),
                    "monitoring" => refuse("InvalidParameterValue", general),
                    _ => refuse("ValidationException", general),
                }
            }
        }
    }
}

/// "If you call a describe API action with both a list of IDs and MaxResults, the request fails with the error
/// InvalidParameterCombination" (EC2 API reference, Pagination).
fn refuse_ids(asked: &Value) -> Result<(), Refusal> {
    // As older operations and newer ones say it (aws-cli#1976, cilium#39106).
    let old = [("InstanceId", "instancesSet"), ("VolumeId", "volumeSet"), ("ImageId", "imageIdsSet")];
    match named_by(asked) {
        None => Ok(()),
        Some(name) => match old.iter().find(|(id, _)| id == name) {
            Some((_, set)) => refuse(
                "InvalidParameterCombination",
                format!("The parameter {set} cannot be used with the parameter maxResults"),
            ),
            None => refuse(
                "InvalidParameterCombination",
                format!("The parameter {name}s cannot be used with the parameter MaxResults"),
            ),
        },
    }
}

/// The parameter that lists the ids, when things are asked for by their ids.
fn named_by(asked: &Value) -> Option<&String> {
    let ids = asked.as_object().into_iter().flatten();
    ids.filter(|(name, value)| name.ends_with("Id") && value.is_array()).map(|(name, _)| name).next()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|number| number.to_string()))
}

/// The list that is paged. Where there are several (alarms of two kinds) it is the one that can need it.
fn longest_list(reply: &Value) -> Option<String> {
    let fields = reply.as_object()?.iter().filter(|(name, _)| !name.starts_with('_'));
    let lists = fields.filter_map(|(name, value)| Some((name, value.as_array()?.len())));
    lists.max_by_key(|(_, length)| *length).map(|(name, _)| name.clone())
}

fn token(operation: &str, start: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{operation} {start}"))
}

/// Where a page begins that was given out for this operation.
fn start(token: &str, operation: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix(operation)?.strip_prefix(' ')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(service: &str, operation: &str, asked: Value) -> Result<Page, &'static str> {
        Page::of(service, operation, &asked).map_err(|refusal| refusal.code).map(|page| page.unwrap())
    }

    #[test]
    fn pages_follow_one_another_to_the_end() {
        let all = json!({"LoadBalancers": ["a", "b", "c"], "_own": [1, 2, 3, 4]});
        let first =
            page("elasticloadbalancing", "DescribeLoadBalancers", json!({"PageSize": "2"})).unwrap().cut(all.clone());
        assert_eq!(first["LoadBalancers"], json!(["a", "b"]));
        let asked = json!({"PageSize": "2", "Marker": first["NextMarker"]});
        let last = page("elasticloadbalancing", "DescribeLoadBalancers", asked).unwrap().cut(all);
        assert_eq!((&last["LoadBalancers"], &last["NextMarker"]), (&json!(["c"]), &Value::Null));
    }

    #[test]
    fn a_page_says_that_it_is_not_the_last() {
        let all = json!({"Roles": ["a", "b"], "IsTruncated": false});
        let cut = page("iam", "ListRoles", json!({"MaxItems": "1"})).unwrap().cut(all);
        assert_eq!((&cut["IsTruncated"], cut["Marker"].is_string()), (&json!(true), true));
        let all = json!({
            "ResourceRecordSets": [{"Name": "a."}, {"Name": "b.", "Type": "A"}], "IsTruncated": false,
            "MaxItems": "300",
        });
        let cut = page("route53", "ListResourceRecordSets", json!({"maxitems": "1"})).unwrap().cut(all);
        assert_eq!(
            (&cut["NextRecordName"], &cut["NextRecordType"], &cut["MaxItems"], &cut["IsTruncated"]),
            (&json!("b."), &json!("A"), &json!("1"), &json!(true))
        );
    }

    #[test]
    fn wrong_pages_are_refused_as_each_service_refuses_them() {
        let code = |service, operation, asked| page(service, operation, asked).err();
        let bad = |service, operation, token: &str| code(service, operation, json!({ token: "None___20" }));
        assert_eq!(bad("ec2", "DescribeVpcs", "NextToken"), Some("InvalidParameterValue"));
        assert_eq!(bad("autoscaling", "DescribePolicies", "NextToken"), Some("InvalidNextToken"));
        assert_eq!(bad("iam", "ListRoles", "Marker"), Some("ValidationError"));
        let other = json!({"NextToken": token("DescribeVpcs", 5)});
        assert_eq!(code("ec2", "DescribeSubnets", other), Some("InvalidParameterValue"));
        assert_eq!(code("ec2", "DescribeVpcs", json!({"MaxResults": "4"})), Some("InvalidParameterValue"));
        assert_eq!(code("iam", "ListRoles", json!({"MaxItems": "1001"})), Some("ValidationError"));
        let both = json!({"MaxResults": "5", "InstanceId": ["i-1"]});
        assert_eq!(code("ec2", "DescribeInstances", both), Some("InvalidParameterCombination"));
        assert!(Page::of("ec2", "CreateTags", &json!({})).unwrap().is_none());
    }
}
