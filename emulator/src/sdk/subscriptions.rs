//! What a socket watches, and the notifications that follow from it. No I/O: frames are made here, sent elsewhere.
//!
//! A change goes to a subscription when its number is greater than both the last that the SDK said it had seen and
//! those that a replay has covered. Live changes are marked with the type of their object, replayed ones as strictly
//! ordered events of Sync, which lets the SDK move its own mark.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::objects::{forbidden, may};
use crate::clock::iso_ms;
use crate::error::ApiError;
use crate::json::{JsonObject, object};
use crate::sid::{Kind, Sid};
use crate::sync::render::segment;
use crate::sync::store::Object;
use crate::sync::{ChangeKind, SyncChange, SyncHandle};

/// Subscriptions of one socket. Twilio's number is not published.
const MAX_SUBSCRIPTIONS: usize = 10_000;
pub(super) const MAX_BATCH: usize = 100;
/// After this many milliseconds without an answer the SDK asks again.
const DELIVERY_MS: u64 = 2_000;
/// The type of replayed and administrative notifications.
const SYNC: &str = "twilio.sync.event";

#[derive(Debug, Deserialize)]
pub(super) struct Batch {
    action: Action,
    correlation_id: Value,
    requests: Vec<Wish>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Establish,
    Cancel,
}

/// One object that the SDK wants to watch, or not any more.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    object_sid: String,
    #[serde(default)]
    object_type: Value,
    /// The last change that the SDK has seen; nothing is replayed without it.
    #[serde(default)]
    last_event_id: Option<u64>,
}

/// A notification, before it becomes a frame: its type and its payload.
pub(super) type Notice = (&'static str, JsonObject);

/// The watched objects, each with the number of the last change that it does not want.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    seen: HashMap<Sid, u64>,
    /// The host that the SDK asks, for the addresses of items.
    host: String,
}

impl Batch {
    pub(super) fn read(payload: &[u8]) -> Result<Self, ApiError> {
        let batch: Self = serde_json::from_slice(payload)
            .map_err(|error| ApiError::invalid(format!("The body is not understood: {error}")))?;
        if batch.requests.len() > MAX_BATCH {
            return Err(ApiError::invalid(format!("At most {MAX_BATCH} requests at once")));
        }
        Ok(batch)
    }

    pub(super) fn wishes(&self) -> &[Wish] {
        &self.requests
    }

    fn notice(&self, event_type: &str, event: &impl Serialize) -> Notice {
        let correlation_id = &self.correlation_id;
        (SYNC, object!({ "event_type": event_type, "correlation_id": correlation_id, "event": event }))
    }

    fn outcome(&self, wish: &Wish, event_type: &str, more: Value) -> Notice {
        let mut event = json!({ "object_sid": wish.object_sid, "object_type": wish.object_type });
        if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
            event.extend(more);
        }
        self.notice(event_type, &event)
    }
}

/// The answer to a batch; what becomes of each request follows as notifications.
pub(super) fn accepted() -> JsonObject {
    object!({ "max_batch_size": MAX_BATCH, "estimated_delivery_in_ms": DELIVERY_MS })
}

impl Subscriptions {
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    pub(super) fn set_host(&mut self, host: &str) {
        host.clone_into(&mut self.host);
    }

    /// Carries out one wish as of change number `cursor`: the changes to replay first, and then what came of it.
    pub(super) fn apply(
        &mut self,
        batch: &Batch,
        wish: &Wish,
        sync: &SyncHandle,
        identity: &str,
        cursor: u64,
    ) -> (Vec<Arc<SyncChange>>, Notice) {
        match batch.action {
            Action::Cancel => {
                if let Some(sid) = watchable(&wish.object_sid) {
                    self.seen.remove(&sid);
                }
                (Vec::new(), batch.outcome(wish, "subscription_canceled", json!({})))
            }
            Action::Establish => match self.establish(wish, sync, identity, cursor) {
                Ok(missed) => {
                    let established = json!({ "replay_status": "completed", "last_event_id": cursor });
                    (missed, batch.outcome(wish, "subscription_established", established))
                }
                Err(error) => {
                    let failed = json!({ "error": error.body() });
                    (Vec::new(), batch.outcome(wish, "subscription_failed", failed))
                }
            },
        }
    }

    pub(super) fn replay(&self, batch: &Batch, change: &SyncChange) -> Option<Notice> {
        event(change, &self.host).map(|(event_type, event)| batch.notice(event_type, &event))
    }

