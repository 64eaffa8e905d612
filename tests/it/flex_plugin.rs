//! The Flex plugin: its bundle and description, who may read from inside Flex, `setup --flex-plugin` and the doctor.

use std::collections::HashMap;
use std::path::Path;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use twilio_emulator::{Emulator, FlexToken, Settings};

use crate::support::{Bed, Binary, NO_TIMERS};

const FLEX: &str = "https://flex.twilio.com";
const SERVICE: &str = "https://stats.example.com";

/// Whether the page and the plugin are built on this machine. Where `tests/run` has built them they must be.
fn is_built() -> bool {
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

/// The account's plugins, as any client of the Plugins API sees them.
struct Account {
    emulator: Emulator,
    client: Client,
}

impl Account {
    async fn new() -> Self {
        let emulator =
            Emulator::start(Settings { queues: 1, workers: 1, ..Settings::default() }).await.unwrap();
        Self { emulator, client: Client::new() }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let account = self.emulator.account();
        let url = format!("{}/v1/PluginService{path}", self.emulator.url());
        let request = self.client.request(method.parse().unwrap(), url);
        request.basic_auth(&account.account_sid, Some(&account.auth_token))
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> String {
        let answer = self.request("POST", path).form(form).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        let made: Value = answer.json().await.unwrap();
        made["sid"].as_str().unwrap().to_owned()
    }

    async fn get(&self, path: &str) -> Value {
        self.request("GET", path).send().await.unwrap().json().await.unwrap()
    }

    /// Another team's plugins, released.
    async fn others(&self) -> String {
        let mut form = vec![("Name", "theirs".to_owned())];
        for (name, phase) in [("crm", 1), ("chat", 3)] {
            self.post("/Plugins", &[("UniqueName", name)]).await;
            let url = format!("https://example.com/{name}.js");
            let versions = format!("/Plugins/{name}/Versions");
            let version = self.post(&versions, &[("Version", "1.0.0"), ("PluginUrl", &url)]).await;
            form.push(("Plugins", json!({ "plugin_version": version, "phase": phase }).to_string()));
        }
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let configuration = self.post("/Configurations", &form).await;
        self.post("/Releases", &[("ConfigurationId", &configuration)]).await;
        configuration
    }

    async fn active(&self) -> String {
        self.get("/Releases/Active").await["configuration_sid"].as_str().unwrap_or_default().to_owned()
    }

    /// Names, numbers and phases of the active Release.
    async fn plugins(&self) -> Vec<String> {
        let plugins = self.get(&format!("/Configurations/{}/Plugins", self.active().await)).await;
        let plugins = plugins["plugins"].as_array().cloned().unwrap_or_default();
        let text = |plugin: &Value, name: &str| plugin[name].as_str().unwrap().to_owned();
        let line = |p: &Value| format!("{} {} {}", text(p, "unique_name"), text(p, "version"), p["phase"]);
        plugins.iter().map(line).collect()
    }

    async fn releases(&self) -> usize {
        self.get("/Releases").await["releases"].as_array().unwrap().len()
    }

    fn variables(&self, public_url: &str) -> HashMap<String, String> {
        Binary::variables(&self.emulator, &[("PUBLIC_URL", public_url), ("ALLOWED_ORIGINS", FLEX)])
    }

    async fn setup(&self, arguments: &[&str]) -> (String, bool) {
        self.setup_at(SERVICE, arguments).await
    }

    async fn setup_at(&self, public_url: &str, arguments: &[&str]) -> (String, bool) {
        let arguments = [&["setup", "--flex-plugin"], arguments].concat();
        let output = Binary::output(&self.variables(public_url), &arguments).await;
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8(said).unwrap(), output.status.success())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_twice_and_remove_leave_every_other_plugin_as_it_was() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    let theirs = account.others().await;
    let ours = format!("taskrouter-sync {} 3", env!("CARGO_PKG_VERSION"));
    let both = vec!["crm 1.0.0 1".to_owned(), "chat 1.0.0 3".to_owned()];
    let all = [&both[..], std::slice::from_ref(&ours)].concat();

    let (said, done) = account.setup(&[]).await;
    assert!(!done && said.contains("nothing was changed"), "{said}");
    assert_eq!(account.active().await, theirs, "without a terminal it does not guess");

    let (said, done) = account.setup(&["--yes"]).await;
    assert!(done, "{said}");
    for part in
        ["crm 1.0.0 (https://example.com/crm.js)", "is added; 2 other plugins stay", "  curl -u AC", &theirs]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(account.plugins().await, all);

    let (said, done) = account.setup(&["--yes"]).await;
    assert!(done && said.contains("Already released"), "{said}");
    assert_eq!(account.releases().await, 2);

    // The service has moved: the same number can't name another address.
    let (said, done) = account.setup_at("https://other.example.com", &["--yes"]).await;
    assert!(done && said.contains("becomes"), "{said}");
    assert!(said.contains("does not answer from here"), "it is released all the same: {said}");
    let moved = account.plugins().await;
    assert_eq!(moved[..2], both[..]);
    assert!(moved[2].starts_with(&format!("taskrouter-sync {}-", env!("CARGO_PKG_VERSION"))), "{moved:?}");
    // And back: the Version with that address is there.
    assert!(account.setup(&["--yes"]).await.1);
    assert_eq!(account.plugins().await, all);

    let (said, done) = account.setup(&["--remove", "--yes"]).await;
    assert!(done && said.contains("is taken out"), "{said}");
    assert_eq!(account.plugins().await, both);
    let releases = account.releases().await;
    let (said, done) = account.setup(&["--remove", "--yes"]).await;
    assert!(done && said.contains("is not released"), "{said}");
    assert_eq!(account.releases().await, releases);
    account.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_refuses_what_it_would_have_to_drop() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    let theirs = account.others().await;
    account.post("/Plugins/crm/Archive", &[]).await;
    let (said, done) = account.setup(&["--yes"]).await;
    assert!(!done && said.contains("crm 1.0.0") && said.contains("archived"), "{said}");
    assert_eq!(account.active().await, theirs);
    account.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_sees_a_release_of_another_version_and_missing_origins() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    let state = |checks: &Value, name: &str| {
        let found = checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).cloned();
        found.map(|check| check["state"].as_str().unwrap().to_owned())
    };
    let doctor = |variables: HashMap<String, String>| async move {
        let output = Binary::output(&variables, &["doctor", "--json"]).await;
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let before = doctor(account.variables(SERVICE)).await;
    assert_eq!(state(&before, "flex plugin"), None, "it is not installed, and needs not be");
    assert!(account.setup(&["--yes"]).await.1);
    let right = doctor(account.variables(SERVICE)).await;
    assert_eq!(state(&right, "flex plugin").as_deref(), Some("right"));
    assert_eq!(state(&right, "flex plugin URL").as_deref(), Some("note"), "that host does not exist");
    assert_eq!(state(&right, "flex origins").as_deref(), Some("right"));
    let mut elsewhere = account.variables("https://other.example.com");
    elsewhere.remove("ALLOWED_ORIGINS");
    let wrong = doctor(elsewhere).await;
    assert_eq!(state(&wrong, "flex plugin").as_deref(), Some("wrong"));
    assert_eq!(state(&wrong, "flex origins").as_deref(), Some("wrong"));
    account.emulator.shutdown().await;
}
