//! What `-v` and `-vv` show on stderr, and what `--trace` writes.

use std::fmt::{Debug, Write as _};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::cloud::CALLS;
use crate::report::told;

/// Sets up what is told of each call, on stderr and in a file. Nothing of a token, a picture or a signature is in it:
/// an event has the names and the parameters of a call to AWS, and those that the SDK calls sensitive are redacted.
///
/// # Errors
/// The file cannot be written.
pub fn log(verbose: u8, trace: Option<&Path>) -> io::Result<()> {
    let file = trace.map(File::create).transpose()?;
    if verbose == 0 && file.is_none() {
        return Ok(());
    }
    // Parameters are put together only for those who read them.
    let level = if verbose > 1 || file.is_some() { "trace" } else { "debug" };
    let filter = EnvFilter::new(format!("off,deploy=debug,{CALLS}={level}"));
    let start = Instant::now();
    let lines = Lines { verbose, file: file.map(Mutex::new), start };
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Ok(())
}

struct Lines {
    verbose: u8,
    file: Option<Mutex<File>>,
    start: Instant,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        let seconds = self.start.elapsed().as_secs_f64();
        fields.0.insert("seconds".to_owned(), ((seconds * 1000.0).round() / 1000.0).into());
        event.record(&mut fields);
        if self.verbose > 0 {
            told(&line(&fields.0, seconds, self.verbose > 1));
        }
        if let Some(file) = &self.file {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(file, "{}", Value::Object(fields.0));
        }
    }
}

/// `+1.2s ec2 DescribeImages 43ms ok`
fn line(fields: &Map<String, Value>, seconds: f64, with_parameters: bool) -> String {
    if let Some(message) = fields.get("message").and_then(Value::as_str) {
        return format!("+{seconds:.1}s {message}");
    }
    let word = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let milliseconds = fields.get("milliseconds").and_then(Value::as_u64).unwrap_or_default();
    let (service, operation, answer) = (word("service"), word("operation"), word("answer"));
    let mut line = format!("+{seconds:.1}s {service} {operation} {milliseconds}ms {answer}");
    if with_parameters {
        let _ = write!(line, " {}", word("parameters"));
    }
    line
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}
