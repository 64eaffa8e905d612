//! How Twilio's limits were kept, over all scenarios, as the emulator's journal has it.

use std::time::{Duration, Instant};

use twilio_emulator::{Api, Entry};

use crate::table::{Goal, Section, Table};

/// Twilio: about 20 concurrent Sync updates.
const MOST_WRITES: usize = 20;
/// Twilio: bulk real-time statistics a second.
const MOST_BULK: usize = 5;
/// The Document that the bare round trips write to.
pub(crate) const FLOOR_DOCUMENT: &str = "bench-floor";

/// The figures of one testbed's journal.
#[derive(Debug)]
pub(crate) struct Observed {
    name: String,
    requests: usize,
    bulk_refused: usize,
    most_bulk: usize,
    writes_refused: usize,
    other_refused: usize,
    peak_writes: usize,
}

impl Observed {
    pub(crate) fn of(name: String, entries: &[Entry]) -> Self {
        let entries: Vec<&Entry> = entries.iter().filter(|entry| !is_bare(entry)).collect();
        let bulk: Vec<&Entry> = entries
            .iter()
            .filter(|entry| entry.method.as_ref() == "POST" && is_bulk(entry))
            .copied()
            .collect();
        let writes: Vec<&Entry> = entries.iter().filter(|entry| is_write(entry)).copied().collect();
        let refused = |entries: &[&Entry]| entries.iter().filter(|entry| entry.status == 429).count();
        let [all, bulk_refused, writes_refused] = [&entries, &bulk, &writes].map(|entries| refused(entries));
        Self {
            name,
            requests: entries.len(),
            bulk_refused,
            most_bulk: most_begun_within(Duration::from_secs(1), &bulk),
            writes_refused,
            other_refused: all - bulk_refused - writes_refused,
            peak_writes: peak_in_flight(&writes),
        }
    }
}

/// A bare round trip to Sync, which is not the service's.
pub(crate) fn is_bare(entry: &Entry) -> bool {
    entry.sync_object.as_deref() == Some(FLOOR_DOCUMENT)
}

/// The requests for Sync that count as updates.
pub(crate) fn is_write(entry: &Entry) -> bool {
    entry.api == Api::Sync && entry.method.as_ref() != "GET"
}

fn is_bulk(entry: &Entry) -> bool {
    entry.path.ends_with("/TaskQueues/RealTimeStatistics")
}

/// The most of them that were under way at the same time.
pub(crate) fn peak_in_flight(entries: &[&Entry]) -> usize {
    let mut turns: Vec<(Instant, i32)> =
        entries.iter().flat_map(|entry| [(entry.at, 1), (entry.at + entry.took, -1)]).collect();
    // At the same moment the one that ends goes first.
    turns.sort_unstable();
    let mut now = 0;
    let levels = turns.iter().map(|(_, turn)| {
        now += turn;
        now
    });
    levels.max().map_or(0, |peak| usize::try_from(peak).unwrap_or(0))
}

fn most_begun_within(span: Duration, entries: &[&Entry]) -> usize {
    let mut begins: Vec<Instant> = entries.iter().map(|entry| entry.at).collect();
    begins.sort_unstable();
    let within = |first: &Instant| begins.iter().filter(|at| *at >= first && **at < *first + span).count();
    begins.iter().map(within).max().unwrap_or(0)
}

/// The report over all testbeds.
pub(crate) fn section(testbeds: &[Observed]) -> Section {
    let mut table = Table::new(&[
        "Testbed",
        "Requests",
        "Bulk calls refused",
        "Most bulk calls in 1 s",
        "Sync writes refused",
        "Other refusals",
        "Most writes in flight",
    ]);
    let mut all = table.clone();
    for testbed in testbeds {
        table.row(&[
            &testbed.name,
            &testbed.requests,
            &testbed.bulk_refused,
            &testbed.most_bulk,
            &testbed.writes_refused,
            &testbed.other_refused,
            &testbed.peak_writes,
        ]);
    }
    let sum = |count: fn(&Observed) -> usize| testbeds.iter().map(count).sum::<usize>();
    let peak = testbeds.iter().map(|testbed| testbed.peak_writes).max().unwrap_or(0);
    let bulk = testbeds.iter().map(|testbed| testbed.most_bulk).max().unwrap_or(0);
    let [requests, bulk_refused, writes_refused, others] = [
        sum(|testbed| testbed.requests),
        sum(|testbed| testbed.bulk_refused),
        sum(|testbed| testbed.writes_refused),
        sum(|testbed| testbed.other_refused),
    ];
    let name = format!("all {}", testbeds.len());
    all.row(&[&name, &requests, &bulk_refused, &bulk, &writes_refused, &others, &peak]);
    let none =
        |what, count: usize| Goal { what, goal: "0".to_owned(), figure: count.to_string(), met: count == 0 };
    Section {
        title: "Limits over all scenarios",
        about: format!(
            "All testbeds from start to end. Refused: answered with 429, for a bulk call beyond {MOST_BULK} a second, a Sync write \
             beyond its object's budget, or another reason."
        ),
        tables: vec![all, table],
        goals: vec![
            none("Bulk calls over the limit", bulk_refused),
            none("Sync writes over an object's budget", writes_refused),
            none("Other refusals", others),
            Goal {
                what: "Most Sync writes in flight",
                goal: format!("≤ {MOST_WRITES}"),
                figure: peak.to_string(),
                met: peak <= MOST_WRITES,
            },
        ],
    }
}
