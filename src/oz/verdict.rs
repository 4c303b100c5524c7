//! What an answer means. Whatever is not exactly an accepted or a declined analysis is a technical failure.

use serde_json::Value;

use super::picture::Picture;
use super::sensitive::Redaction;
use crate::outcome::{Analysis, Decision, Level, Verdict};

/// Judges an answer with a good HTTP status.
pub fn judge(asked: Analysis, answer: &Value, redaction: &Redaction) -> Verdict {
    let id = |value: &Value| {
        let text = value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|id| id.to_string()))?;
        Some(redaction.clean(&text))
    };
    let analysis = &answer["analyses"][0];
    let mut verdict = Verdict {
        transport: Level::Ok,
        technical: Some(Level::Failed),
        score: score(asked, analysis),
        folder_id: id(&answer["folder_id"]),
        analysis_id: id(&analysis["analysis_id"]),
        ..Verdict::unanswered("")
    };
    match decision(asked, answer, redaction) {
        Ok(decision) => {
            verdict.technical = Some(Level::Ok);
            verdict.decision = Some(decision);
        }
        Err(why) => verdict.why = why,
    }
    verdict
}

/// The decision that this value names.
fn read_decision(value: &Value) -> Option<Decision> {
    match value.as_str()? {
        "SUCCESS" => Some(Decision::Success),
        "DECLINED" => Some(Decision::Declined),
        "OPERATOR_REQUIRED" => Some(Decision::OperatorRequired),
        _ => None,
    }
}

/// The accept rule: everything that must be so before a decision counts (oz-api: "fail-closed accept rule"). The last
/// two because an analysis without media once finished with SUCCESS (changelog of API 5.0.0).
fn decision(asked: Analysis, answer: &Value, redaction: &Redaction) -> Result<Decision, String> {
    let shown = |value: &Value| match value {
        Value::String(text) => redaction.clean(text),
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) => redaction.clean(&value.to_string()),
        _ => "a structure".to_owned(),
    };
    if !answer.is_object() {
        return Err("the answer is not a JSON object".to_owned());
    }
    no_error(answer, redaction)?;
    let analyses = answer["analyses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [analysis] = analyses else {
        return Err(format!("{} analyses came back, one was asked for", analyses.len()));
    };
    let came = analysis["type"].as_str().unwrap_or_default();
    if !came.eq_ignore_ascii_case(asked.name()) {
        return Err(format!("analysis {} came back, {} was asked for", redaction.clean(came), asked.name()));
    }
    no_error(analysis, redaction)?;
    for (what, value) in
        [("the folder's resolution_status", &answer["resolution_status"]), ("the analysis' state", &analysis["state"])]
    {
        if *value != "FINISHED" {
            return Err(format!("{what} is {}, not FINISHED", shown(value)));
        }
    }
    let folder = read_decision(&answer["system_resolution"]);
    let own = read_decision(&analysis["resolution_status"]);
    let Some(decided) = folder.filter(|_| folder == own) else {
        return Err(format!(
            "contradictory: system_resolution is {}, the analysis' resolution_status {}",
            shown(&answer["system_resolution"]),
            shown(&analysis["resolution_status"])
        ));
    };
    let again = &analysis["resolution"];
    if !again.is_null() && read_decision(again) != Some(decided) {
        return Err(format!("contradictory: the analysis' resolution is {}", shown(again)));
    }
    if analysis["results_media"].as_array().is_none_or(Vec::is_empty) {
        return Err(format!("{} without any results_media", decided.word()));
    }
    if asked == Analysis::Biometry && score(asked, analysis).is_none() {
        return Err(format!("{} without a usable min_confidence", decided.word()));
    }
    Ok(decided)
}

/// Errors come on a channel of their own, also in an answer that says 200.
fn no_error(value: &Value, redaction: &Redaction) -> Result<(), String> {
    if value["error_code"].is_null() && value["error_message"].is_null() {
        return Ok(());
    }
    Err(error_words(value, redaction))
}

/// The vendor's error body in words: code and message, never its details.
pub fn error_words(body: &Value, redaction: &Redaction) -> String {
    let code = body["error_code"].as_i64();
    let meaning = match code {
        Some(0) => " (unknown error of the server)",
        Some(1) => " (not allowed)",
        Some(3) => " (invalid structure)",
        Some(4) => " (invalid value)",
        Some(5) => " (invalid type)",
        Some(6) => " (a token is wanted)",
        Some(7) => " (the token is invalid)",
        Some(8) => " (the token has expired)",
        Some(9) => " (the token may not do this)",
        Some(10) => " (does not exist)",
        Some(11) => " (an external service failed)",
        Some(13 | 14) => " (container)",
        _ => "",
    };
    let code = code.map_or("error".to_owned(), |code| format!("error_code {code}{meaning}"));
    match body["error_message"].as_str() {
        Some(message) if !message.is_empty() => format!("{code}: {}", redaction.clean(message)),
        _ => code,
    }
}

/// Between 0 and 1, or none: a number in a string or beyond is not usable.
fn score(asked: Analysis, analysis: &Value) -> Option<f64> {
    let usable = |value: &Value| value.as_f64().filter(|score| (0.0..=1.0).contains(score));
    match asked {
        Analysis::Biometry => usable(&analysis["results_data"]["min_confidence"]),
        Analysis::Quality => {
            let media = analysis["results_media"].as_array()?;
            media.iter().filter_map(|one| usable(&one["results_data"]["confidence_spoofing"])).max_by(f64::total_cmp)
        }
    }
}

/// The first picture that the analysis gave back, or what is wrong with what it gave; `None`: some services give none
/// for some gestures.
pub fn best_shot(answer: &Value) -> Option<Result<Picture, &'static str>> {
    let analyses = answer["analyses"].as_array()?.iter();
    let quality = analyses.filter(|one| one["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("quality")));
    let media = quality.flat_map(|one| one["results_media"].as_array().into_iter().flatten());
    let images = media.flat_map(|one| one["output_images"].as_array().into_iter().flatten());
    let texts = images.filter_map(|image| image["image_b64"].as_str().filter(|data| !data.trim().is_empty()));
    let mut shots: Vec<Result<Picture, &'static str>> = texts.map(Picture::from_base64).collect();
    let best = shots.iter().position(Result::is_ok).unwrap_or_default();
    (!shots.is_empty()).then(|| shots.swap_remove(best))
}
