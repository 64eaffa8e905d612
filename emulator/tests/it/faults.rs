//! What goes wrong on request, what is limited, and how the journal tells of it.

use std::time::{Duration, Instant};

use serde_json::json;
use twilio_emulator::{Api, Fault, FaultKind, Filter, Limits, Settings};

use crate::support::Bench;

#[tokio::test]
async fn a_status_strikes_as_often_as_set_and_changes_nothing() {
    let bench = Bench::start().await;
    let kind = FaultKind::Status { status: 503, code: None, retry_after: Some(7) };
    bench.emulator.faults().add(Fault::new(kind).on(Api::Sync).method("POST").path("/Documents").times(2));
    let create = async || bench.post(&bench.s("/Documents"), &[("UniqueName", "board")]).await;
    for _ in 0..2 {
        let answer = create().await;
        assert_eq!((answer.status, &answer.headers["retry-after"]), (503, &"7".parse().unwrap()));
        assert!(answer.body.get("code").is_none());
    }
    assert_eq!(bench.emulator.sync().documents(), Vec::<String>::new());
    assert_eq!(create().await.status, 201);
    assert_eq!(bench.emulator.faults().struck(), 2);
    assert_eq!(bench.emulator.journal().totals().failed, 2);
}

#[tokio::test]
async fn an_outcome_can_be_hidden_from_the_client() {
    let bench = Bench::start().await;
    bench.emulator.faults().add(Fault::new(FaultKind::Reset).after_processing().times(1));
    let request =
        bench.request(reqwest::Method::POST, &bench.s("/Documents")).form(&[("UniqueName", "board")]);
    let error = request.send().await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    assert_eq!(bench.emulator.sync().documents(), ["board"]);
    let entry = bench.emulator.journal().entries().pop().unwrap();
    assert_eq!((entry.status, entry.faulty), (0, true));
}

#[tokio::test]
async fn a_reset_before_processing_leaves_no_trace() {
    let bench = Bench::start().await;
    bench.emulator.faults().add(Fault::new(FaultKind::Reset).times(1));
    let request = bench.request(reqwest::Method::POST, &bench.s("/Documents"));
    assert!(request.send().await.is_err());
    assert_eq!(bench.emulator.sync().documents(), Vec::<String>::new());
    assert_eq!(bench.get(&bench.w("")).await.status, 200, "the next connection works");
}

#[tokio::test]
async fn answers_can_be_spoiled() {
    let bench = Bench::start().await;
    let faults = bench.emulator.faults();
    faults.add(Fault::new(FaultKind::MalformedJson).times(1));
    let answer = bench.request(reqwest::Method::GET, &bench.w("")).send().await.unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&answer.text().await.unwrap()).is_err());

    faults.add(Fault::new(FaultKind::WrongTypes).times(1));
    let answer = bench.get(&bench.w("/RealTimeStatistics")).await;
    assert_eq!((&answer.body["total_tasks"], &answer.body["workspace_sid"]), (&json!("0?"), &json!(17)));

    faults.add(Fault::new(FaultKind::Truncated).times(1));
    let answer = bench.request(reqwest::Method::GET, &bench.w("")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err(), "the body ends before its promised length");
    assert_eq!(bench.get(&bench.w("")).await.status, 200);
}

#[tokio::test]
async fn a_hanging_request_ends_when_the_fault_is_removed_or_the_client_leaves() {
    let bench = Bench::start().await;
    let (faults, journal) = (bench.emulator.faults(), bench.emulator.journal());
    let id = faults.add(Fault::new(FaultKind::Hang).times(1));
    let mut changed = journal.changed();
    let held = tokio::spawn(bench.request(reqwest::Method::GET, &bench.w("")).send());
    while journal.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(faults.remove(id));
    assert_eq!(held.await.unwrap().unwrap().status(), 200);

    changed.mark_unchanged();
    faults.add(Fault::new(FaultKind::Hang));
    let left =
        bench.request(reqwest::Method::GET, &bench.w("")).timeout(Duration::from_millis(50)).send().await;
    assert!(left.unwrap_err().is_timeout());
    changed.changed().await.unwrap();
    assert_eq!(journal.entries().pop().unwrap().status, 0);
    assert_eq!(journal.in_flight(), 0);
}

#[tokio::test]
async fn requests_beyond_the_concurrency_limit_are_refused_unprocessed() {
    let limits = Limits { concurrency: Some(2), ..Limits::default() };
    let bench = Bench::with(Settings { limits, ..Settings::default() }).await;
    let (faults, journal) = (bench.emulator.faults(), bench.emulator.journal());
    let hang = faults.add(Fault::new(FaultKind::Hang).on(Api::TaskRouter));
    let held: Vec<_> =
        (0..2).map(|_| tokio::spawn(bench.request(reqwest::Method::GET, &bench.w("")).send())).collect();
    while journal.in_flight() < 2 {
        tokio::task::yield_now().await;
    }
    let answer = bench.post(&bench.s("/Documents"), &[("UniqueName", "board")]).await;
    assert_eq!((answer.status, answer.code()), (429, 20429));
    assert_eq!(answer.headers["twilio-concurrent-requests"], "3");
    assert_eq!(bench.emulator.sync().documents(), Vec::<String>::new());
    faults.remove(hang);
    for held in held {
        assert_eq!(held.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(journal.peak_in_flight_overall(), 3);
    assert_eq!(journal.peak_in_flight(Api::TaskRouter), 2);
    assert_eq!(journal.peak_sync_writes(), 1);
    assert_eq!(journal.totals().over_concurrency, 1);
}

#[tokio::test]
async fn latency_is_per_product() {
    let bench = Bench::start().await;
    bench.emulator.set_latency(Api::Sync, Duration::from_millis(40));
    let start = Instant::now();
    bench.get(&bench.s("")).await;
    assert!(start.elapsed() >= Duration::from_millis(40));
    let entry = bench.emulator.journal().entries().pop().unwrap();
    assert!(entry.took >= Duration::from_millis(40));
}

#[tokio::test]
async fn the_journal_knows_objects_keys_and_sizes() {
    let bench = Bench::start().await;
    bench.emulator.sync().put_item("stats", "a", json!({}));
    let sid = bench.get(&bench.s("/Maps/stats")).await.body["sid"].as_str().unwrap().to_owned();
    bench.post(&bench.s(&format!("/Maps/{sid}/Items/a")), &[("Data", r#"{ "n" : 1 }"#)]).await;
    let journal = bench.emulator.journal();
    let filter = Filter {
        method: Some("POST".to_owned()),
        sync_object: Some("stats".to_owned()),
        key: Some("a".to_owned()),
        ..Filter::default()
    };
    let found = journal.matching(&filter);
    assert_eq!((found.len(), found[0].payload_bytes), (1, r#"{"n":1}"#.len()));
    journal.clear();
    assert_eq!(journal.count(&Filter::default()), 0);
}

#[tokio::test]
async fn endpoints_of_taskrouter_can_be_limited() {
    let limits = Limits { taskrouter_per_second: Some(2.0), ..Limits::default() };
    let bench = Bench::with(Settings { limits, ..Settings::default() }).await;
    let queue = bench.queue();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(bench.get(&bench.w(&format!("/TaskQueues/{queue}"))).await.status);
    }
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(bench.get(&bench.w("/TaskQueues")).await.status, 200, "another endpoint");
}
