//! What the Web SDK's `on_capture_complete` hands over (guide, "Validating Your Client's Liveness", steps 1 and 2),
//! or a directory of frames, as the ZIP that the service takes.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::Refused;
use super::picture::Picture;
use super::sensitive::Sensitive;
use crate::flags;

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
    pub meta: Sensitive<Map<String, Value>>,
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
        let meta = overrides.meta.as_deref().map(read_meta).transpose()?;
        let info = overrides.additional_info.as_deref().map(read_info).transpose()?;
        let mut contents = if path.is_dir() {
            directory(path, overrides.skip_first)?
        } else {
            let unreadable =
                |error: std::io::Error| Refused::new(format!("{at}: {error}"), "Name a capture that can be read.");
            let file = File::open(path).map_err(unreadable)?;
            let size = file.metadata().map_err(unreadable)?.len();
            if size > MOST {
                return Err(Refused::new(format!("{at}: {size} bytes are no capture"), "At most 2 GiB are read."));
            }
            let mut contents = parse(BufReader::with_capacity(64 << 10, file), overrides.skip_first)
                .map_err(|refused| refused.at(&at))?;
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
            size: contents.size,
        })
    }

    /// The same of a capture in memory.
    ///
    /// # Errors
    /// As [`Capture::read`].
    pub fn parse(text: &[u8], skip_first: bool) -> Result<Capture, Refused> {
        let contents = parse(text, skip_first)?;
        let missing = || Refused::new("no usable action", "The SDK gives it as `action`.");
        Ok(Capture {
            zip: Sensitive::new(contents.zip.into_inner().into()),
            frames: contents.frames,
            tag: contents.action.filter(|tag| is_tag(tag)).ok_or_else(missing)?,
            additional_info: contents.additional_info,
            meta: contents.meta,
            size: text.len() as u64,
        })
    }
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
    meta: Sensitive<Map<String, Value>>,
    size: u64,
}

/// The JSON object of a file.
///
/// # Errors
/// It cannot be read, or is no object.
pub fn read_meta(path: &Path) -> Result<Sensitive<Map<String, Value>>, Refused> {
    let cure = format!("{} names a file with one JSON object.", flags::META);
    let wrong = |what: &str| Refused::new(format!("{}: {what}", path.display()), &cure);
    let text = std::fs::read(path).map_err(|error| wrong(&error.to_string()))?;
    // serde_json's own words may quote the text.
    let meta: Map<String, Value> = serde_json::from_slice(&text)
        .map_err(|error| wrong(&format!("not a JSON object (line {}, column {})", error.line(), error.column())))?;
    Ok(Sensitive::new(meta))
}

