//! `deploy sandbox`: the local AWS, for any AWS client.

use std::path::Path;

use tokio::net::TcpListener;

use crate::cli;
use crate::clock::Cancel;
use crate::exit::Exit;
use crate::outcome::{Outcome, Problem};
use crate::oz::Refused;
use crate::report::Report;
use crate::sandbox::{self, Sandbox};

/// Serves the sandbox, shows what fits it, changes its weather or forgets it.
pub async fn run(verb: &cli::Sandbox, world: &Path, report: &Report, cancel: &Cancel) -> Outcome {
    let done = match verb {
        cli::Sandbox::Reset => reset(world),
        cli::Sandbox::Weather { switches } => match weather(world, switches, report) {
            Ok(Err(mistake)) => {
                let cure = "`deploy sandbox weather` shows every switch with its value.";
                return Outcome::refused(Refused::new(mistake, cure));
            }
            done => done.map(Result::unwrap_or_default),
        },
        cli::Sandbox::Config => report.line(configuration().trim_end()).map(|()| String::new()),
        cli::Sandbox::Serve { port, pace } => serve(world, *port, *pace, report, cancel).await,
    };
    match done {
        Ok(nothing) if nothing.is_empty() => Outcome::new(Exit::Done, "unchanged", ""),
        Ok(summary) => Outcome::new(Exit::Done, "changed", summary),
        Err(error) => {
            let cure = "Name another file with --sandbox-world, or another port.";
            let problem = Problem::new(format!("{}: {error}", world.display()), cure);
            Outcome::new(Exit::Failed, "failed", "").with_problems(vec![problem])
        }
    }
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

/// The inner error: a switch that there is not, or a value that it cannot have.
fn weather(world: &Path, switches: &[String], report: &Report) -> std::io::Result<Result<String, String>> {
    let sandbox = Sandbox::open(world, cli::PACE)?;
    let mut weather = sandbox.world().weather;
    for switch in switches {
        weather = match weather.with(switch) {
            Ok(weather) => weather,
            Err(mistake) => return Ok(Err(mistake)),
        };
    }
    let shown = serde_yaml::to_string(&weather).map_err(std::io::Error::other)?;
    report.line(shown.trim_end())?;
    if switches.is_empty() {
        return Ok(Ok(String::new()));
    }
    sandbox.change(|world| world.weather = weather);
    sandbox.keep(world)?;
    Ok(Ok("Kept.".to_owned()))
}

async fn serve(world: &Path, port: u16, pace: f64, report: &Report, cancel: &Cancel) -> std::io::Result<String> {
    let sandbox = Sandbox::open(world, pace)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    // The AWS CLI, boto3 and Terraform read the region from the second name, the SDKs from the first.
    let region = sandbox::seed().region;
    report
        .line(&format!("export AWS_ENDPOINT_URL=http://{address} AWS_REGION={region} AWS_DEFAULT_REGION={region}"))?;
    report.line("export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox")?;
    report.note("Serving; Ctrl-C ends it and keeps what was made.");
    let cancel = cancel.clone();
    sandbox::serve(sandbox.clone(), listener, async move {
        cancel.asked().await;
    })
    .await?;
    sandbox.keep(world)?;
    Ok("Kept.".to_owned())
}
