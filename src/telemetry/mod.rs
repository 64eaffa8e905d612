//! Logs: for people on a terminal, JSON otherwise. Traces, where a collector is named: see [`trace`].

pub mod metrics;
mod outlet;
pub mod trace;

use std::io::IsTerminal;

use tracing::{Subscriber, error};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use crate::VERSION;
use crate::config::ExportConfig;

pub(crate) use outlet::{StandardError, dropped, finish};

#[derive(Debug, thiserror::Error)]
#[error("traces can't be exported: {0}")]
pub struct ExportError(String);

#[derive(Debug, Default)]
pub struct Export {
    #[cfg(feature = "otel")]
    traces: Option<trace::export::Traces>,
}

/// Sets up the process's log; `filter` is the value of `RUST_LOG`, by default `info`.
pub fn init(filter: Option<&str>) {
    registry().with(logs()).with(self::filter(filter)).init();
    report_panics();
}

/// The same, with traces exported where that is wanted. Must be called within the runtime, which sends them.
pub fn init_with_export(filter: Option<&str>, export: Option<&ExportConfig>) -> Result<Export, ExportError> {
    #[cfg(feature = "otel")]
    if let Some(export) = export {
        let traces = trace::export::Traces::new(export)?;
        // Each has its own filter, so that the export does not depend on the log's level.
        let logs = logs().with_filter(self::filter(filter));
        registry().with(traces.layer()).with(logs).init();
        report_panics();
        return Ok(Export { traces: Some(traces) });
    }
    // Without the feature the configuration refuses the variable.
    let _ = export;
    init(filter);
    Ok(Export::default())
}

impl Export {
    /// Sends what has not been sent, for two seconds at most.
    pub async fn end(self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = self.traces {
            traces.end().await;
        }
    }
}

fn filter(filter: Option<&str>) -> EnvFilter {
    // Unnamed targets stay at info, so that a typing error does not switch the log off.
    EnvFilter::builder().parse_lossy(format!("info,{}", filter.unwrap_or_default()))
}

fn logs<S>() -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let logs = fmt::layer()
        // Standard error, so that what a command prints can be piped.
        .with_writer(StandardError::open)
        // Otherwise the library reports formatting errors on standard error itself, waits for its reader, and panics when
        // that fails.
        .log_internal_errors(false);
    if std::io::stderr().is_terminal() {
        logs.with_target(false).boxed()
    } else {
        logs.json().flatten_event(true).boxed()
    }
}

/// Logs a panic like any other fault: with its place but without its text, which may quote customers' data.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        error!(
            version = VERSION,
            location,
            thread = thread.name().unwrap_or_default(),
            "A part of the program panicked, which is a bug"
        );
    }));
}
