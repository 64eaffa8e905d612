//! The task that keeps the picture: lays out what each snapshot changed, and reports what is failing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::part::LazyJson;
use super::state::CHANNELS;
use super::{Feed, FeedState, METRICS_DOCUMENTS, QUEUE_ORDER};
use crate::layout::{is_whole, metrics_documents, queue_item};
use crate::publish::PublishStatus;
use crate::stats::{Needs, QueueState, Snapshot, Tiles};
use crate::twilio::Unanswered;

/// Pictures are made at most this often, the first after a pause at once; a burst of answers makes one more.
const SPACING: Duration = Duration::from_millis(20);
/// Added to the spacing for each watcher: the next picture is made when the last has reached most of them, since an
/// earlier one would only make all of them late.
const SPACING_A_WATCHER: Duration = Duration::from_micros(30);
const LONGEST_SPACING: Duration = Duration::from_millis(300);

/// TaskRouter is in trouble once it has left requests unanswered for two intervals and this time.
const DOUBT: Duration = Duration::from_secs(2);
const NO_ANSWER: &str = "no request was answered for two intervals";

/// The task, to be run once.
#[derive(Debug)]
pub struct FeedWorker {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    tiles: watch::Receiver<Tiles>,
    status: watch::Receiver<PublishStatus>,
    voice: watch::Receiver<Value>,
    shown: Option<Arc<Snapshot>>,
    pictures: Pictures,
    /// The name of the metrics' first Document.
    document: String,
    /// TaskRouter's requests, and from when on it counts as trouble that none is answered: numbers may be old for other
    /// reasons, which they name themselves.
    unanswered: Unanswered,
    doubt_after: Duration,
    /// Keeps what was drawn before as it is until all this has been read: for a new leader.
    needs: Option<Needs>,
}

/// The pictures for all watchers of this process, from its own worker or from the leader. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pictures(Arc<watch::Sender<Arc<FeedState>>>);

impl Pictures {
    /// An empty picture, and the handle of those who watch it.
    pub fn new() -> (Feed, Self) {
        // A client that comes back after a restart has another process's numbers.
        let (pictures, receiver) = watch::channel(Arc::new(FeedState::new(new_epoch())));
        (Feed::new(receiver), Self(Arc::new(pictures)))
    }

    pub fn newest(&self) -> Arc<FeedState> {
        self.0.borrow().clone()
    }

    pub fn show(&self, picture: FeedState) {
        self.0.send_replace(Arc::new(picture));
    }

    pub fn watch(&self) -> watch::Receiver<Arc<FeedState>> {
        self.0.subscribe()
    }

    fn watchers(&self) -> usize {
        self.0.receiver_count()
    }
}

/// A number that no earlier picture of any replica has: microseconds since 1970.
pub fn new_epoch() -> u64 {
    Timestamp::now().as_microsecond().unsigned_abs()
}

impl FeedWorker {
    pub fn new(
        pictures: Pictures,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        tiles: watch::Receiver<Tiles>,
        status: watch::Receiver<PublishStatus>,
        voice: watch::Receiver<Value>,
        document: &str,
        interval: Duration,
    ) -> Self {
        let (doubt_after, document) = (interval * 2 + DOUBT, document.to_owned());
        Self {
            snapshots,
            tiles,
            status,
            voice,
            shown: None,
            pictures,
            document,
            unanswered: Unanswered::default(),
            doubt_after,
            needs: None,
        }
    }

    /// Reports TaskRouter as failing by its unanswered requests.
    #[must_use]
    pub fn judging_by(self, unanswered: Unanswered) -> Self {
        Self { unanswered, ..self }
    }

    /// Goes on from another replica's state: with numbers of its own, and not before all this was read.
    #[must_use]
    pub fn taking_over(mut self, needs: Needs) -> Self {
        let last = self.pictures.newest();
        self.needs = last.knows_queues().then_some(needs);
        self.pictures.show(last.branched(new_epoch()));
        self
    }

