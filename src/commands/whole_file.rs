//! A file that always has one whole content: the one before, or the next.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file that is written more than once, each time as a whole.
pub enum WholeFile {
    /// It is replaced: by what was written beside it.
    Replaced(PathBuf),
    /// A device, a pipe, or a file that others hold open too, such as stdout's: it is written through.
    Through(File),
}

impl WholeFile {
    /// A file that can be written; made when it is not there.
    ///
    /// # Errors
    /// It cannot.
    pub fn new(path: &Path) -> io::Result<WholeFile> {
        if let Some(stream) = stream(path) {
            return stream.map(WholeFile::Through);
        }
        if path.metadata().is_ok_and(|data| !data.is_file()) {
            // Opened once: the reader of a pipe ends with its first writer. A directory says what it is.
            return OpenOptions::new().write(true).open(path).map(WholeFile::Through);
        }
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        if ["/dev/fd", "/proc"].iter().any(|by_number| path.starts_with(by_number)) {
            return Ok(WholeFile::Through(file));
        }
        // A link stays one: what it names is replaced.
        Ok(WholeFile::Replaced(path.canonicalize()?))
    }

    /// Whether what is written replaces what was written before.
    pub fn is_replaced(&self) -> bool {
        matches!(self, WholeFile::Replaced(_))
    }

    /// Whether they replace one file.
    pub fn is_same(&self, other: &WholeFile) -> bool {
        matches!((self, other), (WholeFile::Replaced(one), WholeFile::Replaced(other)) if one == other)
    }

    /// Writes its content, beside it and then in its place.
    ///
    /// # Errors
    /// It could not be written; then it is as it was.
    pub fn write(&self, content: &str) -> io::Result<()> {
        match self {
            WholeFile::Replaced(path) => replace(path, content),
            WholeFile::Through(file) => match (&*file).write_all(content.as_bytes()) {
                // As for the result: who closes the pipe has read enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written,
            },
        }
    }
}

/// A file that is there with all of its content, or not at all.
///
/// # Errors
/// It cannot be written; `AlreadyExists`: one is there, and may not be replaced.
pub fn create(path: &Path, content: impl AsRef<[u8]>, may_replace: bool) -> io::Result<()> {
    // A link stays one: what it names is replaced.
    let place = if may_replace { path.canonicalize() } else { Err(io::ErrorKind::NotFound.into()) };
    let place = place.unwrap_or_else(|_| path.to_owned());
    if may_replace && place.metadata().is_ok_and(|data| !data.is_file()) {
        // A device, such as /dev/null: to put a file in its place would break it for everybody.
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is there, and is no file"));
    }
    let directory = place.parent().filter(|one| !one.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(directory)?;
    beside.write_all(content.as_ref())?;
    let written = if may_replace { beside.persist(&place) } else { beside.persist_noclobber(&place) };
    written.map(drop).map_err(|why| why.error)
}

fn replace(path: &Path, content: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let beside = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(directory);
    let mut beside = match beside {
        Ok(beside) => beside,
        // A file that may be written in a directory that may not.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return std::fs::write(path, content),
        Err(error) => return Err(error),
    };
    if let Ok(data) = path.metadata() {
        beside.as_file().set_permissions(data.permissions())?;
    }
    beside.write_all(content.as_bytes())?;
    beside.persist(path)?;
    Ok(())
}

/// Stdout and stderr by name. Opened anew, a file behind them would be written over by what comes after.
fn stream(path: &Path) -> Option<io::Result<File>> {
    let own = match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => io::stdout().as_fd().try_clone_to_owned(),
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => io::stderr().as_fd().try_clone_to_owned(),
        _ => return None,
    };
    Some(own.map(File::from))
}
