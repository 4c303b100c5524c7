//! What the tests use of the program: an item that moves inside `src/` is found anew here, and nowhere else.

pub use deploy::cli::Cli;
pub use deploy::cloud::{Access, Cloud, Error, settling};
pub use deploy::commands::sandbox::configuration;
pub use deploy::commands::{Session, name, perform};
pub use deploy::config;
pub use deploy::engine::clock::Signal;
pub use deploy::engine::{Clock, Graph, Stop};
pub use deploy::exit::Exit;
pub use deploy::explain::{Row, explain, explain_words, table};
pub use deploy::names::Names;
pub use deploy::oz::picture::Kind;
pub use deploy::oz::{Analysis, BaseUrl, Capture, Decision, Redaction, Verdict, Web};
pub use deploy::report::{Check, Frame, Outcome, Problem, Report, Status, envelope, html, junit, plan_text};
pub use deploy::sandbox::oz::{Answer, Script, Seen, Service, samples, serve};
pub use deploy::sandbox::weather::Throttle;
pub use deploy::sandbox::{Call, Fault, Sandbox, Weather, World, sample_capture, seed, tables};
pub use deploy::site::Site;
pub use deploy::steps::STACK;
pub use deploy::verify::{Endpoint, explain as explain_reason};
