//! What a listener does with a request, read and written.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, Listener, MutualAuthenticationAttributes, RedirectActionConfig,
    RedirectActionStatusCodeEnum, TargetGroupTuple,
};

use super::listener::ListenerSpec;

/// Kinds of actions that ask who the client is, before another one answers.
const AUTHENTICATING: [ActionTypeEnum; 3] =
    [ActionTypeEnum::AuthenticateOidc, ActionTypeEnum::AuthenticateCognito, ActionTypeEnum::JwtValidation];

/// The actions that authenticate; and what is done in the end, with where it leads.
pub(super) fn read(actions: &[Action]) -> (Vec<Action>, (String, String)) {
    let (authentication, ends): (Vec<&Action>, Vec<&Action>) =
        actions.iter().partition(|action| action.r#type().is_some_and(|kind| AUTHENTICATING.contains(kind)));
    let kinds: Vec<&str> = ends.iter().filter_map(|action| Some(action.r#type()?.as_str())).collect();
    let to: Vec<String> = ends.iter().copied().map(goes_to).collect();
    (authentication.into_iter().cloned().collect(), (kinds.join(", "), to.join("; ")))
}

/// What is in front of the service at a listener and asks who the client is, in words; `None`: nothing.
pub(super) fn in_front(listener: &Listener) -> Option<String> {
    let (authentication, _) = read(listener.default_actions());
    let mutual = listener.mutual_authentication().and_then(MutualAuthenticationAttributes::mode);
    let mutual = mutual.filter(|mode| *mode != "off").map(|mode| format!("mutual TLS ({mode})"));
    let words: Vec<String> = authentication.iter().map(in_words).chain(mutual).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

pub(super) fn in_words(action: &Action) -> String {
    let kind = action.r#type().map_or("", ActionTypeEnum::as_str);
    let oidc = action.authenticate_oidc_config().and_then(|config| config.issuer());
    let cognito = action.authenticate_cognito_config().and_then(|config| config.user_pool_arn());
    let jwt = action.jwt_validation_config().and_then(|config| config.issuer());
    match oidc.or(cognito).or(jwt) {
        Some(whose) => format!("{kind} ({whose})"),
        None => kind.to_owned(),
    }
}

/// The wanted action behind what authenticates. AWS never shows the client's secret, and keeps it on demand
/// (`UseExistingClientSecret`, API reference).
pub(super) fn default_actions(authentication: &[Action], want: &ListenerSpec) -> Vec<Action> {
    let mut actions: Vec<Action> = authentication.to_vec();
    for config in actions.iter_mut().filter_map(|action| action.authenticate_oidc_config.as_mut()) {
        config.use_existing_client_secret = Some(true);
    }
    actions.push(action(want));
    if let [_, _, ..] = actions.as_slice() {
        for (order, action) in (1..).zip(&mut actions) {
            action.order = Some(order);
        }
    }
    actions
}

fn action(want: &ListenerSpec) -> Action {
    if want.action == "forward" {
        return Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(&want.to).build();
    }
    let redirect = RedirectActionConfig::builder()
        .protocol("HTTPS")
        .port("443")
        .host("#{host}")
        .path("/#{path}")
        .query("#{query}")
        .status_code(RedirectActionStatusCodeEnum::Http301);
    Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(redirect.build()).build()
}

/// Where an action sends a request, or what it answers.
fn goes_to(action: &Action) -> String {
    if let Some(fixed) = action.fixed_response_config() {
        let kind = fixed.content_type().map(|kind| format!(" {kind}")).unwrap_or_default();
        return format!("{}{kind}", fixed.status_code().unwrap_or_default());
    }
    let Some(to) = action.redirect_config() else {
        return forwards(action);
    };
    let part = |part: Option<&str>, default: &str| part.unwrap_or(default).to_owned();
    let protocol = part(to.protocol(), "#{protocol}").to_lowercase();
    let (host, port) = (part(to.host(), "#{host}"), part(to.port(), "#{port}"));
    let (path, query) = (part(to.path(), "/#{path}"), part(to.query(), "#{query}"));
    let code = to.status_code().filter(|code| **code != RedirectActionStatusCodeEnum::Http301);
    let code = code.map(|code| format!(" ({})", code.as_str())).unwrap_or_default();
    format!("{protocol}://{host}:{port}{path}?{query}{code}")
}

/// The target groups, with their weights where they share the requests.
fn forwards(action: &Action) -> String {
    let shares = weighted(action);
    if shares.len() < 2 {
        return targets_of(action).join(", ");
    }
    let mut words: Vec<String> = shares
        .iter()
        .map(|group| format!("{} (weight {})", group.target_group_arn().unwrap_or("?"), group.weight().unwrap_or(1)))
        .collect();
    words.sort();
    words.join(", ")
}

fn weighted(action: &Action) -> &[TargetGroupTuple] {
    action.forward_config().map(ForwardActionConfig::target_groups).unwrap_or_default()
}

/// The target groups of an action. A reply has a single one twice: as its ARN and in the weighted list.
pub(super) fn targets_of(action: &Action) -> Vec<String> {
    let mut arns: Vec<String> = weighted(action).iter().filter_map(|group| group.target_group_arn.clone()).collect();
    arns.extend(action.target_group_arn.clone());
    arns.sort();
    arns.dedup();
    arns
}