fn read_info(path: &Path) -> Result<Sensitive<String>, Refused> {
    let cure = format!("{} names a file with the SDK's text.", flags::ADDITIONAL_INFO);
    let text =
        std::fs::read_to_string(path).map_err(|error| Refused::new(format!("{}: {error}", path.display()), cure))?;
    Ok(Sensitive::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn directory(path: &Path, skip_first: bool) -> Result<Contents, Refused> {
    let cure = "A directory of a capture holds its frames, JPEG or PNG, in the order of their names.";
    let refused = |what: String| Refused::new(what, cure);
    let listed = std::fs::read_dir(path).and_then(std::iter::Iterator::collect::<Result<Vec<_>, _>>);
    let listed = listed.map_err(|error| refused(format!("{}: {error}", path.display())))?;
    let mut files: Vec<PathBuf> =
        listed.iter().map(std::fs::DirEntry::path).filter(|path| path.is_file() && !is_hidden(path)).collect();
    files.sort();
    let mut frames = Frames::new(skip_first);
    for file in &files {
        let size = file.metadata().map_or(0, |data| data.len());
        if size > LARGEST_FRAME as u64 {
            return Err(refused(format!("{}: {size} bytes are no frame", file.display())));
        }
        frames.add(Picture::read(file)?);
        if frames.bytes > MOST {
            return Err(refused(format!("{}: more than 2 GiB of frames", path.display())));
        }
    }
    let size = frames.bytes;
    let (zip, frames) = frames.finish();
    match frames {
        0 => Err(refused(format!("{}: no frames", path.display()))),
        _ => Ok(Contents { zip, frames, action: Some(BLANK.to_owned()), size, ..Contents::default() }),
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Parses frame by frame: a capture is never in memory as a tree.
fn parse(text: impl Read, skip_first: bool) -> Result<Contents, Refused> {
    let mut why = None;
    let mut json = serde_json::Deserializer::from_reader(text);
    let seed = Callback { skip_first, why: &mut why };
    let parsed = seed.deserialize(&mut json).and_then(|contents| json.end().map(|()| contents));
    let cure = "Hand over what the Web SDK's on_capture_complete gave, as JSON.";
    match (parsed, why) {
        (_, Some(refused)) => Err(refused),
        (Ok(contents), None) => Ok(contents),
        // serde_json's own words may quote the capture.
        (Err(error), None) => {
            let what = match error.classify() {
                serde_json::error::Category::Eof => "the JSON ends too early",
                serde_json::error::Category::Data => "not of a capture's shape",
                _ => "not JSON",
            };
            Err(Refused::new(format!("{what} (line {}, column {})", error.line(), error.column()), cure))
        }
    }
}

/// The callback's argument.
struct Callback<'a> {
    skip_first: bool,
    /// Why it is refused: serde's errors carry only words.
    why: &'a mut Option<Refused>,
}

impl<'de> DeserializeSeed<'de> for Callback<'_> {
    type Value = Contents;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Contents, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Callback<'_> {
    type Value = Contents;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a capture")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Contents, A::Error> {
        let (mut contents, mut virtual_camera) = (Contents::default(), false);
        let mut seen = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let known = ["frame_list", "action", "additional_info", "meta", "data_container", "from_virtual_camera"];
            if let Some(known) = known.iter().find(|known| **known == key) {
                if seen.contains(known) {
                    return refuse(self.why, format!("{known} is there twice"), "A capture has each key once.");
                }
                seen.push(known);
            }
            match key.as_str() {
                "frame_list" => {
                    let frames = map.next_value_seed(FrameList { skip_first: self.skip_first, why: self.why })?;
                    (contents.zip, contents.frames) = frames;
                }
                "action" => contents.action = map.next_value()?,
                "additional_info" => {
                    contents.additional_info =
                        map.next_value::<Option<String>>()?.filter(|info| !info.is_empty()).map(Sensitive::new);
                }
                "meta" => {
                    contents.meta = Sensitive::new(map.next_value::<Option<Map<String, Value>>>()?.unwrap_or_default());
                }
                "data_container" if map.next_value::<Option<IgnoredAny>>()?.is_some() => {
                    let cure = "This client sends frames: let the Web SDK hand over frame_list (architecture: capture, \
                                without OzCapsula).";
                    return refuse(self.why, "data_container is not null: a container capture", cure);
                }
                "from_virtual_camera" => virtual_camera = map.next_value::<Option<IgnoredAny>>()?.is_some(),
                "data_container" => {}
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if contents.frames == 0 {
            let why = if virtual_camera {
                "no frames: the SDK saw a virtual camera"
            } else {
                "no frames in frame_list (virtual camera, container mode, or only a first frame that is skipped?)"
            };
            return refuse(self.why, why, "Capture again with a real camera, in the Web SDK's capture architecture.");
        }
        Ok(contents)
    }
}

fn refuse<T, E: serde::de::Error>(slot: &mut Option<Refused>, what: impl Into<String>, cure: &str) -> Result<T, E> {
    *slot = Some(Refused::new(what, cure));
    Err(E::custom("refused"))
}

struct FrameList<'a> {
    skip_first: bool,
    why: &'a mut Option<Refused>,
}

impl<'de> DeserializeSeed<'de> for FrameList<'_> {
    type Value = (Sensitive<Vec<u8>>, usize);
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for FrameList<'_> {
    type Value = (Sensitive<Vec<u8>>, usize);
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("frames")
    }
    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Self::Value::default())
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Self::Value::default())
    }
    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_seq(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut frames = Frames::new(self.skip_first);
        let cure = "Frames are data URLs: data:image/jpeg;base64,… or data:image/png;base64,….";
        while let Some(frame) = list.next_element_seed(Frame)? {
            match frame {
                Ok(picture) => frames.add(picture),
                Err(what) => {
                    return refuse(self.why, format!("frame {}: {what}", frames.seen + 1), cure);
                }
            }
        }
        Ok(frames.finish())
    }
}

struct Frame;

impl<'de> DeserializeSeed<'de> for Frame {
    type Value = Result<Picture, &'static str>;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Frame {
    type Value = Result<Picture, &'static str>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a data URL")
    }
    fn visit_str<E: serde::de::Error>(self, url: &str) -> Result<Self::Value, E> {
        let is_too_large = url.len() > LARGEST_FRAME;
        Ok(if is_too_large { Err("more than 32 MiB are no frame") } else { Picture::from_data_url(url) })
    }
}

/// The ZIP as it grows, in memory. Stored: pictures do not become smaller.
struct Frames {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    skip_first: bool,
    seen: usize,
    stored: usize,
    bytes: u64,
}

impl Frames {
    fn new(skip_first: bool) -> Frames {
        Frames { zip: ZipWriter::new(Cursor::new(Vec::new())), skip_first, seen: 0, stored: 0, bytes: 0 }
    }

    /// Names are the guide's, numbered without gaps.
    fn add(&mut self, picture: Picture) {
        self.seen += 1;
        if self.skip_first && self.seen == 1 {
            return;
        }
        self.stored += 1;
        self.bytes += picture.bytes().len() as u64;
        let name = format!("img-1-{:05}.{}", self.stored, picture.kind.ending());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        self.zip
            .start_file(name, options)
            .map_err(std::io::Error::from)
            .and_then(|()| self.zip.write_all(picture.bytes()))
            .expect("a ZIP in memory takes what is below its limits, which were checked");
    }

    fn finish(self) -> (Sensitive<Vec<u8>>, usize) {
        let zip = self.zip.finish().expect("a ZIP in memory has room").into_inner();
        (Sensitive::new(zip), self.stored)
    }
}
