//! The objects of a Sync service and their rules, without I/O: the moment is passed in.
//!
//! Documents, Maps with items, and Streams, each by SID or unique name; revisions that count up from "0"; expiry at a
//! fixed moment. There is no upsert: creating what exists and updating what is missing are both errors. Everything
//! that changes is recorded as a `SyncChange`, in order, for subscribers.
//!
//! Choices where the documentation is silent: an item write counts as a change of its Map (revision and date); a TTL
//! of 0 means "does not expire", as the resource reference says of the default.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;

use super::change::{ChangeKind, SyncChange};
use crate::sid::{Kind, Sid};
use crate::world::table::Table;

/// What a refused operation ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreError {
    Missing,
    NameExists,
    KeyExists,
    DocumentRevision,
    ItemRevision,
}

/// Rights of one identity on one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Rights {
    /// May read.
    pub read: bool,
    /// May write.
    pub write: bool,
    /// May delete.
    pub manage: bool,
}

/// What Documents, Maps and Streams have in common.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) sid: Sid,
    pub(crate) unique_name: Option<String>,
    pub(crate) revision: u64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) expires: Option<i64>,
    pub(crate) created_by: String,
    pub(crate) permissions: BTreeMap<String, Rights>,
}

#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) head: Head,
    pub(crate) data: Arc<Value>,
}

#[derive(Debug, Clone)]
pub(crate) struct SyncMap {
    pub(crate) head: Head,
    pub(crate) items: BTreeMap<String, Item>,
}

#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) key: String,
    pub(crate) data: Arc<Value>,
    pub(crate) revision: u64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) expires: Option<i64>,
    pub(crate) created_by: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) head: Head,
}

/// Something with a head, findable by SID or unique name.
pub(crate) trait Object {
    const KIND: Kind;
    fn head(&self) -> &Head;
    fn head_mut(&mut self) -> &mut Head;
}

macro_rules! object {
    ($type:ty, $kind:expr) => {
        impl Object for $type {
            const KIND: Kind = $kind;
            fn head(&self) -> &Head {
                &self.head
            }
            fn head_mut(&mut self) -> &mut Head {
                &mut self.head
            }
        }
    };
}
object!(Document, Kind::Document);
object!(SyncMap, Kind::Map);
object!(Stream, Kind::Stream);

/// Objects of one type.
#[derive(Debug, Clone)]
pub(crate) struct Shelf<T> {
    pub(crate) rows: Table<T>,
    names: HashMap<String, Sid>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { rows: Table::default(), names: HashMap::new() }
    }
}

impl<T: Object> Shelf<T> {
    /// By SID or unique name.
    pub(crate) fn find(&self, name: &str) -> Option<Sid> {
        let by_sid = Sid::parse(T::KIND, name).filter(|sid| self.rows.contains(*sid));
        by_sid.or_else(|| self.names.get(name).copied())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.rows.get(self.find(name)?)
    }

    fn add(&mut self, object: T) -> Result<Sid, StoreError> {
        let head = object.head();
        let sid = head.sid;
        if let Some(name) = head.unique_name.clone() {
            if self.names.contains_key(&name) {
                return Err(StoreError::NameExists);
            }
            self.names.insert(name, sid);
        }
        self.rows.insert(sid, object);
        Ok(sid)
    }

    fn remove(&mut self, sid: Sid) -> Option<T> {
        let object = self.rows.remove(sid)?;
        if let Some(name) = &object.head().unique_name {
            self.names.remove(name);
        }
        Some(object)
    }
}

/// What expires.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Mortal {
    Object(Sid),
    Item(Sid, String),
}

/// A new time to live, if one is given.
pub(crate) type Ttl = Option<i64>;

