//! Traces on their way out: spans of [`crate::telemetry::trace`], with the log lines that fell within them, in batches to a
//! collector. A thread of their own encodes them; what does not fit into its queue is dropped, and no task waits for it.

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider};
use tracing::{Subscriber, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use super::collector::{Collector, LONGEST_REQUEST};
use crate::config::{ExportConfig, Sampling};
use crate::telemetry::ExportError;
use crate::telemetry::trace::ids::Ids;

/// Spans that wait to be sent, of less than a kilobyte each.
const MOST_WAITING: usize = 4096;
const MOST_TOGETHER: usize = 512;
/// The longest that a span waits for its batch to fill.
const GATHER: Duration = Duration::from_secs(1);
/// The longest that the end of the process waits for what has not been sent.
const LONGEST_END: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(in crate::telemetry) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Must be called within the runtime.
    pub(in crate::telemetry) fn new(config: &ExportConfig) -> Result<Self, ExportError> {
        let failed = |error: &dyn std::fmt::Display| ExportError(error.to_string());
        // The library takes headers as text only.
        let headers: HashMap<String, String> = config
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new().map_err(|error| failed(&error))?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&config.url)
            .with_timeout(LONGEST_REQUEST)
            .with_headers(headers)
            .build()
            .map_err(|error| failed(&error))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(MOST_WAITING)
            .with_max_export_batch_size(MOST_TOGETHER)
            .with_scheduled_delay(GATHER)
            .build();
        let resource = Resource::builder()
            .with_service_name(config.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .with_id_generator(Ids::default())
            .with_sampler(match config.sampling {
                Sampling::All => Sampler::AlwaysOn,
                Sampling::None => Sampler::AlwaysOff,
                // By the trace's id, so that all spans of a trace agree without asking each other.
                Sampling::Share(share) => Sampler::TraceIdRatioBased(share),
            })
            .with_resource(resource)
            .build();
        Ok(Self { provider })
    }

    /// Takes the journey's spans, and the lines of this program's log that fall within them.
    pub(in crate::telemetry) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
    {
        let wanted = Targets::new()
            .with_target("taskrouter_sync", LevelFilter::INFO)
            .with_target("taskrouter_sync::telemetry::trace", LevelFilter::TRACE);
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("taskrouter-sync"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_error_fields_to_exceptions(false)
            .with_error_events_to_exceptions(false)
            .with_error_records_to_exceptions(false)
            .with_filter(wanted)
    }

    /// Sends what waits, and stops.
    pub(in crate::telemetry) async fn end(self) {
        // It blocks, until all is sent or the time is over.
        let ended =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LONGEST_END)).await;
        if !matches!(ended, Ok(Ok(()))) {
            warn!("Traces were not all sent before the service stopped");
        }
    }
}
