//! The control pages: what the library can do, over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Bench, Receiver};

async fn control(bench: &Bench, method: Method, path: &str, body: Value) -> Answer {
    let url = format!("{}/emulator{path}", bench.emulator.url());
    bench.send(bench.http.request(method, url).json(&body)).await
}

#[tokio::test]
async fn commands_change_the_centre_and_truth_shows_it() {
    let bench = Bench::start().await;
    let index = control(&bench, Method::GET, "", json!({})).await.body;
    assert_eq!(index["account"]["auth_token"], bench.account().auth_token);
    let command = async |body: Value| control(&bench, Method::POST, "/world", body).await;
    let made =
        command(json!({ "do": "create_task", "queue": bench.queue(), "channel": "voice", "age": 30 })).await;
    let task = made.body["sid"].as_str().unwrap().to_owned();
    let made = command(json!({ "do": "reserve", "task": task, "worker": bench.worker() })).await;
    let reservation = made.body["sid"].as_str().unwrap().to_owned();
    assert_eq!(command(json!({ "do": "accept", "reservation": reservation })).await.status, 200);
    assert_eq!(command(json!({ "do": "accept", "reservation": reservation })).await.status, 409);
    assert_eq!(command(json!({ "do": "dance" })).await.status, 400);
    let truth =
        control(&bench, Method::GET, &format!("/truth/{}?split=10", bench.queue()), json!({})).await.body;
    assert_eq!(truth["realtime"]["tasks_by_status"]["assigned"], 1);
    assert_eq!(truth["cumulative"]["split_by_wait_time"]["10"]["above"]["reservations_accepted"], 1);
    let all = control(&bench, Method::GET, "/truth", json!({})).await.body;
    assert_eq!(all["queues"].as_object().unwrap().len(), 8);
    let world = control(&bench, Method::GET, "/world", json!({})).await.body;
    assert_eq!(world["tasks"][0]["sid"], task);
}

#[tokio::test]
async fn settings_faults_and_journal_are_reachable() {
    let bench = Bench::start().await;
    let change = json!({
        "limits": { "concurrency": null, "burst": "window" },
        "answers": { "combined_cumulative": "as_published", "combined_realtime": "as_recorded", "nulls": "empty" },
        "latency_ms": [{ "api": "sync", "ms": 3 }],
        "statistics_lag_ms": 2000,
    });
    let shown = control(&bench, Method::PATCH, "/settings", change).await.body;
    assert_eq!(
        (&shown["limits"]["concurrency"], &shown["limits"]["sync_writes"]),
        (&Value::Null, &json!(20.0))
    );
    assert_eq!(shown["statistics_lag_ms"], 2000);
    assert_eq!(
        (&shown["limits"]["burst"], &shown["answers"]["combined_realtime"], &shown["answers"]["nulls"]),
        (&json!("window"), &json!("as_recorded"), &json!("empty"))
    );
    let fault = json!({ "api": "taskrouter", "kind": { "status": { "status": 500 } }, "times": 1 });
    assert_eq!(control(&bench, Method::POST, "/faults", fault).await.body["id"], 1);
    assert_eq!(bench.get(&bench.w("")).await.status, 500);
    assert_eq!(bench.get(&bench.w("")).await.status, 200);
    let journal = control(&bench, Method::GET, "/journal", json!({})).await.body;
    assert_eq!((&journal["totals"]["requests"], &journal["totals"]["failed"]), (&json!(2), &json!(1)));
    let entries = control(&bench, Method::GET, "/journal/entries?status=500", json!({})).await.body;
    assert_eq!((entries.as_array().unwrap().len(), &entries[0]["faulty"]), (1, &json!(true)));
    assert_eq!(control(&bench, Method::DELETE, "/journal", json!({})).await.status, 204);
    assert_eq!(
        control(&bench, Method::PATCH, "/settings", json!({ "drive": 500.0 })).await.body["drive"],
        500.0
    );
    bench.emulator.world().changed().wait_for(|steps| *steps > 5).await.unwrap();
}

#[tokio::test]
async fn sync_can_be_changed_behind_the_clients_back() {
    let bench = Bench::start().await;
    control(&bench, Method::PUT, "/sync/maps/stats/items/WQ1", json!({ "n": 1 })).await;
    control(&bench, Method::PUT, "/sync/documents/board", json!({ "n": 2 })).await;
    let all = control(&bench, Method::GET, "/sync", json!({})).await.body;
    assert_eq!((&all["maps"]["stats"]["WQ1"]["n"], &all["documents"]["board"]["n"]), (&json!(1), &json!(2)));
    assert_eq!(bench.get(&bench.s("/Maps/stats/Items/WQ1")).await.status, 200);
    assert_eq!(control(&bench, Method::DELETE, "/sync/maps/stats", json!({})).await.status, 204);
    assert_eq!(bench.get(&bench.s("/Maps/stats")).await.status, 404);
}

#[tokio::test]
async fn callbacks_tokens_and_calls_are_reachable() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    let change = json!({ "url": receiver.url, "events_filter": "task.created", "format": "event_streams" });
    assert_eq!(control(&bench, Method::PATCH, "/callbacks", change).await.status, 204);
    bench.task(&bench.queue());
    assert_eq!(control(&bench, Method::POST, "/callbacks/wait_idle", json!({})).await.body["idle"], true);
    let deliveries = control(&bench, Method::GET, "/callbacks/deliveries", json!({})).await.body;
    assert_eq!(
        (&deliveries[0]["event_type"], &deliveries[0]["status"]),
        (&json!("task.created"), &json!(204))
    );
    assert!(receiver.seen()[0].body.starts_with("[{"));
    assert_eq!(control(&bench, Method::PUT, "/tokens/t", json!({ "roles": ["admin"] })).await.status, 204);
    assert_eq!(control(&bench, Method::PUT, "/calls/CA1", json!({ "status": "ringing" })).await.status, 404);
    assert_eq!(control(&bench, Method::GET, "/nothing", json!({})).await.status, 404);
    assert_eq!(bench.emulator.journal().totals().requests, 0, "control is not in the journal");
}
