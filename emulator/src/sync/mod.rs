//! Twilio Sync: the store, its limits, its HTTP side, and the handle for tests.
//!
//! One lock guards store and budgets, so that a request refused for its rate has changed nothing. Every change goes
//! to a broadcast feed and into a ring of recent changes: the server of the browser SDK subscribes first, then asks
//! `changes_since` for what it missed.

mod change;
pub(crate) mod http;
pub(crate) mod limits;
pub(crate) mod render;
pub(crate) mod store;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use tokio::sync::{broadcast, watch};

pub use change::{ChangeKind, SyncChange};
pub use store::Rights;

use crate::clock::Clock;
use crate::json::Data;
use crate::settings::Settings;
use crate::sid::{Kind, Sid};
use limits::SyncLimits;
use store::{Store, SyncMap};

/// Changes kept for subscribers that come back.
const RECENT: usize = 2_000;
/// Changes a subscriber may fall behind before it gets a lag notice.
const FEED: usize = 1_024;
/// `created_by` of what the handle puts, "as if someone else did".
const OTHER_WRITER: &str = "other-writer";

/// The handle; clones are the same.
#[derive(Clone)]
pub struct SyncHandle(Arc<SyncShared>);

struct SyncShared {
    inner: Mutex<SyncInner>,
    clock: Clock,
    version: watch::Sender<u64>,
    feed: broadcast::Sender<Arc<SyncChange>>,
}

