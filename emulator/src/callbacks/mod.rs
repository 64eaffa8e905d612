//! Event callbacks: what TaskRouter posts to the Workspace's `EventCallbackUrl`.
//!
//! The world publishes events into a queue of a stated capacity and goes on; a dispatcher takes them out, a few at a
//! time, and `deliver` signs and sends them. A test can lose, double, delay and shuffle them, because Twilio promises
//! neither delivery nor order. What became of each event is kept in a ring; `wait_idle` waits until nothing is queued
//! or on its way.

mod deliver;
mod options;
pub mod signature;
mod target;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

pub(crate) use deliver::dispatch;
pub use options::{Delivery, Format, Options};

use crate::world::Event;
use target::Target;

/// Events waiting to be sent; more are lost, and counted.
const QUEUE: usize = 100_000;
const DELIVERIES: usize = 50_000;

/// The handle; clones are the same.
#[derive(Clone)]
pub struct Callbacks(Arc<CallbacksShared>);

struct CallbacksShared {
    inner: Mutex<CallbacksInner>,
    wake: Notify,
    /// Events queued or on their way.
    outstanding: watch::Sender<usize>,
    delivered: watch::Sender<u64>,
}

struct CallbacksInner {
    url: String,
    target: Option<Arc<Target>>,
    /// Event types that are sent; `None` is all.
    filter: Option<String>,
    token: String,
    options: Options,
    queue: VecDeque<Job>,
    deliveries: VecDeque<Delivery>,
    lost: u64,
    dice: StdRng,
}

struct Job {
    parcel: Parcel,
    target: Arc<Target>,
    due: Instant,
    duplicate: bool,
    /// An id that all attempts of one delivery share.
    idempotency_token: String,
}

enum Parcel {
    Event(Arc<Event>, Format),
    /// A callback of another product: its subject, its kind, and its parameters.
    Form {
        sid: String,
        label: String,
        params: Vec<(String, String)>,
        answered: Option<Answered>,
    },
}

/// Receives an answer's status and body; status 0 without an answer.
pub(crate) type Answered = Arc<dyn Fn(u16, &str) + Send + Sync>;

impl Callbacks {
    pub(crate) fn new(token: &str, seed: u64) -> Self {
        Self(Arc::new(CallbacksShared {
            inner: Mutex::new(CallbacksInner {
                url: String::new(),
                target: None,
                filter: None,
                token: token.to_owned(),
                options: Options::default(),
                queue: VecDeque::new(),
                deliveries: VecDeque::new(),
                lost: 0,
                dice: StdRng::seed_from_u64(seed ^ 0xca11),
            }),
            wake: Notify::new(),
            outstanding: watch::Sender::new(0),
            delivered: watch::Sender::new(0),
        }))
    }

    /// Posts events to this URL from now on; it may carry credentials and connection overrides. An empty one stops
    /// it; an unusable one loses the events, as it would at Twilio. It is the Workspace's `event_callback_url`.
    pub fn set_url(&self, url: &str) {
        let target = (!url.is_empty()).then(|| Target::parse(url));
        let target = target.and_then(|target| {
            target.inspect_err(|error| tracing::warn!(%error, "event callback URL cannot be used")).ok()
        });
        let mut inner = self.lock();
        inner.target = target.map(Arc::new);
        url.clone_into(&mut inner.url);
    }

    /// The Workspace's `event_callback_url`; empty if there is none.
    pub fn url(&self) -> String {
        self.lock().url.clone()
    }

    /// Sends only these event types, a comma-separated list; none or an empty one sends all.
    pub fn set_events_filter(&self, filter: Option<&str>) {
        self.lock().filter = filter.filter(|filter| !filter.is_empty()).map(str::to_owned);
    }

    /// The Workspace's `events_filter`.
    pub fn events_filter(&self) -> Option<String> {
        self.lock().filter.clone()
    }

