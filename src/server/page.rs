//! The dashboard's page: built by `web/` and carried inside the program, so that the service is one file.
//!
//! Without a built page the service builds and runs all the same, and says what to run. Files with a hash in their name
//! never change, and are kept by browsers; the page itself is asked for each time.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRef, OriginalUri, Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::auth::{AccessError, Viewer, Visitor};
use super::error::ApiError;
use super::headers::RESOURCE_POLICY;
use super::openapi::refusals::{Admission, NotFound};
use super::{AppState, login};

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";
const VOICE_QUALITY: &str = "voice-quality.js";
const KEPT: &str = "private, max-age=31536000, immutable";
const ASKED_FOR: &str = "no-cache";
/// The hash is that of nothing: Paste's style library makes an empty `<style>` and fills it by script.
const STYLES: &str = "'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";

/// The page, or the way to sign in.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "dashboard",
    tag = "Pages",
    summary = "The dashboard",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "Sign in first"),
        (status = 304, description = "As it was"),
        (status = 404, description = "The page is not built into this program", body = String, content_type = "text/plain"),
        Admission
    )
)]
pub(super) async fn index(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let prefix = state.public_url.prefix();
    if !prefix.is_empty() && uri.path() == prefix {
        // The page's own addresses are relative to where it stands.
        let home = format!("{prefix}/");
        return (StatusCode::PERMANENT_REDIRECT, [(LOCATION, home)]).into_response();
    }
    if let Some(query) = uri.query()
        && let Some((_, key)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "key")
    {
        return login::by_link(&login::SignIn::from_ref(&state), query, &key);
    }
    match visitor {
        // The page asks again until the service knows.
        Ok(_) | Err(AccessError::Starting) => {}
        Err(AccessError::NoAdministrator) => return login::no_account(&login::SignIn::from_ref(&state)),
        Err(AccessError::SignInNeeded | AccessError::CredentialsNeeded) => {
            let login = login::with_query(&format!("{}/login", state.public_url.prefix()), uri.query());
            return (StatusCode::SEE_OTHER, [(LOCATION, login), (CACHE_CONTROL, "no-store".to_owned())])
                .into_response();
        }
        Err(error) => return ApiError::from(error).into_response(),
    }
    let Some(file) = Files::get(INDEX) else { return not_built() };
    let mut response = serve(file, &headers, ASKED_FOR);
    if let Ok(policy) = HeaderValue::try_from(policy(&state)) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// What the page consists of.
#[utoipa::path(
    get,
    path = "/assets/{path}",
    operation_id = "asset",
    tag = "Pages",
    summary = "A file of the dashboard",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    params(("path" = String, Path)),
    responses(
        (status = 200, description = "The file, of its own type", body = String, content_type = "*/*"),
        (status = 304, description = "As it was"),
        Admission, NotFound
    )
)]
pub(super) async fn asset(
    _viewer: Viewer,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(path) = path.map_err(|_| ApiError::not_found())?;
    // A program that was built for trying out reads its files from the disk.
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Err(ApiError::not_found());
    }
    let file = Files::get(&format!("assets/{path}")).ok_or_else(ApiError::not_found)?;
    Ok(serve(file, &headers, KEPT))
}

/// The page's icon.
#[utoipa::path(
    get,
    path = "/icon.svg",
    operation_id = "icon",
    tag = "Pages",
    summary = "The dashboard's icon",
    responses(
        (status = 200, description = "It", body = String, content_type = "image/svg+xml"),
        (status = 304, description = "As it was"),
        NotFound
    )
)]
pub(super) async fn icon(headers: HeaderMap) -> Result<Response, ApiError> {
    Ok(serve(Files::get("icon.svg").ok_or_else(ApiError::not_found)?, &headers, ASKED_FOR))
}

/// The rules that watch a call's quality, for a Flex plugin on another host; they hold nothing secret.
#[utoipa::path(
    get,
    path = "/voice-quality.js",
    operation_id = "voiceQuality",
    tag = "Pages",
    summary = "Rules that watch a call's quality, for a Flex plugin",
    responses(
        (status = 200, description = "A module", body = String, content_type = "text/javascript"),
        (status = 304, description = "As it was"),
        NotFound
    )
)]
pub(super) async fn voice_quality(headers: HeaderMap) -> Result<Response, ApiError> {
    let mut response = serve(Files::get(VOICE_QUALITY).ok_or_else(ApiError::not_found)?, &headers, ASKED_FOR);
    response.headers_mut().insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// A file of the build, by its name in the folder.
pub(super) fn file(name: &str) -> Option<EmbeddedFile> {
    Files::get(name)
}

/// The names of all files of the build.
pub(super) fn names() -> impl Iterator<Item = String> {
    Files::iter().map(Cow::into_owned)
}

fn serve(file: EmbeddedFile, asked: &HeaderMap, caching: &'static str) -> Response {
    let tag: String = file.metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let kind = with_charset(file.metadata.mimetype());
    let data = match file.data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    };
    serve_shared(data, &kind, &tag, asked, caching)
}

/// Text has its encoding in its type. JSON has none to name: it is UTF-8.
fn with_charset(kind: &str) -> String {
    let is_text = kind.starts_with("text/") || kind == "image/svg+xml";
    if is_text { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}

/// A content that all callers share, or 304 where the browser has it.
pub(super) fn serve_shared(
    data: Bytes,
    kind: &str,
    tag: &str,
    asked: &HeaderMap,
    caching: &'static str,
) -> Response {
    let tag = format!("\"{tag}\"");
    let known = asked.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    // A proxy that compresses makes the tag a weak one.
    let same = known.is_some_and(|known| known.trim_start_matches("W/") == tag);
    let headers = [(CACHE_CONTROL, caching.to_owned()), (ETAG, tag)];
    if same {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(CONTENT_TYPE, kind)], data).into_response()
}

fn not_built() -> Response {
    let text = "The dashboard's page is not built into this program.\n\nRun `make web` and build the service again.\n";
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// Where the page may load from and connect to: here, and Sync where it gets tokens for that.
fn policy(state: &AppState) -> String {
    let sync = match state.sync_endpoint() {
        _ if state.twilio.api_key.is_none() => "",
        None => " wss://*.twilio.com",
        Some(endpoint) => &format!(" {}", endpoint.socket_origin()),
    };
    format!(
        "default-src 'self'; style-src {STYLES}; connect-src 'self'{sync}; media-src 'self' https://api.twilio.com; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors {}",
        state.headers.ancestors()
    )
}
