//! The Flex plugin: its bundle below a versioned path, and its description (`/flex-plugin.json`).
//!
//! A PluginVersion names the bundle's URL, and Twilio keeps that name until the next release. So the address of another
//! version leads to the bundle of this one: after an upgrade agents go on, before `setup --flex-plugin` has released it.
//!
//! The bundle needs no account, so strangers may ask for it on thousands of connections and read slowly: all of them share
//! one copy of it, or one compressed copy.

use std::borrow::Cow;
use std::io::Write;
use std::sync::LazyLock;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, ETAG, LOCATION, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest, Sha384};
use utoipa::ToSchema;

use super::error::ApiError;
use super::headers::RESOURCE_POLICY;
use super::openapi::refusals::NotFound;
use super::{AppState, page};
use crate::VERSION;
use crate::config::PublicUrl;

/// The folder that the page's build puts the bundle into.
const FOLDER: &str = "flex-plugin/";
const KEPT: &str = "public, max-age=31536000, immutable";

/// The plugin that this program carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FlexPlugin)]
pub struct FlexPluginBundle {
    /// The service's version; Flex's pages may show a mark behind it
    pub version: &'static str,
    /// The URL of the bundle
    pub url: String,
    /// The bundle's hash, as a script's attribute `integrity` has it
    pub integrity: String,
    /// The bundle's size in bytes
    pub bytes: usize,
}

/// What was built, read and hashed once.
struct Script {
    /// Its name has its hash.
    file: String,
    integrity: String,
    plain: Bytes,
    /// With gzip; `None` where that failed.
    compressed: Option<Bytes>,
}

static SCRIPT: LazyLock<Option<Script>> = LazyLock::new(|| {
    let name = page::names().find(|name| name.starts_with(FOLDER) && name.ends_with(".js"))?;
    let plain = match page::file(&name)?.data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        // A program that was built for trying out reads its files from the disk.
        Cow::Owned(data) => data.into(),
    };
    let integrity = format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(&plain)));
    let file = name.strip_prefix(FOLDER)?.to_owned();
    Some(Script { file, integrity, compressed: gzip(&plain), plain })
});

fn gzip(data: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

impl FlexPluginBundle {
    /// `None` where the plugin was not built.
    pub fn built(public_url: &PublicUrl) -> Option<Self> {
        let script = SCRIPT.as_ref()?;
        Some(Self {
            version: VERSION,
            url: format!("{public_url}/flex-plugin/{VERSION}/{}", script.file),
            integrity: script.integrity.clone(),
            bytes: script.plain.len(),
        })
    }

    /// Whether this is the URL of some version's bundle, on any host.
    pub fn has_url(url: &str) -> bool {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let Some((_, path)) = path.rsplit_once("/flex-plugin/") else { return false };
        path.split_once('/').is_some_and(|(version, file)| is_plugin(version, file))
    }
}

/// Answers the plugin's version, URL, integrity hash and size.
#[utoipa::path(
    get,
    path = "/flex-plugin.json",
    operation_id = "flexPlugin",
    tag = "Pages",
    summary = "The Flex plugin that this service carries",
    responses((status = 200, description = "The plugin's version, URL, integrity hash and size", body = FlexPluginBundle), NotFound)
)]
pub(super) async fn show(State(state): State<AppState>) -> Result<Response, ApiError> {
    let bundle = FlexPluginBundle::built(&state.public_url).ok_or_else(ApiError::not_found)?;
    Ok(([(CACHE_CONTROL, "no-cache")], Json(bundle)).into_response())
}

/// Answers the bundle, to any caller: it holds no secrets.
#[utoipa::path(
    get,
    path = "/flex-plugin/{path}",
    operation_id = "flexPluginBundle",
    tag = "Pages",
    summary = "The Flex plugin's bundle",
    params(("path" = String, Path, description = "Version and file name, as in the `url` of `/flex-plugin.json`")),
    responses(
        (status = 200, description = "The bundle", body = String, content_type = "text/javascript"),
        (status = 304, description = "Not modified"),
        (status = 307, description = "The address of another version leads to the bundle of this one"),
        NotFound
    )
)]
pub(super) async fn bundle(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(path) = path.map_err(|_| ApiError::not_found())?;
    let (version, file) = path.split_once('/').ok_or_else(ApiError::not_found)?;
    let script = SCRIPT.as_ref().ok_or_else(ApiError::not_found)?;
    let mut response = if version == VERSION && file == script.file {
        script.response(&headers)
    } else if is_plugin(version, file) {
        let to = format!("{}/flex-plugin/{VERSION}/{}", *state.public_url, script.file);
        (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, to), (CACHE_CONTROL, "no-store".to_owned())])
            .into_response()
    } else {
        return Err(ApiError::not_found());
    };
    let headers = response.headers_mut();
    // A script that any page may load; which pages may ask the service for data is decided there.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

impl Script {
    fn response(&self, asked: &HeaderMap) -> Response {
        let compressed = self.compressed.as_ref().filter(|_| takes_gzip(asked));
        let body = compressed.unwrap_or(&self.plain).clone();
        let mut response =
            page::serve_shared(body, "text/javascript; charset=utf-8", &self.integrity, asked, KEPT);
        let answers = response.status() == StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if compressed.is_some() {
            // A weak tag: the same content in other bytes.
            let tag = HeaderValue::try_from(format!("W/\"{}\"", self.integrity));
            if let Ok(tag) = tag {
                headers.insert(ETAG, tag);
            }
            headers.extend(answers.then_some((CONTENT_ENCODING, HeaderValue::from_static("gzip"))));
        }
        response
    }
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let taken = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    taken.flat_map(|value| value.split(',')).any(|encoding| {
        let (name, weight) = encoding.split_once(';').unwrap_or((encoding, "q=1"));
        let refused = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()) == Some(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// Whether some version's bundle has this address.
fn is_plugin(version: &str, file: &str) -> bool {
    let mut numbers = version.split(['.', '-']);
    let is_version = numbers.clone().count() >= 3
        && numbers.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    is_version && file.starts_with("taskrouter-sync-") && file.ends_with(".js") && !file.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_goes_to_browsers_that_take_it() {
        let takes = |value: &'static str| {
            let value = HeaderValue::from_static(value);
            takes_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, value)]))
        };
        assert!(takes("gzip") && takes("br, gzip;q=0.5") && takes("deflate , GZIP"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes("gzip; q=0.0, br") && !takes(""));
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn an_address_of_another_version_is_one_of_the_plugin() {
        assert!(
            is_plugin("0.1.9", "taskrouter-sync-a1B2.js") && is_plugin("1.0.0-rc.1", "taskrouter-sync-x.js")
        );
        for (version, file) in [
            ("0.1", "taskrouter-sync-x.js"),
            ("..", "taskrouter-sync-x.js"),
            ("0.1.9", "other.js"),
            ("0.1.9", "taskrouter-sync-x.css"),
            ("0.1.9", "taskrouter-sync-/../x.js"),
        ] {
            assert!(!is_plugin(version, file), "{version} {file}");
        }
    }
}
