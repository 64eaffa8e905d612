//! The task that writes: lays snapshots out, keeps the outbox, sends what it hands out, and audits Sync.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug, info, warn};

use super::audit::{Audits, End, look};
use super::fitted::fitted;
use super::flush::{Flush, Flushes};
use super::limit_log::LimitLog;
use super::outbox::Outbox;
use super::pacer::Urgency;
use super::readers::{PAUSE, Readers, is_controlled, permit};
use super::seen_documents::SeenDocuments;
use super::snapshot_change::SnapshotChange;
use super::steps::Steps;
use super::wanted::{Body, Found, Wanted, Write, WriteOutcome};
use super::writer;
use super::{BeyondLimit, PublishStatus, Publisher};
use crate::config::SyncConfig;
use crate::event::Trace;
use crate::jobs::Jobs;
use crate::layout::{Changes, DEFAULT_DEFINITIONS, Layout, Object, Target};
use crate::stats::{Snapshot, Tiles};
use crate::telemetry::metrics::{Limit, Monitor};
use crate::telemetry::trace;
use crate::twilio::TwilioError;
use crate::twilio::sync::SyncService;

/// The longest the loop sleeps when nothing is due.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// With more failing targets than this, further ones are not logged.
const MOST_FAILURES_TOLD: usize = 20;
/// Texts of waiting values that are kept; with more waiting, values are laid out again when their turn comes.
const MOST_TEXTS: usize = 32;
/// Between two looks at how far the writes are.
const REPORT_INTERVAL: Duration = Duration::from_millis(50);
/// Callers that may wait for writes at once; a further one is turned away by dropping its sender.
const MOST_WAITING: usize = 64;

/// The publishing task, to be run once.
#[derive(Debug)]
pub struct PublishWorker {
    sync: SyncService,
    layouts: Vec<Box<dyn Layout>>,
    seeds: Vec<(Target, Arc<str>)>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    tiles: watch::Receiver<Tiles>,
    shown: Option<Arc<Snapshot>>,
    steps: Steps,
    outbox: Outbox,
    jobs: Jobs<Job, Ended>,
    audits: Audits,
    flush_requests: mpsc::Receiver<Flush>,
    flushes: Flushes,
    status: watch::Sender<PublishStatus>,
    failing: BTreeSet<Target>,
    /// Who reads with access tokens; `None` where no tokens are issued.
    readers: Option<Readers>,
    seen_documents: SeenDocuments,
    /// Targets whose truncation was logged.
    cut: BTreeSet<Target>,
    limits: LimitLog,
    /// When the status was last sent, and when it is next due.
    reported_at: Instant,
    report_at: Option<Instant>,
    stopping: bool,
    /// Whether audits fail.
    blind: bool,
    monitor: Monitor,
}

/// The purpose of a request to Sync in flight.
#[derive(Debug)]
enum Job {
    Write(Target),
    CreateMap(Arc<str>),
    Audit(Object),
    Controlled,
    Permit(Object),
}

#[derive(Debug)]
enum Ended {
    Write {
        target: Target,
        outcome: WriteOutcome,
        error: Option<TwilioError>,
        since: Instant,
        event: Option<Trace>,
        span: Span,
    },
    CreateMap {
        map: Arc<str>,
        error: Option<TwilioError>,
    },
    Audit {
        object: Object,
        found: Result<Found, TwilioError>,
    },
    Controlled(bool),
    Permitted {
        object: Object,
        error: Option<TwilioError>,
    },
}

impl PublishWorker {
    /// A worker and its handle.
    pub fn new(
        sync: SyncService,
        config: &SyncConfig,
        layouts: Vec<Box<dyn Layout>>,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        tiles: watch::Receiver<Tiles>,
        readers: Option<&'static str>,
        monitor: Monitor,
    ) -> (Publisher, Self) {
        let now = Instant::now();
        let definitions = Target::Document(config.dashboard_definitions_document.as_str().into());
        let seeds = vec![(definitions, Arc::from(DEFAULT_DEFINITIONS))];
        let (flush, flush_requests) = mpsc::channel(MOST_WAITING);
        let (status, status_receiver) = watch::channel(PublishStatus::default());
        let mut worker = Self {
            sync,
            layouts,
            seeds,
            snapshots,
            tiles,
            shown: None,
            steps: Steps::default(),
            outbox: Outbox::new(config.ages),
            jobs: Jobs::default(),
            audits: Audits::new(config.audit_interval),
            flush_requests,
            flushes: Flushes::default(),
            status,
            failing: BTreeSet::new(),
            readers: readers.map(Readers::new),
            seen_documents: SeenDocuments::default(),
            cut: BTreeSet::new(),
            limits: LimitLog::default(),
            reported_at: now,
            report_at: Some(now),
            stopping: false,
            blind: false,
            monitor,
        };
        worker.outbox.write_last(worker.layouts.iter().filter_map(|layout| layout.written_last()).collect());
        let first = worker.snapshots.borrow().clone();
        worker.follow_objects(&first, now);
        (Publisher { flush, status: status_receiver }, worker)
    }

