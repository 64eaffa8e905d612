//! Sync resources as JSON, field for field as in Twilio's OpenAPI examples.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Service;
use super::store::{Document, Head, Item, Rights, Stream, SyncMap};
use crate::clock::iso;
use crate::json::{JsonObject, object};

/// Where resources live and whose they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SyncPlace<'a> {
    pub(crate) base: &'a str,
    pub(crate) service: &'a Service,
}

pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl SyncPlace<'_> {
    fn url(&self, path: &str) -> String {
        format!("{}/v1/Services/{}{path}", self.base, self.service.sid)
    }

    /// The fields up to `data`, which a Map and a Stream don't have.
    fn head(&self, head: &Head) -> JsonObject {
        object!({
            "account_sid": self.service.account,
            "created_by": head.created_by,
        })
    }

    /// The fields from `data` on.
    fn rest(&self, body: &mut JsonObject, head: &Head, kind: &str, links: &[&str]) {
        let url = self.url(&format!("/{kind}/{}", head.sid));
        body.set("date_expires", &head.expires.map(iso));
        body.set("date_created", &iso(head.created));
        body.set("date_updated", &iso(head.updated));
        if kind != "Streams" {
            body.set("revision", &head.revision.to_string());
        }
        body.set("service_sid", &self.service.sid);
        body.set("sid", &head.sid);
        body.set("unique_name", &head.unique_name);
        body.set("url", &url);
        let mut addresses = JsonObject::default();
        for link in links {
            addresses.set(link.to_lowercase(), &format!("{url}/{link}"));
        }
        body.set("links", &addresses);
    }

    pub(crate) fn document(&self, document: &Document) -> JsonObject {
        let mut body = self.head(&document.head);
        body.set("data", &document.data);
        self.rest(&mut body, &document.head, "Documents", &["Permissions"]);
        body
    }

    pub(crate) fn map(&self, map: &SyncMap) -> JsonObject {
        let mut body = self.head(&map.head);
        self.rest(&mut body, &map.head, "Maps", &["Items", "Permissions"]);
        body
    }

    pub(crate) fn item(&self, map: &SyncMap, item: &Item) -> JsonObject {
        let sid = map.head.sid;
        object!({
            "account_sid": self.service.account,
            "created_by": item.created_by,
            "data": item.data,
            "date_expires": item.expires.map(iso),
            "date_created": iso(item.created),
            "date_updated": iso(item.updated),
            "key": item.key,
            "map_sid": sid,
            "revision": item.revision.to_string(),
            "service_sid": self.service.sid,
            "url": self.url(&format!("/Maps/{sid}/Items/{}", segment(&item.key))),
        })
    }

    pub(crate) fn stream(&self, stream: &Stream) -> JsonObject {
        let mut body = self.head(&stream.head);
        self.rest(&mut body, &stream.head, "Streams", &["Messages"]);
        body
    }

    /// A permission; `kind` is `Documents` or `Maps`.
    pub(crate) fn permission(&self, head: &Head, kind: &str, identity: &str, rights: Rights) -> JsonObject {
        let path = format!("/{kind}/{}/Permissions/{}", head.sid, segment(identity));
        let mut body = object!({ "account_sid": self.service.account, "service_sid": self.service.sid });
        body.set(if kind == "Maps" { "map_sid" } else { "document_sid" }, &head.sid);
        body.set("identity", identity);
        body.set("read", &rights.read);
        body.set("write", &rights.write);
        body.set("manage", &rights.manage);
        body.set("url", &self.url(&path));
        body
    }

    pub(crate) fn service(&self) -> JsonObject {
        let service = self.service;
        object!({
            "account_sid": service.account,
            "date_created": iso(service.created),
            "date_updated": iso(service.updated),
            "friendly_name": service.friendly_name,
            "links": object!({
                "documents": self.url("/Documents"),
                "lists": self.url("/Lists"),
                "maps": self.url("/Maps"),
                "streams": self.url("/Streams"),
            }),
            "sid": service.sid,
            "unique_name": Value::Null,
            "url": self.url(""),
            "webhook_url": service.webhook_url,
            "webhooks_from_rest_enabled": service.webhooks_from_rest,
            "reachability_webhooks_enabled": service.reachability_webhooks,
            "acl_enabled": service.acl_enabled,
            "reachability_debouncing_enabled": service.debouncing,
            "reachability_debouncing_window": service.debouncing_window,
        })
    }
}
