//! How fast 20 MB of frames are packed, beside a plain copy of the same bytes: `cargo bench --bench packing`.

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use deploy::testing::{Capture, CaptureOverrides, Frames, Kind};
use serde_json::json;

/// Frames as a phone takes them.
const FRAMES: usize = 100;
const FRAME_BYTES: usize = 200_000;
const ROUNDS: usize = 31;

fn main() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let frames: Vec<Vec<u8>> = (0..FRAMES).map(frame).collect();
    for (number, frame) in frames.iter().enumerate() {
        std::fs::write(directory.path().join(format!("{}.jpg", number + 1)), frame).expect("a frame can be written");
    }
    let whole = frames.concat();
    let urls: Vec<String> =
        frames.iter().map(|frame| format!("data:image/jpeg;base64,{}", STANDARD.encode(frame))).collect();
    let json = json!({"frame_list": urls, "action": "video_selfie_blank", "additional_info": "x"}).to_string();
    let overrides = CaptureOverrides::default();

    let copy = median(|| whole.clone());
    let files = median(|| read(directory.path()));
    let zipped = median(|| zip(&frames));
    let packed = median(|| Capture::read(directory.path(), &overrides).expect("it is a capture"));
    let parsed = median(|| Capture::parse(json.as_bytes(), false).expect("it is a capture"));
    println!("| what | ms | GB/s | of the copy's speed |\n|---|---|---|---|");
    row("a copy into new memory", copy, copy);
    row("reading the same files, no more", files, copy);
    row("frames in memory, packed", zipped, copy);
    row("a directory of frames, read and packed", packed, copy);
    row("the SDK's JSON", parsed, copy);
}

/// Bytes that no compression and no page of zeroes makes cheaper.
fn frame(seed: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed as u64);
    let mut bytes = vec![0; FRAME_BYTES];
    random.fill(&mut bytes);
    bytes[..4].copy_from_slice(&[0xff, 0xd8, 0xff, 0xe0]);
    bytes
}

/// All files of a directory, into memory that is used again.
fn read(directory: &Path) -> usize {
    let (mut buffer, mut bytes) = (Vec::new(), 0);
    for entry in std::fs::read_dir(directory).expect("the directory can be read") {
        buffer.clear();
        let mut file = File::open(entry.expect("it has entries").path()).expect("a frame can be read");
        bytes += file.read_to_end(&mut buffer).expect("a frame can be read");
    }
    bytes
}

/// The same frames as the ZIP that the service takes.
fn zip(frames: &[Vec<u8>]) -> impl Sized + use<> {
    let mut zip = Frames::new(false, (FRAMES * FRAME_BYTES) as u64);
    for frame in frames {
        zip.add(Kind::Jpeg, frame);
    }
    zip.finish()
}

/// The median of some rounds.
fn median<T>(mut act: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let made = black_box(act());
            let took = start.elapsed();
            drop(made);
            took
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn row(what: &str, took: Duration, copy: Duration) {
    let bytes = (FRAMES * FRAME_BYTES) as f64;
    let (ms, rate, share) =
        (took.as_secs_f64() * 1e3, bytes / took.as_secs_f64() / 1e9, copy.as_secs_f64() / took.as_secs_f64());
    println!("| {what} | {ms:.2} | {rate:.1} | {share:.2} |");
}
