//! Traces for an OpenTelemetry collector: one event's way from the webhook to the write that shows it, and a service that
//! doesn't care whether the collector is there.

mod collector;

use std::collections::HashMap;

use axum::http::StatusCode;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as Status;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use twilio_emulator::{Api, Emulator, Fault, NewTask, Settings};

use crate::support::{Binary, NO_TIMERS};
use collector::{Collector, attribute, hex};

const PUBLIC: &str = "http://hooks.example.com/taskrouter/events";
const HEADERS: &str = "authorization=Bearer%20collector-marker,x-tenant=one";
/// Stands in attributes of Tasks.
const PERSON: &str = "Zerlina-Marker";
const CUSTOMER: &str = "+15005550006";

struct Scene {
    emulator: Emulator,
    service: Binary,
    url: String,
    http: reqwest::Client,
}

impl Scene {
    async fn begin(endpoint: &str, more: &[(&str, &str)]) -> Self {
        let emulator = Emulator::start(Settings { queues: 3, ..Settings::default() }).await.unwrap();
        let mut variables = Binary::variables(&emulator, NO_TIMERS);
        let export = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_HEADERS", HEADERS)];
        let export = export.iter().chain(&[("RUST_LOG", "taskrouter_sync=debug")]).chain(more);
        variables.extend(export.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut service = Binary::serve(&variables);
        let serving: Value = serde_json::from_str(&service.logs("Serving").await).unwrap();
        service.logs("Ready").await;
        // Events are posted by the tests, one by one.
        emulator.callbacks().drop_all(true);
        let url = format!("http://{}/taskrouter/events", serving["listening"].as_str().unwrap());
        Self { emulator, service, url, http: reqwest::Client::new() }
    }

    fn queue(&self) -> String {
        self.emulator.world().queues()[0].sid.clone()
    }

    /// A customer calls, and no event is sent.
    fn a_customer_waits(&self) {
        let attributes = json!({ "name": PERSON, "from": CUSTOMER });
        let task =
            NewTask { queue: self.queue(), channel: "voice".to_owned(), attributes, ..NewTask::default() };
        self.emulator.world().create_task(task).unwrap();
    }

    /// Twilio sends an event of it.
    async fn event(&self, sid: &str) {
        let attributes = json!({ "name": PERSON, "from": CUSTOMER }).to_string();
        let queue = self.queue();
        let fields = [
            ("EventType", "task-queue.entered"),
            ("Sid", sid),
            ("TaskQueueSid", &queue),
            ("TaskChannelUniqueName", "voice"),
            ("TaskAttributes", &attributes),
        ];
        let signature = self.emulator.callbacks().sign(PUBLIC, fields);
        let request = self.http.post(&self.url).header("X-Twilio-Signature", signature).form(&fields);
        assert_eq!(request.send().await.unwrap().status(), 204);
    }

    async fn written(&mut self, sid: &str) {
        let item = format!("Map queueStats, item {}", self.queue());
        self.service.logs(&format!(r#""message":"Written","event":"{sid}","sync.object":"{item}""#)).await;
    }

    async fn end(self) -> Vec<String> {
        self.service.signal("TERM");
        let log = self.service.log_until_end().await;
        assert!(log.iter().any(|line| line.contains(r#""message":"Stopped""#)), "{}", log.join("\n"));
        self.emulator.shutdown().await;
        log
    }
}

fn sid(number: u8) -> String {
    format!("EV0123456789abcdef0123456789abcd{number:02x}")
}

/// The id by which a trace is found: the event's, without its two letters.
fn trace_of(sid: &str) -> &str {
    &sid[2..]
}

fn in_trace<'s>(spans: &'s [Span], sid: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| hex(&span.trace_id) == trace_of(sid)).collect()
}

fn named<'s>(spans: &[&'s Span], name: &str) -> Vec<&'s Span> {
    spans.iter().copied().filter(|span| span.name == name).collect()
}

fn begins<'s>(spans: &[&'s Span], name: &str) -> Vec<&'s Span> {
    spans.iter().copied().filter(|span| span.name.starts_with(name)).collect()
}

fn is_read(spans: &[Span], sid: &str) -> bool {
    !begins(&in_trace(spans, sid), "read").is_empty()
}

