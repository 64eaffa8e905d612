//! Signing in and out: a form and a cookie. The password travels in the body only, where no proxy logs it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};

use super::auth::{Access, AccessError, LIFE, Session, Viewer, peer};
use super::error::ApiError;
use super::openapi::refusals::{Admission, JsonBody, NotAllowed, NotNow};
use super::openapi::schemas::SignInForm;
use super::{AppState, body, same_site};
use crate::config::PublicUrl;
use crate::form::Form;

/// The handles of the pages that sign a browser in and out.
#[derive(Debug, Clone)]
pub(super) struct SignIn {
    access: Arc<Access>,
    public_url: Arc<PublicUrl>,
}

impl FromRef<AppState> for SignIn {
    fn from_ref(state: &AppState) -> Self {
        Self { access: state.access.clone(), public_url: state.public_url.clone() }
    }
}

/// The form. It is a page of its own, so that it works before anything else does.
#[utoipa::path(
    get,
    path = "/login",
    operation_id = "loginForm",
    tag = "Signing in",
    summary = "The form to sign in",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(super) async fn form(State(state): State<SignIn>, uri: Uri) -> Response {
    if !state.access.has_sign_in() {
        return no_account(&state);
    }
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
    State(state): State<SignIn>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, raw) = request.into_parts();
    let query = parts.uri.query();
    // A form on another site could sign a browser in under a name of that site's choice.
    if same_site::check(&parts.headers, &state.public_url).is_err() || is_in_clear(&state, &parts.headers) {
        return Ok(elsewhere(&state, &parts.headers));
    }
    // Signing in may wait for its turn, and must not hold a body as large as a stranger likes meanwhile.
    let (user, password) = {
        let raw = body::read(raw, body::LARGEST_BODY).await?;
        let form = Form::parse(&raw)?;
        let field = |name| form.value(name).unwrap_or_default().to_owned();
        (field("username"), field("password"))
    };
    if !state.access.has_sign_in() {
        return Ok(no_account(&state));
    }
    let cookies = state.access.cookies();
    let device = cookies.device(&parts.headers);
    match state.access.sign_in(&user, &password, peer(&parts), device).await {
        Ok(session) => {
            let mut response = go_home(&state, query, cookie(&state, &session));
            if let Some(device) = cookies.set_device(&state.access.device(&session.user)) {
                response.headers_mut().append(SET_COOKIE, device);
            }
            Ok(response)
        }
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
pub(super) async fn sign_out(State(state): State<SignIn>, Viewer(principal): Viewer) -> Response {
    if let Some(session) = &principal.session {
        state.access.sign_out(session).await;
    }
    go_home(&state, None, state.access.cookies().set_session("", 0))
}

pub(super) fn cookie(state: &SignIn, session: &Session) -> Option<HeaderValue> {
    state.access.cookies().set_session(&state.access.sessions().seal(session), LIFE.as_secs().cast_signed())
}

/// Opens the dashboard for a screen by its link, and takes the key out of the address, so that it stands in no history and
/// in no later request.
pub(super) fn by_link(state: &SignIn, query: &str, key: &str) -> Response {
    let rest = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "key");
    let rest = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
    let rest = (!rest.is_empty()).then_some(rest.as_str());
    if state.access.screen(key).is_none() {
        let login = with_query(&format!("{}/login", state.public_url.prefix()), rest);
        return (StatusCode::SEE_OTHER, [(LOCATION, login)]).into_response();
    }
    go_home(state, rest, state.access.cookies().set_screen(key))
}

/// Whether a browser asks over plain HTTP where the cookie goes over TLS only. Browsers take their own machine for safe.
fn is_in_clear(state: &SignIn, headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
    let host = origin.strip_prefix("http://").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    state.public_url.is_https() && !host.is_empty() && !matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// The form was sent from an address where signing in can't work: says which, and where it does.
fn elsewhere(state: &SignIn, headers: &HeaderMap) -> Response {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or("another site");
    let (here, there) = (escaped(origin), escaped(&format!("{}/", state.public_url)));
    let content = format!(
        "<p class=\"notice\">This page was sent from <code>{here}</code>, and signing in works at <a href=\"{there}\">\
         <code>{there}</code></a>, the PUBLIC_URL of this service. Open the dashboard there. If the address above is the \
         right one, set PUBLIC_URL to it, or let the proxy in front pass the header Host on unchanged.</p>"
    );
    html(state, StatusCode::FORBIDDEN, "Not at this address", &content)
}

fn go_home(state: &SignIn, query: Option<&str>, cookie: Option<HeaderValue>) -> Response {
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

fn page(state: &SignIn, status: StatusCode, query: Option<&str>, message: &str) -> Response {
    let prefix = state.public_url.prefix();
    let action = escaped(&with_query(&format!("{prefix}/login"), query));
    let content = format!(
        r#"<form method="post" action="{action}">
<label for="username">Name</label>
<input id="username" name="username" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<p role="alert">{message}</p>
<button>Sign in</button>
</form>"#
    );
    html(state, status, "Sign in", &content)
}

/// Where no account is configured, so that there is nothing to sign in with.
pub(super) fn no_account(state: &SignIn) -> Response {
    let content = "<p class=\"notice\">This service has no account to sign in with, so its dashboard stays shut. \
        Set these two variables and start the service again:</p>\n\
        <pre>AUTHENTICATION_USER=admin\nAUTHENTICATION_PASSWORD=…</pre>\n\
        <p class=\"notice\">A password has at least 8 characters. In a container: <code>docker run -e \
        AUTHENTICATION_USER=… -e AUTHENTICATION_PASSWORD=…</code>, or in its <code>.env</code> file.</p>";
    html(state, StatusCode::FORBIDDEN, "No account yet", content)
}

fn html(state: &SignIn, status: StatusCode, title: &str, content: &str) -> Response {
    let prefix = state.public_url.prefix();
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{prefix}/icon.svg"><link rel="stylesheet" href="{prefix}/login.css">
</head>
<body>
<main>
<h1>{title}</h1>
{content}
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
