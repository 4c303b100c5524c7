//! `deploy` creates, converges, proves and removes the AWS stack of Oz Liveness. src/README.md has the map of the code.

mod checks;
mod cli;
mod clock;
mod cloud;
mod commands;
mod config;
mod cost;
mod engine;
mod event;
mod exit;
mod export;
mod flags;
mod guide;
mod outcome;
mod oz;
mod permissions;
mod proxy;
mod report;
mod resolver;
mod rollout;
mod sandbox;
mod site;
mod steps;
mod text;

pub use cli::Cli;
pub use commands::{refuse, run, without_core_dump};
pub use exit::Exit;

/// What the tests use of the program. Everything else is private, so that the compiler shows what is dead.
#[doc(hidden)]
pub mod testing {
    pub use crate::checks::{CheckContext, Endpoint, Way, abouts, explain as explain_reason, verify};
    pub use crate::cli::{Cli, EXAMPLES, command};
    pub use crate::clock::{Cancel, Clock, Signal, Wait};
    pub use crate::cloud::{Access, Cloud, Error, Row, explain, explain_words, retryable, table};
    pub use crate::commands::sandbox::configuration;
    pub use crate::commands::{Session, perform};
    pub mod config {
        pub use crate::config::{Config, Dns, Network, parse};
    }
    pub use crate::engine::Graph;
    pub use crate::exit::Exit;
    pub use crate::outcome::{
        Action, Analysis, CODES, Change, Decision, FieldChange, Finding, Frame, Outcome, Problem, Status, Step, WORDS,
    };
    pub use crate::oz::picture::Kind;
    pub use crate::oz::{
        BaseUrl, Capture, CaptureOverrides, Frames, Meta, Picture, Redaction, Token, Web, certificates, judge,
    };
    pub use crate::permissions::{Need, Where, document as policy_document};
    pub use crate::report::{
        Report, USUAL, envelope, html, junit, markdown, plan_text, problem_text, progress_schema, result_schema,
        status_text,
    };
    pub use crate::resolver::Dns;
    pub use crate::sandbox::oz::{Answer, Script, Seen, Service, samples, serve};
    pub use crate::sandbox::weather::Throttle;
    pub use crate::sandbox::{Call, Fault, Sandbox, Weather, World, sample_capture, seed, tables};
    pub use crate::site::Site;
    pub use crate::steps::STACK;
    pub use crate::text::lenient_json;
}
