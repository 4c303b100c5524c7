//! The multipart form of an analysis (RFC 7578).

use bytes::Bytes;

/// A form as it grows.
pub struct Form {
    boundary: String,
    parts: Vec<Bytes>,
}

impl Form {
    /// A form without parts.
    pub fn new() -> Form {
        Form { boundary: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)), parts: Vec::new() }
    }

    /// The same with one more part; names and types are this program's own words, which need no escaping.
    pub fn part(mut self, name: &str, file: Option<&str>, content_type: &str, content: Bytes) -> Form {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nContent-Type: {content_type}\r\n\r\n",
            self.boundary
        );
        self.parts.extend([head.into(), content, Bytes::from_static(b"\r\n")]);
        self
    }

    /// Its type, and its bytes in pieces: pictures are not copied.
    pub fn finish(mut self) -> (String, Vec<Bytes>) {
        self.parts.push(format!("--{}--\r\n", self.boundary).into());
        (format!("multipart/form-data; boundary={}", self.boundary), self.parts)
    }
}
