//! The rival of the fan-out: an axum websocket server that sends a text to every client each half second and does nothing
//! else, in a process of its own (this program, called with `broadcast`).

use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::routing::any;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpSocket};
use tokio::process::{Child, Command};
use tokio::sync::broadcast::{Sender, channel};

use crate::service::{Usage, usage};

/// Bytes of a text.
const SIZE: &str = "SIZE";
const SPACING: Duration = Duration::from_millis(500);
/// Texts that a slow client may be behind.
const BEHIND: usize = 8;

/// The server's process.
#[derive(Debug)]
pub(crate) struct Broadcast {
    /// The host and port of the child.
    pub(crate) address: String,
    child: Child,
}

impl Broadcast {
    pub(crate) async fn start(size: usize) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("broadcast").env_clear().env(SIZE, size.to_string());
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next_line().await.unwrap().expect("the rival said nothing");
        Self { address, child }
    }

    pub(crate) fn usage(&self) -> Usage {
        usage(&self.child)
    }
}

/// Runs the child.
pub(crate) async fn serve() {
    let size: usize = std::env::var(SIZE).unwrap().parse().unwrap();
    let listener = listener();
    println!("{}", listener.local_addr().unwrap());
    let (sender, _) = channel(BEHIND);
    let router = Router::new().route("/", any(join)).with_state(sender.clone());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SPACING).await;
            let head =
                format!("{{\"type\":\"change\",\"id\":\"1-1\",\"at\":{}", Timestamp::now().as_millisecond());
            let text = format!("{head},\"x\":\"{}\"}}", "x".repeat(size.saturating_sub(head.len() + 8)));
            let _ = sender.send(text.into());
        }
    });
    axum::serve(listener, router).await.unwrap();
}

/// With the same queue of connections to accept as the service's.
fn listener() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(4096).unwrap()
}

type Text = axum::extract::ws::Utf8Bytes;

async fn join(
    upgrade: WebSocketUpgrade,
    Query(_): Query<Vec<(String, String)>>,
    State(texts): State<Sender<Text>>,
) -> axum::response::Response {
    upgrade.on_upgrade(async move |mut socket| {
        let mut texts = texts.subscribe();
        loop {
            tokio::select! {
                text = texts.recv() => {
                    let Ok(text) = text else { continue };
                    if socket.send(Message::Text(text)).await.is_err() {
                        return;
                    }
                }
                said = socket.recv() => if !matches!(said, Some(Ok(_))) { return },
            }
        }
    })
}
