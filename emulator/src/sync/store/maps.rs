//! Maps and their items. An item write counts as a change of its Map.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Item, ItemChange, Mortal, Object, Store, StoreError, SyncMap, Ttl, expiry};
use crate::json::Data;
use crate::sid::{Kind, Sid};
use crate::sync::change::ChangeKind;

impl Store {
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
        self.note(ChangeKind::MapCreated, sid, ItemChange { expires, ..ItemChange::default() }, now);
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
        let gone = self.maps.remove(sid).ok_or(StoreError::Missing)?;
        for (key, item) in gone.items {
            self.reschedule(Mortal::Item(sid, key), item.expires, None);
        }
        self.reschedule(Mortal::Object(sid), gone.head.expires, None);
        self.note_gone(ChangeKind::MapRemoved, &gone.head, None, now);
        Ok(())
    }

    pub(crate) fn create_item(
        &mut self,
        map: Sid,
        key: &str,
        data: Arc<Data>,
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
            last_change: 0,
            created: now,
            updated: now,
            expires,
            created_by: by.to_owned(),
        };
        found.items.insert(key.to_owned(), item);
        found.head.revision += 1;
        found.head.updated = now;
        self.reschedule(Mortal::Item(map, key.to_owned()), None, expires);
        self.note(
            ChangeKind::MapItemAdded,
            map,
            ItemChange { key: Some(key), revision: 0, expires, data: Some(data) },
            now,
        );
        Ok(())
    }

    pub(crate) fn update_item(
        &mut self,
        map: Sid,
        key: &str,
        data: Option<Arc<Data>>,
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
        let what = ItemChange { key: Some(key), revision, expires: after, data: Some(data) };
        self.note(ChangeKind::MapItemUpdated, map, what, now);
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
        let (expires, revision, data) = (item.expires, item.revision, item.data.clone());
        found.items.remove(key);
        found.head.revision += 1;
        found.head.updated = now;
        self.reschedule(Mortal::Item(map, key.to_owned()), expires, None);
        let what = ItemChange { key: Some(key), revision, expires, data: Some(data) };
        self.note(ChangeKind::MapItemRemoved, map, what, now);
        Ok(())
    }
}
