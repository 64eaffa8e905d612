//! Signing in and out, credentials, and what protects them. `authorisation.rs` has the table of who may do what.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use twilio_emulator::{Api, Settings};

use crate::support::{ADMIN, BEARER, Bed, Binary, NO_TIMERS, PUBLIC_PATH};

const VIEWER: (&str, &str) = ("tv", "only looking");

async fn bed() -> Bed {
    let accounts = [("VIEWER_USER", VIEWER.0), ("VIEWER_PASSWORD", VIEWER.1)];
    let key = [
        ("TWILIO_API_KEY", "SK00000000000000000000000000000001"),
        ("TWILIO_API_SECRET", "s3cret-of-the-key"),
    ];
    let variables: Vec<_> = NO_TIMERS.iter().copied().chain(accounts).chain(key).collect();
    let mut bed = Bed::without_service(Default::default(), &variables).await;
    // The emulator knows its own API key only; what is read does not matter here.
    bed.start_service().await;
    bed
}

async fn sign_in(bed: &Bed, account: (&str, &str)) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = [("username", account.0), ("password", account.1)];
    let answer = client.post(format!("{}/login", bed.url())).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_and_out_and_its_changes_need_its_token() {
    let bed = bed().await;
    let (cookie, other) = (sign_in(&bed, ADMIN).await, sign_in(&bed, ADMIN).await);
    let get = |path: &str| bed.http.get(format!("{}{path}", bed.url())).header("Cookie", &cookie);
    let answer = get("/api/session").send().await.unwrap();
    let renewed = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(renewed.starts_with("taskrouter_sync_") && renewed.contains("_session="), "it is renewed");
    let session: Value = answer.json().await.unwrap();
    assert_eq!((&session["user"], &session["role"]), (&Value::from("admin"), &Value::from("editor")));
    assert_eq!(session["channels"], serde_json::json!(["voice", "chat"]));

    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let out = |token: &str| {
        let request = client.post(format!("{}/logout", bed.url())).header("Cookie", &cookie);
        request.header("X-CSRF-Token", token.to_owned()).send()
    };
    assert_eq!(out("wrong").await.unwrap().status(), 403);
    let gone = out(session["csrfToken"].as_str().unwrap()).await.unwrap();
    assert_eq!(gone.status(), 303);
    assert!(gone.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));

    // Copies of the cookie, the renewed one among them, are good for nothing; another session goes on.
    for copy in [&cookie, &renewed] {
        let again = client.get(format!("{}/api/session", bed.url())).header("Cookie", copy).send().await;
        assert_eq!(again.unwrap().status(), 401);
    }
    let another = bed.http.get(format!("{}/api/session", bed.url())).header("Cookie", &other);
    assert_eq!(another.send().await.unwrap().status(), 200);
    bed.emulator.shutdown().await;
}

