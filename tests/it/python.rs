//! A moto server and boto3, in an environment that the tests make for themselves under `target/`.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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

/// A script of this directory, with arguments: what it printed.
pub fn script(name: &str, arguments: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(name);
    let mut command = Command::new(python());
    let output = command.arg(path).args(arguments).envs(KEYS).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Keys that no real AWS knows.
pub const KEYS: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_EC2_METADATA_DISABLED", "true")];

/// A moto server of its own, seeded with a network, an image, a certificate and a zone.
pub struct Moto {
    server: Child,
    /// Where it answers.
    pub url: String,
    directory: tempfile::TempDir,
}

impl Moto {
    /// Starts one on a free port and waits until it answers.
    pub fn start() -> Moto {
        let python = python();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let server = Command::new(&python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .env("MOTO_ACM_VALIDATION_WAIT", "0")
            .env("MOTO_ENABLE_AMI_VALIDATION", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Moto { server, url: format!("http://127.0.0.1:{port}"), directory: tempfile::tempdir().unwrap() };
        let answers = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        let started = (0..300).any(|_| {
            answers() || {
                std::thread::sleep(Duration::from_millis(100));
                false
            }
        });
        assert!(started, "moto did not start on port {port} within 30 s");
        let config = script("seed_moto.py", &[&moto.url]);
        fs::write(moto.directory.path().join("deploy.yaml"), config).unwrap();
        moto
    }

    /// The program, against this server.
    pub fn deploy(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        command.current_dir(self.directory.path()).envs(KEYS).env("AWS_ENDPOINT_URL", &self.url);
        command
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
