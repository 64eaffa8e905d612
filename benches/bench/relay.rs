//! Stands before the service as a proxy would, and takes the time that each event callback needs: the emulator tells
//! when a delivery ended and not when it began.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// A running relay.
#[derive(Debug)]
pub(crate) struct Relay {
    /// The URL by which Twilio calls the service.
    pub(crate) url: String,
    seen: Seen,
    _serving: AbortOnDropHandle<()>,
}

/// How long each delivery took, and what it was answered.
type Seen = Arc<Mutex<Vec<(Duration, StatusCode)>>>;

#[derive(Clone)]
struct Way {
    to: String,
    http: reqwest::Client,
    seen: Seen,
}

impl Relay {
    /// Passes events on to this base URL.
    pub(crate) async fn start(to: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let way = Way { to, http: reqwest::Client::new(), seen: Seen::default() };
        let seen = way.seen.clone();
        let router = Router::new().fallback(pass_on).with_state(way);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Takes the deliveries seen so far.
    pub(crate) fn take(&self) -> Vec<(Duration, StatusCode)> {
        std::mem::take(&mut self.seen.lock())
    }
}

async fn pass_on(State(way): State<Way>, uri: Uri, mut headers: HeaderMap, body: Bytes) -> StatusCode {
    headers.remove("host");
    let begin = Instant::now();
    let answer = way.http.post(format!("{}{uri}", way.to)).headers(headers).body(body).send().await;
    let status = answer.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status());
    way.seen.lock().push((begin.elapsed(), status));
    status
}
