//! SVG: a picture that every browser shows, on a light page and on a dark one. It has no script and asks for nothing.

use std::fmt::Write;

use quick_xml::escape::escape;

use super::colours;
use super::layers::{Layout, lay_out};
use crate::outcome::{Diagram, DrawnBox, Look};

/// The height of a line of text.
const LINE: f64 = 16.0;
/// Room around the text of a box.
const INSET: f64 = 12.0;
/// How wide a character is at most, in the usual fonts of this size.
const CHARACTER: f64 = 7.1;
/// Room for the title.
const TITLE: f64 = 34.0;
/// Room for what the looks mean.
const LEGEND: f64 = 30.0;

/// The picture as an image.
pub fn svg(diagram: &Diagram) -> String {
    let sizes: Vec<(f64, f64)> = diagram.boxes.iter().map(size).collect();
    let arrows: Vec<(usize, usize)> = diagram.arrows.iter().map(|arrow| (arrow.from, arrow.to)).collect();
    let layout = lay_out(&sizes, &arrows);
    let title = escape(diagram.title.as_str());
    let (width, height) = (layout.width.max(560.0).ceil(), (layout.height + TITLE + LEGEND).ceil());
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n<style>{}</style>\n{TIP}\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"22\" y=\"28\">{title}</text>\n<g transform=\"translate(0 {TITLE})\">\n",
        style()
    );
    for (arrow, route) in diagram.arrows.iter().zip(&layout.routes) {
        let class = if arrow.holds_id { "arrow" } else { "arrow order" };
        let _ = writeln!(text, "<path class=\"{class}\" marker-end=\"url(#tip)\" d=\"{}\"/>", path(route));
    }
    for (place, one) in diagram.boxes.iter().enumerate() {
        text += &drawn(one, sizes[place], layout.tops[place]);
    }
    text += "</g>\n";
    text += &legend(diagram, &layout);
    text + "</svg>\n"
}

/// The tip of an arrow, in the arrow's own colour.
const TIP: &str = "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
    markerHeight=\"8\" orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>";

/// The colours of a light page, and those of a dark one where the reader's is.
fn style() -> String {
    let mut light = String::from(
        ".page{fill:#fff}text{font:12px system-ui,sans-serif}.title{font-size:16px;font-weight:600}\
         .first{font-weight:600}.arrow{fill:none;stroke:#66707c}.tip{fill:#66707c}.order{stroke-dasharray:4 4}\
         .title,.legend{fill:#16202c}.absent rect{stroke-dasharray:5 3}",
    );
    let mut dark =
        String::from(".page{fill:#14181d}.arrow{stroke:#97a2ae}.tip{fill:#97a2ae}.title,.legend{fill:#e6ebf1}");
    for look in Look::ALL {
        let (word, (fill, line, ink)) = (look.word(), colours(look));
        let _ = write!(light, ".{word} rect{{fill:{fill};stroke:{line}}}.{word} text{{fill:{ink}}}");
        let (fill, line, ink) = match look {
            Look::Wanted => ("#232b35", "#8896a7", "#e6ebf1"),
            Look::Good => ("#16331d", "#5fb870", "#dcf5e1"),
            Look::Absent => ("#22252a", "#8b9097", "#c3c8ce"),
            Look::Wrong => ("#42170f", "#ef7d68", "#ffe3dd"),
            Look::Given => ("#352b0e", "#cda740", "#fbefcb"),
        };
        let _ = write!(dark, ".{word} rect{{fill:{fill};stroke:{line}}}.{word} text{{fill:{ink}}}");
    }
    format!("{light}@media (prefers-color-scheme:dark){{{dark}}}")
}

fn size(of: &DrawnBox) -> (f64, f64) {
    let widest = of.lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    (widest as f64 * CHARACTER + 2.0 * INSET, of.lines.len() as f64 * LINE + INSET)
}

fn drawn(one: &DrawnBox, (width, height): (f64, f64), (x, y): (f64, f64)) -> String {
    let (look, id, left) = (one.look.word(), escape(one.id.as_str()), x - width / 2.0);
    let mut text = format!(
        "<g class=\"{look}\" id=\"{id}\"><rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\" rx=\"6\"/>"
    );
    for (number, line) in one.lines.iter().enumerate() {
        let class = if number == 0 { " class=\"first\"" } else { "" };
        let base = y + INSET / 2.0 + LINE * (number as f64 + 0.75);
        // XML has no place for most control characters, not even escaped.
        let plain: String = line.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
        let _ = write!(
            text,
            "<text{class} x=\"{x:.1}\" y=\"{base:.1}\" text-anchor=\"middle\">{}</text>",
            escape(plain.as_str())
        );
    }
    text + "</g>\n"
}

/// A curve that leaves and arrives straight down.
fn path(route: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (place, (x, y)) in route.iter().enumerate() {
        let _ = match place.checked_sub(1).map(|before| route[before]) {
            None => write!(path, "M{x:.1} {y:.1}"),
            Some((from, start)) => {
                let middle = f64::midpoint(start, *y);
                write!(path, "C{from:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}")
            }
        };
    }
    path
}

/// What the lines and the looks mean, in words.
fn legend(diagram: &Diagram, layout: &Layout) -> String {
    let y = layout.height + TITLE + LEGEND / 2.0;
    let mut words = "an arrow leads to what something depends on; dashed: it is only made after that".to_owned();
    let has = |look: Look| diagram.boxes.iter().any(|one| one.look == look);
    for (look, meaning) in [(Look::Given, "yellow: not made here"), (Look::Absent, "dashed box: absent")] {
        if has(look) {
            words = format!("{words}; {meaning}");
        }
    }
    format!("<text class=\"legend\" x=\"22\" y=\"{y:.1}\">{words}</text>\n")
}
