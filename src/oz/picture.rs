//! Pictures, recognised by their first bytes and never by their names.

use std::borrow::Cow;
use std::path::Path;

use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use bytes::Bytes;
use percent_encoding::percent_decode_str;

use super::{Refused, file};
use crate::text;

const SCHEME: &str = "data:";

const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl Kind {
    /// By the magic bytes; `None`: neither JPEG nor PNG.
    pub fn sniff(bytes: &[u8]) -> Option<Kind> {
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Some(Kind::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Kind::Png)
        } else {
            None
        }
    }

    /// Reads a picture's file in place of what is in `bytes`.
    ///
    /// # Errors
    /// It cannot be read, or is neither JPEG nor PNG: what it is.
    pub fn read(bytes: &mut Vec<u8>, path: &Path) -> Result<Kind, Refused> {
        file::read_into(bytes, path, "Name a picture that can be read.")?;
        Kind::sniff(bytes).ok_or_else(|| {
            let kind = text::kind(bytes).or_else(|| text::is_text(bytes).then_some("text"));
            let what = kind.map_or("neither JPEG nor PNG by its first bytes".to_owned(), |kind| {
                format!("it is {kind}, neither JPEG nor PNG")
            });
            Refused::new(format!("{}: {what}", path.display()), "The service takes JPEG and PNG.")
        })
    }

    /// `image/jpeg`, `image/png`.
    pub fn mime(self) -> &'static str {
        match self {
            Kind::Jpeg => "image/jpeg",
            Kind::Png => "image/png",
        }
    }

    /// The ending of a file's name; frames are `.jpeg` in the guide.
    pub fn ending(self) -> &'static str {
        match self {
            Kind::Jpeg => "jpeg",
            Kind::Png => "png",
        }
    }

    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Jpeg => "JPEG",
            Kind::Png => "PNG",
        }
    }
}

/// A picture of a person, exactly as it came: bytes are never encoded anew.
#[derive(Clone)]
pub struct Picture {
    /// By its first bytes.
    pub kind: Kind,
    bytes: Bytes,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.kind.word(), self.bytes.len())
    }
}

impl Picture {
    /// `None`: neither JPEG nor PNG.
    pub fn new(bytes: Vec<u8>) -> Option<Picture> {
        Kind::sniff(&bytes).map(|kind| Picture { kind, bytes: bytes.into() })
    }

    /// Reads a picture's file.
    ///
    /// # Errors
    /// It cannot be read, or is neither JPEG nor PNG: what it is.
    pub fn read(path: &Path) -> Result<Picture, Refused> {
        let mut bytes = Vec::new();
        let kind = Kind::read(&mut bytes, path)?;
        Ok(Picture { kind, bytes: bytes.into() })
    }

    /// From `data:image/jpeg;base64,…`, as the Web SDK hands it over, and as browsers take it: letters of either
    /// case, parameters, percent escapes, white space (WHATWG Fetch, "data: URL processor").
    ///
    /// # Errors
    /// What is wrong with it, without a byte of it.
    pub fn from_data_url(url: &str) -> Result<Picture, &'static str> {
        let (mime, data) = parts(url)?;
        let claimed = match mime.as_str() {
            "image/jpeg" | "image/jpg" => Kind::Jpeg,
            "image/png" => Kind::Png,
            _ => return Err("a data URL of another type than image/jpeg or image/png"),
        };
        let picture = decode(&data)?;
        if picture.kind == claimed { Ok(picture) } else { Err("another type than it says, by its first bytes") }
    }

    /// From base64 as browsers take it: white space anywhere, padding or none (WHATWG Infra, "forgiving-base64
    /// decode"). A service may hand over a whole data URL, and call a JPEG a PNG, as the guide's own sample does.
    ///
    /// # Errors
    /// What is wrong with it, without a byte of it.
    pub fn from_base64(data: &str) -> Result<Picture, &'static str> {
        if is_data_url(data.trim_ascii_start()) { decode(&parts(data)?.1) } else { decode(data) }
    }

    /// For the service; clones share them.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

fn is_data_url(text: &str) -> bool {
    text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// The type that a data URL says, and its base64.
fn parts(url: &str) -> Result<(String, Cow<'_, str>), &'static str> {
    let url = url.trim_ascii();
    if !is_data_url(url) {
        return Err("not a data URL");
    }
    let (head, data) = url[SCHEME.len()..].split_once(',').ok_or("a data URL without a comma")?;
    let mut parameters = head.split(';').map(str::trim_ascii);
    let mime = parameters.next().unwrap_or_default().to_ascii_lowercase();
    if !parameters.next_back().is_some_and(|last| last.eq_ignore_ascii_case("base64")) {
        return Err("a data URL that is not base64");
    }
    if !data.contains('%') {
        return Ok((mime, data.into())); // as cameras' frames are: to look for escapes letter by letter is slow
    }
    Ok((mime, percent_decode_str(data).decode_utf8().map_err(|_| "broken base64")?))
}

fn decode(base64: &str) -> Result<Picture, &'static str> {
    // White space is looked for only in what cannot be read as it is, which is rare.
    let bytes = FORGIVING.decode(base64).or_else(|broken| {
        let has_spaces = base64.bytes().any(|byte| byte.is_ascii_whitespace());
        let without = || base64.split_ascii_whitespace().collect::<String>();
        if has_spaces { FORGIVING.decode(without()) } else { Err(broken) }
    });
    Picture::new(bytes.map_err(|_| "broken base64")?).ok_or("neither JPEG nor PNG by its first bytes")
}
