//! What the tests use of the program: an item that moves inside `src/` is found anew here, and nowhere else.

pub use deploy::checks::{Endpoint, explain as explain_reason};
pub use deploy::cli::Cli;
pub use deploy::clock::{Cancel, Clock, Signal, Wait};
pub use deploy::cloud::{Access, Cloud, Error, Row, explain, explain_words, retryable, table};
pub use deploy::commands::sandbox::configuration;
pub use deploy::commands::{Session, perform};
pub use deploy::config;
pub use deploy::engine::Graph;
pub use deploy::exit::Exit;
pub use deploy::outcome::{Analysis, Decision, Finding, Frame, Outcome, Problem, Status};
pub use deploy::oz::picture::Kind;
pub use deploy::oz::{BaseUrl, Capture, Redaction, Web, judge};
pub use deploy::report::{Report, envelope, html, junit, plan_text};
pub use deploy::resolver::Dns;
pub use deploy::sandbox::oz::{Answer, Script, Seen, Service, samples, serve};
pub use deploy::sandbox::weather::Throttle;
pub use deploy::sandbox::{Call, Fault, Sandbox, Weather, World, sample_capture, seed, tables};
pub use deploy::site::Site;
pub use deploy::steps::STACK;
