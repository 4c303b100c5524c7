//! `deploy liveness` and `deploy biometry`: the client alone, as a backend would call the service. And what an answer
//! ends in, here and in `verify`.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use super::interrupted;
use crate::cli::{self, Expect, FirstFrame};
use crate::engine::clock::Late;
use crate::engine::{Clock, Stop};
use crate::exit::Exit;
use crate::oz::capture::{self, Beside};
use crate::oz::{Analysis, BaseUrl, Capture, Decision, Picture, Refused, Service, Token, Verdict, Web};
use crate::report::{Check, Outcome, Problem, Report, Status};
use crate::sandbox::{Front, Sandbox};

/// How the client's verbs work.
pub struct Client<'a> {
    pub report: &'a Report,
    pub stop: &'a Stop,
    pub sandbox: Option<&'a Sandbox>,
}

impl Client<'_> {
    /// Liveness of a capture.
    pub async fn liveness(&self, args: &cli::Liveness) -> Outcome {
        let clock = Clock::new(args.timeout, 1.0);
        let prepared = async {
            let capture = Capture::read(&args.capture, &beside(&args.beside))?;
            let save = args.best_shot.as_deref().map(|path| Save::new(path, args.force)).transpose()?;
            let service = self.service(args.base_url.as_deref(), &args.service).await?;
            Ok::<_, Refused>((capture, save, service))
        };
        let (capture, save, service) = match prepared.await {
            Ok(prepared) => prepared,
            Err(refused) => return Outcome::refused(refused),
        };
        self.tell(&capture, args.beside.first_frame);
        let answered = match service.liveness(&capture, (&clock, self.stop)).await {
            Ok(answered) => answered,
            Err(late) => return self.late(late),
        };
        let mut outcome = ended(Analysis::Quality, &answered.verdict, None, args.service.expect);
        if let Some(save) = save.filter(|_| answered.verdict.decision.is_some()) {
            let accepted = answered.verdict.decision == Some(Decision::Success);
            match answered.best_shot.map(|shot| save.keep(&shot)) {
                Some(Ok(told)) => drop(outcome.outputs.insert("best_shot".to_owned(), told)),
                Some(Err(refused)) => fail(&mut outcome, Exit::Failed, refused.into()),
                None if accepted => {
                    let cure = "Some services give one for certain gestures only; without --best-shot this is an accepted answer.";
                    fail(&mut outcome, Exit::Unverified, Problem::new("the answer holds no best shot", cure));
                }
                None => {}
            }
        }
        outcome
    }

    /// Whether two pictures show the same person.
    pub async fn biometry(&self, args: &cli::Biometry) -> Outcome {
        let clock = Clock::new(args.timeout, 1.0);
        let prepared = async {
            let shot = Picture::read(&args.best_shot)?;
            let reference = Picture::read(&args.reference)?;
            let meta = args.meta.as_deref().map(capture::read_meta).transpose()?.unwrap_or_default();
            let service = self.service(args.base_url.as_deref(), &args.service).await?;
            Ok::<_, Refused>((shot, reference, meta, service))
        };
        let (shot, reference, meta, service) = match prepared.await {
            Ok(prepared) => prepared,
            Err(refused) => return Outcome::refused(refused),
        };
        match service.biometry((&reference, &shot), meta.expose(), (&clock, self.stop)).await {
            Ok(answered) => ended(Analysis::Biometry, &answered.verdict, args.min_confidence, args.service.expect),
            Err(late) => self.late(late),
        }
    }

    /// Says what will be sent, and warns of what is missing.
    pub fn tell(&self, capture: &Capture, first: FirstFrame) {
        let first = if first == FirstFrame::Skip { "left out" } else { "included" };
        self.report.note(&format!("{} frames as {}, the first one {first}", capture.frames, capture.tag));
        if capture.additional_info.is_none() {
            self.report.warn(
                "the capture has no additional_info: the service needs it in the capture architecture and may decline for its lack; --additional-info FILE adds it",
            );
        }
    }

    async fn service(&self, base_url: Option<&str>, args: &cli::Service) -> Result<Service, Refused> {
        let token = Token::read(args.token_file.as_deref())?;
        let (base, web) = match (base_url, self.sandbox) {
            (Some(url), _) => (BaseUrl::parse(url, args.allow_http)?, Web::new(args.ca_file.as_deref())?),
            (None, Some(sandbox)) => {
                let url = format!("https://app.{}", crate::sandbox::seed().zone);
                (BaseUrl::parse(&url, false)?, sandbox_web(sandbox).await?.0)
            }
            (None, None) => {
                return Err(Refused::new("no --base-url", "Name the service: --base-url https://app.example.com"));
            }
        };
        Service::new(base, token, &web).map_err(|why| Refused::new(why, "This is a bug."))
    }

    fn late(&self, late: Late) -> Outcome {
        let (exit, word, what) = lateness(late, self.stop);
        Outcome::new(exit, word, what)
    }
}

/// HTTP into the sandbox.
///
/// # Errors
/// Loopback cannot be listened on.
pub async fn sandbox_web(sandbox: &Sandbox) -> Result<(Web, Front), Refused> {
    let cure = "The sandbox needs a free port on loopback.";
    let front = sandbox.front().await.map_err(|error| Refused::new(error.to_string(), cure))?;
    let web = Web::sandbox(front.web, &front.authority).map_err(|why| Refused::new(why, cure))?;
    Ok((web, front))
}

