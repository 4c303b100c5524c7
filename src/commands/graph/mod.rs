//! `deploy graph`: the resources of the stack and what depends on what, as a picture.

mod drawing;

use std::collections::BTreeMap;

use super::document::given_out;
use super::session::configured;
use super::{Session, status};
use crate::cli::{self, Global, Picture};
use crate::config::Config;
use crate::outcome::{Diagram, Failed, Outcome};
use crate::report::{Report, dot, mermaid, svg};
use drawing::{as_it_stands, as_wanted};

/// Draws the stack of deploy.yaml, or what stands of it. Reads only.
///
/// # Errors
/// The stack cannot be read, or the picture cannot be written.
pub async fn run(session: &Session<'_>, args: &cli::Graph) -> Result<Outcome, Failed> {
    let (config, region) = (&session.config, session.cloud.region.as_str());
    if !args.live {
        return wanted(config, region, args, session.report);
    }
    let look = cli::Status { ids: false, watch: false, exit_code: false };
    let mut looked = Box::pin(status::run(session, &look)).await?;
    let overview = looked.overview.take().unwrap_or_default();
    let diagram = as_it_stands(as_wanted(config, region), &looked.standing, &overview);
    let given = given_out(session.report, "graph", &drawn(&diagram, args.format), args.output.as_deref())?;
    // What `status` tells in texts is in the picture, or beside it with --json.
    let outputs = given.outputs.into_iter().chain(std::mem::take(&mut looked.outputs));
    looked.outputs = if session.report.is_json() { outputs.collect() } else { BTreeMap::new() };
    if !given.summary.is_empty() {
        looked.summary = format!("{} {}", looked.summary, given.summary);
    }
    Ok(looked)
}

/// Draws the stack as deploy.yaml wants it. Asks nobody.
///
/// # Errors
/// The picture cannot be written.
pub fn wanted(config: &Config, region: &str, args: &cli::Graph, report: &Report) -> Result<Outcome, Failed> {
    given_out(report, "graph", &drawn(&as_wanted(config, region), args.format), args.output.as_deref())
}

/// The same without a session: there need be no account, and no region.
///
/// # Errors
/// deploy.yaml has mistakes, or the picture cannot be written.
pub fn alone(args: &cli::Graph, global: &Global, report: &Report) -> Result<Outcome, Failed> {
    let config = configured(global)?;
    wanted(&config, config.region.as_deref().unwrap_or_default(), args, report)
}

fn drawn(diagram: &Diagram, format: Picture) -> String {
    match format {
        Picture::Mermaid => mermaid(diagram),
        Picture::Dot => dot(diagram),
        Picture::Svg => svg(diagram),
    }
}
