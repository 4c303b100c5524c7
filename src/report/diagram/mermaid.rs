//! Mermaid, which GitHub, GitLab and most wikis draw.

use std::fmt::Write;

use super::colours;
use crate::outcome::{Diagram, Look};

/// The picture as a flowchart of Mermaid.
pub fn mermaid(diagram: &Diagram) -> String {
    let mut text = format!("---\ntitle: {}\n---\nflowchart TB\n", serde_json::Value::from(diagram.title.as_str()));
    for one in &diagram.boxes {
        let label = one.lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>");
        let _ = writeln!(text, "    {}[\"{label}\"]:::{}", one.id, one.look.word());
    }
    for arrow in &diagram.arrows {
        let line = if arrow.holds_id { "-->" } else { "-.->" };
        let _ = writeln!(text, "    {} {line} {}", diagram.boxes[arrow.from].id, diagram.boxes[arrow.to].id);
    }
    for look in Look::ALL.into_iter().filter(|look| diagram.boxes.iter().any(|one| one.look == *look)) {
        let (fill, line, ink) = colours(look);
        let dashes = if look == Look::Absent { ",stroke-dasharray:5 3" } else { "" };
        let _ = writeln!(text, "    classDef {} fill:{fill},stroke:{line},color:{ink}{dashes}", look.word());
    }
    text
}

/// Mermaid reads its own entities, `#` and a name, and HTML between quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '#' => escaped.push_str("#35;"),
            '&' => escaped.push_str("#amp;"),
            '"' => escaped.push_str("#quot;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '`' => escaped.push_str("#96;"),
            other if other.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
