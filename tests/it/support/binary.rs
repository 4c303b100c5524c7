//! The program itself, as a process of its own.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::python::KEYS;
use super::schema::valid;

/// A directory in which the program runs, with a kept sandbox of its own.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deploy"));
        command.current_dir(self.0.path()).args(line.split_whitespace()).stdin(Stdio::null());
        for name in ["OZ_ACCESS_TOKEN", "HTTP_PROXY", "http_proxy", "AWS_ENDPOINT_URL", "SSL_CERT_FILE"] {
            command.env_remove(name);
        }
        command.env("DEPLOY_SANDBOX_WORLD", self.path("world.json"));
        command
    }

    /// The same against an AWS endpoint.
    pub fn command_at(&self, url: &str, line: &str) -> Command {
        let mut command = self.command(line);
        command.envs(KEYS).env("AWS_ENDPOINT_URL", url);
        command
    }

    pub fn run(&self, line: &str) -> Run {
        Run::of(&mut self.command(line))
    }
}

/// How the program ended, and what it printed.
pub struct Run {
    command: String,
    output: Output,
}

impl Run {
    /// Runs it to its end.
    pub fn of(command: &mut Command) -> Run {
        let output = command.output().unwrap();
        Run { command: format!("{command:?}"), output }
    }

    /// What a process that was started before ends in.
    pub fn end_of(child: std::process::Child) -> Run {
        Run { command: "a process started before".to_owned(), output: child.wait_with_output().unwrap() }
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Run {
        self.demand(self.code() == code, || format!("it must exit with {code}"))
    }

    /// Its result, on stdout, holds these words.
    #[track_caller]
    pub fn prints(&self, words: &str) -> &Run {
        self.demand(self.stdout().contains(words), || format!("stdout must hold {words:?}"))
    }

    /// What it tells on stderr holds these words.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Run {
        self.demand(self.stderr().contains(words), || format!("stderr must hold {words:?}"))
    }

    /// The envelope of `--json` has this outcome.
    #[track_caller]
    pub fn ends_as(&self, outcome: &str) -> &Run {
        self.demand(self.json()["outcome"] == outcome, || format!("its outcome must be {outcome:?}"))
    }

    /// Anything else that must be true of it, in words.
    #[track_caller]
    pub fn demand(&self, is_so: bool, what: impl FnOnce() -> String) -> &Run {
        assert!(is_so, "{}\n\n{self}", what());
        self
    }

    pub fn code(&self) -> i32 {
        self.output.status.code().unwrap_or_else(|| panic!("it was killed\n\n{self}"))
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        valid(serde_json::from_str(&self.stdout()).unwrap_or_else(|_| panic!("stdout is no JSON\n\n{self}")))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Output { status, stdout, stderr } = &self.output;
        write!(into, "{}\n{status}\n{}{}", self.command, text(stdout), text(stderr))
    }
}
