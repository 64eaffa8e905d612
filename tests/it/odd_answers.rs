//! Answers of TaskRouter with nulls where Twilio's API files allow them, and with entries that can't be read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::{Bed, DEADLINE, QUICK_TIMERS};

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

/// The second TaskQueue's entry in lists is odd; where `singly`, what is read of it alone, too.
fn odd_second_queue(singly: bool) -> impl Fn(&str, &mut Value) {
    let odd = OnceLock::new();
    move |path, answer| {
        let bad = || json!({ "an": "object" });
        if path.ends_with("/TaskQueues/Statistics") {
            let entry = &mut answer["task_queues_statistics"][1];
            odd.get_or_init(|| entry["task_queue_sid"].as_str().unwrap().to_owned());
            entry["realtime"]["total_tasks"] = bad();
        } else if path.ends_with("/TaskQueues/RealTimeStatistics") {
            let entries = answer["task_queue_data"].as_array_mut().unwrap();
            let is_odd = |entry: &&mut Value| odd.get().is_some_and(|odd| entry["task_queue_sid"] == **odd);
            entries.iter_mut().filter(is_odd).for_each(|entry| entry["total_tasks"] = bad());
        } else if singly && odd.get().is_some_and(|odd| path.contains(odd) && path.ends_with("Statistics")) {
            if answer.get("realtime").is_some() {
                answer["realtime"]["total_tasks"] = bad();
            } else if answer.get("total_tasks").is_some() {
                answer["total_tasks"] = bad();
            }
        }
    }
}

async fn health(bed: &Bed) -> Value {
    let request = bed.http.get(format!("{}/api/health", bed.url()));
    let request = request.basic_auth(crate::support::ADMIN.0, Some(crate::support::ADMIN.1));
    request.send().await.unwrap().json::<Value>().await.unwrap()["health"]["taskrouter"].clone()
}

/// Health after each of the next reads of all TaskQueues.
async fn health_over_reads(bed: &Bed) -> Vec<Value> {
    let lists = || {
        let entries = bed.emulator.journal().entries();
        entries.iter().filter(|entry| entry.path.ends_with("/TaskQueues/Statistics")).count()
    };
    let mut seen = Vec::new();
    for _ in 0..6 {
        let before = lists();
        bed.until("all TaskQueues are read once more", || lists() > before).await;
        seen.push(health(bed).await);
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_only_lists_have_wrong_is_read_by_itself_and_costs_nothing() {
    let (bed, proxy) = bed(odd_second_queue(false)).await;
    bed.ready().await;
    let queues = bed.emulator.world().queues();
    let written = |sid: &String| bed.emulator.sync().map_items("queueStats").unwrap().contains_key(sid);
    bed.until("every queue is written", || queues.iter().all(|queue| written(&queue.sid))).await;
    let seen = health_over_reads(&bed).await;
    assert!(seen.iter().all(|health| health["ok"] == true), "{seen:?}");
    bed.finish().await;
    proxy.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_odd_entry_costs_that_entry_which_says_why() {
    let (bed, proxy) = bed(odd_second_queue(true)).await;
    bed.ready().await;
    let queues = bed.emulator.world().queues().len();
    let written = || bed.emulator.sync().map_items("queueStats").map_or(0, |items| items.len());
    bed.until("the other queues are written", || written() + 1 >= queues).await;
    let said = async {
        while health(&bed).await["ok"] == true {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, said).await.expect("health says that an entry can't be read");
    let seen = health_over_reads(&bed).await;
    let says = |health: &Value| health["reason"].as_str().is_some_and(|reason| reason.contains("can't be"));
    assert!(seen.iter().all(says), "once it is said it stays: {seen:?}");
    bed.finish().await;
    proxy.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_with_half_of_an_emoji_keep_all_others() {
    let (bed, proxy) = bed(|path, answer| {
        if path.ends_with("/Workers") {
            for worker in answer["workers"].as_array_mut().unwrap() {
                let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
                worker["attributes"] =
                    format!(r#"{{"nick":"\ud83d","n":1e400,"deep":{deep},"team":"north"}}"#).into();
            }
        }
    })
    .await;
    bed.ready().await;
    let request = bed.http.get(format!("{}/taskrouter_workers", bed.url()));
    let workers: Vec<Value> =
        request.bearer_auth(crate::support::BEARER).send().await.unwrap().json().await.unwrap();
    assert_eq!((&workers[0]["team"], &workers[0]["nick"]), (&json!("north"), &json!("\u{fffd}")));
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

/// An entry that can't be read says nothing of its TaskQueue, least of all that it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn task_queues_that_the_list_shows_unreadably_keep_their_items() {
    const RIGHT: usize = 0;
    let (kind, spoilt) = (Arc::new(AtomicUsize::new(RIGHT)), Arc::new(AtomicUsize::new(0)));
    let (set, count) = (kind.clone(), spoilt.clone());
    let (bed, proxy) = bed(move |path, answer| {
        let kind = kind.load(Ordering::SeqCst);
        let Some(queues) = answer["task_queues"].as_array_mut().filter(|_| path.ends_with("/TaskQueues"))
        else {
            return;
        };
        match kind {
            RIGHT => return,
            1 => queues.iter_mut().for_each(|queue| queue["sid"] = json!(7)),
            2 => queues[0]["sid"] = json!(7),
            _ => queues[0]["friendly_name"] = json!({}),
        }
        spoilt.fetch_add(1, Ordering::SeqCst);
    })
    .await;
    bed.agrees().await;
    bed.emulator.journal().clear();
    for kind in 1..=3 {
        set.store(kind, Ordering::SeqCst);
        let enough = count.load(Ordering::SeqCst) + 3;
        bed.until("the list was read again", || count.load(Ordering::SeqCst) >= enough).await;
        let deleted = bed.emulator.journal().entries().into_iter().find(|entry| &*entry.method == "DELETE");
        assert!(deleted.is_none(), "{kind}: {deleted:?}");
    }
    set.store(RIGHT, Ordering::SeqCst);
    bed.agrees().await;
    proxy.abort();
    bed.finish().await;
}
