//! What the Web SDK's `on_capture_complete` hands over (guide, "Validating Your Client's Liveness", steps 1 and 2),
//! or a directory of frames, as the ZIP that the service takes.

mod directory;
mod frames;
mod parse;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{Meta, Refused, Sensitive, file};
use crate::flags;
use crate::text;
pub use frames::Frames;
use parse::parse;

/// A frame beyond this is no frame, and would break the bound on memory.
const LARGEST_FRAME: usize = 32 << 20;
/// More of a capture than this is refused: the parts of a ZIP that every server reads are below 4 GiB.
const MOST: u64 = 2 << 30;

/// A capture, ready to be sent.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Frames as `img-1-00001.jpeg` and so on, stored.
    pub zip: Sensitive<Bytes>,
    /// How many.
    pub frames: usize,
    /// The action's tag: `video_selfie_blank`.
    pub tag: String,
    /// What the capture architecture needs, opaque.
    pub additional_info: Option<Sensitive<String>>,
    /// Into `folder:meta_data`, verbatim.
    pub meta: Meta,
    /// What is to be told of the order of its frames.
    pub order: Option<String>,
    /// Bytes of the file, or of the frames of a directory: the bound of memory depends on it.
    pub size: u64,
}

/// What the command line says overrides the capture itself.
#[derive(Debug, Clone, Default)]
pub struct CaptureOverrides {
    /// In place of the capture's action.
    pub tag: Option<String>,
    /// A JSON object in place of the capture's meta.
    pub meta: Option<PathBuf>,
    /// The text in place of the capture's additional_info.
    pub additional_info: Option<PathBuf>,
    /// Leave the first frame out: the guide's `frame_list[1..N]`, counted from zero.
    pub skip_first: bool,
}

/// The guide's own action, for a directory, which names none.
const BLANK: &str = "video_selfie_blank";

impl Capture {
    /// Reads a capture's file, or a directory of frames in the order of their names.
    ///
    /// # Errors
    /// Whatever the service would refuse, with its place: before any call, and without a byte of its content.
    pub fn read(path: &Path, overrides: &CaptureOverrides) -> Result<Capture, Refused> {
        let at = path.display().to_string();
        let meta = overrides.meta.as_deref().map(Meta::read).transpose()?;
        let info = overrides.additional_info.as_deref().map(read_info).transpose()?;
        let mut contents = if path.is_dir() {
            directory::read(path, overrides.skip_first)?
        } else {
            let unreadable =
                |error: std::io::Error| Refused::new(format!("{at}: {error}"), "Name a capture that can be read.");
            let file = File::open(path).map_err(unreadable)?;
            let size = file.metadata().map_err(unreadable)?.len();
            if size > MOST {
                return Err(Refused::new(format!("{at}: {size} bytes are no capture"), "At most 2 GiB are read."));
            }
            let mut text = BufReader::with_capacity(64 << 10, file);
            begin(&mut text).map_err(|refused| refused.at(&at))?;
            let mut contents = parse(text, size, overrides.skip_first).map_err(|refused| refused.at(&at))?;
            contents.size = size;
            contents
        };
        if let Some(tag) = &overrides.tag {
            contents.action = Some(tag.clone());
        }
        let Some(tag) = contents.action.filter(|tag| is_tag(tag)) else {
            return Err(Refused::new(
                format!("{at}: no usable action"),
                format!(
                    "The SDK says as `action` which gesture was asked for; name it with {} video_selfie_blank.",
                    flags::TAG
                ),
            ));
        };
        Ok(Capture {
            zip: Sensitive::new(contents.zip.into_inner().into()),
            frames: contents.frames,
            tag,
            additional_info: info.or(contents.additional_info),
            meta: meta.unwrap_or(contents.meta),
            order: contents.order,
            size: contents.size,
        })
    }

    /// The same of a capture in memory.
    ///
    /// # Errors
    /// As [`Capture::read`].
    pub fn parse(mut text: &[u8], skip_first: bool) -> Result<Capture, Refused> {
        let size = text.len() as u64;
        begin(&mut text)?;
        let contents = parse(text, size, skip_first)?;
        let missing = || Refused::new("no usable action", "The SDK gives it as `action`.");
        Ok(Capture {
            zip: Sensitive::new(contents.zip.into_inner().into()),
            frames: contents.frames,
            tag: contents.action.filter(|tag| is_tag(tag)).ok_or_else(missing)?,
            additional_info: contents.additional_info,
            meta: contents.meta,
            order: None,
            size,
        })
    }
}

/// Skips a byte order mark, and refuses what cannot be a capture by its first bytes.
fn begin(text: &mut impl BufRead) -> Result<(), Refused> {
    let cure = "Hand over what the Web SDK's on_capture_complete gave, as JSON; or a directory of frames.";
    let first = text.fill_buf().map_err(|error| Refused::new(error.to_string(), cure))?;
    if let Some(kind) = text::kind(first) {
        return Err(Refused::new(format!("it is {kind}, and a capture is JSON"), cure));
    }
    text::not_text(first).map_err(|why| Refused::new(why.to_string(), why.cure))?;
    let mark = first.len() - text::unmarked(first).len();
    text.consume(mark);
    Ok(())
}

/// Tags are words: anything else would be a person's data in the wrong place.
fn is_tag(tag: &str) -> bool {
    (1..=64).contains(&tag.len())
        && tag.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What a capture says of itself.
#[derive(Debug, Default)]
struct Contents {
    zip: Sensitive<Vec<u8>>,
    frames: usize,
    action: Option<String>,
    additional_info: Option<Sensitive<String>>,
    meta: Meta,
    order: Option<String>,
    size: u64,
}

fn read_info(path: &Path) -> Result<Sensitive<String>, Refused> {
    let bytes = file::read(path, &format!("{} names a file with the SDK's text.", flags::ADDITIONAL_INFO))?;
    let info = text::utf8(&bytes).map_err(|why| file::refused(path, &why))?;
    Ok(Sensitive::new(info.trim_end_matches(['\r', '\n']).to_owned()))
}
