//! The program at a terminal, which may go away, and at whose question a person may want to stop.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::{Home, Run};

/// The side of a terminal at which a person sits, and the program at the other one.
pub struct AtTerminal {
    pub person: File,
    pub program: Child,
    pub shown: String,
}

impl AtTerminal {
    pub fn start(home: &Home, line: &str) -> AtTerminal {
        AtTerminal::of(home.command(line), 80)
    }

    /// A program at a terminal of this width.
    fn of(mut command: Command, columns: u16) -> AtTerminal {
        let person: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let terminal = || {
            let path = OsStr::from_bytes(name.to_bytes());
            Stdio::from(File::options().read(true).write(true).open(path).unwrap())
        };
        tcsetwinsize(&person, size(columns)).unwrap();
        command.env("TERM", "xterm").env_remove("CI").stdin(terminal()).stderr(terminal()).stdout(Stdio::piped());
        AtTerminal { person: person.into(), program: command.spawn().unwrap(), shown: String::new() }
    }

    /// Reads until this is on the screen.
    pub fn shows(&mut self, words: &str) {
        while !self.shown.contains(words) {
            self.reads();
        }
    }

    /// Reads what is written next.
    fn reads(&mut self) {
        let mut bytes = [0; 4096];
        let count = self.person.read(&mut bytes).unwrap_or_else(|why| panic!("{why}: {}", self.shown));
        self.shown += &String::from_utf8_lossy(&bytes[..count]);
    }

    /// All that is written until the program has ended, and its exit code.
    fn written(mut self) -> (Vec<u8>, Option<i32>) {
        let mut bytes = self.shown.into_bytes();
        // A terminal whose other side was closed says so as an error.
        let _ = self.person.read_to_end(&mut bytes);
        (bytes, self.program.wait().unwrap().code())
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

const ROWS: u16 = 200;

fn size(columns: u16) -> Winsize {
    Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// What is on a screen of this width after all of this.
fn screen(written: &[u8], columns: u16) -> String {
    let mut terminal = parser(columns);
    terminal.process(written);
    terminal.screen().contents()
}

fn parser(columns: u16) -> vt100::Parser {
    let [rows, columns] = [ROWS, columns].map(|count| count.try_into().unwrap());
    vt100::Parser::new(rows, columns, 0)
}

/// No bar is left on the screen, and every line of the story is there once.
#[test]
fn nothing_is_left_of_the_bars_at_any_width() {
    for columns in [60, 80, 120] {
        let home = Home::new();
        for (line, ends) in [("--sandbox up", "Done in "), ("--sandbox teardown --yes", "Removed ")] {
            let (written, code) = AtTerminal::of(home.command(line), columns).written();
            let shown = screen(&written, columns);
            assert_eq!(code, Some(0), "{shown}");
            assert!(!shown.contains(is_bar), "{columns} columns, {line}: a bar is left\n{shown}");
            assert!(!shown.contains("under way"), "{columns} columns, {line}: the total is left\n{shown}");
            let whole = shown.replace('\n', "");
            for told in ["load_balancer app-alb: ", "auto_scaling_group app-asg: ", "policy OZMarketplacePolicy: "] {
                let ended = |done: &str| whole.matches(&format!("{told}{done} [")).count();
                assert_eq!(ended("created") + ended("deleted"), 1, "{columns} columns, {line}: {told}\n{shown}");
            }
            assert!(shown.contains(ends), "{columns} columns, {line}\n{shown}");
        }
    }
}

/// What a screen shows, which breaks its lines anew when its window changes, as most terminals do: xterm cuts them.
struct Window {
    terminal: vt100::Parser,
    breaks_anew: bool,
}

impl Window {
    fn new(columns: u16, breaks_anew: bool) -> Window {
        Window { terminal: parser(columns), breaks_anew }
    }

    fn resize(&mut self, columns: u16) {
        if !self.breaks_anew {
            let [rows, columns] = [ROWS, columns].map(|count| count.try_into().unwrap());
            self.terminal.screen_mut().set_size(rows, columns);
            return;
        }
        // A row that was broken by the terminal goes on in the next one; the cursor stays at its character.
        let (screen, mut anew) = (self.terminal.screen(), parser(columns));
        let (last, at) = screen.cursor_position();
        let width = screen.size().1.get();
        for (row, text) in screen.rows(0, width).take(usize::from(last)).enumerate() {
            anew.process(text.as_bytes());
            let is_broken = screen.row_wrapped(u16::try_from(row).unwrap());
            anew.process(if is_broken { b"" } else { b"\r\n" });
        }
        let line = screen.rows(0, at).nth(last.into()).unwrap();
        anew.process(line.as_bytes());
        self.terminal = anew;
    }
}

/// The window becomes narrow and wide again while bars stand in it: each line is there once, and no bar is left.
#[test]
fn a_window_that_changes_leaves_no_ghost_of_a_bar() {
    for breaks_anew in [true, false] {
        let home = Home::new();
        let mut window = Window::new(120, breaks_anew);
        let mut at_terminal = AtTerminal::of(home.command("--sandbox up"), 120);
        at_terminal.shows("0 of 2 targets healthy");
        let mut seen = 0;
        for columns in [60, 100, 40, 120] {
            // Some frames of the bars.
            for _ in 0..4 {
                at_terminal.reads();
            }
            tcsetwinsize(&at_terminal.person, size(columns)).unwrap();
            window.terminal.process(&at_terminal.shown.as_bytes()[seen..]);
            seen = at_terminal.shown.len();
            window.resize(columns);
        }
        let (written, code) = at_terminal.written();
        window.terminal.process(&written[seen..]);
        let shown = window.terminal.screen().contents();
        assert_eq!(code, Some(0), "{shown}");
        assert!(!shown.contains(is_bar) && !shown.contains("under way"), "{breaks_anew}: a bar is left\n{shown}");
        for told in ["load_balancer app-alb: created [", "target_health app-tg: healthy [", "Done in "] {
            assert_eq!(shown.matches(told).count(), 1, "{breaks_anew}: {told}\n{shown}");
        }
    }
}

/// A wait shows how long it has been and how long it usually is: in the sandbox, a fortieth of AWS's 3 to 6 minutes.
#[test]
fn a_bar_says_how_long_that_usually_takes() {
    let home = Home::new();
    let mut at_terminal = AtTerminal::start(&home, "--sandbox up");
    at_terminal.shows("s of usually 4-9s  target_health app-tg: 0 of 2 targets healthy");
    // At 80 columns there is no room for the instances.
    at_terminal.shows("; the load ba…");
    at_terminal.end().exits(0);
}

fn is_bar(mark: char) -> bool {
    ('\u{2800}'..='\u{28ff}').contains(&mark)
}

/// The first ^C is answered at once, also while bars are drawn.
#[test]
fn the_first_interrupt_is_answered_on_the_screen() {
    let home = Home::new();
    let mut at_terminal = AtTerminal::start(&home, "--sandbox up");
    at_terminal.shows("under way");
    at_terminal.send("-INT");
    let (written, code) = at_terminal.written();
    let shown = screen(&written, 80);
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains("stopping: what is under way may finish") && shown.contains("interrupted"), "{shown}");
    assert!(!shown.contains("under way; ^C") && !shown.contains(is_bar), "{shown}");
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
