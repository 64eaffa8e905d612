//! Streams and their messages over HTTP.

use super::{MAX_PAGE, SyncAnswer, SyncCall, something, ttl, unique_name};
use crate::error::ApiError;
use crate::json::{Data, object};
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::Sid;
use crate::sync::limits::Cost;
use crate::sync::store::Object;

/// Largest message as UTF-8 JSON (Sync Limits).
const MAX_MESSAGE: usize = 4 * 1024;

pub(super) fn list(call: &SyncCall<'_>) -> SyncAnswer {
    let page = Page::read(call.request, &[], MAX_PAGE)?;
    let rows = call.inner.store.streams.rows.after(page.after()?);
    Ok(page.reply("streams", rows, |stream| call.place().stream(stream)))
}

pub(super) fn create(call: &mut SyncCall<'_>) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(&["UniqueName", "Ttl"])?;
    let (name, ttl) = (unique_name(&form)?, ttl(&form, &["Ttl"])?);
    call.trace.sync_object.clone_from(&name);
    call.charge(call.inner.service.sid, Cost::Create)?;
    let made = call.inner.store.create_stream(name, ttl, "system", call.now);
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
    form.only(&["Ttl"])?;
    something(&form)?;
    let ttl = ttl(&form, &["Ttl"])?;
    let sid = find(call, name)?;
    call.charge(sid, Cost::Write(0))?;
    let done = call.inner.store.set_ttl(sid, ttl, call.now);
    done.map_err(|error| call.refused(error))?;
    reply(call, sid, 200)
}

pub(super) fn delete(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
    call.request.no_parameters()?;
    let sid = find(call, name)?;
    call.charge(sid, Cost::Write(0))?;
    let done = call.inner.store.delete_stream(sid, call.now);
    done.map_err(|error| call.refused(error))?;
    Ok(Reply::no_content())
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
    let sid = find(call, name)?;
    call.charge(sid, Cost::StreamMessage)?;
    let sent = call.inner.store.publish(sid, data.clone().into(), call.now);
    let message = sent.map_err(|error| call.refused(error))?;
    Ok(Reply::json(201, &object!({ "data": data, "sid": message })))
}

fn find(call: &mut SyncCall<'_>, name: &str) -> Result<Sid, ApiError> {
    let head = call.inner.store.streams.get(name).map(|stream| stream.head().clone());
    call.about(head.as_ref(), name);
    head.map(|head| head.sid).ok_or_else(|| call.missing())
}

fn reply(call: &SyncCall<'_>, sid: Sid, status: u16) -> SyncAnswer {
    let stream = call.inner.store.streams.rows.get(sid).ok_or_else(|| call.missing())?;
    Ok(Reply::json(status, &call.place().stream(stream)))
}
