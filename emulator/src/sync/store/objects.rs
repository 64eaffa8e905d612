//! What a store holds: Documents, Maps with items, Streams; and the shelves where they are found by SID or unique name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::StoreError;
use crate::json::Data;
use crate::sid::{Kind, Sid};
use crate::state::table::Table;

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Rights {
    pub read: bool,
    pub write: bool,
    pub manage: bool,
}

/// What Documents, Maps and Streams have in common.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) sid: Sid,
    pub(crate) unique_name: Option<String>,
    pub(crate) revision: u64,
    /// The number of the last change that touched it.
    pub(crate) last_change: u64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) expires: Option<i64>,
    pub(crate) created_by: String,
    pub(crate) permissions: BTreeMap<String, Rights>,
}

#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) head: Head,
    pub(crate) data: Arc<Data>,
}

#[derive(Debug, Clone)]
pub(crate) struct SyncMap {
    pub(crate) head: Head,
    pub(crate) items: BTreeMap<String, Item>,
}

#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) key: String,
    pub(crate) data: Arc<Data>,
    pub(crate) revision: u64,
    /// The number of the last change that touched it.
    pub(crate) last_change: u64,
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
    pub(crate) fn find(&self, name: &str) -> Option<Sid> {
        let by_sid = Sid::parse(T::KIND, name).filter(|sid| self.rows.contains(*sid));
        by_sid.or_else(|| self.names.get(name).copied())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.rows.get(self.find(name)?)
    }

    pub(super) fn add(&mut self, object: T) -> Result<Sid, StoreError> {
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

    pub(super) fn remove(&mut self, sid: Sid) -> Option<T> {
        let object = self.rows.remove(sid)?;
        if let Some(name) = &object.head().unique_name {
            self.names.remove(name);
        }
        Some(object)
    }
}
