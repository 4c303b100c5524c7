//! Python with moto and boto3, in an environment that the tests make for themselves under `target/`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const CURE: &str = "The tests that compare with moto and boto3 fetch both once, into target/, and need python3 (3.10 \
    or later) with venv and pip, and a package index. Where there is none, `DEPLOY_OFFLINE_TESTS=1 cargo test` leaves \
    those tests out and names each.";

/// Keys that no real AWS knows.
pub const KEYS: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_EC2_METADATA_DISABLED", "true")];

/// Whether this test is left out because DEPLOY_OFFLINE_TESTS=1 says so; then it says that on stderr, where the test
/// runner does not hide it.
pub fn left_out_offline() -> bool {
    let is_left_out = std::env::var("DEPLOY_OFFLINE_TESTS").is_ok_and(|value| value == "1");
    if is_left_out {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        let _ = writeln!(std::io::stderr(), "LEFT OUT, for DEPLOY_OFFLINE_TESTS=1: {test} needs moto or boto3");
    }
    is_left_out
}

/// The Python of the environment, made once.
///
/// # Panics
/// Without Python 3 with venv, or when the packages cannot be fetched: the message names the cure.
#[track_caller]
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PYTHON.get_or_init(environment).as_deref().unwrap_or_else(|why| panic!("{CURE}\n\n{why}"))
}

fn environment() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    fs::create_dir_all(&root).unwrap();
    let lock = File::create(root.join("lock")).unwrap();
    lock.lock().unwrap(); // another `cargo test` may make it at this moment
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    let (stamp, python) = (root.join("stamp"), root.join("venv/bin/python"));
    if fs::read_to_string(&stamp).ok() != Some(wanted.clone()) {
        run(Command::new("python3").args(["-m", "venv"]).arg(root.join("venv")))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&requirements))?;
        fs::write(stamp, wanted).unwrap();
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let printed = [output.stdout, output.stderr].concat(); // venv explains itself on stdout, pip on stderr
    let printed = String::from_utf8_lossy(&printed);
    let last = printed.trim_end().lines().last().unwrap_or_default();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {last}")) }
}

/// A script of `support/python/`, with arguments: what it printed.
pub fn script(name: &str, arguments: &[&str]) -> String {
    script_of("it/support/python", name, arguments)
}

/// A script of the benchmark, with arguments: what it printed.
pub fn bench_script(name: &str, arguments: &[&str]) -> String {
    script_of("bench", name, arguments)
}

fn script_of(directory: &str, name: &str, arguments: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(directory).join(name);
    let mut command = Command::new(python());
    command.env("PYTHONDONTWRITEBYTECODE", "1"); // or there would be files of Python's among ours
    let output = command.arg(path).args(arguments).envs(KEYS).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
