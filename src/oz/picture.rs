//! Pictures, recognised by their first bytes and never by their names.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Refused;

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
    pub kind: Kind,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.kind.word(), self.bytes.len())
    }
}

impl Picture {
    /// `None`: neither JPEG nor PNG.
    pub fn new(bytes: Vec<u8>) -> Option<Picture> {
        Kind::sniff(&bytes).map(|kind| Picture { kind, bytes })
    }

    /// Reads a picture's file.
    ///
    /// # Errors
    /// It cannot be read, or is neither JPEG nor PNG.
    pub fn read(path: &std::path::Path) -> Result<Picture, Refused> {
        let at = path.display();
        let bytes = std::fs::read(path)
            .map_err(|error| Refused::new(format!("{at}: {error}"), "Name a picture that can be read."))?;
        Picture::new(bytes).ok_or_else(|| {
            Refused::new(format!("{at}: neither JPEG nor PNG by its first bytes"), "The service takes JPEG and PNG.")
        })
    }

    /// From `data:image/jpeg;base64,…`, as the Web SDK hands it over.
    ///
    /// # Errors
    /// What is wrong with it, without a byte of it.
    pub fn from_data_url(url: &str) -> Result<Picture, &'static str> {
        let rest = url.strip_prefix("data:").ok_or("not a data URL")?;
        let (head, data) = rest.split_once(',').ok_or("a data URL without a comma")?;
        let mime = head.strip_suffix(";base64").ok_or("a data URL that is not base64")?;
        let claimed = match mime.split(';').next().unwrap_or_default() {
            "image/jpeg" | "image/jpg" => Kind::Jpeg,
            "image/png" => Kind::Png,
            _ => return Err("a data URL of another type than image/jpeg or image/png"),
        };
        let bytes = STANDARD.decode(data).map_err(|_| "broken base64")?;
        let picture = Picture::new(bytes).ok_or("neither JPEG nor PNG by its first bytes")?;
        if picture.kind == claimed { Ok(picture) } else { Err("another type than it says, by its first bytes") }
    }

    /// For the service.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