    /// Begins with nothing left of any object's budget: another writer may have spent it until this moment.
    pub fn budgets_are_spent(&mut self) {
        self.outbox.budgets_are_spent(Instant::now());
    }

    /// Writes until told to stop, then until what is pending has been written, or `grace` has passed.
    pub async fn run(mut self, stop: CancellationToken, grace: Duration) {
        let mut deadline: Option<Instant> = None;
        if self.readers.is_some() {
            self.look_at_access(Duration::ZERO);
        }
        loop {
            let now = Instant::now();
            self.begin_audits(now);
            self.send(now);
            self.permit_readers();
            self.report(now);
            if deadline.is_some_and(|deadline| self.outbox.is_empty() || now >= deadline) {
                self.say_goodbye();
                return;
            }
            let wake = self.wake_at(now, deadline);
            tokio::select! {
                // In this order always, so that a run can be replayed. None of them starves the next: snapshots replace
                // one another, and the others are few.
                biased;
                () = stop.cancelled(), if deadline.is_none() => {
                    deadline = Some(Instant::now() + grace);
                    self.stopping = true;
                    self.audits.stop();
                    self.lay_out();
                }
                changed = self.snapshots.changed(), if deadline.is_none() => match changed {
                    Ok(()) => self.lay_out(),
                    // The refresh task has ended, so there will be no more; the stop signal is on its way.
                    Err(_) => {
                        deadline = Some(Instant::now() + grace);
                        self.stopping = true;
                        self.lay_out();
                    }
                },
                // An input of its own: whatever formulas do, no snapshot waits for them.
                Ok(()) = self.tiles.changed(), if deadline.is_none() => self.lay_out(),
                Some(flush) = self.flush_requests.recv(), if deadline.is_none() => {
                    if flush.audit {
                        self.audits.hurry_all(Instant::now());
                    }
                    self.flushes.add(flush);
                }
                Some((job, ended)) = self.jobs.next() => match ended {
                    Ok(ended) => self.end(ended),
                    Err(panicked) => self.lost(job, &panicked),
                },
                () = tokio::task::yield_now(), if self.steps.is_behind() => self.lay_out(),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn wake_at(&self, now: Instant, deadline: Option<Instant>) -> Instant {
        let outbox = self.outbox.wake_at(now);
        let soonest = [self.audits.next_due(), outbox, deadline, self.report_at].into_iter().flatten().min();
        soonest.unwrap_or(now + LONGEST_SLEEP)
    }

    /// Wants the values of the newest snapshot that differ from the last one, or of a step towards it.
    fn lay_out(&mut self) {
        let next = self.snapshots.borrow_and_update().clone().with_tiles(&self.tiles.borrow_and_update());
        let now = Instant::now();
        let shown = self.shown.as_ref().filter(|_| !self.stopping);
        let next = self.steps.next(shown, next, now);
        let same_objects = self.shown.as_ref().is_some_and(|shown| {
            shown.queues.keys().eq(next.queues.keys())
                && shown.metrics.as_ref().map(|metrics| metrics.len())
                    == next.metrics.as_ref().map(|metrics| metrics.len())
        });
        if !same_objects && !self.stopping {
            self.follow_objects(&next, now);
        }
        let mut waiting = self.outbox.count_waiting();
        let (cut, audits, outbox) = (&mut self.cut, &self.audits, RefCell::new(&mut self.outbox));
        let events = SnapshotChange::new(self.shown.as_deref(), &next);
        let mut put = |target: Target, value| {
            if audits.has_seen(&target.object()) {
                waiting += 1;
                let value = fitted(cut, &target, &value).wanted(waiting > MOST_TEXTS);
                outbox.borrow_mut().want(&target, value, events.of(&target), now);
            }
        };
        let mut remove = |target: Target| {
            if audits.has_seen(&target.object()) {
                outbox.borrow_mut().want(&target, Wanted::Gone, events.of(&target), now);
            }
        };
        for layout in &self.layouts {
            layout.changes(self.shown.as_deref(), &next, &mut Changes::new(&mut put, &mut remove));
        }
        let newly_known = self.shown.as_ref().is_none_or(|shown| {
            shown.directory_known != next.directory_known
                || shown.tasks.value.is_some() != next.tasks.value.is_some()
        });
        if newly_known {
            // What was found before one could know whether it is a leftover.
            self.remove_leftovers(self.outbox.items().iter(), &next, now);
        }
        self.shown = Some(next);
    }

    /// Looks after the objects that the layouts keep for this snapshot, and no others.
    fn follow_objects(&mut self, snapshot: &Snapshot, now: Instant) {
        let objects = self.layouts.iter().flat_map(|layout| layout.objects(snapshot));
        let objects = objects.chain(self.seeds.iter().map(|(target, _)| target.object()));
        let objects = objects.collect();
        self.seen_documents.follow(&objects);
        self.audits.follow(objects, now);
    }

    fn begin_audits(&mut self, now: Instant) {
        for object in self.audits.take_due(now) {
            let sync = self.sync.clone();
            self.jobs.spawn(Job::Audit(object.clone()), async move {
                let found = look(&sync, &object, now).await;
                Ended::Audit { object, found }
            });
        }
    }

    fn send(&mut self, now: Instant) {
        while let Some(write) = self.outbox.take(now) {
            let sync = self.sync.clone();
            match self.whole(write) {
                Write::CreateMap(map) => {
                    self.jobs.spawn(Job::CreateMap(map.clone()), async move {
                        let error = writer::create_map(&sync, &map).await.err();
                        Ended::CreateMap { map, error }
                    });
                }
                Write::Target { target, wanted, there, since, event } => {
                    let newest = event.map(|event| event.newest.trace_id());
                    let span = trace::writing(newest, target.kind());
                    self.jobs.spawn(Job::Write(target.clone()), async move {
                        let writing = writer::write(&sync, &target, &wanted, there);
                        let (outcome, error) = writing.instrument(span.clone()).await;
                        Ended::Write { target, outcome, error, since, event, span }
                    });
                }
            }
        }
    }

    fn look_at_access(&mut self, after: Duration) {
        let sync = self.sync.clone();
        self.jobs.spawn(Job::Controlled, async move {
            tokio::time::sleep(after).await;
            Ended::Controlled(is_controlled(&sync).await)
        });
    }

    fn permit_readers(&mut self) {
        while let Some((object, identity)) = self.readers.as_mut().and_then(Readers::take) {
            let sync = self.sync.clone();
            self.jobs.spawn(Job::Permit(object.clone()), async move {
                let error = permit(&sync, &object, identity).await.err();
                Ended::Permitted { object, error }
            });
        }
    }

    /// The write with its text. The snapshot that was laid out last shows what the outbox wants, or the same, read again.
    fn whole(&mut self, write: Write) -> Write {
        let Write::Target { target, wanted: Wanted::Value { body: Body::Later(_), .. }, there, since, event } =
            &write
        else {
            return write;
        };
        let laid_out = self.shown.as_ref().and_then(|snapshot| value_of(&self.layouts, target, snapshot));
        let Some(value) = laid_out else { return write };
        let fitted = fitted(&mut self.cut, target, &value);
        self.outbox.laid_out(target, fitted.fingerprint);
        Write::Target {
            target: target.clone(),
            wanted: fitted.wanted(false),
            there: *there,
            since: *since,
            event: *event,
        }
    }

    fn end(&mut self, ended: Ended) {
        let now = Instant::now();
        match ended {
            Ended::Write { target, outcome, error, since, event, span } => {
                // Log lines below belong to this write's span.
                let within = span.enter();
                self.tell_write(&target, error.as_ref());
                self.monitor.wrote(target.kind(), outcome.name());
                trace::tell(&span, outcome.name(), error.is_some());
                let landed = matches!(outcome, WriteOutcome::Landed { .. });
                self.seen_documents.ended(&target, &outcome);
                if let WriteOutcome::Landed { requests, .. } = &outcome {
                    let waited_ms = now.duration_since(since).as_millis();
                    match event {
                        Some(event) => {
                            let age = now.duration_since(event.oldest_at);
                            self.monitor.shown_after(age);
                            trace::shown_after(&span, age);
                            let (event, age_ms) = (event.newest, age.as_millis());
                            debug!(%event, sync.object = %target, requests, waited_ms, age_ms, "Written");
                        }
                        None => debug!(sync.object = %target, requests, waited_ms, "Written"),
                    }
                    if let (Some(readers), Target::Document(name)) = (&mut self.readers, &target) {
                        readers.there(Object::Document(name.clone()));
                    }
                }
                if matches!(outcome, WriteOutcome::NoMap) {
                    self.map_is_missing(&target.object(), now);
                }
                drop(within);
                self.outbox.ended(&target, outcome, now);
                if let Some(event) = event.filter(|_| !landed) {
                    // What waits again, or something newer in its place, is to show them.
                    self.outbox.explain(&target, event);
                }
            }
            Ended::CreateMap { map, error } => {
                let wait = error.as_ref().and_then(|error| match error.next() {
                    crate::twilio::Next::Retry(wait) => wait,
                    _ => None,
                });
                match &error {
                    None => info!(sync.object = %Object::Map(map.clone()), "Created in Sync"),
                    Some(error) => {
                        warn!(sync.object = %Object::Map(map.clone()), %error, "Can't be created in Sync; trying again");
                    }
                }
                if let (Some(readers), None) = (&mut self.readers, &error) {
                    readers.there(Object::Map(map.clone()));
                }
                self.monitor.wrote("map", if error.is_none() { "landed" } else { "failed" });
                self.outbox.map_created(&map, error.is_none(), wait, now);
            }
            Ended::Audit { object, found } => self.audited(&object, found, now),
            Ended::Controlled(controlled) => {
                if let Some(readers) = &mut self.readers {
                    readers.known(controlled);
                }
            }
            Ended::Permitted { object, error } => {
                if let Some(readers) = &mut self.readers {
                    readers.ended(object, error.as_ref());
                }
            }
        }
    }

    fn audited(&mut self, object: &Object, found: Result<Found, TwilioError>, now: Instant) {
        let is_first = !self.audits.has_seen(object);
        if !self.audits.ended(object, End::of(found.as_ref()), now) {
            return;
        }
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                if !std::mem::replace(&mut self.blind, true) {
                    warn!(sync.object = %object, %error, "The audit of Sync fails; retrying");
                }
                return;
            }
        };
        if std::mem::take(&mut self.blind) {
            info!(sync.object = %object, "The audit of Sync succeeds again");
        }
        if let Object::Document(name) = object {
            let target = Target::Document(name.clone());
            if !self.outbox.knows_better(&target, &found) {
                self.seen_documents.looked(name, found.targets.contains_key(&target));
            }
        }
        let snapshot = self.shown.clone().unwrap_or_else(|| self.snapshots.borrow().clone());
        let wanted_now = self.wanted_of(object, &snapshot);
        if let Some(readers) = &mut self.readers {
            let there = match object {
                Object::Document(_) => !found.targets.is_empty(),
                Object::Map(_) => found.map_is_there,
            };
            if there { readers.there(object.clone()) } else { readers.gone(object) }
        }
        // What events changed before the first audit could not be wanted then.
        let change = SnapshotChange::new(None, &snapshot);
        let events = |target: &Target| is_first.then(|| change.of(target)).flatten();
        self.outbox.audit(object, &found, &wanted_now, events, now);
        let unwanted = found.targets.keys().filter(|target| !wanted_now.contains_key(target));
        self.remove_leftovers(unwanted, &snapshot, now);
    }

    fn remove_leftovers<'t>(
        &mut self,
        items: impl Iterator<Item = &'t Target>,
        snapshot: &Snapshot,
        now: Instant,
    ) {
        for target in items {
            let (map, key) = match target {
                Target::MapItem(map, key) => (map, key),
                Target::Document(name) => {
                    if self.layouts.iter().any(|layout| layout.is_leftover(name, snapshot)) {
                        self.outbox.want(target, Wanted::Gone, None, now);
                    }
                    continue;
                }
            };
            for leftover in self.layouts.iter().flat_map(|layout| layout.leftovers(map, key, snapshot)) {
                self.outbox.want(&leftover, Wanted::Gone, None, now);
            }
        }
    }

