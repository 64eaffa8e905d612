//! Streams, and the messages that pass through them without being kept.

use std::sync::Arc;

use super::{ItemChange, Mortal, Store, StoreError, Stream, Ttl};
use crate::json::Data;
use crate::sid::{Kind, Sid};
use crate::sync::change::ChangeKind;

impl Store {
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
        self.note(ChangeKind::StreamCreated, sid, ItemChange { expires, ..ItemChange::default() }, now);
        Ok(sid)
    }

    pub(crate) fn delete_stream(&mut self, sid: Sid, now: i64) -> Result<(), StoreError> {
        let gone = self.streams.remove(sid).ok_or(StoreError::Missing)?;
        self.reschedule(Mortal::Object(sid), gone.head.expires, None);
        self.note_gone(ChangeKind::StreamRemoved, &gone.head, None, now);
        Ok(())
    }

    /// Publishes a message to the subscribers; it is not kept.
    pub(crate) fn publish(&mut self, stream: Sid, data: Arc<Data>, now: i64) -> Result<Sid, StoreError> {
        if !self.streams.rows.contains(stream) {
            return Err(StoreError::Missing);
        }
        let sid = Sid::draw(Kind::StreamMessage, &mut self.ids);
        let what = ItemChange { key: Some(&sid.to_string()), data: Some(data), ..ItemChange::default() };
        self.note(ChangeKind::StreamMessage, stream, what, now);
        Ok(sid)
    }
}
