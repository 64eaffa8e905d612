//! A collector of traces that keeps what it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::DEADLINE;

/// One request as it came.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) request: ExportTraceServiceRequest,
}

struct Kept {
    batches: Mutex<Vec<Batch>>,
    answer: Mutex<StatusCode>,
    count: watch::Sender<usize>,
}

pub(super) struct Collector {
    kept: Arc<Kept>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let kept = Kept {
            batches: Mutex::default(),
            answer: Mutex::new(StatusCode::OK),
            count: watch::Sender::new(0),
        };
        let kept = Arc::new(kept);
        let router = Router::new().route("/v1/traces", post(take)).with_state(kept.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { kept, address, serving }
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is to be.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it answers so.
    pub(super) fn answer(&self, status: StatusCode) {
        *self.kept.answer.lock().unwrap() = status;
    }

    pub(super) fn batches(&self) -> Vec<Batch> {
        self.kept.batches.lock().unwrap().clone()
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        let batches = self.batches();
        let resources = batches.into_iter().flat_map(|batch| batch.request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// Waits until the spans of all batches so far are as they are to be.
    pub(super) async fn until(&self, what: &str, holds: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let mut count = self.kept.count.subscribe();
        let waiting = async {
            loop {
                let spans = self.spans();
                if holds(&spans) {
                    return spans;
                }
                count.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(DEADLINE, waiting).await;
        waited.unwrap_or_else(|_| panic!("{what} never came; there are {:#?}", outline(&self.spans())))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(kept): State<Arc<Kept>>, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap) {
    let request = ExportTraceServiceRequest::decode(body.clone()).unwrap();
    let answer = *kept.answer.lock().unwrap();
    if answer.is_success() {
        kept.batches.lock().unwrap().push(Batch { headers, body, request });
    }
    kept.count.send_modify(|count| *count += 1);
    let protobuf = [(CONTENT_TYPE, "application/x-protobuf".parse().unwrap())];
    (answer, protobuf.into_iter().collect())
}

pub(super) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An attribute as text.
pub(super) fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match &found.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => Some(text.clone()),
        Some(AnyValue { value: Some(Value::IntValue(number)) }) => Some(number.to_string()),
        other => panic!("{key} is {other:?}"),
    }
}

fn outline(spans: &[Span]) -> Vec<String> {
    let line = |span: &Span| format!("{} {} {:?}", hex(&span.trace_id), span.name, span.attributes);
    spans.iter().map(line).collect()
}
