//! Files of the user's: what one is when it is not what was meant.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Refused;
use crate::text::{self, Unreadable};

/// A file's bytes.
///
/// # Errors
/// It cannot be read, is empty, or is a pointer to the file that was meant.
pub fn read(path: &Path, cure: &str) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    read_into(&mut bytes, path, cure)?;
    Ok(bytes)
}

/// The same in place of what is there: the memory of one file is used again for the next.
///
/// # Errors
/// It cannot be read, is empty, or is a pointer to the file that was meant.
pub fn read_into(bytes: &mut Vec<u8>, path: &Path, cure: &str) -> Result<(), Refused> {
    bytes.clear();
    let unreadable = |error| Refused::new(format!("{}: {error}", path.display()), cure);
    File::open(path).and_then(|mut file| file.read_to_end(bytes)).map_err(unreadable)?;
    if bytes.is_empty() {
        return Err(Refused::new(format!("{}: it is empty", path.display()), cure));
    }
    text::not_the_file(bytes).map_err(|why| refused(path, &why))
}

/// What a file is instead, as a refusal.
pub fn refused(path: &Path, why: &Unreadable) -> Refused {
    Refused::new(format!("{}: {why}", path.display()), why.cure)
}
