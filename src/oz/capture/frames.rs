//! Frames as the ZIP that the service takes.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::oz::Sensitive;
use crate::oz::picture::Kind;

/// Room for what a ZIP says of its files: some hundred bytes each.
const ENTRIES: usize = 256 << 10;

/// The ZIP as it grows, in memory. Stored: pictures do not become smaller.
pub struct Frames {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    skip_first: bool,
    /// How many came.
    pub seen: usize,
    stored: usize,
    /// Bytes of those that are stored.
    pub bytes: u64,
}

impl Frames {
    /// No frame yet, and room for so many bytes of them: what is not written costs nothing, and what is never moves.
    /// The first one is left out when it is to be.
    pub fn new(skip_first: bool, room: u64) -> Frames {
        let mut zip = Vec::new();
        let room = usize::try_from(room).unwrap_or_default();
        let _ = zip.try_reserve_exact(room + ENTRIES); // it grows where there is not so much at once
        Frames { zip: ZipWriter::new(Cursor::new(zip)), skip_first, seen: 0, stored: 0, bytes: 0 }
    }

    /// One more. Names are the guide's, numbered without gaps.
    ///
    /// # Panics
    /// Past the limits of a ZIP, which are checked before.
    pub fn add(&mut self, kind: Kind, picture: &[u8]) {
        self.seen += 1;
        if self.skip_first && self.seen == 1 {
            return;
        }
        self.stored += 1;
        self.bytes += picture.len() as u64;
        let name = format!("img-1-{:05}.{}", self.stored, kind.ending());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        self.zip
            .start_file(name, options)
            .map_err(std::io::Error::from)
            .and_then(|()| self.zip.write_all(picture))
            .expect("a ZIP in memory takes what is below its limits, which were checked");
    }

    /// The ZIP, and how many frames it holds.
    ///
    /// # Panics
    /// Never: it is in memory.
    pub fn finish(self) -> (Sensitive<Vec<u8>>, usize) {
        let zip = self.zip.finish().expect("a ZIP in memory has room").into_inner();
        (Sensitive::new(zip), self.stored)
    }
}