    fn wanted_of(&mut self, object: &Object, snapshot: &Snapshot) -> HashMap<Target, Wanted> {
        let mut wanted: HashMap<Target, Wanted> = HashMap::new();
        let cut = &mut self.cut;
        match object {
            Object::Document(name) => {
                let target = Target::Document(name.clone());
                if let Some(value) = value_of(&self.layouts, &target, snapshot) {
                    let value = fitted(cut, &target, &value).wanted(false);
                    wanted.insert(target, value);
                }
            }
            Object::Map(_) => {
                let mut put = |target: Target, value| {
                    if target.object() == *object {
                        let value = fitted(cut, &target, &value).wanted(true);
                        wanted.insert(target, value);
                    }
                };
                for layout in self.layouts.iter().filter(|layout| layout.objects(snapshot).contains(object)) {
                    layout.changes(None, snapshot, &mut Changes::new(&mut put, &mut |_| {}));
                }
            }
        }
        for (target, body) in self.seeds.iter().filter(|(target, _)| target.object() == *object) {
            wanted.insert(target.clone(), Wanted::Seed { body: body.clone() });
        }
        wanted
    }

    /// With the Map all its items went, also those that would not be written for a long time.
    fn map_is_missing(&mut self, map: &Object, now: Instant) {
        if self.audits.hurry(map, now) {
            warn!(sync.object = %map, "A Sync object was deleted; recreating and filling it");
        }
    }

