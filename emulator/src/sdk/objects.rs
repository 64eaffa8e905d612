//! The Sync requests of the SDK: Documents, Maps and items as JSON, with `last_event_id` on each.
//!
//! ```text
//! POST             /v3/Documents           GET POST DELETE  /v3/Documents/{d}
//! POST             /v3/Maps                GET POST DELETE  /v3/Maps/{m}       ?Include=items
//! GET              /v3/Maps/{m}/Items      ?Key | From | PageToken, PageSize, Order
//! PUT POST DELETE  /v3/Maps/{m}/Items/{key}
//! ```
//!
//! Limits, sizes and refusals are those of the REST API, with the same budgets. Where access control is on, an
//! identity needs the right for what it does.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::items;
use super::message::HttpRequest;
use crate::clock::iso_ms;
use crate::error::ApiError;
use crate::json::{Data, JsonObject, object};
use crate::parts::Core;
use crate::sid::Sid;
use crate::sync::SyncInner;
use crate::sync::http::{refusal, seconds, short, size};
use crate::sync::limits::Cost;
use crate::sync::render::segment;
use crate::sync::store::{Document, Head, Item, Object, Rights, StoreError, SyncMap};

/// Items that come along with `Include=items`.
const INCLUDED: usize = 50;

/// An answer: status and JSON, if it has any.
pub(super) type SdkAnswer = Result<(u16, Option<JsonObject>), ApiError>;

pub(super) struct SdkCall<'a> {
    pub(super) inner: &'a mut SyncInner,
    pub(super) request: &'a HttpRequest,
    body: ItemFields,
    identity: &'a str,
    limits: crate::settings::Limits,
    now: i64,
}

#[derive(Debug, Default, Deserialize)]
struct ItemFields {
    unique_name: Option<String>,
    data: Option<Box<RawValue>>,
    ttl: Option<i64>,
}

pub(super) fn answer(core: &Core, identity: &str, request: &HttpRequest, payload: &[u8]) -> SdkAnswer {
    let body = if payload.is_empty() {
        ItemFields::default()
    } else {
        let wrong = |error| ApiError::invalid(format!("The body is not understood: {error}"));
        serde_json::from_slice(payload).map_err(wrong)?
    };
    let segments = segments(&request.path);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let limits = core.tuning().limits;
    core.sync.with(|inner, now| {
        let mut call = SdkCall { inner, request, body, identity, limits, now };
        match (request.method.as_str(), &segments[..]) {
            ("POST", ["v3", "Documents"]) => call.create_document(),
            ("GET", ["v3", "Documents", name]) => call.fetch_document(name),
            ("POST", ["v3", "Documents", name]) => call.update_document(name),
            ("DELETE", ["v3", "Documents", name]) => call.delete_document(name),
            ("POST", ["v3", "Maps"]) => call.create_map(),
            ("GET", ["v3", "Maps", name]) => call.fetch_map(name),
            ("POST", ["v3", "Maps", name]) => call.update_map(name),
            ("DELETE", ["v3", "Maps", name]) => call.delete_map(name),
            ("GET", ["v3", "Maps", name, "Items"]) => items::list(&mut call, name),
            ("PUT", ["v3", "Maps", name, "Items", key]) => items::put(&mut call, name, key),
            ("POST", ["v3", "Maps", name, "Items", key]) => items::update(&mut call, name, key),
            ("DELETE", ["v3", "Maps", name, "Items", key]) => items::delete(&mut call, name, key),
            _ => Err(ApiError::unknown_path(&request.path)),
        }
    })
}

pub(super) fn may(inner: &mut SyncInner, sid: Sid, identity: &str, right: fn(&Rights) -> bool) -> bool {
    !inner.service.acl_enabled
        || inner.store.permissions(sid).and_then(|rights| rights.get(identity)).is_some_and(right)
}

/// 403/54007: the identity lacks the permission.
pub(super) fn forbidden() -> ApiError {
    ApiError::new(403, 54007, "Access forbidden for identity")
}

