//! Streams, and the messages that pass through them without being kept.

use std::sync::Arc;

use serde_json::Value;

use super::{Mortal, Store, StoreError, Stream, Ttl};
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
}
