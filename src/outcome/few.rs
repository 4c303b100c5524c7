//! Lists in a line of text.

/// How many of a list a line shows.
const SHOWN: usize = 5;

/// The first few of a list, and how many more there are: no line grows with the fleet. -v logs the whole list.
pub fn few<T: AsRef<str>>(all: &[T], separator: &str) -> String {
    let joined = |some: &[T]| some.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(separator);
    if all.len() <= SHOWN {
        return joined(all);
    }
    tracing::debug!("all {}: {}", all.len(), joined(all));
    format!("{}{separator}and {} more", joined(&all[..SHOWN]), all.len() - SHOWN)
}

#[cfg(test)]
mod tests {
    use super::few;

    #[test]
    fn a_line_does_not_grow_with_its_list() {
        let all: Vec<String> = (0..500).map(|number| format!("i-{number}")).collect();
        assert_eq!(few(&all, ", "), "i-0, i-1, i-2, i-3, i-4, and 495 more");
        assert_eq!(few(&all[..5], "; "), "i-0; i-1; i-2; i-3; i-4");
        assert_eq!(few::<String>(&[], "; "), "");
    }
}