pub(crate) struct SyncInner {
    pub(crate) service: Service,
    pub(crate) store: Store,
    pub(crate) limits: SyncLimits,
    recent: VecDeque<Arc<SyncChange>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) sid: Sid,
    pub(crate) account: Sid,
    pub(crate) friendly_name: String,
    pub(crate) webhook_url: Option<String>,
    pub(crate) webhooks_from_rest: bool,
    pub(crate) reachability_webhooks: bool,
    pub(crate) acl_enabled: bool,
    pub(crate) debouncing: bool,
    pub(crate) debouncing_window: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl SyncHandle {
    pub(crate) fn new(settings: &Settings, clock: &Clock) -> Self {
        let now = clock.now_ms();
        let service = Service {
            // `Emulator::start` has checked both.
            sid: Sid::parse(Kind::SyncService, &settings.account.sync_service_sid)
                .unwrap_or(Sid::fixed(Kind::SyncService, 0)),
            account: Sid::parse(Kind::Account, &settings.account.account_sid)
                .unwrap_or(Sid::fixed(Kind::Account, 0)),
            friendly_name: "Emulator".to_owned(),
            webhook_url: None,
            webhooks_from_rest: false,
            reachability_webhooks: false,
            acl_enabled: false,
            debouncing: false,
            debouncing_window: 5000,
            created: now,
            updated: now,
        };
        Self(Arc::new(SyncShared {
            inner: Mutex::new(SyncInner {
                service,
                // A client that comes back after a restart names changes of another life: they must not be taken for ours.
                store: Store::new(settings.seed).with_changes_from(now.unsigned_abs()),
                limits: SyncLimits::default(),
                recent: VecDeque::new(),
            }),
            clock: clock.clone(),
            version: watch::Sender::new(0),
            feed: broadcast::Sender::new(FEED),
        }))
    }

    /// Works on the store at this moment; tells subscribers what changed.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut SyncInner, i64) -> T) -> T {
        let now = self.0.clock.now_ms();
        let mut inner = self.lock();
        inner.store.expire(now);
        let done = work(&mut inner, now);
        let changes = std::mem::take(&mut inner.store.changes);
        let changed = !changes.is_empty();
        for change in changes.into_iter().map(Arc::new) {
            if inner.recent.len() == RECENT {
                inner.recent.pop_front();
            }
            inner.recent.push_back(change.clone());
            // No subscriber is not an error.
            let _ = self.0.feed.send(change);
        }
        drop(inner);
        if changed {
            self.0.version.send_modify(|version| *version += 1);
        }
        done
    }

    /// A Document's data, by unique name or SID.
    pub fn document(&self, name: &str) -> Option<Value> {
        self.with(|inner, _| inner.store.documents.get(name).map(|document| document.data.value().clone()))
    }

    pub fn document_revision(&self, name: &str) -> Option<String> {
        self.with(|inner, _| {
            inner.store.documents.get(name).map(|document| document.head.revision.to_string())
        })
    }

    /// Unique names (or SIDs) of all Documents, oldest first.
    pub fn documents(&self) -> Vec<String> {
        let name = |head: &store::Head| head.unique_name.clone().unwrap_or_else(|| head.sid.to_string());
        self.with(|inner, _| inner.store.documents.rows.iter().map(|document| name(&document.head)).collect())
    }

    /// Unique names (or SIDs) of all Maps, oldest first.
    pub fn maps(&self) -> Vec<String> {
        let name = |head: &store::Head| head.unique_name.clone().unwrap_or_else(|| head.sid.to_string());
        self.with(|inner, _| inner.store.maps.rows.iter().map(|map| name(&map.head)).collect())
    }

    /// All items of a Map; `None` if there is no such Map.
    pub fn map_items(&self, name: &str) -> Option<BTreeMap<String, Value>> {
        let items = |map: &SyncMap| {
            map.items.iter().map(|(key, item)| (key.clone(), item.data.value().clone())).collect()
        };
        self.with(|inner, _| inner.store.maps.get(name).map(items))
    }

    pub fn item(&self, map: &str, key: &str) -> Option<(Value, String)> {
        self.with(|inner, _| {
            let item = inner.store.maps.get(map)?.items.get(key)?;
            Some((item.data.value().clone(), item.revision.to_string()))
        })
    }

    /// Creates or replaces a Document as another writer would, without limits. Returns its revision.
    pub fn put_document(&self, name: &str, data: Value) -> String {
        let data = Arc::new(Data::from(data));
        self.with(|inner, now| {
            let store = &mut inner.store;
            // Neither can fail: the name is free, or the object exists.
            let _ = match store.documents.find(name) {
                Some(sid) => store.update_document(sid, Some(data), None, None, now),
                None => store.create_document(Some(name.to_owned()), data, None, OTHER_WRITER, now).map(drop),
            };
            store.documents.get(name).map(|document| document.head.revision.to_string()).unwrap_or_default()
        })
    }

    /// Creates an empty Map as another writer would; `false` if there is one.
    pub fn put_map(&self, name: &str) -> bool {
        self.with(|inner, now| inner.store.create_map(Some(name.to_owned()), None, OTHER_WRITER, now).is_ok())
    }

    /// Creates or replaces an item (and its Map) as another writer would, without limits. Returns its revision.
    pub fn put_item(&self, map: &str, key: &str, data: Value) -> String {
        self.put_map(map);
        let data = Arc::new(Data::from(data));
        self.with(|inner, now| {
            let Some(sid) = inner.store.maps.find(map) else { return String::new() };
            let updated = inner.store.update_item(sid, key, Some(data.clone()), None, None, now);
            if updated.is_err() {
                // The Map exists, so what was missing is the item.
                let _ = inner.store.create_item(sid, key, data, None, OTHER_WRITER, now);
            }
            let item = inner.store.maps.get(map).and_then(|map| map.items.get(key));
            item.map(|item| item.revision.to_string()).unwrap_or_default()
        })
    }

    /// Deletes a Document; `false` if there is none.
    pub fn delete_document(&self, name: &str) -> bool {
        self.with(|inner, now| {
            let sid = inner.store.documents.find(name);
            sid.is_some_and(|sid| inner.store.delete_document(sid, now).is_ok())
        })
    }

    /// Deletes a Map with its items; `false` if there is none.
    pub fn delete_map(&self, name: &str) -> bool {
        self.with(|inner, now| {
            inner.store.maps.find(name).is_some_and(|sid| inner.store.delete_map(sid, now).is_ok())
        })
    }

    /// Deletes an item; `false` if there is none.
    pub fn delete_item(&self, map: &str, key: &str) -> bool {
        self.with(|inner, now| {
            inner.store.maps.find(map).is_some_and(|sid| inner.store.remove_item(sid, key, None, now).is_ok())
        })
    }

    /// Switches the service's access control lists on or off.
    pub fn set_acl(&self, enabled: bool) {
        self.with(|inner, now| {
            inner.service.acl_enabled = enabled;
            inner.service.updated = now;
        });
    }

    pub fn acl(&self) -> bool {
        self.with(|inner, _| inner.service.acl_enabled)
    }

    /// The rights of an identity on a Document or Map.
    pub fn rights(&self, object: &str, identity: &str) -> Option<Rights> {
        self.with(|inner, _| {
            let store = &mut inner.store;
            let sid = store.documents.find(object).or_else(|| store.maps.find(object))?;
            store.permissions(sid)?.get(identity).copied()
        })
    }

    pub fn version(&self) -> u64 {
        *self.0.version.borrow()
    }

    /// Follows `version`; wait on it instead of sleeping.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Waits until a condition on the contents holds.
    pub async fn wait_until(&self, mut condition: impl FnMut(&Self) -> bool) {
        let mut changed = self.changed();
        while !condition(self) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Every change from now on. A lagging subscriber gets the number of missed changes.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<SyncChange>> {
        self.0.feed.subscribe()
    }

    /// The remembered changes with a greater number, oldest first; `None` if some of them are forgotten.
    pub fn changes_since(&self, id: u64) -> Option<Vec<Arc<SyncChange>>> {
        let inner = self.lock();
        inner.since(id).map(|changes| changes.cloned().collect())
    }

    /// The number of the newest change.
    pub fn last_change(&self) -> u64 {
        self.lock().store.last_change
    }

    fn lock(&self) -> MutexGuard<'_, SyncInner> {
        self.0.inner.lock()
    }
}

impl SyncInner {
    /// The remembered changes after a number; `None` if some of them are forgotten.
    pub(crate) fn since(&self, id: u64) -> Option<impl Iterator<Item = &Arc<SyncChange>>> {
        let first = self.recent.front().map_or(id + 1, |first| first.id);
        // Numbers have no gaps, so the place of a change follows from its number.
        let skip = usize::try_from((id + 1).checked_sub(first)?).unwrap_or(usize::MAX);
        Some(self.recent.range(skip.min(self.recent.len())..))
    }
}

impl std::fmt::Debug for SyncHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SyncHandle")
    }
}
