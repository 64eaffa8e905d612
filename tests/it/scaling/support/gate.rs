//! A gate (TCP proxy) between two programs, which a test can shut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::support::DEADLINE;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Connections are refused, and open ones are closed.
    Refused,
    /// Nothing goes through, and connections stay open: as when a cable is cut.
    Frozen,
    /// Open connections carry nothing any more and are never closed, while new ones get through: as when a firewall has
    /// forgotten its connections, or another machine has replaced the one behind.
    Forgotten,
}

pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    way: watch::Sender<Way>,
    knocked: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Gate {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = watch::Sender::new(Way::Open);
        let ways = way.subscribe();
        let (knocks, knocked) = watch::channel(0);
        let task = tokio::spawn(async move {
            let mut inside = JoinSet::new();
            loop {
                let Ok((guest, _)) = listener.accept().await else { return };
                knocks.send_modify(|knocks| *knocks += 1);
                inside.spawn(pass(guest, target, ways.clone()));
                while inside.try_join_next().is_some() {}
            }
        });
        Self { address, way, knocked, task }
    }

    /// How many connections there were so far.
    pub(crate) fn knocks(&self) -> usize {
        *self.knocked.borrow()
    }

    /// Waits for this many connections.
    pub(crate) async fn knocked(&self, enough: usize) {
        let mut knocked = self.knocked.clone();
        let knocking = knocked.wait_for(|knocks| *knocks >= enough);
        let waited = tokio::time::timeout(DEADLINE, knocking).await;
        assert!(waited.is_ok(), "no more connections come");
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut guest: TcpStream, target: SocketAddr, mut ways: watch::Receiver<Way>) {
    let mut host = None;
    loop {
        let way = *ways.borrow_and_update();
        match way {
            Way::Forgotten if host.is_some() => return std::future::pending().await,
            Way::Refused => return,
            // What is inside then stays inside: a connection that was cut off for so long is given up at both ends.
            Way::Frozen => {
                let _ = ways.changed().await;
                return;
            }
            Way::Open | Way::Forgotten => {
                if host.is_none() {
                    host = TcpStream::connect(target).await.ok();
                }
                let Some(host) = &mut host else { return };
                tokio::select! {
                    _ = copy_bidirectional(&mut guest, host) => return,
                    changed = ways.changed() => if changed.is_err() { return },
                }
            }
        }
    }
}
