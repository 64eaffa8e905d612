//! Spans for a collector, by OpenTelemetry's protocol (OTLP) over HTTP.
//!
//! Switched on by `OTEL_EXPORTER_OTLP_ENDPOINT` in builds with the feature `otel`; all that `OTEL_…` says is read by the
//! library, from the environment as every program's. What is exported is the way of an event: taken in, read, written, all
//! in one trace, whose id is the event's own. Spans go out in batches from a thread of their own, and are dropped where the
//! collector does not keep up; nothing here waits for it.

use std::sync::OnceLock;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// Where the collector is.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Whether somebody wants spans.
pub(super) fn is_wanted() -> bool {
    ENDPOINTS.iter().any(|name| std::env::var(name).is_ok_and(|endpoint| !endpoint.is_empty()))
}

/// What sends them; an error says why nothing can be sent.
pub(super) fn layer<S>() -> Result<impl Layer<S>, opentelemetry_otlp::ExporterBuildError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // The exporter may speak TLS before anything else does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = SpanExporter::builder().with_http().build()?;
    let resource = Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
    let _ = PROVIDER.set(provider);
    // Ours only: the libraries' spans would be many, and the exporter's own would never end.
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::DEBUG);
    Ok(tracing_opentelemetry::layer().with_tracer(tracer).with_filter(ours))
}

/// Sends what has not been sent.
pub(super) fn flush() {
    if let Some(provider) = PROVIDER.get() {
        // A collector that does not answer is no reason to fail.
        let _ = provider.shutdown();
    }
}
