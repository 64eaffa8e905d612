//! Maps over HTTP.

use super::{MAX_PAGE, SyncAnswer, SyncCall, something, ttl, unique_name};
use crate::error::ApiError;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::Sid;
use crate::sync::limits::Cost;
use crate::sync::store::Object;

/// `Ttl` is an alias of `CollectionTtl`.
const TTL: [&str; 2] = ["CollectionTtl", "Ttl"];

pub(super) fn list(call: &SyncCall<'_>) -> SyncAnswer {
    let page = Page::read(call.request, &[], MAX_PAGE)?;
    let rows = call.inner.store.maps.rows.after(page.after()?);
    Ok(page.reply("maps", rows, |map| call.place().map(map)))
}

pub(super) fn create(call: &mut SyncCall<'_>) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(&["UniqueName", "Ttl", "CollectionTtl"])?;
    let (name, ttl) = (unique_name(&form)?, ttl(&form, &TTL)?);
    call.trace.sync_object.clone_from(&name);
    call.charge(call.inner.service.sid, Cost::Create)?;
    let made = call.inner.store.create_map(name, ttl, "system", call.now);
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
    form.only(&TTL)?;
    something(&form)?;
    let ttl = ttl(&form, &TTL)?;
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
    let done = call.inner.store.delete_map(sid, call.now);
    done.map_err(|error| call.refused(error))?;
    Ok(Reply::no_content())
}

/// The Map of a request about it or its items.
pub(super) fn find(call: &mut SyncCall<'_>, name: &str) -> Result<Sid, ApiError> {
    let head = call.inner.store.maps.get(name).map(|map| map.head().clone());
    call.about(head.as_ref(), name);
    head.map(|head| head.sid).ok_or_else(|| call.missing())
}

fn reply(call: &SyncCall<'_>, sid: Sid, status: u16) -> SyncAnswer {
    let map = call.inner.store.maps.rows.get(sid).ok_or_else(|| call.missing())?;
    Ok(Reply::json(status, &call.place().map(map)))
}
