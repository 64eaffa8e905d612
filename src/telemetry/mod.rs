//! Logs: for people on a terminal, JSON otherwise. With the feature `otel` spans for a collector, too.

#[cfg(feature = "otel")]
mod export;

use std::io::IsTerminal;

use tracing::error;
use tracing_subscriber::EnvFilter;

/// Sets the process's log up; `filter` is what `RUST_LOG` says, `info` where it says nothing.
pub fn init(filter: Option<&str>) {
    // What is not named stays at info, so that a slip of the pen does not switch the log off.
    let filter = EnvFilter::builder().parse_lossy(format!("info,{}", filter.unwrap_or_default()));
    #[cfg(feature = "otel")]
    if export::is_wanted() {
        init_with_spans(filter);
        report_panics();
        return;
    }
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Standard error, so that what a command prints can be piped.
        .with_writer(std::io::stderr)
        // A log that can't be written (a full disk, a closed pipe) must not end the service: the library would report
        // that on standard error as well, and panic when that fails.
        .log_internal_errors(false);
    if std::io::stderr().is_terminal() {
        logs.with_target(false).init();
    } else {
        logs.json().flatten_event(true).init();
    }
    report_panics();
}

/// The same log, and spans beside it. Each has a filter of its own, so what is exported does not depend on `RUST_LOG`.
#[cfg(feature = "otel")]
fn init_with_spans(filter: EnvFilter) {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    use tracing_subscriber::{Layer, fmt, registry};

    let logs = fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    let logs = if std::io::stderr().is_terminal() {
        logs.with_target(false).boxed()
    } else {
        logs.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    };
    match export::layer() {
        Ok(spans) => registry().with(spans).with(logs.with_filter(filter)).init(),
        Err(error) => {
            registry().with(logs.with_filter(filter)).init();
            tracing::warn!(%error, "Spans can't be exported; going on without");
        }
    }
}

/// Sends what has not been sent yet, at the end of the process.
pub fn flush() {
    #[cfg(feature = "otel")]
    export::flush();
}

/// A panic is a line of the log like any other. It says where, and not what: a panic's text may quote what it stumbled on,
/// which may be a customer's.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        error!(
            location,
            thread = thread.name().unwrap_or_default(),
            "A part of the program panicked, which is a bug"
        );
    }));
}
