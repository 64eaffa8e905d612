//! The task that reads: owns the schedule and the board, waits, launches, folds, publishes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, warn};

use super::Refresher;
use super::channels::Channels;
use super::key::{Key, Offers, Part, Read, What};
use super::marks::{Marks, Waiter};
use super::plan::plan;
use super::reader::{Brought, Reader, failed_of, key_of};
use super::roster::Roster;
use super::schedule::{Cause, Schedule};
use super::siblings::{Begun, EarlyReads, ReadEnd};
use super::ways::{SMALL_CENTRE, WayRefused, Ways};
use crate::bucket::Bucket;
use crate::config::{RefreshConfig, StatisticsConfig};
use crate::event::{Invalidation, Trace};
use crate::jobs::Jobs;
use crate::sid::TaskQueueSid;
use crate::stats::day::{iso_seconds, start_of_day};
use crate::stats::{Board, Moved, Needs, ReadAnswer, Snapshot};
use crate::telemetry::metrics::{Monitor, ReadOutcome};
use crate::telemetry::trace::{self, TracedRead};
use crate::twilio::taskrouter::{TaskRouter, Window};
use crate::twilio::{Next, TwilioError};

/// A request that Twilio refuses permanently, such as for a TaskChannel that the Workspace lacks, is tried again after this
/// time.
const HOPELESS_AGAIN: Duration = Duration::from_secs(30);
/// Keys that are read by themselves after one answer for many, which is read every few seconds.
const MOST_READ_SINGLY: usize = 20;
/// TaskQueues that a warning names.
const MOST_NAMED: usize = 10;
/// With more failing keys than this, further ones are not logged.
const MOST_FAILURES_TOLD: usize = 20;
/// The reason of staleness where the read panicked, which is a bug of ours.
const LOST: &str = "reading it failed inside this service; its log says more";
/// How long an answer waits for others that are under way.
const GATHER: Duration = Duration::from_millis(8);
/// Marks are taken this often at most, so that what belongs together is taken together.
const TAKING: Duration = Duration::from_millis(2);
/// At most this many times in a row; a change makes a few events. A burst makes no more of our work than the rate.
const TAKES_IN_A_ROW: f64 = 8.0;
const TAKES_PER_SECOND: f64 = 50.0;
/// Between two looks at whether marks have been read.
const READ_CHECKED: Duration = Duration::from_millis(100);
/// The longest the loop sleeps, so that a new day or a changed wall clock is noticed soon.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The refresh task, to be run once.
#[derive(Debug)]
pub struct RefreshWorker {
    reader: Reader,
    channels: Channels,
    statistics: StatisticsConfig,
    marks: Arc<Marks>,
    wall: fn() -> Timestamp,
    board: Board,
    schedule: Schedule,
    ways: Ways,
    window: Window,
    waiters: Vec<(Instant, Waiter)>,
    /// Callers that wait until everything marked before is read.
    when_read: Vec<(Instant, oneshot::Sender<()>)>,
    /// When that was looked at last.
    when_read_checked: Instant,
    reads: Jobs<Begun, Result<Brought, TwilioError>>,
    /// Reads that ended before others of the same event and TaskQueue.
    early: EarlyReads,
    snapshots: watch::Sender<Arc<Snapshot>>,
    /// When what the board holds is shown, if it is not shown yet.
    publish_at: Option<Instant>,
    /// When marks may be taken again, if they were taken a moment ago.
    take_at: Option<Instant>,
    takes: Bucket,
    /// What is being read by itself because an answer for many held it in a form that can't be read.
    singly: BTreeSet<Key>,
    /// When to see whether a new day began.
    day_checked: Instant,
    monitor: Monitor,
}

impl RefreshWorker {
    pub fn new(
        taskrouter: TaskRouter,
        rhythm: RefreshConfig,
        statistics: StatisticsConfig,
        needs: Needs,
        monitor: Monitor,
    ) -> (Refresher, Self) {
        let (refresher, worker) =
            Self::with_wall_clock(taskrouter, rhythm, statistics, needs, Timestamp::now);
        (refresher, Self { monitor, ..worker })
    }

