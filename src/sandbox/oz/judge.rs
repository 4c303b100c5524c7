//! Whether a request is one that the real service takes (its guide, and oz-api: multipart, payload, tags).

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Seen, answers, json_answer};
use crate::oz::picture::Kind;

/// Documented tags (Developer Guide, "Media Tags").
const ACTIONS: [&str; 9] = ["left", "right", "down", "high", "smile", "eyes", "scan", "blank", "oneshot"];
const TAGS: [&str; 7] = [
    "video_selfie",
    "photo_selfie",
    "photo_id",
    "photo_id_front",
    "photo_id_back",
    "orientation_portrait",
    "orientation_landscape",
];

/// A refusal, in the vendor's shape. The statuses besides 404 and 405 are synthetic.
#[derive(Debug)]
pub struct Wrong {
    status: u16,
    code: i64,
    message: String,
}

impl Wrong {
    /// A status, the vendor's code, and words.
    pub fn new(status: u16, code: i64, message: impl Into<String>) -> Wrong {
        Wrong { status, code, message: message.into() }
    }

    /// As it is sent.
    pub fn answer(&self) -> Response<Body> {
        json_answer(self.status, &json!({"error_code": self.code, "error_message": self.message, "details": null}))
    }
}

/// What a request asks for, and what it deserves.
#[derive(Debug)]
pub enum Asked {
    Version,
    Liveness { shot: Option<Vec<u8>>, spoof: bool, tag: String, meta: Value },
    Biometry { same: bool, meta: Value },
}

impl Asked {
    /// The answer that it deserves, in the guide's shape.
    pub fn answer(&self) -> Value {
        match self {
            // The fields of the version are not documented: these are synthetic.
            Asked::Version => json!({"version": "0.0.0-sandbox"}),
            Asked::Liveness { shot, spoof, tag, meta } => answers::liveness(shot.as_deref(), *spoof, tag, meta),
            Asked::Biometry { same, meta } => answers::biometry(*same, meta),
        }
    }
}

struct Part {
    file: Option<String>,
    kind: Option<String>,
    bytes: Bytes,
}

/// Judges a POST.
pub async fn judge(request: &Request<Bytes>, seen: &mut Seen) -> Result<Asked, Wrong> {
    let mut parts = parts(request, seen).await?;
    let Some(payload) = parts.remove("payload") else {
        return Err(Wrong::new(400, 3, "no payload part"));
    };
    if payload.kind.as_deref() != Some("application/json") || payload.file.is_some() {
        return Err(Wrong::new(400, 5, "the payload is a field of type application/json"));
    }
    let payload: Value =
        serde_json::from_slice(&payload.bytes).map_err(|_| Wrong::new(400, 3, "the payload is not JSON"))?;
    seen.payload = Some(payload.clone());
    let tags = tags(&payload, &parts)?;
    let meta = payload.get("folder:meta_data").cloned().unwrap_or_else(|| json!({}));
    if !meta.is_object() {
        return Err(Wrong::new(400, 5, "folder:meta_data is an object"));
    }
    let media = payload.get("media:meta_data").and_then(Value::as_object);
    if media.is_some_and(|media| media.keys().any(|key| !parts.contains_key(key))) {
        return Err(Wrong::new(400, 4, "media:meta_data names media that is not there"));
    }
    let analyses = payload["analyses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [analysis] = analyses else {
        return Err(Wrong::new(400, 3, "exactly one analysis is asked for here"));
    };
    match analysis["type"].as_str().map(str::to_lowercase).as_deref() {
        Some("quality") => {
            let best_shot = analysis["params"]["extract_best_shot"] != false;
            liveness(&parts, &tags, best_shot, meta, seen)
        }
        Some("biometry") => biometry(&parts, &tags, meta),
        _ => Err(Wrong::new(400, 4, "no such analysis")),
    }
}

async fn parts(request: &Request<Bytes>, seen: &mut Seen) -> Result<BTreeMap<String, Part>, Wrong> {
    let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| Wrong::new(400, 3, "multipart/form-data is wanted"))?;
    let body = request.body().clone();
    let stream = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    let mut form = multer::Multipart::new(stream, boundary);
    let mut parts = BTreeMap::new();
    let broken = |_| Wrong::new(400, 3, "the multipart body is broken");
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        let (file, kind) = (field.file_name().map(str::to_owned), field.content_type().map(ToString::to_string));
        let bytes = field.bytes().await.map_err(broken)?;
        seen.parts.push((name.clone(), file.clone(), kind.clone(), bytes.len()));
        if parts.insert(name, Part { file, kind, bytes }).is_some() {
            return Err(Wrong::new(400, 3, "a part is there twice"));
        }
    }
    Ok(parts)
}

