//! Fields that a reply of AWS must have.

use super::{Error, Result};

/// A field that AWS documents as always there.
pub trait Need<T> {
    /// The value.
    ///
    /// # Errors
    /// It is not there: the error names the field.
    fn need(self, field: &str) -> Result<T>;
}

impl<T> Need<T> for Option<T> {
    fn need(self, field: &str) -> Result<T> {
        self.ok_or_else(|| Error::Reply(format!("AWS's answer lacks {field}")))
    }
}
