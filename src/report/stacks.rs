//! The stacks of an account, as a table.

use std::fmt::Write;

use crate::outcome::ListedStack;
use crate::text::times::took;

/// One line a stack, under a line of headings; nothing where there is none.
pub fn stacks(stacks: &[ListedStack]) -> String {
    if stacks.is_empty() {
        return String::new();
    }
    let head = ["STACK", "RESOURCES", "MIN/NOW/MAX", "RUNNING", "EXPIRES", "LOAD BALANCER"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(stacks.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

fn row(stack: &ListedStack) -> [String; 6] {
    let number = |number: Option<i32>| number.map_or("?".to_owned(), |number| number.to_string());
    let resources = stack.resources.map_or("unknown".to_owned(), |count| count.to_string());
    let left = if stack.incomplete == Some(true) { " (incomplete)" } else { "" };
    // What was not seen may be there all the same.
    let none = if stack.resources.is_none() { "?" } else { "-" };
    let sizes = match stack.desired {
        None => none.to_owned(),
        desired => format!("{}/{}/{}", number(stack.min), number(desired), number(stack.max)),
    };
    let running = match stack.running {
        _ if stack.parked == Some(true) => "parked".to_owned(),
        running => running.map_or(none.to_owned(), |running| running.to_string()),
    };
    let balancer = stack.load_balancer.clone().unwrap_or_else(|| none.to_owned());
    [stack.stack.clone(), format!("{resources}{left}"), sizes, running, expiry(stack, none), balancer]
}

fn expiry(stack: &ListedStack, none: &str) -> String {
    let long = |seconds: i64| took(seconds as f64);
    match (&stack.expires, stack.expires_in_seconds) {
        (None, _) => none.to_owned(),
        (Some(time), None) => format!("{time:?} is no time"),
        (Some(time), Some(left)) if left <= 0 => format!("{time} (expired {} ago)", long(-left)),
        (Some(time), Some(left)) => format!("{time} (in {})", long(left)),
    }
}