    fn establish(
        &mut self,
        wish: &Wish,
        sync: &SyncHandle,
        identity: &str,
        cursor: u64,
    ) -> Result<Vec<Arc<SyncChange>>, ApiError> {
        let missing = || ApiError::not_found(&wish.object_sid);
        let sid = watchable(&wish.object_sid).ok_or_else(missing)?;
        if self.seen.len() >= MAX_SUBSCRIPTIONS && !self.seen.contains_key(&sid) {
            return Err(ApiError::too_fast(54009, "Too many subscriptions"));
        }
        let seen = wish.last_event_id.unwrap_or(cursor);
        let missed = sync.with(|inner, _| {
            let document = inner.store.documents.rows.get(sid).map(Object::head);
            let head = document.or_else(|| inner.store.maps.rows.get(sid).map(Object::head));
            let last_change = head.ok_or_else(missing)?.last_change;
            if !may(inner, sid, identity, |rights| rights.read) {
                return Err(forbidden());
            }
            if last_change <= seen {
                // Others' changes may be forgotten by now; of this object there was none.
                return Ok(Vec::new());
            }
            let forgotten =
                || ApiError::new(410, 20410, "What happened since the last event is not known any more");
            let missed = inner.since(seen).ok_or_else(forgotten)?;
            Ok(missed.filter(|change| change.sid == sid && change.id <= cursor).cloned().collect())
        })?;
        self.seen.insert(sid, seen.max(cursor));
        Ok(missed)
    }

    /// What a new change is to this socket, if it is anything. A removed object is not watched any more.
    pub(super) fn live(&mut self, change: &SyncChange) -> Option<Notice> {
        self.seen.get(&change.sid).filter(|seen| change.id > **seen)?;
        if matches!(change.kind, ChangeKind::DocumentRemoved | ChangeKind::MapRemoved) {
            self.seen.remove(&change.sid);
        }
        let (event_type, event) = event(change, &self.host)?;
        let message_type = if event_type.starts_with("map") {
            "com.twilio.rtd.cds.map"
        } else {
            "com.twilio.rtd.cds.document"
        };
        Some((message_type, object!({ "event_type": event_type, "event": event })))
    }
}

fn watchable(text: &str) -> Option<Sid> {
    Sid::parse(Kind::Document, text).or_else(|| Sid::parse(Kind::Map, text))
}

