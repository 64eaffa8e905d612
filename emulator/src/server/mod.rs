//! The one listener behind which all products live, and what happens to every request.
//!
//! ```text
//! connection ─► read ─► in flight (counted, limited) ─► fault? ─► latency ─► credentials ─► product ─► headers ─► journal
//! ```
//!
//! Paths of different products do not collide, so one address serves them all; `/emulator` is not Twilio's and goes to
//! `control`, and the Sync SDK's websocket goes to `sdk`. A request whose client has left is dropped where it stands;
//! its record says status 0.

mod short;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::control;
use crate::error::{ApiError, Refusal};
use crate::faults::{Fault, FaultKind};
use crate::journal::{Api, Entry, InFlight};
use crate::parts::{Core, Shared};
use crate::rest::reply::Reply;
use crate::rest::request::{Request, Trace};
use crate::sdk;
use crate::wire::{Line, WireListener};

/// Where the Sync SDK connects.
const SDK_SOCKET: &str = "/v3/wsconnect";
const MAX_BODY: usize = 1024 * 1024;

/// Serves until told to stop; then every connection ends, whatever it waits for.
pub(crate) async fn serve(listener: TcpListener, core: Shared, stop: CancellationToken) {
    let app = Router::new()
        .route(SDK_SOCKET, get(sdk::upgrade))
        .fallback(handle)
        .with_state(core)
        .into_make_service_with_connect_info::<Line>();
    let serving = axum::serve(WireListener { listener, stop: stop.clone() }, app);
    tokio::select! {
        () = stop.cancelled() => {}
        ended = serving => if let Err(error) = ended { tracing::error!(%error, "the listener ended") },
    }
}

async fn handle(
    State(core): State<Shared>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: axum::extract::Request,
) -> Response {
    let arrived = Instant::now();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await;
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok());
    let base = match (&core.public_url, host) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(host)) => format!("http://{host}"),
        (None, None) => format!("http://{}", core.local),
    };
    let product = Core::product(parts.uri.path());
    let too_large = body.is_err();
    let request = Request::new(parts.method, &parts.uri, parts.headers, body.unwrap_or_default(), base);
    let Some(api) = product else {
        return plain(&control::answer(&core, &request).await);
    };
    let sync_write = api == Api::Sync && request.method != Method::GET;
    let (guard, in_flight) = core.journal.enter(api, sync_write);
    let mut record = Record {
        core: &core,
        guard: Some(guard),
        request: &request,
        api,
        arrived,
        trace: Trace::default(),
        faulty: false,
        answered: None,
    };

    let allowed = core.tuning().limits.concurrency;
    let outcome = if too_large {
        ToSend::Reply(Err(ApiError::new(413, 20413, "Request Entity Too Large")))
    } else if allowed.is_some_and(|allowed| in_flight > allowed) {
        ToSend::Reply(Err(ApiError::too_many_in_flight()))
    } else {
        record.carry_out().await
    };
    match outcome {
        ToSend::Reply(result) => {
            let reply = result.as_ref().map_or_else(Reply::from, Clone::clone);
            record.answered = Some((reply.status, reply.code, result.err().map(|error| error.refusal)));
            finish(&reply, &record, in_flight)
        }
        ToSend::Short(reply) => {
            record.answered = Some((reply.status, reply.code, None));
            cut_short(&reply)
        }
        ToSend::Cut => {
            line.cut();
            plain(&Reply::no_content())
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection was cut")]
pub struct Unanswered;

/// What the listener does with a request, without a connection.
pub(crate) async fn answer(
    core: Shared,
    request: http::Request<Vec<u8>>,
) -> Result<http::Response<Vec<u8>>, Unanswered> {
    let line = Line::default();
    let response = handle(State(core), ConnectInfo(line.clone()), request.map(Body::from)).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Unanswered)?;
    let promised = parts.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    if line.is_cut() || promised.is_some_and(|promised: usize| promised != body.len()) {
        return Err(Unanswered);
    }
    Ok(http::Response::from_parts(parts, body.to_vec()))
}

enum ToSend {
    Reply(Result<Reply, ApiError>),
    Short(Reply),
    Cut,
}

/// One request until it is in the journal, which happens however it ends.
struct Record<'a> {
    core: &'a Core,
    guard: Option<InFlight>,
    request: &'a Request,
    api: Api,
    arrived: Instant,
    trace: Trace,
    faulty: bool,
    answered: Option<(u16, Option<u32>, Option<Refusal>)>,
}