    /// Keeps the picture until told to stop; watchers see the end when the sender is gone.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            self.draw();
            let drawn_at = Instant::now();
            let doubt = self.until_doubt();
            let changed = async {
                tokio::select! {
                    changed = self.snapshots.changed() => changed.is_ok(),
                    Ok(()) = self.tiles.changed() => true,
                    changed = self.status.changed() => changed.is_ok(),
                    changed = self.voice.changed() => changed.is_ok(),
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                // A read that hangs says nothing by itself.
                () = tokio::time::sleep(doubt) => {}
                alive = changed => if !alive {
                    // Nothing more will come; wait for the stop signal, so that this is no early end.
                    return stop.cancelled().await;
                },
            }
            tokio::time::sleep_until(drawn_at + self.spacing()).await;
        }
    }

    /// How long until TaskRouter may be in trouble, or has to be looked at again.
    fn until_doubt(&self) -> Duration {
        let lasts = self.unanswered.lasts().unwrap_or_default();
        self.doubt_after.checked_sub(lasts).filter(|left| !left.is_zero()).unwrap_or(DOUBT)
    }

    fn is_doubtful(&self) -> bool {
        self.unanswered.lasts().is_some_and(|lasts| lasts >= self.doubt_after)
    }

    fn spacing(&self) -> Duration {
        let watchers = u32::try_from(self.pictures.watchers()).unwrap_or(u32::MAX);
        SPACING_A_WATCHER.saturating_mul(watchers).clamp(SPACING, LONGEST_SPACING)
    }

    fn draw(&mut self) {
        let next = self.snapshots.borrow_and_update().clone().with_tiles(&self.tiles.borrow_and_update());
        let status = self.status.borrow_and_update().clone();
        let voice = self.voice.borrow_and_update().clone();
        if self.needs.is_some_and(|needs| !next.is_complete(needs)) {
            return;
        }
        let before_us = self.pictures.newest();
        let last = self.shown.as_deref();
        let before = |sid| last.and_then(|last| last.queues.get(sid));
        let moved = next.queues.iter().filter(|(sid, state)| {
            before(sid).is_none_or(|last| !Arc::ptr_eq(last, state) && !last.shows_the_same(state))
        });
        let whole = moved.filter(|(_, state)| is_whole(state));
        let recipe = |state: &Arc<QueueState>| {
            let (state, channels) = (state.clone(), next.channels.clone());
            LazyJson::new(move || queue_item(&state, &channels).unwrap_or_default())
        };
        let queues = whole.map(|(sid, state)| (*sid, recipe(state))).collect();
        let gone = last.into_iter().flat_map(|last| last.queues.keys().copied());
        // Those that another replica made, once.
        let left = if self.needs.take().is_some() { before_us.queues() } else { Vec::new() };
        let gone = gone.chain(left).filter(|sid| !next.queues.contains_key(sid)).collect();
        // Before the list of TaskQueues was read, no queues does not mean that there are none.
        let known = Value::Bool(next.directory_known);
        let mut parts = vec![
            ("asOf", json!(confirmed_at(&next))),
            ("health", health(&next, &status, self.is_doubtful())),
            ("queuesKnown", known),
            ("voice", voice),
        ];
        let metrics_moved = last.is_none_or(|last| match (&last.metrics, &next.metrics) {
            (Some(last), Some(next)) => !Arc::ptr_eq(last, next),
            (last, next) => last.is_some() != next.is_some(),
        });
        // Tiles stay until the new leader has their values.
        if metrics_moved && (next.metrics.is_some() || before_us.part("metrics").is_none()) {
            parts.push(("metrics", metrics(&next)));
            let shown = next.metrics.as_deref().unwrap_or_default();
            parts.push((METRICS_DOCUMENTS, json!(metrics_documents(&self.document, shown))));
        }
        if last.is_none_or(|last| last.order != next.order) {
            parts.push((QUEUE_ORDER, json!(next.order)));
        }
        let channels_known = |last: &Snapshot| last.directory_known && last.channels == next.channels;
        if next.directory_known && !last.is_some_and(channels_known) {
            parts.push((CHANNELS, json!(next.channels)));
        }
        if last.is_none_or(|last| !last.workspace.shows_the_same(&next.workspace)) {
            parts.push(("workspace", workspace(&next)));
        }
        if let Some(picture) = before_us.next(queues, gone, parts) {
            self.pictures.show(picture);
        }
        self.shown = Some(next);
    }
}

