//! Items of a Map for the SDK: pages in either direction, and writes that create what is missing.

use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::objects::{SdkAnswer, SdkCall, bytes};
use crate::error::ApiError;
use crate::json::{JsonObject, object};
use crate::sync::http::{MAX_NAME, MAX_PAGE};
use crate::sync::limits::Cost;
use crate::sync::store::{Item, SyncMap};

/// Items on a page unless told otherwise.
const PAGE: usize = 50;

/// Where a page begins, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Start {
    Beginning,
    /// With this key, or the next one.
    From(String),
    /// Right after this key.
    After(String),
    /// As many as fit before this key.
    Before(String),
}

impl Start {
    fn token(&self) -> Option<String> {
        let text = match self {
            Self::After(key) => format!("a{key}"),
            Self::Before(key) => format!("b{key}"),
            Self::Beginning | Self::From(_) => return None,
        };
        Some(URL_SAFE_NO_PAD.encode(text))
    }

    fn read(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let key = |key: &str| key.to_owned();
        text.strip_prefix('a').map(key).map(Self::After).or(text.strip_prefix('b').map(key).map(Self::Before))
    }
}

pub(super) fn list(call: &mut SdkCall<'_>, name: &str) -> SdkAnswer {
    let sid = call.find_map(name, |rights| rights.read)?;
    call.charge(sid, Cost::Read)?;
    let map = call.found_map(sid)?;
    let (items, previous, next) = if let Some(key) = call.param("Key") {
        (map.items.get(&key).into_iter().collect(), None, None)
    } else {
        let size = match call.param("PageSize") {
            None => PAGE,
            Some(text) => text
                .parse()
                .ok()
                .filter(|size| (1..=MAX_PAGE).contains(size))
                .ok_or_else(|| ApiError::invalid(format!("PageSize must be from 1 to {MAX_PAGE}")))?,
        };
        let descending = match call.param("Order").as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(ApiError::invalid("Order must be asc or desc")),
        };
        let start = match (call.param("PageToken"), call.param("From")) {
            (Some(token), _) => Start::read(&token).ok_or_else(|| ApiError::invalid("Invalid PageToken"))?,
            (None, Some(key)) => Start::From(key),
            (None, None) => Start::Beginning,
        };
        page(map, &start, size, descending)
    };
    let items: Vec<JsonObject> = items.into_iter().map(|item| call.item(sid, item, true)).collect();
    let meta = object!({
        "key": "items",
        "previous_token": previous.and_then(|start| start.token()),
        "next_token": next.and_then(|start| start.token()),
    });
    Ok((200, Some(object!({ "items": items, "meta": meta }))))
}

/// A page, and where the pages before and after it begin, if there are any.
fn page<'a>(
    map: &'a SyncMap,
    start: &Start,
    size: usize,
    descending: bool,
) -> (Vec<&'a Item>, Option<Start>, Option<Start>) {
    // Along the list from a key on, whichever way the list goes.
    let along = |from: Bound<&String>, backwards: bool| -> Box<dyn Iterator<Item = &'a Item> + 'a> {
        let (from, end) = (from.cloned(), Bound::Unbounded);
        if descending == backwards {
            Box::new(map.items.range((from, end)).map(|(_, item)| item))
        } else {
            Box::new(map.items.range((end, from)).rev().map(|(_, item)| item))
        }
    };
    let items: Vec<&Item> = match start {
        Start::Beginning => along(Bound::Unbounded, false).take(size).collect(),
        Start::From(key) => along(Bound::Included(key), false).take(size).collect(),
        Start::After(key) => along(Bound::Excluded(key), false).take(size).collect(),
        Start::Before(key) => {
            let mut items: Vec<&Item> = along(Bound::Excluded(key), true).take(size).collect();
            items.reverse();
            items
        }
    };
    let beyond = |item: Option<&&Item>, backwards: bool| {
        let key = &item?.key;
        along(Bound::Excluded(key), backwards).next().map(|_| key.clone())
    };
    let previous = beyond(items.first(), true).map(Start::Before);
    let next = beyond(items.last(), false).map(Start::After);
    (items, previous, next)
}

