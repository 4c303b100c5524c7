//! Python with moto and boto3, in an environment that the tests make for themselves under `target/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python of the environment, made once.
///
/// # Panics
/// Without Python 3 with venv, or when the packages cannot be fetched: the tests that need them then fail, and say so.
pub fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    fs::create_dir_all(&root).unwrap();
    let lock = File::create(root.join("lock")).unwrap();
    lock.lock().unwrap();
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    let (stamp, python) = (root.join("stamp"), root.join("venv/bin/python"));
    if fs::read_to_string(&stamp).ok() != Some(wanted.clone()) {
        run(Command::new("python3").args(["-m", "venv"]).arg(root.join("venv")));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&requirements));
        fs::write(stamp, wanted).unwrap();
    }
    python
}

fn run(command: &mut Command) {
    let cure = "the moto and boto3 tests need python3 (3.10 or later) with venv and pip, and a package index";
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; {cure}"));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {told}\n{cure}");
}

/// A script of `support/python/`, with arguments: what it printed.
pub fn script(name: &str, arguments: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/python").join(name);
    let mut command = Command::new(python());
    let output = command.arg(path).args(arguments).envs(KEYS).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Keys that no real AWS knows.
pub const KEYS: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_EC2_METADATA_DISABLED", "true")];
