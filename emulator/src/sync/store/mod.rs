//! The objects of a Sync service and their rules, without I/O: the moment is passed in.
//!
//! Documents, Maps with items, and Streams, each by SID or unique name; revisions that count up from "0"; expiry at a
//! fixed moment. There is no upsert: creating what exists and updating what is missing are both errors. Everything
//! that changes is recorded as a `SyncChange`, in order, for subscribers.
//!
//! Choices where the documentation is silent: an item write counts as a change of its Map (revision and date); a TTL
//! of 0 means "does not expire", as the resource reference says of the default.

mod documents;
mod maps;
mod objects;
mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;

pub use objects::Rights;
pub(crate) use objects::{Document, Head, Item, Object, Shelf, Stream, SyncMap};

use super::change::{ChangeKind, SyncChange};
use crate::json::Data;
use crate::sid::{Kind, Sid};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreError {
    Missing,
    NameExists,
    KeyExists,
    DocumentRevision,
    ItemRevision,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Mortal {
    Object(Sid),
    Item(Sid, String),
}

/// A new time to live, if one is given.
pub(crate) type Ttl = Option<i64>;

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) documents: Shelf<Document>,
    pub(crate) maps: Shelf<SyncMap>,
    pub(crate) streams: Shelf<Stream>,
    expiries: BTreeSet<(i64, Mortal)>,
    ids: StdRng,
    pub(crate) last_change: u64,
    /// Changes not yet handed to subscribers.
    pub(crate) changes: Vec<SyncChange>,
}

fn expiry(ttl: Ttl, now: i64) -> Option<i64> {
    ttl.filter(|seconds| *seconds > 0).map(|seconds| now + seconds * 1000)
}

impl Store {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            documents: Shelf::default(),
            maps: Shelf::default(),
            streams: Shelf::default(),
            expiries: BTreeSet::new(),
            ids: StdRng::seed_from_u64(seed ^ 0x57ac),
            last_change: 0,
            changes: Vec::new(),
        }
    }

    /// The same, whose changes are numbered from here on.
    pub(crate) fn with_changes_from(self, number: u64) -> Self {
        Self { last_change: number, ..self }
    }

    /// Removes what has expired. Called before anything else looks.
    pub(crate) fn expire(&mut self, now: i64) {
        while self.expiries.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, mortal)) = self.expiries.pop_first() else { return };
            match mortal {
                // Exactly one of these finds something: an expiry is taken back when its object goes.
                Mortal::Item(map, key) => {
                    let _ = self.remove_item(map, &key, None, now);
                }
                Mortal::Object(sid) => {
                    let gone = self.delete_document(sid, now).or_else(|_| self.delete_map(sid, now));
                    let _ = gone.or_else(|_| self.delete_stream(sid, now));
                }
            }
        }
    }

    fn head(&mut self, kind: Kind, unique_name: Option<String>, by: &str, ttl: Ttl, now: i64) -> Head {
        Head {
            sid: Sid::draw(kind, &mut self.ids),
            unique_name,
            revision: 0,
            last_change: 0,
            created: now,
            updated: now,
            expires: expiry(ttl, now),
            created_by: by.to_owned(),
            permissions: BTreeMap::new(),
        }
    }

    fn reschedule(&mut self, mortal: Mortal, before: Option<i64>, after: Option<i64>) {
        if let Some(before) = before {
            self.expiries.remove(&(before, mortal.clone()));
        }
        if let Some(after) = after {
            self.expiries.insert((after, mortal));
        }
    }

    /// The permissions of a Document or Map, for reading and writing.
    pub(crate) fn permissions(&mut self, sid: Sid) -> Option<&mut BTreeMap<String, Rights>> {
        let document = self.documents.rows.get_mut(sid).map(Object::head_mut);
        let head = document.or_else(|| self.maps.rows.get_mut(sid).map(Object::head_mut));
        head.map(|head| &mut head.permissions)
    }

    /// Records a change of an object that is still there, and stamps the object (and item) with its number.
    fn note(&mut self, kind: ChangeKind, sid: Sid, what: ItemChange<'_>, at: i64) {
        self.last_change += 1;
        let id = self.last_change;
        if let (Some(map), Some(key)) = (self.maps.rows.get_mut(sid), what.key)
            && let Some(item) = map.items.get_mut(key)
        {
            item.last_change = id;
        }
        let head = match sid.kind() {
            Kind::Document => self.documents.rows.get_mut(sid).map(Object::head_mut),
            Kind::Map => self.maps.rows.get_mut(sid).map(Object::head_mut),
            _ => self.streams.rows.get_mut(sid).map(Object::head_mut),
        };
        // The caller of this holds the object; only `note_gone` tells of one that is not there any more.
        let Some(head) = head else { return };
        head.last_change = id;
        let (name, revision) = (head.unique_name.clone(), head.revision);
        self.changes.push(what.changed(id, at, kind, sid, name, revision));
    }

    fn note_gone(&mut self, kind: ChangeKind, head: &Head, data: Option<Arc<Data>>, at: i64) {
        self.last_change += 1;
        let what = ItemChange { key: None, revision: head.revision, expires: head.expires, data };
        let name = head.unique_name.clone();
        self.changes.push(what.changed(self.last_change, at, kind, head.sid, name, head.revision));
    }
}