/// Creates or replaces an item. `If-Match: -1` creates only; any other replaces only that revision.
pub(super) fn put(call: &mut SdkCall<'_>, name: &str, key: &str) -> SdkAnswer {
    if key.is_empty() || key.chars().count() > MAX_NAME {
        return Err(ApiError::invalid(format!("Key must have 1 to {MAX_NAME} characters")));
    }
    let sid = call.find_map(name, |rights| rights.write)?;
    let data = call.data()?.ok_or_else(|| ApiError::invalid("Missing required attribute data"))?;
    let ttl = call.ttl()?;
    let there = call.found_map(sid)?.items.contains_key(key);
    let other =
        || ApiError::new(412, 54205, "The revision of the Map Item does not match the expected revision");
    let create_only = call.if_match() == Some("-1");
    let expected = if create_only { None } else { call.expected()? };
    if (create_only && there) || (expected.is_some() && !there) {
        return Err(other());
    }
    call.charge(sid, Cost::Write(bytes(Some(&data))))?;
    let (now, identity) = (call.moment(), call.identity().to_owned());
    let store = &mut call.inner.store;
    let done = if there {
        store.update_item(sid, key, Some(data), ttl, expected, now)
    } else {
        store.create_item(sid, key, data, ttl, &identity, now)
    };
    done.map_err(|error| call.refused(error))?;
    let map = call.found_map(sid)?;
    let item = map.items.get(key).ok_or_else(|| call.missing())?;
    Ok((if there { 200 } else { 201 }, Some(call.item(sid, item, false))))
}

/// A new time to live, or new data, for an item that is there.
pub(super) fn update(call: &mut SdkCall<'_>, name: &str, key: &str) -> SdkAnswer {
    let sid = call.find_map(name, |rights| rights.write)?;
    let (data, ttl, expected) = (call.data()?, call.ttl()?, call.expected()?);
    call.charge(sid, Cost::Write(bytes(data.as_deref())))?;
    let done = call.inner.store.update_item(sid, key, data, ttl, expected, call.moment());
    done.map_err(|error| call.refused(error))?;
    let item = call.found_map(sid)?.items.get(key).ok_or_else(|| call.missing())?;
    Ok((200, Some(call.item(sid, item, false))))
}

/// The SDK wants to know the number of the removal.
pub(super) fn delete(call: &mut SdkCall<'_>, name: &str, key: &str) -> SdkAnswer {
    let sid = call.find_map(name, |rights| rights.write)?;
    let expected = call.expected()?;
    call.charge(sid, Cost::Write(0))?;
    let done = call.inner.store.remove_item(sid, key, expected, call.moment());
    done.map_err(|error| call.refused(error))?;
    let body = object!({
        "last_event_id": call.inner.store.last_change,
        "date_updated": crate::clock::iso_ms(call.moment()),
    });
    Ok((200, Some(body)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::sync::store::Store;

    fn keys(
        count: usize,
        start: &Start,
        size: usize,
        descending: bool,
    ) -> (String, Option<Start>, Option<Start>) {
        let mut store = Store::new(1);
        let sid = store.create_map(None, None, "a", 0).unwrap();
        for n in 0..count {
            store.create_item(sid, &n.to_string(), Arc::new(json!({}).into()), None, "a", 0).unwrap();
        }
        let map = store.maps.rows.get(sid).unwrap();
        let (items, previous, next) = page(map, start, size, descending);
        (items.iter().map(|item| item.key.as_str()).collect(), previous, next)
    }

    #[test]
    fn pages_lead_forth_and_back() {
        let (after, before) =
            (|key: &str| Start::After(key.to_owned()), |key: &str| Start::Before(key.to_owned()));
        let at = |key: &str| Start::From(key.to_owned());
        assert_eq!(keys(7, &Start::Beginning, 3, false), ("012".to_owned(), None, Some(after("2"))));
        assert_eq!(keys(7, &after("2"), 3, false), ("345".to_owned(), Some(before("3")), Some(after("5"))));
        assert_eq!(keys(7, &after("5"), 3, false), ("6".to_owned(), Some(before("6")), None));
        assert_eq!(keys(7, &before("6"), 3, false), ("345".to_owned(), Some(before("3")), Some(after("5"))));
        assert_eq!(keys(7, &at("4"), 3, false), ("456".to_owned(), Some(before("4")), None));
        assert_eq!(keys(7, &at("4"), 3, true), ("432".to_owned(), Some(before("4")), Some(after("2"))));
        assert_eq!(keys(7, &Start::Beginning, 3, true), ("654".to_owned(), None, Some(after("4"))));
        assert_eq!(keys(7, &before("4"), 3, true), ("65".to_owned(), None, Some(after("5"))));
        assert_eq!(keys(0, &Start::Beginning, 3, false), (String::new(), None, None));
        for start in [after("é/"), before("")] {
            assert_eq!(Start::read(&start.token().unwrap()), Some(start));
        }
        assert_eq!(Start::read("!"), None);
    }
}
