//! How long an event takes to show in its TaskQueue's item, in a busy centre whose Workers serve every TaskQueue: Twilio
//! answers as fast as in the benchmarks or a few milliseconds later, and nothing else is on the machine.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep, sleep_until};
use twilio_emulator::{Emulator, Event, Settings, SyncChange};

use crate::agreement::compare;
use crate::network::Network;
use crate::run::{Service, begin};

const CHANNELS: [&str; 3] = ["voice", "chat", "video"];
/// Half of a request to TaskRouter and half of one to Sync, at least, and what may be added to either.
const ONE_WAY: [Duration; 2] = [Duration::from_millis(25), Duration::from_millis(15)];
const JITTER: Duration = Duration::from_millis(15);
/// From an event to its arrival: those of one step come one after the other.
const POSTED_WITHIN: Range<u64> = 2..40;
const WARM_UP: Duration = Duration::from_secs(5);
/// With a lag, the first events teach the service that there is one.
const WARM_UP_WITH_LAG: Duration = Duration::from_secs(20);
const FILLED_WITHIN: Duration = Duration::from_secs(120);
/// After the last event, Sync is right within this time.
const RIGHT_WITHIN: Duration = Duration::from_secs(30);

/// A counter: the event that moves it, its name in the item, its name at Twilio.
const COUNTERS: [(&str, &str, &str); 7] = [
    ("task-queue.entered", "tEnter", "tasks_entered"),
    ("task.completed", "tCompl", "tasks_completed"),
    ("task.canceled", "tCanc", "tasks_canceled"),
    ("reservation.created", "rCreated", "reservations_created"),
    ("reservation.accepted", "rAccepted", "reservations_accepted"),
    ("reservation.rejected", "rRej", "reservations_rejected"),
    ("reservation.timeout", "rTimedOut", "reservations_timed_out"),
];

/// A centre and what happens in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Centre {
    pub(crate) seed: u64,
    pub(crate) queues: usize,
    pub(crate) events_a_second: f64,
    pub(crate) busy_for: Duration,
    /// Statistics show an event this long after it.
    pub(crate) lag: Duration,
}

/// How long the events took, from the moment at which statistics showed them.
#[derive(Debug)]
pub(crate) struct Freshness {
    pub(crate) events: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
    /// Writes to items a second, while it was busy.
    pub(crate) writes_a_second: f64,
}

/// Runs it; an error says what was not as it must be.
pub(crate) fn run(centre: Centre) -> Result<Freshness, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(simulate(centre))
}

async fn simulate(centre: Centre) -> Result<Freshness, String> {
    let starts_at: Timestamp = "2026-03-10T14:20:00Z".parse().unwrap();
    begin(centre.seed, starts_at);
    let settings = Settings {
        queues: centre.queues,
        workers: centre.queues,
        seed: centre.seed,
        starts_at: Some(starts_at),
        ..Settings::default()
    };
    let emulator = Arc::new(Emulator::without_network(&settings).unwrap());
    for queue in emulator.world().queues() {
        emulator.world().set_target_workers(&queue.sid, "1==1").unwrap();
    }
    emulator.callbacks().set_url("http://service.example/taskrouter/events");
    let network = Arc::new(Network::steady(emulator.clone(), ONE_WAY, JITTER, centre.seed));
    let settings = [("STATS_CHANNELS", "voice,chat,video"), ("CUMULATIVE_INTERVAL", "30s")];
    let mut service = Service::start_with(&emulator, &network, &settings);
    until_right(&emulator, FILLED_WITHIN).await?;
    service.kill().await;
    service = Service::start_with(&emulator, &network, &settings);
    sleep(Duration::from_secs(2)).await;
    until_right(&emulator, FILLED_WITHIN).await?;
    emulator.set_statistics_lag(centre.lag);

    let watch = Arc::new(Watch::new(&emulator, centre.lag));
    let mut changes = emulator.sync().subscribe();
    let seen = watch.clone();
    let watching = tokio::spawn(async move {
        while let Ok(change) = changes.recv().await {
            seen.show(&change);
        }
    });
    let mut dice = StdRng::seed_from_u64(centre.seed);
    let warm_up = if centre.lag.is_zero() { WARM_UP } else { WARM_UP_WITH_LAG };
    live(centre, &emulator, &watch, &service, &mut dice, warm_up).await;
    watch.time_from_now();
    live(centre, &emulator, &watch, &service, &mut dice, centre.busy_for).await;
    let writes = watch.writes();
    until_right(&emulator, RIGHT_WITHIN).await?;
    watching.abort();
    let totals = emulator.journal().totals();
    if totals.throttled > 0 {
        return Err(format!("{totals:?}"));
    }
    service.kill().await;
    watch.freshness(f64::from(writes) / centre.busy_for.as_secs_f64())
}