#[derive(Debug, Default)]
struct ItemChange<'a> {
    key: Option<&'a str>,
    revision: u64,
    expires: Option<i64>,
    data: Option<Arc<Data>>,
}

impl ItemChange<'_> {
    fn changed(
        self,
        id: u64,
        at: i64,
        kind: ChangeKind,
        sid: Sid,
        unique_name: Option<String>,
        object_revision: u64,
    ) -> SyncChange {
        let Self { key, revision, expires, data } = self;
        let key = key.map(str::to_owned);
        SyncChange { id, at, kind, sid, unique_name, key, revision, object_revision, expires, data }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn data(n: u32) -> Arc<Data> {
        Arc::new(json!({ "n": n }).into())
    }

    #[test]
    fn names_belong_to_one_object_until_it_is_gone() {
        let mut store = Store::new(1);
        let sid = store.create_map(Some("m".to_owned()), None, "a", 0).unwrap();
        assert_eq!(store.create_map(Some("m".to_owned()), None, "a", 0), Err(StoreError::NameExists));
        assert_eq!(store.maps.find("m"), store.maps.find(&sid.to_string()));
        assert!(
            store.create_document(Some("m".to_owned()), data(1), None, "a", 0).is_ok(),
            "of another type"
        );
        store.delete_map(sid, 1).unwrap();
        assert_eq!(store.maps.find("m"), None);
        assert!(store.create_map(Some("m".to_owned()), None, "a", 2).is_ok());
        assert!(store.create_map(None, None, "a", 2).is_ok(), "names are optional");
    }

    #[test]
    fn an_item_expires_by_itself_and_with_its_map() {
        let mut store = Store::new(1);
        let map = store.create_map(Some("m".to_owned()), Some(100), "a", 0).unwrap();
        store.create_item(map, "short", data(1), Some(10), "a", 0).unwrap();
        store.create_item(map, "long", data(2), None, "a", 0).unwrap();
        store.update_item(map, "short", Some(data(3)), None, None, 9_000).unwrap();
        store.expire(9_999);
        assert_eq!(store.maps.get("m").unwrap().items.len(), 2);
        store.expire(10_000);
        assert_eq!(store.maps.get("m").unwrap().items.len(), 1, "a data update does not extend it");
        store.set_ttl(map, Some(200), 50_000).unwrap();
        store.expire(100_000);
        assert!(store.maps.get("m").is_some());
        store.set_ttl(map, Some(0), 60_000).unwrap();
        store.expire(i64::MAX);
        assert!(store.maps.get("m").is_some(), "0 means it does not expire");
    }

    #[test]
    fn deleting_takes_the_expiry_back() {
        let mut store = Store::new(1);
        let map = store.create_map(Some("m".to_owned()), Some(10), "a", 0).unwrap();
        store.create_item(map, "k", data(1), Some(10), "a", 0).unwrap();
        store.delete_map(map, 1).unwrap();
        store.changes.clear();
        store.expire(60_000);
        assert_eq!((store.expiries.len(), store.changes.len()), (0, 0));
    }

    #[test]
    fn every_change_is_sent_once_and_in_order() {
        let mut store = Store::new(1);
        let map = store.create_map(Some("m".to_owned()), None, "a", 0).unwrap();
        store.create_item(map, "k", data(1), None, "a", 0).unwrap();
        assert_eq!(
            store.update_item(map, "k", Some(data(2)), None, Some(7), 0),
            Err(StoreError::ItemRevision)
        );
        store.update_item(map, "k", Some(data(2)), None, Some(0), 0).unwrap();
        store.remove_item(map, "k", None, 0).unwrap();
        assert_eq!(store.remove_item(map, "k", None, 0), Err(StoreError::Missing));
        let told: Vec<_> = store.changes.iter().map(|c| (c.id, c.kind, c.revision)).collect();
        assert_eq!(
            told,
            [
                (1, ChangeKind::MapCreated, 0),
                (2, ChangeKind::MapItemAdded, 0),
                (3, ChangeKind::MapItemUpdated, 1),
                (4, ChangeKind::MapItemRemoved, 1),
            ]
        );
        assert!(store.changes.iter().all(|c| c.unique_name.as_deref() == Some("m")));
    }
}
