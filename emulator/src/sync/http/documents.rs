//! Documents over HTTP.

use std::sync::Arc;

use serde_json::json;

use super::{MAX_PAGE, SyncAnswer, SyncCall, something, ttl, unique_name};
use crate::error::ApiError;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::Sid;
use crate::sync::limits::Cost;
use crate::sync::store::Object;

pub(super) fn list(call: &SyncCall<'_>) -> SyncAnswer {
    let page = Page::read(call.request, &[], MAX_PAGE)?;
    let rows = call.inner.store.documents.rows.after(page.after()?);
    Ok(page.reply("documents", rows, |document| call.place().document(document)))
}

pub(super) fn create(call: &mut SyncCall<'_>) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(&["UniqueName", "Data", "Ttl"])?;
    let name = unique_name(&form)?;
    call.trace.sync_object.clone_from(&name);
    let data = match form.one("Data") {
        // A Document of nothing is its own error.
        Some("null") => return Err(ApiError::new(400, 54101, "Invalid document data")),
        _ => call.data(&form)?.unwrap_or_else(|| Arc::new(json!({}).into())),
    };
    let ttl = ttl(&form, &["Ttl"])?;
    call.charge(call.inner.service.sid, Cost::Create)?;
    let made = call.inner.store.create_document(name, data, ttl, "system", call.now);
    let sid = made.map_err(|error| call.refused(error))?;
    reply(call, sid, 201)
}

pub(super) fn fetch(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
    call.request.no_parameters()?;
    let sid = find(call, name)?;
    call.charge(sid, Cost::Read)?;
    reply(call, sid, 200)
}

pub(super) fn update(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(&["Data", "Ttl"])?;
    something(&form)?;
    let expected = call.expected()?;
    let sid = find(call, name)?;
    let data = match form.one("Data") {
        Some("null") => return Err(ApiError::new(400, 54101, "Invalid document data")),
        _ => call.data(&form)?,
    };
    let ttl = ttl(&form, &["Ttl"])?;
    call.charge(sid, Cost::Write(call.trace.payload_bytes))?;
    let done = call.inner.store.update_document(sid, data, ttl, expected, call.now);
    done.map_err(|error| call.refused(error))?;
    reply(call, sid, 200)
}

pub(super) fn delete(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
    call.request.no_parameters()?;
    let sid = find(call, name)?;
    call.charge(sid, Cost::Write(0))?;
    let done = call.inner.store.delete_document(sid, call.now);
    done.map_err(|error| call.refused(error))?;
    Ok(Reply::no_content())
}

fn find(call: &mut SyncCall<'_>, name: &str) -> Result<Sid, ApiError> {
    let head = call.inner.store.documents.get(name).map(|document| document.head().clone());
    call.about(head.as_ref(), name);
    head.map(|head| head.sid).ok_or_else(|| call.missing())
}

fn reply(call: &SyncCall<'_>, sid: Sid, status: u16) -> SyncAnswer {
    let document = call.inner.store.documents.rows.get(sid).ok_or_else(|| call.missing())?;
    Ok(Reply::json(status, &call.place().document(document)).with_etag(document.head.revision))
}
