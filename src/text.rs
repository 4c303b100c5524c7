//! Bytes as the world writes them: text with or without a mark, and what they are when they are no text, or not the
//! file that was meant. Below it: times as people read them.

pub mod times;

use std::borrow::Cow;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// How every pointer of Git LFS begins (git-lfs, docs/spec.md).
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";
/// What is often saved in a file's place.
const PAGE: &str = "an HTML page";
/// So many bytes of a file show whether it is text.
const SHOWN: usize = 1024;

/// Why bytes are not what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Unreadable {
    /// What they are.
    pub what: Cow<'static, str>,
    /// What to do.
    pub cure: &'static str,
}

impl Unreadable {
    fn new(what: impl Into<Cow<'static, str>>, cure: &'static str) -> Unreadable {
        Unreadable { what: what.into(), cure }
    }
}

/// The same without a byte order mark.
pub fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// Text in UTF-8, without its mark.
///
/// # Errors
/// It is in another encoding, or no text: what it is.
pub fn utf8(bytes: &[u8]) -> Result<&str, Unreadable> {
    not_text(bytes)?;
    std::str::from_utf8(unmarked(bytes)).map_err(|error| {
        let place = error.valid_up_to() + 1;
        let what = format!("it is not UTF-8 (byte {place}): perhaps Latin-1 or another encoding");
        Unreadable::new(what, "Save it as UTF-8.")
    })
}

/// Refuses what cannot be text, by its first bytes.
///
/// # Errors
/// What it is.
pub fn not_text(bytes: &[u8]) -> Result<(), Unreadable> {
    not_the_file(bytes)?;
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err(Unreadable::new("it is UTF-32", "Save it as UTF-8.")),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0x20..=0x7e, ..] | [0x20..=0x7e, 0, ..] => {
            Err(Unreadable::new("it is UTF-16", "Save it as UTF-8."))
        }
        _ => match kind(bytes) {
            None | Some("empty" | "XML") => Ok(()),
            Some(PAGE) => Err(Unreadable::new(format!("it is {PAGE}"), "Perhaps a login was saved in its place.")),
            Some(kind) => Err(Unreadable::new(format!("it is {kind}"), "Name the file with the text.")),
        },
    }
}

/// The certificates of a text in PEM.
///
/// # Errors
/// There is none, or it is broken.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<CertificateDer>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("no certificate in PEM".to_owned()),
        found => found.map_err(|error| error.to_string()),
    }
}

/// Refuses what stands in place of a file: a pointer of Git LFS.
///
/// # Errors
/// What it is.
pub fn not_the_file(bytes: &[u8]) -> Result<(), Unreadable> {
    if unmarked(bytes).starts_with(LFS) {
        let what = "it is a pointer of Git LFS, not the file itself";
        return Err(Unreadable::new(what, "`git lfs pull` fetches the file (in a pipeline: check out with LFS)."));
    }
    Ok(())
}

/// What bytes are by their first ones; `None`: nothing that is known.
pub fn kind(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some("empty");
    }
    let bytes = unmarked(bytes);
    match by_magic(bytes)? {
        kind @ (PAGE | "XML" | "a PDF") => Some(kind),
        // Letters alone prove nothing: a token may begin with BM or ID3, as pictures and sounds do.
        kind => (!is_text(bytes)).then_some(kind),
    }
}

/// Whether bytes could be text: UTF-8 without control characters.
pub fn is_text(bytes: &[u8]) -> bool {
    let first = &bytes[..bytes.len().min(SHOWN)];
    let is_utf8 = std::str::from_utf8(first).map_or_else(|error| error.error_len().is_none(), |_| true);
    is_utf8 && !first.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

fn by_magic(bytes: &[u8]) -> Option<&'static str> {
    let known = infer::get(bytes)?;
    Some(match known.mime_type() {
        "image/jpeg" => "a JPEG",
        "image/png" => "a PNG",
        "image/heif" | "image/heic" => "a HEIF picture (an iPhone's HEIC)",
        "image/avif" => "an AVIF picture",
        "image/webp" => "a WebP picture",
        "image/gif" => "a GIF",
        "image/bmp" => "a BMP picture",
        "image/tiff" => "a TIFF picture",
        "application/pdf" => "a PDF",
        "application/zip" => "a ZIP archive",
        "application/gzip" => "compressed with gzip",
        "application/zstd" => "compressed with zstd",
        "text/html" => PAGE,
        "text/xml" => "XML",
        other if other.starts_with("video/") => "a video",
        other if other.starts_with("audio/") => "a sound",
        other if other.starts_with("image/") => "a picture of another kind",
        _ => return None,
    })
}

