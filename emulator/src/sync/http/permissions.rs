//! Permissions of Documents and Maps over HTTP: what one identity may do with one object once the service's ACL is on.

use super::{MAX_PAGE, SyncAnswer, SyncCall};
use crate::error::ApiError;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sync::limits::Cost;
use crate::sync::store::{Head, Object, Rights};

pub(super) fn list(call: &mut SyncCall<'_>, kind: &str, name: &str) -> SyncAnswer {
    let page = Page::read(call.request, &[], MAX_PAGE)?;
    let after = page.after_key()?;
    let head = find(call, kind, name)?;
    call.charge(head.sid, Cost::Permission)?;
    let place = call.place();
    let rows =
        head.permissions.iter().filter(|(identity, _)| after.as_ref().is_none_or(|after| *identity > after));
    Ok(page.reply_by_key(
        "permissions",
        rows,
        |(identity, _)| (*identity).clone(),
        |(identity, rights)| place.permission(&head, kind, identity, **rights),
    ))
}

pub(super) fn fetch(call: &mut SyncCall<'_>, kind: &str, name: &str, identity: &str) -> SyncAnswer {
    call.request.no_parameters()?;
    let head = find(call, kind, name)?;
    call.charge(head.sid, Cost::Permission)?;
    let rights = head.permissions.get(identity).copied().ok_or_else(|| call.missing())?;
    Ok(Reply::json(200, &call.place().permission(&head, kind, identity, rights)))
}

pub(super) fn update(call: &mut SyncCall<'_>, kind: &str, name: &str, identity: &str) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(&["Read", "Write", "Manage"])?;
    let right = |name| {
        form.required(name)?;
        form.boolean(name)?.ok_or_else(|| ApiError::invalid(format!("{name} must be true or false")))
    };
    let rights = Rights { read: right("Read")?, write: right("Write")?, manage: right("Manage")? };
    let head = find(call, kind, name)?;
    call.charge(head.sid, Cost::Permission)?;
    if let Some(permissions) = call.inner.store.permissions(head.sid) {
        permissions.insert(identity.to_owned(), rights);
    }
    Ok(Reply::json(200, &call.place().permission(&head, kind, identity, rights)))
}

pub(super) fn delete(call: &mut SyncCall<'_>, kind: &str, name: &str, identity: &str) -> SyncAnswer {
    call.request.no_parameters()?;
    let head = find(call, kind, name)?;
    call.charge(head.sid, Cost::Permission)?;
    match call.inner.store.permissions(head.sid).and_then(|permissions| permissions.remove(identity)) {
        Some(_) => Ok(Reply::no_content()),
        None => Err(call.missing()),
    }
}

fn find(call: &mut SyncCall<'_>, kind: &str, name: &str) -> Result<Head, ApiError> {
    let store = &call.inner.store;
    let head = if kind == "Maps" {
        store.maps.get(name).map(Object::head).cloned()
    } else {
        store.documents.get(name).map(Object::head).cloned()
    };
    call.about(head.as_ref(), name);
    head.ok_or_else(|| call.missing())
}
