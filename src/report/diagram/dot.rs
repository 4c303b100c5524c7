//! The language of Graphviz.

use std::fmt::Write;

use super::colours;
use crate::outcome::{Diagram, Look};

/// The picture as a graph of Graphviz: `dot -Tpdf`.
pub fn dot(diagram: &Diagram) -> String {
    let mut text = format!(
        "digraph stack {{\n    label={};\n    labelloc=t;\n    fontname=\"sans-serif\";\n    \
         node [shape=box, fontname=\"sans-serif\", fontsize=11];\n",
        quoted(&[&diagram.title])
    );
    for one in &diagram.boxes {
        let lines: Vec<&str> = one.lines.iter().map(String::as_str).collect();
        let (fill, line, ink) = colours(one.look);
        let style = if one.look == Look::Absent { "rounded,filled,dashed" } else { "rounded,filled" };
        let _ = writeln!(
            text,
            "    {} [label={}, style=\"{style}\", fillcolor=\"{fill}\", color=\"{line}\", fontcolor=\"{ink}\"];",
            one.id,
            quoted(&lines)
        );
    }
    for arrow in &diagram.arrows {
        let style = if arrow.holds_id { "" } else { " [style=dashed]" };
        let _ = writeln!(text, "    {} -> {}{style};", diagram.boxes[arrow.from].id, diagram.boxes[arrow.to].id);
    }
    text + "}\n"
}

/// A string of several lines. A backslash begins an escape.
fn quoted(lines: &[&str]) -> String {
    let plain = |line: &&str| -> String {
        let one_line = line.chars().map(|one| if one.is_control() { ' ' } else { one }).collect::<String>();
        one_line.replace('\\', "\\\\").replace('"', "\\\"")
    };
    format!("\"{}\"", lines.iter().map(plain).collect::<Vec<_>>().join("\\n"))
}
