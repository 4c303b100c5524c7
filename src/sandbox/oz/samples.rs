//! Pictures and captures of nobody, for the sandbox and its tests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::oz::picture::Kind;

/// A valid picture of one grey pixel (JPEG: eight by eight); a comment in it says whom the stand-in sees.
pub fn picture(kind: Kind, person: &str, spoof: bool) -> Vec<u8> {
    let mark = format!("oz-sandbox:person={person};{}", if spoof { "oz-sandbox:spoof" } else { "" });
    match kind {
        Kind::Jpeg => jpeg(mark.as_bytes()),
        Kind::Png => png(mark.as_bytes()),
    }
}

/// What `on_capture_complete` hands over (guide, step 1): a PNG first, then JPEGs.
pub fn capture(person: &str, spoof: bool) -> Value {
    let url = |kind: Kind| format!("data:{};base64,{}", kind.mime(), STANDARD.encode(picture(kind, person, spoof)));
    json!({
        "data_container": null,
        "frame_list": [url(Kind::Png), url(Kind::Jpeg), url(Kind::Jpeg), url(Kind::Jpeg)],
        "action": "video_selfie_blank",
        "additional_info": STANDARD.encode("the sandbox's browser"),
        "meta": {"transaction_id": "sandbox"},
    })
}

/// Baseline, one component, one table: every value of the block is zero.
fn jpeg(comment: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 16];
    bytes.extend_from_slice(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    bytes.extend_from_slice(&[0xff, 0xfe]);
    bytes.extend_from_slice(&(comment.len() as u16 + 2).to_be_bytes());
    bytes.extend_from_slice(comment);
    bytes.extend_from_slice(&[0xff, 0xdb, 0, 67, 0]);
    bytes.extend_from_slice(&[1; 64]);
    bytes.extend_from_slice(&[0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    for class in [0x00, 0x10] {
        // One code of one bit: category 0, end of block.
        bytes.extend_from_slice(&[0xff, 0xc4, 0, 20, class, 1]);
        bytes.extend_from_slice(&[0; 15]);
        bytes.push(0);
    }
    bytes.extend_from_slice(&[0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    bytes.extend_from_slice(&[0x3f, 0xff, 0xd9]);
    bytes
}

/// One grey pixel, with a text chunk.
fn png(comment: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let text = [b"Comment\0", comment].concat();
    // zlib with one stored block: filter 0, value 128.
    let data = [0x78, 0x01, 0x01, 2, 0, 0xfd, 0xff, 0, 128, 0, 0x82, 0, 0x81];
    for (kind, data) in
        [(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0][..]), (b"tEXt", &text), (b"IDAT", &data), (b"IEND", &[])]
    {
        bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
        let start = bytes.len();
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(data);
        let sum = crc(&bytes[start..]);
        bytes.extend_from_slice(&sum.to_be_bytes());
    }
    bytes
}

/// CRC-32 as PNG wants it.
fn crc(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
        }
    }
    !sum
}
