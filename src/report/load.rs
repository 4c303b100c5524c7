//! What many calls came to, as text.

use std::fmt::Write;

use crate::outcome::{Class, Load};

/// The longest bar, in characters.
const BAR: usize = 40;

/// The figures, and a bar for each class of durations.
pub fn load(load: &Load) -> String {
    let Load { calls, most_in_flight, seconds, duration_ms, .. } = load;
    let rate = load.calls_per_second.map_or("?".to_owned(), |rate| format!("{rate:.1}"));
    let mut text = format!("{calls} calls in {seconds:.1} s: {rate} a second, at most {most_in_flight} at once\n");
    let (Some(min), Some(p50), Some(p95), Some(p99), Some(max)) =
        (duration_ms.min, duration_ms.p50, duration_ms.p95, duration_ms.p99, duration_ms.max)
    else {
        return text;
    };
    let _ = writeln!(text, "min {min} ms, p50 {p50} ms, p95 {p95} ms, p99 {p99} ms, max {max} ms");
    let names: Vec<String> =
        load.histogram.iter().map(|Class { from_ms, to_ms, .. }| format!("{from_ms} to {to_ms} ms")).collect();
    let width = names.iter().map(String::len).max().unwrap_or_default();
    let most = load.histogram.iter().map(|class| class.calls).max().unwrap_or_default().max(1);
    for (name, class) in names.iter().zip(&load.histogram) {
        // One call among many has its mark too.
        let bar = "#".repeat((class.calls * BAR).div_ceil(most));
        let _ = writeln!(text, "{}", format!("  {name:>width$}  {:>6}  {bar}", class.calls).trim_end());
    }
    text
}
