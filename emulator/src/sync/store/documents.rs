//! Documents: created once, updated when there, deleted.

use std::sync::Arc;

use super::{Document, ItemChange, Mortal, Store, StoreError, Ttl, expiry};
use crate::json::Data;
use crate::sid::{Kind, Sid};
use crate::sync::change::ChangeKind;

impl Store {
    pub(crate) fn create_document(
        &mut self,
        unique_name: Option<String>,
        data: Arc<Data>,
        ttl: Ttl,
        by: &str,
        now: i64,
    ) -> Result<Sid, StoreError> {
        let head = self.head(Kind::Document, unique_name, by, ttl, now);
        let expires = head.expires;
        let sid = self.documents.add(Document { head, data: data.clone() })?;
        self.reschedule(Mortal::Object(sid), None, expires);
        self.note(
            ChangeKind::DocumentCreated,
            sid,
            ItemChange { expires, data: Some(data), ..ItemChange::default() },
            now,
        );
        Ok(sid)
    }

    pub(crate) fn update_document(
        &mut self,
        sid: Sid,
        data: Option<Arc<Data>>,
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
        let what = ItemChange { key: None, revision, expires: after, data: Some(data) };
        self.note(ChangeKind::DocumentUpdated, sid, what, now);
        Ok(())
    }

    pub(crate) fn delete_document(&mut self, sid: Sid, now: i64) -> Result<(), StoreError> {
        let gone = self.documents.remove(sid).ok_or(StoreError::Missing)?;
        self.reschedule(Mortal::Object(sid), gone.head.expires, None);
        self.note_gone(ChangeKind::DocumentRemoved, &gone.head, Some(gone.data), now);
        Ok(())
    }
}