    /// The same, by another clock on the wall than the machine's.
    pub fn with_wall_clock(
        taskrouter: TaskRouter,
        rhythm: RefreshConfig,
        statistics: StatisticsConfig,
        needs: Needs,
        wall: fn() -> Timestamp,
    ) -> (Refresher, Self) {
        let now = Instant::now();
        let channels = Channels::new(taskrouter.clone(), &statistics);
        let board = Board::new(&[], wall());
        let (snapshots, receiver) = watch::channel(board.snapshot().clone());
        let marks = Arc::new(Marks::default());
        let worker = Self {
            reader: Reader::new(taskrouter, rhythm.tasks_kept, channels.clone()),
            window: window(&statistics, wall()),
            wall,
            schedule: Schedule::new(rhythm, needs, &[], now),
            channels,
            statistics,
            marks: marks.clone(),
            board,
            ways: Ways::default(),
            waiters: Vec::new(),
            when_read: Vec::new(),
            when_read_checked: now,
            reads: Jobs::default(),
            early: EarlyReads::default(),
            snapshots,
            publish_at: None,
            take_at: None,
            takes: Bucket::new(TAKES_IN_A_ROW, TAKES_PER_SECOND, TAKES_IN_A_ROW, now),
            singly: BTreeSet::new(),
            day_checked: now,
            monitor: Monitor::default(),
        };
        (Refresher { marks, snapshots: receiver }, worker)
    }

    /// The lists of Tasks and Workers, read when a caller asks.
    pub fn roster(&self) -> Roster {
        self.reader.roster(self.marks.clone())
    }