/// JSON of an answer, whatever is cosmetically wrong with it: a mark, UTF-16, what follows it (NUL, spaces), bytes that
/// are no UTF-8, half characters, bare line breaks and unknown escapes, numbers that are none (`NaN`). What was wrong
/// in a text leaves a trace in it: no mending makes one word into another.
pub fn lenient_json(bytes: &[u8]) -> Option<serde_json::Value> {
    let wide = utf16(bytes);
    let bytes = wide.as_ref().map_or(unmarked(bytes), String::as_bytes).trim_ascii();
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let bytes = &bytes[..end];
    let strict = serde_json::from_slice(bytes).ok();
    strict.or_else(|| serde_json::from_str(&mended(&String::from_utf8_lossy(bytes), whole)).ok())
}

/// Text in UTF-16, which its mark tells.
fn utf16(bytes: &[u8]) -> Option<String> {
    let unit = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|two| unit([two[0], two[1]])).collect();
    Some(String::from_utf16_lossy(&units))
}

/// The same JSON, where no number is beyond what can be computed with (1e999).
pub fn computable(json: &str) -> String {
    mended(json, |rest| {
        let length = character(rest);
        (&rest[..length], length)
    })
}

/// The length of the character that a text begins with; a backslash and what follows it are one.
fn character(text: &str) -> usize {
    text.chars().take(if text.starts_with('\\') { 2 } else { 1 }).map(char::len_utf8).sum()
}

/// Every text and number of JSON as it is written, texts in their quotes; without the keys.
pub fn scalars(json: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), json);
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = &rest[start..];
        let length = number(rest).map_or_else(|| quoted(rest), |(length, _)| length);
        let (scalar, after) = rest.split_at(length);
        if !(scalar.starts_with('"') && after.trim_start().starts_with(':')) {
            found.push(scalar);
        }
        rest = after;
    }
    found
}

/// The length of the text in quotes that a text begins with.
fn quoted(text: &str) -> usize {
    let mut length = 1;
    while let Some(next) = text[length..].chars().next() {
        length += character(&text[length..]);
        if next == '"' {
            break;
        }
    }
    length
}

/// The same text with numbers that are none, or too large, replaced by null, and what texts hold by what is given.
fn mended(text: &str, inside: impl Fn(&str) -> (&str, usize)) -> String {
    let (mut out, mut rest, mut in_string) = (String::with_capacity(text.len()), text, false);
    while let Some(next) = rest.chars().next() {
        let (written, taken) = match next {
            '"' => {
                in_string = !in_string;
                ("\"", 1)
            }
            _ if in_string => inside(rest),
            _ => match number(rest) {
                Some((word, true)) => ("null", word),
                Some((word, false)) => (&rest[..word], word),
                None => (&rest[..next.len_utf8()], next.len_utf8()),
            },
        };
        out.push_str(written);
        rest = &rest[taken..];
    }
    out
}

/// The length of the number that a text begins with, and whether it is none or too large.
fn number(text: &str) -> Option<(usize, bool)> {
    if let Some(word) = ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| text.starts_with(word)) {
        return Some((word.len(), true));
    }
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then(|| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
        let word = &text[..end.unwrap_or(text.len())];
        (word.len(), word.parse::<f64>().is_ok_and(f64::is_infinite))
    })
}

