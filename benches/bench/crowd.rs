//! Thousands of websocket clients that cost as little as they can: no buffers of their own, and of each text only its
//! beginning is looked at, where it says when it was made.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use memchr::memmem::{find, find_iter};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A client that could not connect tries again after about this time.
const RETRY: Duration = Duration::from_millis(100);
const CHUNK: usize = 64 * 1024;
/// Requested receive buffer; the system raises it to its smallest size.
const SMALLEST: u32 = 1;
/// A text that every queue item has once.
const ITEM: &[u8] = b"\"sid\":\"WQ";
const SID: usize = 32;
/// Bytes that are kept of a text's beginning.
const BEGINNING: usize = 96;
/// A pong without a payload, masked by zeroes.
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

/// Where to connect to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    /// Path and query.
    pub(crate) target: &'static str,
    /// A whole header line.
    pub(crate) header: String,
    /// Items that a client has to have before it counts as served; 0 counts it with its handshake.
    pub(crate) items: usize,
}

/// The clients.
#[derive(Debug)]
pub(crate) struct Crowd {
    shared: Arc<Shared>,
    clients: JoinSet<Vec<Vec<Duration>>>,
}

#[derive(Debug)]
struct Shared {
    place: Place,
    served: watch::Sender<usize>,
    recording: AtomicBool,
    /// How many turns of recording there have been.
    turns: AtomicUsize,
    bytes: AtomicU64,
    texts: AtomicU64,
    stop: CancellationToken,
}

/// Lets this process open as many files as it may.
pub(crate) fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

impl Crowd {
    /// Connects all clients at once.
    pub(crate) fn gather(size: usize, place: Place) -> Self {
        let shared = Arc::new(Shared {
            place,
            served: watch::Sender::new(0),
            recording: AtomicBool::new(false),
            turns: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            texts: AtomicU64::new(0),
            stop: CancellationToken::new(),
        });
        let mut clients = JoinSet::new();
        for n in 0..size {
            clients.spawn(Client::new(shared.clone(), n).stay());
        }
        Self { shared, clients }
    }

    /// Waits until this many clients are served.
    pub(crate) async fn served(&self, size: usize) {
        let mut served = self.shared.served.subscribe();
        let waiting = served.wait_for(|served| *served >= size);
        if tokio::time::timeout(Duration::from_secs(120), waiting).await.is_err() {
            panic!("only {} of {size} clients were served", *self.shared.served.borrow());
        }
    }

    /// Waits until all clients have noticed that the service is gone.
    pub(crate) async fn alone(&self) {
        // The sender lives as long as the crowd.
        let _ = self.shared.served.subscribe().wait_for(|served| *served == 0).await;
    }

    /// Starts a turn of recording, or stops recording.
    pub(crate) fn record(&self, on: bool) {
        if on {
            self.shared.turns.fetch_add(1, Ordering::Relaxed);
        }
        self.shared.recording.store(on, Ordering::Relaxed);
    }

    /// Mean size of the recorded texts.
    pub(crate) fn mean_size(&self) -> usize {
        let texts = self.shared.texts.load(Ordering::Relaxed).max(1);
        (self.shared.bytes.load(Ordering::Relaxed) / texts) as usize
    }

    /// Disconnects all clients; returns the delay of each recorded text, turn by turn.
    pub(crate) async fn leave(self) -> Vec<Vec<Duration>> {
        self.shared.stop.cancel();
        let mut turns = vec![Vec::new(); self.shared.turns.load(Ordering::Relaxed)];
        for client in self.clients.join_all().await {
            client.into_iter().enumerate().for_each(|(turn, late)| turns[turn].extend(late));
        }
        turns
    }
}

/// A client that connects and never reads. Its buffer holds less than one text, so that the service has to hold back from
/// the first on.
pub(crate) async fn stalled(place: &Place) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(SMALLEST)?;
    let mut stream = socket.connect(place.address).await?;
    stream.write_all(&request(place)).await?;
    Ok(stream)
}

