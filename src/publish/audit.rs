//! Audits: compare what Sync holds with what was written, object by object, at the start and periodically.
//!
//! An object is written only after its first audit, because it may already hold the value. Each
//! object comes up once an interval; when there are many of them, one after another, so that audits stay few.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::wanted::Found;
use crate::layout::{Fingerprint, Object, Target};
use crate::twilio::sync::{MapItem, Revision, SyncService};
use crate::twilio::{Next, TwilioError};

/// An audit that could not be done is tried again after this time.
const AGAIN: Duration = Duration::from_secs(2);
/// Bad credentials need an operator, so a refused audit is retried rarely.
const REFUSED_AGAIN: Duration = Duration::from_secs(15);
/// Between two looks at objects, when the interval is too short for all.
const SPACING: Duration = Duration::from_millis(200);

/// The schedule of audits.
#[derive(Debug)]
pub(super) struct Audits {
    interval: Duration,
    objects: BTreeMap<Object, Audit>,
    /// As long as no object changes: there can be thousands, and this is asked with every write.
    summary: Cell<Option<Summary>>,
}

/// What is true of all objects together.
#[derive(Debug, Clone, Copy)]
struct Summary {
    next_due: Option<Instant>,
    hurried: bool,
    all_done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Well,
    Failed,
    /// Refused, as with bad credentials; a retry alone will not help.
    Refused,
}

#[derive(Debug, Clone, Copy)]
struct Audit {
    due: Instant,
    running: bool,
    done: bool,
    /// A caller wants an audit now and has not been answered.
    hurried: bool,
    /// The audit in progress began after that, so it answers the caller.
    answers: bool,
}

impl Audits {
    /// No objects yet; each comes up once an `interval`.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, objects: BTreeMap::new(), summary: Cell::default() }
    }

    /// Looks after these objects and no others; new ones are due at once.
    pub(super) fn follow(&mut self, objects: BTreeSet<Object>, now: Instant) {
        self.summary.take();
        self.objects.retain(|object, _| objects.contains(object));
        for object in objects {
            self.objects.entry(object).or_insert(Audit {
                due: now,
                running: false,
                done: false,
                hurried: false,
                answers: false,
            });
        }
    }

    /// Follows no object any more.
    pub(super) fn stop(&mut self) {
        self.summary.take();
        self.objects.clear();
    }

    /// Takes the objects that are due; from then on their audits count as running.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Object> {
        if self.next_due().is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.summary.take();
        let due = self.objects.iter_mut().filter(|(_, audit)| !audit.running && audit.due <= now);
        due.map(|(object, audit)| {
            audit.running = true;
            audit.answers = audit.hurried;
            object.clone()
        })
        .collect()
    }

    /// Makes an object due at once. Returns whether it had been looked at before and was not in a hurry yet.
    pub(super) fn hurry(&mut self, object: &Object, now: Instant) -> bool {
        self.summary.take();
        let Some(audit) = self.objects.get_mut(object) else { return false };
        let news = audit.done && !audit.hurried && !audit.running;
        audit.hurry(now);
        news
    }

    /// Makes all objects due at once.
    pub(super) fn hurry_all(&mut self, now: Instant) {
        self.summary.take();
        for audit in self.objects.values_mut() {
            audit.hurry(now);
        }
    }

    /// Whether an object that is in a hurry has not been looked at yet.
    pub(super) fn is_hurried(&self) -> bool {
        self.summary().hurried
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.summary().next_due
    }

    /// Notes the end of an audit. Returns whether the object is still followed.
    pub(super) fn ended(&mut self, object: &Object, end: End, now: Instant) -> bool {
        let pause = match end {
            End::Well => spread(self.interval, self.objects.len()),
            End::Failed => AGAIN,
            End::Refused => REFUSED_AGAIN,
        };
        let well = end == End::Well;
        self.summary.take();
        let Some(audit) = self.objects.get_mut(object) else { return false };
        audit.running = false;
        audit.done |= well;
        audit.hurried &= !(well && audit.answers);
        audit.due = if audit.hurried && well { now } else { now + pause };
        true
    }

    /// Whether an object may be written to: it has been looked at, or is not looked after.
    pub(super) fn has_seen(&self, object: &Object) -> bool {
        self.objects.get(object).is_none_or(|audit| audit.done)
    }

    pub(super) fn all_done(&self) -> bool {
        self.summary().all_done
    }

    fn summary(&self) -> Summary {
        if let Some(summary) = self.summary.get() {
            return summary;
        }
        let audits = || self.objects.values();
        let summary = Summary {
            next_due: audits().filter(|audit| !audit.running).map(|audit| audit.due).min(),
            hurried: audits().any(|audit| audit.hurried),
            all_done: audits().all(|audit| audit.done),
        };
        self.summary.set(Some(summary));
        summary
    }
}