/// The character that a text begins with, and its length in it. Half a surrogate pair and an escape that is none become
/// U+FFFD, a bare control character becomes a space.
fn whole(text: &str) -> (&str, usize) {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+'))
    };
    if !text.starts_with('\\') {
        let length = character(text);
        return if text.as_bytes()[0] < b' ' { (" ", length) } else { (&text[..length], length) };
    }
    match (unit(0), unit(6)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&text[..12], 12),
        (Some(0xd800..=0xdfff), _) => ("\\ufffd", 6),
        (Some(_), _) => (&text[..6], 6),
        (None, _) if text[1..].starts_with(['"', '\\', '/', 'b', 'f', 'n', 'r', 't']) => (&text[..2], 2),
        (None, _) => ("\\ufffd", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_skipped_and_other_encodings_are_named() {
        assert_eq!(utf8(b"\xef\xbb\xbfa: 1"), Ok("a: 1"));
        assert_eq!(utf8(b""), Ok(""));
        let utf16: Vec<u8> = "{\"a\"".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let rows: [(&[u8], &str); 8] = [
            (&utf16, "UTF-16"),
            (b"\xff\xfe{\0", "UTF-16"),
            (b"\xfe\xff\0{", "UTF-16"),
            (b"\xff\xfe\0\0{\0\0\0", "UTF-32"),
            (b"name: caf\xe9", "not UTF-8 (byte 10)"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
            (b"\x1f\x8b\x08\0\0\0", "gzip"),
            (b"%PDF-1.7", "a PDF"),
        ];
        for (bytes, what) in rows {
            let why = utf8(bytes).unwrap_err();
            assert!(why.what.contains(what) && !why.cure.is_empty(), "{bytes:?}: {}", why.what);
        }
    }

    #[test]
    fn an_answer_is_read_in_spite_of_cosmetic_flaws() {
        let rows: [(&[u8], &str); 13] = [
            (b"\xef\xbb\xbf{\"a\":1}\n", r#"{"a":1}"#),
            (b"\xff\xfe[\x001\0]\0\0\0", "[1]"),
            (b"\xfe\xff\0[\x001\0]", "[1]"),
            (b"[\"b\nc\td\"]", r#"["b c d"]"#),
            (b"[\"C:\\x\", \"\\u+123\"]", "[\"C:\u{fffd}x\", \"\u{fffd}u+123\"]"),
            (b"[\"SUCC\\ESS\", \"SUCCESS\n\"]", "[\"SUCC\u{fffd}ESS\", \"SUCCESS \"]"),
            (b"{\"a\":1}\0\0", r#"{"a":1}"#),
            (b"{\"a\":\"\\ud83d\",\"b\":\"\\ud83d\\ude00\"}", "{\"a\":\"\u{fffd}\",\"b\":\"\u{1f600}\"}"),
            (b"{\"a\":\"caf\xe9\"}", "{\"a\":\"caf\u{fffd}\"}"),
            (b"{\"a\":NaN,\"b\":[-Infinity,\"NaN \\\" NaN\"]}", r#"{"a":null,"b":[null,"NaN \" NaN"]}"#),
            (b"{\"a\":\"\\\\ud83d\"}", r#"{"a":"\\ud83d"}"#),
            (b"{\"a\":1e999,\"b\":-1.5e2}", r#"{"a":null,"b":-1.5e2}"#),
            (b"[]", "[]"),
        ];
        for (bytes, wanted) in rows {
            let wanted: serde_json::Value = serde_json::from_str(wanted).unwrap();
            assert_eq!(lenient_json(bytes), Some(wanted), "{}", String::from_utf8_lossy(bytes));
        }
        for broken in [&b"{\"a\":"[..], b"<html>", b"", b"{\"a\" 1}", b"\xff\xfe{"] {
            assert_eq!(lenient_json(broken), None);
        }
    }

    #[test]
    fn letters_alone_make_no_binary_file() {
        for text in ["BMtoken", "GIFtoken", "ID3token", "{\"img\":\"WEBP\"}", "8BPStoken", "OggStoken"] {
            assert_eq!((kind(text.as_bytes()), not_text(text.as_bytes())), (None, Ok(())), "{text}");
        }
        assert_eq!(kind(b"BM\x36\0\0\0\0\0"), Some("a BMP picture"));
        assert_eq!(kind("\u{feff}<!DOCTYPE html><html>".as_bytes()), Some(PAGE));
    }

    #[test]
    fn scalars_are_those_of_the_json() {
        let json = r#"{"key": "a\"b", "n": [-1.50, 1E400, true, null, "\\"], "again": {"again": "12"}, "again": ""}"#;
        assert_eq!(scalars(json), [r#""a\"b""#, "-1.50", "1E400", r#""\\""#, r#""12""#, r#""""#]);
        assert!(scalars("[]").is_empty());
    }
}
