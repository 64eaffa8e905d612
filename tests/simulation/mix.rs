//! A busy centre: ten steps a second for a minute, over the real client, schedule and outbox. Sync's limit is kept in every
//! reading of it, no TaskQueue is left behind, and in the end all is right.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep};
use twilio_emulator::{Emulator, Settings};

use crate::agreement::compare_item_since;
use crate::network::Network;
use crate::run::{CHANNELS, PATIENCE, Service, begin, until_right};

const BUSY_FOR: Duration = Duration::from_secs(60);
/// Between two looks at Sync.
const TICK: Duration = Duration::from_millis(50);
/// No item shows something else than the truth for longer: a side effect may wait until it is overdue.
const RIGHT_WITHIN: Duration = Duration::from_secs(8);
/// Twilio's window, and what this service allows itself of its 200 small writes.
const WINDOW: Duration = Duration::from_secs(10);
const MOST_IN_A_WINDOW: f64 = 180.0;

/// Runs it from a seed; an error says what was not as it must be.
pub(crate) fn run(seed: u64, queues: usize, steps_a_second: u32) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(simulate(seed, queues, steps_a_second))
}

async fn simulate(seed: u64, queues: usize, steps_a_second: u32) -> Result<(), String> {
    let starts_at: Timestamp = "2026-03-10T14:20:00Z".parse().unwrap();
    let begin = begin(seed, starts_at);
    let day: Timestamp = "2026-03-10T00:00:00Z".parse().unwrap();
    let settings =
        Settings { queues, workers: 2 * queues, seed, starts_at: Some(starts_at), ..Settings::default() };
    let emulator = Arc::new(Emulator::without_network(&settings).unwrap());
    emulator.callbacks().set_url("http://service.example/taskrouter/events");
    let network = Arc::new(Network::new(emulator.clone(), Vec::new(), PATIENCE, Vec::new(), seed));
    let mut service = Service::start(&emulator, &network);
    until_right(&emulator).await?;

    let mut dice = StdRng::seed_from_u64(seed);
    let mut arriving: BTreeMap<(Instant, usize), String> = BTreeMap::new();
    let mut last_right: BTreeMap<String, Instant> = BTreeMap::new();
    let (mut stepped, mut events, busy_from) = (0, 0, Instant::now());
    while busy_from.elapsed() < BUSY_FOR {
        sleep(TICK).await;
        while f64::from(stepped) < busy_from.elapsed().as_secs_f64() * f64::from(steps_a_second) {
            emulator.world().step();
            stepped += 1;
        }
        for params in emulator.callbacks().take() {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
            events += 1;
            let late = Duration::from_millis(dice.random_range(5..120));
            arriving.insert((Instant::now() + late, events), body);
        }
        while arriving.first_key_value().is_some_and(|((at, _), _)| *at <= Instant::now()) {
            arriving.pop_first().into_iter().for_each(|(_, body)| service.take_in(&body));
        }
        let (truth, items) = (emulator.truth(), emulator.sync().map_items("queueStats").unwrap_or_default());
        for (sid, item) in &items {
            let right = last_right.entry(sid.clone()).or_insert(busy_from);
            match compare_item_since(&truth, &CHANNELS, sid, item, day) {
                Ok(()) => *right = Instant::now(),
                Err(wrong) if right.elapsed() > RIGHT_WITHIN => {
                    return Err(format!("{sid} was wrong for {:?}: {wrong}", right.elapsed()));
                }
                Err(_) => {}
            }
        }
    }
    arriving.into_values().for_each(|body| service.take_in(&body));
    until_right(&emulator).await?;
    let journal = emulator.journal();
    if journal.totals().throttled > 0 || journal.peak_sync_writes() > 20 {
        return Err(format!("{:?}, {} writes in flight", journal.totals(), journal.peak_sync_writes()));
    }
    service.kill().await;
    within_every_window(&network, begin)
}

/// Counts each object's writes in every ten seconds, by what they cost.
fn within_every_window(network: &Network, begin: Instant) -> Result<(), String> {
    let mut windows: BTreeMap<String, VecDeque<(Instant, f64)>> = BTreeMap::new();
    for (at, object, bytes) in network.writes() {
        let window = windows.entry(object.clone()).or_default();
        window.push_back((at, cost(bytes)));
        while window.front().is_some_and(|(first, _)| *first + WINDOW <= at) {
            window.pop_front();
        }
        let spent: f64 = window.iter().map(|(_, cost)| cost).sum();
        if spent > MOST_IN_A_WINDOW + 1e-6 {
            return Err(format!("{spent} small writes to {object} in ten seconds, {:?} in", at - begin));
        }
    }
    Ok(())
}

/// What a write costs in small ones, read from Twilio's page once more: 20 a second up to 1 KiB, 2 from 10 KiB.
fn cost(bytes: usize) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "payloads are a few KiB")]
    let along = ((bytes as f64 - 1024.0) / 9216.0).clamp(0.0, 1.0);
    1.0 / (1.0 - 0.9 * along)
}
