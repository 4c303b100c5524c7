//! What AWS must say in a reply.

use super::{Error, Result};

/// A field that AWS documents as always there.
pub trait Need<T> {
    /// The value, or an error that names the field.
    fn need(self, field: &str) -> Result<T>;
}

impl<T> Need<T> for Option<T> {
    fn need(self, field: &str) -> Result<T> {
        self.ok_or_else(|| Error::Reply(format!("AWS's answer lacks {field}")))
    }
}
