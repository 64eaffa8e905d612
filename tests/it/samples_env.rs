//! The samples' own environment files: each starts the real program, which writes into the Sync Service that the file
//! names, and says of every name that it does not read what to do about it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use twilio_emulator::{Emulator, Settings};

use crate::support::{DEADLINE, command};

const WITHOUT_HOST: [(&str, &str); 1] = [("PUBLIC_URL", "https://hooks.example.com")];

struct Sample {
    emulator: Emulator,
    directory: tempfile::TempDir,
    variables: HashMap<String, String>,
}

impl Sample {
    /// The file as `.env`, and in the environment nothing but where Twilio is and what the file lacks.
    async fn new(file: &str, more: &[(&str, &str)]) -> Self {
        let emulator = Emulator::start(Settings { queues: 2, ..Settings::default() }).await.unwrap();
        let account = emulator.account().clone();
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/samples").join(file);
        let mut text = std::fs::read_to_string(path).unwrap();
        for (name, value) in [
            ("{account}", &account.account_sid),
            ("{token}", &account.auth_token),
            ("{workspace}", &account.workspace_sid),
            ("{service}", &account.sync_service_sid),
            ("{workflow}", &emulator.world().workflows()[0]),
            ("{key}", &account.api_key_sid),
            ("{secret}", &account.api_key_secret),
        ] {
            text = text.replace(name, value);
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(".env"), text).unwrap();
        let url = emulator.url();
        let urls = ["TASKROUTER", "SYNC", "API", "IAM"].map(|api| (format!("TWILIO_{api}_URL"), url.clone()));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables = urls.into_iter().chain([("PORT".to_owned(), "0".to_owned())]).chain(more).collect();
        Self { emulator, directory, variables }
    }

    async fn doctor(&self) -> Value {
        let mut doctor = command(&self.directory, &self.variables);
        let doctor = doctor.args(["doctor", "--json"]).stdin(Stdio::null()).output();
        let Output { stdout, .. } = tokio::time::timeout(DEADLINE, doctor).await.unwrap().unwrap();
        serde_json::from_slice(&stdout).unwrap()
    }

    /// Runs `serve` until it is ready; returns what it logged.
    async fn serve(&self) -> String {
        let mut child = command(&self.directory, &self.variables);
        let mut child = child.arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                log.push_str(&line);
                log.push('\n');
                if line.contains("Ready: ") {
                    return true;
                }
            }
            false
        };
        let ready = tokio::time::timeout(DEADLINE, ready).await;
        child.kill().await.unwrap();
        assert_eq!(ready, Ok(true), "it was never ready:\n{log}");
        assert!(!log.contains(&self.emulator.account().auth_token), "{log}");
        log
    }

    fn items(&self, map: &str) -> usize {
        self.emulator.sync().map_items(map).map_or(0, |items| items.len())
    }
}

fn notes(doctor: &Value) -> String {
    let checks = doctor["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["state"] == "note").map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_statistics_file_fills_the_map_of_its_plugin() {
    let sample = Sample::new("a-queue-statistics.env", &WITHOUT_HOST).await;
    sample.serve().await;
    assert_eq!(sample.items("queueStats"), 2);
    sample.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallboards_file_fills_its_map_and_documents_by_their_names() {
    let sample = Sample::new("b-wallboard.env", &WITHOUT_HOST).await;
    let log = sample.serve().await;
    assert_eq!(sample.items("wallboard-of-ours"), 3, "the Workspace and both TaskQueues");
    for name in ["definitions-of-ours", "data-of-ours"] {
        assert!(sample.emulator.sync().document(name).is_some(), "{name}");
    }
    let notes = notes(&sample.doctor().await);
    assert!(log.contains("NEXT_PUBLIC_API_BASE") && notes.contains("NEXT_PUBLIC_API_BASE"), "{log}{notes}");
    sample.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialpads_file_starts_everything_but_calls_and_says_so() {
    let sample = Sample::new("c-dialpad.env", &[]).await;
    let log = sample.serve().await;
    let notes = notes(&sample.doctor().await);
    for said in [&log, &notes] {
        assert!(said.contains("OUTBOUND_CALLER_IDS") && said.contains("OUTBOUND_PREFIXES"), "{said}");
    }
    // It had no Sync Service of its own, so this is the account's default one.
    assert_eq!(sample.items("queueStats"), 2);
    sample.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboards_file_fills_its_documents_and_names_what_is_not_needed() {
    let sample = Sample::new("d-dashboard.env", &WITHOUT_HOST).await;
    let log = sample.serve().await;
    assert!(sample.emulator.sync().document("SyncTaskRouterStats").is_some());
    let notes = notes(&sample.doctor().await);
    assert!(log.contains("TWILIO_WORKFLOW_SID") && notes.contains("TWILIO_WORKFLOW_SID"), "{log}{notes}");
    sample.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_voice_quality_file_starts_with_its_key() {
    let sample = Sample::new("e-voice-quality.env", &WITHOUT_HOST).await;
    let log = sample.serve().await;
    assert!(log.contains("REACT_APP_SERVERLESS_URI"), "{log}");
    assert_eq!(sample.items("queueStats"), 2);
    sample.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_only_looks_like_ours_is_a_warning_in_log_and_doctor() {
    let more = [WITHOUT_HOST[0], ("DASHBOARD_REFRESH_RATE", "5"), ("FLEX_ROLES", "Supervisor,boss")];
    let sample = Sample::new("a-queue-statistics.env", &more).await;
    let (log, notes) = (sample.serve().await, notes(&sample.doctor().await));
    for said in [&log, &notes] {
        assert!(said.contains("DASHBOARD_REFRESH_RATE"), "{said}");
        assert!(said.contains("boss") && said.contains("supervisor"), "the roles that Flex has: {said}");
    }
    sample.emulator.shutdown().await;
}

/// As when the files of two samples are put into one: the service writes into one Sync Service, the wallboard reads another.
#[tokio::test(flavor = "multi_thread")]
async fn two_names_of_one_setting_with_different_values_are_a_warning_that_names_both() {
    let other = format!("IS{:032x}", 7);
    let sample =
        Sample::new("a-queue-statistics.env", &[WITHOUT_HOST[0], ("DASHBOARD_SYNC_SERVICE_SID", &other)])
            .await;
    let (log, notes) = (sample.serve().await, notes(&sample.doctor().await));
    for said in [&log, &notes] {
        assert!(
            said.contains("TWILIO_FLEX_SYNC_SID") && said.contains("DASHBOARD_SYNC_SERVICE_SID"),
            "{said}"
        );
        assert!(!said.contains(&other), "{said}");
    }
    assert_eq!(sample.items("queueStats"), 2, "the first counts");
    sample.emulator.shutdown().await;
}
