//! History, through the service: what the emulated centre did is what the API shows.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use sqlx::Connection;
use twilio_emulator::Settings;

use crate::support::postgres::Postgres;
use crate::support::{ADMIN, Bed, Binary, DEADLINE};

async fn get(bed: &Bed, path: &str) -> (StatusCode, Value) {
    let request = bed.http.get(format!("{}{path}", bed.url())).basic_auth(ADMIN.0, Some(ADMIN.1));
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

/// Asks until the answer is as wanted.
async fn eventually(bed: &Bed, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let waiting = async {
        loop {
            let (status, body) = get(bed, path).await;
            if status == StatusCode::OK && wanted(&body) {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    match tokio::time::timeout(DEADLINE, waiting).await {
        Ok(body) => body,
        Err(_) => {
            let (status, body) = get(bed, path).await;
            let text: String = body.to_string().chars().take(1000).collect();
            panic!("{path}: {status} {text}")
        }
    }
}

#[tokio::test]
async fn what_happened_is_in_curves_intervals_and_moments_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    the_past_is_as_it_was(&format!("sqlite:{}/data/history.db", folder.path().display()), "sqlite").await;
}

#[tokio::test]
async fn the_same_in_a_real_postgresql() {
    let postgres = Postgres::start().await;
    the_past_is_as_it_was(&postgres.url(), "postgres").await;
}

async fn the_past_is_as_it_was(url: &str, store: &str) {
    let settings =
        Settings { queues: 3, workers: 6, history: Duration::from_secs(600), ..Settings::default() };
    let mut bed = Bed::with(settings, &[("HISTORY_URL", url), ("DASHBOARD_TIMEZONE", "Asia/Kolkata")]).await;
    let state = eventually(&bed, "/api/history/state", |state| state["since"].is_string()).await;
    assert_eq!((&state["state"], &state["store"]), (&"ok".into(), &store.into()));
    assert_eq!((&state["timezone"], &state["detailDays"]), (&"Asia/Kolkata".into(), &35.into()));
    let queue = bed.emulator.world().queues().remove(0).sid;
    let from = jiff::Timestamp::now().as_second() - 86_400;
    // The day's counts are spread from its beginning on, so a day and a half show them whole.
    let day = format!("/api/history/intervals?from={from}&to={}&step=86400", from + 130_000);
    let entered = |body: &Value| {
        let rows = body["rows"].as_array().cloned().unwrap_or_default();
        let own = rows.iter().filter(|row| row["queue"] == queue.as_str() && row["channel"] == "all");
        own.map(|row| row["entered"].as_i64().unwrap()).sum::<i64>()
    };
    let truth = |bed: &Bed| {
        let picture = bed.emulator.world().truth().queue(&queue, None, day_start(), &[30]);
        picture.cumulative["tasks_entered"].as_i64().unwrap()
    };
    let before = eventually(&bed, &day, |body| entered(body) == truth(&bed)).await;
    assert_eq!(before["slaSeconds"], serde_json::json!([30, 60, 120]));
    assert!(before["totals"].as_array().unwrap().iter().any(|total| total["channel"] == "all"));

    for _ in 0..30 {
        bed.emulator.world().step();
    }
    eventually(&bed, &day, |body| entered(body) == truth(&bed)).await;
    bed.stop_service().await;
    bed.start_service().await;
    bed.ready().await;
    for _ in 0..10 {
        bed.emulator.world().step();
    }
    eventually(&bed, &day, |body| entered(body) == truth(&bed)).await;

    let curve = format!("/api/history/queues/{queue}?from={}&step=10", from + 86_400 - 60);
    let numbers = |body: &Value| body["series"]["entered"].as_array().unwrap().iter().any(Value::is_number);
    // A curve's points are ten seconds apart, and the first sample may stand between two.
    let curve = eventually(&bed, &curve, numbers).await;
    let values = &curve["series"]["entered"];
    assert_eq!(values.as_array().unwrap().len(), curve["times"].as_array().unwrap().len());

    let tile = format!("/api/history/metrics/tasks-waiting?from={}&step=10", from + 86_400 - 60);
    eventually(&bed, &tile, |body| body["values"].as_array().unwrap().iter().any(Value::is_number)).await;

    let last = curve["times"].as_array().unwrap().last().unwrap().clone();
    let then = eventually(&bed, &format!("/api/history/at?time={last}"), |then| then["known"] == true).await;
    assert_eq!(then["queues"].as_array().unwrap().len(), 3);
    assert!(then["tiles"].as_array().unwrap().iter().any(|tile| tile["name"] == "tasks-waiting"), "{then}");
    assert!(then["workspace"]["realtime"]["total_workers"].is_number());

    let address = format!("{}{day}", bed.url());
    let ask = || bed.http.get(&address).basic_auth(ADMIN.0, Some(ADMIN.1));
    let csv = ask().header("accept", "text/csv").send().await.unwrap();
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    let csv = csv.text().await.unwrap();
    assert!(csv.starts_with("start,interval_s,queue_sid,queue,channel,entered,accepted,"), "{csv}");
    assert!(csv.contains("+05:30,"), "with the zone's offset: {csv}");
    let past = format!("/api/history/intervals?from={}&to={}", from - 90_000, from - 80_000);
    let known =
        bed.http.get(format!("{}{past}", bed.url())).basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.unwrap();
    let tag = known.headers()["etag"].clone();
    let again = bed.http.get(format!("{}{past}", bed.url())).basic_auth(ADMIN.0, Some(ADMIN.1));
    assert_eq!(again.header("if-none-match", tag).send().await.unwrap().status(), StatusCode::NOT_MODIFIED);

    for (path, status) in [
        ("/api/history/queues/WQ00000000000000000000000000000009?from=0&to=10", 404),
        ("/api/history/queues/nothing?from=0&to=10", 404),
        ("/api/history/metrics/nothing?from=0&to=10", 404),
        ("/api/history/intervals?from=0&to=10&step=7", 422),
        ("/api/history/intervals?from=yesterday", 422),
        ("/api/history/intervals?from=10&to=5", 422),
        ("/api/history/intervals?from=0&to=10&limit=0", 422),
        ("/api/history/at", 422),
    ] {
        assert_eq!(get(&bed, path).await.0, status, "{path}");
    }
    commands(&bed, url).await;
    bed.finish().await;
}

/// What is exported and imported again is the same; yesterday has nothing to differ in.
async fn commands(bed: &Bed, url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db").display().to_string();
    let imported = format!("sqlite:{}/imported.db", folder.path().display());
    let run = async |url: &str, arguments: &[&str]| {
        let mut variables = bed.variables().clone();
        variables.insert("HISTORY_URL".to_owned(), url.to_owned());
        let output = Binary::output(&variables, &[&["history"], arguments].concat()).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let (to, from) = (jiff::Timestamp::now(), jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24));
    let (to, from) = (to.to_string(), from.to_string());
    let range = ["export", "--from", &from, "--to", &to, "--step", "3600"];
    run(url, &["export", "--store", &copy]).await;
    run(&imported, &["import", &copy]).await;
    let again = run(&imported, &range).await;
    assert!(again.starts_with("start,interval_s,queue_sid,"), "{again}");
    assert!(again.lines().count() > 1, "{again}");
    assert_eq!(again, run(&format!("sqlite:{copy}"), &range).await);
    assert!(run(url, &["check", "--days", "1"]).await.contains("0 differ"));
}

fn day_start() -> jiff::Timestamp {
    let zone = jiff::tz::TimeZone::get("Asia/Kolkata").unwrap();
    jiff::Timestamp::now().to_zoned(zone).start_of_day().unwrap().timestamp()
}

#[tokio::test]
async fn where_history_can_not_be_stored_the_service_runs_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, b"").unwrap();
    let url = format!("sqlite:{}/history.db", file.display());
    let bed = Bed::start(&[("HISTORY_URL", &url)]).await;
    let health = eventually(&bed, "/api/health", |health| health["history"].is_string()).await;
    assert!(health["history"].as_str().unwrap().contains("a-file"), "{health}");
    let state = eventually(&bed, "/api/history/state", |state| state["state"] == "degraded").await;
    assert!(state["reason"].as_str().unwrap().contains("a-file"), "{state}");
    assert_eq!(get(&bed, "/api/history/intervals?from=0&to=10").await.0, 503);
    let metrics = bed.http.get(format!("{}/metrics", bed.url())).basic_auth(ADMIN.0, Some(ADMIN.1));
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("taskrouter_sync_history_stores 0\n"), "{metrics}");
    bed.finish().await;
}