    /// Logs when failures begin and when they end, not every try.
    fn tell_write(&mut self, target: &Target, error: Option<&TwilioError>) {
        let told = self.failing.len() < MOST_FAILURES_TOLD;
        match error {
            Some(error) if self.failing.insert(target.clone()) && told => {
                warn!(sync.object = %target, %error, "A write to Sync failed; the newest value will be written later");
            }
            Some(_) => {}
            None => {
                if self.failing.remove(target) && (told || self.failing.is_empty()) {
                    info!(sync.object = %target, failing = self.failing.len(), "Written to Sync again");
                }
            }
        }
    }

    /// A request panicked: a bug. It counts as one that failed, so what it was about is tried again, later and later.
    fn lost(&mut self, job: Job, panicked: &JoinError) {
        tracing::error!(?job, %panicked, "A request to Sync ended abnormally; it is tried again later");
        let now = Instant::now();
        match job {
            Job::Write(target) => {
                self.failing.insert(target.clone());
                self.outbox.ended(&target, WriteOutcome::Failed(None), now);
            }
            Job::CreateMap(map) => self.outbox.map_created(&map, false, None, now),
            Job::Audit(object) => drop(self.audits.ended(&object, End::Failed, now)),
            Job::Controlled => self.look_at_access(PAUSE),
            Job::Permit(object) => {
                if let Some(readers) = &mut self.readers {
                    readers.lost(&object);
                }
            }
        }
    }

