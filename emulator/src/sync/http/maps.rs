//! Maps over HTTP.

use super::SyncCall;
use super::collection::Collection;
use crate::error::ApiError;
use crate::json::JsonObject;
use crate::params::Params;
use crate::sid::Sid;
use crate::sync::render::SyncPlace;
use crate::sync::store::{Shelf, Store, StoreError, SyncMap, Ttl};

impl Collection for SyncMap {
    const ROWS: &'static str = "maps";
    const CREATE: &'static [&'static str] = &["UniqueName", "Ttl", "CollectionTtl"];
    /// `Ttl` is an alias of `CollectionTtl`.
    const TTL: &'static [&'static str] = &["CollectionTtl", "Ttl"];
    type Content = ();

    fn shelf(store: &Store) -> &Shelf<Self> {
        &store.maps
    }

    fn content(_: &mut SyncCall<'_>, _: &Params) -> Result<(), ApiError> {
        Ok(())
    }

    fn make(store: &mut Store, name: Option<String>, (): (), ttl: Ttl, now: i64) -> Result<Sid, StoreError> {
        store.create_map(name, ttl, "system", now)
    }

    fn remove(store: &mut Store, sid: Sid, now: i64) -> Result<(), StoreError> {
        store.delete_map(sid, now)
    }

    fn render(&self, place: &SyncPlace<'_>) -> JsonObject {
        place.map(self)
    }
}
