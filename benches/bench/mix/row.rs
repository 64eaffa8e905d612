//! One row: a centre, a layout, a rate and a limit; the service and its rival beside it.

use std::fmt::{self, Display};
use std::time::{Duration, Instant};

use twilio_emulator::{Api, Emulator};

use super::budget::Cost;
use super::counters::Shape;
use super::freshness::Stopwatch;
use super::{Limit, centre, rival};
use crate::floor::Floor;
use crate::limits::{self, Observed};
use crate::stats::{Sample, ms};
use crate::testbed::{Effort, Opening, SYNC_LATENCY, Stage, TASKROUTER_LATENCY};

/// Events before the measured ones; with a lag more of them, since the first ones teach the service that there is one.
const WARM_UP: Duration = Duration::from_secs(5);
const WARM_UP_WITH_LAG: Duration = Duration::from_secs(20);
/// After the last event, Sync should be right within this time.
pub(super) const END_WITHIN: Duration = Duration::from_secs(30);
/// The same where Sync was empty: a Map of a thousand items takes two minutes to fill.
const END_OF_FILLING_WITHIN: Duration = Duration::from_secs(240);
/// Seeds of the pace before and in the measured time.
const WARM_UP_SEED: u64 = 1;
const MEASURED_SEED: u64 = 2;
/// The bare round trips, spread over the measured time.
const FLOORS: u32 = 10;

#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) shape: Shape,
    pub(super) queues: usize,
    pub(super) events: f64,
    pub(super) limit: Limit,
    pub(super) span: Duration,
    pub(super) lag: Duration,
    pub(super) empty: bool,
    pub(super) rival: bool,
}

/// The figures of a row.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) row: Row,
    pub(super) service: Figures,
    pub(super) rival: Option<Figures>,
    pub(super) events: usize,
    pub(super) observed: Observed,
    pub(super) cpu_ms_a_second: f64,
    pub(super) peak_kib: u64,
    floor: Sample<Duration>,
}

/// The figures of the service or of its rival.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) times: Sample<Duration>,
    pub(super) missed: usize,
    pub(super) refused: usize,
    /// What was wrong at the end.
    pub(super) wrong: Option<String>,
    pub(super) cost: Cost,
}

/// The cells for the table.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) p50: String,
    pub(super) p99: String,
    pub(super) max: String,
    pub(super) refused: String,
    pub(super) end: String,
}

impl Row {
    /// The cells for the tables.
    pub(super) fn title(&self) -> String {
        let Self { shape, queues, events, limit, .. } = self;
        format!("{} {queues} {events} {}", shape.name(), limit.name())
    }

    fn name(&self) -> String {
        let Self { shape, queues, events, limit, .. } = self;
        format!("mix-{}-{queues}-{events}-{}", shape.name(), limit.name())
    }

    pub(super) async fn measure(self, effort: &Effort) -> Outcome {
        let stage = Stage::found(&self.name(), centre::settings(&self)).await;
        centre::share_workers(&stage.emulator);
        let variables = [("SYNC_LAYOUTS", self.shape.layouts())];
        let opening = Opening { variables: &variables, empty: self.empty, ..Opening::default() };
        let testbed = stage.open(effort, opening).await;
        if !self.empty {
            testbed.ready().await;
            until_right(&testbed.emulator, self.shape, END_WITHIN).await;
        }
        testbed.emulator.set_statistics_lag(self.lag);
        let watch = self.begin(&testbed.emulator).await;
        let (begin, usage) = (Instant::now(), testbed.usage());
        let (floor, ()) = tokio::join!(
            self.floors(&testbed.emulator),
            centre::live(&watch, self.events, self.span, true, MEASURED_SEED),
        );
        let (end, after) = (Instant::now(), testbed.usage());
        let events = watch.events();
        let service = Figures::of(&testbed.emulator, watch, (begin, end), self.end_within()).await;
        let peak_kib = testbed.usage().peak_kib;
        let observed = testbed.stop().await;
        // One after the other: the rival's refused writes would take the processor from the service.
        let rival = match self.rival {
            true => Some(self.measure_rival().await),
            false => None,
        };
        Outcome {
            service,
            rival,
            events,
            floor,
            cpu_ms_a_second: (after.cpu - usage.cpu).as_secs_f64() * 1000.0 / (end - begin).as_secs_f64(),
            peak_kib,
            observed,
            row: self,
        }
    }

    /// The same events at the same pace for the rival.
    async fn measure_rival(&self) -> Figures {
        let (emulator, running) = self.start_rival().await;
        let watch = self.begin(&emulator).await;
        let begin = Instant::now();
        centre::live(&watch, self.events, self.span, true, MEASURED_SEED).await;
        let figures = Figures::of(&emulator, watch, (begin, Instant::now()), self.end_within()).await;
        running.stop().await;
        figures
    }

    /// Lets the centre live for a while before what is measured.
    async fn begin(&self, emulator: &Emulator) -> Stopwatch {
        let watch = Stopwatch::start(emulator, self.shape, self.lag);
        let warm_up = if self.lag.is_zero() { WARM_UP } else { WARM_UP_WITH_LAG };
        centre::live(&watch, self.events, warm_up, false, WARM_UP_SEED).await;
        watch
    }

