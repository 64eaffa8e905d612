//! An hour of the demo's centre within seconds: what it costs, how fresh Sync is, how old each scope of the statistics is and how
//! long callers wait stays as it was in the first ten minutes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep_until};
use twilio_emulator::{Emulator, Life, Settings};

use crate::agreement::compare_item_since;
use crate::network::Network;
use crate::run::{CHANNELS, PATIENCE, Service, begin, until_right, wall};

const SECTIONS: u32 = 6;
const SECTION: Duration = Duration::from_secs(600);
/// As in the demo.
const STEPS_A_SECOND: f64 = 1.5;
const TICK: Duration = Duration::from_millis(500);
/// Between two looks at all of Sync.
const LOOK: Duration = Duration::from_secs(2);
/// Between two calls of those who ask for lists.
const CALLS: Duration = Duration::from_secs(20);

/// What ten minutes were like.
#[derive(Debug, Clone, Copy, Default)]
struct Section {
    requests: u64,
    events: u64,
    /// The longest that an item in Sync was wrong.
    wrong: Duration,
    /// The greatest age of any scope's realtime and cumulative statistics.
    realtime: Duration,
    cumulative: Duration,
    /// The longest that a caller waited for the list of Tasks.
    call: Duration,
}

/// Runs it from a seed; an error says what did not stay as it was.
pub(crate) fn run(seed: u64) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let sections = runtime.unwrap().block_on(simulate(seed))?;
    let first = sections[0];
    let (half, second) = (Duration::from_millis(500), Duration::from_secs(1));
    for (number, section) in sections.iter().enumerate().skip(1) {
        // More events cost more; each costs as much as at the beginning.
        let flat = section.requests * first.events * 4 <= first.requests * section.events * 5
            && section.wrong <= first.wrong * 2 + second
            && section.realtime <= first.realtime + second
            && section.cumulative <= first.cumulative + second
            && section.call <= first.call * 2 + half;
        if !flat {
            return Err(format!("ten minutes number {number} are not as the first: {section:?}, {first:?}"));
        }
    }
    Ok(())
}

async fn simulate(seed: u64) -> Result<Vec<Section>, String> {
    let starts_at: Timestamp = "2026-03-10T14:20:00Z".parse().unwrap();
    begin(seed, starts_at);
    let day: Timestamp = "2026-03-10T00:00:00Z".parse().unwrap();
    let settings = Settings {
        queues: 8,
        workers: 23,
        seed,
        starts_at: Some(starts_at),
        life: Life::Healthy { trouble_after: Duration::from_secs(1800) },
        ..Settings::default()
    };
    let emulator = Arc::new(Emulator::without_network(&settings).unwrap());
    emulator.callbacks().set_url("http://service.example/taskrouter/events");
    let network = Arc::new(Network::new(emulator.clone(), Vec::new(), PATIENCE, Vec::new(), seed));
    let mut service = Service::start(&emulator, &network);
    until_right(&emulator).await?;

    let mut dice = StdRng::seed_from_u64(seed);
    let mut arriving: BTreeMap<(Instant, usize), String> = BTreeMap::new();
    let mut last_right: BTreeMap<String, Instant> = BTreeMap::new();
    let (mut sections, mut events) = (Vec::new(), 0);
    for _ in 0..SECTIONS {
        let (began, requests_before) = (Instant::now(), network.trace().0);
        let (mut section, mut stepped, mut asked) = (Section::default(), 0, 0);
        let (mut ticked, mut looked, events_before) = (began, began, events);
        while began.elapsed() < SECTION {
            sleep_until(ticked + TICK).await;
            ticked = Instant::now();
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                let truth = emulator.truth();
                for (sid, item) in emulator.sync().map_items("queueStats").unwrap_or_default() {
                    let right = last_right.entry(sid.clone()).or_insert(began);
                    if compare_item_since(&truth, &CHANNELS, &sid, &item, day).is_ok() {
                        *right = Instant::now();
                    }
                    section.wrong = section.wrong.max(right.elapsed());
                }
            }
            while f64::from(stepped) < STEPS_A_SECOND * began.elapsed().as_secs_f64() {
                emulator.world().step();
                stepped += 1;
            }
            for params in emulator.callbacks().take() {
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
                events += 1;
                let late = Duration::from_millis(dice.random_range(5..120));
                arriving.insert((Instant::now() + late, events), body);
            }
            while let Some((place, body)) = arriving.pop_first() {
                sleep_until(place.0).await;
                service.take_in(&body);
            }
            let [realtime, cumulative] = service.ages(wall());
            section.realtime = section.realtime.max(realtime);
            section.cumulative = section.cumulative.max(cumulative);
            if began.elapsed() >= CALLS * asked {
                asked += 1;
                section.call = section.call.max(service.list_tasks().await);
            }
        }
        section.requests = network.trace().0 - requests_before;
        section.events = (events - events_before) as u64;
        sections.push(section);
    }
    until_right(&emulator).await?;
    let totals = emulator.journal().totals();
    if totals.throttled > 0 {
        return Err(format!("{totals:?}"));
    }
    service.kill().await;
    Ok(sections)
}