/// A change as the SDK reads it; `None` for those of which it does not want to know.
fn event(change: &SyncChange, host: &str) -> Option<(&'static str, JsonObject)> {
    let event_type = match change.kind {
        ChangeKind::DocumentUpdated => "document_updated",
        ChangeKind::DocumentRemoved => "document_removed",
        ChangeKind::MapRemoved => "map_removed",
        ChangeKind::MapItemAdded => "map_item_added",
        ChangeKind::MapItemUpdated => "map_item_updated",
        ChangeKind::MapItemRemoved => "map_item_removed",
        ChangeKind::DocumentCreated
        | ChangeKind::MapCreated
        | ChangeKind::StreamCreated
        | ChangeKind::StreamRemoved
        | ChangeKind::StreamMessage => return None,
    };
    let object = if event_type.starts_with("map") { "map" } else { "document" };
    let mut event = object!({ "id": change.id, "date_created": iso_ms(change.at) });
    event.set(format!("{object}_sid"), &change.sid);
    event.set(format!("{object}_unique_name"), &change.unique_name);
    event.set(format!("{object}_revision"), &change.object_revision.to_string());
    match &change.key {
        Some(key) => {
            event.set("item_key", key);
            event.set("item_revision", &change.revision.to_string());
            event.set("item_data", &change.data);
            event.set("date_expires", &change.expires.map(iso_ms));
            let path = format!("/v3/Maps/{}/Items/{}", change.sid, segment(key));
            event.set("item_url", &format!("https://{host}{path}"));
        }
        None if change.kind == ChangeKind::DocumentUpdated => event.set("document_data", &change.data),
        None => {}
    }
    Some((event_type, event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::settings::Settings;

    struct Bench {
        sync: SyncHandle,
        subscriptions: Subscriptions,
    }

    impl Bench {
        fn new() -> Self {
            let bench = Self::as_started();
            // Small numbers are easier to read.
            bench.sync.with(|inner, _| inner.store.last_change = 0);
            bench
        }

        fn as_started() -> Self {
            let sync = SyncHandle::new(&Settings::default(), &Clock::default());
            Self { sync, subscriptions: Subscriptions::default() }
        }

        fn sid(&self, map: &str) -> String {
            self.sync
                .with(|inner, _| inner.store.maps.find(map).map(|sid| sid.to_string()))
                .unwrap_or_default()
        }

        /// The numbers replayed, and the final notification.
        fn establish(&mut self, sid: &str, seen: Option<u64>, cursor: u64) -> (Vec<u64>, Value) {
            let body = json!({
                "action": "establish",
                "correlation_id": 7,
                "requests": [{"object_sid": sid, "object_type": "map", "last_event_id": seen}],
            });
            let batch = Batch::read(body.to_string().as_bytes()).unwrap();
            let wish = &batch.wishes()[0];
            let (missed, (_, outcome)) = self.subscriptions.apply(&batch, wish, &self.sync, "a", cursor);
            let outcome = serde_json::to_value(outcome).unwrap();
            assert_eq!(outcome["correlation_id"], 7);
            (missed.iter().map(|change| change.id).collect(), outcome)
        }

        fn live(&mut self, since: u64) -> Vec<u64> {
            let changes = self.sync.changes_since(since).unwrap();
            let mut told = Vec::new();
            for change in changes {
                told.extend(self.subscriptions.live(&change));
            }
            let id = |(_, payload): (_, JsonObject)| {
                serde_json::to_value(payload).unwrap()["event"]["id"].as_u64()
            };
            told.into_iter().filter_map(id).collect()
        }
    }

    #[test]
    fn what_was_missed_is_replayed_and_the_rest_comes_live_each_once() {
        let mut bench = Bench::new();
        bench.sync.put_item("m", "a", json!({"n": 1})); // 1: the Map, 2: the item
        bench.sync.put_item("other", "a", json!({})); // 3 and 4
        bench.sync.put_item("m", "a", json!({"n": 2})); // 5
        bench.sync.put_item("m", "b", json!({"n": 3})); // 6
        let sid = bench.sid("m");
        let (replayed, outcome) = bench.establish(&sid, Some(2), 5);
        assert_eq!(replayed, [5]);
        assert_eq!(outcome["event_type"], "subscription_established");
        assert_eq!(outcome["event"]["last_event_id"], 5);
        assert_eq!(bench.live(5), [6], "beyond the replay");
        // An SDK that has read more than this socket has looked at.
        let (replayed, _) = bench.establish(&sid, Some(6), 4);
        assert_eq!((replayed, bench.live(4)), (vec![], vec![]));
        // One that asks for no past.
        let (replayed, _) = bench.establish(&sid, None, 5);
        assert_eq!((replayed, bench.live(4)), (vec![], vec![6]));
        bench.sync.delete_map("m");
        assert_eq!(bench.live(6), [7]);
        assert_eq!(bench.subscriptions.len(), 0, "what is gone is not watched");
        let (_, outcome) = bench.establish(&sid, Some(7), 7);
        assert_eq!(
            (&outcome["event_type"], &outcome["event"]["error"]["status"]),
            (&json!("subscription_failed"), &json!(404))
        );
    }

    #[test]
    fn a_past_that_is_forgotten_is_refused_and_not_skipped() {
        let mut bench = Bench::new();
        bench.sync.put_item("m", "a", json!({})); // 1: the Map, 2: the item
        let sid = bench.sid("m");
        for n in 0..2_001 {
            bench.sync.put_document("busy", json!({ "n": n }));
        }
        let now = bench.sync.last_change();
        let (_, outcome) = bench.establish(&sid, Some(1), now);
        assert_eq!(outcome["event"]["error"]["status"], 410);
        bench.sync.put_item("m", "a", json!({"n": 1}));
        let now = bench.sync.last_change();
        let (replayed, _) = bench.establish(&sid, Some(now - 1), now);
        assert_eq!(replayed, [now]);
    }

    #[test]
    fn a_past_of_another_life_is_refused() {
        let mut bench = Bench::as_started();
        bench.sync.put_item("m", "a", json!({}));
        let (sid, now) = (bench.sid("m"), bench.sync.last_change());
        let (_, outcome) = bench.establish(&sid, Some(2_000), now);
        assert_eq!(outcome["event"]["error"]["status"], 410);
    }

    #[test]
    fn an_object_untouched_for_long_has_nothing_to_miss() {
        let mut bench = Bench::new();
        bench.sync.put_item("m", "a", json!({})); // 1 and 2
        let sid = bench.sid("m");
        for n in 0..5_000 {
            bench.sync.put_document("busy", json!({ "n": n }));
        }
        let now = bench.sync.last_change();
        let (replayed, outcome) = bench.establish(&sid, Some(2), now);
        assert_eq!(outcome["event_type"], "subscription_established");
        assert!(replayed.is_empty());
        bench.sync.put_item("m", "b", json!({}));
        assert_eq!(bench.live(now), [now + 1], "and later changes arrive");
    }

    #[test]
    fn access_control_is_kept() {
        let mut bench = Bench::new();
        bench.sync.put_map("m");
        let sid = bench.sid("m");
        bench.sync.set_acl(true);
        assert_eq!(bench.establish(&sid, None, 1).1["event"]["error"]["code"], 54007);
        bench.sync.with(|inner, _| {
            let map = inner.store.maps.find("m").unwrap();
            let rights = crate::sync::Rights { read: true, write: false, manage: false };
            inner.store.permissions(map).unwrap().insert("a".to_owned(), rights);
        });
        assert_eq!(bench.establish(&sid, None, 1).1["event_type"], "subscription_established");
    }
}