/// Every medium has tags, and every tag a medium.
fn tags(payload: &Value, parts: &BTreeMap<String, Part>) -> Result<BTreeMap<String, Vec<String>>, Wrong> {
    let Some(tagged) = payload["media:tags"].as_object() else {
        return Err(Wrong::new(400, 3, "media:tags is an object"));
    };
    let mut tags = BTreeMap::new();
    for (key, of) in tagged {
        let of: Option<Vec<String>> =
            of.as_array().and_then(|of| of.iter().map(|tag| tag.as_str().map(str::to_owned)).collect());
        let of = of.filter(|of| !of.is_empty()).ok_or_else(|| Wrong::new(400, 5, "tags are a list of words"))?;
        let known = |tag: &String| {
            TAGS.contains(&tag.as_str())
                || tag.strip_prefix("video_selfie_").is_some_and(|action| ACTIONS.contains(&action))
        };
        if !of.iter().all(known) {
            return Err(Wrong::new(400, 4, "an unknown tag"));
        }
        tags.insert(key.clone(), of);
    }
    if tags.keys().eq(parts.keys()) { Ok(tags) } else { Err(Wrong::new(400, 4, "media:tags does not fit the media")) }
}

fn liveness(
    parts: &BTreeMap<String, Part>,
    tags: &BTreeMap<String, Vec<String>>,
    best_shot: bool,
    meta: Value,
    seen: &mut Seen,
) -> Result<Asked, Wrong> {
    let (Some((key, part)), 1) = (parts.iter().next(), parts.len()) else {
        return Err(Wrong::new(400, 3, "one archive is wanted"));
    };
    let ending = part.file.as_ref().and_then(|name| Path::new(name).extension());
    if part.kind.as_deref() != Some("application/zip") || ending != Some("zip".as_ref()) {
        return Err(Wrong::new(400, 5, "frames come as application/zip"));
    }
    let tag = tags[key].iter().find(|tag| tag.starts_with("video_selfie_")).cloned();
    let tag = tag.ok_or_else(|| Wrong::new(400, 4, "the action's tag is missing"))?;
    let unreadable = |_| Wrong::new(400, 4, "the archive cannot be read");
    let mut zip = zip::ZipArchive::new(Cursor::new(&part.bytes)).map_err(unreadable)?;
    let (mut shot, mut spoof) = (None, false);
    for index in 0..zip.len() {
        let mut frame = zip.by_index(index).map_err(unreadable)?;
        seen.frames.push(frame.name().map_err(unreadable)?.into_owned());
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut frame, &mut bytes)
            .map_err(|_| Wrong::new(400, 4, "the archive cannot be read"))?;
        let kind = Kind::sniff(&bytes).ok_or_else(|| Wrong::new(400, 5, "a frame is no picture"))?;
        spoof |= find(&bytes, b"oz-sandbox:spoof").is_some();
        if kind == Kind::Jpeg && shot.is_none() {
            shot = Some(bytes);
        }
    }
    if seen.frames.is_empty() {
        return Err(Wrong::new(400, 4, "the archive is empty"));
    }
    Ok(Asked::Liveness { shot: shot.filter(|_| best_shot), spoof, tag, meta })
}

fn biometry(parts: &BTreeMap<String, Part>, tags: &BTreeMap<String, Vec<String>>, meta: Value) -> Result<Asked, Wrong> {
    // "The system will return an error" (Rules of Assigning Analyses); which one is synthetic.
    if parts.len() < 2 {
        return Err(Wrong::new(400, 3, "biometry compares at least two media"));
    }
    for (key, part) in parts {
        let kind = Kind::sniff(&part.bytes).map(Kind::mime);
        if kind.is_none() || part.kind.as_deref() != kind || part.file.is_none() {
            return Err(Wrong::new(400, 5, "a photo is not what it says"));
        }
        if tags[key] != ["photo_selfie"] {
            return Err(Wrong::new(400, 4, "photos carry the tag photo_selfie"));
        }
    }
    let mut people = parts.values().map(|part| person(&part.bytes));
    let first = people.next();
    Ok(Asked::Biometry { same: people.all(|person| Some(person) == first), meta })
}

/// The model that the sandbox recognises faces with is synthetic: a name in the picture's bytes.
fn person(bytes: &[u8]) -> Option<&[u8]> {
    const MARK: &[u8] = b"oz-sandbox:person=";
    let name = &bytes[find(bytes, MARK)? + MARK.len()..];
    name.split(|byte| *byte == b';').next()
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}
