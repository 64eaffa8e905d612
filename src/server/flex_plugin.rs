//! The Flex plugin: its bundle below a versioned path, and its description (`/flex-plugin.json`).
//!
//! A PluginVersion names the bundle's URL, and Twilio keeps that name until the next release. So the address of another
//! version leads to the bundle of this one: after an upgrade agents go on, before `setup --flex-plugin` has released it.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
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
    /// The service's version, which is the plugin's
    pub version: &'static str,
    /// The URL of the bundle
    pub url: String,
    /// The bundle's hash, as a script's attribute `integrity` has it
    pub integrity: String,
    /// The bundle's size in bytes
    pub bytes: usize,
}

impl FlexPluginBundle {
    /// `None` where the plugin was not built.
    pub fn built(public_url: &PublicUrl) -> Option<Self> {
        let name = name()?;
        let data = page::file(&name)?.data;
        let file = name.strip_prefix(FOLDER)?;
        Some(Self {
            version: VERSION,
            url: format!("{public_url}/flex-plugin/{VERSION}/{file}"),
            integrity: format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(&data))),
            bytes: data.len(),
        })
    }
}

/// The one script in the folder, whose name has its hash.
fn name() -> Option<String> {
    page::names().find(|name| name.starts_with(FOLDER) && name.ends_with(".js"))
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
    let current = name().ok_or_else(ApiError::not_found)?;
    let current_file = current.trim_start_matches(FOLDER);
    let mut response = if version == VERSION && file == current_file {
        page::serve(page::file(&current).ok_or_else(ApiError::not_found)?, &headers, KEPT)
    } else if is_plugin(version, file) {
        let to = format!("{}/flex-plugin/{VERSION}/{current_file}", *state.public_url);
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

/// Whether some version's bundle has this address.
fn is_plugin(version: &str, file: &str) -> bool {
    let mut numbers = version.split(['.', '-']);
    let is_version = numbers.clone().count() >= 3
        && numbers.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    is_version && file.starts_with("taskrouter-sync-") && file.ends_with(".js") && !file.contains('/')
}

#[cfg(test)]
mod tests {
    use super::is_plugin;

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
