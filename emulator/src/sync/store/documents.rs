//! Documents: created once, updated when there, deleted.

use std::sync::Arc;

use serde_json::Value;

use super::{Document, Mortal, Store, StoreError, Ttl, expiry};
use crate::sid::{Kind, Sid};
use crate::sync::change::ChangeKind;

impl Store {
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
}
