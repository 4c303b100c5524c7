//! A noun of EC2: its table, how its ids are written and refused, what Describe calls show of it.

use serde_json::{Value, json};

use super::filters::{Filter, passing};
use crate::sandbox::parameters::{Refusal, Reply, refuse, texts};
use crate::sandbox::world::World;

/// What is described by ids and filters.
pub struct Noun {
    /// The call that describes it.
    pub operation: &'static str,
    /// Its table.
    pub table: &'static str,
    /// The reply's list.
    pub set: &'static str,
    /// The parameter with ids.
    pub ids: &'static str,
    /// The row's field with the id.
    pub field: &'static str,
    /// What an id begins with, before the hyphen.
    pub prefix: &'static str,
    /// How the message of a refusal calls it.
    pub name: &'static str,
    /// The code for an id that is not there.
    pub absent: &'static str,
    /// The code for a text that is no id.
    pub malformed: &'static str,
    /// The row as it is shown: with what AWS adds to it.
    pub shown: fn(&World, &Value) -> Value,
    /// Its filters, besides those by tag.
    pub filters: &'static [Filter],
}

impl Noun {
    /// The row of an id.
    ///
    /// # Errors
    /// There is none, or the id is not written like one.
    pub fn row<'a>(&self, world: &'a World, id: &str) -> Result<&'a Value, Refusal> {
        world.row(self.table, id).map_or_else(|| self.refuse(id), Ok)
    }

    /// The row of an id, to change.
    ///
    /// # Errors
    /// As [`Noun::row`].
    pub fn row_mut<'a>(&self, world: &'a mut World, id: &str) -> Result<&'a mut Value, Refusal> {
        world.row_mut(self.table, id).map_or_else(|| self.refuse(id), Ok)
    }

    /// Why there is no row of this id.
    ///
    /// # Errors
    /// Always: that is what it is for.
    pub fn refuse<T>(&self, id: &str) -> Result<T, Refusal> {
        if !is_id(id, self.prefix) {
            return refuse(self.malformed, format!("Invalid id: \"{id}\" (expecting \"{}-...\")", self.prefix));
        }
        refuse(self.absent, format!("The {} '{id}' does not exist", self.name))
    }

    /// Describes by ids and filters.
    ///
    /// # Errors
    /// An id that is not there, a filter that is not known.
    pub fn describe(&self, world: &World, asked: &Value) -> Reply {
        Ok(json!({ self.set: self.rows(world, asked)? }))
    }

    /// The rows that a request asks for, as they are shown.
    ///
    /// # Errors
    /// As [`Noun::describe`].
    pub fn rows(&self, world: &World, asked: &Value) -> Result<Vec<Value>, Refusal> {
        let ids = texts(asked, self.ids);
        for id in &ids {
            self.row(world, id)?;
        }
        let is_here = |row: &&Value| row["_region"].as_str().unwrap_or(&world.region) == asked["_region"];
        let is_asked = |row: &&Value| ids.is_empty() || ids.iter().any(|id| row[self.field] == **id);
        let rows = world.rows(self.table).filter(is_here).filter(is_asked);
        passing(rows.map(|row| (self.shown)(world, row)), asked, self.filters)
    }
}

/// Whether a text is written like an id: `vpc-` and 8 or 17 hexadecimal digits.
pub fn is_id(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
    let is_digit = |one: char| one.is_ascii_digit() || ('a'..='f').contains(&one);
    [8, 17].contains(&digits.len()) && digits.chars().all(is_digit)
}

/// A row that is shown as it is kept.
pub fn as_kept(_: &World, row: &Value) -> Value {
    row.clone()
}

/// Fields that a row lacks, from another tree.
pub fn with_defaults(mut row: Value, defaults: Value) -> Value {
    if let (Some(fields), Value::Object(defaults)) = (row.as_object_mut(), defaults) {
        for (name, value) in defaults {
            let field = fields.entry(name).or_insert(Value::Null);
            if field.is_null() {
                *field = value;
            }
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_prefix_and_eight_or_seventeen_digits() {
        assert!(is_id("i-0123456789abcdef0", "i") && is_id("i-01234567", "i"));
        assert!(!is_id("i-1", "i") && !is_id("vpc-01234567", "i") && !is_id("i-0123456789ABCDEF0", "i"));
    }

    #[test]
    fn defaults_fill_only_what_is_missing() {
        let row = with_defaults(json!({"a": 1, "b": null}), json!({"a": 2, "b": 3, "c": 4}));
        assert_eq!(row, json!({"a": 1, "b": 3, "c": 4}));
    }
}
