//! Hostile clients: connections by the thousand in every shape that costs a server something, made-up tokens,
//! made-up names, and a user with an account who reads no answers and writes hostile formulas, while the contact centre
//! goes on. All of it stays on the loopback address, is bounded in number, and stops by itself.

use std::future::Future;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::testbed::{EVENTS, Making, Testbed};
use super::variables::BEARER;
use super::{Effort, Finding, crowd};

/// The goals: how long an event may take among them, and what the service may hold.
const LONGEST_P99: Duration = Duration::from_millis(250);
const MOST_MEMORY_KIB: u64 = 128 * 1024;
/// Events that must come in meanwhile.
const EVENTS_A_SECOND: usize = 20;
/// Times that one client connects again after it was closed.
const MOST_RETURNS: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// How a client behaves.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Connects and sends nothing.
    Silent,
    /// Stops within a head of 12 KB.
    Head,
    /// Stops within a body of 60 KB.
    Body,
    /// Sends a body in chunks of a byte.
    Chunks,
    /// Asks again and again, and reads no answer.
    Unread,
    /// Comes with a Flex token that it made up.
    Token,
    /// Guesses a password under a name that it made up.
    Name,
    /// Has an account, asks for the list of all Workers, and does not read it.
    List,
    /// Has an account, and tries formulas that take all time or memory, or crash the engine.
    Formula,
}

const SHAPES: [Shape; 9] = [
    Shape::Silent,
    Shape::Head,
    Shape::Body,
    Shape::Chunks,
    Shape::Unread,
    Shape::Token,
    Shape::Name,
    Shape::List,
    Shape::Formula,
];

/// Never ending in the engine's own loops and in a native one, too large, and one that crashed it.
const FORMULAS: [&str; 4] = [
    "(() => { while (true) {} })()",
    "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
    "(() => { let l = null; while (true) l = { l, me: [] } })()",
    "(() => { const a = Array(500).fill(0), k = []; while (true) k.push(Math.max.bind(...a)) })()",
];

/// The results of one client.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    connections: usize,
    /// Of those without an account or a signature: answers that say it was let in.
    let_in: usize,
}

/// Lets hostile clients attack for a while, beside as many events a second as a centre has.
pub(crate) async fn strike(effort: Effort, settings: twilio_emulator::Settings) -> Finding {
    let span = Duration::from_secs(effort.of(4, 40));
    let clients = clients(effort.of(700, 10_000));
    let about = format!(
        "{clients} clients: silent, heads and bodies held back, bodies in chunks of a byte, answers not read, made-up Flex tokens \
         and names; with an account lists of Workers not read, and hostile formulas. {EVENTS_A_SECOND} events a second meanwhile: p99 within {} ms, memory within {} MiB",
        LONGEST_P99.as_millis(),
        MOST_MEMORY_KIB / 1024
    );
    let mut finding = Finding::new("Hostile clients", Duration::from_secs(5), about);
    let settings = twilio_emulator::Settings { workers: effort.of(100, 2_000), ..settings };
    let mut testbed = Testbed::open(effort.seed, Making { settings, ..Making::default() }).await;
    let address = testbed.url().trim_start_matches("http://").to_owned();
    let until = Instant::now() + span;
    let attack = elsewhere(move || async move {
        let mut crowd_of_them = JoinSet::new();
        for number in 0..clients {
            crowd_of_them.spawn(misbehave(SHAPES[number % SHAPES.len()], number, address.clone(), until));
        }
        crowd_of_them.join_all().await
    });
    let events = EVENTS_A_SECOND * usize::try_from(span.as_secs()).unwrap_or(1);
    let answers = crowd::post(&testbed, events, span).await;
    let tallies = attack.await;
    let connections: usize = tallies.iter().map(|tally| tally.connections).sum();
    let let_in: usize = tallies.iter().map(|tally| tally.let_in).sum();
    let p99 = answers.percentile(99);
    let peak = testbed.holdings().map_or(0, |held| held.peak_kib);
    finding.notes.push(format!(
        "{connections} connections, {let_in} let in, {} of {events} events 2xx, p50 {:.1} ms, p99 {:.1} ms, {} MiB",
        answers.times.len(),
        answers.percentile(50).as_secs_f64() * 1000.0,
        p99.as_secs_f64() * 1000.0,
        peak / 1024
    ));
    if let_in > 0 {
        testbed.problem(format!("{let_in} were let in without an account or a signature"));
    }
    if let Some(problem) = answers.problem() {
        testbed.problem(problem);
    }
    if peak > MOST_MEMORY_KIB {
        testbed.problem(format!("{} MiB of memory", peak / 1024));
    }
    if p99 > LONGEST_P99 && !effort.short {
        testbed.problem(format!("the p99 of events was {} ms", p99.as_millis()));
    }
    finding.tried(testbed.agrees().await);
    finding.closed(testbed.close(true).await)
}

