//! The wire between the service and the emulator: a proxy that knows nothing of HTTP and does to connections what
//! networks do. It is a third party: neither the service nor the emulator can tell it from a bad network.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// What the wire does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Passes everything on.
    Through,
    /// The port is closed; open connections are reset.
    Refuse,
    /// Nothing passes, and connections stay open.
    Silent,
    /// Every piece takes this much longer, each way.
    Slow(Duration),
    /// Half of the connections are reset when an answer comes.
    Reset,
    /// Of half of the answers only the first bytes pass, and then the connection ends.
    Half,
}

/// A running wire.
#[derive(Debug)]
pub(crate) struct Wire {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    _running: AbortOnDropHandle<()>,
}

impl Wire {
    /// A wire to this address.
    pub(crate) async fn start(to: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mode = watch::Sender::new(Mode::Through);
        let dice = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
        let running = tokio::spawn(listen(listener, to, mode.subscribe(), dice));
        Self { address, mode, _running: AbortOnDropHandle::new(running) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Sets what the wire does from now on.
    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn listen(
    first: TcpListener,
    to: SocketAddr,
    mut mode: watch::Receiver<Mode>,
    dice: Arc<Mutex<StdRng>>,
) {
    let address = first.local_addr().unwrap();
    let mut listener = Some(first);
    loop {
        let now = *mode.borrow_and_update();
        if now == Mode::Refuse {
            listener = None;
            if mode.changed().await.is_err() {
                return;
            }
            continue;
        }
        let open = match listener.take() {
            Some(open) => open,
            None => again(address).await,
        };
        tokio::select! {
            changed = mode.changed() => if changed.is_err() {
                return;
            },
            accepted = open.accept() => if let Ok((stream, _)) = accepted {
                tokio::spawn(carry(stream, to, mode.clone(), dice.clone()));
            },
        }
        listener = Some(open);
    }
}

/// Listens where it listened before.
async fn again(address: SocketAddr) -> TcpListener {
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        if socket.bind(address).is_ok() {
            return socket.listen(1024).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Carries one connection until it ends or is ended.
async fn carry(
    mut client: TcpStream,
    to: SocketAddr,
    mut mode: watch::Receiver<Mode>,
    dice: Arc<Mutex<StdRng>>,
) {
    let Ok(mut server) = TcpStream::connect(to).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut asked, mut answered) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let now = *mode.borrow_and_update();
        match now {
            Mode::Refuse => return reset(&client),
            Mode::Silent => {
                if mode.changed().await.is_err() {
                    return;
                }
                continue;
            }
            _ => {}
        }
        let (from_client, read) = tokio::select! {
            _ = mode.changed() => continue,
            read = client.read(&mut asked) => (true, read),
            read = server.read(&mut answered) => (false, read),
        };
        let Ok(length @ 1..) = read else { return };
        if let Mode::Slow(by) = now {
            tokio::time::sleep(by).await;
        }
        let unlucky = !from_client && dice.lock().unwrap().random_bool(0.5);
        let part = dice.lock().unwrap().random_range(1..=length);
        let written = match now {
            Mode::Reset if unlucky => return reset(&client),
            Mode::Half if unlucky => {
                let _ = client.write_all(&answered[..part]).await;
                return;
            }
            _ if from_client => server.write_all(&asked[..length]).await,
            _ => client.write_all(&answered[..length]).await,
        };
        if written.is_err() {
            return;
        }
    }
}

/// Without lingering, closing sends a reset.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}