/// What a default nginx sends on (`proxy_pass http://127.0.0.1:8080`): a local peer, a local `Host`, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn without_accounts_every_door_is_shut_and_the_page_names_the_two_variables() {
    let without: Vec<_> = ["AUTHENTICATION_USER", "AUTHENTICATION_PASSWORD", "AUTHENTICATION_TOKEN"]
        .map(|name| (name, ""))
        .into_iter()
        .chain(NO_TIMERS.iter().copied())
        .collect();
    let bed = Bed::start(&without).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for path in [
        "/api/session",
        "/api/feed",
        "/api/definitions",
        "/api/health",
        "/api/token",
        "/taskrouter_workers",
        "/taskrouter_tasks",
        "/sync_taskrouter_statistics",
        "/metrics",
        "/taskrouter/events?checkMap=true",
    ] {
        let answer = client.get(format!("{}{path}", bed.url())).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
        assert!(answer.text().await.unwrap().contains("AUTHENTICATION_PASSWORD"), "{path}");
    }
    let saved = client.post(format!("{}/api/save", bed.url())).body("{}").send().await.unwrap();
    assert_eq!(saved.status(), 403);
    let form = [("username", "admin"), ("password", "guess")];
    let signing_in = client.post(format!("{}/login", bed.url())).form(&form);
    let get = |path: &str| client.get(format!("{}{path}", bed.url()));
    for request in [get("/"), get("/?tv=1"), get("/taskrouter_dashboard.html"), get("/login"), signing_in] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403);
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        let page = answer.text().await.unwrap();
        assert!(page.contains("AUTHENTICATION_USER") && page.contains("AUTHENTICATION_PASSWORD"), "{page}");
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_credentials_is_asked_for_them_and_a_browser_is_not() {
    let bed = bed().await;
    let asked = async |agent: &'static str| {
        let request = bed.http.get(format!("{}/api/session", bed.url())).header("User-Agent", agent);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        answer
            .headers()
            .get_all("www-authenticate")
            .iter()
            .any(|how| how.to_str().unwrap().starts_with("Basic"))
    };
    assert!(asked("Wget/1.21.3").await && asked("Python-urllib/3.11").await && asked("curl/8.5.0").await);
    assert!(!asked("Mozilla/5.0 (X11; Linux x86_64) Chrome/143").await);
    bed.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_comes_after_signing_in() {
    let bed = bed().await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let location = |answer: &reqwest::Response| answer.headers()["location"].to_str().unwrap().to_owned();
    let unknown = client.get(format!("{}/?tv=1&views=wallboard", bed.url())).send().await.unwrap();
    assert_eq!(
        (unknown.status().as_u16(), location(&unknown).as_str()),
        (303, "/login?tv=1&views=wallboard")
    );
    let form = client.get(format!("{}{}", bed.url(), location(&unknown))).send().await.unwrap();
    assert!(form.text().await.unwrap().contains(r#"action="/login?tv=1&amp;views=wallboard""#));
    let fields = [("username", ADMIN.0), ("password", ADMIN.1)];
    let signed_in = client.post(format!("{}/login?tv=1&views=wallboard", bed.url())).form(&fields);
    assert_eq!(location(&signed_in.send().await.unwrap()), "/?tv=1&views=wallboard");
    let quoted = client.get(format!("{}/login?\"><script>", bed.url())).send().await.unwrap();
    assert!(!quoted.text().await.unwrap().contains("<script>"));
    bed.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_and_other_sites_are_refused() {
    let bed = bed().await;
    let login = |form: &[(&str, &str)]| bed.http.post(format!("{}/login", bed.url())).form(form);
    let status = |request: RequestBuilder| async { request.send().await.unwrap().status() };
    let right = [("username", ADMIN.0), ("password", ADMIN.1)];
    assert_eq!(status(login(&right).header("Sec-Fetch-Site", "cross-site")).await, StatusCode::FORBIDDEN);
    for wrong in
        [[("username", ADMIN.0), ("password", "nope")], [("username", "stranger"), ("password", ADMIN.1)]]
    {
        assert_eq!(status(login(&wrong)).await, StatusCode::UNAUTHORIZED);
    }
    // A few are checked, a few wait for their turn, and the rest is refused at once.
    let guesses = (0..40).map(|_| Box::pin(status(login(&[("username", ADMIN.0), ("password", "guess")]))));
    let mut guesses: futures_util::stream::FuturesUnordered<_> = guesses.collect();
    while futures_util::StreamExt::next(&mut guesses).await.unwrap() != StatusCode::TOO_MANY_REQUESTS {}
    drop(guesses);
    bed.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_opens_by_its_link_until_its_name_is_taken_away() {
    let mut bed = Bed::without_service(Default::default(), NO_TIMERS).await;
    bed.set([("TV_LINKS", "lobby,floor-2")].into_iter());
    bed.start_service().await;
    let command = async |arguments: &[&str], variables| Binary::output(&variables, arguments).await;
    let printed = command(&["tv-link", "lobby"], bed.variables().clone()).await;
    let link = String::from_utf8(printed.stdout).unwrap().trim().to_owned();
    assert!(link.starts_with(&format!("{}/?tv=1&key=lobby.", bed.url())), "{link}");
    let unknown = command(&["tv-link", "cellar"], bed.variables().clone()).await;
    assert_eq!(unknown.status.code(), Some(1));

    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let opened = client.get(&link).send().await.unwrap();
    assert_eq!((opened.status().as_u16(), &opened.headers()["location"]), (303, &"/?tv=1".parse().unwrap()));
    assert_eq!(opened.headers()["referrer-policy"], "same-origin", "no other site learns the key");
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session = async |bed: &Bed| {
        let asked = client.get(format!("{}/api/session", bed.url())).header("Cookie", &cookie);
        asked.send().await.unwrap()
    };
    let told: Value = session(&bed).await.json().await.unwrap();
    assert_eq!((&told["user"], &told["role"]), (&"screen lobby".into(), &"viewer".into()));
    let forged = client.get(link.replace("lobby.", "floor-2.")).send().await.unwrap();
    assert_eq!(forged.headers()["location"], "/login?tv=1");
    assert!(!forged.headers().contains_key("set-cookie"));
    let save = client.post(format!("{}/api/save", bed.url())).header("Cookie", &cookie).body("{}");
    assert_eq!(save.send().await.unwrap().status(), 401);

    bed.stop_service().await;
    bed.set([("TV_LINKS", "floor-2")].into_iter());
    bed.start_service().await;
    assert_eq!(session(&bed).await.status(), 401, "its name was taken away");
    bed.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sent_where_signing_in_can_not_work_says_both_addresses() {
    let bed = bed().await;
    let form = [("username", ADMIN.0), ("password", ADMIN.1)];
    // As a browser at a proxy does that puts its own name in Host.
    let request = bed.http.post(format!("{}/login", bed.url())).form(&form);
    let answer = request.header("Origin", "http://dashboard.example.com").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let page = answer.text().await.unwrap();
    assert!(page.contains("http://dashboard.example.com") && page.contains(bed.url()), "{page}");
    bed.emulator.shutdown().await;

    let emulator = twilio_emulator::Emulator::start(Settings::default()).await.unwrap();
    let mut service =
        Binary::serve(&Binary::variables(&emulator, &[("PUBLIC_URL", "https://hooks.example.com")]));
    let line: Value = serde_json::from_str(&service.logs("\"Serving\"").await).unwrap();
    let port = line["listening"].as_str().unwrap().rsplit_once(':').unwrap().1;
    let plain = format!("http://127.0.0.1:{port}/login");
    let request = reqwest::Client::new().post(plain).form(&form);
    let here = format!("http://10.0.0.5:{port}");
    let request = request.header("Host", here.trim_start_matches("http://")).header("Origin", &here);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let page = answer.text().await.unwrap();
    assert!(page.contains(&here) && page.contains("https://hooks.example.com/"), "{page}");
    drop(service);
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_change_nothing_whatever_credentials_the_browser_remembers() {
    let bed = Bed::start(NO_TIMERS).await;
    let changes = [
        ("POST", "/api/save", "{}"),
        ("POST", "/api/definitions/delete", r#"{"names": []}"#),
        ("POST", "/api/definitions/order", r#"{"names": []}"#),
        ("GET", "/taskrouter/events?checkMap=true", ""),
        ("POST", "/api/stats?checkMap=true", ""),
        ("GET", "/sync_taskrouter_statistics", ""),
    ];
    let ask = async |(method, path, body): (&str, &str, &'static str), headers: &[(&str, &str)]| {
        let url = format!("{}{path}", bed.url());
        let mut request = bed.http.request(method.parse().unwrap(), url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let basic = format!("Basic {}", base64(&format!("{}:{}", ADMIN.0, ADMIN.1)));
    let bearer = format!("Bearer {BEARER}");
    let credentials = [&basic, &bearer].map(|credentials| ("Authorization", credentials.as_str()));
    bed.agrees().await;
    bed.emulator.journal().clear();
    for credentials in credentials {
        for change in changes {
            for foreign in
                [("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]
            {
                assert_eq!(ask(change, &[credentials, foreign]).await, 403, "{change:?} {foreign:?}");
            }
        }
    }
    let entries = bed.emulator.journal().entries();
    assert!(entries.iter().all(|entry| entry.api != Api::TaskRouter), "nothing was read again: {entries:?}");
    for credentials in credentials {
        for change in changes {
            let own = [("Origin", bed.url()), ("Sec-Fetch-Site", "same-origin")];
            for own in [&[][..], &own[..1], &own, &[("Sec-Fetch-Site", "none")]] {
                let headers: Vec<_> = std::iter::once(credentials).chain(own.iter().copied()).collect();
                let status = ask(change, &headers).await;
                assert!([200, 422].contains(&status), "{change:?} {own:?} {status}");
            }
        }
    }
    bed.finish().await;
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_use_credentials_and_no_cookie() {
    let bed = bed().await;
    let token = bed.http.get(format!("{}/api/token", bed.url())).bearer_auth(BEARER).send().await.unwrap();
    assert_eq!(token.status(), 200);
    assert!(token.headers().get("set-cookie").is_none());
    let token: Value = token.json().await.unwrap();
    assert_eq!(token["identity"], "dashboard");
    assert_eq!(token["token"].as_str().unwrap().split('.').count(), 3);
    let as_viewer = bed.http.get(format!("{}/api/session", bed.url())).basic_auth(VIEWER.0, Some(VIEWER.1));
    let session: Value = as_viewer.send().await.unwrap().json().await.unwrap();
    assert_eq!((&session["role"], &session["csrfToken"]), (&Value::from("viewer"), &Value::Null));
    bed.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_read_and_never_write_once_access_to_sync_is_controlled() {
    let emulator =
        twilio_emulator::Emulator::start(Settings { queues: 3, ..Settings::default() }).await.unwrap();
    let account = emulator.account().clone();
    let keys = [
        ("TWILIO_API_KEY", account.api_key_sid.as_str()),
        ("TWILIO_API_SECRET", account.api_key_secret.as_str()),
        ("SYNC_AUDIT_INTERVAL", "200ms"),
        ("VIEWER_USER", VIEWER.0),
        ("VIEWER_PASSWORD", VIEWER.1),
    ];
    let variables = Binary::variables(&emulator, &keys);
    let warned = Binary::output(&variables, &["setup"]).await;
    assert!(String::from_utf8(warned.stdout).unwrap().contains("Access control: off"));
    assert!(!emulator.sync().acl(), "nothing is switched that was not asked for");

    let (mut service, http) = (Binary::serve(&variables), reqwest::Client::new());
    let line: Value = serde_json::from_str(&service.logs("\"Serving\"").await).unwrap();
    let address = line["listening"].as_str().unwrap().replace("0.0.0.0", "127.0.0.1");
    let token = async |account: (&str, &str)| {
        let asked = http.get(format!("http://{address}/api/token")).basic_auth(account.0, Some(account.1));
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!((token(VIEWER).await, token(ADMIN).await), (403, 200), "a viewer's could write");
    drop(service);

    let told = Binary::output(&variables, &["setup", "--protect-sync"]).await;
    assert!(String::from_utf8(told.stdout).unwrap().contains("Access control: switched on"));
    let logged = String::from_utf8(told.stderr).unwrap();
    assert!(!logged.contains("is not controlled"), "it warns of what it is just mending: {logged}");
    assert!(emulator.sync().acl());
    let reads_only = |object: &str| {
        emulator
            .sync()
            .rights(object, "dashboard")
            .is_some_and(|rights| rights.read && !rights.write && !rights.manage)
    };
    for object in ["queueStats", "dashboard-data", "dashboard-definitions"] {
        assert!(reads_only(object), "{object}");
    }

    // What the service creates later is permitted, too.
    emulator.sync().delete_map("queueStats");
    assert!(!reads_only("queueStats"));
    let mut service = Binary::serve(&variables);
    service.logs("is permitted to read").await;
    let mut changed = emulator.journal().changed();
    let permitted = async {
        while !(reads_only("queueStats") && reads_only("dashboard-metrics")) {
            let _ = tokio::time::timeout(std::time::Duration::from_millis(50), changed.changed()).await;
        }
    };
    tokio::time::timeout(crate::support::DEADLINE, permitted).await.expect("never permitted");
    drop(service);
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_stands_below_the_public_urls_path() {
    let prefixed = [(PUBLIC_PATH, "/tr")];
    let bed = Bed::start(&[NO_TIMERS, &prefixed].concat()).await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (path, status, location) in [
        ("/", 303, Some("/tr/login")),
        ("/tr/", 303, Some("/tr/login")),
        ("/tr", 308, Some("/tr/")),
        ("/tr/taskrouter_dashboard.html", 303, Some("/tr/login")),
        ("/tr/login", 200, None),
        ("/tr/assets/x.js", 401, None),
    ] {
        let answer = http.get(format!("{}{path}", bed.url())).send().await.unwrap();
        let told = answer.headers().get("location").map(|value| value.to_str().unwrap());
        assert_eq!((answer.status().as_u16(), told), (status, location), "{path}");
    }
    bed.finish().await;
}
