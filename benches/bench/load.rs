//! A load generator that costs as little as one can: prepared requests over keep-alive connections, answers read as far
//! as their status.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The result of a load.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// How long each accepted request took.
    pub(crate) times: Vec<Duration>,
    pub(crate) refused: usize,
    pub(crate) took: Duration,
}

impl Load {
    /// Accepted requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }
}

/// Sends the requests in turn, each connection the next one as soon as its last is answered.
pub(crate) async fn run(
    address: &str,
    requests: &Arc<[Vec<u8>]>,
    connections: usize,
    span: Duration,
) -> Load {
    let mut running = JoinSet::new();
    let begin = Instant::now();
    for n in 0..connections {
        let (address, requests) = (address.to_owned(), requests.clone());
        let first = n * requests.len() / connections;
        running.spawn(async move { one_connection(&address, &requests, first, begin + span).await });
    }
    let mut load = Load::default();
    for one in running.join_all().await {
        load.times.extend(one.times);
        load.refused += one.refused;
    }
    load.took = begin.elapsed();
    load
}

async fn one_connection(address: &str, requests: &[Vec<u8>], first: usize, end: Instant) -> Load {
    let mut load = Load::default();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for request in requests.iter().cycle().skip(first) {
        let begin = Instant::now();
        if begin >= end {
            break;
        }
        stream.write_all(request).await.unwrap();
        if !is_accepted(&mut stream).await {
            // Its body is not read, so nothing can follow on this connection.
            load.refused += 1;
            break;
        }
        load.times.push(begin.elapsed());
    }
    load
}

/// Reads an answer; one of 204 has no body.
async fn is_accepted(stream: &mut TcpStream) -> bool {
    let (mut head, mut length) = ([0; 2048], 0);
    while !head[..length].ends_with(b"\r\n\r\n") {
        let Ok(read @ 1..) = stream.read(&mut head[length..]).await else { return false };
        length += read;
        if !head[..length].starts_with(b"HTTP/1.1 204") && length > 12 {
            return false;
        }
    }
    true
}