#[tokio::test]
async fn a_postgresql_that_is_gone_delays_no_write_and_what_comes_after_it_is_stored() {
    let mut postgres = Postgres::start().await;
    let bed = Bed::start(&[("HISTORY_URL", &postgres.url())]).await;
    eventually(&bed, "/api/history/state", |state| state["since"].is_string()).await;
    postgres.kill().await;
    for _ in 0..20 {
        bed.emulator.world().step();
    }
    // Sync shows what happened meanwhile.
    bed.agrees().await;
    eventually(&bed, "/api/history/state", |state| state["state"] == "degraded").await;
    bed.agrees().await;
    // Two samples of five seconds are missed for certain.
    tokio::time::sleep(Duration::from_secs(11)).await;
    postgres.go_on().await;
    eventually(&bed, "/api/history/state", |state| state["state"] == "ok").await;
    let queue = bed.emulator.world().queues().remove(0).sid;
    let from = jiff::Timestamp::now().as_second() - 3600;
    let curve = format!("/api/history/queues/{queue}?from={from}&step=10");
    let picture = bed.emulator.world().truth().queue(&queue, None, jiff::Timestamp::UNIX_EPOCH, &[]);
    let entered = picture.cumulative["tasks_entered"].as_f64();
    eventually(&bed, &curve, |curve| {
        let last =
            curve["series"]["entered"].as_array().unwrap().iter().rev().find(|value| value.is_number());
        curve["gaps"].as_array().unwrap().iter().any(|gap| gap["reason"] == "not stored")
            && last.and_then(Value::as_f64) == entered
    })
    .await;
    bed.finish().await;
}

