//! HCL, Terraform's language: blocks, values and how text is written in it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands for an id: an expression that Terraform knows it by.
pub type Names = BTreeMap<String, String>;

/// A block: its head, and what is in its braces.
#[derive(Debug, Default)]
pub struct Block {
    head: String,
    notes: Vec<String>,
    fields: Vec<(String, Field)>,
    blocks: Vec<Block>,
}

#[derive(Debug)]
enum Field {
    Value(Value),
    /// A value that AWS takes as a text of JSON.
    Json(Value),
    Expression(String),
}

impl Block {
    /// An empty block.
    pub fn new(head: impl Into<String>) -> Block {
        Block { head: head.into(), ..Block::default() }
    }

    /// The same with a field.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Block {
        self.fields.push((name.to_owned(), Field::Value(value.into())));
        self
    }

    /// The same with a field, where there is a value.
    pub fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Block {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// The same with a list, where it is not empty.
    pub fn list(self, name: &str, values: Vec<String>) -> Block {
        if values.is_empty() { self } else { self.field(name, values) }
    }

    /// The same with a document as a text of JSON.
    pub fn json(mut self, name: &str, value: Value) -> Block {
        self.fields.push((name.to_owned(), Field::Json(value)));
        self
    }

    /// The same with a field that is an expression.
    pub fn expression(mut self, name: &str, expression: impl Into<String>) -> Block {
        self.fields.push((name.to_owned(), Field::Expression(expression.into())));
        self
    }

    /// The same with a block in it.
    pub fn block(mut self, block: Block) -> Block {
        self.blocks.push(block);
        self
    }

    /// The same with comments above it.
    pub fn noting(mut self, notes: Vec<String>) -> Block {
        self.notes.extend(notes);
        self
    }

    /// As text. Ids that have a name are written by it.
    pub fn written(&self, names: &Names) -> String {
        let mut text = String::new();
        self.write(&mut text, 0, names);
        text
    }

    fn write(&self, text: &mut String, depth: usize, names: &Names) {
        let indent = "  ".repeat(depth);
        for note in self.notes.iter().flat_map(|note| note.lines()) {
            text.push_str(&format!("{indent}# {note}\n"));
        }
        text.push_str(&format!("{indent}{} {{\n", self.head));
        let fields: Vec<(&String, String)> =
            self.fields.iter().map(|(name, field)| (name, field.written(depth + 1, names))).collect();
        for run in fields.chunk_by(|one, other| !one.1.contains('\n') && !other.1.contains('\n')) {
            // As `terraform fmt` has it: the signs of a run of lines stand below each other.
            let width = run.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
            for (name, value) in run {
                text.push_str(&format!("{indent}  {name:width$} = {value}\n"));
            }
        }
        for block in &self.blocks {
            block.write(text, depth + 1, names);
        }
        text.push_str(&format!("{indent}}}\n"));
    }
}

impl Field {
    fn written(&self, depth: usize, names: &Names) -> String {
        match self {
            Field::Value(value) => written(value, depth, names),
            Field::Json(value) => format!("jsonencode({})", written(value, depth, names)),
            Field::Expression(expression) => expression.clone(),
        }
    }
}

fn written(value: &Value, depth: usize, names: &Names) -> String {
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_i64() && float.fract() == 0.0 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        Value::String(text) => names.get(text).cloned().unwrap_or_else(|| quoted(text)),
        Value::Array(values) if values.iter().any(|value| value.is_object() || value.is_array()) => {
            let mut lines = String::new();
            for value in values {
                lines.push_str(&format!("{inner}{},\n", written(value, depth + 1, names)));
            }
            format!("[\n{lines}{outer}]")
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(|value| written(value, depth, names)).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<(String, String)> =
                fields.iter().map(|(name, value)| (quoted(name), written(value, depth + 1, names))).collect();
            let mut lines = String::new();
            for run in fields.chunk_by(|one, other| !one.1.contains('\n') && !other.1.contains('\n')) {
                let width = run.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
                run.iter().for_each(|(name, value)| lines.push_str(&format!("{inner}{name:width$} = {value}\n")));
            }
            format!("{{\n{lines}{outer}}}")
        }
    }
}

/// A text as HCL takes it: `${` and `%{` begin a template, unless they are doubled.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => quoted.extend([character, character]),
            other if other.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Block, Names, quoted};

    #[test]
    fn text_is_never_a_template() {
        assert_eq!(quoted("a \"b\" \\ ${x} %{if} $ 5%\n\u{1}"), r#""a \"b\" \\ $${x} %%{if} $ 5%\n\u0001""#);
        assert_eq!(quoted("$${x}"), r#""$$${x}""#, "a doubled sign too");
    }

    #[test]
    fn values_are_written_as_fmt_has_them() {
        let names = Names::from([("sg-1".to_owned(), "aws_security_group.one.id".to_owned())]);
        let block = Block::new("resource \"aws_lb\" \"one\"")
            .field("name", "n")
            .field("security_groups", json!(["sg-1", "sg-2"]))
            .json("policy", json!({"A": [{"B": 1.0}], "C${d}": null}))
            .block(Block::new("alias").field("on", true))
            .noting(vec!["first\nsecond".to_owned()]);
        let wanted = "# first\n# second\nresource \"aws_lb\" \"one\" {\n  name            = \"n\"\n  \
                      security_groups = [aws_security_group.one.id, \"sg-2\"]\n  policy = jsonencode({\n    \
                      \"A\" = [\n      {\n        \"B\" = 1\n      },\n    ]\n    \"C$${d}\" = null\n  })\n  \
                      alias {\n    on = true\n  }\n}\n";
        assert_eq!(block.written(&names), wanted);
    }
}
