//! What stands in the way of `setup --flex-plugin`: `doctor` names the same as `setup`, and one command gets past all of it.

use serde_json::json;

use crate::flex_plugin::is_built;
use crate::flex_plugin_setup::{Account, SERVICE, doctor};

const ELSEWHERE: &str = "https://other.example.com";

impl Account {
    /// Releases these Versions alone.
    async fn release(&self, versions: &[&str]) {
        let plugins: Vec<_> = versions
            .iter()
            .map(|version| ("Plugins", json!({ "plugin_version": version, "phase": 3 }).to_string()))
            .collect();
        let mut form = vec![("Name", "by hand")];
        form.extend(plugins.iter().map(|(name, value)| (*name, value.as_str())));
        let configuration = self.post("/Configurations", &form).await;
        self.post("/Releases", &[("ConfigurationId", &configuration)]).await;
    }

    /// The Version of the plugin as Twilio's own builder deploys it.
    async fn builders_copy(&self) -> String {
        self.post("/Plugins", &[("UniqueName", "plugin-taskrouter-sync")]).await;
        let form = [("Version", "0.2.0"), ("PluginUrl", "https://example.twil.io/bundle.js")];
        self.post("/Plugins/plugin-taskrouter-sync/Versions", &form).await
    }

    /// The command that `setup` names, after `doctor` has named the same.
    async fn way_past(&self, public_url: &str, in_the_way: &[&str]) -> String {
        let variables = self.variables(public_url);
        let (said, done) = self.setup_with(&variables, &[]).await;
        let found = doctor(&variables, "flex plugin").await;
        for part in in_the_way {
            assert!(!done && said.contains(part), "setup does not name {part}: {said}");
            assert!(found.contains(part), "doctor does not name {part}: {found}");
        }
        let commands = |said: &str| -> Vec<String> {
            let lines = said.lines().map(|line| line.trim().trim_end_matches(')'));
            lines.filter(|line| line.starts_with("taskrouter-sync setup")).map(str::to_owned).collect()
        };
        let [command] = &commands(&said)[..] else { panic!("not one command: {said}") };
        assert_eq!(commands(&found), std::slice::from_ref(command), "{found}");
        command.clone()
    }

    /// Runs a command as it was printed, and agrees to it.
    async fn run(&self, public_url: &str, command: &str) -> String {
        let arguments = command.strip_prefix("taskrouter-sync setup --flex-plugin").unwrap();
        let arguments: Vec<_> = arguments.split_whitespace().chain(["--yes"]).collect();
        let (said, done) = self.setup_with(&self.variables(public_url), &arguments).await;
        assert!(done, "{command}: {said}");
        said
    }
}

fn ours() -> String {
    format!("taskrouter-sync {} 3", env!("CARGO_PKG_VERSION"))
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_and_foreign_plugins_are_passed_by_one_command_that_doctor_names_too() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    account.others().await;
    account.post("/Plugins/crm/Archive", &[]).await;
    let way = account.way_past(SERVICE, &["crm 1.0.0", "is archived"]).await;
    assert_eq!(way, "taskrouter-sync setup --flex-plugin --drop-archived");

    // Registered by another program, and not even released.
    account.post("/Plugins", &[("UniqueName", "taskrouter-sync"), ("FriendlyName", "Theirs")]).await;
    let way = account.way_past(SERVICE, &["crm 1.0.0", "\"Theirs\"", "not registered by this program"]).await;
    assert_eq!(way, "taskrouter-sync setup --flex-plugin --drop-archived --take-over");
    account.run(SERVICE, &way).await;
    assert_eq!(account.plugins().await, ["chat 1.0.0 3".to_owned(), ours()]);
    assert!(doctor(&account.variables(SERVICE), "flex plugin").await.starts_with("right: "));
    account.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_foreign_plugin_and_an_archived_one_are_passed_by_one_command() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    account.post("/Plugins", &[("UniqueName", "crm")]).await;
    let form = [("Version", "1.0.0"), ("PluginUrl", "https://example.com/crm.js")];
    let crm = account.post("/Plugins/crm/Versions", &form).await;
    account.foreign().await;
    let form = [("Version", "1.0.1"), ("PluginUrl", "https://example.com/theirs.js")];
    let theirs = account.post("/Plugins/taskrouter-sync/Versions", &form).await;
    account.release(&[&crm, &theirs]).await;
    account.post("/Plugins/crm/Archive", &[]).await;
    let way = account.way_past(SERVICE, &["crm 1.0.0", "taskrouter-sync 1.0.1"]).await;
    assert_eq!(way, "taskrouter-sync setup --flex-plugin --drop-archived --take-over");
    account.run(SERVICE, &way).await;
    assert_eq!(account.plugins().await, [ours()]);
    account.emulator.shutdown().await;
}

