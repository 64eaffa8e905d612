//! The rival of the intake: a handler that reads the body, checks the signature and does nothing else, in a process of
//! its own (this program, called with `bare`).

use std::process::Stdio;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use secrecy::SecretString;
use taskrouter_sync::twilio::signature::{SIGNATURE_HEADER, SignatureVerifier, SignedBody, SignedRequest};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::service::{Usage, usage};
use crate::testbed::EVENTS;

const TOKEN: &str = "AUTH_TOKEN";

/// The handler's process.
#[derive(Debug)]
pub(crate) struct Bare {
    /// The base URL of the child.
    pub(crate) url: String,
    child: Child,
}

struct Signed {
    url: String,
    verifier: SignatureVerifier,
}

impl Bare {
    pub(crate) async fn start(auth_token: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("bare").env_clear().env(TOKEN, auth_token).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.next_line().await.unwrap().expect("the bare handler said nothing");
        Self { url, child }
    }

    pub(crate) fn usage(&self) -> Usage {
        usage(&self.child)
    }
}

/// Runs the child: prints its address, and serves.
pub(crate) async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    println!("{url}");
    let token = SecretString::from(std::env::var(TOKEN).unwrap());
    let signed =
        Signed { url: format!("{url}{EVENTS}"), verifier: SignatureVerifier::new(vec![token], None) };
    let router = Router::new().route(EVENTS, post(receive)).with_state(Arc::new(signed));
    axum::serve(listener, router).await.unwrap();
}

async fn receive(State(signed): State<Arc<Signed>>, headers: HeaderMap, body: Bytes) -> Response {
    let signature = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    let request =
        SignedRequest { url: &signed.url, signature, settings: None, body: SignedBody::Form(&body) };
    match signed.verifier.verify(request) {
        Ok(_) => (StatusCode::NO_CONTENT, [(CONTENT_TYPE, "application/json")]).into_response(),
        Err(_) => StatusCode::FORBIDDEN.into_response(),
    }
}
