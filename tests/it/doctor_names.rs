//! `doctor`: what the configuration names and is not there, with what is; and addresses that do not answer.

use std::collections::HashMap;

use serde_json::Value;
use tokio::net::TcpListener;
use twilio_emulator::{Emulator, NewTask, Settings};

use crate::support::Binary;

const MISSING: &str = "0000000000000000000000000000000f";

async fn emulator() -> Emulator {
    Emulator::start(Settings { queues: 2, ..Settings::default() }).await.unwrap()
}

async fn doctor(variables: &HashMap<String, String>) -> Value {
    let output = Binary::output(variables, &["doctor", "--json"]).await;
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A check's state, and what it found.
fn check<'j>(report: &'j Value, name: &str) -> (&'j str, &'j str) {
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no check {name} in {report}"));
    (check["state"].as_str().unwrap(), check["found"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_and_queues_that_are_not_there_are_named_with_those_that_are() {
    let emulator = emulator().await;
    let (workflow, queue) =
        (emulator.world().workflows().remove(0), emulator.world().queues()[0].sid.clone());
    let variables = |workflow: &str, queue: &str| {
        let levels = format!("{queue}=accepted");
        let more = [
            ("TWILIO_OUTBOUND_WORKFLOW_SID", workflow),
            ("OUTBOUND_CALLER_IDS", "+14155550100"),
            ("OUTBOUND_PREFIXES", "+1"),
            ("SLA_NAMES_OF_QUEUES", &levels),
        ];
        Binary::variables(&emulator, &more)
    };
    let right = doctor(&variables(&workflow, &queue)).await;
    assert_eq!(check(&right, "outbound workflow").0, "right", "{right}");
    assert_eq!(check(&right, "service levels").0, "right", "{right}");

    let wrong = doctor(&variables(&format!("WW{MISSING}"), &format!("WQ{MISSING}"))).await;
    let (state, found) = check(&wrong, "outbound workflow");
    assert_eq!(state, "wrong");
    assert!(found.contains(MISSING) && found.contains(&workflow), "{found}");
    let (state, found) = check(&wrong, "service levels");
    assert_eq!(state, "note");
    assert!(found.contains(MISSING) && found.contains(&queue), "{found}");
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_by_a_sid_that_does_not_exist_is_wrong_and_setup_ends_with_that() {
    let emulator = emulator().await;
    let map = format!("MP{MISSING}");
    let layouts = ("SYNC_LAYOUTS", "queue-map,dashboard-map");
    let variables = Binary::variables(&emulator, &[("DASHBOARD_MAP", &map), layouts]);
    let report = doctor(&variables).await;
    let (state, found) = check(&report, "sync objects");
    assert!(state == "wrong" && found.contains(&map) && found.contains("does not exist"), "{state} {found}");
    let setup = Binary::output(&variables, &["setup"]).await;
    let said = String::from_utf8([setup.stdout, setup.stderr].concat()).unwrap();
    assert!(!setup.status.success() && said.contains(&map) && said.contains("does not exist"), "{said}");
    assert_eq!(emulator.sync().maps(), Vec::<String>::new(), "nothing was made by half");
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workspaces_and_sync_services_that_it_can_read_are_listed() {
    let emulator = emulator().await;
    let account = emulator.account().clone();
    let wrong =
        doctor(&Binary::variables(&emulator, &[("TWILIO_WORKSPACE_SID", &format!("WS{MISSING}"))])).await;
    let (state, found) = check(&wrong, "workspace");
    assert!(state == "wrong" && found.contains(&account.workspace_sid), "{found}");
    let wrong =
        doctor(&Binary::variables(&emulator, &[("TWILIO_SYNC_SERVICE_SID", &format!("IS{MISSING}"))])).await;
    let (state, found) = check(&wrong, "sync service");
    assert!(state == "wrong" && found.contains(&account.sync_service_sid), "{found}");
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_of_calls_and_the_collector_are_tried_and_no_path_is_shown() {
    let emulator = emulator().await;
    // One address that answers, and one that nothing listens on.
    let answers = emulator.url();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    for (address, state) in [(&answers, "right"), (&away, "note")] {
        let webhook = format!("{address}/hooks/its-secret");
        let more = [
            ("VOICE_WEBHOOK_URL", webhook.as_str()),
            ("VOICE_WEBHOOK_SECRET", "a-secret-of-16-signs"),
            #[cfg(feature = "otel")]
            ("OTEL_EXPORTER_OTLP_ENDPOINT", address),
        ];
        let report = doctor(&Binary::variables(&emulator, &more)).await;
        let (found_state, found) = check(&report, "voice webhook");
        assert_eq!(found_state, state, "{found}");
        assert!(found.contains(address.as_str()) && !report.to_string().contains("its-secret"), "{report}");
        if cfg!(feature = "otel") {
            assert_eq!(check(&report, "trace collector").0, state, "{report}");
        }
    }
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_url_with_the_schemes_own_port_is_right() {
    let emulator = emulator().await;
    emulator.callbacks().set_url("https://hooks.example.com:443/taskrouter/events#rc=5");
    let report = doctor(&Binary::variables(&emulator, &[("PUBLIC_URL", "https://hooks.example.com")])).await;
    assert_eq!(check(&report, "event callback URL").0, "right", "{report}");
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_curl_lines_name_no_variable_of_a_shell() {
    let emulator = emulator().await;
    emulator.callbacks().set_events_filter(Some("task.created"));
    for changes in [
        ("TWILIO_WORKSPACE_SID", format!("WS{MISSING}")),
        ("TWILIO_SYNC_SERVICE_SID", format!("IS{MISSING}")),
        ("TWILIO_AUTH_TOKEN", "another-token".to_owned()),
        ("REALTIME_INTERVAL", "1s".to_owned()),
    ] {
        let report = doctor(&Binary::variables(&emulator, &[(changes.0, &changes.1)])).await;
        let checks = report["checks"].as_array().unwrap().iter();
        for line in checks.filter_map(|check| check["mend"].as_str()).flat_map(str::lines) {
            assert!(!line.contains("curl") || !line.contains('$'), "{line}");
        }
    }
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_with_tasks_that_is_not_shown_is_named_with_what_shows_it() {
    let emulator = emulator().await;
    let world = emulator.world();
    let usual = ["voice", "chat", "video"];
    let others: Vec<String> =
        world.channels().into_iter().filter(|name| !usual.contains(&name.as_str())).collect();
    let (used, unused) = (&others[0], &others[1]);
    let queue = world.queues()[0].sid.clone();
    world.create_task(NewTask { queue, channel: used.clone(), ..NewTask::default() }).unwrap();
    let channels = async |choice: &str| {
        let report = doctor(&Binary::variables(&emulator, &[("STATS_CHANNELS", choice)])).await;
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "task channels").unwrap().clone()
    };
    let note = channels("voice,chat").await;
    assert_eq!(note["state"], "note", "{note}");
    let found = note["found"].as_str().unwrap();
    assert!(found.contains(&format!("Tasks on {used} appear only in totals")), "{found}");
    assert!(!found.contains(unused), "{found}");
    assert!(note.to_string().contains(&format!("STATS_CHANNELS=voice,chat,{used}")), "{note}");
    for choice in [format!("voice,chat,{used}"), "auto".to_owned()] {
        assert_eq!(channels(&choice).await["state"], "right", "{choice}");
    }
    emulator.shutdown().await;
}