/// Steps with exponential gaps; each event arrives a moment later.
async fn live(
    centre: Centre,
    emulator: &Emulator,
    watch: &Watch,
    service: &Service,
    dice: &mut StdRng,
    span: Duration,
) {
    let (begin, mut next) = (Instant::now(), Instant::now());
    let mut arriving: BTreeMap<(Instant, usize), String> = BTreeMap::new();
    let mut number = 0;
    loop {
        let arrives = arriving.first_key_value().map(|((at, _), _)| *at);
        let moment = arrives.map_or(next, |at| at.min(next));
        if arriving.is_empty() && next >= begin + span {
            sleep_until(begin + span).await;
            return;
        }
        sleep_until(moment).await;
        while arriving.first_key_value().is_some_and(|((at, _), _)| *at <= moment) {
            arriving.pop_first().into_iter().for_each(|(_, body)| service.take_in(&body));
        }
        if next <= moment && next < begin + span {
            emulator.world().step();
            let made = watch.expect_new();
            for params in emulator.callbacks().take() {
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
                number += 1;
                let posted = Duration::from_millis(dice.random_range(POSTED_WITHIN));
                arriving.insert((moment + posted, number), body);
            }
            // A step makes one event or a few; the gap after it makes up for them.
            #[allow(clippy::cast_precision_loss, reason = "a step makes a few events")]
            let gap = -(1.0 - dice.random::<f64>()).ln() * made as f64 / centre.events_a_second;
            next += Duration::from_secs_f64(gap);
        }
    }
}

async fn until_right(emulator: &Emulator, within: Duration) -> Result<(), String> {
    let begin = Instant::now();
    while let Err(wrong) = compare(emulator, &CHANNELS) {
        if begin.elapsed() > within {
            return Err(format!("not right within {within:?}: {wrong}"));
        }
        sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// Times each event that moves a counter of its TaskQueue until the write that shows it.
struct Watch {
    world: twilio_emulator::World,
    lag: Duration,
    day: Timestamp,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    last: Option<twilio_emulator::Sid>,
    counts: HashMap<(String, &'static str), u64>,
    waiting: HashMap<(String, &'static str), VecDeque<(u64, Instant)>>,
    times: Vec<Duration>,
    timed: bool,
    writes: u32,
}

impl Watch {
    fn new(emulator: &Emulator, lag: Duration) -> Self {
        let world = emulator.world();
        let last = world.events().last().map(|event| event.sid);
        let inner = Mutex::new(Inner { last, ..Inner::default() });
        Self { world, lag, day: "2026-03-10T00:00:00Z".parse().unwrap(), inner }
    }

    fn time_from_now(&self) {
        let mut inner = self.inner.lock().unwrap();
        (inner.timed, inner.writes) = (true, 0);
    }

    fn writes(&self) -> u32 {
        self.inner.lock().unwrap().writes
    }

    /// Waits for the events that have happened since; how many those are.
    fn expect_new(&self) -> usize {
        let events = self.world.events();
        let mut inner = self.inner.lock().unwrap();
        let last = inner.last;
        let new: Vec<Arc<Event>> =
            events.into_iter().rev().take_while(|event| Some(event.sid) != last).collect();
        if let Some(newest) = new.first() {
            inner.last = Some(newest.sid);
        }
        new.iter().rev().for_each(|event| self.expect(&mut inner, event));
        new.len()
    }

    fn expect(&self, inner: &mut Inner, event: &Event) {
        let Some(queue) = event.param("TaskQueueSid") else { return };
        let moved = COUNTERS.iter().find(|(moving, ..)| *moving == event.event_type);
        let Some((_, counter, name)) = moved else { return };
        let key = (queue.to_owned(), *counter);
        let count = match inner.counts.get(&key) {
            Some(count) => count + 1,
            // The truth holds the first one already.
            None => {
                let both = self.world.truth().queue(queue, None, self.day, &[]);
                both.cumulative[*name].as_u64().unwrap_or(0)
            }
        };
        inner.counts.insert(key.clone(), count);
        if inner.timed {
            inner.waiting.entry(key).or_default().push_back((count, Instant::now() + self.lag));
        }
    }

    fn show(&self, change: &SyncChange) {
        let of_map = change.unique_name.as_deref() == Some("queueStats");
        let (Some(queue), Some(data), true) = (change.key.as_deref(), change.data.as_deref(), of_map) else {
            return;
        };
        let mut inner = self.inner.lock().unwrap();
        let inner = &mut *inner;
        inner.writes += 1;
        for (_, counter, _) in COUNTERS {
            let shown = data["cumulativeStats_all"][counter].as_u64().unwrap_or(0);
            let Some(waiting) = inner.waiting.get_mut(&(queue.to_owned(), counter)) else { continue };
            while waiting.front().is_some_and(|(count, _)| *count <= shown) {
                inner.times.extend(
                    waiting.pop_front().map(|(_, begin)| Instant::now().saturating_duration_since(begin)),
                );
            }
        }
    }

    fn freshness(&self, writes_a_second: f64) -> Result<Freshness, String> {
        let mut inner = self.inner.lock().unwrap();
        if inner.waiting.values().any(|waiting| !waiting.is_empty()) {
            return Err("an event never showed".to_owned());
        }
        inner.times.sort_unstable();
        let times = &inner.times;
        let (Some(longest), events) = (times.last(), times.len()) else {
            return Err("nothing happened".to_owned());
        };
        let rank = |percent: usize| times[(events * percent).div_ceil(100).max(1) - 1];
        Ok(Freshness { events, p50: rank(50), p99: rank(99), longest: *longest, writes_a_second })
    }
}