/// Runs attackers on threads of their own that give way to all others: they would be on other machines, and must not
/// take the cores that the service, the emulator and the events need.
fn elsewhere<F, A>(attack: F) -> impl Future<Output = A::Output>
where
    F: FnOnce() -> A + Send + 'static,
    A: Future<Output: Send + 'static>,
{
    let (done, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let give_way = || {
            let _ = rustix::process::nice(19);
        };
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().on_thread_start(give_way).build().unwrap();
        give_way();
        let _ = done.send(runtime.block_on(attack()));
    });
    async { ended.await.unwrap() }
}

/// As many as there may be open files for, here and there.
fn clients(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
    wanted.min(files.unwrap_or(1024) * 3 / 4)
}

/// One client, which comes back when it is closed.
async fn misbehave(shape: Shape, number: usize, address: String, until: Instant) -> Tally {
    let mut tally = Tally::default();
    while Instant::now() < until && tally.connections < MOST_RETURNS {
        let left = until.saturating_duration_since(Instant::now());
        let once = async {
            let mut stream = TcpStream::connect(&address).await?;
            say(shape, number, &mut stream).await?;
            // Until the service closes it.
            if matches!(shape, Shape::Unread | Shape::List) {
                std::future::pending::<()>().await;
            }
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        tally.connections += 1;
        if let Ok(Ok(answer)) = tokio::time::timeout(left, once).await {
            let in_it = [&b"HTTP/1.1 2"[..], b"HTTP/1.1 3"].iter().any(|status| answer.starts_with(status));
            tally.let_in += usize::from(in_it && !matches!(shape, Shape::Formula));
        }
        tokio::time::sleep(PAUSE).await;
    }
    tally
}

async fn say(shape: Shape, number: usize, stream: &mut TcpStream) -> std::io::Result<()> {
    let post = |path: &str, headers: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n{headers}\r\n\r\n"
        )
    };
    let form = |path: &str, body: &str| {
        format!("{}{body}", post(path, &format!("Connection: close\r\nContent-Length: {}", body.len())))
    };
    let text = match shape {
        Shape::Silent => return Ok(()),
        Shape::Head => format!("POST {EVENTS} HTTP/1.1\r\nHost: x\r\nX: {}", "a".repeat(12_000)),
        Shape::Body => format!("{}{}", post(EVENTS, "Content-Length: 61000"), "a".repeat(60_000)),
        Shape::Chunks => {
            format!("{}{}", post(EVENTS, "Transfer-Encoding: chunked"), "1\r\na\r\n".repeat(8_000))
        }
        Shape::Unread => {
            let asking = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20);
            // The answers that are not read hold the requests up; so writing stops by itself.
            for _ in 0..50 {
                stream.write_all(asking.as_bytes()).await?;
            }
            return Ok(());
        }
        Shape::Token => {
            let token = format!("eyJ-made-up-{number}-{:x}", rand::random::<u64>());
            form("/respond-to-issue", &format!("action=log-call&Token={token}"))
        }
        Shape::List => {
            format!("GET /taskrouter_workers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {BEARER}\r\n\r\n")
        }
        Shape::Formula => {
            let formula = FORMULAS[number / SHAPES.len() % FORMULAS.len()];
            let body = serde_json::json!({"metric": {"label": "x", "formula": formula}}).to_string();
            format!(
                "POST /api/definitions/preview HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {BEARER}\r\n\
                 Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        }
        Shape::Name => {
            form("/login", &format!("username=made-up-{number}-{}&password=guess", rand::random::<u32>()))
        }
    };
    stream.write_all(text.as_bytes()).await
}
