//! Accepts connections: bounded in number, and in the time that a request's head may take.
//!
//! A client that opens connections and says nothing, or says it a byte at a time, gets its connections closed; so many
//! of them can't keep Twilio's events out for long.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;
use tracing::{debug, info, warn};

/// How long a request's head may take to arrive, and how long an idle connection is kept.
const LONGEST_HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request's head, and of what is read ahead of a body; the library may read on to twice as many before it
/// looks. Its default is 400 KiB for each connection.
const LARGEST_HEAD: usize = 64 * 1024;
/// Connections at once that speak HTTP. A watcher of server-sent events holds one; events come over a few; a websocket
/// holds none of them, since websockets have a limit of their own.
const MOST_CONNECTIONS: usize = 25_000;
/// Connections that wait to be accepted, as far as the kernel allows it (`net.core.somaxconn`).
const LONGEST_QUEUE: u32 = 8192;
/// How long open requests may take to end after the stop signal.
const LONGEST_DRAIN: Duration = Duration::from_secs(5);
/// After an error such as "too many open files" accepting waits for this long, or it would spin.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Listens, with room for a crowd that comes at once: a connection beyond the kernel's queue waits a second or more before
/// it is tried again.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // After a restart the address may be taken still by connections that linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LONGEST_QUEUE)
}

/// Serves until `stop`, then lets open requests end.
pub async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) -> io::Result<()> {
    let mut make_service: IntoMakeServiceWithConnectInfo<Router, SocketAddr> =
        routes.into_make_service_with_connect_info::<SocketAddr>();
    // Not the library's builder for either version: it waits for ever for the first bytes, to tell which it is.
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(LONGEST_HEAD).max_buf_size(LARGEST_HEAD);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let open = TaskTracker::new();
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "Connections can't be accepted; trying again and again");
                }
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                continue;
            }
        };
        if std::mem::take(&mut failing) {
            info!("Connections are accepted again");
        }
        let service = match make_service.call(peer).await {
            Ok(service) => TowerToHyperService::new(service),
            Err(never) => match never {},
        };
        let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let stop = stop.clone();
        open.spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                debug!(%error, "A connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    open.close();
    // Whoever is still connected after that is not waiting for anything that will come.
    let _ = tokio::time::timeout(LONGEST_DRAIN, open.wait()).await;
    Ok(())
}

type Accepted = (tokio::net::TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    // A place first: what can't be served waits in the kernel's queue, which is bounded as well.
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Answers are small and complete; waiting for more to send would only delay them.
    stream.set_nodelay(true)?;
    Ok((stream, peer, place))
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
        // A connection may be reset, which is no answer either.
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
}
