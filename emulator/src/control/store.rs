//! The contents of Sync over the control pages: read, and changed as another writer would, without limits.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ControlAnswer, done, missing, nothing, read, value};
use crate::parts::Core;
use crate::rest::request::Request;

#[derive(Deserialize)]
struct Acl {
    enabled: bool,
}

pub(super) fn route(core: &Core, request: &Request, method: &str, path: &[&str]) -> ControlAnswer {
    let sync = &core.sync;
    match (method, path) {
        ("GET", []) => {
            let documents: Map<String, Value> = sync
                .documents()
                .into_iter()
                .map(|name| (name.clone(), sync.document(&name).into()))
                .collect();
            let maps: Map<String, Value> =
                sync.maps().into_iter().map(|name| (name.clone(), json!(sync.map_items(&name)))).collect();
            let (version, acl) = (sync.version(), sync.acl());
            done(&json!({ "version": version, "acl_enabled": acl, "documents": documents, "maps": maps }))
        }
        ("PUT", ["acl"]) => {
            let Acl { enabled } = read(request)?;
            sync.set_acl(enabled);
            nothing()
        }
        ("GET", ["documents", name]) => match sync.document(name) {
            Some(data) => done(&json!({ "data": data, "revision": sync.document_revision(name) })),
            None => Err(missing("Document", name)),
        },
        ("PUT", ["documents", name]) => {
            done(&json!({ "revision": sync.put_document(name, value(request)?) }))
        }
        ("DELETE", ["documents", name]) if sync.delete_document(name) => nothing(),
        ("GET", ["maps", name]) => {
            sync.map_items(name).map_or_else(|| Err(missing("Map", name)), |items| done(&items))
        }
        ("DELETE", ["maps", name]) if sync.delete_map(name) => nothing(),
        ("GET", ["maps", name, "items", key]) => match sync.item(name, key) {
            Some((data, revision)) => done(&json!({ "data": data, "revision": revision })),
            None => Err(missing("item", key)),
        },
        ("PUT", ["maps", name, "items", key]) => {
            done(&json!({ "revision": sync.put_item(name, key, value(request)?) }))
        }
        ("DELETE", ["maps", name, "items", key]) if sync.delete_item(name, key) => nothing(),
        _ => Err((404, "no such object in Sync".to_owned())),
    }
}
