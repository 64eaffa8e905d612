//! Receives callbacks, keeps them, and answers as it was set to.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// One received request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

#[derive(Clone, Default)]
struct Kept {
    seen: Arc<Mutex<Vec<Seen>>>,
    status: Arc<AtomicU16>,
}

/// The server; it ends when dropped.
pub(crate) struct Receiver {
    pub(crate) url: String,
    kept: Kept,
    _task: AbortOnDropHandle<()>,
}

impl Seen {
    pub(crate) fn params(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub(crate) fn param(&self, name: &str) -> Option<String> {
        self.params().into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let kept = Kept::default();
        kept.status.store(204, Ordering::Relaxed);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/taskrouter/events", listener.local_addr().unwrap());
        let app = Router::new().fallback(receive).with_state(kept.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, kept, _task: AbortOnDropHandle::new(task) }
    }

    pub(crate) fn answer_with(&self, status: u16) {
        self.kept.status.store(status, Ordering::Relaxed);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.kept.seen.lock().unwrap().clone()
    }

    /// The event types received so far, in order.
    pub(crate) fn types(&self) -> Vec<String> {
        self.seen().iter().filter_map(|seen| seen.param("EventType")).collect()
    }
}

async fn receive(State(kept): State<Kept>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let asked = headers.contains_key("authorization");
    let target = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let body = String::from_utf8(body.to_vec()).unwrap();
    kept.seen.lock().unwrap().push(Seen { target, headers, body });
    let status = StatusCode::from_u16(kept.status.load(Ordering::Relaxed)).unwrap();
    if status == StatusCode::UNAUTHORIZED && !asked {
        return (status, [("www-authenticate", "Basic realm=\"x\"")]).into_response();
    }
    if status == StatusCode::UNAUTHORIZED {
        StatusCode::NO_CONTENT.into_response()
    } else {
        status.into_response()
    }
}
