//! Sync resources as JSON, field for field as in Twilio's OpenAPI examples.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Service;
use super::store::{Document, Head, Item, Rights, Stream, SyncMap};
use crate::clock::iso;

/// Where resources live and whose they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) base: &'a str,
    pub(crate) service: &'a Service,
}

/// A path segment from any text.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Place<'_> {
    fn url(&self, path: &str) -> String {
        format!("{}/v1/Services/{}{path}", self.base, self.service.sid)
    }

    fn head(&self, head: &Head, kind: &str) -> Value {
        json!({
            "sid": head.sid,
            "unique_name": head.unique_name,
            "account_sid": self.service.account,
            "service_sid": self.service.sid,
            "url": self.url(&format!("/{kind}/{}", head.sid)),
            "date_expires": head.expires.map(iso),
            "date_created": iso(head.created),
            "date_updated": iso(head.updated),
            "created_by": head.created_by,
        })
    }

    pub(crate) fn document(&self, document: &Document) -> Value {
        let mut body = self.head(&document.head, "Documents");
        body["revision"] = document.head.revision.to_string().into();
        body["data"] = (*document.data).clone();
        body["links"] =
            json!({ "permissions": self.url(&format!("/Documents/{}/Permissions", document.head.sid)) });
        body
    }

    pub(crate) fn map(&self, map: &SyncMap) -> Value {
        let mut body = self.head(&map.head, "Maps");
        let sid = map.head.sid;
        body["revision"] = map.head.revision.to_string().into();
        body["links"] = json!({
            "items": self.url(&format!("/Maps/{sid}/Items")),
            "permissions": self.url(&format!("/Maps/{sid}/Permissions")),
        });
        body
    }

    pub(crate) fn item(&self, map: &SyncMap, item: &Item) -> Value {
        let sid = map.head.sid;
        json!({
            "key": item.key,
            "map_sid": sid,
            "account_sid": self.service.account,
            "service_sid": self.service.sid,
            "url": self.url(&format!("/Maps/{sid}/Items/{}", segment(&item.key))),
            "revision": item.revision.to_string(),
            "data": *item.data,
            "date_expires": item.expires.map(iso),
            "date_created": iso(item.created),
            "date_updated": iso(item.updated),
            "created_by": item.created_by,
        })
    }

    pub(crate) fn stream(&self, stream: &Stream) -> Value {
        let mut body = self.head(&stream.head, "Streams");
        body["links"] = json!({ "messages": self.url(&format!("/Streams/{}/Messages", stream.head.sid)) });
        body
    }

    /// A permission; `kind` is `Documents` or `Maps`.
    pub(crate) fn permission(&self, head: &Head, kind: &str, identity: &str, rights: Rights) -> Value {
        let path = format!("/{kind}/{}/Permissions/{}", head.sid, segment(identity));
        let mut body = json!({
            "account_sid": self.service.account,
            "service_sid": self.service.sid,
            "identity": identity,
            "read": rights.read,
            "write": rights.write,
            "manage": rights.manage,
            "url": self.url(&path),
        });
        body[if kind == "Maps" { "map_sid" } else { "document_sid" }] = head.sid.to_string().into();
        body
    }

    pub(crate) fn service(&self) -> Value {
        let service = self.service;
        json!({
            "sid": service.sid,
            "unique_name": Value::Null,
            "account_sid": service.account,
            "friendly_name": service.friendly_name,
            "date_created": iso(service.created),
            "date_updated": iso(service.updated),
            "url": self.url(""),
            "webhook_url": service.webhook_url,
            "webhooks_from_rest_enabled": service.webhooks_from_rest,
            "reachability_webhooks_enabled": service.reachability_webhooks,
            "acl_enabled": service.acl_enabled,
            "reachability_debouncing_enabled": service.debouncing,
            "reachability_debouncing_window": service.debouncing_window,
            "links": {
                "documents": self.url("/Documents"),
                "lists": self.url("/Lists"),
                "maps": self.url("/Maps"),
                "streams": self.url("/Streams"),
            },
        })
    }
}
