//! The flags of the verbs that call the service.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};

use super::{duration, share};
use crate::oz::{BaseUrl, CaptureOverrides, Tunnel};

/// How a service is reached, and what is expected of it.
#[derive(Debug, Args)]
pub struct Service {
    /// The access token's file; else the environment's OZ_ACCESS_TOKEN
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Certificates of a private authority, or the server's own, in PEM
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Connect there, whatever the name leads to: where a tunnel to the service begins, such as localhost:8443
    #[arg(long, value_name = "HOST:PORT")]
    pub connect_to: Option<Tunnel>,
    /// Allow plain http beyond loopback
    #[arg(long)]
    pub allow_http: bool,
    /// A negative control: DECLINED is the success, anything else a failure
    #[arg(long, value_name = "DECISION")]
    pub expect: Option<Expect>,
}

/// The decision that is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Expect {
    Declined,
}

/// What a capture may lack.
#[derive(Debug, Args)]
pub struct Overrides {
    /// The gesture, when the capture tells no action [default for a directory: video_selfie_blank]
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// A JSON object in place of the capture's meta
    #[arg(long, value_name = "FILE")]
    pub meta: Option<PathBuf>,
    /// A text in place of the capture's additional_info
    #[arg(long, value_name = "FILE")]
    pub additional_info: Option<PathBuf>,
    /// Whether the first frame, which may be a PNG, is sent
    #[arg(long, value_name = "HOW", default_value = "include")]
    pub first_frame: FirstFrame,
}

/// The guide's `frame_list[1..N]` can be read both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FirstFrame {
    Include,
    Skip,
}

/// How many calls of one capture are made and measured.
#[derive(Debug, Args)]
#[group(multiple = true)]
pub struct HowMany {
    /// Make so many calls and measure them: counts, percentiles, a histogram
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=MOST_CALLS))]
    pub repeat: Option<u32>,
    /// Begin calls for so long, up to --max-calls or --repeat of them
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub span: Option<Duration>,
}

/// So many durations are kept to be sorted, and nobody means to pay for more.
const MOST_CALLS: i64 = 100_000;

/// Many calls in place of one.
#[derive(Debug, Args)]
pub struct Load {
    #[command(flatten)]
    pub how_many: HowMany,
    /// So many calls under way at once, up to 500
    #[arg(long, value_name = "C", default_value_t = 1, value_parser = value_parser!(u16).range(1..=500),
        requires = "HowMany")]
    pub concurrency: u16,
    /// Never more calls than these: the vendor meters each
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = value_parser!(u32).range(1..=MOST_CALLS),
        requires = "HowMany")]
    pub max_calls: u32,
    /// Do not ask before more than 10 metered calls; needed for them where there is no terminal
    #[arg(long, requires = "HowMany")]
    pub yes: bool,
}

/// `deploy liveness`
#[derive(Debug, Args)]
pub struct Liveness {
    /// What on_capture_complete handed over, as JSON; or a directory of frames
    pub capture: PathBuf,
    /// The service; with --sandbox its own
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    #[command(flatten)]
    pub service: Service,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Save the best shot here
    #[arg(long, value_name = "FILE", conflicts_with = "HowMany")]
    pub best_shot: Option<PathBuf>,
    /// Write over the file of --best-shot
    #[arg(long, requires = "best_shot")]
    pub force: bool,
    #[command(flatten)]
    pub load: Load,
    /// How long everything may take; of many calls each
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub timeout: Duration,
}

/// `deploy biometry`
#[derive(Debug, Args)]
pub struct Biometry {
    /// The best shot of a liveness call
    #[arg(long, value_name = "FILE")]
    pub best_shot: PathBuf,
    /// The reference photo
    #[arg(long, value_name = "FILE")]
    pub reference: PathBuf,
    /// The service; with --sandbox its own
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    #[command(flatten)]
    pub service: Service,
    /// A JSON object: the meta of the liveness call
    #[arg(long, value_name = "FILE")]
    pub meta: Option<PathBuf>,
    /// Least similarity; can only tighten what the service decides
    #[arg(long, value_name = "0..1", value_parser = share)]
    pub min_confidence: Option<f64>,
    /// How long everything may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub timeout: Duration,
}

impl Load {
    /// Whether many calls are made, and not one.
    pub fn is_asked(&self) -> bool {
        self.how_many.repeat.is_some() || self.how_many.span.is_some()
    }

    /// How many calls are made, at most.
    pub fn most(&self) -> usize {
        self.how_many.repeat.unwrap_or(self.max_calls) as usize
    }
}

impl Service {
    /// This service, through the tunnel that the command line names.
    pub fn led(&self, base: BaseUrl) -> BaseUrl {
        match &self.connect_to {
            Some(tunnel) => base.connect_to(tunnel),
            None => base,
        }
    }

    /// Whether DECLINED is the success.
    pub fn expects_declined(&self) -> bool {
        self.expect == Some(Expect::Declined)
    }
}

impl Overrides {
    /// What the command line says in place of the capture.
    pub fn read(&self) -> CaptureOverrides {
        CaptureOverrides {
            tag: self.tag.clone(),
            meta: self.meta.clone(),
            additional_info: self.additional_info.clone(),
            skip_first: self.skips_first(),
        }
    }

    /// Whether the first frame is left out.
    pub fn skips_first(&self) -> bool {
        self.first_frame == FirstFrame::Skip
    }
}
