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

/// The one item of a list that must have one.
pub fn only<T>(list: Vec<T>, field: &str) -> Result<T> {
    let count = list.len();
    match list.into_iter().next() {
        Some(item) if count == 1 => Ok(item),
        _ => Err(Error::Reply(format!(
            "AWS's answer has {count} {field} where one is expected"
        ))),
    }
}
