//! The configuration, from where the command line says: a file, standard input, or the sandbox's own.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::sandbox;
use crate::cli::Global;
use crate::outcome::Problem;
use crate::text;

/// Where the configuration is when the command line names none.
const FILE: &str = "deploy.yaml";

/// Where the configuration is, unless the sandbox has its own.
pub fn config_file(global: &Global) -> PathBuf {
    global.config.clone().unwrap_or_else(|| PathBuf::from(FILE))
}

/// Whether this stands for standard input, or for standard output where something is written.
pub fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The name and the text of the configuration. The sandbox needs none: its own network is seeded.
///
/// # Errors
/// It cannot be read.
pub fn configuration(global: &Global) -> Result<(String, String), Problem> {
    if global.config.is_none() && global.sandbox {
        return Ok(("the sandbox's configuration".to_owned(), sandbox::configuration()));
    }
    let path = config_file(global);
    let (name, read) = if is_stream(&path) {
        let mut bytes = Vec::new();
        ("standard input".to_owned(), std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (path.display().to_string(), std::fs::read(&path))
    };
    let bytes = read.map_err(|error| unreadable(global, &name, &error))?;
    let text = text::utf8(&bytes).map_err(|why| Problem::new(format!("{name}: {why}"), why.cure))?;
    Ok((name, text.to_owned()))
}

fn unreadable(global: &Global, name: &str, error: &std::io::Error) -> Problem {
    const NONE: &str = "`deploy init` writes one; --config FILE names another; `deploy --sandbox up` needs none.";
    const NAMED: &str = "Look at the path after --config; `deploy init --config FILE` writes such a file.";
    match error.kind() {
        ErrorKind::NotFound if global.config.is_none() => Problem::new(format!("there is no {FILE} here"), NONE),
        ErrorKind::NotFound => Problem::new(format!("there is no file {name}"), NAMED),
        ErrorKind::IsADirectory => {
            Problem::new(format!("{name} is a directory, not a configuration"), "Name the file in it with --config.")
        }
        ErrorKind::PermissionDenied => {
            Problem::new(format!("{name} may not be read by this user"), "Give yourself the right to read it: `ls -l`.")
        }
        _ => Problem::new(format!("{name} cannot be read: {error}"), "Name a file that can be with --config."),
    }
}