    fn report(&mut self, now: Instant) {
        let shown = self.shown.as_ref().map_or(0, |snapshot| snapshot.number);
        let all_seen = self.audits.all_done();
        self.flushes.answer(&self.outbox, all_seen.then_some(shown), self.audits.is_hurried(), now);
        // What follows looks through thousands of objects in a large centre.
        if now < self.reported_at + REPORT_INTERVAL {
            self.report_at = Some(self.reported_at + REPORT_INTERVAL);
            return;
        }
        (self.reported_at, self.report_at) = (now, None);
        let backlog = self.outbox.backlog(now);
        let oldest = Urgency::CHANGES.map(|urgency| (urgency.name(), backlog.oldest[urgency.index()]));
        self.monitor.backlog(backlog.in_flight, backlog.waiting, oldest);
        let at_limit = self.outbox.at_limit(now);
        self.limits.tell(at_limit.as_ref(), now);
        self.monitor.headroom(Limit::SyncObject, backlog.headroom);
        self.monitor.headroom(Limit::SyncInFlight, backlog.places);
        let status = PublishStatus {
            laid_out: shown,
            audited: all_seen,
            unwritten: backlog.unwritten,
            failing: self.failing.len(),
            at_limit: at_limit.map(|limit| BeyondLimit {
                object: limit.object.to_string(),
                waiting: limit.waiting,
                writes_a_second: (limit.writes_a_second * 10.0).round() / 10.0,
            }),
        };
        self.status.send_if_modified(|last| std::mem::replace(last, status.clone()) != status);
    }

    fn say_goodbye(&self) {
        let unwritten = self.outbox.count_unwritten();
        if unwritten == 0 {
            info!("All pending writes are done");
        } else {
            warn!(unwritten, "Grace period over; the next start writes the rest");
        }
    }
}

fn value_of(layouts: &[Box<dyn Layout>], target: &Target, snapshot: &Snapshot) -> Option<Value> {
    layouts.iter().find_map(|layout| layout.value(target, snapshot))
}
