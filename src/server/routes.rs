//! All addresses in one list, from which the router is made, and the test that asks each of them as everybody.
//!
//! A route names the methods it takes; every other method gets 405 with that list. A new line here needs one in
//! `tests/it/authorisation.rs`, or that test fails.

use std::time::Duration;

use axum::Router;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Method};
use axum::routing::{MethodRouter, get, post};
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;

use super::feed::LAST_EVENT_ID;
use super::websocket::{Sockets, TOKEN_HEADER};
use super::{
    ApiError, AppState, EVENT_PATHS, bootstrap, call_quality, definitions, dialling, feed, flex_plugin,
    health, history, login, metrics, openapi, page, recording, roster, session, token, webhook, websocket,
};
use crate::dialling::{STATUS_PATH, TWIML_PATH};

/// How long a browser may cache a preflight answer.
const REMEMBERED: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Its path; `{*path}` is any path below.
    pub path: &'static str,
    /// The methods it takes, as the header `Allow` names them.
    pub methods: &'static str,
    handlers: fn() -> MethodRouter<AppState>,
    around: Around,
}

#[derive(Debug, Clone, Copy)]
enum Around {
    Nothing,
    /// Answers are compressed where the browser takes that.
    Compression,
    /// CORS: answers browsers' preflight requests for the known sites.
    Cors,
    /// CORS for the Flex plugin, which reads with its user's token and sends no cookie.
    CorsWithToken,
    /// The same, with the user's cookie or password: an older system's page may stand on a host of its own.
    CorsWithCredentials,
}

/// Every route, in the order of `docs/http.md`.
pub const ROUTES: &[Route] = &[
    event(EVENT_PATHS[0]),
    event(EVENT_PATHS[1]),
    event(EVENT_PATHS[2]),
    event(EVENT_PATHS[3]),
    event(EVENT_PATHS[4]),
    route("/taskrouter_recording_callback", "POST", || post(recording::receive)),
    route("/login", "GET, POST", || get(login::form).post(login::sign_in)),
    route("/login.css", "GET", || get(login::style)),
    route("/logout", "POST", || post(login::sign_out)),
    plugin("/api/session", || get(session::show)),
    plugin("/api/feed", || get(feed::watch)),
    page("/", || get(page::index)),
    page("/taskrouter_dashboard.html", || get(page::index)),
    page("/assets/{*path}", || get(page::asset)),
    page("/icon.svg", || get(page::icon)),
    page("/voice-quality.js", || get(page::voice_quality)),
    plugin("/flex-plugin.json", || get(flex_plugin::show)),
    route("/flex-plugin/{*path}", "GET", || get(flex_plugin::bundle)),
    shared("/api/definitions", "GET", || get(definitions::show)),
    shared("/getDefinitions", "GET", || get(definitions::show)),
    route("/api/definitions/fields", "GET", || get(definitions::fields)),
    shared("/api/save", "POST", || post(definitions::save)),
    shared("/saveDefinition", "POST", || post(definitions::save)),
    route("/api/definitions/delete", "POST", || post(definitions::delete)),
    route("/api/definitions/order", "POST", || post(definitions::order)),
    route("/api/definitions/preview", "POST", || post(definitions::preview)),
    plugin("/api/history", || get(definitions::history)),
    plugin("/api/history/state", || get(history::state)),
    plugin("/api/history/queues/{sid}", || get(history::queue)),
    plugin("/api/history/metrics/{name}", || get(history::metric)),
    plugin("/api/history/intervals", || get(history::intervals)),
    plugin("/api/history/at", || get(history::at)),
    plugin("/api/health", || get(health::problems)),
    route("/websocket/realtimeStats", "GET", || get(websocket::realtime_stats)),
    route("/websocket/outboundDial", "GET", || get(websocket::outbound_dial)),
    route(TWIML_PATH, "POST", || post(dialling::instructions)),
    route(STATUS_PATH, "POST", || post(dialling::status)),
    Route { around: Around::Cors, ..route("/respond-to-issue", "POST", || post(call_quality::receive)) },
    shared("/api/token", "GET", || get(token::issue)),
    shared("/token", "GET", || get(token::issue)),
    shared("/syncToken", "GET", || get(token::issue)),
    route("/taskrouter_tasks", "GET", || get(roster::tasks)),
    route("/taskrouter_workers", "GET", || get(roster::workers)),
    route("/api/workers/{sid}/queues", "GET", || get(roster::queues)),
    route("/sync_taskrouter_statistics", "GET", || get(bootstrap::by_hand)),
    route("/sync_taskrouter_tasks", "GET", || get(bootstrap::tasks_by_hand)),
    route("/metrics", "GET", || get(metrics::show)),
    route("/openapi.json", "GET", || get(openapi::show)),
    route("/keepalive", "GET", || get(health::keepalive)),
    route("/healthz", "GET", || get(health::alive)),
    route("/readyz", "GET", || get(health::ready)),
];

