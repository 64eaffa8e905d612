//! The Flex plugin: its bundle and description, and who may read from inside Flex.

use std::path::Path;

use reqwest::{Client, StatusCode};
use serde_json::Value;
use twilio_emulator::{FlexToken, Settings};

use crate::support::{Bed, NO_TIMERS};

pub(crate) const FLEX: &str = "https://flex.twilio.com";

/// Whether the page and the plugin are built on this machine. Where `tests/run` has built them they must be.
pub(crate) fn is_built() -> bool {
    let built = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/web/dist/flex-plugin")).exists();
    assert!(built || std::env::var_os("PAGE_IS_BUILT").is_none(), "web/dist has no Flex plugin");
    built
}

async fn bed(more: &[(&str, &str)]) -> Bed {
    let mut bed = Bed::without_service(Settings { queues: 2, workers: 2, ..Settings::default() }, &[]).await;
    bed.set(NO_TIMERS.iter().chain(more).copied().chain([("ALLOWED_ORIGINS", FLEX)]));
    bed.start_service().await;
    bed.ready().await;
    bed
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bundle_is_at_its_address_for_ever_and_an_older_address_leads_to_it() {
    let bed = bed(&[]).await;
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let get = |path: String| client.get(path).header("Origin", FLEX).send();
    let told = get(format!("{}/flex-plugin.json", bed.url())).await.unwrap();
    if !is_built() {
        assert_eq!(told.status(), StatusCode::NOT_FOUND);
        return bed.finish().await;
    }
    assert_eq!(told.headers()["access-control-allow-origin"], FLEX);
    let told: Value = told.json().await.unwrap();
    let url = told["url"].as_str().unwrap();
    assert!(url.starts_with(&format!(
        "{}/flex-plugin/{}/taskrouter-sync-",
        bed.url(),
        env!("CARGO_PKG_VERSION")
    )));
    let bundle = get(url.to_owned()).await.unwrap();
    assert_eq!(bundle.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(bundle.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(bundle.headers()["access-control-allow-origin"], "*");
    assert_eq!(bundle.headers()["cross-origin-resource-policy"], "cross-origin");
    let bytes = bundle.bytes().await.unwrap();
    assert_eq!(told["bytes"], bytes.len());
    use base64::Engine;
    use sha2::Digest;
    let digest = base64::prelude::BASE64_STANDARD.encode(sha2::Sha384::digest(&bytes));
    assert_eq!(told["integrity"], format!("sha384-{digest}"));

    let packed = client.get(url).header("Accept-Encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["vary"], "accept-encoding");
    let tag = packed.headers()["etag"].clone();
    let packed = packed.bytes().await.unwrap();
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
    assert!(packed.len() < bytes.len() / 2 && unpacked == bytes);
    let known = client.get(url).header("Accept-Encoding", "gzip").header("If-None-Match", tag).send().await;
    assert_eq!(known.unwrap().status(), StatusCode::NOT_MODIFIED);

    let older = get(format!("{}/flex-plugin/0.1.0/taskrouter-sync-gone.js", bed.url())).await.unwrap();
    assert_eq!(
        (older.status(), &older.headers()["location"]),
        (StatusCode::TEMPORARY_REDIRECT, &url.parse().unwrap())
    );
    let other = get(format!("{}/flex-plugin/0.1.0/other.js", bed.url())).await.unwrap();
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_text_that_the_page_consists_of_names_its_encoding() {
    if !is_built() {
        return;
    }
    let bed = bed(&[]).await;
    let client = Client::new();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/web/dist/assets"));
    let assets =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut kinds = std::collections::BTreeSet::new();
    for path in ["/", "/icon.svg", "/voice-quality.js", "/login", "/login.css"]
        .map(str::to_owned)
        .into_iter()
        .chain(assets.map(|name| format!("/assets/{name}")))
    {
        let answer = client.get(format!("{}{path}", bed.url())).bearer_auth(crate::support::BEARER).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.ends_with("; charset=utf-8") || kind.starts_with("font/"), "{path}: {kind}");
        kinds.insert(kind.split(';').next().unwrap().to_owned());
    }
    for kind in ["text/html", "text/css", "text/javascript", "image/svg+xml"] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flex_user_reads_with_the_token_and_the_role_from_an_allowed_page() {
    let bed = bed(&[("FLEX_ROLES", "supervisor")]).await;
    for (token, role) in [("sues", "supervisor"), ("adas", "agent")] {
        let user = FlexToken {
            roles: vec![role.to_owned()],
            realm_user_id: token.to_owned(),
            ..FlexToken::default()
        };
        bed.emulator.tokens().register(token, user);
    }
    let client = Client::new();
    let get = |path: &str, token: &str, origin: &str| {
        client.get(format!("{}{path}", bed.url())).header("token", token).header("Origin", origin).send()
    };
    for (path, sue, ada) in [
        ("/api/session", 200, 200),
        ("/api/health", 200, 403),
        ("/api/history?metric=tasks-waiting", 200, 403),
        ("/api/feed", 200, 403),
    ] {
        for (token, expected) in [("sues", sue), ("adas", ada), ("nobodys", 403)] {
            let answer = get(path, token, FLEX).await.unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{path} with {token}");
            assert_eq!(answer.headers()["access-control-allow-origin"], FLEX, "{path}");
            assert!(!answer.headers().contains_key("access-control-allow-credentials"));
        }
        let foreign = get(path, "sues", "https://evil.example").await.unwrap();
        assert_eq!(foreign.status(), StatusCode::FORBIDDEN, "{path}");
    }
    let session = async |token: &str| -> Value {
        get("/api/session", token, FLEX).await.unwrap().json().await.unwrap()
    };
    let (sue, ada) = (session("sues").await, session("adas").await);
    assert_eq!([&sue["watches"], &ada["watches"]], [true, false]);
    assert_eq!((sue["role"].as_str(), sue["user"].as_str()), (Some("viewer"), Some("sues")));
    assert_eq!(sue["callerIds"], Value::Null, "no Worker, and no dialling");

    let preflight = client
        .request(reqwest::Method::OPTIONS, format!("{}/api/feed", bed.url()))
        .header("Origin", FLEX)
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "last-event-id,token");
    let allowed = preflight.send().await.unwrap();
    assert_eq!(allowed.headers()["access-control-allow-headers"], "token,last-event-id");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_ends_when_its_token_does() {
    let bed = bed(&[]).await;
    // Long enough for a busy machine to connect.
    let expiration = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(10);
    let user = FlexToken { expiration: Some(expiration), ..FlexToken::default() };
    bed.emulator.tokens().register("short", user);
    let feed =
        Client::new().get(format!("{}/api/feed", bed.url())).header("token", "short").send().await.unwrap();
    assert_eq!(feed.status(), StatusCode::OK);
    let all = tokio::time::timeout(crate::support::DEADLINE, feed.text()).await;
    assert!(all.expect("the feed goes on").unwrap().contains("snapshot"));
    bed.finish().await;
}
