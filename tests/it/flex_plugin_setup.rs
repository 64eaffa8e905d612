//! `setup --flex-plugin` and what the doctor says of it, in an account with other teams' plugins.

use std::collections::HashMap;

use reqwest::Client;
use serde_json::{Value, json};
use twilio_emulator::{Emulator, Settings};

use crate::flex_plugin::{FLEX, is_built};
use crate::support::{Bed, Binary, assert_copyable};

pub(crate) const SERVICE: &str = "https://stats.example.com";

/// The account's plugins, as any client of the Plugins API sees them.
pub(crate) struct Account {
    pub(crate) emulator: Emulator,
    client: Client,
}

impl Account {
    pub(crate) async fn new() -> Self {
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

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> String {
        let answer = self.request("POST", path).form(form).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        let made: Value = answer.json().await.unwrap();
        made["sid"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.request("GET", path).send().await.unwrap().json().await.unwrap()
    }

    /// Another team's plugins, released.
    pub(crate) async fn others(&self) -> String {
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

    pub(crate) async fn active(&self) -> String {
        self.get("/Releases/Active").await["configuration_sid"].as_str().unwrap_or_default().to_owned()
    }

    /// Names, numbers and phases of the active Release.
    pub(crate) async fn plugins(&self) -> Vec<String> {
        let plugins = self.get(&format!("/Configurations/{}/Plugins", self.active().await)).await;
        let plugins = plugins["plugins"].as_array().cloned().unwrap_or_default();
        let text = |plugin: &Value, name: &str| plugin[name].as_str().unwrap().to_owned();
        let line = |p: &Value| format!("{} {} {}", text(p, "unique_name"), text(p, "version"), p["phase"]);
        plugins.iter().map(line).collect()
    }

    async fn releases(&self) -> usize {
        self.get("/Releases").await["releases"].as_array().unwrap().len()
    }

    pub(crate) fn variables(&self, public_url: &str) -> HashMap<String, String> {
        Binary::variables(&self.emulator, &[("PUBLIC_URL", public_url), ("ALLOWED_ORIGINS", FLEX)])
    }

    pub(crate) async fn setup(&self, arguments: &[&str]) -> (String, bool) {
        self.setup_with(&self.variables(SERVICE), arguments).await
    }

    pub(crate) async fn setup_with(
        &self,
        variables: &HashMap<String, String>,
        arguments: &[&str],
    ) -> (String, bool) {
        let arguments = [&["setup", "--flex-plugin"], arguments].concat();
        let output = Binary::output(variables, &arguments).await;
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_copyable(&said);
        (said, output.status.success())
    }

    /// Releases a plugin of our name that another program registered.
    pub(crate) async fn foreign(&self) {
        self.post("/Plugins", &[("UniqueName", "taskrouter-sync"), ("FriendlyName", "Theirs")]).await;
        let form = [("Version", "1.0.0"), ("PluginUrl", "https://example.com/theirs.js")];
        let version = self.post("/Plugins/taskrouter-sync/Versions", &form).await;
        let plugin = json!({ "plugin_version": version, "phase": 3 }).to_string();
        let configuration = self.post("/Configurations", &[("Name", "theirs"), ("Plugins", &plugin)]).await;
        self.post("/Releases", &[("ConfigurationId", &configuration)]).await;
    }
}

/// The state of the doctor's check, what it found and what mends it.
pub(crate) async fn doctor(variables: &HashMap<String, String>, name: &str) -> String {
    let output = Binary::output(variables, &["doctor", "--json"]).await;
    let checks: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
    let text = |part: &str| found.unwrap()[part].as_str().unwrap_or_default().to_owned();
    assert_copyable(&text("mend"));
    format!("{}: {} ({})", text("state"), text("found"), text("mend"))
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
    let (said, done) = account.setup_with(&account.variables("https://other.example.com"), &["--yes"]).await;
    assert!(done && said.contains("becomes"), "{said}");
    assert!(said.contains("does not answer from here"), "it is released all the same: {said}");
    let moved = account.plugins().await;
    assert_eq!(moved[..2], both[..]);
    assert!(moved[2].starts_with(&format!("taskrouter-sync {}-", env!("CARGO_PKG_VERSION"))), "{moved:?}");
    // The number that Flex's pages show is the one that every line names.
    let number = moved[2].strip_suffix(" 3").unwrap();
    let elsewhere = account.variables("https://other.example.com");
    assert!(said.contains(&format!("becomes {number} (https://other.example.com/")), "{said}");
    let (said, done) = account.setup_with(&elsewhere, &["--yes"]).await;
    assert!(done && said.contains(&format!("Already released: {number} (")), "{said}");
    assert!(said.contains("does not answer from here"), "{said}");
    let found = doctor(&elsewhere, "flex plugin").await;
    assert!(found.starts_with(&format!("right: {number} (https://other")), "{found}");
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
async fn archived_plugins_of_others_stop_it_until_the_operator_drops_them() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    account.others().await;
    assert!(account.setup(&["--yes"]).await.1);
    account.post("/Plugins/crm/Archive", &[]).await;
    let before = account.active().await;
    let moved = account.variables("https://other.example.com");
    for (variables, arguments, way_out) in [
        (&moved, &["--yes"][..], "taskrouter-sync setup --flex-plugin --drop-archived"),
        (&moved, &["--remove", "--yes"], "taskrouter-sync setup --flex-plugin --remove --drop-archived"),
    ] {
        let (said, done) = account.setup_with(variables, arguments).await;
        for part in ["crm 1.0.0", "is archived", way_out] {
            assert!(!done && said.contains(part), "{part}: {said}");
        }
        assert_eq!(account.active().await, before, "nothing is dropped unasked");
    }
    let (said, done) = account.setup(&["--remove", "--yes", "--drop-archived"]).await;
    assert!(done, "{said}");
    assert_eq!(account.plugins().await, ["chat 1.0.0 3"]);
    for part in [
        "  crm 1.0.0 (https://example.com/crm.js), archived\n",
        "1 other plugin stays as it is",
        "crm 1.0.0 (https://example.com/crm.js) is archived and left out",
        "Agents lose it",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let told = said.find("There is no way back").unwrap();
    assert!(told < said.find("Released: ").unwrap(), "before it is done: {said}");
    // Twilio refuses a Release of a Configuration that has an archived plugin.
    assert!(said.contains("There is no way back") && !said.contains("curl"), "{said}");
    account.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_way_back_is_printed_to_an_archived_configuration_and_an_archived_version_gets_a_new_number() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    let theirs = account.others().await;
    account.post(&format!("/Configurations/{theirs}/Archive"), &[]).await;
    let (said, done) = account.setup(&["--yes"]).await;
    assert!(done && said.contains(&format!("There is no way back: Configuration {theirs}")), "{said}");
    assert!(!said.contains("curl"), "{said}");
    let archive = format!("/Plugins/taskrouter-sync/Versions/{}/Archive", env!("CARGO_PKG_VERSION"));
    account.post(&archive, &[]).await;
    assert!(account.setup(&["--remove", "--yes"]).await.1);
    let (said, done) = account.setup(&["--yes"]).await;
    assert!(done && said.contains("To go back:\n  curl"), "{said}");
    let ours = account.plugins().await.pop().unwrap();
    assert!(ours.starts_with(&format!("taskrouter-sync {}-", env!("CARGO_PKG_VERSION"))), "{ours}");
    account.post("/Plugins/taskrouter-sync/Archive", &[]).await;
    assert!(account.setup(&["--remove", "--yes"]).await.1);
    let (said, done) = account.setup(&["--yes"]).await;
    assert!(!done && said.contains("under another name") && said.contains("docs/flex-plugin.md"), "{said}");
    account.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_of_our_name_that_another_program_registered_gives_way_only_when_asked_to() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    account.foreign().await;
    let found = doctor(&account.variables(SERVICE), "flex plugin").await;
    assert!(found.starts_with("wrong: taskrouter-sync 1.0.0 (https://example.com/theirs.js)"), "{found}");
    assert!(found.contains("--take-over"), "{found}");
    let theirs = account.active().await;
    for arguments in [&[][..], &["--yes"], &["--remove", "--yes"]] {
        let (said, done) = account.setup(arguments).await;
        for part in [
            "1.0.0 (https://example.com/theirs.js)",
            "\"Theirs\"",
            "not registered by this program",
            "--take-over",
        ] {
            assert!(!done && said.contains(part), "{part}: {said}");
        }
        assert_eq!(account.active().await, theirs);
    }
    // Asked at a terminal, an operator reads it before the question.
    let (said, done) = account.setup(&["--take-over"]).await;
    let warned = said.find("Warning: taskrouter-sync 1.0.0").unwrap();
    assert!(!done && warned < said.find("Change: ").unwrap(), "{said}");

    let (said, done) = account.setup(&["--yes", "--take-over"]).await;
    assert!(done && said.contains("becomes"), "{said}");
    let name = account.get("/Plugins/taskrouter-sync").await["friendly_name"].clone();
    assert_eq!(name, "TaskRouter Sync", "it is ours from now on");
    assert!(account.setup(&["--remove", "--yes"]).await.1);
    account.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_twilios_own_404_means_that_nothing_is_released() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    let page = || async { (axum::http::StatusCode::NOT_FOUND, axum::response::Html("<h1>Not found</h1>")) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let wrong = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, axum::Router::new().fallback(page)).into_future());
    let mut variables = account.variables(SERVICE);
    variables.insert("TWILIO_FLEX_URL".to_owned(), wrong.clone());
    for arguments in [&["--yes"][..], &["--remove", "--yes"]] {
        let (said, done) = account.setup_with(&variables, arguments).await;
        assert!(!done && said.contains(&wrong) && said.contains("check TWILIO_FLEX_URL"), "{said}");
    }
    let found = doctor(&variables, "flex plugin").await;
    assert!(found.starts_with("note: ") && found.contains("check TWILIO_FLEX_URL"), "{found}");
    // A path of Twilio's that is not there, and no server at all.
    for wrong in [format!("{}/v1", account.emulator.url()), "http://127.0.0.1:9".to_owned()] {
        variables.insert("TWILIO_FLEX_URL".to_owned(), wrong.clone());
        let (said, done) = account.setup_with(&variables, &["--yes"]).await;
        assert!(!done && said.contains(&wrong) && said.contains("TWILIO_FLEX_URL"), "{said}");
    }
    server.abort();
    account.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_and_doctor_agree_about_origins() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    let with = |origins: &str| {
        let mut variables = account.variables(SERVICE);
        variables.insert("ALLOWED_ORIGINS".to_owned(), origins.to_owned());
        variables
    };
    let (said, done) = account.setup_with(&with(""), &["--yes"]).await;
    assert!(!done && said.contains("\n  ALLOWED_ORIGINS=https://flex.twilio.com\n"), "{said}");
    let found = doctor(&with(""), "flex plugin").await;
    assert!(
        found.starts_with("right: not released; in the way") && found.contains("ALLOWED_ORIGINS"),
        "{found}"
    );
    assert_eq!(account.active().await, "");
    let (said, done) = account.setup_with(&with("https://flex.example.com"), &["--yes"]).await;
    let warning = "so the plugin gets no data at https://flex.twilio.com";
    assert!(done && said.contains("Warning: ALLOWED_ORIGINS is https://flex.example.com"), "{said}");
    for (origins, state, part) in [
        ("", "wrong", "ALLOWED_ORIGINS is not set"),
        ("https://flex.example.com", "note", warning),
        (FLEX, "right", FLEX),
    ] {
        let found = doctor(&with(origins), "flex origins").await;
        assert!(found.starts_with(state) && found.contains(part), "{found}");
    }
    account.emulator.shutdown().await;
}

/// The operator's environment is not always the one that the service runs with.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_asks_the_service_itself_whether_flex_may_read() {
    if !is_built() {
        return;
    }
    for (origins, state) in [("https://other.example.com", "wrong: "), (FLEX, "right: ")] {
        let bed = Bed::start(&[("ALLOWED_ORIGINS", origins)]).await;
        let ours = [("PUBLIC_URL", bed.url()), ("ALLOWED_ORIGINS", FLEX)];
        let variables = Binary::variables(&bed.emulator, &ours);
        let output = Binary::output(&variables, &["setup", "--flex-plugin", "--yes"]).await;
        assert!(output.status.success());
        let found = doctor(&variables, "flex origins").await;
        assert!(found.starts_with(state), "{origins}: {found}");
        bed.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_sees_whether_this_services_plugin_is_released() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    let here = account.variables(SERVICE);
    let found = doctor(&here, "flex plugin").await;
    let expected = "right: not released (to release this service's:\ntaskrouter-sync setup --flex-plugin)";
    assert_eq!(found, expected, "no fault");
    assert!(account.setup(&["--yes"]).await.1);
    let found = doctor(&here, "flex plugin").await;
    assert!(found.starts_with("right: ") && found.contains("is this service's"), "{found}");
    assert!(doctor(&here, "flex plugin URL").await.starts_with("note: "), "that host does not exist");
    let found = doctor(&account.variables("https://other.example.com"), "flex plugin").await;
    assert!(found.starts_with("wrong: "), "{found}");
    account.emulator.shutdown().await;
}