/// Whether routes below this prefix would conflict, because it is one of ours or the beginning of one.
pub fn is_own_path(prefix: &str) -> bool {
    let files = ["/assets", "/flex-plugin"].iter().any(|folder| {
        prefix.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let taken = |path: &str| ROUTES.iter().any(|route| route.path == path);
    files
        || taken(prefix)
        || ROUTES.iter().any(|route| taken(&format!("{prefix}{}", route.path)) && !prefix.is_empty())
}

const fn route(path: &'static str, methods: &'static str, handlers: fn() -> MethodRouter<AppState>) -> Route {
    Route { path, methods, handlers, around: Around::Nothing }
}

/// A route that older systems' pages use, perhaps from another site.
const fn shared(
    path: &'static str,
    methods: &'static str,
    handlers: fn() -> MethodRouter<AppState>,
) -> Route {
    Route { path, methods, handlers, around: Around::CorsWithCredentials }
}

/// An address of events; GET only serves the bootstrap.
const fn event(path: &'static str) -> Route {
    route(path, "GET, POST", || get(webhook::bootstrap).post(webhook::receive))
}

const fn page(path: &'static str, handlers: fn() -> MethodRouter<AppState>) -> Route {
    Route { path, methods: "GET", handlers, around: Around::Compression }
}

/// A route that the Flex plugin reads.
const fn plugin(path: &'static str, handlers: fn() -> MethodRouter<AppState>) -> Route {
    Route { around: Around::CorsWithToken, ..route(path, "GET", handlers) }
}

pub(super) fn all(state: &AppState) -> Router<AppState> {
    ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, route.service(state)))
}

impl Route {
    fn service(&self, state: &AppState) -> MethodRouter<AppState> {
        let methods = self.methods;
        let handlers = (self.handlers)().fallback(move || async move { ApiError::method(methods) });
        match self.around {
            Around::Nothing => handlers,
            Around::Compression => handlers.layer(CompressionLayer::new()),
            Around::Cors => handlers.layer(cors(&state.sockets)),
            Around::CorsWithToken => {
                let sent = [HeaderName::from_static(TOKEN_HEADER), HeaderName::from_static(LAST_EVENT_ID)];
                handlers.layer(cors(&state.sockets).allow_methods([Method::GET]).allow_headers(sent))
            }
            Around::CorsWithCredentials => {
                let cors = cors(&state.sockets).allow_methods([Method::GET, Method::POST]);
                handlers.layer(cors.allow_credentials(true))
            }
        }
    }
}

/// Answers preflight requests (CORS) for the sites in `ALLOWED_ORIGINS`.
fn cors(sockets: &Sockets) -> CorsLayer {
    let origins: Vec<HeaderValue> = sockets.origins().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::POST])
        .allow_headers([CONTENT_TYPE])
        .max_age(REMEMBERED)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics if routes conflict.
    fn lay_out(prefix: &str) {
        let plain = |route: &Route| (route.path, get(async || ()));
        let all = || ROUTES.iter().map(plain).fold(Router::<()>::new(), |r, (path, get)| r.route(path, get));
        let _ = all().merge(Router::new().route(&format!("{prefix}/"), get(async || ())).nest(prefix, all()));
    }

    #[test]
    fn a_prefix_that_is_no_path_of_ours_can_be_laid_out() {
        let parents = ROUTES.iter().flat_map(|route| {
            route.path.match_indices('/').map(|(at, _)| &route.path[..at]).chain([route.path])
        });
        let others = ["/tr", "/taskrouter-sync", "/a/b/c", "/taskrouter/events2", "/v1.0/~x_y"];
        for prefix in parents.chain(others).filter(|prefix| !prefix.is_empty() && !is_own_path(prefix)) {
            lay_out(prefix);
        }
        for own in ["/taskrouter/events", "/api", "/api/stats", "/login", "/healthz", "/assets/x"] {
            assert!(is_own_path(own), "{own}");
        }
        assert!(!is_own_path("") && !is_own_path("/tr") && !is_own_path("/taskrouter"));
    }
}
