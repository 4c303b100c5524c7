//! The calls themselves.

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tokio::time::Instant;

use super::capture::Capture;
use super::connection::{NoAnswer, Stage};
use super::exchange::{Answer, body, set_content};
use super::form::Form;
use super::meta::Meta;
use super::payload::{self, KEYS};
use super::picture::Picture;
use super::sensitive::Redaction;
use super::status::Said;
use super::transport::{ANALYSES, NoVersion, VERSION, get, judge_version};
use super::verdict::{best_shot, judge};
use super::{BaseUrl, Token, Web};
use crate::clock::{Attempt, Ended, Label, Late, Wait};
use crate::outcome::{Analysis, Level, Verdict};
use crate::text::lenient_json;

/// How often a connection is tried before there is said to be none.
const CONNECTS: u32 = 4;

/// A service at a base URL.
pub struct Service {
    base: BaseUrl,
    web: Web,
    token: Option<Token>,
    redaction: Redaction,
}

/// A request for an analysis, packed once for as many calls as are wanted: they share its bytes.
pub struct Packed {
    content_type: String,
    parts: Vec<Bytes>,
    redaction: Redaction,
}

impl Packed {
    fn new(form: Form, redaction: Redaction) -> Packed {
        let (content_type, parts) = form.finish();
        Packed { content_type, parts, redaction }
    }
}

/// Why a call came to no decision, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection to the service came about.
    Unreached,
    /// TLS, or the certificate.
    Tls,
    /// The connection stood; the answer did not come, or not whole.
    NoAnswer,
    /// Another status than a good one: who gave it is in the words.
    Status(u16),
    /// A good status, and something that is no JSON.
    NotJson,
    /// The service's own answer, without a decision that holds.
    Undecided,
}

impl Failure {
    fn of(stage: Stage) -> Failure {
        match stage {
            Stage::Name | Stage::Connection | Stage::Refused | Stage::Proxy => Failure::Unreached,
            Stage::Handshake => Failure::Tls,
            Stage::Answer => Failure::NoAnswer,
        }
    }

    /// For programs: `http_503`.
    pub fn word(self) -> String {
        match self {
            Failure::Unreached => "unreached".to_owned(),
            Failure::Tls => "tls".to_owned(),
            Failure::NoAnswer => "no_answer".to_owned(),
            Failure::Status(status) => format!("http_{status}"),
            Failure::NotJson => "not_json".to_owned(),
            Failure::Undecided => "undecided".to_owned(),
        }
    }
}

/// An answer to an analysis.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What it says, in three levels.
    pub verdict: Verdict,
    /// The kind of failure, where there is no decision.
    pub failure: Option<Failure>,
    /// Liveness only, and not always; or what is wrong with it.
    pub best_shot: Option<Result<Picture, &'static str>>,
}

impl Service {
    /// A service; nothing is called yet.
    pub fn new(base: BaseUrl, token: Option<Token>, web: &Web) -> Service {
        let mut redaction = Redaction::default();
        if let Some(token) = token.as_ref().and_then(|token| token.expose().to_str().ok()) {
            redaction.withhold(token);
        }
        Service { base, web: web.clone(), token, redaction }
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        self.base.to_string()
    }

