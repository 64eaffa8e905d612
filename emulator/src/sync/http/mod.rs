//! Sync's REST API: routes, and what all of them share.
//!
//! A request is first read and checked, then its object looked up, then charged to the object's budget, and only then
//! carried out: a 429 has changed nothing.

mod collection;
mod documents;
mod items;
mod maps;
mod permissions;
mod service;
mod streams;

use std::sync::Arc;

use tokio::time::Instant;

use super::limits::Cost;
use super::render::SyncPlace;
use super::store::{Document, Head, StoreError, Stream, SyncMap};
use super::{SyncHandle, SyncInner};
use crate::error::ApiError;
use crate::json::Data;
use crate::params::Params;
use crate::rest::reply::Reply;
use crate::rest::request::{Request, Trace};
use crate::settings::Limits;
use crate::sid::Sid;

/// Largest data of a Document or item, as UTF-8 JSON (Sync Limits).
const MAX_DATA: usize = 16 * 1024;
/// Longest unique name and key (OpenAPI).
pub(crate) const MAX_NAME: usize = 320;
/// Longest time to live in seconds (error 54011).
const MAX_TTL: i64 = 31_536_000;
/// Sync pages hold at most this many.
pub(crate) const MAX_PAGE: usize = 100;

pub(crate) struct SyncCall<'a> {
    pub(crate) request: &'a Request,
    pub(crate) trace: &'a mut Trace,
    pub(crate) inner: &'a mut SyncInner,
    pub(crate) limits: &'a Limits,
    pub(crate) now: i64,
    pub(crate) instant: Instant,
}

type SyncAnswer = Result<Reply, ApiError>;

/// Answers a request whose path starts with `/v1/Services`.
pub(crate) fn route(sync: &SyncHandle, limits: &Limits, request: &Request, trace: &mut Trace) -> SyncAnswer {
    sync.with(|inner, now| {
        let mut call = SyncCall { request, trace, inner, limits, now, instant: Instant::now() };
        let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
        if request.method == "GET" && segments.len() == 2 {
            return service::list(&call);
        }
        let Some((service, rest)) = segments.get(2..).and_then(<[&str]>::split_first) else {
            return Err(ApiError::unknown_path(&request.path));
        };
        // Spec text of the map permission endpoints knows the alias `default`.
        let ours = *service == "default" || *service == call.inner.service.sid.to_string();
        if !ours {
            return Err(ApiError::not_found(&request.path));
        }
        let method = request.method.as_str();
        match (method, rest) {
            ("GET", []) => service::fetch(&call),
            ("POST", []) => service::update(&mut call),
            (_, ["Documents", rest @ ..]) if rest.len() < 2 => collection::route::<Document>(&mut call, rest),
            (_, ["Maps", rest @ ..]) if rest.len() < 2 => collection::route::<SyncMap>(&mut call, rest),
            (_, ["Streams", rest @ ..]) if rest.len() < 2 => collection::route::<Stream>(&mut call, rest),
            ("GET", ["Maps", name, "Items"]) => items::list(&mut call, name),
            ("POST", ["Maps", name, "Items"]) => items::create(&mut call, name),
            ("GET", ["Maps", name, "Items", key]) => items::fetch(&mut call, name, key),
            ("POST", ["Maps", name, "Items", key]) => items::update(&mut call, name, key),
            ("DELETE", ["Maps", name, "Items", key]) => items::delete(&mut call, name, key),
            ("POST", ["Streams", name, "Messages"]) => streams::publish(&mut call, name),
            ("GET", [kind @ ("Documents" | "Maps"), name, "Permissions"]) => {
                permissions::list(&mut call, kind, name)
            }
            ("GET", [kind @ ("Documents" | "Maps"), name, "Permissions", identity]) => {
                permissions::fetch(&mut call, kind, name, identity)
            }
            ("POST", [kind @ ("Documents" | "Maps"), name, "Permissions", identity]) => {
                permissions::update(&mut call, kind, name, identity)
            }
            ("DELETE", [kind @ ("Documents" | "Maps"), name, "Permissions", identity]) => {
                permissions::delete(&mut call, kind, name, identity)
            }
            _ => Err(ApiError::unknown_path(&request.path)),
        }
    })
}