impl End {
    pub(super) fn of(found: Result<&Found, &TwilioError>) -> Self {
        match found.map_err(TwilioError::next) {
            Ok(_) => Self::Well,
            Err(Next::GiveUp) => Self::Refused,
            Err(_) => Self::Failed,
        }
    }
}

impl Audit {
    fn hurry(&mut self, now: Instant) {
        self.hurried = true;
        self.answers = false;
        self.due = now;
    }
}

pub(super) async fn look(sync: &SyncService, object: &Object, now: Instant) -> Result<Found, TwilioError> {
    let found = |targets: HashMap<Target, (Revision, Fingerprint)>, map_is_there| Found {
        targets,
        map_is_there,
        looked_at: now,
    };
    match object {
        Object::Document(name) => {
            let document = sync.document::<Fingerprint>(name).await?;
            let entry =
                document.map(|document| (Target::Document(name.clone()), (document.revision, document.data)));
            Ok(found(entry.into_iter().collect(), true))
        }
        Object::Map(map) => {
            let Some(items) = sync.map_items::<Fingerprint>(map).await? else {
                return Ok(found(HashMap::new(), false));
            };
            let entry = |item: MapItem<Fingerprint>| {
                (Target::MapItem(map.clone(), item.key.into()), (item.revision, item.data))
            };
            Ok(found(items.into_iter().map(entry).collect(), true))
        }
    }
}

/// Objects are looked at in turn, five a second at most, however many there are.
fn spread(interval: Duration, objects: usize) -> Duration {
    let pause = SPACING.saturating_mul(u32::try_from(objects).unwrap_or(u32::MAX));
    // Jittered, so that objects which were first looked at together drift apart.
    interval.max(pause).mul_f64(0.9 + 0.2 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(n: usize) -> Object {
        Object::Document(format!("d{n}").into())
    }

    #[test]
    fn each_object_comes_up_once_an_interval_and_many_take_turns() {
        let start = Instant::now();
        let mut audits = Audits::new(Duration::from_secs(60));
        audits.follow((0..1000).map(document).collect(), start);
        assert!(!audits.has_seen(&document(1)) && audits.has_seen(&document(1000)));
        let due = audits.take_due(start);
        assert_eq!((due.len(), audits.take_due(start).len()), (1000, 0));
        assert!(due.iter().all(|object| audits.ended(object, End::Well, start)));
        assert!(audits.all_done());
        let minute = start + Duration::from_secs(70);
        assert_eq!(audits.take_due(minute).len(), 0, "a thousand objects take 200 s");
        assert_eq!(audits.take_due(start + Duration::from_secs(230)).len(), 1000);
    }

    #[test]
    fn a_look_that_began_too_early_or_failed_answers_no_caller() {
        let start = Instant::now();
        let mut audits = Audits::new(Duration::from_secs(60));
        audits.follow([document(1)].into(), start);
        audits.take_due(start);
        audits.hurry_all(start);
        audits.ended(&document(1), End::Well, start);
        assert!(audits.is_hurried(), "that look began before");
        assert_eq!(audits.take_due(start).len(), 1);
        audits.ended(&document(1), End::Failed, start);
        assert!(
            audits.is_hurried() && audits.take_due(start).is_empty(),
            "it failed, and is tried again later"
        );
        audits.take_due(start + AGAIN);
        audits.ended(&document(1), End::Well, start + AGAIN);
        assert!(!audits.is_hurried());
    }

    #[test]
    fn a_failed_look_is_soon_repeated_and_a_dropped_object_forgotten() {
        let start = Instant::now();
        let mut audits = Audits::new(Duration::from_secs(60));
        audits.follow([document(1), document(2)].into(), start);
        audits.take_due(start);
        assert!(audits.ended(&document(1), End::Failed, start));
        assert!(!audits.has_seen(&document(1)));
        assert_eq!(audits.next_due(), Some(start + AGAIN));
        let status = |status| TwilioError::Status {
            call: "GET x".into(),
            status,
            code: None,
            message: String::new(),
            retry_after: None,
        };
        audits.take_due(start + AGAIN);
        assert!(audits.ended(&document(1), End::of(Err(&status(401))), start));
        assert_eq!(audits.next_due(), Some(start + REFUSED_AGAIN), "another try mends no credentials");
        assert_eq!(End::of(Err(&status(503))), End::Failed);
        audits.follow([document(1)].into(), start);
        assert!(!audits.ended(&document(2), End::Well, start));
    }
}
