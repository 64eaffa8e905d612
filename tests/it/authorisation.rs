//! Who may do what, as a table: every route, by every method it takes, requested by every kind of caller.
//!
//! The columns are accounts of this service, from no rights to all, and then other callers:
//!
//! - *anyone* sends no credentials.
//! - *viewer*: the account of `VIEWER_USER`, signed in with a browser, with its CSRF token.
//! - *editor*: the account of `AUTHENTICATION_USER`, signed in the same way.
//! - *administrator*: the same account by HTTP Basic in the request itself, as scripts do; the bearer token is the same.
//! - *wrong account* sends every kind of credential, each of another system: HTTP Basic, a session, a Flex token, and
//!   Twilio's signature by another account's Auth Token.
//! - *foreign origin*: another site's page in the administrator's browser, which remembers the HTTP Basic credentials.
//! - *Twilio* signs.
//! - *Flex user*: an agent who is a Worker.
//!
//! A route without a row fails the test, and so does a row without its route.

use std::collections::BTreeSet;

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Client, Method};
use serde_json::Value;
use taskrouter_sync::server::ROUTES;
use twilio_emulator::{FlexToken, Settings};

use crate::support::socket::Socket;
use crate::support::{ADMIN, Bed, NO_TIMERS};

const VIEWER: (&str, &str) = ("tv", "only looking");
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Anyone,
    Viewer,
    Editor,
    Administrator,
    WrongAccount,
    ForeignOrigin,
    Twilio,
    FlexUser,
}

const EVERYBODY: [Who; 8] = [
    Who::Anyone,
    Who::Viewer,
    Who::Editor,
    Who::Administrator,
    Who::WrongAccount,
    Who::ForeignOrigin,
    Who::Twilio,
    Who::FlexUser,
];

/// One request to one route, and the status that each of [`EVERYBODY`] gets.
struct Row {
    method: &'static str,
    route: &'static str,
    /// The path with its query; the route's own where this is empty.
    target: &'static str,
    body: Option<(&'static str, &'static str)>,
    expected: [u16; 8],
}

fn row(method: &'static str, route: &'static str, expected: [u16; 8]) -> Row {
    Row { method, route, target: route, body: None, expected }
}

impl Row {
    fn at(self, target: &'static str) -> Self {
        Self { target, ..self }
    }

    fn with(self, kind: &'static str, body: &'static str) -> Self {
        Self { body: Some((kind, body)), ..self }
    }
}