/// The objects of one service.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) documents: Shelf<Document>,
    pub(crate) maps: Shelf<SyncMap>,
    pub(crate) streams: Shelf<Stream>,
    expiries: BTreeSet<(i64, Mortal)>,
    ids: StdRng,
    last_change: u64,
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

    pub(crate) fn create_document(
        &mut self,
        unique_name: Option<String>,
        data: Arc<Value>,
        ttl: Ttl,
        by: &str,
        now: i64,
    ) -> Result<Sid, StoreError> {
        let head = self.head(Kind::Document, unique_name, by, ttl, now);
        let expires = head.expires;
        let sid = self.documents.add(Document { head, data: data.clone() })?;
        self.reschedule(Mortal::Object(sid), None, expires);
        self.note(ChangeKind::DocumentCreated, sid, None, 0, Some(data), now);
        Ok(sid)
    }

    pub(crate) fn update_document(
        &mut self,
        sid: Sid,
        data: Option<Arc<Value>>,
        ttl: Ttl,
        expected: Option<u64>,
        now: i64,
    ) -> Result<(), StoreError> {
        let document = self.documents.rows.get_mut(sid).ok_or(StoreError::Missing)?;
        if expected.is_some_and(|revision| revision != document.head.revision) {
            return Err(StoreError::DocumentRevision);
        }
        if let Some(data) = data {
            document.data = data;
        }
        let before = document.head.expires;
        if ttl.is_some() {
            document.head.expires = expiry(ttl, now);
        }
        document.head.revision += 1;
        document.head.updated = now;
        let (after, revision, data) = (document.head.expires, document.head.revision, document.data.clone());
        self.reschedule(Mortal::Object(sid), before, after);
        self.note(ChangeKind::DocumentUpdated, sid, None, revision, Some(data), now);
        Ok(())
    }

    pub(crate) fn delete_document(&mut self, sid: Sid, now: i64) -> Result<(), StoreError> {
        let name = self.documents.rows.get(sid).and_then(|document| document.head.unique_name.clone());
        let gone = self.documents.remove(sid).ok_or(StoreError::Missing)?;
        self.reschedule(Mortal::Object(sid), gone.head.expires, None);
        self.note_named(ChangeKind::DocumentRemoved, sid, name, None, gone.head.revision, None, now);
        Ok(())
    }

    pub(crate) fn create_map(
        &mut self,
        name: Option<String>,
        ttl: Ttl,
        by: &str,
        now: i64,
    ) -> Result<Sid, StoreError> {
        let head = self.head(Kind::Map, name, by, ttl, now);
        let expires = head.expires;
        let sid = self.maps.add(SyncMap { head, items: BTreeMap::new() })?;
        self.reschedule(Mortal::Object(sid), None, expires);
        self.note(ChangeKind::MapCreated, sid, None, 0, None, now);
        Ok(sid)
    }

    /// A new expiry for a Map (or Stream).
    pub(crate) fn set_ttl(&mut self, sid: Sid, ttl: Ttl, now: i64) -> Result<(), StoreError> {
        let map = self.maps.rows.get_mut(sid).map(Object::head_mut);
        let head = map
            .or_else(|| self.streams.rows.get_mut(sid).map(Object::head_mut))
            .ok_or(StoreError::Missing)?;
        let before = head.expires;
        if ttl.is_some() {
            head.expires = expiry(ttl, now);
        }
        head.revision += 1;
        head.updated = now;
        let after = head.expires;
        self.reschedule(Mortal::Object(sid), before, after);
        Ok(())
    }

    pub(crate) fn delete_map(&mut self, sid: Sid, now: i64) -> Result<(), StoreError> {
        let name = self.maps.rows.get(sid).and_then(|map| map.head.unique_name.clone());
        let gone = self.maps.remove(sid).ok_or(StoreError::Missing)?;
        for (key, item) in gone.items {
            self.reschedule(Mortal::Item(sid, key), item.expires, None);
        }
        self.reschedule(Mortal::Object(sid), gone.head.expires, None);
        self.note_named(ChangeKind::MapRemoved, sid, name, None, gone.head.revision, None, now);
        Ok(())
    }

    pub(crate) fn create_item(
        &mut self,
        map: Sid,
        key: &str,
        data: Arc<Value>,
        ttl: Ttl,
        by: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        let found = self.maps.rows.get_mut(map).ok_or(StoreError::Missing)?;
        if found.items.contains_key(key) {
            return Err(StoreError::KeyExists);
        }
        let expires = expiry(ttl, now);
        let item = Item {
            key: key.to_owned(),
            data: data.clone(),
            revision: 0,
            created: now,
            updated: now,
            expires,
            created_by: by.to_owned(),
        };
        found.items.insert(key.to_owned(), item);
        found.head.revision += 1;
        found.head.updated = now;
        self.reschedule(Mortal::Item(map, key.to_owned()), None, expires);
        self.note(ChangeKind::MapItemAdded, map, Some(key), 0, Some(data), now);
        Ok(())
    }

    pub(crate) fn update_item(
        &mut self,
        map: Sid,
        key: &str,
        data: Option<Arc<Value>>,
        ttl: Ttl,
        expected: Option<u64>,
        now: i64,
    ) -> Result<(), StoreError> {
        let found = self.maps.rows.get_mut(map).ok_or(StoreError::Missing)?;
        let item = found.items.get_mut(key).ok_or(StoreError::Missing)?;
        if expected.is_some_and(|revision| revision != item.revision) {
            return Err(StoreError::ItemRevision);
        }
        if let Some(data) = data {
            item.data = data;
        }
        let before = item.expires;
        if ttl.is_some() {
            item.expires = expiry(ttl, now);
        }
        item.revision += 1;
        item.updated = now;
        let (after, revision, data) = (item.expires, item.revision, item.data.clone());
        found.head.revision += 1;
        found.head.updated = now;
        self.reschedule(Mortal::Item(map, key.to_owned()), before, after);
        self.note(ChangeKind::MapItemUpdated, map, Some(key), revision, Some(data), now);
        Ok(())
    }

    pub(crate) fn remove_item(
        &mut self,
        map: Sid,
        key: &str,
        expected: Option<u64>,
        now: i64,
    ) -> Result<(), StoreError> {
        let found = self.maps.rows.get_mut(map).ok_or(StoreError::Missing)?;
        let item = found.items.get(key).ok_or(StoreError::Missing)?;
        if expected.is_some_and(|revision| revision != item.revision) {
            return Err(StoreError::ItemRevision);
        }
        let (expires, revision) = (item.expires, item.revision);
        found.items.remove(key);
        found.head.revision += 1;
        found.head.updated = now;
        self.reschedule(Mortal::Item(map, key.to_owned()), expires, None);
        self.note(ChangeKind::MapItemRemoved, map, Some(key), revision, None, now);
        Ok(())
    }

    pub(crate) fn create_stream(
        &mut self,
        name: Option<String>,
        ttl: Ttl,
        by: &str,
        now: i64,
    ) -> Result<Sid, StoreError> {
        let head = self.head(Kind::Stream, name, by, ttl, now);
        let expires = head.expires;
        let sid = self.streams.add(Stream { head })?;
        self.reschedule(Mortal::Object(sid), None, expires);
        self.note(ChangeKind::StreamCreated, sid, None, 0, None, now);
        Ok(sid)
    }

    pub(crate) fn delete_stream(&mut self, sid: Sid, now: i64) -> Result<(), StoreError> {
        let name = self.streams.rows.get(sid).and_then(|stream| stream.head.unique_name.clone());
        let gone = self.streams.remove(sid).ok_or(StoreError::Missing)?;
        self.reschedule(Mortal::Object(sid), gone.head.expires, None);
        self.note_named(ChangeKind::StreamRemoved, sid, name, None, gone.head.revision, None, now);
        Ok(())
    }

    /// Publishes a message to whoever listens; it is not kept.
    pub(crate) fn publish(&mut self, stream: Sid, data: Arc<Value>, now: i64) -> Result<Sid, StoreError> {
        if !self.streams.rows.contains(stream) {
            return Err(StoreError::Missing);
        }
        let sid = Sid::draw(Kind::StreamMessage, &mut self.ids);
        self.note(ChangeKind::StreamMessage, stream, Some(&sid.to_string()), 0, Some(data), now);
        Ok(sid)
    }

    /// The permissions of a Document or Map, for reading and writing.
    pub(crate) fn permissions(&mut self, sid: Sid) -> Option<&mut BTreeMap<String, Rights>> {
        let document = self.documents.rows.get_mut(sid).map(Object::head_mut);
        let head = document.or_else(|| self.maps.rows.get_mut(sid).map(Object::head_mut));
        head.map(|head| &mut head.permissions)
    }

    fn note(
        &mut self,
        kind: ChangeKind,
        sid: Sid,
        key: Option<&str>,
        revision: u64,
        data: Option<Arc<Value>>,
        now: i64,
    ) {
        let heads = [
            self.documents.rows.get(sid).map(Object::head),
            self.maps.rows.get(sid).map(Object::head),
            self.streams.rows.get(sid).map(Object::head),
        ];
        let name = heads.into_iter().flatten().next().and_then(|head| head.unique_name.clone());
        self.note_named(kind, sid, name, key, revision, data, now);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a change, told once more when its object is gone"
    )]
    fn note_named(
        &mut self,
        kind: ChangeKind,
        sid: Sid,
        unique_name: Option<String>,
        key: Option<&str>,
        revision: u64,
        data: Option<Arc<Value>>,
        at: i64,
    ) {
        self.last_change += 1;
        self.changes.push(SyncChange {
            id: self.last_change,
            at,
            kind,
            sid,
            unique_name,
            key: key.map(str::to_owned),
            revision,
            data,
        });
    }
}
