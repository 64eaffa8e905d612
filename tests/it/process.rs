//! The real program: its exit codes, what it prints, and how it stops.

use serde_json::Value;
use sha2::Digest;
use twilio_emulator::{Emulator, Settings};

use crate::support::{Binary, DEADLINE, command};

async fn emulator() -> Emulator {
    Emulator::start(Settings { queues: 3, ..Settings::default() }).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_reported_whole_with_exit_status_2() {
    let emulator = emulator().await;
    let mut variables = Binary::variables(&emulator, &[("SLA_THRESHOLDS", "soon"), ("PORT", "none")]);
    variables.insert("TWILIO_AUTH_TOKEN".to_owned(), "s3 cret".to_owned());
    let output = Binary::output(&variables, &["serve"]).await;
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    for variable in ["SLA_THRESHOLDS", "PORT", "TWILIO_AUTH_TOKEN"] {
        assert!(said.contains(variable), "{said}");
    }
    assert!(said.contains("\"soon\"") && !said.contains("s3 cret"), "{said}");
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_in_good_order_on_sigterm() {
    let emulator = emulator().await;
    let mut service = Binary::serve(&Binary::variables(&emulator, &[]));
    let serving = service.logs("Serving").await;
    let line: Value = serde_json::from_str(&serving).expect("logs are JSON unless they go to a terminal");
    assert!(line["listening"].is_string() && line["callback_url"].is_string(), "{serving}");
    service.logs("Ready").await;
    assert_eq!(emulator.sync().map_items("queueStats").map(|items| items.len()), Some(3));

    let port = line["listening"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let healthy = Binary::output(&[("PORT".to_owned(), port)].into(), &["healthcheck"]).await;
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stderr));

    service.signal("TERM");
    service.logs("All pending writes are done").await;
    let secret = emulator.account().auth_token.clone();
    assert!(!service.seen.join("\n").contains(&secret));
    assert_eq!(service.exit_code().await, Some(0));
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_makes_what_is_missing_and_may_be_repeated() {
    let emulator = emulator().await;
    let variables = Binary::variables(&emulator, &[]);
    let first = Binary::output(&variables, &["setup", "--event-callback-url"]).await;
    let said = text(&first.stdout);
    assert_eq!(first.status.code(), Some(0), "{said}{}", text(&first.stderr));
    for line in [
        "Map queueStats: created",
        "Document dashboard-data: created",
        "Document dashboard-definitions: created",
        "Document dashboard-metrics-2: not needed yet",
        "TaskQueues: 3 found, 3 with statistics",
        "Event callback URL: set to http://hooks.example.com/taskrouter/events#rc=5&rp=5xx,ct,rt",
    ] {
        assert!(said.contains(line), "{line} is missing in:\n{said}");
    }
    assert_eq!(emulator.callbacks().url(), "http://hooks.example.com/taskrouter/events#rc=5&rp=5xx,ct,rt");
    assert_eq!(emulator.sync().map_items("queueStats").map(|items| items.len()), Some(3));

    let again = Binary::output(&variables, &["setup", "--event-callback-url"]).await;
    let said = text(&again.stdout);
    assert_eq!(again.status.code(), Some(0));
    assert!(
        said.contains("Map queueStats: found") && !said.contains("dashboard-metrics-2: created"),
        "{said}"
    );
    assert!(said.contains("already http://hooks"), "{said}");

    let deleted = Binary::output(&variables, &["delete-map", "queueStats"]).await;
    assert_eq!(text(&deleted.stdout), "Map queueStats: deleted\n");
    assert!(emulator.sync().map_items("queueStats").is_none());
    let again = Binary::output(&variables, &["delete-map", "queueStats"]).await;
    assert_eq!(text(&again.stdout), "Map queueStats: does not exist, nothing to delete\n");
    assert_eq!(again.status.code(), Some(0));
    for folded in ["..", ".", "", "a/b"] {
        let refused = Binary::output(&variables, &["delete-map", folded]).await;
        assert_eq!(refused.status.code(), Some(2), "{folded}");
        assert!(text(&refused.stderr).contains("a name of 1 to 320"), "{}", text(&refused.stderr));
    }
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_document_is_logged_and_comes_back() {
    let emulator = emulator().await;
    let mut service = Binary::serve(&Binary::variables(&emulator, &[("SYNC_AUDIT_INTERVAL", "200ms")]));
    service.logs("Ready").await;
    assert!(emulator.sync().delete_document("dashboard-definitions"));
    // The fields of a line are always in the same order.
    for line in ["A Sync object was deleted; recreating and filling it", "Created in Sync"] {
        service.logs(&format!(r#""{line}","sync.object":"Document dashboard-definitions""#)).await;
    }
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_with_wrong_credentials_says_which_to_check() {
    let emulator = emulator().await;
    let mut variables = Binary::variables(&emulator, &[]);
    variables.insert("TWILIO_AUTH_TOKEN".to_owned(), "wr0ngwr0ngwr0ngwr0ngwr0ngwr0ngwr".to_owned());
    let output = Binary::output(&variables, &["setup"]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("TWILIO_AUTH_TOKEN") && !said.contains("wr0ng"), "{said}");
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dotenv_file_is_read_and_the_environment_wins() {
    let directory = tempfile::tempdir().unwrap();
    let file = "TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001\nTWILIO_AUTH_TOKEN=short\nPORT=wrong\n";
    std::fs::write(directory.path().join(".env"), file).unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_taskrouter-sync"))
        .arg("serve")
        .env_clear()
        .env("PORT", "worse")
        .current_dir(directory.path())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("\"worse\"") && !said.contains("TWILIO_ACCOUNT_SID"), "{said}");

    std::fs::write(directory.path().join(".env"), "A LINE WITH s3cret\n").unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_taskrouter-sync"))
        .arg("serve")
        .env_clear()
        .current_dir(directory.path())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!text(&output.stderr).contains("s3cret"), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_dotenv_sets_twice_is_a_warning_of_serve_and_doctor_with_its_lines() {
    let emulator = emulator().await;
    let mut variables = Binary::variables(&emulator, &[]);
    variables.remove("SLA_THRESHOLDS");
    let directory = tempfile::tempdir().unwrap();
    let file = "# A comment\nSLA_THRESHOLDS=30\nDASHBOARD_TIMEZONE=UTC\nSLA_THRESHOLDS=45\n";
    std::fs::write(directory.path().join(".env"), file).unwrap();
    let warning = ".env sets SLA_THRESHOLDS in lines 2, 4; line 4 counts";
    let output = command(&directory, &variables).args(["doctor", "--json"]).output().await.unwrap();
    assert!(text(&output.stdout).contains(warning), "{}", text(&output.stdout));
    let output = command(&directory, &variables).arg("setup").output().await.unwrap();
    assert!(text(&output.stderr).contains(warning), "{}", text(&output.stderr));
    let item = emulator.sync().map_items("queueStats").unwrap().into_iter().next().unwrap();
    let item = format!("{item:?}");
    assert!(item.contains("45") && !item.contains("\"30\""), "the last counts: {item}");

    variables.insert("PORT".to_owned(), "wrong".to_owned());
    let output = command(&directory, &variables).arg("serve").output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains(warning), "{}", text(&output.stderr));
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_log_does_not_end_the_service() {
    let emulator = emulator().await;
    let mut service = Binary::serve(&Binary::variables(&emulator, &[]));
    let line: Value = serde_json::from_str(&service.logs("Serving").await).unwrap();
    let url = format!("http://{}", line["listening"].as_str().unwrap());
    service.close_log();
    let http = reqwest::Client::new();
    // Each of these would be logged.
    for _ in 0..5 {
        let answer = http.post(format!("{url}/taskrouter/events")).form(&[("a", "b")]).send().await.unwrap();
        assert_eq!(answer.status(), 403);
    }
    service.signal("TERM");
    assert_eq!(service.exit_code().await, Some(0));
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_kept_of_an_event_is_logged_once_by_kind_and_without_the_text() {
    let emulator = emulator().await;
    let mut service = Binary::serve(&Binary::variables(&emulator, &[]));
    let line: Value = serde_json::from_str(&service.logs("\"Serving\"").await).unwrap();
    let url = format!("http://{}", line["listening"].as_str().unwrap());
    let http = reqwest::Client::new();
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let attributes = format!(r#"{{"customer":"Zo\ud83d Quartermaine","odd":1e400,"deep":{deep}}}"#);
    let batch = format!(
        r#"[{{"type":"com.twilio.taskrouter.task.created","data":{{"payload":{{"task_attributes":{attributes}}}}}}}]"#
    );
    let hash: String = sha2::Sha256::digest(&batch).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = format!("/taskrouter/events?bodySHA256={hash}");
    let signature = emulator.callbacks().sign(&format!("http://hooks.example.com{path}"), []);
    for _ in 0..3 {
        let request = http.post(format!("{url}{path}")).header("X-Twilio-Signature", &signature);
        let request = request.header("Content-Type", "application/json").body(batch.clone());
        assert_eq!(request.send().await.unwrap().status(), 204);
    }
    service.signal("TERM");
    let log = service.log_until_end().await;
    let told: Vec<Value> = log
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| {
            line["message"].as_str().is_some_and(|said| said.contains("a value that can't be kept"))
        })
        .collect();
    assert!(told.iter().all(|line| line["level"] == "WARN"), "{told:?}");
    let mut replaced: Vec<&str> = told.iter().map(|line| line["replaced"].as_str().unwrap()).collect();
    replaced.sort_unstable();
    assert_eq!(
        replaced,
        [
            "a number that is too large; it became null",
            "a value nested more than 100 levels deep; it became null",
            "half of a character; it became U+FFFD",
        ]
    );
    assert!(!log.join("\n").contains("Quartermaine"), "no customer in the log");
    emulator.shutdown().await;
}

/// A service that logs more than anybody reads, and which has dropped lines of it.
async fn with_a_full_pipe(emulator: &Emulator) -> (Binary, String) {
    const TOKEN: &str = "only-for-prometheus";
    let variables = Binary::variables(emulator, &[("METRICS_TOKEN", TOKEN), ("RUST_LOG", "trace")]);
    let mut service = Binary::serve(&variables);
    let line: Value = serde_json::from_str(&service.logs("\"Serving\"").await).unwrap();
    let url = format!("http://{}", line["listening"].as_str().unwrap());
    let http = reqwest::Client::new();
    // A thousand events in one body, and two lines for each.
    let batch =
        format!("[{}]", [r#"{"type":"com.twilio.taskrouter.task.created","data":{}}"#; 1000].join(","));
    let hash: String = sha2::Sha256::digest(&batch).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = format!("/taskrouter/events?bodySHA256={hash}");
    let signature = emulator.callbacks().sign(&format!("http://hooks.example.com{path}"), []);
    let filling = async {
        loop {
            let request = http.post(format!("{url}{path}")).header("X-Twilio-Signature", &signature);
            let request = request.header("Content-Type", "application/json").body(batch.clone());
            assert_eq!(request.send().await.unwrap().status(), 204);
            let metrics = http.get(format!("{url}/metrics")).bearer_auth(TOKEN).send().await.unwrap();
            let metrics = metrics.text().await.unwrap();
            let name = "taskrouter_sync_log_lines_dropped_total ";
            let dropped = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
            if dropped != "0" {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, filling).await.expect("no line was dropped");
    (service, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_log_does_not_stop_the_service_nor_its_end() {
    let emulator = emulator().await;
    let (service, url) = with_a_full_pipe(&emulator).await;
    assert_eq!(reqwest::get(format!("{url}/healthz")).await.unwrap().status(), 200);
    service.signal("TERM");
    assert_eq!(service.exit_code_unread().await, Some(0));
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_read_again_says_how_much_is_missing_and_goes_on_to_the_end() {
    let emulator = emulator().await;
    let (mut service, _) = with_a_full_pipe(&emulator).await;
    let told = service.logs("Log lines dropped").await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["dropped"].as_u64().unwrap() > 0, "{told}");
    service.signal("TERM");
    let log = service.log_until_end().await;
    assert!(log.iter().any(|line| line.contains("\"Stopped\"")), "{:?}", log.last());
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_almost_a_variables_is_reported_and_its_value_is_not() {
    let emulator = emulator().await;
    let slip = [("SYNC_LAYOUT", "s3cret-value"), ("TWILIO_PHONE_NUMBER", "+14155550100")];
    let mut variables = Binary::variables(&emulator, &slip);

    let mut service = Binary::serve(&variables);
    let line: Value = serde_json::from_str(&service.logs("SYNC_LAYOUTS").await).unwrap();
    assert_eq!(
        (&line["name"], &line["did_you_mean"]),
        (&"SYNC_LAYOUT".into(), &"SYNC_LAYOUTS".into()),
        "{line}"
    );
    service.logs("Ready").await;
    let told = service.seen.join("\n");
    assert!(!told.contains("s3cret-value") && !told.contains("TWILIO_PHONE_NUMBER"), "{told}");
    service.signal("TERM");
    assert_eq!(service.exit_code().await, Some(0));

    let setup = Binary::output(&variables, &["setup"]).await;
    assert!(text(&setup.stderr).contains("SYNC_LAYOUTS"), "{}", text(&setup.stderr));
    let doctor = Binary::output(&variables, &["doctor", "--json"]).await;
    let report: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "variable name").unwrap();
    assert!(
        check["state"] == "note" && check["found"].as_str().unwrap().contains("did you mean SYNC_LAYOUTS?"),
        "{check}"
    );

    let account = variables.remove("TWILIO_ACCOUNT_SID").unwrap();
    variables.insert("TWILLIO_ACCOUNT_SID".to_owned(), account.clone());
    for command in ["serve", "setup", "doctor"] {
        let output = Binary::output(&variables, &[command]).await;
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains("TWILLIO_ACCOUNT_SID") && !said.contains(&account), "{said}");
        assert_eq!(output.status.code(), Some(2));
    }
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_goes_on_after_a_step_that_fails_and_ends_with_what_was_not_done() {
    let emulator = Emulator::start(Settings { queues: 2, ..Settings::default() }).await.unwrap();
    let variables = Binary::variables(&emulator, &[]);
    let forbidden = twilio_emulator::Fault::status(403, 20403);
    emulator.faults().add(forbidden.clone().on(twilio_emulator::Api::Sync).method("GET").path("/Documents/"));
    let output = Binary::output(&variables, &["setup", "--event-callback-url"]).await;
    assert_eq!(output.status.code(), Some(1));
    let (said, wrong) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(said.contains("Event callback URL: set to http://hooks.example.com/taskrouter/events"), "{said}");
    assert!(
        wrong.contains("setup is incomplete") && wrong.contains("The Sync Service can't be read"),
        "{wrong}"
    );

    emulator.faults().clear();
    emulator.faults().add(forbidden.on(twilio_emulator::Api::TaskRouter).method("POST"));
    let output = Binary::output(&variables, &["setup", "--event-callback-url", "https://a.example/x"]).await;
    let (said, wrong) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(said.contains("TaskQueues: 2 found"), "{said}");
    assert!(wrong.contains("The event callback URL can't be set"), "{wrong}");
    emulator.shutdown().await;
}
