//! `deploy export`: the live stack as code for Terraform or CloudFormation, so that nobody is locked in. Reads only.

use std::path::Path;

use serde_json::json;

use super::Session;
use super::document::{given_out, unwritten};
use super::first_reading::{FIRST_READING, unanswered};
use super::whole_file::create;
use crate::cli::{self, Language};
use crate::engine::{Decision, Goal, Key};
use crate::exit::Exit;
use crate::export::{Heading, Imported, Live, cloudformation, terraform};
use crate::outcome::{Failed, Outcome, Problem};
use crate::steps::STACK;
use crate::steps::leftovers::is_leftover;

/// Writes down what stands and is ours, with what imports it.
///
/// # Errors
/// The stack cannot be read, or a file cannot be written.
pub async fn run(session: &Session<'_>, args: &cli::Export) -> Result<Outcome, Failed> {
    let wait = session.wait(FIRST_READING);
    let stack = session.read_stack(Goal::Present, false, &wait).await?;
    let plan = session.planner(&stack.site, Goal::Present, false).plan(&stack.live);
    let (mut ours, mut left_out): (Vec<Key>, Vec<(Key, String)>) = (Vec::new(), Vec::new());
    for key in STACK.iter().map(|node| node.key()).filter(|key| !is_leftover(key)) {
        let is_there = stack.live.get(key).is_some_and(Option::is_some);
        match plan.decision(key) {
            Some(Decision::Foreign { whose, .. }) => left_out.push((key, format!("not ours: {whose}"))),
            Some(Decision::Create(_)) => left_out.push((key, "absent".to_owned())),
            _ if is_there => ours.push(key),
            _ => {}
        }
    }
    if ours.is_empty() {
        let problems = told(&left_out, |why| why != "absent");
        let outcome = Outcome::new(Exit::Done, "absent", "Nothing of this stack stands: there is nothing to export.");
        return Ok(outcome.with_problems(problems));
    }
    let read = wait.within(Box::pin(Live::read(&session.cloud, &stack.live, &ours))).await;
    let read = read.map_err(unanswered)?;
    let live = read.map_err(|error| Outcome::failed("failed; nothing was written").problem(&error))?;
    let (name, region) = (session.config.stack.clone(), session.cloud.region.clone());
    let heading = Heading { stack: name, region, left_out: left_out.clone() };
    let outcome = match args.language {
        Language::Terraform => {
            let text = terraform(&live, &heading);
            match &args.output {
                None => given_out(session.report, "terraform", &text, None)?,
                Some(dir) => written(dir, &[("main.tf", text)], args.force)?,
            }
        }
        Language::Cloudformation => {
            let Imported { template, resources } = cloudformation(&live, &heading);
            match &args.output {
                None => Outcome {
                    document: Some(json!({ "template": template, "resources_to_import": resources })),
                    ..Outcome::new(Exit::Done, "printed", "")
                },
                Some(dir) => {
                    let files = [("template.json", template), ("resources-to-import.json", resources)];
                    written(dir, &files.map(|(name, value)| (name, format!("{value:#}\n"))), args.force)?
                }
            }
        }
    };
    let problems = told(&left_out, |_| true);
    Ok(outcome.with_problems(problems))
}

/// What is not in the code is told: whoever imports it must know.
fn told(left_out: &[(Key, String)], which: impl Fn(&str) -> bool) -> Vec<Problem> {
    let left_out = left_out.iter().filter(|(_, why)| which(why));
    let problem = |(key, why): &(Key, String)| {
        let cure = "`deploy plan` shows it; `deploy up` makes what is absent, and then it can be exported.";
        Problem::new(format!("{key} is not in the code: {why}"), cure)
    };
    left_out.map(problem).collect()
}

fn written(dir: &Path, files: &[(&str, String)], force: bool) -> Result<Outcome, Failed> {
    std::fs::create_dir_all(dir).map_err(|error| unwritten(dir, &error))?;
    let paths: Vec<_> = files.iter().map(|(name, _)| dir.join(name)).collect();
    if let Some(path) = paths.iter().find(|path| !force && path.exists()) {
        let what = format!("{} is there already", path.display());
        return Err(Outcome::refused(Problem::new(what, "Name another directory, or give --force.")).into());
    }
    for (path, (_, text)) in paths.iter().zip(files) {
        create(path, text, force).map_err(|error| unwritten(path, &error))?;
    }
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    Ok(Outcome::new(Exit::Done, "printed", format!("Wrote {}.", names.join(" and "))))
}