#[tokio::test]
async fn sigkill_loses_ten_seconds_at_most_and_leaves_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/history.db", folder.path().display());
    let emulator =
        twilio_emulator::Emulator::start(Settings { queues: 2, ..Settings::default() }).await.unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let variables = Binary::variables(&emulator, &[("HISTORY_URL", &url), ("PORT", &port)]);
    let http = reqwest::Client::new();
    let state = async || {
        let ask = || {
            http.get(format!(
                "http://127.0.0.1:{port}/api/history/at?time={}",
                jiff::Timestamp::now().as_second() - 10
            ))
        };
        let waiting = async {
            loop {
                if let Ok(answer) = ask().basic_auth(ADMIN.0, Some(ADMIN.1)).send().await
                    && let Ok(then) = answer.json::<Value>().await
                    && then["known"] == true
                {
                    return jiff::Timestamp::now().as_second();
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("nothing was stored")
    };
    let service = Binary::serve(&variables);
    let known = state().await;
    service.signal("KILL");
    service.exit_code().await;
    // Two samples of five seconds are missed for certain.
    tokio::time::sleep(Duration::from_secs(11)).await;
    let service = Binary::serve(&variables);
    state().await;
    let queue = emulator.world().queues().remove(0).sid;
    let path = format!("http://127.0.0.1:{port}/api/history/queues/{queue}?from={}&step=10", known - 3600);
    // The second process stores its first sample, and the gap before it, once it has read a whole snapshot.
    let gap = async {
        loop {
            let ask = http.get(&path).basic_auth(ADMIN.0, Some(ADMIN.1));
            let curve: Value = ask.send().await.unwrap().json().await.unwrap();
            let gaps = curve["gaps"].as_array().unwrap();
            if let Some(from) = gaps.get(1).and_then(|gap| gap["from"].as_i64()) {
                return from;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let from = tokio::time::timeout(DEADLINE, gap).await.expect("the restart left no gap");
    assert!(from >= known - 10, "a gap from {from}, stored at {known}");
    service.signal("KILL");
    service.exit_code().await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_delays_no_write_and_what_comes_after_it_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let bed = Bed::start(&[("HISTORY_URL", &format!("sqlite:{}", file.display()))]).await;
    eventually(&bed, "/api/history/state", |state| state["since"].is_string()).await;
    // Another program holds the file's lock for longer than SQLite waits for it.
    let mut other = sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    let locked = async {
        // The service may just hold it itself.
        while sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.is_err() {}
    };
    tokio::time::timeout(DEADLINE, locked).await.unwrap();
    for _ in 0..20 {
        bed.emulator.world().step();
    }
    bed.agrees().await;
    eventually(&bed, "/api/history/state", |state| state["state"] == "degraded").await;
    bed.agrees().await;
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    eventually(&bed, "/api/history/state", |state| state["state"] == "ok").await;
    bed.finish().await;
}
