//! The program at a terminal, which may go away, and at whose question a person may want to stop.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Home, Run};

/// The side of a terminal at which a person sits, and the program at the other one.
pub struct AtTerminal {
    pub person: File,
    pub program: Child,
    pub shown: String,
}

impl AtTerminal {
    pub fn start(home: &Home, line: &str) -> AtTerminal {
        let person: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let terminal = || {
            let path = OsStr::from_bytes(name.to_bytes());
            Stdio::from(File::options().read(true).write(true).open(path).unwrap())
        };
        let mut command = home.command(line);
        command.env("TERM", "xterm").env_remove("CI").stdin(terminal()).stderr(terminal()).stdout(Stdio::piped());
        AtTerminal { person: person.into(), program: command.spawn().unwrap(), shown: String::new() }
    }

    /// Reads until this is on the screen.
    pub fn shows(&mut self, words: &str) {
        let mut bytes = [0; 4096];
        while !self.shown.contains(words) {
            let count = self.person.read(&mut bytes).unwrap_or_else(|why| panic!("{why}: {}", self.shown));
            self.shown += &String::from_utf8_lossy(&bytes[..count]);
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        std::io::Write::write_all(&mut self.person, format!("{line}\n").as_bytes()).unwrap();
    }

    /// How the program ends, while the person still looks.
    pub fn end(self) -> Run {
        let mut screen = self.person;
        let reader = std::thread::spawn(move || drop(std::io::copy(&mut screen, &mut std::io::sink())));
        let run = Run::end_of(self.program);
        reader.join().unwrap();
        run
    }

    pub fn send(&self, signal: &str) {
        super::ends::send(signal, &self.program);
    }
}

#[test]
fn a_terminal_that_goes_away_changes_nothing() {
    let home = Home::new();
    let mut at_terminal = AtTerminal::start(&home, "--sandbox up --json");
    at_terminal.shows("creat");
    let AtTerminal { person, program, .. } = at_terminal;
    drop(person);
    let run = Run::end_of(program);
    run.exits(0).ends_as("changed");
}

#[test]
fn a_signal_ends_a_question() {
    for (signal, code) in [("-HUP", 129), ("-INT", 130), ("-TERM", 143)] {
        let home = Home::new();
        home.run("--sandbox up --no-verify").exits(0);
        let mut at_terminal = AtTerminal::start(&home, "--sandbox teardown --json");
        at_terminal.shows("Type the stack's name");
        let began = Instant::now();
        at_terminal.send(signal);
        let run = Run::end_of(at_terminal.program);
        run.exits(code).ends_as("interrupted");
        assert!(began.elapsed() < Duration::from_secs(2), "{signal} took {:?}", began.elapsed());
        home.run("--sandbox plan --exit-code").exits(0);
    }
}

#[test]
fn up_asks_when_it_is_asked_to() {
    let home = Home::new();
    home.run("--sandbox up --ask").exits(2).says("--ask asks at a terminal");
    home.run("--sandbox up --no-verify").exits(0);
    for (typed, code) in [("", 4), ("n", 4), ("yes", 0)] {
        let mut at_terminal = AtTerminal::start(&home, "--sandbox up --ask --json --set scaling.max=7");
        at_terminal.shows("max: 91 -> 7");
        at_terminal.shows("Apply this change to the account 123456789012? [y/N]");
        at_terminal.types(typed);
        at_terminal.end().exits(code);
        let pending = if code == 0 { 0 } else { 3 };
        home.run("--sandbox plan --exit-code --set scaling.max=7").exits(pending);
    }
    // Where there is nothing to do there is nothing to ask.
    home.run("--sandbox up --set scaling.max=7").exits(0).prints("endpoint");
}

#[test]
fn the_stacks_name_typed_at_the_question_removes_it() {
    for (typed, code) in [("oz-liveness", 0), ("another", 4)] {
        let home = Home::new();
        home.run("--sandbox up --no-verify").exits(0);
        let mut at_terminal = AtTerminal::start(&home, "--sandbox teardown --json");
        at_terminal.shows("Type the stack's name");
        at_terminal.types(typed);
        at_terminal.end().exits(code);
    }
}
