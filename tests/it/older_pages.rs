//! Requests of the older systems' own pages, from allowed origins and from others.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::support::{ADMIN, BEARER, Bed, NO_TIMERS};

/// A page that stands on a host of its own, and is listed.
const LISTED: &str = "https://wallboard.example";
const SAVE: [&str; 2] = ["/saveDefinition", "/api/save"];

async fn bed(more: &[(&str, &str)]) -> Bed {
    let mut bed = Bed::without_service(twilio_emulator::Settings::default(), NO_TIMERS).await;
    let account = bed.emulator.account().clone();
    let key =
        [("TWILIO_API_KEY", account.api_key_sid.as_str()), ("TWILIO_API_SECRET", &account.api_key_secret)];
    bed.set(key.iter().chain([&("ALLOWED_ORIGINS", LISTED)]).chain(more).copied());
    bed.start_service().await;
    bed.ready().await;
    bed
}

/// A browser that is signed in: its cookie, and nothing that a page of ours would know.
struct Browser {
    client: reqwest::Client,
    url: String,
    cookie: String,
}

impl Browser {
    async fn signed_in(bed: &Bed) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let form = [("username", ADMIN.0), ("password", ADMIN.1)];
        let answer = client.post(format!("{}/login", bed.url())).form(&form).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { client, url: bed.url().to_owned(), cookie }
    }

    fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> RequestBuilder {
        let request =
            self.client.request(method, format!("{}{path}", self.url)).header("Cookie", &self.cookie);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    /// Posts a definition as the wallboard does, with these headers.
    async fn save(&self, path: &str, kind: &str, headers: &[(&str, &str)]) -> StatusCode {
        let metric =
            json!({ "label": "Waiting", "formula": "data.workspace.realtime.tasks_by_status.pending" });
        let body = json!({ "Waiting": { "metric": metric } }).to_string();
        let request = self.ask(Method::POST, path, headers).header("Content-Type", kind).body(body);
        request.send().await.unwrap().status()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_same_origin_saves_without_a_csrf_token_and_no_foreign_one_does() {
    let bed = bed(&[]).await;
    let browser = Browser::signed_in(&bed).await;
    let own = bed.url().to_owned();
    for path in SAVE {
        let json = "application/json";
        assert_eq!(
            browser.save(path, json, &[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]).await,
            200
        );
        assert_eq!(browser.save(path, "application/json; charset=utf-8", &[("Origin", &own)]).await, 200);
        let foreign: [&[(&str, &str)]; 6] = [
            &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")],
            &[("Origin", "https://evil.example")],
            &[("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
            &[("Origin", "https://wallboard.example.evil.example")],
            &[("Sec-Fetch-Site", "same-site")],
            // Browsers always name the origin of a POST; a caller that does not has to send the token.
            &[],
        ];
        for headers in foreign {
            assert_eq!(browser.save(path, json, headers).await, 403, "{path} {headers:?}");
        }
        // What a form can send without asking first, JSON in disguise.
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            for origin in ["https://evil.example", LISTED, &own] {
                assert_eq!(
                    browser.save(path, kind, &[("Origin", origin)]).await,
                    403,
                    "{path} {kind} {origin}"
                );
            }
        }
    }
    let read = browser.ask(Method::GET, "/getDefinitions", &[]).send().await.unwrap();
    let definitions: Value = read.json().await.unwrap();
    assert_eq!(definitions["Waiting"]["metric"]["label"], "Waiting");
    // Every other change needs the token as before.
    let other = browser.ask(Method::POST, "/api/definitions/delete", &[("Origin", &own)]);
    let other = other.header("Content-Type", "application/json").body(r#"{"names": ["Waiting"]}"#);
    assert_eq!(other.send().await.unwrap().status(), 403);
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_page_elsewhere_is_let_in_with_its_users_cookie_or_a_token_in_front() {
    let bed = bed(&[]).await;
    let browser = Browser::signed_in(&bed).await;
    let allowed = |answer: &reqwest::Response| {
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (header("access-control-allow-origin"), header("access-control-allow-credentials"))
    };
    let yes = (Some(LISTED.to_owned()), Some("true".to_owned()));
    for path in ["/api/token", "/syncToken", "/token", "/api/definitions", "/getDefinitions"] {
        let listed = [("Origin", LISTED), ("Sec-Fetch-Site", "cross-site")];
        let answer = browser.ask(Method::GET, path, &listed).send().await.unwrap();
        assert_eq!((answer.status(), allowed(&answer)), (StatusCode::OK, yes.clone()), "{path}");
        let in_front = bed.http.get(format!("{}{path}", bed.url())).header("Origin", LISTED);
        assert_eq!(in_front.bearer_auth(BEARER).send().await.unwrap().status(), 200);
        let foreign = [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")];
        let answer = browser.ask(Method::GET, path, &foreign).send().await.unwrap();
        assert_eq!(allowed(&answer).0, None, "the page can't read it");
    }
    for path in SAVE {
        let preflight = [("Origin", LISTED), ("Access-Control-Request-Method", "POST")];
        let asked = [("Access-Control-Request-Headers", "content-type")];
        let answer =
            browser.ask(Method::OPTIONS, path, &[&preflight[..], &asked].concat()).send().await.unwrap();
        assert_eq!(allowed(&answer), yes);
        assert!(answer.headers()["access-control-allow-headers"].to_str().unwrap().contains("content-type"));
        let listed = [("Origin", LISTED), ("Sec-Fetch-Site", "cross-site")];
        assert_eq!(browser.save(path, "application/json", &listed).await, 200);
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_a_sign_in_form_makes_the_browser_ask_and_our_own_does_not() {
    let bed = bed(&[]).await;
    for path in ["/api/token", "/syncToken", "/api/definitions"] {
        let ask = || bed.http.get(format!("{}{path}", bed.url()));
        let older = ask().send().await.unwrap();
        assert_eq!(older.status(), 401);
        assert!(older.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "), "{path}");
        let own = ask().header("X-Requested-With", "taskrouter-sync").send().await.unwrap();
        assert_eq!(own.status(), 401);
        let challenge = own.headers().get("www-authenticate").map(|value| value.to_str().unwrap());
        assert!(challenge.is_none_or(|challenge| !challenge.contains("Basic")), "{path}: {challenge:?}");
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_last_as_long_as_the_older_systems_did() {
    use base64::Engine;
    for (more, expected) in [(&[][..], 3600), (&[("SYNC_TOKEN_LIFE", "24h")][..], 86_400)] {
        let bed = bed(more).await;
        for path in ["/token?identity=anna", "/syncToken", "/api/token"] {
            let request = bed.http.get(format!("{}{path}", bed.url())).bearer_auth(BEARER);
            let answer: Value = request.send().await.unwrap().json().await.unwrap();
            let claims = answer["token"].as_str().unwrap().split('.').nth(1).unwrap();
            let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
            let claims: Value = serde_json::from_slice(&claims).unwrap();
            let life = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
            assert!((life - expected).abs() <= 60, "{path}: {life}");
        }
        bed.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_synced_by_hand() {
    let bed = bed(&[("SYNC_LAYOUTS", "taskrouter-tasks")]).await;
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    let task = twilio_emulator::NewTask { queue, channel: "voice".to_owned(), ..Default::default() };
    let task = world.create_task(task).unwrap();
    let request = bed.http.get(format!("{}/sync_taskrouter_tasks", bed.url())).bearer_auth(BEARER);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let tasks: Value = answer.json().await.unwrap();
    assert_eq!(tasks[0]["TaskSid"], json!(task));
    assert!(bed.emulator.sync().item("SyncTaskRouterTasks", &task).is_some(), "written when it answers");
    bed.finish().await;
}
