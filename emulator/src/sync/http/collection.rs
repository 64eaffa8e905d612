//! What Documents, Maps and Streams have in common over HTTP: to list, create, fetch, update and delete them.

use super::{MAX_PAGE, SyncAnswer, SyncCall, something, ttl, unique_name};
use crate::error::ApiError;
use crate::json::JsonObject;
use crate::params::Params;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::Sid;
use crate::sync::limits::Cost;
use crate::sync::render::SyncPlace;
use crate::sync::store::{Object, Shelf, Store, StoreError, Ttl};

pub(super) trait Collection: Object + Sized {
    /// The member of a page that holds the list.
    const ROWS: &'static str;
    /// Parameters of a creation.
    const CREATE: &'static [&'static str];
    const TTL: &'static [&'static str];
    /// What a creation brings beside name and TTL.
    type Content;

    fn shelf(store: &Store) -> &Shelf<Self>;
    fn content(call: &mut SyncCall<'_>, form: &Params) -> Result<Self::Content, ApiError>;
    fn make(
        store: &mut Store,
        name: Option<String>,
        content: Self::Content,
        ttl: Ttl,
        now: i64,
    ) -> Result<Sid, StoreError>;
    fn remove(store: &mut Store, sid: Sid, now: i64) -> Result<(), StoreError>;
    fn render(&self, place: &SyncPlace<'_>) -> JsonObject;

    /// The revision to be sent as `ETag`.
    fn etag(&self) -> Option<u64> {
        None
    }

    /// An update of the TTL, which is all that a Map or Stream has.
    fn update(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
        let form = call.request.form()?;
        form.only(Self::TTL)?;
        something(&form)?;
        let ttl = ttl(&form, Self::TTL)?;
        let sid = find::<Self>(call, name)?;
        call.charge(sid, Cost::Write(0))?;
        let done = call.inner.store.set_ttl(sid, ttl, call.now);
        done.map_err(|error| call.refused(error))?;
        reply::<Self>(call, sid, 200)
    }
}

/// A request to a collection (`rest` is empty) or to the object of this name.
pub(super) fn route<T: Collection>(call: &mut SyncCall<'_>, rest: &[&str]) -> SyncAnswer {
    match (call.request.method.as_str(), rest) {
        ("GET", []) => list::<T>(call),
        ("POST", []) => create::<T>(call),
        ("GET", [name]) => fetch::<T>(call, name),
        ("POST", [name]) => T::update(call, name),
        ("DELETE", [name]) => delete::<T>(call, name),
        _ => Err(ApiError::unknown_path(&call.request.path)),
    }
}

fn list<T: Collection>(call: &SyncCall<'_>) -> SyncAnswer {
    let page = Page::read(call.request, &[], MAX_PAGE)?;
    let rows = T::shelf(&call.inner.store).rows.after(page.after()?);
    Ok(page.reply(T::ROWS, rows, |object| object.render(&call.place())))
}

fn create<T: Collection>(call: &mut SyncCall<'_>) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(T::CREATE)?;
    let name = unique_name(&form)?;
    call.trace.sync_object.clone_from(&name);
    let content = T::content(call, &form)?;
    let ttl = ttl(&form, T::TTL)?;
    call.charge(call.inner.service.sid, Cost::Create)?;
    let made = T::make(&mut call.inner.store, name, content, ttl, call.now);
    let sid = made.map_err(|error| call.refused(error))?;
    reply::<T>(call, sid, 201)
}

fn fetch<T: Collection>(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
    call.request.no_parameters()?;
    let sid = find::<T>(call, name)?;
    call.charge(sid, Cost::Read)?;
    reply::<T>(call, sid, 200)
}

fn delete<T: Collection>(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
    call.request.no_parameters()?;
    let sid = find::<T>(call, name)?;
    call.charge(sid, Cost::Write(0))?;
    let done = T::remove(&mut call.inner.store, sid, call.now);
    done.map_err(|error| call.refused(error))?;
    Ok(Reply::no_content())
}

pub(super) fn find<T: Collection>(call: &mut SyncCall<'_>, name: &str) -> Result<Sid, ApiError> {
    let head = T::shelf(&call.inner.store).get(name).map(|object| object.head().clone());
    call.about(head.as_ref(), name);
    head.map(|head| head.sid).ok_or_else(|| call.missing())
}

pub(super) fn reply<T: Collection>(call: &SyncCall<'_>, sid: Sid, status: u16) -> SyncAnswer {
    let object = T::shelf(&call.inner.store).rows.get(sid).ok_or_else(|| call.missing())?;
    let reply = Reply::json(status, &object.render(&call.place()));
    Ok(match object.etag() {
        Some(revision) => reply.with_etag(revision),
        None => reply,
    })
}
