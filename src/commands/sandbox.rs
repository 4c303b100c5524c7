//! `deploy sandbox`: the local AWS, for any AWS client.

use std::path::Path;

use tokio::net::TcpListener;

use crate::cli;
use crate::clock::Cancel;
use crate::exit::Exit;
use crate::outcome::{Failed, Outcome, Problem};
use crate::oz::Refused;
use crate::report::Report;
use crate::sandbox::{self, Sandbox};

/// Serves the sandbox, shows what fits it, changes its weather or forgets it.
pub async fn run(verb: &cli::Sandbox, world: &Path, report: &Report, cancel: &Cancel) -> Outcome {
    let done = match verb {
        cli::Sandbox::Reset => reset(world).map_err(|error| unkept(world, &error)),
        cli::Sandbox::Weather { switches } => weather(world, switches, report),
        cli::Sandbox::Config => report.line(configuration().trim_end()).map_err(unwritten).map(|()| String::new()),
        cli::Sandbox::Sample { dir, force } => sample(dir, *force),
        cli::Sandbox::Serve { port, pace } => serve(world, *port, *pace, report, cancel).await,
    };
    match done {
        Ok(nothing) if nothing.is_empty() => Outcome::new(Exit::Done, "unchanged", ""),
        Ok(summary) => Outcome::new(Exit::Done, "changed", summary),
        Err(failed) => failed.into(),
    }
}

fn unkept(world: &Path, error: &std::io::Error) -> Failed {
    let cure = "Name another file with --sandbox-world.";
    Outcome::failed("").problem(Problem::new(format!("{}: {error}", world.display()), cure)).into()
}

/// Stdout is where an envelope would go too: the report has told why on stderr.
fn unwritten(_: std::io::Error) -> Failed {
    Outcome::failed("").into()
}

/// The deploy.yaml that fits the seeded network.
pub fn configuration() -> String {
    let seed = sandbox::seed();
    format!(
        "region: {}\nnetwork:\n  vpc: {}\n  private_subnets: [{}]\n  public_subnets: [{}]\n\
         dns: {{ zone: {}, record: app }}\n",
        seed.region,
        seed.vpc.id,
        seed.private_subnets.join(", "),
        seed.public_subnets.join(", "),
        seed.zone,
    )
}

fn reset(world: &Path) -> std::io::Result<String> {
    match std::fs::remove_file(world) {
        Ok(()) => Ok("The sandbox is as it was seeded.".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok("The sandbox was as it was seeded.".to_owned())
        }
        Err(error) => Err(error),
    }
}

fn weather(world: &Path, switches: &[String], report: &Report) -> Result<String, Failed> {
    let unkept = |error| unkept(world, &error);
    let sandbox = Sandbox::open(world, cli::PACE).map_err(unkept)?;
    let mut weather = sandbox.world().weather;
    for switch in switches {
        let cure = "`deploy sandbox weather` shows every switch with its value.";
        weather = weather.with(switch).map_err(|mistake| Outcome::refused(Refused::new(mistake, cure)))?;
    }
    report.line(weather.shown().trim_end()).map_err(unwritten)?;
    if switches.is_empty() {
        return Ok(String::new());
    }
    sandbox.change(|world| world.weather = weather);
    sandbox.keep(world).map_err(unkept)?;
    Ok("Kept.".to_owned())
}

/// A capture and a photo of nobody. What is there stays, unless it may be written over.
fn sample(dir: &Path, force: bool) -> Result<String, Failed> {
    let files = [
        ("capture.json", sandbox::sample_capture().to_string().into_bytes()),
        ("reference.jpg", sandbox::sample_reference()),
    ]
    .map(|(name, bytes)| (dir.join(name), bytes));
    if let Some((there, _)) = files.iter().find(|(path, _)| !force && path.exists()) {
        let cure = "Name another directory, or write over it with --force.";
        return Err(Outcome::refused(Problem::new(format!("{}: it exists already", there.display()), cure)).into());
    }
    let unwritten = |path: &Path, error: std::io::Error| {
        let problem = Problem::new(format!("{}: {error}", path.display()), "Name another directory.");
        Failed::from(Outcome::failed("").problem(problem))
    };
    std::fs::create_dir_all(dir).map_err(|error| unwritten(dir, error))?;
    for (path, bytes) in &files {
        std::fs::write(path, bytes).map_err(|error| unwritten(path, error))?;
    }
    let [capture, reference] = files.map(|(path, _)| path.display().to_string());
    Ok(format!(
        "Wrote {capture} and {reference}. Try them: deploy --sandbox liveness {capture} --best-shot best.jpg, then \
         deploy --sandbox biometry --best-shot best.jpg --reference {reference}"
    ))
}

async fn serve(world: &Path, port: u16, pace: f64, report: &Report, cancel: &Cancel) -> Result<String, Failed> {
    let unkept = |error| unkept(world, &error);
    let unserved = |error| {
        let problem = Problem::new(format!("port {port} of loopback: {error}"), "Name another one with --port.");
        Failed::from(Outcome::failed("").problem(problem))
    };
    let sandbox = Sandbox::open(world, pace).map_err(unkept)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(unserved)?;
    let address = listener.local_addr().map_err(unserved)?;
    // The AWS CLI, boto3 and Terraform read the region from the second name, the SDKs from the first.
    let region = sandbox::seed().region;
    let keys = "export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox";
    let lines =
        format!("export AWS_ENDPOINT_URL=http://{address} AWS_REGION={region} AWS_DEFAULT_REGION={region}\n{keys}");
    report.line(&lines).map_err(unwritten)?;
    report.note("Serving; Ctrl-C ends it and keeps what was made.");
    let cancel = cancel.clone();
    let served = sandbox::serve(sandbox.clone(), listener, async move {
        cancel.asked().await;
    });
    served.await.map_err(unserved)?;
    sandbox.keep(world).map_err(unkept)?;
    Ok("Kept.".to_owned())
}
