//! A load balancer in a few lines: each request goes to the next replica that takes it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    behind: Arc<Mutex<Vec<SocketAddr>>>,
    task: JoinHandle<()>,
}

impl Balancer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behind = Arc::<Mutex<Vec<SocketAddr>>>::default();
        let replicas = behind.clone();
        let task = tokio::spawn(async move {
            let mut requests = JoinSet::new();
            let mut turn = 0;
            loop {
                let Ok((guest, _)) = listener.accept().await else { return };
                turn += 1;
                let mut replicas = replicas.lock().unwrap().clone();
                let first = turn % replicas.len().max(1);
                replicas.rotate_left(first);
                requests.spawn(pass(guest, replicas));
                while requests.try_join_next().is_some() {}
            }
        });
        Self { address, behind, task }
    }

    pub(crate) fn set(&self, replicas: Vec<SocketAddr>) {
        *self.behind.lock().unwrap() = replicas;
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request and its answer; then the connection ends.
async fn pass(mut guest: TcpStream, replicas: Vec<SocketAddr>) -> Option<()> {
    let request = request(&mut guest).await?;
    for replica in replicas {
        let Ok(mut host) = TcpStream::connect(replica).await else { continue };
        let mut answer = Vec::new();
        let sent = host.write_all(&request).await;
        let read = host.read_to_end(&mut answer).await;
        if sent.is_ok() && read.is_ok() && !answer.is_empty() {
            guest.write_all(&answer).await.ok()?;
            return Some(());
        }
    }
    guest
        .write_all(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .await
        .ok()
}

async fn request(guest: &mut TcpStream) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    let (end, length) = loop {
        if guest.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = memchr::memmem::find(&read, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            break (end, length.unwrap_or(0_usize));
        }
    };
    while read.len() < end + 4 + length {
        if guest.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    let mut whole = read[..end].to_vec();
    whole.extend_from_slice(b"\r\nConnection: close\r\n\r\n");
    whole.extend_from_slice(&read[end + 4..]);
    Some(whole)
}