    fn end_within(&self) -> Duration {
        // A last side effect changes every item, of which a Map takes about twelve a second.
        let side_effects = match self.shape {
            Shape::QueueMap | Shape::DashboardMap => {
                Duration::from_millis(100) * u32::try_from(self.queues).unwrap_or(u32::MAX)
            }
            Shape::QueueDocuments | Shape::DashboardDocument => Duration::ZERO,
        };
        side_effects + if self.empty { END_OF_FILLING_WITHIN } else { END_WITHIN }
    }

    /// An emulator of its own with the same seed, and the rival on it.
    async fn start_rival(&self) -> (Emulator, rival::Running) {
        let emulator = Emulator::start(centre::settings(self)).await.unwrap();
        centre::share_workers(&emulator);
        for map in ["queueStats", "dashboard-map"] {
            emulator.sync().put_map(map);
        }
        if self.empty {
            return self.with_latency(emulator).await;
        }
        // The first filling is not what is measured: it happens past all limits.
        let limits = emulator.limits();
        emulator.set_limits(twilio_emulator::Limits::off());
        let running = rival::start(&emulator, self.shape).await;
        emulator.set_limits(limits);
        emulator.journal().clear();
        slow_down(&emulator);
        emulator.set_statistics_lag(self.lag);
        (emulator, running)
    }

    async fn with_latency(&self, emulator: Emulator) -> (Emulator, rival::Running) {
        slow_down(&emulator);
        let running = rival::start(&emulator, self.shape).await;
        (emulator, running)
    }

    async fn floors(&self, emulator: &Emulator) -> Sample<Duration> {
        let queue = emulator.world().queues()[0].sid.clone();
        let floor = Floor::with_payload(emulator, &queue, &format!(r#"{{"padding":"{}"}}"#, "x".repeat(900)));
        let mut times = Vec::new();
        for _ in 0..FLOORS {
            tokio::time::sleep(self.span / FLOORS / 2).await;
            times.push(floor.once().await);
        }
        Sample::new(times)
    }
}

fn slow_down(emulator: &Emulator) {
    emulator.set_latency(Api::TaskRouter, TASKROUTER_LATENCY);
    emulator.set_latency(Api::Sync, SYNC_LATENCY);
}

/// Waits for the end state; `Some` says what is still wrong after the time allowed.
async fn until_right(emulator: &Emulator, shape: Shape, within: Duration) -> Option<String> {
    let mut changed = emulator.sync().changed();
    let give_up = tokio::time::Instant::now() + within;
    while let Err(difference) = shape.agrees(emulator) {
        if tokio::time::timeout_at(give_up, changed.changed()).await.is_err() {
            return Some(difference);
        }
        // A look at all queues of a large centre costs more than a write.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

impl Figures {
    async fn of(
        emulator: &Emulator,
        watch: Stopwatch,
        measured: (Instant, Instant),
        within: Duration,
    ) -> Self {
        let wrong = until_right(emulator, watch.shape(), within).await;
        let (times, missed) = watch.stop();
        let mut entries = emulator.journal().entries();
        entries.retain(|entry| !limits::is_bare(entry));
        let refused = entries.iter().filter(|entry| entry.status == 429).count();
        Self { times, missed, refused, wrong, cost: Cost::of(&entries, measured) }
    }

    pub(super) fn cells(&self) -> Cells {
        let missed = if self.missed == 0 { String::new() } else { format!(" ({} never)", self.missed) };
        Cells {
            p50: ms(self.times.median()),
            p99: ms(self.times.percentile(99)),
            max: format!("{}{missed}", ms(self.times.max())),
            refused: self.refused.to_string(),
            end: if self.wrong.is_some() { "**wrong**" } else { "right" }.to_owned(),
        }
    }

    /// Not worse in anything, within the millisecond or two that two processes differ by.
    pub(super) fn beats(&self, rival: &Self) -> bool {
        let near = Duration::from_millis(5);
        let better = |percent| self.times.percentile(percent) <= rival.times.percentile(percent) + near;
        better(50) && better(99) && self.refused <= rival.refused && self.wrong.is_none()
    }
}

impl Outcome {
    pub(super) fn floor(&self) -> String {
        ms(self.floor.median())
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { shape, queues, events, limit, .. } = &self.row;
        write!(f, "{} {queues} queues {events}/s {}, floor {}: ", shape.name(), limit.name(), self.floor())?;
        let one = |f: &mut fmt::Formatter<'_>, figures: &Figures| {
            let Cells { p50, p99, max, refused, end } = figures.cells();
            write!(f, "p50 {p50} p99 {p99} max {max}, {refused} 429s, {end}")?;
            figures.wrong.as_ref().map_or(Ok(()), |wrong| write!(f, " ({wrong})"))
        };
        one(f, &self.service)?;
        if let Some(rival) = &self.rival {
            write!(f, "; rival ")?;
            one(f, rival)?;
        }
        let Cost { reads_a_second, writes_a_second, fullest } = &self.service.cost;
        write!(
            f,
            "; {reads_a_second:.1} reads/s, {writes_a_second:.1} writes/s, fullest {fullest:.0}, CPU {:.0} ms/s",
            self.cpu_ms_a_second
        )
    }
}
