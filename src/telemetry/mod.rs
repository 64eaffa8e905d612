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

/// Sets the process's log up; `filter` is what `RUST_LOG` says, `info` where it says nothing.
pub fn init(filter: Option<&str>) {
    registry().with(logs()).with(self::filter(filter)).init();
    report_panics();
}

/// The same, with traces exported where that is wanted. Must be called within the runtime, which sends them.
pub fn init_with_export(filter: Option<&str>, export: Option<&ExportConfig>) -> Result<Export, ExportError> {
    #[cfg(feature = "otel")]
    if let Some(export) = export {
        let traces = trace::export::Traces::new(export)?;
        // Each has a filter of its own, so that what is exported does not depend on what is logged.
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
    // What is not named stays at info, so that a slip of the pen does not switch the log off.
    EnvFilter::builder().parse_lossy(format!("info,{}", filter.unwrap_or_default()))
}

fn logs<S>() -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let logs = fmt::layer()
        // Standard error, so that what a command prints can be piped.
        .with_writer(StandardError::open)
        // What can't be formatted must not end the service: the library would report that on standard error itself, wait
        // for its reader, and panic when that fails.
        .log_internal_errors(false);
    if std::io::stderr().is_terminal() {
        logs.with_target(false).boxed()
    } else {
        logs.json().flatten_event(true).boxed()
    }
}

/// A panic is a line of the log like any other. It says where, and not what: a panic's text may quote what it stumbled on,
/// which may be a customer's.
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
