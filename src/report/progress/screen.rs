//! Where bars are drawn: a terminal whose window may change while they stand there.
//!
//! indicatif pads each line to the window's width and lets the terminal break it, so that a terminal which breaks lines
//! anew (most do) tears them when its window changes, and leaves bars behind. Here a line ends where its words do, and
//! what is erased is as high as the bars are in the window as it is now.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressDrawTarget, TermLike};

use crate::report::to_stderr;

/// A terminal on stderr. Clones draw on the same one.
#[derive(Debug, Clone, Default)]
pub struct Screen(Arc<Mutex<Drawing>>);

#[derive(Debug, Default)]
struct Drawing {
    phase: Phase,
    /// The width of each line of the last drawing.
    lines: Vec<usize>,
    /// What is to be written, at once.
    text: String,
    /// Whether the next line is still to be begun.
    is_open: bool,
}

/// In a drawing, bars are erased before lines are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    /// The cursor is to go up so many lines.
    Up(usize),
    Erased,
    Writing,
}

/// Bars move that often at most, a second.
const FREQUENCY: u8 = 20;

impl Screen {
    /// For indicatif.
    pub fn target(&self) -> ProgressDrawTarget {
        ProgressDrawTarget::term_like_with_hz(Box::new(self.clone()), FREQUENCY)
    }

    /// Begins a line for whatever writes there next.
    pub fn end(&self) {
        self.with(|drawing| {
            if std::mem::take(&mut drawing.is_open) {
                to_stderr("\n");
            }
        });
    }

    fn with(&self, act: impl FnOnce(&mut Drawing)) {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Columns and rows of stderr's window.
fn size() -> (u16, u16) {
    terminal_size::terminal_size_of(io::stderr()).map_or((80, 24), |(columns, rows)| (columns.0, rows.0))
}

/// Columns of stderr's window.
pub fn columns() -> usize {
    size().0.into()
}

impl Drawing {
    /// Erases the last lines, as high as they are in a window of this width.
    fn erase(&mut self, count: usize, width: usize) {
        let first = self.lines.len().saturating_sub(count);
        let rows: usize = self.lines[first..].iter().map(|line| line.div_ceil(width.max(1)).max(1)).sum();
        if rows > 1 {
            self.text += &format!("\x1b[{}A", rows - 1);
        }
        self.text += "\r\x1b[J";
        self.is_open = false;
    }

    fn write(&mut self, line: &str) {
        if self.phase != Phase::Writing {
            self.lines.clear();
            self.phase = Phase::Writing;
        }
        if self.is_open {
            self.text.push('\n');
        }
        self.text += line;
        self.lines.push(line.chars().count());
        self.is_open = true;
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        size().0
    }

    fn height(&self) -> u16 {
        size().1
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.with(|drawing| {
            if drawing.phase == Phase::Before {
                drawing.phase = Phase::Up(n);
            }
        });
        Ok(())
    }

    // The others belong to erasing line by line, which is done at once.
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.with(|drawing| {
            if let Phase::Up(above) = drawing.phase {
                drawing.erase(above + 1, columns());
                drawing.phase = Phase::Erased;
            }
        });
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.with(|drawing| drawing.write(line));
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        // Behind each line comes what fills it up: nothing, or blanks.
        let line = text.trim_end_matches(' ');
        if !line.is_empty() {
            self.with(|drawing| drawing.write(line));
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.with(|drawing| {
            to_stderr(&std::mem::take(&mut drawing.text));
            drawing.phase = Phase::Before;
        });
        Ok(())
    }
}