/// One line a route and method; the columns are [`EVERYBODY`].
fn table() -> Vec<Row> {
    // On a machine where the page is not built its addresses say so, to every caller who would get it.
    let page = if std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/web/dist/index.html")).exists() {
        200
    } else {
        404
    };
    let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/web/dist/flex-plugin");
    let plugin = if std::path::Path::new(dist).exists() { 200 } else { 404 };
    let event = "EventType=task.created";
    let mut rows = vec![
        //                                       anyone viewer editor admin wrong foreign Twilio Flex
        row("POST", "/taskrouter_recording_callback", [403, 403, 403, 403, 403, 403, 204, 403])
            .at("/taskrouter_recording_callback?TaskSid=WT00000000000000000000000000000001")
            .with(FORM, "RecordingUrl=https%3A%2F%2Fapi.twilio.com%2Fr"),
        row("GET", "/login", [200; 8]),
        row("POST", "/login", [401, 401, 401, 401, 401, 403, 401, 401])
            .with(FORM, "username=guest+{who}&password=guess"),
        row("GET", "/login.css", [200; 8]),
        row("POST", "/logout", [401, 303, 303, 303, 401, 403, 401, 401]),
        row("GET", "/api/session", [401, 200, 200, 200, 403, 200, 401, 200]),
        row("GET", "/api/feed", [401, 200, 200, 200, 403, 200, 401, 200]),
        row("GET", "/", [303, page, page, page, 401, page, 303, 303]),
        row("GET", "/taskrouter_dashboard.html", [303, page, page, page, 401, page, 303, 303]),
        row("GET", "/assets/{*path}", [401, 404, 404, 404, 401, 404, 401, 401]).at("/assets/none.js"),
        row("GET", "/icon.svg", [page; 8]),
        row("GET", "/voice-quality.js", [page; 8]),
        row("GET", "/flex-plugin.json", [plugin; 8]),
        row("GET", "/flex-plugin/{*path}", [404; 8]).at("/flex-plugin/0.1.0/other.js"),
        row("GET", "/api/definitions", [401, 200, 200, 200, 401, 200, 401, 401]),
        row("GET", "/getDefinitions", [401, 200, 200, 200, 401, 200, 401, 401]),
        row("GET", "/api/definitions/fields", [401, 403, 200, 200, 401, 200, 401, 401]),
        row("POST", "/api/save", [401, 403, 200, 200, 401, 403, 401, 401]).with(JSON, "{}"),
        row("POST", "/saveDefinition", [401, 403, 200, 200, 401, 403, 401, 401]).with(JSON, "{}"),
        row("POST", "/api/definitions/delete", [401, 403, 200, 200, 401, 403, 401, 401])
            .with(JSON, r#"{"names": []}"#),
        row("POST", "/api/definitions/order", [401, 403, 200, 200, 401, 403, 401, 401])
            .with(JSON, r#"{"names": []}"#),
        row("POST", "/api/definitions/preview", [401, 403, 200, 200, 401, 403, 401, 401])
            .with(JSON, r#"{"metric": {}}"#),
        row("GET", "/api/history", [401, 200, 200, 200, 403, 200, 401, 200])
            .at("/api/history?metric=tasks-waiting"),
        // Off in tests: 503 says so, to those who may know.
        row("GET", "/api/history/state", [401, 200, 200, 200, 403, 200, 401, 200]),
        row("GET", "/api/history/queues/{sid}", [401, 503, 503, 503, 403, 503, 401, 503])
            .at("/api/history/queues/WQ00000000000000000000000000000001?from=0&to=3600"),
        row("GET", "/api/history/metrics/{name}", [401, 503, 503, 503, 403, 503, 401, 503])
            .at("/api/history/metrics/tasks-waiting?from=0&to=3600"),
        row("GET", "/api/history/intervals", [401, 503, 503, 503, 403, 503, 401, 503])
            .at("/api/history/intervals?from=0&to=3600"),
        row("GET", "/api/history/at", [401, 503, 503, 503, 403, 503, 401, 503])
            .at("/api/history/at?time=3600"),
        row("GET", "/api/health", [401, 200, 200, 200, 403, 200, 401, 200]),
        row("GET", "/metrics", [401, 200, 200, 200, 401, 200, 401, 401]),
        row("GET", "/openapi.json", [200; 8]),
        // 101 is an open websocket.
        row("GET", "/websocket/realtimeStats", [403, 101, 101, 101, 403, 403, 403, 101]),
        row("GET", "/websocket/outboundDial", [403, 403, 403, 403, 403, 403, 403, 101]),
        row("POST", "/twilio-webhook/callHandlerTwiml", [403, 403, 403, 403, 403, 403, 200, 403])
            .at("/twilio-webhook/callHandlerTwiml?workerContactUri=client%3Aalice")
            .with(FORM, "To=%2B15005550006"),
        row("POST", "/twilio-webhook/callStatusCallbackHandler", [403, 403, 403, 403, 403, 403, 200, 403])
            .with(FORM, "CallSid=CA00000000000000000000000000000001&CallStatus=ringing"),
        row("POST", "/respond-to-issue", [403, 403, 403, 403, 403, 403, 403, 200])
            .with(FORM, "action=log-call&Token="),
        row("GET", "/api/token", [401, 200, 200, 200, 401, 200, 401, 401]),
        row("GET", "/token", [401, 200, 200, 200, 401, 200, 401, 401]),
        row("GET", "/syncToken", [401, 200, 200, 200, 401, 200, 401, 401]),
        row("GET", "/taskrouter_tasks", [401, 200, 200, 200, 401, 200, 401, 401]),
        row("GET", "/taskrouter_workers", [401, 200, 200, 200, 401, 200, 401, 401]),
        row("GET", "/api/workers/{sid}/queues", [401, 200, 200, 200, 401, 200, 401, 401])
            .at("/api/workers/WK00000000000000000000000000000001/queues"),
        row("GET", "/sync_taskrouter_statistics", [401, 403, 200, 200, 401, 403, 401, 401]),
        row("GET", "/sync_taskrouter_tasks", [401, 403, 200, 200, 401, 403, 401, 401]),
        row("GET", "/keepalive", [200; 8]),
        row("GET", "/healthz", [200; 8]),
        row("GET", "/readyz", [200; 8]),
    ];
    for (route, bootstrap) in [
        ("/taskrouter/events", "/taskrouter/events?checkMap=true"),
        ("/taskrouter_event", "/taskrouter_event?checkMap=true"),
        ("/dashboardStats", "/dashboardStats?checkMap=true"),
        ("/api/stats", "/api/stats?checkMap=true"),
        ("/realtimestats-updateQueueStatistics", "/realtimestats-updateQueueStatistics?checkMap=true"),
    ] {
        rows.extend([
            row("POST", route, [403, 403, 403, 403, 403, 403, 204, 403]).with(FORM, event),
            row("POST", route, [401, 401, 401, 200, 403, 403, 200, 401]).at(bootstrap).with(FORM, event),
            // A session is no signature and no administrator: that address is for machines.
            row("GET", route, [401, 401, 401, 200, 403, 403, 200, 401]).at(bootstrap),
            row("GET", route, [405; 8]),
        ]);
    }
    rows
}

struct Everybody {
    bed: Bed,
    client: Client,
}

impl Everybody {
    async fn new() -> Self {
        let settings = Settings { queues: 2, workers: 2, ..Settings::default() };
        let mut bed = Bed::without_service(settings, &[]).await;
        let account = bed.emulator.account().clone();
        let workflow = bed.emulator.world().workflows().remove(0);
        let variables = [
            ("VIEWER_USER", VIEWER.0),
            ("VIEWER_PASSWORD", VIEWER.1),
            ("TWILIO_API_KEY", &account.api_key_sid),
            ("TWILIO_API_SECRET", &account.api_key_secret),
            ("TWILIO_OUTBOUND_WORKFLOW_SID", &workflow),
            ("OUTBOUND_CALLER_IDS", "+14155550100"),
            ("OUTBOUND_PREFIXES", "+1500"),
        ];
        // Or viewers get no Sync access token.
        bed.emulator.sync().set_acl(true);
        bed.set(NO_TIMERS.iter().copied().chain(variables));
        bed.start_service().await;
        bed.ready().await;
        let worker = bed.emulator.world().workers().remove(0).sid;
        let agent = FlexToken { worker_sid: Some(worker), ..FlexToken::default() };
        bed.emulator.tokens().register("an-agents-token", agent);
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { bed, client }
    }

    /// Signs in again for each row, since a row may sign the user out.
    async fn session(&self, account: (&str, &str)) -> Vec<(&'static str, String)> {
        let form = [("username", account.0), ("password", account.1)];
        let url = self.bed.url();
        let answer = self.client.post(format!("{url}/login")).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let told =
            self.client.get(format!("{url}/api/session")).header("Cookie", &cookie).send().await.unwrap();
        let told: Value = told.json().await.unwrap();
        vec![("Cookie", cookie), ("X-CSRF-Token", told["csrfToken"].as_str().unwrap().to_owned())]
    }

    /// The headers that this caller sends.
    async fn brings(&self, who: Who, row: &Row, body: &str) -> Vec<(&'static str, String)> {
        let basic = |user: &str, password: &str| {
            use base64::Engine;
            let text = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
            ("Authorization", format!("Basic {text}"))
        };
        let token = |token: &str| ("token", token.to_owned());
        match who {
            Who::Anyone => vec![],
            Who::Viewer => self.session(VIEWER).await,
            Who::Editor => self.session(ADMIN).await,
            Who::Administrator => vec![basic(ADMIN.0, ADMIN.1)],
            Who::WrongAccount => {
                let mut brought = vec![("X-Twilio-Signature", self.signature(row, body, "0th3r"))];
                brought.push(token("a-token-of-another-account"));
                let (_, cookie) = &self.session(VIEWER).await[0];
                let (name, _) = cookie.split_once('=').unwrap();
                brought.push(("Cookie", format!("{name}=eyJ1IjoiYWRtaW4ifQ.AAAA")));
                // A name of its own each time: wrong ones are counted by name.
                brought.push(basic(&format!("guest of {} {}", row.method, row.target), "guess"));
                brought
            }
            Who::ForeignOrigin => vec![
                basic(ADMIN.0, ADMIN.1),
                ("Origin", "https://evil.example".to_owned()),
                ("Sec-Fetch-Site", "cross-site".to_owned()),
            ],
            Who::Twilio => vec![("X-Twilio-Signature", self.signature(row, body, ""))],
            Who::FlexUser => vec![token("an-agents-token")],
        }
    }

    /// Twilio's signature; by another account's Auth Token where one is given.
    fn signature(&self, row: &Row, body: &str, other_token: &str) -> String {
        let callbacks = self.bed.emulator.callbacks();
        let own = self.bed.emulator.account().auth_token.clone();
        callbacks.set_auth_token(if other_token.is_empty() { &own } else { other_token });
        let url = format!("{}{}", self.bed.url(), row.target);
        let fields: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signature = callbacks.sign(&url, fields);
        callbacks.set_auth_token(&own);
        signature
    }

    async fn asks(&self, who: Who, row: &Row) -> u16 {
        let mut body = row.body.map_or(String::new(), |(_, body)| body.replace("{who}", &format!("{who:?}")));
        if row.route == "/respond-to-issue" && who == Who::FlexUser {
            body += "an-agents-token";
        }
        let headers = self.brings(who, row, &body).await;
        if row.route.starts_with("/websocket/") {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            return Socket::open(&self.bed, row.target, &headers).await.err().unwrap_or(101);
        }
        let url = format!("{}{}", self.bed.url(), row.target);
        let headers: HeaderMap = headers
            .into_iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        let mut request = self.client.request(row.method.parse().unwrap(), url).headers(headers).body(body);
        if let Some((kind, _)) = row.body {
            request = request.header("Content-Type", kind);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers());
        // An answer without a body has nothing that could be sniffed or framed.
        let guarded = || {
            headers.contains_key("content-security-policy")
                && headers["x-frame-options"] == "DENY"
                && headers["cross-origin-opener-policy"] == "same-origin"
        };
        assert!(status == 204 || guarded());
        // What may be kept says so: the page's own files. All else may be about people.
        let caching = headers.get("cache-control").map(|value| value.to_str().unwrap());
        let file =
            ["/assets/", "/icon.svg", "/voice-quality.js", "/flex-plugin", "/login.css", "/openapi.json"]
                .iter()
                .any(|path| row.target.starts_with(path));
        let index = matches!(row.target, "/" | "/taskrouter_dashboard.html") && caching == Some("no-cache");
        // A range of the past may be large, so a browser may keep it and ask whether it is still so.
        let past = row.target.starts_with("/api/history/") && caching == Some("private, no-cache");
        assert!(
            status == 204 || status == 101 || file || index || past || caching == Some("no-store"),
            "{}",
            row.target
        );
        assert!(
            !headers.contains_key("access-control-allow-origin"),
            "another site may not read {}",
            row.target
        );
        status
    }
}

#[test]
fn every_route_has_its_rows_and_every_row_its_route() {
    let routes: BTreeSet<(&str, &str)> = ROUTES
        .iter()
        .flat_map(|route| route.methods.split(", ").map(move |method| (route.path, method)))
        .collect();
    let rows: BTreeSet<(&str, &str)> = table().iter().map(|row| (row.route, row.method)).collect();
    let without_row: Vec<_> = routes.difference(&rows).collect();
    assert!(
        without_row.is_empty(),
        "who may ask {without_row:?}? Add a row each to tests/it/authorisation.rs"
    );
    assert!(rows.is_subset(&routes), "no route: {:?}", rows.difference(&routes));
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_what_the_table_says() {
    let everybody = Everybody::new().await;
    let mut wrong = Vec::new();
    for row in table() {
        for (who, expected) in EVERYBODY.into_iter().zip(row.expected) {
            let got = everybody.asks(who, &row).await;
            if got != expected {
                wrong.push(format!("{} {}: {who:?} gets {got}, not {expected}", row.method, row.target));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    everybody.bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_a_route_does_not_take_are_refused_by_name() {
    let everybody = Everybody::new().await;
    for route in ROUTES {
        let path = route.path.replace("{*path}", "x");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            if route.methods.split(", ").any(|taken| taken == method) {
                continue;
            }
            let url = format!("{}{path}", everybody.bed.url());
            let request = everybody.client.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
            let answer = request.basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.unwrap();
            assert_eq!(answer.status(), 405, "{method} {path}");
            assert_eq!(answer.headers()["allow"], route.methods, "{method} {path}");
        }
    }
    everybody.bed.finish().await;
}
