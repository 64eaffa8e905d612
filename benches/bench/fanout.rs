//! How long a change takes to reach thousands of websocket clients, and what each of them costs.

use std::time::{Duration, Instant};

use twilio_emulator::{FlexToken, Settings};

use crate::broadcast::Broadcast;
use crate::crowd::{Crowd, Place, stalled};
use crate::limits::Observed;
use crate::stats::{Sample, ms, tenths};
use crate::table::{Goal, Section, Table};
use crate::testbed::{Effort, Opening, Stage, Testbed};

const QUEUES: usize = 20;
const TOKEN: &str = "a-flex-token";
/// Time between two changes in the centre.
const SPACING: Duration = Duration::from_millis(500);
/// Figures with or without a stalled client.
const TURN: Duration = Duration::from_secs(6);

/// The figures of one crowd.
struct Row {
    clients: usize,
    late: Sample<Duration>,
    bytes: usize,
    kib_each: f64,
    gathered: Duration,
}

/// The p99 of each turn.
struct Turns {
    without: Sample<Duration>,
    with: Sample<Duration>,
}

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let sizes: &[usize] = if effort.quick { &[500] } else { &[1_000, 5_000, 10_000] };
    let returning = effort.of(500, 5_000);
    let span = Duration::from_secs(effort.of(5, 15));
    let mut rows = Vec::new();
    let mut rival_rows = Vec::new();
    let mut observed = Vec::new();
    for size in sizes {
        let testbed = open(effort, &format!("fanout-{size}")).await;
        let row = ours(&testbed, *size, span).await;
        let rival = Broadcast::start(row.bytes).await;
        rival_rows.push(theirs(&rival, *size, span).await);
        rows.push(row);
        observed.push(testbed.stop().await);
    }
    let testbed = open(effort, "fanout-stalled").await;
    let turns = in_turns(&testbed, sizes[0], effort.of(1, 7)).await;
    let (testbed, returned) = come_back(testbed, returning).await;
    observed.push(testbed.stop().await);
    (section(&rows, &rival_rows, &turns, returning, returned), observed)
}

async fn open(effort: &Effort, name: &str) -> Testbed {
    let settings = Settings { queues: QUEUES, ..Settings::default() };
    let testbed = Stage::found(name, settings).await.open(effort, Opening::default()).await;
    testbed.emulator.tokens().register(TOKEN, FlexToken::default());
    testbed.ready().await;
    testbed.agrees().await;
    testbed
}

fn place(testbed: &Testbed) -> Place {
    let address = testbed.url().trim_start_matches("http://").parse().unwrap();
    Place { address, target: "/api/feed", header: format!("token: {TOKEN}"), items: QUEUES }
}

async fn live(testbed: &Testbed, span: Duration) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        testbed.emulator.world().step();
        tokio::time::sleep(SPACING).await;
    }
}

async fn ours(testbed: &Testbed, clients: usize, span: Duration) -> Row {
    let before = testbed.usage().resident_kib;
    let begin = Instant::now();
    let crowd = Crowd::gather(clients, place(testbed));
    crowd.served(clients).await;
    let gathered = begin.elapsed();
    crowd.record(true);
    live(testbed, span).await;
    let kib = testbed.usage().resident_kib.saturating_sub(before);
    crowd.record(false);
    let bytes = crowd.mean_size();
    let late = Sample::new(crowd.leave().await.concat());
    Row { clients, late, bytes, kib_each: kib as f64 / clients as f64, gathered }
}

/// The same crowd without and with a stalled client beside it, in turn.
async fn in_turns(testbed: &Testbed, clients: usize, pairs: usize) -> Turns {
    let crowd = Crowd::gather(clients, place(testbed));
    crowd.served(clients).await;
    for _ in 0..pairs {
        turn(testbed, &crowd).await;
        // It is held for a turn, which is shorter than the service waits for it.
        let stalled = stalled(&place(testbed)).await.unwrap();
        turn(testbed, &crowd).await;
        drop(stalled);
    }
    let p99 = |turn: Vec<Duration>| Sample::new(turn).percentile(99);
    let all: Vec<Duration> = crowd.leave().await.into_iter().map(p99).collect();
    let each = |first: usize| all.iter().skip(first).step_by(2).copied().collect();
    Turns { without: Sample::new(each(0)), with: Sample::new(each(1)) }
}

async fn turn(testbed: &Testbed, crowd: &Crowd) {
    crowd.record(true);
    live(testbed, TURN).await;
    crowd.record(false);
}