impl SyncCall<'_> {
    fn missing(&self) -> ApiError {
        ApiError::not_found(&self.request.path)
    }

    fn place(&self) -> SyncPlace<'_> {
        SyncPlace { base: &self.request.base, service: &self.inner.service }
    }

    fn refused(&self, error: StoreError) -> ApiError {
        refusal(error, &self.request.path)
    }

    fn charge(&mut self, object: Sid, cost: Cost) -> Result<(), ApiError> {
        self.inner.limits.charge(object, cost, self.limits, self.instant)
    }

    /// Notes for the journal which object a request is about.
    fn about(&mut self, head: Option<&Head>, given: &str) {
        let name = head.and_then(|head| head.unique_name.clone());
        self.trace.sync_object = Some(name.unwrap_or_else(|| given.to_owned()));
    }

    /// The `Data` parameter: a JSON object within the size limit.
    fn data(&mut self, form: &Params) -> Result<Option<Arc<Data>>, ApiError> {
        let Some(text) = form.one("Data") else { return Ok(None) };
        let data = Data::parse(text).map_err(|_| wrong_type())?;
        self.trace.payload_bytes = size(&data)?;
        Ok(Some(Arc::new(data)))
    }

    /// The `If-Match` header: a revision, bare or in quotes.
    fn expected(&self) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.request.header("if-match") else { return Ok(None) };
        match text.trim().trim_matches('"').parse() {
            Ok(revision) => Ok(Some(revision)),
            Err(_) => Err(ApiError::new(400, 54003, "Invalid If-Match header")),
        }
    }
}

fn wrong_type() -> ApiError {
    ApiError::new(400, 54008, "Invalid request body: the type of one of the attributes is invalid")
}

/// The size of data that Sync takes: a JSON object within the size limit.
pub(crate) fn size(data: &Data) -> Result<usize, ApiError> {
    if !data.is_object() {
        return Err(wrong_type());
    }
    match data.text().len() {
        bytes if bytes > MAX_DATA => Err(ApiError::new(413, 54006, "Request entity too large")),
        bytes => Ok(bytes),
    }
}

pub(crate) fn refusal(error: StoreError, path: &str) -> ApiError {
    match error {
        StoreError::Missing => ApiError::not_found(path),
        StoreError::NameExists => ApiError::new(409, 54301, "Unique name already exists"),
        StoreError::KeyExists => {
            ApiError::new(409, 54208, "An Item with given key already exists in the Map")
        }
        StoreError::DocumentRevision => {
            ApiError::new(412, 54103, "The revision of the Document does not match the expected revision")
        }
        StoreError::ItemRevision => {
            ApiError::new(412, 54205, "The revision of the Map Item does not match the expected revision")
        }
    }
}

/// A TTL parameter: seconds within range; empty is allowed and means none.
fn ttl(form: &Params, names: &[&str]) -> Result<Option<i64>, ApiError> {
    let Some(text) = names.iter().find_map(|name| form.filled(name)) else { return Ok(None) };
    seconds(text.parse().ok()).map(Some)
}

/// A time to live within range.
pub(crate) fn seconds(given: Option<i64>) -> Result<i64, ApiError> {
    given
        .filter(|seconds| (0..=MAX_TTL).contains(seconds))
        .ok_or_else(|| ApiError::new(400, 54011, "Invalid TTL: it must be an integer from 0 to 31536000"))
}

/// A unique name for a new object; an empty one is none.
fn unique_name(form: &Params) -> Result<Option<String>, ApiError> {
    match form.filled("UniqueName") {
        Some(name) => short(name).map(Some),
        None => Ok(None),
    }
}

/// A unique name that is not too long.
pub(crate) fn short(name: &str) -> Result<String, ApiError> {
    if name.chars().count() > MAX_NAME {
        return Err(ApiError::invalid(format!("UniqueName is longer than {MAX_NAME} characters")));
    }
    Ok(name.to_owned())
}

fn something(form: &Params) -> Result<(), ApiError> {
    if form.pairs().is_empty() {
        return Err(ApiError::new(400, 54010, "At least one parameter is required"));
    }
    Ok(())
}
