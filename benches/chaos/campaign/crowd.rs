//! Thousands of events at a set pace, whatever becomes of them: each is due at its moment, and its time counts from then,
//! so that a service that stalls cannot make the load wait for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use twilio_emulator::{Emulator, Settings};

use super::testbed::{EVENTS, Testbed};

const CONNECTIONS: usize = 64;

/// The answers to a crowd of events.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// From the moment an event was due until it was accepted, rising.
    pub(crate) times: Vec<Duration>,
    /// Answers that were not 2xx, and events that got none, by what became of them.
    pub(crate) refused: BTreeMap<String, usize>,
    pub(crate) took: Duration,
}

impl Answers {
    pub(crate) fn refusals(&self) -> usize {
        self.refused.values().sum()
    }

    /// What is wrong where events were not taken.
    pub(crate) fn problem(&self) -> Option<String> {
        let count = self.refusals();
        (count > 0).then(|| format!("{count} events were not taken: {:?}", self.refused))
    }

    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.times.len() * percent).div_ceil(100).max(1);
        self.times.get(rank - 1).copied().unwrap_or_default()
    }
}

/// Posts this number of signed events, spread evenly over a time.
pub(crate) async fn post(testbed: &Testbed, events: usize, over: Duration) -> Answers {
    let requests = requests(testbed, events);
    let mut running = JoinSet::new();
    let begin = Instant::now() + Duration::from_millis(50);
    for (number, mine) in lanes(requests).into_iter().enumerate() {
        let address = testbed.url().trim_start_matches("http://").to_owned();
        let due = move |nth: usize| {
            let place = u32::try_from(nth * CONNECTIONS + number).unwrap();
            begin + over * place / u32::try_from(events).unwrap()
        };
        running.spawn(async move { one_connection(&address, &mine, due).await });
    }
    let mut all = Answers::default();
    for one in running.join_all().await {
        all.times.extend(one.times);
        for (why, count) in one.refused {
            *all.refused.entry(why).or_default() += count;
        }
    }
    all.times.sort_unstable();
    all.took = begin.elapsed();
    all
}

fn lanes(requests: Vec<Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
    let mut lanes = vec![Vec::new(); CONNECTIONS];
    for (number, request) in requests.into_iter().enumerate() {
        lanes[number % CONNECTIONS].push(request);
    }
    lanes
}

async fn one_connection(address: &str, requests: &[Vec<u8>], due: impl Fn(usize) -> Instant) -> Answers {
    let mut answers = Answers::default();
    let mut stream = None;
    for (nth, request) in requests.iter().enumerate() {
        let due = due(nth);
        tokio::time::sleep_until(due.into()).await;
        if stream.is_none() {
            stream = TcpStream::connect(address).await.ok();
        }
        let asked = match &mut stream {
            Some(open) => ask(open, request).await,
            None => Err("no connection".to_owned()),
        };
        match asked {
            Ok(()) => answers.times.push(due.elapsed()),
            Err(why) => {
                *answers.refused.entry(why).or_default() += 1;
                stream = None;
            }
        }
    }
    answers
}

/// Asks for an answer of 2xx; one of 204 has no body.
async fn ask(stream: &mut TcpStream, request: &[u8]) -> Result<(), String> {
    let (mut head, mut length) = ([0; 2048], 0);
    stream.write_all(request).await.map_err(|error| format!("not sent: {}", error.kind()))?;
    while !head[..length].ends_with(b"\r\n\r\n") {
        match stream.read(&mut head[length..]).await {
            Ok(read @ 1..) => length += read,
            Ok(_) if length > 0 => break,
            Ok(_) => return Err("closed without an answer".to_owned()),
            Err(error) => return Err(format!("no answer: {}", error.kind())),
        }
    }
    match head.get(9..12) {
        Some([b'2', ..]) => Ok(()),
        status => Err(format!("status {}", String::from_utf8_lossy(status.unwrap_or_default()))),
    }
}

/// Whole requests of a lively centre of the same seed, signed.
fn requests(testbed: &Testbed, events: usize) -> Vec<Vec<u8>> {
    let settings = Settings { queues: testbed.emulator.world().queues().len(), ..Settings::default() };
    let twin = Emulator::without_network(&settings).unwrap();
    twin.callbacks().set_url("http://127.0.0.1/");
    let (url, host) = (format!("{}{EVENTS}", testbed.url()), testbed.url());
    let host = host.trim_start_matches("http://");
    let mut bodies = Vec::new();
    while bodies.len() < 2_000.min(events) {
        twin.world().step();
        bodies.extend(twin.callbacks().take());
    }
    let request = |params: &Vec<(&'static str, String)>| {
        let signature = testbed
            .emulator
            .callbacks()
            .sign(&url, params.iter().map(|(name, value)| (*name, value.as_str())));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let length = body.len();
        format!(
            "POST {EVENTS} HTTP/1.1\r\nHost: {host}\r\n\
             Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: {length}\r\n\
             X-Twilio-Signature: {signature}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    let different: Vec<_> = bodies.iter().map(request).collect();
    different.iter().cycle().take(events).cloned().collect()
}
