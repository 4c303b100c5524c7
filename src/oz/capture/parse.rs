//! The callback's argument, frame by frame: a capture is never in memory as a tree.

use std::fmt;
use std::io::Read;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::frames::Frames;
use super::{Contents, LARGEST_FRAME};
use crate::oz::meta::{Meta, flaw};
use crate::oz::{Picture, Refused, Sensitive};

/// Reads a capture's JSON, of so many bytes.
///
/// # Errors
/// What the service would refuse, with its place, and without a byte of it.
pub fn parse(text: impl Read, size: u64, skip_first: bool) -> Result<Contents, Refused> {
    let (mut why, mut place) = (None, String::new());
    let mut json = serde_json::Deserializer::from_reader(text);
    // Base64 has four bytes for three.
    let seed = Callback { skip_first, room: size / 4 * 3, why: &mut why, place: &mut place };
    let parsed = seed.deserialize(&mut json).and_then(|contents| json.end().map(|()| contents));
    let cure = "Hand over what the Web SDK's on_capture_complete gave, as JSON.";
    match (parsed, why) {
        (_, Some(refused)) => Err(refused),
        (Ok(contents), None) => Ok(contents),
        (Err(error), None) if place.is_empty() => Err(Refused::new(flaw(&error), cure)),
        (Err(error), None) => Err(Refused::new(format!("{place}: {}", flaw(&error)), cure)),
    }
}

/// The callback's argument.
struct Callback<'a> {
    skip_first: bool,
    room: u64,
    /// Why it is refused: serde's errors carry only words.
    why: &'a mut Option<Refused>,
    /// The field that is being read: serde_json knows only lines.
    place: &'a mut String,
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
            self.place.clear();
            self.place.push_str(if known.contains(&key.as_str()) { &key } else { "a field that is not used" });
            match key.as_str() {
                "frame_list" => {
                    let Callback { skip_first, room, .. } = self;
                    let list = FrameList { skip_first, room, why: self.why, place: self.place };
                    let frames = map.next_value_seed(list)?;
                    (contents.zip, contents.frames) = frames;
                }
                "action" => contents.action = map.next_value()?,
                "additional_info" => {
                    contents.additional_info =
                        map.next_value::<Option<String>>()?.filter(|info| !info.is_empty()).map(Sensitive::new);
                }
                "meta" => match Meta::new(map.next_value::<Box<RawValue>>()?) {
                    Ok(meta) => contents.meta = meta,
                    Err(what) => {
                        let cure = "meta is a JSON object, as OzLiveness.open() was given it.";
                        return refuse(self.why, format!("meta: {what}"), cure);
                    }
                },
                "data_container" if map.next_value::<Option<IgnoredAny>>()?.is_some() => {
                    let cure = "This client sends frames: let the Web SDK hand over frame_list (architecture: capture, \
                                without OzCapsula).";
                    return refuse(self.why, "data_container is not null: a container capture", cure);
                }
                "from_virtual_camera" => virtual_camera = map.next_value::<Option<IgnoredAny>>()?.is_some(),
                "data_container" => {}
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
            self.place.clear();
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
    room: u64,
    why: &'a mut Option<Refused>,
    place: &'a mut String,
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
        let mut frames = Frames::new(self.skip_first, self.room);
        let cure = "Frames are data URLs: data:image/jpeg;base64,… or data:image/png;base64,….";
        loop {
            *self.place = format!("frame {}", frames.seen + 1);
            let Some(frame) = list.next_element_seed(Frame)? else { break };
            match frame {
                Ok(picture) => frames.add(picture.kind, picture.bytes()),
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
