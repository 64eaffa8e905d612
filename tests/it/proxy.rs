//! The way to Twilio through a proxy, as the usual variables name it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use twilio_emulator::{Emulator, Settings};

use crate::support::{Binary, DEADLINE};

/// A host that no resolver knows: what reaches it has gone through the proxy.
const HOST: &str = "twilio.invalid";

/// A proxy that carries plain requests to the emulator, whatever host they name, and refuses tunnels.
struct Proxy {
    url: String,
    /// The first line of each request.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(emulator: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, emulator, seen.clone()));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Carries one request of a connection, and ends it.
async fn carry(stream: TcpStream, emulator: SocketAddr, asked: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut client = BufReader::new(stream);
    let mut first = String::new();
    client.read_line(&mut first).await.ok()?;
    asked.lock().unwrap().push(first.clone());
    if first.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.ok()?;
        return None;
    }
    let mut head = first.replacen(&format!("http://{HOST}"), "", 1) + "Connection: close\r\n";
    let mut length = 0;
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await.ok()?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head += &line;
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body).await.ok()?;
    let mut twilio = TcpStream::connect(emulator).await.ok()?;
    twilio.write_all(head.as_bytes()).await.ok()?;
    twilio.write_all(&body).await.ok()?;
    tokio::io::copy(&mut twilio, client.get_mut()).await.ok().map(drop)
}

async fn emulator() -> Emulator {
    Emulator::start(Settings { queues: 2, workers: 2, ..Settings::default() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_requests_to_twilio_go_through_the_proxy_that_is_named() {
    let emulator = emulator().await;
    let proxy = Proxy::start(emulator.address()).await;
    let url = format!("http://{HOST}");
    let names = ["TWILIO_TASKROUTER_URL", "TWILIO_SYNC_URL", "TWILIO_API_URL", "TWILIO_IAM_URL"];
    let more: Vec<_> = names
        .map(|name| (name, url.as_str()))
        .into_iter()
        .chain([("HTTP_PROXY", proxy.url.as_str())])
        .collect();
    let mut service = Binary::serve(&Binary::variables(&emulator, &more));
    service.logs("Ready").await;
    let asked = proxy.asked();
    assert!(asked.iter().any(|line| line.starts_with(&format!("GET {url}/v1/Workspaces/"))), "{asked:?}");
    assert!(asked.iter().any(|line| line.starts_with(&format!("POST {url}/v1/Services/"))), "{asked:?}");
    service.signal("TERM");
    assert_eq!(service.exit_code().await, Some(0));
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn https_asks_the_proxy_for_a_tunnel_and_exceptions_go_past_it() {
    let emulator = emulator().await;
    let proxy = Proxy::start(emulator.address()).await;
    let taskrouter = format!("https://{HOST}");
    let more = [
        ("TWILIO_TASKROUTER_URL", taskrouter.as_str()),
        ("HTTPS_PROXY", &proxy.url),
        ("HTTP_PROXY", &proxy.url),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let service = Binary::serve(&Binary::variables(&emulator, &more));
    let tunnel = format!("CONNECT {HOST}:443 HTTP/1.1\r\n");
    let waiting = async {
        // Sync is reached without the proxy, TaskRouter through it alone.
        while !proxy.asked().contains(&tunnel) || emulator.journal().entries().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("{:?}", proxy.asked()));
    assert!(proxy.asked().iter().all(|line| *line == tunnel), "{:?}", proxy.asked());
    drop(service);
    emulator.shutdown().await;
}
