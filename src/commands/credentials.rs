//! No credentials are one problem, however many calls have met it.

use crate::cloud::explain_words;
use crate::outcome::Problem;

/// Puts one problem in place of all that say that there are no credentials: what was looked at, and what to do.
pub fn told_once(profile: Option<&str>, problems: &mut Vec<Problem>) {
    let Some(first) = problems.iter().position(is_of_credentials) else { return };
    let profile = profile.map(str::to_owned).or_else(|| std::env::var("AWS_PROFILE").ok());
    let profile = profile.filter(|name| !name.is_empty());
    let one = problem(&problems[first].message, profile.as_deref());
    problems.retain(|problem| !is_of_credentials(problem));
    problems.insert(first.min(problems.len()), one);
}

fn is_of_credentials(problem: &Problem) -> bool {
    explain_words(&problem.message).is_some_and(|row| row.words.iter().any(|words| words == "loading credentials"))
}

fn problem(message: &str, profile: Option<&str>) -> Problem {
    let looked = match message.split_once("Attempted:") {
        Some((_, attempts)) => attempts.lines().filter_map(|line| attempt(line.trim(), profile)).collect::<Vec<_>>(),
        None => vec![message.split_once(": other: ").map_or(message, |(_, why)| why).replace('\n', " ")],
    };
    let login = format!("aws sso login --profile {}", profile.unwrap_or("NAME"));
    let cure = match profile {
        Some(_) => format!("`{login}`, or name another profile with --profile."),
        None => format!("`{login}` and --profile NAME, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."),
    };
    Problem::new("no usable credentials for AWS", cure).because(format!("looked at {}", looked.join("; ")))
}

/// `Environment: the credential provider was not enabled: environment variable not set`, in fewer words.
fn attempt(line: &str, profile: Option<&str>) -> Option<String> {
    let (source, why) = line.split_once(": ")?;
    let source = match source {
        "Environment" => "the environment".to_owned(),
        "Profile" => format!("the profile {:?}", profile.unwrap_or("default")),
        "WebIdentityToken" => "a web identity's token".to_owned(),
        "EcsContainer" => "the container's role".to_owned(),
        "Ec2InstanceMetadata" => "the instance's metadata".to_owned(),
        other => other.to_owned(),
    };
    let why = why.strip_prefix("the credential provider was not enabled").unwrap_or(why).trim_start_matches(": ");
    Some(if why.is_empty() { format!("{source} (nothing there)") } else { format!("{source} ({why})") })
}

#[cfg(test)]
mod tests {
    use super::told_once;
    use crate::outcome::Problem;

    #[test]
    fn many_calls_without_credentials_are_one_problem() {
        let attempts = [
            "no credentials found in chain. Attempted:",
            "  Environment: the credential provider was not enabled: environment variable not set",
            "  Profile: the credential provider was not enabled",
        ];
        let chain = attempts.join("\n");
        let mut problems = vec![Problem::bare("another"), Problem::bare(chain.clone()), Problem::bare(chain)];
        told_once(Some("sso"), &mut problems);
        assert_eq!(problems.len(), 2);
        let cause = "looked at the environment (environment variable not set); the profile \"sso\" (nothing there)";
        assert_eq!(problems[1].cause.as_deref(), Some(cause));
        assert!(problems[1].cure.as_deref().unwrap_or_default().starts_with("`aws sso login --profile sso`"));
    }
}