fn is_shown(spans: &[Span], sid: &str) -> bool {
    !named(&in_trace(spans, sid), "write map_item").is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_is_one_trace_from_the_webhook_to_the_write() {
    let collector = Collector::start().await;
    let mut scene = Scene::begin(&collector.endpoint(), &[("OTEL_SERVICE_NAME", "centre")]).await;
    let sid = sid(1);
    scene.a_customer_waits();
    scene.event(&sid).await;
    // The same id in the log and in the trace.
    scene.written(&sid).await;
    let spans = collector.until("the write", |spans| is_shown(spans, &sid)).await;
    assert!(
        spans.iter().all(|span| hex(&span.trace_id) == trace_of(&sid)),
        "nothing but the event is traced"
    );
    let spans = in_trace(&spans, &sid);

    let [webhook] = named(&spans, "webhook")[..] else { panic!("{spans:#?}") };
    assert_eq!(webhook.kind, SpanKind::Server as i32);
    assert!(webhook.parent_span_id.is_empty(), "{webhook:?}");
    assert_eq!(attribute(&webhook.attributes, "event.type").as_deref(), Some("task-queue.entered"));
    assert_eq!(attribute(&webhook.attributes, "event.id").as_ref(), Some(&sid));

    // Reads and writes hang on the webhook, and on each of them the requests that it took.
    let requests = |parent: &Span| -> Vec<&Span> {
        spans.iter().copied().filter(|span| span.parent_span_id == parent.span_id).collect()
    };
    let reads = begins(&spans, "read ");
    let writes = begins(&spans, "write ");
    assert!(!reads.is_empty() && !writes.is_empty(), "{spans:#?}");
    for (span, begin, outcome) in reads
        .iter()
        .map(|span| (span, "GET /v1/Workspaces/{}", "ok"))
        .chain(writes.iter().map(|span| (span, "POST /v1/Services/{}", "landed")))
    {
        assert_eq!(span.parent_span_id, webhook.span_id, "{span:?}");
        assert_eq!(attribute(&span.attributes, "outcome").as_deref(), Some(outcome));
        assert!(span.end_time_unix_nano > span.start_time_unix_nano, "{span:?}");
        let requests = requests(span);
        assert!(!requests.is_empty(), "{span:?}");
        for request in requests {
            assert!(request.name.starts_with(begin), "{request:?}");
            assert_eq!(request.kind, SpanKind::Client as i32);
            let status = attribute(&request.attributes, "http.response.status_code");
            assert!(status.is_some_and(|status| status.starts_with('2')), "{request:?}");
        }
    }
    let [write] = named(&spans, "write map_item")[..] else { panic!("{spans:#?}") };
    assert!(attribute(&write.attributes, "age_ms").is_some());
    assert!(reads.iter().any(|read| read.start_time_unix_nano < write.start_time_unix_nano));

    let batch = collector.batches().remove(0);
    assert_eq!(batch.headers["authorization"], "Bearer collector-marker");
    assert_eq!(batch.headers["x-tenant"], "one");
    assert_eq!(batch.headers["content-type"], "application/x-protobuf");
    let resource = batch.request.resource_spans[0].resource.clone().unwrap();
    assert_eq!(attribute(&resource.attributes, "service.name").as_deref(), Some("centre"));

    // Nothing of a customer's, no secret, and no SID but the event's.
    let account = scene.emulator.account();
    let secret = [PERSON, CUSTOMER, &account.auth_token, &account.account_sid, &account.workspace_sid];
    let queue = scene.queue();
    for batch in collector.batches() {
        let sent = String::from_utf8_lossy(&batch.body).into_owned();
        for word in secret.iter().copied().chain([queue.as_str()]) {
            assert!(!sent.contains(word), "{word} went out in {sent}");
        }
    }
    let log = scene.end().await;
    assert!(log.iter().all(|line| !line.contains("collector-marker")), "the header's value is a secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_marked_and_its_log_line_goes_along() {
    let collector = Collector::start().await;
    let mut scene = Scene::begin(&collector.endpoint(), &[]).await;
    let sid = sid(2);
    scene.a_customer_waits();
    let fault = Fault::status(503, 20503).on(Api::Sync).method("POST").path(&scene.queue()).times(1);
    scene.emulator.faults().add(fault);
    scene.event(&sid).await;
    scene.written(&sid).await;
    let failed = |spans: &[Span]| {
        let failed = in_trace(spans, &sid)
            .into_iter()
            .find(|span| attribute(&span.attributes, "outcome").as_deref() == Some("failed"));
        failed.cloned()
    };
    let spans =
        collector.until("the failure", |spans| failed(spans).is_some() && is_shown(spans, &sid)).await;
    let failed = failed(&spans).unwrap();
    assert!(failed.name.starts_with("write "), "{failed:?}");
    assert_eq!(failed.status.as_ref().unwrap().code, Status::Error as i32);
    let told: Vec<_> = failed.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(told, ["A write to Sync failed; the newest value will be written later"]);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_a_newer_one_overtakes_leads_to_that_one() {
    let collector = Collector::start().await;
    let scene = Scene::begin(&collector.endpoint(), &[]).await;
    let (first, second) = (sid(3), sid(4));
    scene.a_customer_waits();
    // No read succeeds, so the first event still waits for one when the second comes.
    let outage = scene.emulator.faults().add(Fault::status(503, 20503).on(Api::TaskRouter));
    scene.event(&first).await;
    collector.until("the first event's failed read", |spans| is_read(spans, &first)).await;
    scene.event(&second).await;
    let joined = |spans: &[Span]| {
        let joined = named(&in_trace(spans, &first), "joined by a newer event");
        joined.into_iter().cloned().collect::<Vec<_>>()
    };
    collector.until("the link", |spans| !joined(spans).is_empty()).await;
    scene.emulator.faults().remove(outage);
    let spans = collector.until("the write", |spans| is_shown(spans, &second)).await;
    let joined = joined(&spans);
    assert_eq!(joined.len(), 1, "it is reported once: {joined:#?}");
    let [webhook] = named(&in_trace(&spans, &second), "webhook")[..] else { panic!("{spans:#?}") };
    let [link] = &joined[0].links[..] else { panic!("{joined:#?}") };
    assert_eq!((&link.trace_id, &link.span_id), (&webhook.trace_id, &webhook.span_id));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_yet_is_sent_before_the_process_ends() {
    let collector = Collector::start().await;
    let scene = Scene::begin(&collector.endpoint(), &[]).await;
    let sid = sid(5);
    scene.a_customer_waits();
    scene.event(&sid).await;
    scene.end().await;
    let spans = collector.spans();
    assert_eq!(named(&in_trace(&spans, &sid), "webhook").len(), 1, "{spans:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_share_is_traced_where_that_is_wanted() {
    let collector = Collector::start().await;
    let sampler = [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.5")];
    let mut scene = Scene::begin(&collector.endpoint(), &sampler).await;
    // By the lower half of the id, from which all spans of a trace know alike.
    let (low, high) = (format!("EV{:032x}", 1), format!("EV{:032x}", u64::MAX));
    scene.a_customer_waits();
    scene.event(&high).await;
    scene.written(&high).await;
    scene.a_customer_waits();
    scene.event(&low).await;
    collector.until("the sampled write", |spans| is_shown(spans, &low)).await;
    scene.end().await;
    let spans = collector.spans();
    assert!(in_trace(&spans, &high).is_empty(), "{spans:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_harms_nothing_and_is_logged_once() {
    // The first port is closed. The second accepts connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoints = ["http://127.0.0.1:9".to_owned(), format!("http://{}", silent.local_addr().unwrap())];
    for endpoint in endpoints {
        let mut scene = Scene::begin(&endpoint, &[]).await;
        for number in 6..9 {
            scene.a_customer_waits();
            scene.event(&sid(number)).await;
            scene.written(&sid(number)).await;
        }
        scene.service.logs("The collector does not take traces").await;
        scene.a_customer_waits();
        scene.event(&sid(9)).await;
        let log = scene.end().await;
        let told = log.iter().filter(|line| line.contains("The collector does not take traces")).count();
        assert_eq!(told, 1, "{}", log.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_comes_back_gets_what_happens_from_then_on() {
    let collector = Collector::start().await;
    collector.answer(StatusCode::FORBIDDEN);
    let mut scene = Scene::begin(&collector.endpoint(), &[]).await;
    scene.a_customer_waits();
    scene.event(&sid(10)).await;
    let told = scene.service.logs("The collector does not take traces").await;
    assert!(told.contains("403"), "{told}");
    collector.answer(StatusCode::OK);
    scene.a_customer_waits();
    scene.event(&sid(11)).await;
    scene.service.logs("Traces are exported again").await;
    collector.until("the write", |spans| is_shown(spans, &sid(11))).await;
    scene.end().await;
}

#[tokio::test]
async fn wrong_variables_stop_the_program_before_it_begins() {
    let emulator = Emulator::start(Settings { queues: 1, ..Settings::default() }).await.unwrap();
    let wrong: HashMap<&str, &str> = HashMap::from([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "header-marker"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "often"),
    ]);
    let variables = Binary::variables(&emulator, &wrong.clone().into_iter().collect::<Vec<_>>());
    let output = Binary::output(&variables, &["serve"]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for name in wrong.keys() {
        assert!(said.contains(&format!("{name}: found")), "{said}");
    }
    assert!(!said.contains("header-marker"), "{said}");
    emulator.shutdown().await;
}