    /// `GET /api/version` (guide step 7): any JSON with a good status. `Ok(Err)`: why not.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn version(&self, wait: &Wait<'_>) -> Result<Result<Value, NoVersion>, Ended> {
        let ask = async || get(&self.web, &self.base, VERSION, self.token.as_ref()).await;
        let answer = self.connecting(ask, wait).await?;
        Ok(answer.map_err(NoVersion::NoAnswer).and_then(|answer| judge_version(&answer, &self.redaction)))
    }

    /// Liveness of a capture.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn liveness(&self, capture: &Capture, wait: &Wait<'_>) -> Result<Answered, Ended> {
        self.liveness_of(&self.pack(capture), wait).await
    }

    /// The same of a request that is packed.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn liveness_of(&self, packed: &Packed, wait: &Wait<'_>) -> Result<Answered, Ended> {
        self.analyse(Analysis::Quality, packed, wait).await
    }

    /// What is sent for a capture's liveness; its frames are not copied.
    pub fn pack(&self, capture: &Capture) -> Packed {
        let mut redaction = self.redaction.clone();
        capture.meta.withhold_in(&mut redaction);
        if let Some(info) = &capture.additional_info {
            redaction.withhold(info.expose());
        }
        let zip = capture.zip.expose().clone();
        let form = Form::new().part(KEYS[0], Some("media_key1.zip"), "application/zip", zip);
        let form = form.part("payload", None, "application/json", payload::liveness(capture).into());
        Packed::new(form, redaction)
    }

    /// Whether two pictures show the same person; `meta` is the liveness folder's.
    ///
    /// # Errors
    /// The deadline passed, or a signal asked to stop.
    pub async fn biometry(
        &self,
        (reference, shot): (&Picture, &Picture),
        meta: &Meta,
        wait: &Wait<'_>,
    ) -> Result<Answered, Ended> {
        let mut redaction = self.redaction.clone();
        meta.withhold_in(&mut redaction);
        let mut form = Form::new();
        for (key, name, picture) in [(KEYS[0], "reference_photo", reference), (KEYS[1], "best_shot", shot)] {
            let file = format!("{name}.{}", picture.kind.ending());
            form = form.part(key, Some(&file), picture.kind.mime(), picture.bytes().clone());
        }
        let form = form.part("payload", None, "application/json", payload::biometry(meta).into());
        self.analyse(Analysis::Biometry, &Packed::new(form, redaction), wait).await
    }

    async fn analyse(&self, asked: Analysis, packed: &Packed, wait: &Wait<'_>) -> Result<Answered, Ended> {
        let start = Instant::now();
        let Packed { content_type, parts, redaction } = packed;
        let post = async || self.post(content_type, parts.clone()).await;
        let mut answered = match self.connecting(post, wait).await? {
            Err(error) => Answered {
                verdict: Verdict::unanswered(redaction.clean(&error.words)),
                failure: Some(Failure::of(error.stage)),
                best_shot: None,
            },
            Ok(answer) => judged(asked, &answer, redaction),
        };
        answered.verdict.duration_ms = start.elapsed().as_millis() as u64;
        Ok(answered)
    }

    async fn post(&self, content_type: &str, parts: Vec<Bytes>) -> Result<Answer, NoAnswer> {
        let (body, length) = body(parts);
        let mut request = Request::post(self.base.path(ANALYSES));
        if let Some(headers) = request.headers_mut() {
            set_content(headers, content_type, length);
            if let Some(token) = &self.token {
                headers.insert("x-forensic-access-token", token.expose().clone());
            }
        }
        let request = request.body(body).map_err(|error| NoAnswer::at(Stage::Name, error.to_string()))?;
        self.web.send(&self.base, request).await
    }

    /// Asks once; only a connection that never came about is tried again, since analyses are metered. What a proxy or a
    /// certificate says does not become better by trying again.
    async fn connecting(
        &self,
        ask: impl AsyncFn() -> Result<Answer, NoAnswer>,
        wait: &Wait<'_>,
    ) -> Result<Result<Answer, NoAnswer>, Ended> {
        let (wait, label, mut connects) = (wait.quiet(), Label::new("service", self.base.to_string()), 0);
        let asked = wait.until(&label, async || -> Result<_, Late> {
            let answer = wait.within(ask()).await.map_err(|ended| Late { ended, why: String::new() })?;
            connects += 1;
            Ok(match answer {
                Err(error) if error.stage.may_come() && connects < CONNECTS => Attempt::Again(error.words),
                answer => Attempt::Done(answer),
            })
        });
        asked.await.map_err(Ended::from)
    }
}

fn judged(asked: Analysis, answer: &Answer, redaction: &Redaction) -> Answered {
    let json = lenient_json(&answer.body);
    let verdict = match &json {
        Some(judgement) if answer.status.is_success() => judge(asked, judgement, redaction),
        _ => {
            let said = Said::of(answer, json.as_ref(), redaction);
            let verdict = Verdict::unanswered(format!("{} ({})", said.words, said.cause));
            if said.by_service {
                Verdict { transport: Level::Ok, technical: Some(Level::Failed), ..verdict }
            } else {
                verdict
            }
        }
    };
    let best_shot = json.as_ref().filter(|_| asked == Analysis::Quality).and_then(best_shot);
    let failure = match (verdict.decision, answer.status) {
        (Some(_), _) => None,
        (None, status) if !status.is_success() => Some(Failure::Status(status.as_u16())),
        (None, _) if json.is_none() => Some(Failure::NotJson),
        (None, _) => Some(Failure::Undecided),
    };
    Answered { verdict, failure, best_shot }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oz::Sensitive;

    #[test]
    fn frames_are_packed_once_and_shared_by_the_calls() {
        let capture = Capture {
            zip: Sensitive::new(Bytes::from(vec![7; 1 << 20])),
            frames: 1,
            tag: "video_selfie_blank".to_owned(),
            additional_info: None,
            meta: Meta::default(),
            order: None,
            size: 1 << 20,
        };
        let base = BaseUrl::parse("http://localhost", false).unwrap();
        let packed = Service::new(base, None, &Web::new(None).unwrap()).pack(&capture);
        let zip = capture.zip.expose();
        for parts in [&packed.parts, &packed.parts.clone()] {
            let sent: Vec<&Bytes> = parts.iter().filter(|part| part.len() == zip.len()).collect();
            assert_eq!(sent.iter().map(|part| part.as_ptr()).collect::<Vec<_>>(), [zip.as_ptr()]);
        }
    }
}
