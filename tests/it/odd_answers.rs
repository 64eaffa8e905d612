//! Answers of TaskRouter with nulls where Twilio's API files allow them, and with entries that can't be read.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::{Bed, QUICK_TIMERS};

/// Changes an answer; the text is the request's path.
type Change = Arc<dyn Fn(&str, &mut Value) + Send + Sync>;

#[derive(Clone)]
struct Between {
    twilio: String,
    http: reqwest::Client,
    change: Change,
}

/// Stands between the service and the emulator and changes answers.
async fn between(
    bed: &Bed,
    change: impl Fn(&str, &mut Value) + Send + Sync + 'static,
) -> (String, JoinHandle<()>) {
    let state = Between { twilio: bed.emulator.url(), http: bed.http.clone(), change: Arc::new(change) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().fallback(pass).with_state(state);
    (url, tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() }))
}

async fn pass(State(between): State<Between>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let url = format!("{}{}", between.twilio, parts.uri.path_and_query().unwrap());
    let mut headers = parts.headers;
    headers.remove("host");
    let asked = between.http.request(parts.method, url).headers(headers).body(body).send().await;
    let Ok(answer) = asked else { return StatusCode::BAD_GATEWAY.into_response() };
    let status = answer.status();
    let Ok(mut said) = answer.json::<Value>().await else { return status.into_response() };
    (between.change)(parts.uri.path(), &mut said);
    (status, axum::Json(said)).into_response()
}

async fn bed(change: impl Fn(&str, &mut Value) + Send + Sync + 'static) -> (Bed, JoinHandle<()>) {
    let mut bed = Bed::without_service(Default::default(), QUICK_TIMERS).await;
    let (url, proxy) = between(&bed, change).await;
    bed.set([("TWILIO_TASKROUTER_URL", url.as_str())].into_iter());
    bed.start_service().await;
    (bed, proxy)
}

fn each_object(value: &mut Value, change: &impl Fn(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| each_object(value, change)),
        Value::Object(object) => {
            change(object);
            object.values_mut().for_each(|value| each_object(value, change));
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nulls_that_twilios_api_files_allow_leave_every_queue_written() {
    const NULLABLE: [&str; 10] = [
        "tasks_by_priority",
        "activity_statistics",
        "tasks_by_status",
        "friendly_name",
        "available",
        "priority",
        "assignment_status",
        "start_time",
        "end_time",
        "target_workers",
    ];
    let (bed, proxy) = bed(|_, answer| {
        each_object(answer, &|object| {
            for name in NULLABLE {
                if let Some(value) = object.get_mut(name) {
                    *value = Value::Null;
                }
            }
        });
    })
    .await;
    bed.ready().await;
    let queues = bed.emulator.world().queues();
    let items = bed.emulator.sync().map_items("queueStats").unwrap();
    assert!(queues.iter().all(|queue| items.contains_key(&queue.sid)), "{items:?}");
    bed.finish().await;
    proxy.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_odd_entry_costs_that_entry_which_says_why() {
    let (bed, proxy) = bed(|path, answer| {
        if path.ends_with("/TaskQueues/Statistics") {
            answer["task_queues_statistics"][1]["realtime"]["total_tasks"] = json!({ "an": "object" });
        }
        if path.ends_with("/TaskQueues/RealTimeStatistics") {
            answer["task_queue_data"][1]["total_tasks"] = json!({ "an": "object" });
        }
    })
    .await;
    bed.ready().await;
    let queues = bed.emulator.world().queues().len();
    let written = || bed.emulator.sync().map_items("queueStats").map_or(0, |items| items.len());
    bed.until("the other queues are written", || written() + 1 >= queues).await;
    let health: Value = bed
        .http
        .get(format!("{}/api/health", bed.url()))
        .basic_auth(crate::support::ADMIN.0, Some(crate::support::ADMIN.1))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(health.to_string().contains("can't be read"), "{health}");
    bed.finish().await;
    proxy.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_could_read_nothing_is_not_ready() {
    let (bed, proxy) = bed(|path, answer| {
        if path.contains("Statistics") {
            *answer = json!({ "nothing": "of what is documented" });
        }
    })
    .await;
    let failed = || {
        let entries = bed.emulator.journal().entries();
        entries.iter().filter(|entry| entry.path.contains("Statistics")).count() > 20
    };
    bed.until("statistics are read again and again", failed).await;
    let ready = bed.http.get(format!("{}/readyz", bed.url())).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    bed.finish().await;
    proxy.abort();
}