/// Twilio can't undo that ours is archived, so what remains is to take it out: at once with the other archived one.
#[tokio::test(flavor = "multi_thread")]
async fn an_archived_plugin_of_our_own_and_anothers_are_taken_out_by_one_command() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    account.others().await;
    assert!(account.setup(&["--yes"]).await.1);
    account.post("/Plugins/crm/Archive", &[]).await;
    account.post("/Plugins/taskrouter-sync/Archive", &[]).await;
    let in_the_way =
        ["the Plugin taskrouter-sync of this account is archived", "crm 1.0.0", "under another name"];
    let way = account.way_past(ELSEWHERE, &in_the_way).await;
    assert_eq!(way, "taskrouter-sync setup --flex-plugin --remove --drop-archived");
    account.run(ELSEWHERE, &way).await;
    assert_eq!(account.plugins().await, ["chat 1.0.0 3"]);
    let found = doctor(&account.variables(ELSEWHERE), "flex plugin").await;
    assert!(
        found.starts_with("right: not released; in the way") && found.contains("under another name"),
        "{found}"
    );
    assert!(!found.contains("taskrouter-sync setup"), "no command releases it: {found}");
    account.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_of_twilios_own_builder_gives_way_and_is_never_loaded_beside_ours() {
    if !is_built() {
        return;
    }
    let account = Account::new().await;
    let copy = account.builders_copy().await;
    account.release(&[&copy]).await;
    let way = account.way_past(SERVICE, &["plugin-taskrouter-sync 0.2.0", "Twilio's own builder"]).await;
    assert_eq!(way, "taskrouter-sync setup --flex-plugin --take-over");
    let said = account.run(SERVICE, &way).await;
    assert!(
        said.contains("plugin-taskrouter-sync 0.2.0 (https://example.twil.io/bundle.js) is taken out"),
        "{said}"
    );
    assert!(said.contains("To go back:\n  curl"), "{said}");
    assert_eq!(account.plugins().await, [ours()]);

    // Deployed again beside it.
    let versions = format!("/Plugins/taskrouter-sync/Versions/{}", env!("CARGO_PKG_VERSION"));
    let version = account.get(&versions).await["sid"].as_str().unwrap().to_owned();
    account.release(&[&version, &copy]).await;
    let found = doctor(&account.variables(SERVICE), "flex plugin").await;
    assert!(found.starts_with("note: ") && found.contains("Flex would load both"), "{found}");
    let way = account.way_past(SERVICE, &["Flex would load both"]).await;
    account.run(SERVICE, &way).await;
    assert_eq!(account.plugins().await, [ours()]);
    account.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_and_doctor_say_the_same_of_an_address_that_browsers_do_not_reach() {
    let account = Account::new().await;
    for (url, words) in [
        ("http://10.1.2.3:8080", &["a private address", "pages of Flex load nothing"][..]),
        ("http://hooks.example.com", &["not https", "pages of Flex load nothing"]),
        ("https://localhost", &["neither Twilio nor browsers elsewhere reach"]),
    ] {
        let variables = account.variables(url);
        let (said, _) = account.setup_with(&variables, &[]).await;
        let found = doctor(&variables, "public URL").await;
        let sentence = said.lines().find_map(|line| line.strip_prefix("Warning: PUBLIC_URL is ")).unwrap();
        assert!(found.starts_with(&format!("note: PUBLIC_URL is {sentence} (set PUBLIC_URL")), "{found}");
        assert!(words.iter().all(|words| sentence.contains(words)), "{sentence}");
    }
    account.emulator.shutdown().await;
}
