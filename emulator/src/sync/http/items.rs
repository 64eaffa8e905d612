//! Items of a Map over HTTP. All of them are charged to their Map.

use std::ops::Bound;

use super::collection;
use super::{MAX_NAME, MAX_PAGE, SyncAnswer, SyncCall, something, ttl};
use crate::error::ApiError;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::Sid;
use crate::sync::limits::Cost;
use crate::sync::store::{Item, SyncMap};

/// `Ttl` is an alias of `ItemTtl`.
const TTL: [&str; 2] = ["ItemTtl", "Ttl"];

pub(super) fn list(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
    let page = Page::read(call.request, &["Order", "From", "Bounds"], MAX_PAGE)?;
    let query = &call.request.query;
    let descending = one_of(query.filled("Order"), ["asc", "desc"], "Order")?;
    let exclusive = one_of(query.filled("Bounds"), ["inclusive", "exclusive"], "Bounds")?;
    // A page token is the last key of the page before, and goes beyond where `From` started.
    let start = match (page.after_key()?, query.filled("From").map(str::to_owned)) {
        (Some(key), _) => Bound::Excluded(key),
        (None, Some(key)) if exclusive => Bound::Excluded(key),
        (None, Some(key)) => Bound::Included(key),
        (None, None) => Bound::Unbounded,
    };
    let sid = collection::find::<SyncMap>(call, name)?;
    call.charge(sid, Cost::Read)?;
    let map = call.inner.store.maps.rows.get(sid).ok_or_else(|| call.missing())?;
    let place = call.place();
    let render = |item: &&Item| place.item(map, item);
    let key = |item: &&Item| item.key.clone();
    Ok(if descending {
        page.reply_by_key(
            "items",
            map.items.range((Bound::Unbounded, start)).rev().map(|(_, item)| item),
            key,
            render,
        )
    } else {
        page.reply_by_key(
            "items",
            map.items.range((start, Bound::Unbounded)).map(|(_, item)| item),
            key,
            render,
        )
    })
}

pub(super) fn create(call: &mut SyncCall<'_>, name: &str) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(&["Key", "Data", "Ttl", "ItemTtl", "CollectionTtl"])?;
    let key = form.required("Key")?;
    if key.is_empty() || key.chars().count() > MAX_NAME {
        return Err(ApiError::invalid(format!("Key must have 1 to {MAX_NAME} characters")));
    }
    call.trace.key = Some(key.to_owned());
    form.required("Data")?;
    let sid = collection::find::<SyncMap>(call, name)?;
    let Some(data) = call.data(&form)? else {
        return Err(ApiError::invalid("Missing required parameter Data"));
    };
    let (item_ttl, map_ttl) = (ttl(&form, &TTL)?, ttl(&form, &["CollectionTtl"])?);
    call.charge(sid, Cost::Write(call.trace.payload_bytes))?;
    let made = call.inner.store.create_item(sid, key, data, item_ttl, "system", call.now);
    made.map_err(|error| call.refused(error))?;
    renew(call, sid, map_ttl)?;
    reply(call, sid, key, 201)
}

pub(super) fn fetch(call: &mut SyncCall<'_>, name: &str, key: &str) -> SyncAnswer {
    call.request.no_parameters()?;
    let sid = find(call, name, key)?;
    call.charge(sid, Cost::Read)?;
    reply(call, sid, key, 200)
}

pub(super) fn update(call: &mut SyncCall<'_>, name: &str, key: &str) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(&["Data", "Ttl", "ItemTtl", "CollectionTtl"])?;
    something(&form)?;
    if !["Data", "Ttl", "ItemTtl"].iter().any(|name| form.has(name)) {
        return Err(ApiError::new(400, 54010, "CollectionTtl needs Data or ItemTtl beside it"));
    }
    let expected = call.expected()?;
    let sid = find(call, name, key)?;
    let data = call.data(&form)?;
    let (item_ttl, map_ttl) = (ttl(&form, &TTL)?, ttl(&form, &["CollectionTtl"])?);
    call.charge(sid, Cost::Write(call.trace.payload_bytes))?;
    let done = call.inner.store.update_item(sid, key, data, item_ttl, expected, call.now);
    done.map_err(|error| call.refused(error))?;
    renew(call, sid, map_ttl)?;
    reply(call, sid, key, 200)
}

pub(super) fn delete(call: &mut SyncCall<'_>, name: &str, key: &str) -> SyncAnswer {
    call.request.no_parameters()?;
    let expected = call.expected()?;
    let sid = find(call, name, key)?;
    call.charge(sid, Cost::Write(0))?;
    let done = call.inner.store.remove_item(sid, key, expected, call.now);
    done.map_err(|error| call.refused(error))?;
    Ok(Reply::no_content())
}

/// A key with a slash can be created but never addressed (seen live).
fn find(call: &mut SyncCall<'_>, name: &str, key: &str) -> Result<Sid, ApiError> {
    call.trace.key = Some(key.to_owned());
    if key.contains('/') {
        return Err(ApiError::invalid("Parameter 'key' is not valid"));
    }
    let sid = collection::find::<SyncMap>(call, name)?;
    let there = call.inner.store.maps.rows.get(sid).is_some_and(|map| map.items.contains_key(key));
    if there { Ok(sid) } else { Err(call.missing()) }
}

/// `CollectionTtl` on an item write resets the Map's expiry to now + `CollectionTtl` seconds (seen live).
fn renew(call: &mut SyncCall<'_>, map: Sid, ttl: Option<i64>) -> Result<(), ApiError> {
    match ttl {
        None => Ok(()),
        ttl => call.inner.store.set_ttl(map, ttl, call.now).map_err(|error| call.refused(error)),
    }
}

fn reply(call: &SyncCall<'_>, sid: Sid, key: &str, status: u16) -> SyncAnswer {
    let map = call.inner.store.maps.rows.get(sid).ok_or_else(|| call.missing())?;
    let item = map.items.get(key).ok_or_else(|| call.missing())?;
    Ok(Reply::json(status, &call.place().item(map, item)).with_etag(item.revision))
}

/// Is the value the second of the two allowed ones? The first is the default.
fn one_of(value: Option<&str>, allowed: [&str; 2], name: &str) -> Result<bool, ApiError> {
    match value {
        None => Ok(false),
        Some(value) if value == allowed[0] => Ok(false),
        Some(value) if value == allowed[1] => Ok(true),
        Some(_) => Err(ApiError::invalid(format!("{name} must be {} or {}", allowed[0], allowed[1]))),
    }
}