async fn theirs(rival: &Broadcast, clients: usize, span: Duration) -> Row {
    let before = rival.usage().resident_kib;
    let address = rival.address.parse().unwrap();
    let begin = Instant::now();
    let crowd = Crowd::gather(clients, Place { address, target: "/", header: "x: y".to_owned(), items: 0 });
    crowd.served(clients).await;
    let gathered = begin.elapsed();
    crowd.record(true);
    tokio::time::sleep(span).await;
    let kib = rival.usage().resident_kib.saturating_sub(before);
    crowd.record(false);
    let bytes = crowd.mean_size();
    let late = Sample::new(crowd.leave().await.concat());
    Row { clients, late, bytes, kib_each: kib as f64 / clients as f64, gathered }
}

/// Restarts the service below its clients; how long from its start until all of them have every item again.
async fn come_back(testbed: Testbed, clients: usize) -> (Testbed, Duration) {
    let crowd = Crowd::gather(clients, place(&testbed));
    crowd.served(clients).await;
    let testbed = testbed.restart(crowd.alone()).await;
    let begin = Instant::now();
    crowd.served(clients).await;
    let took = begin.elapsed();
    drop(crowd.leave().await);
    (testbed, took)
}

fn section(rows: &[Row], rival_rows: &[Row], turns: &Turns, returning: usize, returned: Duration) -> Section {
    let head = [
        "",
        "Clients",
        "Texts",
        "Bytes each",
        "p50 ms",
        "p99 ms",
        "max ms",
        "KiB a client",
        "All there after ms",
    ];
    let mut table = Table::new(&head);
    let mut row = |name: &str, row: &Row| {
        let [p50, p99, max] = [row.late.percentile(50), row.late.percentile(99), row.late.max()].map(ms);
        let (kib, gathered) = (tenths(row.kib_each), ms(row.gathered));
        table.row(&[&name, &row.clients, &row.late.len(), &row.bytes, &p50, &p99, &max, &kib, &gathered]);
    };
    for (ours, theirs) in rows.iter().zip(rival_rows) {
        row("taskrouter-sync", ours);
        row("bare broadcast server", theirs);
    }
    let mut stalls = Table::new(&["p99 ms of a turn", "Turns", "median", "least", "most"]);
    for (name, p99) in [("without a stalled client", &turns.without), ("with one", &turns.with)] {
        let [median, least, most] = [p99.median(), p99.min(), p99.max()].map(ms);
        stalls.row(&[&name, &p99.len(), &median, &least, &most]);
    }
    let mut goals = Vec::new();
    for ours in rows {
        let (what, limit) = match ours.clients {
            10_000 => ("From change to client, p99, 10,000 clients", 250),
            1_000 => ("From change to client, p99, 1,000 clients", 50),
            500 => ("From change to client, p99, 500 clients", 50),
            _ => continue,
        };
        let p99 = ours.late.percentile(99);
        goals.push(Goal {
            what,
            goal: format!("≤ {limit} ms"),
            figure: format!("{} ms", ms(p99)),
            met: p99 <= Duration::from_millis(limit),
        });
    }
    if let Some(most) = rows.last() {
        goals.push(Goal {
            what: "Memory a websocket client",
            goal: "≤ 8 KiB".to_owned(),
            figure: format!("{} KiB", tenths(most.kib_each)),
            met: most.kib_each <= 8.0,
        });
    }
    let (with, without) = (turns.with.median(), turns.without.median());
    goals.push(Goal {
        what: "p99 with one stalled client, median of turns",
        goal: format!("≤ 1.5 × {} ms", ms(without)),
        figure: format!("{} ms", ms(with)),
        met: with <= without.mul_f64(1.5),
    });
    goals.push(Goal {
        what: "All clients back with every item after a restart",
        goal: "≤ 5 s".to_owned(),
        figure: format!("{} ms, {returning} clients", ms(returned)),
        met: returned <= Duration::from_secs(5),
    });
    Section {
        title: "Fan-out over websockets",
        about: format!(
            "Clients of `/api/feed` connect at once; {QUEUES} TaskQueues, a change every {} ms. Times run from the making of a text to the \
             client that has read it, on shared cores. KiB a client: growth of VmRSS. The bare server, in axum, sends texts of \
             the same size twice a second. The stalled client never reads; turns of {} s without and with it alternate among {} \
             clients. After a restart, time runs from process start; clients retry every 100 ms.",
            SPACING.as_millis(),
            TURN.as_secs(),
            rows[0].clients,
        ),
        tables: vec![table, stalls],
        goals,
    }
}
