//! What `-v` and `-vv` show on stderr.

/// Nothing of a request's body or headers is logged: the SDK's own logs keep to names and times.
pub fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "warn,deploy=debug,aws_smithy_runtime::client::retries=debug",
        _ => "info,deploy=debug,aws_smithy_runtime=debug",
    };
    let subscriber =
        tracing_subscriber::fmt().with_writer(std::io::stderr).log_internal_errors(false).with_env_filter(level);
    let _ = subscriber.try_init();
}
