//! What the client's verbs share: the service that they ask, and what its answer ends in.

use super::late;
use super::session::Reach;
use crate::checks::{Asked, decided, unanswered};
use crate::cli;
use crate::clock::Ended;
use crate::outcome::{Analysis, Outcome, Verdict};
use crate::oz::{BaseUrl, Refused, Service, Token};
use crate::report::Report;
use crate::sandbox;

/// How the client's verbs work.
pub struct Client<'a> {
    /// Who prints.
    pub report: &'a Report,
    /// The network, or the sandbox.
    pub reach: Reach<'a>,
}

impl Client<'_> {
    /// The service at this base URL; in the sandbox its own.
    ///
    /// # Errors
    /// Token, base URL or authorities cannot be used.
    pub async fn service(&self, base_url: Option<&str>, args: &cli::Service) -> Result<Service, Refused> {
        let token = Token::read(args.token_file.as_deref())?;
        let own = || self.reach.sandbox.map(|_| format!("https://app.{}", sandbox::seed().zone));
        let Some(url) = base_url.map(str::to_owned).or_else(own) else {
            return Err(Refused::new("no --base-url", "Name the service: --base-url https://app.example.com"));
        };
        let reach = if base_url.is_some() { Reach { sandbox: None } } else { self.reach };
        let base = args.led(BaseUrl::parse(&url, args.allow_http)?);
        let (web, _) = reach.web_and_dns(args.ca_file.as_deref()).await?;
        Ok(Service::new(base, token, &web))
    }
}

/// What a call without an answer ends in.
pub fn unended(analysis: Analysis, ended: Ended) -> Outcome {
    Outcome { checks: vec![unanswered(analysis)], ..late(ended) }
}

/// What an answer ends in.
pub fn concluded(asked: &Asked, verdict: &Verdict) -> Outcome {
    let (exit, word) = decided(verdict, asked);
    let mut outcome = Outcome::new(exit, word, "");
    outcome.checks = vec![asked.finding(verdict)];
    for (name, value) in [("folder", verdict.folder_id.clone()), ("analysis", verdict.analysis_id.clone())] {
        outcome.outputs.extend(value.map(|value| (name.to_owned(), value)));
    }
    outcome.verdict = Some(verdict.clone());
    outcome
}