/// What a passed deadline or a signal ends in.
pub fn lateness(late: Late, stop: &Stop) -> (Exit, &'static str, &'static str) {
    match (late, stop.signal()) {
        (Late::Stopped, Some(signal)) => (interrupted(signal), "interrupted", "interrupted"),
        _ => (Exit::Deadline, "timeout", "the deadline passed before there was an answer; --timeout allows more"),
    }
}

/// What the command line says beside a capture.
pub fn beside(args: &cli::Beside) -> Beside {
    Beside {
        tag: args.tag.clone(),
        meta: args.meta.clone(),
        additional_info: args.additional_info.clone(),
        skip_first: args.first_frame == FirstFrame::Skip,
    }
}

/// Exit code and word of a verdict. The floor only tightens; a negative control counts the service's own decision.
pub fn decided(verdict: &Verdict, floor: Option<f64>, expect: Option<Expect>) -> (Exit, &'static str) {
    let low = || floor.is_some_and(|floor| verdict.score.is_none_or(|score| score < floor));
    match (verdict.decision, expect) {
        (None, _) => (Exit::Unverified, "failed"),
        (Some(Decision::Declined), Some(Expect::Declined)) => (Exit::Done, "declined"),
        (Some(Decision::Declined), None) => (Exit::Negative, "declined"),
        (Some(Decision::OperatorRequired), _) => (Exit::Negative, "operator_required"),
        (Some(Decision::Success), Some(Expect::Declined)) => (Exit::Negative, "accepted"),
        (Some(Decision::Success), None) if low() => (Exit::Negative, "declined"),
        (Some(Decision::Success), None) => (Exit::Done, "accepted"),
    }
}

/// The check of an analysis.
pub fn check(asked: Analysis, verdict: &Verdict, floor: Option<f64>, expect: Option<Expect>) -> Check {
    let check = match asked {
        Analysis::Quality => Check::new("liveness", 0, "liveness"),
        Analysis::Biometry => Check::new("biometry", 0, "biometry"),
    };
    let mut check = match decided(verdict, floor, expect) {
        (Exit::Done, _) => check.pass(verdict.words(asked)),
        (Exit::Negative, "accepted") => check.fail(
            verdict.words(asked),
            "a negative control was accepted: this service may say yes to everything",
            "Look at the sample first; if it is a spoof or another person, report it to the vendor.",
        ),
        (Exit::Negative, _) => {
            let below = verdict.decision == Some(Decision::Success);
            let cause =
                if below { "the score is below --min-confidence" } else { "the service works; this is its decision" };
            check.fail(
                verdict.words(asked),
                cause,
                "Try a capture of a living person in good light, and a reference of the same person.",
            )
        }
        _ => {
            let (cause, fix) = match verdict.technical {
                None => (
                    "the service did not answer",
                    "`deploy verify` without a capture shows how far a call gets; `deploy diagnose` why.",
                ),
                Some(_) => (
                    "the service answered, and the analysis did not come to a decision",
                    "Look at the error's words; the media may be of a kind or quality that it cannot take.",
                ),
            };
            check.found(Status::Fail, verdict.words(asked)).because(cause, fix)
        }
    };
    check.duration_ms = verdict.duration_ms;
    check
}

fn ended(asked: Analysis, verdict: &Verdict, floor: Option<f64>, expect: Option<Expect>) -> Outcome {
    let (exit, word) = decided(verdict, floor, expect);
    let mut outcome = Outcome::new(exit, word, "");
    outcome.checks = vec![check(asked, verdict, floor, expect)];
    for (name, value) in [
        ("decision", verdict.decision.map(|decision| decision.word().to_owned())),
        ("score", verdict.score.map(|score| score.to_string())),
        ("folder", verdict.folder_id.clone()),
        ("analysis", verdict.analysis_id.clone()),
    ] {
        outcome.outputs.extend(value.map(|value| (name.to_owned(), value)));
    }
    outcome.verdict = Some(verdict.clone());
    outcome
}

fn fail(outcome: &mut Outcome, exit: Exit, problem: Problem) {
    (outcome.exit, outcome.outcome) = (exit, "failed");
    outcome.problems.push(problem);
}

/// Where the best shot goes: a file of nobody else's, there whole or not at all.
struct Save<'a> {
    path: &'a Path,
    /// In the same directory, mode 0600.
    file: NamedTempFile,
    force: bool,
}

impl Save<'_> {
    /// Before any call: whether it can be written there.
    fn new(path: &Path, force: bool) -> Result<Save<'_>, Refused> {
        let at = path.display();
        if path.is_dir() || path.file_name().is_none() {
            return Err(Refused::new(format!("{at}: not a file's name"), "--best-shot names the file to write."));
        }
        if !force && path.symlink_metadata().is_ok() {
            return Err(Refused::new(format!("{at}: exists"), "--force writes over it."));
        }
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(directory).map_err(|error| {
            Refused::new(format!("{}: {error}", directory.display()), "--best-shot names a file that can be written.")
        })?;
        Ok(Save { path, file, force })
    }

    fn keep(mut self, shot: &Picture) -> Result<String, Refused> {
        let at = self.path.display().to_string();
        let refused =
            |error: std::io::Error| Refused::new(format!("{at}: {error}"), "The best shot is lost; the call was made.");
        self.file.write_all(shot.bytes()).map_err(refused)?;
        let kept = match self.force {
            true => self.file.persist(self.path),
            false => self.file.persist_noclobber(self.path),
        };
        kept.map_err(|error| refused(error.error))?;
        Ok(format!("{at} ({:?})", shot))
    }
}
