//! Signing in and out: a form and a cookie. The password travels in the body only, where no proxy logs it.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Request, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};

use super::auth::{self, AccessError, LIFE, Session, Viewer, peer};
use super::error::ApiError;
use super::openapi::refusals::{Admission, JsonBody, NotAllowed, NotNow};
use super::openapi::schemas::SignInForm;
use super::{AppState, body, same_site};
use crate::form::Form;

/// The form. It is a page of its own, so that it works before anything else does.
#[utoipa::path(
    get,
    path = "/login",
    operation_id = "loginForm",
    tag = "Signing in",
    summary = "The form to sign in",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(super) async fn form(State(state): State<AppState>, uri: Uri) -> Response {
    page(&state, StatusCode::OK, uri.query(), "")
}

/// Signs in, and goes to the dashboard, with the query that the form was asked for with: `?tv=1` is to be the TV's view
/// after signing in too.
#[utoipa::path(
    post,
    path = "/login",
    operation_id = "signIn",
    tag = "Signing in",
    summary = "Sign in",
    request_body(content = SignInForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "Signed in; the cookie is set"),
        (status = 401, description = "The name or the password is not right: the form again", body = String, content_type = "text/html"),
        (status = 429, description = "Too many attempts: the form again", body = String, content_type = "text/html"),
        JsonBody, NotAllowed, NotNow
    )
)]
pub(super) async fn sign_in(
    State(state): State<AppState>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, raw) = request.into_parts();
    let query = parts.uri.query();
    // A form on another site could sign a browser in under a name of that site's choice.
    same_site::check(&parts.headers, &state.public_url)?;
    let raw = body::read(raw).await?;
    let form = Form::parse(&raw)?;
    let field = |name| form.value(name).unwrap_or_default();
    match state.access.sign_in(field("username"), field("password"), peer(&parts)) {
        Ok(session) => Ok(go_home(&state, query, cookie(&state, &session))),
        Err(AccessError::TooManyAttempts) => {
            let message = "Too many attempts. Try again in some seconds.";
            Ok(page(&state, StatusCode::TOO_MANY_REQUESTS, query, message))
        }
        Err(AccessError::WrongCredentials) => {
            Ok(page(&state, StatusCode::UNAUTHORIZED, query, "The name or the password is not right."))
        }
        Err(error) => Err(error.into()),
    }
}

/// Signs out: the browser forgets the cookie, and copies of it are good for nothing.
#[utoipa::path(
    post,
    path = "/logout",
    operation_id = "signOut",
    tag = "Signing in",
    summary = "Sign out",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses((status = 303, description = "Signed out"), Admission)
)]
pub(super) async fn sign_out(State(state): State<AppState>, Viewer(principal): Viewer) -> Response {
    if let Some(session) = &principal.session {
        state.access.sign_out(session);
    }
    go_home(&state, None, with_attributes(&state, "", 0))
}

/// The cookie of a session, as a header's value.
pub(super) fn cookie(state: &AppState, session: &Session) -> Option<HeaderValue> {
    with_attributes(state, &state.access.sessions().seal(session), LIFE.as_secs())
}

fn with_attributes(state: &AppState, value: &str, life: u64) -> Option<HeaderValue> {
    let secure = if state.public_url.is_https() { "; Secure" } else { "" };
    let name = auth::COOKIE;
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}");
    // Base64 and plain attributes: always a header's value.
    HeaderValue::try_from(cookie).ok()
}

fn go_home(state: &AppState, query: Option<&str>, cookie: Option<HeaderValue>) -> Response {
    let home = with_query(&format!("{}/", state.public_url.prefix()), query);
    let headers = [(LOCATION, home), (CACHE_CONTROL, "no-store".to_owned())];
    let mut response = (StatusCode::SEE_OTHER, headers).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// An address of ours with a query; the address stays ours, whatever the query says.
pub(super) fn with_query(address: &str, query: Option<&str>) -> String {
    query.map_or_else(|| address.to_owned(), |query| format!("{address}?{query}"))
}

/// As an attribute's value.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

fn page(state: &AppState, status: StatusCode, query: Option<&str>, message: &str) -> Response {
    let prefix = state.public_url.prefix();
    let action = escaped(&with_query(&format!("{prefix}/login"), query));
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in</title>
<link rel="icon" href="{prefix}/icon.svg"><link rel="stylesheet" href="{prefix}/login.css">
</head>
<body>
<main>
<h1>Sign in</h1>
<form method="post" action="{action}">
<label for="username">Name</label>
<input id="username" name="username" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<p role="alert">{message}</p>
<button>Sign in</button>
</form>
</main>
</body>
</html>
"#
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// How the form looks.
#[utoipa::path(
    get,
    path = "/login.css",
    operation_id = "loginStyle",
    tag = "Signing in",
    summary = "How the form looks",
    responses((status = 200, description = "A style sheet", body = String, content_type = "text/css"))
)]
pub(super) async fn style() -> Response {
    let css = include_str!("login.css");
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")], css).into_response()
}
