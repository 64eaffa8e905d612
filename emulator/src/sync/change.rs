//! One change of a Sync object, as subscribers see it.
//!
//! This is the seam for a websocket that serves the browser SDK: changes carry a number that only grows, so that a
//! subscriber can tell what it missed, and everything the SDK shows about them.

use std::sync::Arc;

use serde::Serialize;

use crate::json::Data;
use crate::sid::Sid;

/// What happened. The names are those of Twilio's Sync webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    DocumentCreated,
    DocumentUpdated,
    /// A Document was deleted, or expired.
    DocumentRemoved,
    MapCreated,
    /// A Map was deleted with its items, or expired.
    MapRemoved,
    MapItemAdded,
    MapItemUpdated,
    /// An item was deleted, or expired.
    MapItemRemoved,
    StreamCreated,
    /// A Stream was deleted, or expired.
    StreamRemoved,
    /// A message was published to a Stream; `key` is its SID.
    #[serde(rename = "stream_message_published")]
    StreamMessage,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SyncChange {
    /// Grows by one with every change of the service.
    pub id: u64,
    /// The time of the change, in milliseconds since 1970.
    pub at: i64,
    pub kind: ChangeKind,
    /// The object's SID: `ET…`, `MP…` or `TO…`.
    pub sid: Sid,
    pub unique_name: Option<String>,
    pub key: Option<String>,
    /// The revision of the Document or item.
    pub revision: u64,
    /// The revision of the Document or Map as a whole.
    pub object_revision: u64,
    /// When the Document or item expires, in milliseconds since 1970.
    pub expires: Option<i64>,
    /// The data it has now, or had last when it was removed.
    pub data: Option<Arc<Data>>,
}
