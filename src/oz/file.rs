//! Files of the user's: what one is when it is not what was meant.

use std::path::Path;

use super::Refused;
use crate::text::{self, Unreadable};

/// A file's bytes.
///
/// # Errors
/// It cannot be read, is empty, or is a pointer to the file that was meant.
pub fn read(path: &Path, cure: &str) -> Result<Vec<u8>, Refused> {
    let bytes = std::fs::read(path).map_err(|error| Refused::new(format!("{}: {error}", path.display()), cure))?;
    if bytes.is_empty() {
        return Err(Refused::new(format!("{}: it is empty", path.display()), cure));
    }
    text::not_the_file(&bytes).map_err(|why| refused(path, &why))?;
    Ok(bytes)
}

/// What a file is instead, as a refusal.
pub fn refused(path: &Path, why: &Unreadable) -> Refused {
    Refused::new(format!("{}: {why}", path.display()), why.cure)
}
