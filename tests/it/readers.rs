//! Whatever bytes come, readers read or refuse them: none panics, and none says a word of what it read.
//! `PROPTEST_CASES=2000000 cargo test --test it -- readers` goes on for as long as one likes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    Analysis, Capture, Decision, Kind, Meta, Picture, Redaction, Token, certificates, config, configuration, judge,
    lenient_json, samples,
};

const SECRET: &str = "QXJlU2VjcmV0";

/// Bytes of JSON, more or less: cut, with bytes exchanged, with a mark before them.
fn nearly(json: Value) -> impl Strategy<Value = Vec<u8>> {
    let text = json.to_string().into_bytes();
    let length = text.len();
    let changes = prop::collection::vec((0..length, any::<u8>()), 0..4);
    let cut = prop_oneof![3 => Just(length), 1 => 0..=length];
    (changes, cut, any::<bool>()).prop_map(move |(changes, cut, marked)| {
        let mut bytes = if marked { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        let mut changed = text.clone();
        changes.into_iter().for_each(|(at, byte)| changed[at] = byte);
        bytes.extend_from_slice(&changed[..cut]);
        bytes
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

fn or_any(nearly: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![nearly, any_bytes()]
}

/// JSON of any shape, with a secret in it.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,9}".prop_map(|text| json!(format!("{text}{SECRET}"))),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,9}", inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

/// A number or a text of JSON as somebody writes it.
fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?",
        ".{0,20}".prop_map(|text| Value::from(text).to_string()),
        "\"(\\\\u00[a-f][0-9]|\\\\n|\\\\\"|[a-z]|\\\\ud83d\\\\ude00){0,9}\"",
    ]
}

/// Without its quotes.
fn bare(leaf: &str) -> &str {
    leaf.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(leaf)
}

fn capture() -> Value {
    let mut capture = samples::capture("anna", false);
    capture["additional_info"] = json!(SECRET);
    capture["meta"] = json!({"iin": SECRET});
    capture
}

fn silent(words: &str) -> Result<(), TestCaseError> {
    prop_assert!(!words.contains(SECRET), "{words}");
    Ok(())
}

proptest! {
    #[test]
    fn captures(bytes in or_any(nearly(capture())), skip in any::<bool>()) {
        if let Err(refused) = Capture::parse(&bytes, skip) {
            silent(&refused.what)?;
        }
    }

    #[test]
    fn captures_of_other_shapes(frames in tree(), action in tree(), info in tree(), meta in tree()) {
        let capture = json!({"frame_list": frames, "action": action, "additional_info": info, "meta": meta});
        if let Err(refused) = Capture::parse(capture.to_string().as_bytes(), false) {
            silent(&refused.what)?;
        }
    }

    #[test]
    fn metadata(bytes in or_any(nearly(json!({"a": {"b": [SECRET, 1.5]}})))) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("meta.json");
        std::fs::write(&path, &bytes).unwrap();
        match Meta::read(&path) {
            // What is accepted goes out as it came.
            Ok(meta) => prop_assert!(String::from_utf8_lossy(&bytes).contains(meta.expose().get())),
            Err(refused) => silent(&refused.what)?,
        }
    }

    /// Whatever a server echoes of metadata, as it was written or as it reads it, is not shown.
    #[test]
    fn echoes(leaves in prop::collection::vec(leaf(), 1..6), doubled in any::<bool>()) {
        let key = |at: usize| if doubled { 0 } else { at };
        let fields = leaves.iter().enumerate().map(|(at, leaf)| format!("\"k{}\": {leaf}", key(at)));
        let fields: Vec<String> = fields.collect();
        let meta = format!("{{\"deep\": [{{{}}}]}}", fields.join(", "));
        let mut redaction = Redaction::default();
        Meta::new(serde_json::from_str(&meta).unwrap()).unwrap().withhold_in(&mut redaction);
        for leaf in leaves {
            let read = serde_json::from_str::<Value>(&leaf).ok();
            let read = read.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            for echo in read.into_iter().chain([bare(&leaf).to_owned()]).filter(|echo| echo.len() > 2) {
                let clean = redaction.clean(&format!("<{echo}>"));
                prop_assert!(!clean.contains(&format!("<{echo}>")), "{}: {}", echo, clean);
            }
        }
    }

    /// A token is a line that a header can hold, or it is refused without a word of it.
    #[test]
    fn tokens(bytes in or_any(nearly(json!(SECRET)))) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token.txt");
        std::fs::write(&path, &bytes).unwrap();
        match Token::read(Some(&path)) {
            Ok(token) => prop_assert!(token.is_some_and(|token| !token.expose().is_empty())),
            Err(refused) => silent(&refused.what)?,
        }
    }

    #[test]
    fn pictures(text in ".{0,120}", bytes in any_bytes(), at in 0usize..400, space in "[ \t\r\n]{0,3}") {
        let _ = Picture::from_data_url(&text);
        let _ = Picture::from_base64(&text);
        let mut picture = vec![0xff, 0xd8, 0xff];
        picture.extend(bytes);
        let mut data = STANDARD.encode(&picture);
        data.insert_str(at % (data.len() + 1), &space);
        let read = Picture::from_base64(data.trim_end_matches('=')).map(|read| read.bytes().to_vec());
        prop_assert_eq!(read, Ok(picture.clone()));
        let read = Picture::from_data_url(&format!("data:image/jpeg;base64,{data}"));
        prop_assert_eq!(read.map(|read| (read.kind, read.bytes().to_vec())), Ok((Kind::Jpeg, picture)));
    }

    #[test]
    fn authorities(bytes in any_bytes(), text in ".{0,200}") {
        let _ = certificates(&bytes);
        let _ = certificates(format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").as_bytes());
        let encoded = STANDARD.encode(&bytes);
        let _ = certificates(format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n").as_bytes());
    }

    /// What is not the guide's accepted answer to its last word is never accepted.
    #[test]
    fn answers(bytes in nearly(serde_json::from_str(include_str!("../../templates/oz-liveness.json")).unwrap())) {
        let redaction = Redaction::default();
        let strict: Option<Value> = serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).ok();
        let read = lenient_json(&bytes);
        if strict.is_some() {
            prop_assert_eq!(&read, &strict);
        }
        if let Some(answer) = read {
            let verdict = judge(Analysis::Quality, &answer, &redaction);
            if verdict.decision == Some(Decision::Success) {
                // Mending makes no word into this one.
                let words = String::from_utf8_lossy(&bytes).matches("\"SUCCESS\"").count();
                prop_assert!(strict.is_some() || words >= 2);
                prop_assert_eq!(&answer["system_resolution"], "SUCCESS");
                prop_assert_eq!(&answer["analyses"][0]["resolution_status"], "SUCCESS");
                prop_assert_eq!(&answer["resolution_status"], "FINISHED");
            }
        }
    }

    #[test]
    fn answers_of_other_shapes(answer in tree()) {
        let verdict = judge(Analysis::Biometry, &answer, &Redaction::default());
        prop_assert_ne!(verdict.decision, Some(Decision::Success));
        prop_assert_eq!(lenient_json(answer.to_string().as_bytes()).is_some(), true);
    }

    #[test]
    fn configurations(text in ".{0,300}", at in 0usize..300, byte in "[^a-z]{1,3}") {
        let _ = config::parse(&text, "deploy.yaml", &[]);
        let mut real = configuration();
        let at = (0..=at % real.len()).rev().find(|at| real.is_char_boundary(*at)).unwrap();
        real.insert_str(at, &byte);
        let _ = config::parse(&real, "deploy.yaml", &[]);
    }
}
