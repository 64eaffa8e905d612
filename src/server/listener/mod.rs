//! Accepts connections: bounded in number, in memory, and in the time that a request and its answer may take.
//!
//! Connections of a client that sends nothing, or a byte at a time, or does not read its answers, are closed, so such
//! clients can't keep Twilio's events out.

mod exchange;
mod places;
mod stream;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;
use tracing::{debug, info, warn};

use exchange::{Answered, TrackedRequestBody};
use places::{ConnectionLimits, Places};
use stream::TimedStream;

/// How long a request's head may take to arrive, and how long an idle connection is kept.
const LONGEST_HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request's head, and of what is read ahead of a body. The library's default is 400 KiB for each connection.
const LARGEST_HEAD: usize = 16 * 1024;
/// A write that does not move for this long ends its connection.
const LONGEST_WRITE: Duration = Duration::from_secs(15);
/// Connections at once that speak HTTP. A watcher of server-sent events holds one; events come over a few; a websocket
/// holds none of them, since websockets have a limit of their own.
const MOST_CONNECTIONS: usize = 25_000;
/// Of these, connections that have not sent a whole request, or wait for their next one. Each takes up to 40 KiB.
const MOST_WAITING: usize = 2_000;
/// Connections that wait to be accepted, as far as the kernel allows it (`net.core.somaxconn`).
const LONGEST_QUEUE: u32 = 8192;
/// How long open requests may take to end after the stop signal.
const LONGEST_DRAIN: Duration = Duration::from_secs(5);
/// After an error such as "too many open files" accepting waits for this long, or it would spin.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(20);

/// Listens with a long queue: the kernel drops a connection beyond it, and the client tries again after a second or more.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // After a restart the address may be taken still by connections that linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LONGEST_QUEUE)
}

/// Serves until `stop`, then lets open requests end.
pub async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) -> io::Result<()> {
    // Websockets, and requests to Twilio, need files as well.
    let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files / 2).ok());
    let open = MOST_CONNECTIONS.min(files.unwrap_or(MOST_CONNECTIONS)).max(16);
    let limits = ConnectionLimits { open, waiting: MOST_WAITING.min(open) };
    serve_within(listener, routes, stop, limits).await
}

async fn serve_within(
    listener: TcpListener,
    routes: Router,
    stop: CancellationToken,
    limits: ConnectionLimits,
) -> io::Result<()> {
    let places = Places::new(limits);
    let open = TaskTracker::new();
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "Connections can't be accepted; the oldest that have sent nothing are closed to make room");
                }
                places.make_room();
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                continue;
            }
        };
        if std::mem::take(&mut failing) {
            info!("Connections are accepted again");
        }
        let place = places.admit();
        let (routes, stop) = (routes.clone(), stop.clone());
        open.spawn(async move {
            tokio::select! {
                // What has arrived is read before the connection is closed for others: it may be a whole request.
                biased;
                ended = converse(stream, peer, routes, place.clone(), stop) => {
                    if let Err(error) = ended {
                        debug!(%error, "A connection ended early");
                    }
                }
                () = place.evicted() => debug!("A connection was closed to make room for another"),
            }
        });
    }
    drop(listener);
    open.close();
    // Connections that are still open after that get no answer any more.
    let _ = tokio::time::timeout(LONGEST_DRAIN, open.wait()).await;
    Ok(())
}

/// Answers one connection's requests until it ends.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    place: std::sync::Arc<places::ConnectionPlace>,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Answers are small and complete; waiting for more to send would only delay them.
    stream.set_nodelay(true)?;
    #[cfg(any(target_os = "android", target_os = "linux"))]
    rustix::net::sockopt::set_tcp_user_timeout(&stream, milliseconds(LONGEST_WRITE))?;
    // The library's buffers are made only once the client has sent something.
    tokio::select! {
        readable = tokio::time::timeout(LONGEST_HEAD, stream.readable()) => readable??,
        () = stop.cancelled() => return Ok(()),
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut routes, place) = (routes.clone(), place.clone());
        let mut request = request.map(|body| TrackedRequestBody::new(body, place.clone()));
        request.extensions_mut().insert(ConnectInfo(peer));
        async move {
            let answer = routes.call(request).await?;
            Ok::<_, Infallible>(answer.map(|body| Answered::new(body, place)))
        }
    });
    // Not the library's builder for either version: it waits for ever for the first bytes, to tell which it is.
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(LONGEST_HEAD).max_buf_size(LARGEST_HEAD);
    let stream = TokioIo::new(TimedStream::new(stream, LONGEST_WRITE));
    let mut connection = pin!(builder.serve_connection(stream, service).with_upgrades());
    tokio::select! {
        ended = connection.as_mut() => ended?,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await?;
        }
    }
    Ok(())
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // A reset connection counts as no answer, too.
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn a_panic_ends_its_own_connection_and_no_other() {
        async fn panics() -> &'static str {
            panic!("as a test wants it")
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/panic", get(panics)).route("/", get(|| async { "well" }));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, routes, stop.clone()));
        for _ in 0..3 {
            assert_eq!(ask(address, "/panic").await, "");
            assert!(ask(address, "/").await.ends_with("well"));
        }
        stop.cancel();
        serving.await.unwrap().unwrap();
    }

    async fn served(limits: ConnectionLimits, routes: Router) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(serve_within(listener, routes, stop.clone(), limits));
        (address, stop)
    }

    const HELD_BACK: [&str; 3] =
        ["", "GET / HTTP/1.1\r\nHost: x\r\nX", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1"];

    #[tokio::test]
    async fn however_many_hold_their_requests_back_a_whole_request_is_answered() {
        let limits = ConnectionLimits { open: 64, waiting: 12 };
        let read = |body: axum::body::Bytes| async move { format!("{} bytes", body.len()) };
        let (address, _stop) =
            served(limits, Router::new().route("/", get(|| async { "well" }).post(read))).await;
        let mut held = Vec::new();
        for number in 0..120 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(HELD_BACK[number % 3].as_bytes()).await.unwrap();
            held.push(stream);
            if number % 10 == 9 {
                assert!(ask(address, "/").await.ends_with("well"), "after {number}");
            }
        }
        // The oldest are closed already, without waiting for any time to pass.
        for mut stream in held.drain(..90) {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
    }

    #[tokio::test]
    async fn streams_that_hold_every_place_make_room_for_a_new_request() {
        let endless = || async {
            axum::body::Body::from_stream(
                futures_util::stream::pending::<Result<axum::body::Bytes, io::Error>>(),
            )
        };
        let routes = Router::new().route("/", get(|| async { "well" })).route("/stream", get(endless));
        let (address, _stop) = served(ConnectionLimits { open: 8, waiting: 8 }, routes).await;
        let mut streams = Vec::new();
        for _ in 0..8 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            stream.read_u8().await.unwrap();
            streams.push(stream);
        }
        for _ in 0..20 {
            assert!(ask(address, "/").await.ends_with("well"));
        }
    }
}