    /// Reads until it is stopped; reads in flight are dropped then, since their answers would not be written.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let now = Instant::now();
            self.take_at = self.take_at.filter(|at| *at > now);
            let due = self.schedule.next_due(now).into_iter().chain(self.publish_at).chain(self.take_at);
            let due = due.chain(self.early.next_due()).min();
            let due = due.unwrap_or(now + LONGEST_SLEEP).min(now + LONGEST_SLEEP);
            let marks = self.marks.clone();
            tokio::select! {
                // In this order always, so that a run can be replayed. None of them starves the next: marks are taken
                // every few milliseconds at most, and reads are few.
                biased;
                () = stop.cancelled() => return,
                // A mark set while we were busy has left its permit, so looking after waking misses nothing.
                () = marks.wake.notified(), if self.take_at.is_none() => self.take_marks(),
                Some((begun, ended)) = self.reads.next() => self.gather(begun, ended),
                () = tokio::time::sleep_until(due) => {}
            }
            self.release_early(Instant::now());
            self.publish_if_due(Instant::now());
            self.tell_read(Instant::now());
            self.begin_day_if_new();
            self.launch();
        }
    }

    fn take_marks(&mut self) {
        let now = Instant::now();
        self.takes.spend(1.0, now);
        self.take_at = Some(self.takes.ready_at(1.0, 0.0, now).max(now + TAKING));
        let waiting = self.marks.take();
        for touch in waiting.touches() {
            if let Some(event) = &touch.event {
                debug!(event = %event.newest, queues = ?touch.queues, "Marked");
            }
            self.schedule.touch(&touch, now);
            if touch.tasks
                && self.channels.may_be_new(touch.channel.as_deref(), &self.board.snapshot().channels, now)
            {
                self.schedule.touch_key(Key::Directory, now);
            }
        }
        let before = self.board.snapshot().number;
        if let Some(event) = waiting.latest_event {
            self.board.fold_event(event, (self.wall)());
        }
        for (task, url) in waiting.recordings {
            self.board.fold_recording(task, url, (self.wall)());
        }
        if self.board.snapshot().number != before {
            self.snapshots.send_replace(self.board.snapshot().clone());
        }
        self.when_read.extend(waiting.when_read.into_iter().map(|told| (now, told)));
        if !waiting.refresh_all.is_empty() {
            self.schedule.touch(&Invalidation::everything(), now);
            self.waiters.extend(waiting.refresh_all.into_iter().map(|waiter| (now, waiter)));
        }
    }

    fn begin_day_if_new(&mut self) {
        let now = Instant::now();
        if now.duration_since(self.day_checked) < LONGEST_SLEEP {
            return;
        }
        self.day_checked = now;
        let window = window(&self.statistics, (self.wall)());
        if window.start != self.window.start {
            info!(window.start, "A new day begins: counters reset");
            self.window = window;
            self.schedule.begin_day(Instant::now());
        }
    }

    fn launch(&mut self) {
        let now = Instant::now();
        let offers = self.ways.now(now);
        let touched = self.schedule.due_touched(now);
        if !touched.is_empty() {
            let reads = self.reads_for_events(&touched, offers);
            self.schedule.launched(reads.len(), now);
            for read in reads {
                self.start(read, &touched, Cause::Touched, now);
            }
        }
        let by_timer: BTreeSet<Key> = self.schedule.due_by_timer(now);
        if !by_timer.is_empty() {
            self.schedule.pace_singles(offers, now);
            let mut reads = plan(&by_timer, &self.schedule.queues(), offers);
            // Longest due first, or with more single reads than there is time for the last ones would never come up.
            reads
                .sort_by_key(|read| read.covers.iter().filter_map(|key| self.schedule.timer_due(*key)).min());
            for read in reads {
                let single = matches!(read.what, What::Queue(..));
                if !single || self.schedule.admit_single(now) {
                    self.start(read, &by_timer, Cause::Timer, now);
                }
            }
        }
    }

    /// In a large centre what events name is read by itself and first: the list that others need at the same moment
    /// would hold it up.
    fn reads_for_events(&self, touched: &BTreeSet<Key>, offers: Offers) -> Vec<Read> {
        let queues = self.schedule.queues();
        if queues.len() <= SMALL_CENTRE {
            return plan(touched, &queues, offers);
        }
        let (named, others): (BTreeSet<Key>, BTreeSet<Key>) =
            touched.iter().partition(|key| self.schedule.is_named(**key));
        let mut reads = plan(&named, &queues, offers);
        let covered: BTreeSet<Key> = reads.iter().flat_map(|read| read.covers.iter().copied()).collect();
        let others = others.difference(&covered).copied().collect();
        reads.extend(plan(&others, &queues, offers));
        reads
    }

    fn start(&mut self, read: Read, due: &BTreeSet<Key>, cause: Cause, now: Instant) {
        let event = |key: &Key| Some((*key, self.schedule.event(*key)?));
        let events: Vec<(Key, Trace)> = read.covers.iter().filter_map(event).collect();
        debug!(what = ?read.what, ?cause, "Reading");
        if tracing::enabled!(tracing::Level::DEBUG) {
            let mut told = Vec::new();
            for (_, event) in &events {
                if !told.contains(&event.newest) {
                    debug!(event = %event.newest, what = read.what.name(), "Reading because of an event");
                    told.push(event.newest);
                }
            }
        }
        let (asked, covered): (Vec<Key>, Vec<Key>) = read.covers.iter().partition(|key| due.contains(key));
        self.schedule.started(&asked, cause, now);
        self.schedule.started(&covered, Cause::Timer, now);
        let asked = asked.into_iter().collect();
        let id = self.board.begin_read((self.wall)(), cause == Cause::Touched);
        let reader = self.reader.clone();
        let channels = self.board.snapshot().channels.clone();
        let window = self.window.clone();
        let reading = reading(&events, &read, cause);
        let span = reading.span().clone();
        let begun = Begun { read: read.clone(), id, cause, asked, started: now, events, reading };
        let reads = async move { reader.carry_out(&read, &channels, &window).await };
        self.reads.spawn(begun, reads.instrument(span));
    }

    /// A read ended: its answer is taken with those of its siblings.
    fn gather(&mut self, begun: Begun, ended: ReadEnd) {
        let awaited = self.reads.in_flight().any(|other| other.is_sibling(&begun));
        for (begun, ended) in self.early.gather(begun, ended, awaited, Instant::now()) {
            self.end(&begun, ended);
        }
    }

    /// What has waited long enough for its siblings is shown without them.
    fn release_early(&mut self, now: Instant) {
        for (begun, ended) in self.early.take_overdue(now) {
            self.end(&begun, ended);
        }
    }

    fn end(&mut self, begun: &Begun, ended: ReadEnd) {
        let now = Instant::now();
        // Log lines below belong to this read's span.
        let _within = begun.reading.span().enter();
        match ended {
            Ok(Ok(brought)) => {
                let failed_before = begun.read.covers.iter().any(|key| self.schedule.is_failing(*key));
                if failed_before && self.schedule.failing() < MOST_FAILURES_TOLD {
                    info!(what = begun.read.what.name(), "TaskRouter can be read again");
                }
                self.learn(brought.combined_is_complete);
                self.tell_outcome(begun, ReadOutcome::Ok);
                self.add_channels(&brought.new_channels, now);
                let unreadable = self.unreadable(begun, &brought.unreadable);
                self.fold(begun, brought.answers, &unreadable);
                self.read_singly(begun, unreadable, now);
            }
            Ok(Err(error)) => self.fail(begun, &error),
            Err(panicked) => {
                self.tell_outcome(begun, ReadOutcome::Failed);
                tracing::error!(what = ?begun.read.what, %panicked, "A read ended abnormally; it is tried again later");
                self.stay_stale(begun, &LOST.into(), None);
            }
        }
        for key in &begun.read.covers {
            if matches!(begun.read.what, What::Queue(..)) {
                self.singly.remove(key);
            }
        }
        self.answer_waiters(now);
        self.tell_read(now);
        // What an event names has waited for its siblings already. Other reads that were needed together end within a moment of
        // each other, and what they brought is shown together; a read that hangs delays it by that moment.
        let is_named = begun.cause == Cause::Touched && matches!(begun.read.what, What::Queue(..));
        let soonest = if self.reads.is_empty() || is_named { now } else { now + GATHER };
        self.publish_at = Some(self.publish_at.map_or(soonest, |at| at.min(soonest)));
    }

    fn tell_outcome(&self, begun: &Begun, outcome: ReadOutcome) {
        self.monitor.refreshed(begun.read.what.name(), begun.cause.name(), outcome);
        begun.reading.ended(outcome.name(), outcome == ReadOutcome::Failed);
    }

    fn publish_if_due(&mut self, now: Instant) {
        if self.publish_at.is_some_and(|at| at <= now) {
            self.publish_at = None;
            self.snapshots.send_replace(self.board.snapshot().clone());
        }
    }

    /// TaskChannels turned out to be there, or in use; their statistics are due at once.
    fn add_channels(&mut self, channels: &[Box<str>], now: Instant) {
        // Two reads of the directory side by side both bring what was new to them.
        let known = self.board.snapshot().channels.clone();
        let channels: Vec<_> = channels.iter().filter(|name| !known.contains(name)).cloned().collect();
        if !channels.is_empty() {
            self.board.add_channels(&channels, (self.wall)());
            let queues = self.board.snapshot().queues.keys().copied().collect();
            self.schedule.add_channels(channels.iter().map(ToString::to_string), &queues, now);
        }
    }

    fn fold(&mut self, begun: &Begun, mut answers: Vec<ReadAnswer>, unreadable: &BTreeMap<Key, Arc<str>>) {
        let now = Instant::now();
        let Begun { read, id, started, events, .. } = begun;
        let (id, started) = (*id, *started);
        let covers: BTreeSet<Key> = read.covers.iter().copied().collect();
        // Half of a combined answer may not have been asked for, because it is known to lack fields; it must not
        // overtake the complete one.
        let known = self.board.snapshot().clone();
        answers.retain(|answer| match key_of(answer) {
            Some(Key::Queue(queue, ..)) if !known.queues.contains_key(&queue) => true,
            key => key.is_some_and(|key| covers.contains(&key)),
        });
        let answered: BTreeSet<Key> = answers.iter().filter_map(key_of).collect();
        let folded = self.board.fold(id, answers, (self.wall)());
        // That an age moved on is no event's doing.
        let moved_queues: BTreeSet<TaskQueueSid> = folded.moved.keys().map(|(queue, _)| *queue).collect();
        let moved = |key: &Key| match key {
            Key::Queue(queue, _, Part::Realtime) => moved_queues.contains(queue),
            Key::Workspace(Part::Realtime) => folded.workspace_moved > Moved::Nothing,
            _ => true,
        };
        let shown =
            events.iter().filter(|(key, event)| answered.contains(key) && (event.is_named() || moved(key)));
        let shown: Vec<_> = shown.map(|(key, event)| (failed_of(*key), *event)).collect();
        self.board.explain(&known, &shown);
        // From counters to the values that say whether something was late: what is read already is not read again for that.
        for key in answered.iter().rev() {
            let moved = match key {
                // Its own: what another channel's late read shows is no sign that this one lagged.
                Key::Queue(queue, scope, _) => {
                    folded.moved.get(&(*queue, *scope)).copied().unwrap_or_default()
                }
                Key::Workspace(_) => folded.workspace_moved,
                Key::Directory | Key::LastHour | Key::Tasks => Moved::Nothing,
            };
            self.schedule.succeeded(*key, begun.cause_of(*key), started, moved);
        }
        // A TaskQueue that the answer left out: entries shift between pages, or it is gone.
        let left_out = covers.difference(&answered).copied();
        let missing: Vec<Key> = left_out.filter(|key| !unreadable.contains_key(key)).collect();
        for key in &missing {
            self.schedule.failed(*key, begun.cause_of(*key), started, now, None);
        }
        if answered.contains(&Key::Directory) {
            let queues = self.board.snapshot().queues.keys().copied().collect();
            self.schedule.set_queues(&queues, now);
            self.say_unknown_queues();
        }
        if folded.unknown_queue || !missing.is_empty() {
            self.schedule.touch_key(Key::Directory, now);
        }
    }

    /// Says once which TaskQueues the configuration names and the Workspace does not have.
    fn say_unknown_queues(&mut self) {
        let there = &self.board.snapshot().queues;
        let named = std::mem::take(&mut self.statistics.service_levels);
        let missing: Vec<String> =
            named.keys().filter(|sid| !there.contains_key(sid)).map(ToString::to_string).collect();
        if !missing.is_empty() {
            let known = there
                .values()
                .take(MOST_NAMED)
                .map(|state| format!("{} ({})", state.queue.sid, state.queue.friendly_name));
            let known = known.collect::<Vec<_>>().join(", ");
            warn!(missing = missing.join(","), known, "SLA_NAMES_OF_QUEUES names unknown TaskQueues");
        }
    }

    /// The keys of TaskQueues that an answer for many held in a form that can't be read, and why.
    fn unreadable(&self, begun: &Begun, odd: &[(TaskQueueSid, Arc<str>)]) -> BTreeMap<Key, Arc<str>> {
        let keys = begun.read.covers.iter().filter_map(|key| {
            let Key::Queue(queue, ..) = key else { return None };
            let (_, reason) = odd.iter().find(|(odd, _)| odd == queue)?;
            Some((*key, reason.clone()))
        });
        keys.collect()
    }

    /// Reads by themselves what an answer for many held in a form that can't be read. A value is stale only once that has
    /// failed, too: until then it would alternate between stale and fresh.
    fn read_singly(&mut self, begun: &Begun, unreadable: BTreeMap<Key, Arc<str>>, now: Instant) {
        let (mut singly, mut failed) = (BTreeSet::new(), Vec::new());
        for (key, reason) in unreadable {
            if self.singly.contains(&key) {
                self.schedule.covered(key, begun.cause_of(key), begun.started);
            } else if self.schedule.is_failing(key) || singly.len() >= MOST_READ_SINGLY {
                self.schedule.failed(key, begun.cause_of(key), begun.started, now, None);
                let reason = format!("TaskRouter's answer can't be read: {reason}");
                failed.push(ReadAnswer::Failed(failed_of(key), reason.into()));
            } else {
                self.schedule.refused(key, begun.cause_of(key), now);
                singly.insert(key);
            }
        }
        if !failed.is_empty() {
            self.board.fold(begun.id, failed, (self.wall)());
        }
        let offers = Offers { bulk: false, list: false, ..self.ways.now(now) };
        for read in plan(&singly, &self.schedule.queues(), offers) {
            self.singly.extend(read.covers.iter().copied());
            self.start(read, &singly, begun.cause, now);
        }
    }

    fn fail(&mut self, begun: &Begun, error: &TwilioError) {
        let now = Instant::now();
        let Begun { read, .. } = begun;
        let queues = self.board.snapshot().queues.len();
        let refusal = self.ways.failed(&read.what, error, queues, now);
        if refusal != WayRefused::None {
            // No value is stale for this: the same keys are read another way at once.
            self.tell_outcome(begun, ReadOutcome::Refused);
            if refusal == WayRefused::ForNow {
                debug!(%error, "Twilio refuses an endpoint for now; reading in another way");
            } else {
                self.schedule.forgive();
                warn!(%error, "This account refuses an endpoint; reading in another way");
            }
            for key in &read.covers {
                self.schedule.refused(*key, begun.cause_of(*key), now);
            }
            return;
        }
        self.tell_outcome(begun, ReadOutcome::Failed);
        // Logged once, when it begins, not at every try; the snapshot holds each value's reason.
        let news = read.covers.iter().any(|key| !self.schedule.is_failing(*key));
        if matches!(error, TwilioError::LeaseOver { .. }) {
            debug!(what = read.what.name(), %error, "Not read");
        } else if news && self.schedule.failing() < MOST_FAILURES_TOLD {
            warn!(what = read.what.name(), %error, "TaskRouter can't be read; the last known values stay, marked as stale");
        }
        let wait = match error.next() {
            Next::Retry(wait) => wait,
            Next::Missing => {
                self.schedule.touch_key(Key::Directory, now);
                Some(HOPELESS_AGAIN)
            }
            _ => Some(HOPELESS_AGAIN),
        };
        self.stay_stale(begun, &error.to_string().into(), wait);
    }

    /// What a read was to make fresh stays as it is, says why, and is read later.
    fn stay_stale(&mut self, begun: &Begun, reason: &Arc<str>, wait: Option<Duration>) {
        let now = Instant::now();
        let failed = begun.read.covers.iter().map(|key| failed_of(*key));
        let answers = failed.map(|failed| ReadAnswer::Failed(failed, reason.clone())).collect();
        self.board.fold(begun.id, answers, (self.wall)());
        for key in &begun.read.covers {
            self.schedule.failed(*key, begun.cause_of(*key), begun.started, now, wait);
        }
    }

    fn learn(&mut self, combined_is_complete: Option<bool>) {
        let Some(complete) = combined_is_complete else { return };
        if self.ways.learn(complete) {
            info!(complete, "Learned whether this account's combined statistics hold all cumulative fields");
            if !complete {
                // What the combined answers have just left out has not been read at all.
                self.schedule.begin_day(Instant::now());
            }
        }
    }

    fn answer_waiters(&mut self, now: Instant) {
        let snapshot = self.board.snapshot();
        let (schedule, waiters) = (&self.schedule, std::mem::take(&mut self.waiters));
        for (since, waiter) in waiters {
            if schedule.all_read_since(since) && now >= since {
                // A caller that has left needs no answer.
                let _ = waiter.send(snapshot.clone());
            } else if !waiter.is_closed() {
                self.waiters.push((since, waiter));
            }
        }
    }

    /// Tells those whose marks have been read. Looks through all keys, so not at every answer.
    fn tell_read(&mut self, now: Instant) {
        let soon = now.duration_since(self.when_read_checked) < READ_CHECKED;
        if self.when_read.is_empty() || (soon && !self.reads.is_empty()) {
            return;
        }
        self.when_read_checked = now;
        for (since, told) in std::mem::take(&mut self.when_read) {
            if self.schedule.has_read_what_was_touched_by(since) {
                // The caller may be gone.
                let _ = told.send(());
            } else if !told.is_closed() {
                self.when_read.push((since, told));
            }
        }
    }
}

/// The span of a read, in the traces of the events that it is to show.
fn reading(events: &[(Key, Trace)], read: &Read, cause: Cause) -> TracedRead {
    if !trace::is_followed() {
        return TracedRead::default();
    }
    let newest = events.iter().map(|(_, event)| event).max_by_key(|event| event.newest_at);
    let others = events.iter().map(|(_, event)| event.newest.trace_id());
    TracedRead::begin(newest.map(|event| event.newest.trace_id()), others, read.what.name(), cause.name())
}

fn window(statistics: &StatisticsConfig, now: Timestamp) -> Window {
    let start = start_of_day(now, &statistics.time_zone, statistics.day_start);
    let split: Vec<String> = statistics.sla_thresholds.iter().map(u32::to_string).collect();
    Window { start: iso_seconds(start), end: None, split: split.join(",") }
}
