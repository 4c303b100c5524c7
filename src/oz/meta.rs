//! A person's metadata, which goes to the service byte for byte as it came.

use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Redaction, Refused, Sensitive, file};
use crate::flags;
use crate::text;

/// A JSON object: its numbers, its order and its spaces are kept.
#[derive(Debug, Clone)]
pub struct Meta(Sensitive<Box<RawValue>>);

impl Default for Meta {
    fn default() -> Meta {
        Meta(Sensitive::new(RawValue::from_string("{}".to_owned()).expect("an empty object is JSON")))
    }
}

impl Meta {
    /// From the JSON of a capture's `meta`; null is no metadata.
    ///
    /// # Errors
    /// The place of what is wrong, without its value: `user.name: …`.
    pub fn new(raw: Box<RawValue>) -> Result<Meta, String> {
        if raw.get() == "null" {
            return Ok(Meta::default());
        }
        read(raw.get())?;
        Ok(Meta(Sensitive::new(raw)))
    }

    /// From a file with one JSON object.
    ///
    /// # Errors
    /// It cannot be read, or holds none.
    pub fn read(path: &Path) -> Result<Meta, Refused> {
        let cure = format!("{} names a file with one JSON object.", flags::META);
        let bytes = file::read(path, &cure)?;
        let json = text::utf8(&bytes).map_err(|why| file::refused(path, &why))?;
        let wrong = |what: String| Refused::new(format!("{}: {what}", path.display()), &cure);
        read(json).map_err(wrong)?;
        let raw = serde_json::from_str::<Box<RawValue>>(json).map_err(|error| wrong(flaw(&error)))?;
        Ok(Meta(Sensitive::new(raw)))
    }

    /// For the service.
    pub fn expose(&self) -> &RawValue {
        self.0.expose()
    }

    /// Withholds every value, as it was written and as a server may say it: of a key that is there twice, both.
    pub fn withhold_in(&self, redaction: &mut Redaction) {
        for scalar in text::scalars(self.0.expose().get()) {
            let bare = scalar.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            redaction.withhold(bare.unwrap_or(scalar));
            match serde_json::from_str(scalar) {
                Ok(Value::String(text)) => redaction.withhold(&text),
                Ok(number) => {
                    let words = number.to_string();
                    redaction.withhold(words.trim_end_matches(".0"));
                    redaction.withhold(&words);
                }
                Err(_) => {}
            }
        }
    }
}

/// Whether this is an object that can be read to its last character.
fn read(json: &str) -> Result<(), String> {
    let json = text::computable(json);
    let mut deserializer = serde_json::Deserializer::from_str(&json);
    let read: Result<Map<String, Value>, _> = serde_path_to_error::deserialize(&mut deserializer);
    let read = read.map_err(|error| {
        let (place, flaw) = (error.path().to_string(), flaw(error.inner()));
        // Keys are a person's own words too: not too many of them, and nothing that a terminal obeys.
        if place == "." { flaw } else { format!("{}: {flaw}", Redaction::default().clean(&place)) }
    });
    read.and_then(|_| deserializer.end().map_err(|error| flaw(&error)))
}

/// What is wrong with JSON, and where, without a word of it: serde_json's own words may quote it.
pub fn flaw(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the JSON ends too early",
        _ if words.contains("surrogate") || words.contains("hex escape") => {
            "a broken character (half of a pair, as when an emoji was cut)"
        }
        _ if words.contains("unicode code point") => "bytes that are not UTF-8: save it as UTF-8",
        _ if words.contains("recursion") => "nested too deep",
        serde_json::error::Category::Data => "not of the shape that is wanted",
        _ => "not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}
