//! A directory of frames.

use std::path::{Path, PathBuf};

use super::frames::Frames;
use super::{BLANK, Contents, LARGEST_FRAME, MOST};
use crate::oz::Refused;
use crate::oz::picture::Kind;

/// The frames of a directory, in the order of the numbers in their names: 2 before 10.
///
/// # Errors
/// One is no picture, or their order cannot be known.
pub fn read(path: &Path, skip_first: bool) -> Result<Contents, Refused> {
    let cure = "A directory of a capture holds its frames, JPEG or PNG, in the order of the numbers in their names.";
    let refused = |what: String| Refused::new(what, cure);
    let listed = std::fs::read_dir(path).and_then(std::iter::Iterator::collect::<Result<Vec<_>, _>>);
    let listed = listed.map_err(|error| refused(format!("{}: {error}", path.display())))?;
    let mut files: Vec<PathBuf> =
        listed.iter().map(std::fs::DirEntry::path).filter(|path| !path.is_dir() && !is_hidden(path)).collect();
    files.sort(); // so that what is alike by its numbers is told in one order
    let is_other_order = in_order(&mut files)?;
    let sizes = files.iter().map(|file| size(file)).collect::<Result<Vec<u64>, String>>().map_err(refused)?;
    let whole = sizes.iter().sum();
    if whole > MOST {
        return Err(refused(format!("{}: more than 2 GiB of frames", path.display())));
    }
    let (mut frames, mut picture) = (Frames::new(skip_first, whole), Vec::new());
    for file in &files {
        let kind = Kind::read(&mut picture, file)?;
        frames.add(kind, &picture);
    }
    let size = frames.bytes;
    let (zip, frames) = frames.finish();
    let order = is_other_order.then(|| format!("frames are sent in the order of their numbers: {}", told(&files)));
    let gap = gap(&files).map(|(before, after)| format!("no frame is between {before} and {after}: is one missing?"));
    let order = [order, gap].into_iter().flatten().reduce(|one, other| format!("{one}; {other}"));
    match frames {
        0 => Err(refused(format!("{}: no frames", path.display()))),
        _ => Ok(Contents { zip, frames, action: Some(BLANK.to_owned()), size, order, ..Contents::default() }),
    }
}

/// The bytes of a frame's file.
fn size(file: &Path) -> Result<u64, String> {
    // A link that leads nowhere is a frame that would be left out.
    let data = file.metadata().map_err(|error| format!("{}: {error}", file.display()))?;
    match data.len() {
        _ if !data.is_file() => Err(format!("{}: it is no file", file.display())),
        bytes if bytes > LARGEST_FRAME as u64 => Err(format!("{}: {bytes} bytes are no frame", file.display())),
        bytes => Ok(bytes),
    }
}

/// Sorts by the numbers within names; whether that is another order than that of the letters.
fn in_order(files: &mut [PathBuf]) -> Result<bool, Refused> {
    let by_letters = files.to_vec();
    let key = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    files.sort_by(|a, b| alphanumeric_sort::compare_str(key(a), key(b)));
    let alike = files.windows(2).find(|two| unpadded(&key(&two[0])) == unpadded(&key(&two[1])));
    if let Some([one, other]) = alike {
        let what = format!("{} and {}: which of them comes first is not known", one.display(), name(other));
        return Err(Refused::new(what, "Number the frames from 1 on, each number once."));
    }
    Ok(by_letters != files)
}

/// The same name with numbers that begin with no zero: 01 and 1 are one number.
fn unpadded(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for (at, letter) in name.char_indices() {
        let follows = name[at + letter.len_utf8()..].starts_with(|next: char| next.is_ascii_digit());
        if letter != '0' || !follows || plain.ends_with(|last: char| last.is_ascii_digit()) {
            plain.push(letter);
        }
    }
    plain
}

/// The first place where numbers go on by more than elsewhere; frames may be numbered by fives.
fn gap(files: &[PathBuf]) -> Option<(String, String)> {
    let numbers: Option<Vec<(String, u64)>> = files.iter().map(|file| numbered(file)).collect();
    let numbers = numbers?;
    let steps = numbers.windows(2).map(|two| if two[0].0 == two[1].0 { two[1].1.saturating_sub(two[0].1) } else { 0 });
    let steps: Vec<u64> = steps.collect();
    let least = steps.iter().copied().filter(|step| *step > 0).min()?;
    let at = steps.iter().position(|step| *step > least)?;
    Some((name(&files[at]), name(&files[at + 1])))
}

/// What is before the last number of a name, and that number.
fn numbered(path: &Path) -> Option<(String, u64)> {
    let stem = path.file_stem()?.to_str()?.to_lowercase();
    let before = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((before.to_owned(), stem[before.len()..].parse().ok()?))
}

fn told(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|file| name(file)).collect();
    crate::outcome::few(&names, ", ")
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}