/// When the Workspace's statistics were last found to be what is shown.
fn confirmed_at(snapshot: &Snapshot) -> Option<Timestamp> {
    snapshot.workspace.realtime.as_of
}

fn metrics(snapshot: &Snapshot) -> Value {
    let metrics = snapshot.metrics.as_deref().unwrap_or_default();
    let shown = metrics.iter().enumerate().map(|(position, metric)| {
        let mut shown = metric.to_json(position);
        shown.insert("name".into(), json!(metric.name));
        if let Some(error) = &metric.error {
            shown.insert("error".into(), Value::clone(error));
        }
        shown
    });
    json!(shown.collect::<Vec<_>>())
}

fn workspace(snapshot: &Snapshot) -> Value {
    let workspace = &snapshot.workspace;
    json!({ "realtime": workspace.realtime.value, "cumulative": workspace.cumulative.value })
}

/// What is failing, and why; without figures that change each time.
fn health(snapshot: &Snapshot, writes: &PublishStatus, doubtful: bool) -> Value {
    let in_queues = snapshot.queues.values().flat_map(|state| state.scopes.iter());
    let scopes = std::iter::once(&snapshot.workspace).chain(in_queues);
    let in_scopes =
        scopes.filter_map(|scope| scope.realtime.stale.as_ref().or(scope.cumulative.stale.as_ref()));
    let stale = snapshot.directory_stale.iter().chain(in_scopes).min_by_key(|stale| stale.since);
    let tiles = snapshot.metrics.as_deref().unwrap_or_default();
    let stale_tiles = tiles.iter().filter_map(|tile| tile.stale.as_ref()).min_by_key(|stale| stale.since);
    json!({
        "taskrouter": {
            "ok": stale.is_none() && !doubtful,
            "since": stale.map_or(confirmed_at(snapshot).filter(|_| doubtful), |stale| Some(stale.since)),
            "reason": stale.map_or(doubtful.then(|| NO_ANSWER.to_owned()), |stale| Some(stale.reason.to_string())),
        },
        "sync": { "ok": writes.failing == 0, "failing": writes.failing, "beyondLimit": writes.at_limit },
        "formulas": {
            "ok": stale_tiles.is_none(),
            "since": stale_tiles.map(|stale| stale.since),
            "reason": stale_tiles.map(|stale| &*stale.reason),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taskrouter(picture: &FeedState) -> Value {
        let health: Value = serde_json::from_str(picture.part("health").unwrap()).unwrap();
        health["taskrouter"].clone()
    }

    #[test]
    fn old_numbers_are_no_trouble_of_twilios_unless_it_leaves_requests_unanswered() {
        let (_feed, pictures) = Pictures::new();
        let mut snapshot = Snapshot::empty(&[], Timestamp::now());
        snapshot.workspace.realtime.as_of = Some(Timestamp::UNIX_EPOCH);
        let (_keep, snapshots) = watch::channel(Arc::new(snapshot));
        let (tiles, status) = (watch::channel(None).1, watch::channel(PublishStatus::default()).1);
        let voice = watch::channel(json!({})).1;
        let unanswered = Unanswered::default();
        let interval = Duration::from_secs(5);
        let mut worker =
            FeedWorker::new(pictures.clone(), snapshots, tiles, status, voice, "metrics", interval)
                .judging_by(unanswered.clone());
        worker.draw();
        assert_eq!(taskrouter(&pictures.newest())["ok"], true);
        let as_of = pictures.newest().part("asOf").map(str::to_owned);
        assert_eq!(
            as_of.as_deref(),
            Some("\"1970-01-01T00:00:00Z\""),
            "the age of the numbers is shown all the same"
        );

        unanswered.asked();
        worker.draw();
        assert_eq!(taskrouter(&pictures.newest())["ok"], true, "a request may take its time");
        worker.doubt_after = Duration::ZERO;
        worker.draw();
        let said = taskrouter(&pictures.newest());
        assert_eq!((said["ok"].as_bool(), said["reason"].as_str()), (Some(false), Some(NO_ANSWER)));
        unanswered.answered();
        worker.draw();
        assert_eq!(taskrouter(&pictures.newest())["ok"], true);
    }
}