impl SdkCall<'_> {
    fn create_document(&mut self) -> SdkAnswer {
        let data = self.data()?.unwrap_or_else(|| Arc::new(Data::from(json!({}))));
        let (name, ttl) = (self.unique_name()?, self.ttl()?);
        self.charge(self.inner.service.sid, Cost::Create)?;
        let made = self.inner.store.create_document(name, data, ttl, self.identity, self.now);
        let sid = made.map_err(|error| self.refused(error))?;
        self.own(sid);
        Ok((201, Some(self.document(self.found(sid)?))))
    }

    fn fetch_document(&mut self, name: &str) -> SdkAnswer {
        let sid = self.inner.store.documents.find(name);
        let sid = self.allowed(sid, |rights| rights.read)?;
        self.charge(sid, Cost::Read)?;
        let document = self.found(sid)?;
        let mut body = self.document(document);
        body.set("data", &document.data);
        Ok((200, Some(body)))
    }

    fn update_document(&mut self, name: &str) -> SdkAnswer {
        let sid = self.inner.store.documents.find(name);
        let sid = self.allowed(sid, |rights| rights.write)?;
        let (data, ttl, expected) = (self.data()?, self.ttl()?, self.expected()?);
        self.charge(sid, Cost::Write(bytes(data.as_deref())))?;
        let done = self.inner.store.update_document(sid, data, ttl, expected, self.now);
        done.map_err(|error| self.refused(error))?;
        Ok((200, Some(self.document(self.found(sid)?))))
    }

    fn delete_document(&mut self, name: &str) -> SdkAnswer {
        let sid = self.inner.store.documents.find(name);
        let sid = self.allowed(sid, |rights| rights.manage)?;
        self.charge(sid, Cost::Write(0))?;
        let done = self.inner.store.delete_document(sid, self.now);
        done.map_err(|error| self.refused(error))?;
        Ok((204, None))
    }

    fn create_map(&mut self) -> SdkAnswer {
        let (name, ttl) = (self.unique_name()?, self.ttl()?);
        self.charge(self.inner.service.sid, Cost::Create)?;
        let made = self.inner.store.create_map(name, ttl, self.identity, self.now);
        let sid = made.map_err(|error| self.refused(error))?;
        self.own(sid);
        Ok((201, Some(self.map(self.found_map(sid)?))))
    }

    fn fetch_map(&mut self, name: &str) -> SdkAnswer {
        let sid = self.find_map(name, |rights| rights.read)?;
        self.charge(sid, Cost::Read)?;
        let map = self.found_map(sid)?;
        let mut body = self.map(map);
        if self.param("Include").as_deref() == Some("items") {
            let items = map.items.values().take(INCLUDED).map(|item| self.item(sid, item, true));
            body.set("items", &items.collect::<Vec<_>>());
        }
        Ok((200, Some(body)))
    }

    fn update_map(&mut self, name: &str) -> SdkAnswer {
        let sid = self.find_map(name, |rights| rights.write)?;
        let ttl = self.ttl()?;
        self.charge(sid, Cost::Write(0))?;
        self.inner.store.set_ttl(sid, ttl, self.now).map_err(|error| self.refused(error))?;
        Ok((200, Some(self.map(self.found_map(sid)?))))
    }

    fn delete_map(&mut self, name: &str) -> SdkAnswer {
        let sid = self.find_map(name, |rights| rights.manage)?;
        self.charge(sid, Cost::Write(0))?;
        self.inner.store.delete_map(sid, self.now).map_err(|error| self.refused(error))?;
        Ok((204, None))
    }

    /// The Map of a request about it or its items.
    pub(super) fn find_map(&mut self, name: &str, right: fn(&Rights) -> bool) -> Result<Sid, ApiError> {
        let sid = self.inner.store.maps.find(name);
        self.allowed(sid, right)
    }

    pub(super) fn found_map(&self, sid: Sid) -> Result<&SyncMap, ApiError> {
        self.inner.store.maps.rows.get(sid).ok_or_else(|| self.missing())
    }

    fn found(&self, sid: Sid) -> Result<&Document, ApiError> {
        self.inner.store.documents.rows.get(sid).ok_or_else(|| self.missing())
    }

    fn allowed(&mut self, sid: Option<Sid>, right: fn(&Rights) -> bool) -> Result<Sid, ApiError> {
        let sid = sid.ok_or_else(|| self.missing())?;
        if may(self.inner, sid, self.identity, right) { Ok(sid) } else { Err(forbidden()) }
    }

    fn own(&mut self, sid: Sid) {
        if let Some(rights) = self.inner.store.permissions(sid) {
            rights.insert(self.identity.to_owned(), Rights { read: true, write: true, manage: true });
        }
    }

    pub(super) fn missing(&self) -> ApiError {
        ApiError::not_found(&self.request.path)
    }

    pub(super) fn refused(&self, error: StoreError) -> ApiError {
        refusal(error, &self.request.path)
    }

    pub(super) fn charge(&mut self, object: Sid, cost: Cost) -> Result<(), ApiError> {
        self.inner.limits.charge(object, cost, &self.limits, Instant::now())
    }

    pub(super) fn moment(&self) -> i64 {
        self.now
    }

    pub(super) fn identity(&self) -> &str {
        self.identity
    }

    pub(super) fn param(&self, name: &str) -> Option<String> {
        let text = self.request.params.get(name)?.as_str()?;
        Some(percent_decode_str(text).decode_utf8_lossy().into_owned())
    }

    /// The new data, which must be an object of a size that Sync takes.
    pub(super) fn data(&mut self) -> Result<Option<Arc<Data>>, ApiError> {
        let Some(data) = self.body.data.take() else { return Ok(None) };
        // It was read as JSON before.
        let data = Data::parse(data.get()).map_err(|_| ApiError::invalid("data is not understood"))?;
        size(&data)?;
        Ok(Some(Arc::new(data)))
    }

    pub(super) fn ttl(&self) -> Result<Option<i64>, ApiError> {
        self.body.ttl.map(|given| seconds(Some(given))).transpose()
    }

    fn unique_name(&self) -> Result<Option<String>, ApiError> {
        self.body.unique_name.as_deref().filter(|name| !name.is_empty()).map(short).transpose()
    }

    /// The revision in `If-Match`.
    pub(super) fn expected(&self) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.if_match() else { return Ok(None) };
        text.parse().map(Some).map_err(|_| ApiError::new(400, 54003, "Invalid If-Match header"))
    }

    pub(super) fn if_match(&self) -> Option<&str> {
        let mut headers = self.request.headers.iter();
        headers.find(|(name, _)| name.eq_ignore_ascii_case("if-match")).and_then(|(_, value)| value.as_str())
    }

    fn url(&self, path: &str) -> String {
        // The SDK asks there by this very socket, which tells us host and path; the scheme is for show.
        format!("https://{}/v3{path}", self.request.host)
    }

    fn head(&self, head: &Head, path: &str) -> JsonObject {
        object!({
            "sid": head.sid,
            "unique_name": head.unique_name,
            "account_sid": self.inner.service.account,
            "service_sid": self.inner.service.sid,
            "url": self.url(&format!("/{path}/{}", head.sid)),
            "revision": head.revision.to_string(),
            "last_event_id": head.last_change,
            "date_expires": head.expires.map(iso_ms),
            "date_created": iso_ms(head.created),
            "date_updated": iso_ms(head.updated),
            "created_by": head.created_by,
        })
    }

    fn document(&self, document: &Document) -> JsonObject {
        self.head(document.head(), "Documents")
    }

    fn map(&self, map: &SyncMap) -> JsonObject {
        let head = map.head();
        let mut body = self.head(head, "Maps");
        body.set("links", &object!({ "items": self.url(&format!("/Maps/{}/Items", head.sid)) }));
        body
    }

    /// An item; an answer to a write comes without the data, which the SDK has.
    pub(super) fn item(&self, map: Sid, item: &Item, with_data: bool) -> JsonObject {
        let mut body = object!({
            "key": item.key,
            "map_sid": map,
            "url": self.url(&format!("/Maps/{map}/Items/{}", segment(&item.key))),
            "revision": item.revision.to_string(),
            "last_event_id": item.last_change,
            "date_expires": item.expires.map(iso_ms),
            "date_created": iso_ms(item.created),
            "date_updated": iso_ms(item.updated),
            "created_by": item.created_by,
        });
        if with_data {
            body.set("data", &item.data);
        }
        body
    }
}

pub(super) fn bytes(data: Option<&Data>) -> usize {
    data.map_or(0, |data| data.text().len())
}

fn segments(path: &str) -> Vec<String> {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    path.split('/').skip(1).map(decode).collect()
}
