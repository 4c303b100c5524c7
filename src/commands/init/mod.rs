//! `deploy init`: a commented deploy.yaml from what the account has. Reads only, and writes one file.

mod certificate;
mod connected;
mod image;
mod network;
mod question;
mod record;
mod subnet;
mod subnets;
mod survey;
mod target;
mod written;

use tokio::time::Instant;

use super::{Session, late};
use crate::cli::{self, Global};
use crate::clock::Cancel;
use crate::config::{Config, Network};
use crate::exit::Exit;
use crate::outcome::{Failed, Frame, Outcome, Problem};
use crate::report::Report;
use connected::connected;
use question::Asker;
use survey::Survey;
use target::Target;
use written::Written;

/// What is looked for when nobody names another image, as in deploy.yaml.example.
const IMAGE: &str = "api-instant";

/// Looks at the account, and writes the file; without credentials, the example.
///
/// # Errors
/// The file is there already, AWS does not answer, the choice is not clear, or a flag says what cannot be.
pub async fn run(
    (args, global): (&cli::Init, &Global),
    (report, cancel): (&Report, &Cancel),
    (frame, start): (&mut Frame, Instant),
) -> Result<Outcome, Failed> {
    if !global.set.is_empty() {
        let cure = "Edit the file afterwards, or see `deploy init --help` for the flags of what it asks.";
        return Err(Outcome::refused(Problem::new("init takes no --set: there is no file yet", cure)).into());
    }
    let target = Target::of(global, args.force).map_err(Outcome::refused)?;
    if args.scheme.as_deref() == Some("internet-facing") && args.ingress_cidrs.is_empty() && !args.allow_public {
        let what =
            "the load balancer would be open to the whole Internet, and the API has no authentication of its own";
        let cure = "Say who may reach it with --ingress-cidrs 203.0.113.0/24, or take it so with --allow-public.";
        return Err(Outcome::refused(Problem::new(what, cure)).into());
    }
    let mut written = Written::of_flags(args);
    if args.example {
        written.about.push("Written by `deploy init --example`: what is \"yours\" is still the example's.".to_owned());
    } else if let Some((cloud, sandbox)) = connected(global).await? {
        let mut config = Config::new(Network::default());
        config.stack = args.stack.clone().unwrap_or(config.stack);
        let session = Session::new(config, cloud, report, cancel, sandbox);
        let looked = look(&session, args, &mut written).await;
        *frame = session.frame(frame.command, start);
        looked?;
        let deploy = target.command(global);
        return finish(
            &written,
            &target,
            report,
            &format!("Next: `{deploy} preflight`, `{deploy} plan`, `{deploy} up`."),
        );
    } else {
        report.warn("there are no AWS credentials here: this is the example, with what the flags say");
        written
            .about
            .push("Written by `deploy init` without credentials: what is \"yours\" is still the example's.".to_owned());
    }
    written.fill_up(!args.no_record && args.name.is_none());
    let deploy = target.command(global);
    finish(&written, &target, report, &format!("Set what is \"yours\" in it, then: `{deploy} plan`."))
}

async fn look(session: &Session<'_>, args: &cli::Init, written: &mut Written) -> Result<(), Failed> {
    let wait = session.wait(args.timeout);
    let image = args.image.as_deref().unwrap_or(IMAGE);
    let (identified, survey) = tokio::join!(session.identify(&wait), wait.within(Survey::of(&session.cloud, image)));
    identified?;
    let survey = survey.map_err(late)?.map_err(|error| Outcome::failed("nothing was written").problem(&error))?;
    let region = &session.cloud.region;
    written.region.clone_from(region);
    written.text("region", region);
    let of = match session.cloud.known_identity() {
        Some(identity) => {
            written.text("account", &identity.account.id);
            format!("of account {} in {region}", identity.account.id)
        }
        None => format!("in {region}"),
    };
    written.about.push(format!("Written by `deploy init` from what there was {of}."));
    let mut asker = Asker::new(session, session.wait(A_PERSON));
    network::choose(args, &survey, &mut asker, written).await?;
    let name = record::choose(args, &survey, &mut asker, written).await?;
    certificate::choose(name.as_deref(), &survey, &mut asker, written).await?;
    image::choose(&survey, &mut asker, written).await?;
    if asker.problems.is_empty() {
        return Ok(());
    }
    let refused = Outcome::new(Exit::Usage, "refused", "nothing was written");
    Err(refused.with_problems(asker.problems).into())
}

/// How long a question waits for its answer.
const A_PERSON: std::time::Duration = std::time::Duration::from_hours(24);

fn finish(written: &Written, target: &Target, report: &Report, next: &str) -> Result<Outcome, Failed> {
    let text = written.render().map_err(|mistakes| {
        let problems = mistakes.0.iter().map(|one| Problem::new(&one.what, &one.cure)).collect();
        Outcome::new(Exit::Usage, "refused", "nothing was written").with_problems(problems)
    })?;
    for warning in &written.warnings {
        report.warn(warning);
    }
    let named = target.write(&text, report)?;
    let mut outcome = Outcome::new(Exit::Done, "changed", format!("Wrote {named}. {next}"));
    if !target.is_stream() {
        outcome.outputs = written.values();
        outcome.outputs.insert("file".to_owned(), named);
    }
    Ok(outcome)
}
