//! Where the best shot goes: a file of nobody else's, there whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::oz::{Picture, Refused};

/// A file that the best shot will be written to.
pub struct Save<'a> {
    path: &'a Path,
    directory: PathBuf,
    force: bool,
}

impl Save<'_> {
    /// Before any call: whether it can be written there. Nothing is left there before there is a picture.
    ///
    /// # Errors
    /// It cannot.
    pub fn new(path: &Path, force: bool) -> Result<Save<'_>, Refused> {
        let at = path.display();
        if path.is_dir() || path.file_name().is_none() {
            return Err(Refused::new(format!("{at}: not a file's name"), "--best-shot names the file to write."));
        }
        if !force && path.symlink_metadata().is_ok() {
            return Err(Refused::new(format!("{at}: exists"), "--force writes over it."));
        }
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        NamedTempFile::new_in(directory).map_err(|error| {
            Refused::new(format!("{}: {error}", directory.display()), "--best-shot names a file that can be written.")
        })?;
        Ok(Save { path, directory: directory.to_owned(), force })
    }

    /// Writes it, mode 0600; the place and the true type.
    ///
    /// # Errors
    /// It could not be written.
    pub fn keep(self, shot: &Picture) -> Result<String, Refused> {
        let at = self.path.display().to_string();
        let refused =
            |error: std::io::Error| Refused::new(format!("{at}: {error}"), "The best shot is lost; the call was made.");
        let mut file = NamedTempFile::new_in(&self.directory).map_err(refused)?;
        file.write_all(shot.bytes()).map_err(refused)?;
        let kept = if self.force { file.persist(self.path) } else { file.persist_noclobber(self.path) };
        kept.map_err(|error| refused(error.error))?;
        Ok(format!("{at} ({shot:?})"))
    }
}
