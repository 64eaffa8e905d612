//! Carries batches of spans to the collector, on the service's own runtime and with its own HTTP client.
//!
//! A collector that is away costs its traces and nothing else. The log says when that begins and when it is over.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tracing::{info, warn};

/// The time limit of a request to the collector, retries included.
pub(super) const LONGEST_REQUEST: Duration = Duration::from_secs(2);
/// Minimum interval between log lines about a collector that comes and goes.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// Most bytes that are read of a collector's answer, which is short.
const LONGEST_ANSWER: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    health: Mutex<ExportHealth>,
}

/// Whether the collector takes spans, as the log last said it.
#[derive(Debug, Default)]
struct ExportHealth {
    logged: Option<Instant>,
    /// Whether the last log line reported that the collector takes nothing.
    away: bool,
}

/// The collector did not take a batch.
#[derive(Debug, thiserror::Error)]
enum CollectorError {
    #[error("{0}")]
    Network(String),
    #[error("its answer is larger than {LONGEST_ANSWER} bytes")]
    TooLarge,
    #[error("the service is stopping")]
    Stopping,
}

impl Collector {
    /// Must be called within the runtime.
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        // Installed once a process; a second call finds the first one's, which is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("taskrouter-sync/", env!("CARGO_PKG_VERSION")))
            .timeout(LONGEST_REQUEST)
            // A redirect would carry the headers to wherever it points.
            .redirect(reqwest::redirect::Policy::none());
        Ok(Self { http: http.build()?, runtime: Handle::current(), health: Mutex::default() })
    }

    fn tell(&self, answered: &Result<Response<Bytes>, CollectorError>) {
        let refused = match answered {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        // Two plain values, valid even after a panic.
        let mut health = self.health.lock();
        match refused {
            None => {
                if std::mem::take(&mut health.away) {
                    info!("Traces are exported again");
                }
            }
            Some(reason) => {
                let lately = health.logged.is_some_and(|logged| logged.elapsed() < TELL_AGAIN);
                if !health.away && !lately {
                    health.logged = Some(Instant::now());
                    health.away = true;
                    warn!(reason, "The collector does not take traces; they are dropped until it does");
                }
            }
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The exporter's thread has no runtime.
        let sent = self.runtime.spawn(send(self.http.clone(), request));
        let answered = sent.await.unwrap_or(Err(CollectorError::Stopping));
        self.tell(&answered);
        Ok(answered?)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is no call to Twilio")]
async fn send(http: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, CollectorError> {
    let request = request.try_into().map_err(CollectorError::of)?;
    let mut answer = http.execute(request).await.map_err(CollectorError::of)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(CollectorError::of)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(CollectorError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

impl CollectorError {
    fn of(error: reqwest::Error) -> Self {
        Self::Network(if error.is_timeout() {
            format!("no answer within {LONGEST_REQUEST:?}")
        } else if error.is_connect() {
            "no connection".to_owned()
        } else {
            // Without the URL, whose path may hold a key.
            error.without_url().to_string()
        })
    }
}
