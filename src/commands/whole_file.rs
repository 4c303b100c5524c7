//! A file that always has one whole content: the one before, or the next.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file that is written more than once, each time as a whole.
pub struct WholeFile {
    path: PathBuf,
    /// A device or a pipe, which is written through: it has no content to be replaced.
    through: bool,
}

impl WholeFile {
    /// A file that can be written; made when it is not there.
    ///
    /// # Errors
    /// It cannot.
    pub fn new(path: &Path) -> io::Result<WholeFile> {
        if path.metadata().is_ok_and(|data| !data.is_file()) {
            let through = OpenOptions::new().write(true).open(path); // a directory says what it is
            return through.map(|_| WholeFile { path: path.to_owned(), through: true });
        }
        OpenOptions::new().append(true).create(true).open(path)?;
        // A link stays one: what it names is replaced.
        Ok(WholeFile { path: path.canonicalize()?, through: false })
    }

    /// Whether what is written replaces what was written before.
    pub fn is_replaced(&self) -> bool {
        !self.through
    }

    /// Writes its content, beside it and then in its place.
    ///
    /// # Errors
    /// It could not be written; then it is as it was.
    pub fn write(&self, content: &str) -> io::Result<()> {
        if self.through {
            return OpenOptions::new().write(true).open(&self.path)?.write_all(content.as_bytes());
        }
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let beside = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(directory);
        let mut beside = match beside {
            Ok(beside) => beside,
            // A file that may be written in a directory that may not.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return std::fs::write(&self.path, content);
            }
            Err(error) => return Err(error),
        };
        if let Ok(data) = self.path.metadata() {
            beside.as_file().set_permissions(data.permissions())?;
        }
        beside.write_all(content.as_bytes())?;
        beside.persist(&self.path)?;
        Ok(())
    }
}
