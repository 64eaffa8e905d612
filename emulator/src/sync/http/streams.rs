//! Streams and their messages over HTTP.

use super::collection::{Collection, find};
use super::{SyncAnswer, SyncCall};
use crate::error::ApiError;
use crate::json::{Data, JsonObject, object};
use crate::params::Params;
use crate::rest::reply::Reply;
use crate::sid::Sid;
use crate::sync::limits::Cost;
use crate::sync::render::SyncPlace;
use crate::sync::store::{Shelf, Store, StoreError, Stream, Ttl};

/// Largest message as UTF-8 JSON (Sync Limits).
const MAX_MESSAGE: usize = 4 * 1024;

impl Collection for Stream {
    const ROWS: &'static str = "streams";
    const CREATE: &'static [&'static str] = &["UniqueName", "Ttl"];
    const TTL: &'static [&'static str] = &["Ttl"];
    type Content = ();

    fn shelf(store: &Store) -> &Shelf<Self> {
        &store.streams
    }

    fn content(_: &mut SyncCall<'_>, _: &Params) -> Result<(), ApiError> {
        Ok(())
    }

    fn make(store: &mut Store, name: Option<String>, (): (), ttl: Ttl, now: i64) -> Result<Sid, StoreError> {
        store.create_stream(name, ttl, "system", now)
    }

    fn remove(store: &mut Store, sid: Sid, now: i64) -> Result<(), StoreError> {
        store.delete_stream(sid, now)
    }

    fn render(&self, place: &SyncPlace<'_>) -> JsonObject {
        place.stream(self)
    }
}

pub(super) fn publish(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(&["Data"])?;
    let wrong =
        || ApiError::new(400, 54008, "Invalid request body: the type of one of the attributes is invalid");
    let data = Data::parse(form.required("Data")?).map_err(|_| wrong())?;
    if !data.is_object() {
        return Err(wrong());
    }
    let bytes = data.text().len();
    call.trace.payload_bytes = bytes;
    if bytes > MAX_MESSAGE {
        return Err(ApiError::new(413, 54006, "Request entity too large"));
    }
    let sid = find::<Stream>(call, name)?;
    call.charge(sid, Cost::StreamMessage)?;
    let sent = call.inner.store.publish(sid, data.clone().into(), call.now);
    let message = sent.map_err(|error| call.refused(error))?;
    Ok(Reply::json(201, &object!({ "data": data, "sid": message })))
}