impl Record<'_> {
    async fn carry_out(&mut self) -> ToSend {
        let struck = self.core.faults.strike(self.api, self.request.method.as_str(), &self.request.path);
        self.faulty = struck.is_some();
        let latency = self.core.tuning().latency[self.api as usize];
        let Some((id, fault)) = struck else {
            return ToSend::Reply(self.process(latency).await);
        };
        let Fault { kind, after_processing, .. } = fault;
        // Faults that spoil an answer need one.
        let spoils = matches!(kind, FaultKind::MalformedJson | FaultKind::WrongTypes | FaultKind::Truncated);
        let done = if after_processing || spoils { Some(self.process(latency).await) } else { None };
        let reply = |done: Option<Result<Reply, ApiError>>| match done {
            Some(Ok(reply)) => reply,
            Some(Err(error)) => Reply::from(&error),
            None => Reply::no_content(),
        };
        match kind {
            FaultKind::Status { status, code, retry_after } => {
                let error = ApiError::new(status, 0, "Injected fault");
                ToSend::Reply(Err(ApiError { code, retry_after, ..error }))
            }
            FaultKind::Reset => ToSend::Cut,
            FaultKind::Hang | FaultKind::Slow(_) => {
                match kind {
                    FaultKind::Slow(by) => tokio::time::sleep(by).await,
                    _ => self.core.faults.removed(id).await,
                }
                match done {
                    Some(done) => ToSend::Reply(done),
                    None => ToSend::Reply(self.process(latency).await),
                }
            }
            FaultKind::MalformedJson => {
                let mut reply = reply(done);
                reply.body = reply.body.slice(..reply.body.len() / 2);
                ToSend::Reply(Ok(reply))
            }
            FaultKind::WrongTypes => {
                let mut reply = reply(done);
                reply.body = wrong_types(&reply.body);
                ToSend::Reply(Ok(reply))
            }
            FaultKind::Truncated => ToSend::Short(reply(done)),
        }
    }

    /// Half of the latency is the way there, half the way back: the request takes effect between the two.
    async fn process(&mut self, latency: Duration) -> Result<Reply, ApiError> {
        let way = latency / 2;
        if !way.is_zero() {
            tokio::time::sleep(way).await;
        }
        let answer = self.core.answer(self.api, self.request, &mut self.trace);
        if !way.is_zero() {
            tokio::time::sleep(way).await;
        }
        answer
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        // First out of flight, then into the journal: the gauges are right once the record is visible.
        self.guard.take();
        let (status, code, refusal) = self.answered.unwrap_or((0, None, None));
        let boxed = |text: &mut Option<String>| text.take().map(String::into_boxed_str);
        let user_agent = self.request.headers.get("user-agent").and_then(|agent| agent.to_str().ok());
        self.core.journal.record(Entry {
            user_agent: user_agent.unwrap_or_default().into(),
            at: self.arrived,
            api: self.api,
            method: method_name(&self.request.method),
            path: self.request.path.as_str().into(),
            query: self.request.raw_query.as_str().into(),
            status,
            code,
            refusal,
            sync_object: boxed(&mut self.trace.sync_object),
            key: boxed(&mut self.trace.key),
            payload_bytes: self.trace.payload_bytes,
            faulty: self.faulty,
            took: self.arrived.elapsed(),
        });
    }
}

fn method_name(method: &Method) -> Arc<str> {
    method.as_str().into()
}

fn plain(reply: &Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body.clone()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Adds the headers that Twilio puts on every answer.
fn finish(reply: &Reply, record: &Record<'_>, in_flight: usize) -> Response {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    let mut response = plain(reply);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("twilio-request-id", format!("RQ{:032x}", REQUESTS.fetch_add(1, Ordering::Relaxed)));
    set("twilio-concurrent-requests", in_flight.to_string());
    set("twilio-request-duration", format!("{:.3}", record.arrived.elapsed().as_secs_f64()));
    if let Some((allowed, left, config)) = &record.trace.rate {
        set("x-rate-limit-limit", allowed.to_string());
        set("x-rate-limit-remaining", left.to_string());
        set("x-rate-limit-config", config.to_string());
    }
    response
}

/// Promises the whole body and sends half of it; the server then has to close the connection.
fn cut_short(reply: &Reply) -> Response {
    let half = reply.body.slice(..reply.body.len() / 2);
    let promised = reply.body.len().max(1);
    let mut response = plain(reply);
    *response.body_mut() = short::body(half);
    response.headers_mut().insert("content-length", HeaderValue::from(promised));
    response
}

/// Text where numbers were, numbers where text was.
fn wrong_types(body: &Bytes) -> Bytes {
    fn turn(value: &mut serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::Number(number) => *value = format!("{number}?").into(),
            Value::String(_) => *value = 17.into(),
            Value::Bool(_) => *value = Value::Array(Vec::new()),
            Value::Array(list) => list.iter_mut().for_each(turn),
            Value::Object(map) => map.values_mut().for_each(turn),
            Value::Null => {}
        }
    }
    let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(body) else { return body.clone() };
    turn(&mut value);
    value.to_string().into()
}