    /// Queues events, if there is anywhere to send them.
    pub(crate) fn publish(&self, events: &[Arc<Event>]) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let Some(target) = inner.target.clone().filter(|_| !events.is_empty()) else { return };
        let options = inner.options;
        let filter = inner.filter.clone();
        let passes = |event: &&Arc<Event>| {
            filter.as_deref().is_none_or(|types| types.split(',').any(|kind| kind.trim() == event.event_type))
        };
        for event in events.iter().filter(passes) {
            let doubled = options.duplicate > 0.0 && inner.dice.random_bool(options.duplicate.min(1.0));
            let idempotency_token = format!("{:032x}", inner.dice.random::<u128>());
            for duplicate in [false, true].into_iter().take(1 + usize::from(doubled)) {
                if options.drop_all || inner.queue.len() >= QUEUE {
                    inner.lost += 1;
                    continue;
                }
                inner.queue.push_back(Job {
                    parcel: Parcel::Event(event.clone(), options.format),
                    target: target.clone(),
                    due: Instant::now() + options.delay,
                    duplicate,
                    idempotency_token: idempotency_token.clone(),
                });
                self.0.outstanding.send_modify(|count| *count += 1);
            }
        }
        drop(guard);
        self.0.wake.notify_one();
    }

    /// Posts a signed form to any URL, such as a Call's status callback. Only `delay` applies to it.
    pub(crate) fn post_form(&self, url: &str, sid: String, label: String, params: Vec<(String, String)>) {
        self.post(url, Parcel::Form { sid, label, params, answered: None });
    }

    /// The same, and passes the answer to `answered`.
    pub(crate) fn fetch(
        &self,
        url: &str,
        sid: String,
        label: String,
        params: Vec<(String, String)>,
        answered: Answered,
    ) {
        self.post(url, Parcel::Form { sid, label, params, answered: Some(answered) });
    }

    fn post(&self, url: &str, parcel: Parcel) {
        let target = match Target::parse(url) {
            Ok(target) => Arc::new(target),
            Err(error) => {
                tracing::warn!(%error, "callback URL cannot be used");
                return;
            }
        };
        let mut inner = self.lock();
        if inner.queue.len() >= QUEUE {
            inner.lost += 1;
            return;
        }
        let job = Job {
            parcel,
            target,
            due: Instant::now() + inner.options.delay,
            duplicate: false,
            idempotency_token: format!("{:032x}", inner.dice.random::<u128>()),
        };
        inner.queue.push_back(job);
        drop(inner);
        self.0.outstanding.send_modify(|count| *count += 1);
        self.0.wake.notify_one();
    }

    /// Takes the events that wait to be sent, as the parameters that would be posted, oldest first. For an emulator without
    /// a network.
    pub fn take(&self) -> Vec<Vec<(&'static str, String)>> {
        let jobs = std::mem::take(&mut self.lock().queue);
        self.0.outstanding.send_modify(|count| *count -= jobs.len());
        let params = |job: Job| match job.parcel {
            Parcel::Event(event, _) => Some(event.params.clone()),
            Parcel::Form { .. } => None,
        };
        jobs.into_iter().filter_map(params).collect()
    }

    /// The newest deliveries, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.lock().deliveries.iter().cloned().collect()
    }

    /// Events that were lost: `drop_all`, or a full queue.
    pub fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// Events queued or on their way.
    pub fn outstanding(&self) -> usize {
        *self.0.outstanding.borrow()
    }

    /// Forgets the deliveries so far.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.deliveries.clear();
        inner.lost = 0;
    }

    /// Waits until nothing is queued or on its way.
    pub async fn wait_idle(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.0.outstanding.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Counts up with every finished delivery; wait on it instead of sleeping.
    pub fn delivered(&self) -> watch::Receiver<u64> {
        self.0.delivered.subscribe()
    }

    pub fn options(&self) -> Options {
        self.lock().options
    }

    pub fn set_options(&self, options: Options) {
        self.lock().options = options;
    }

    /// Loses every event from now on (or no longer).
    pub fn drop_all(&self, drop_all: bool) {
        self.lock().options.drop_all = drop_all;
    }

    pub fn duplicate(&self, probability: f64) {
        self.lock().options.duplicate = probability;
    }

    /// Sends in random order within a window of this many events.
    pub fn shuffle(&self, window: usize) {
        self.lock().options.shuffle = window;
    }

    pub fn delay(&self, delay: Duration) {
        self.lock().options.delay = delay;
    }

    pub fn format(&self, format: Format) {
        self.lock().options.format = format;
    }

    /// Signs with another Auth Token from now on, as after promoting a secondary one. REST accepts it as well.
    pub fn set_auth_token(&self, token: &str) {
        token.clone_into(&mut self.lock().token);
    }

    pub fn auth_token(&self) -> String {
        self.lock().token.clone()
    }

    /// The `X-Twilio-Signature` for a test's own request with these form parameters.
    pub fn sign<'a>(&self, url: &str, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        signature::sign(&self.auth_token(), url, params)
    }

    fn lock(&self) -> MutexGuard<'_, CallbacksInner> {
        self.0.inner.lock()
    }
}

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Callbacks")
    }
}
