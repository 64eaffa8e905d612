//! Documents over HTTP.

use std::sync::Arc;

use serde_json::json;

use super::collection::{Collection, find, reply};
use super::{SyncAnswer, SyncCall, something, ttl};
use crate::error::ApiError;
use crate::json::{Data, JsonObject};
use crate::params::Params;
use crate::sid::Sid;
use crate::sync::limits::Cost;
use crate::sync::render::SyncPlace;
use crate::sync::store::{Document, Shelf, Store, StoreError, Ttl};

impl Collection for Document {
    const ROWS: &'static str = "documents";
    const CREATE: &'static [&'static str] = &["UniqueName", "Data", "Ttl"];
    const TTL: &'static [&'static str] = &["Ttl"];
    type Content = Arc<Data>;

    fn shelf(store: &Store) -> &Shelf<Self> {
        &store.documents
    }

    fn content(call: &mut SyncCall<'_>, form: &Params) -> Result<Arc<Data>, ApiError> {
        Ok(data(call, form)?.unwrap_or_else(|| Arc::new(json!({}).into())))
    }

    fn make(
        store: &mut Store,
        name: Option<String>,
        content: Arc<Data>,
        ttl: Ttl,
        now: i64,
    ) -> Result<Sid, StoreError> {
        store.create_document(name, content, ttl, "system", now)
    }

    fn remove(store: &mut Store, sid: Sid, now: i64) -> Result<(), StoreError> {
        store.delete_document(sid, now)
    }

    fn render(&self, place: &SyncPlace<'_>) -> JsonObject {
        place.document(self)
    }

    fn etag(&self) -> Option<u64> {
        Some(self.head.revision)
    }

    fn update(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
        let form = call.request.form()?;
        form.only(&["Data", "Ttl"])?;
        something(&form)?;
        let expected = call.expected()?;
        let sid = find::<Self>(call, name)?;
        let data = data(call, &form)?;
        let ttl = ttl(&form, Self::TTL)?;
        call.charge(sid, Cost::Write(call.trace.payload_bytes))?;
        let done = call.inner.store.update_document(sid, data, ttl, expected, call.now);
        done.map_err(|error| call.refused(error))?;
        reply::<Self>(call, sid, 200)
    }
}

/// The data of a Document; `null` has its own error code.
fn data(call: &mut SyncCall<'_>, form: &Params) -> Result<Option<Arc<Data>>, ApiError> {
    match form.one("Data") {
        Some("null") => Err(ApiError::new(400, 54101, "Invalid document data")),
        _ => call.data(form),
    }
}
