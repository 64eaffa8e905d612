//! `GET /openapi.json`: the HTTP interface, described for programs.
//!
//! Each handler's attribute describes it, and [`description`] puts them together; older addresses of the same handlers are
//! [`ALIASES`]. Held to the code from three sides: a test here finds every route and method in it and no others,
//! `tests/openapi/run` asks the running service thousands of things and finds no answer that is not in it, and
//! `web/openapi.json`, from which the page's types are generated, is a copy that a test compares.

pub(in crate::server) mod refusals;
pub(in crate::server) mod schemas;

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use refusals::Components as RefusalComponents;

/// Each service's cookie has a name of its own, behind `__Host-` over https.
const COOKIE: &str = "taskrouter_sync_{service}_session";

/// The description, made once.
static DESCRIPTION: LazyLock<String> = LazyLock::new(|| {
    // Texts and numbers only, which can't fail.
    description().to_pretty_json().unwrap_or_default() + "\n"
});

/// Addresses of older systems whose handlers stand elsewhere: the address, the other one, and the operations' names by GET
/// and POST.
const ALIASES: [(&str, &str, Option<&str>, Option<&str>); 9] = [
    ("/taskrouter_event", EVENTS, Some("taskrouterEventBootstrap"), Some("taskrouterEvent")),
    ("/dashboardStats", EVENTS, Some("dashboardStatsBootstrap"), Some("dashboardStats")),
    ("/api/stats", EVENTS, Some("apiStatsBootstrap"), Some("apiStats")),
    (
        "/realtimestats-updateQueueStatistics",
        EVENTS,
        Some("updateQueueStatisticsBootstrap"),
        Some("updateQueueStatistics"),
    ),
    ("/taskrouter_dashboard.html", "/", Some("olderDashboard"), None),
    ("/token", "/api/token", Some("olderAccessToken"), None),
    ("/syncToken", "/api/token", Some("olderSyncToken"), None),
    ("/getDefinitions", "/api/definitions", Some("getDefinitionsOlder"), None),
    ("/saveDefinition", "/api/save", None, Some("saveDefinitionOlder")),
];
const EVENTS: &str = "/taskrouter/events";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "taskrouter-sync",
        description = "A TaskRouter event-callback webhook that keeps a workspace's statistics fresh in Twilio Sync. Any other method than those named here gets 405, any other address 404. All addresses stand below the path prefix of PUBLIC_URL as well.",
        license(name = "MIT", identifier = "MIT")
    ),
    servers((url = ".")),
    tags(
        (name = "Events"),
        (name = "Signing in"),
        (name = "Watching"),
        (name = "Metrics"),
        (name = "History"),
        (name = "Calls"),
        (name = "Pages"),
        (name = "Operations")
    ),
    paths(
        super::webhook::receive,
        super::webhook::bootstrap,
        super::recording::receive,
        super::login::form,
        super::login::sign_in,
        super::login::style,
        super::login::sign_out,
        super::session::show,
        super::feed::watch,
        super::page::index,
        super::page::asset,
        super::page::icon,
        super::page::voice_quality,
        super::flex_plugin::show,
        super::flex_plugin::bundle,
        super::definitions::show,
        super::definitions::fields,
        super::definitions::save,
        super::definitions::delete,
        super::definitions::order,
        super::definitions::preview,
        super::definitions::history,
        super::history::state,
        super::history::queue,
        super::history::metric,
        super::history::intervals,
        super::history::at,
        super::health::problems,
        super::websocket::realtime_stats,
        super::websocket::outbound_dial,
        super::dialling::instructions,
        super::dialling::status,
        super::call_quality::receive,
        super::token::issue,
        super::roster::tasks,
        super::roster::workers,
        super::roster::queues,
        super::bootstrap::by_hand,
        super::bootstrap::tasks_by_hand,
        super::health::keepalive,
        super::health::alive,
        super::health::ready,
        super::metrics::show,
        show
    ),
    components(schemas(schemas::ErrorSchema)),
    modifiers(&SecuritySchemes, &RefusalComponents)
)]
struct Handlers;

/// What the attributes name, and how it is sent.
struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, described: &mut Description) {
        let components = described.components.get_or_insert_default();
        let http = |scheme, text: &str| {
            SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(text)).build())
        };
        let header = |name: &str, text: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, text)))
        };
        let cookie = ApiKeyValue::with_description(
            COOKIE,
            "Signed in at /login; changes need the header X-CSRF-Token with what /api/session says",
        );
        for (name, scheme) in [
            (
                "basic",
                http(
                    HttpAuthScheme::Basic,
                    "AUTHENTICATION_USER, or VIEWER_USER, who sees and can't change anything",
                ),
            ),
            ("bearer", http(HttpAuthScheme::Bearer, "AUTHENTICATION_TOKEN")),
            ("metrics", http(HttpAuthScheme::Bearer, "METRICS_TOKEN")),
            ("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie))),
            ("twilio", header("X-Twilio-Signature", "Over PUBLIC_URL, path, query and body")),
            ("flex", header("token", "A Flex user's token; browsers send it as Sec-WebSocket-Protocol")),
        ] {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// All handlers, at all their addresses.
fn description() -> Description {
    let mut described = Handlers::openapi();
    for (alias, original, get, post) in ALIASES {
        let Some(mut item) = described.paths.paths.get(original).cloned() else { continue };
        for (operation, name) in [(&mut item.get, get), (&mut item.post, post)] {
            if let Some(operation) = operation {
                operation.operation_id = name.map(str::to_owned);
            }
        }
        described.paths.paths.insert(alias.to_owned(), item);
    }
    described
}

/// Answers the description to any caller: it holds nothing that the published documents don't.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "Operations",
    summary = "This description",
    responses((status = 200, description = "The OpenAPI description", body = Object))
)]
pub(super) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], DESCRIPTION.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::DESCRIPTION;
    use crate::server::ROUTES;

    fn described() -> Value {
        serde_json::from_str(&DESCRIPTION).unwrap()
    }

    #[test]
    fn every_route_is_described_and_no_other() {
        let described = described();
        let mut paths = BTreeSet::new();
        let mut names = BTreeSet::new();
        for (path, methods) in described["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                paths.insert((path.clone(), method.to_uppercase()));
                assert!(names.insert(operation["operationId"].to_string()), "twice: {operation}");
            }
        }
        let routes: BTreeSet<_> = ROUTES
            .iter()
            .flat_map(|route| {
                let path = route.path.replace("{*path}", "{path}");
                route.methods.split(", ").map(move |method| (path.clone(), method.to_owned()))
            })
            .collect();
        assert_eq!(paths, routes);
        assert_eq!(described["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    /// The page's types are made from this file.
    #[test]
    fn the_copy_that_the_page_is_built_from_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/web/openapi.json");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, &*DESCRIPTION).unwrap();
        }
        let copy = std::fs::read_to_string(path).unwrap();
        assert!(
            copy == *DESCRIPTION,
            "web/openapi.json is stale; `UPDATE_OPENAPI=1 cargo test --all-features --lib openapi` writes it"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let described = described();
        let mut open = vec![&described];
        while let Some(value) = open.pop() {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let target = described.pointer(reference.strip_prefix('#').unwrap());
                assert!(target.is_some(), "{reference}");
            }
            match value {
                Value::Object(fields) => open.extend(fields.values()),
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
    }
}