async fn connect(place: &Place, n: usize) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // Several addresses of this machine, or the ports of one run out while old connections linger.
    socket.bind(SocketAddr::from(([127, 0, 0, 2 + (n % 100) as u8], 0)))?;
    let stream = socket.connect(place.address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn request(place: &Place) -> Vec<u8> {
    let Place { address, target, header, .. } = place;
    format!(
        "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n\r\n"
    )
    .into_bytes()
}

/// One client of the crowd.
struct Client {
    shared: Arc<Shared>,
    number: usize,
    late: Vec<Vec<Duration>>,
    items: BTreeSet<[u8; SID]>,
    served: bool,
}

/// The state of the frame parser.
#[derive(Default)]
struct Frame {
    header: [u8; 10],
    have: usize,
    opcode: u8,
    size: u64,
    left: u64,
    beginning: Vec<u8>,
    /// The end of the last piece, where an item's SID may have begun.
    tail: Vec<u8>,
}

impl Client {
    fn new(shared: Arc<Shared>, number: usize) -> Self {
        Self { shared, number, late: Vec::new(), items: BTreeSet::new(), served: false }
    }

    /// Stays connected until the crowd is disconnected.
    async fn stay(mut self) -> Vec<Vec<Duration>> {
        let stop = self.shared.stop.clone();
        let staying = async {
            loop {
                let _ = self.visit().await;
                if std::mem::take(&mut self.served) {
                    self.shared.served.send_modify(|served| *served -= 1);
                }
                self.items.clear();
                tokio::time::sleep(RETRY.mul_f64(0.5 + rand::random::<f64>())).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = staying => {}
        }
        self.late
    }

    async fn visit(&mut self) -> std::io::Result<()> {
        let shared = self.shared.clone();
        let mut stream = connect(&shared.place, self.number).await?;
        stream.write_all(&request(&shared.place)).await?;
        let mut head = Vec::with_capacity(512);
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(std::io::ErrorKind::ConnectionRefused.into());
        }
        drop(head);
        if shared.place.items == 0 {
            self.is_served();
        }
        let mut frame = Frame::default();
        loop {
            stream.readable().await?;
            let pings = BUFFER.with_borrow_mut(|buffer| match stream.try_read(buffer) {
                Ok(0) => Err(std::io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => Ok(self.take(&mut frame, &buffer[..read])),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(0),
                Err(error) => Err(error),
            })?;
            for _ in 0..pings {
                stream.write_all(&PONG).await?;
            }
        }
    }

    fn is_served(&mut self) {
        if !std::mem::replace(&mut self.served, true) {
            self.shared.served.send_modify(|served| *served += 1);
        }
    }

    /// Parses received bytes; returns the number of pings in them.
    fn take(&mut self, frame: &mut Frame, mut bytes: &[u8]) -> usize {
        let mut pings = 0;
        while !bytes.is_empty() {
            if frame.left == 0 {
                bytes = frame.begin(bytes);
                if frame.left > 0 || frame.have > 0 {
                    continue;
                }
            } else {
                let (piece, rest) = bytes.split_at(bytes.len().min(frame.left as usize));
                let room = BEGINNING.saturating_sub(frame.beginning.len());
                frame.beginning.extend_from_slice(&piece[..piece.len().min(room)]);
                if self.items.len() < self.shared.place.items {
                    self.look_for_items(frame, piece);
                }
                frame.left -= piece.len() as u64;
                bytes = rest;
            }
            if frame.left == 0 && frame.have == 0 {
                pings += usize::from(frame.opcode == 9);
                if frame.opcode == 1 {
                    self.text(frame);
                }
                frame.beginning.clear();
                frame.tail.clear();
            }
        }
        pings
    }

    fn text(&mut self, frame: &Frame) {
        if !self.shared.recording.load(Ordering::Relaxed) || find(&frame.beginning, b"\"change\"").is_none() {
            return;
        }
        let at = find(&frame.beginning, b"\"at\":").map(|at| &frame.beginning[at + 5..]);
        let digits = at.unwrap_or_default().iter().take_while(|b| b.is_ascii_digit());
        let at = digits.fold(0_i64, |at, digit| at * 10 + i64::from(digit - b'0'));
        let late = Timestamp::now().as_microsecond() - at * 1000;
        let turns = self.shared.turns.load(Ordering::Relaxed);
        self.late.resize(turns, Vec::new());
        self.late[turns - 1].push(Duration::from_micros(late.max(0).unsigned_abs()));
        self.shared.bytes.fetch_add(frame.size, Ordering::Relaxed);
        self.shared.texts.fetch_add(1, Ordering::Relaxed);
    }

    fn look_for_items(&mut self, frame: &mut Frame, piece: &[u8]) {
        frame.tail.extend_from_slice(piece);
        let found = find_iter(&frame.tail, ITEM).filter_map(|at| frame.tail[at + ITEM.len()..].first_chunk());
        self.items.extend(found.copied());
        let kept = frame.tail.len().min(ITEM.len() + SID);
        frame.tail.drain(..frame.tail.len() - kept);
        if self.items.len() >= self.shared.place.items {
            self.is_served();
        }
    }
}

impl Frame {
    /// Takes the available part of a header, and returns the rest.
    fn begin<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut rest = bytes;
        loop {
            let needed = match (self.have, self.header[1] & 0x7f) {
                (0 | 1, _) => 2,
                (_, 126) => 4,
                (_, 127) => 10,
                _ => 2,
            };
            if self.have >= 2 && self.have == needed {
                break;
            }
            let Some((byte, more)) = rest.split_first() else { return rest };
            self.header[self.have] = *byte;
            self.have += 1;
            rest = more;
        }
        self.opcode = self.header[0] & 0x0f;
        self.size = match self.have {
            2 => u64::from(self.header[1] & 0x7f),
            4 => u64::from(u16::from_be_bytes([self.header[2], self.header[3]])),
            _ => u64::from_be_bytes(self.header[2..].try_into().unwrap()),
        };
        (self.left, self.have) = (self.size, 0);
        rest
    }
}
