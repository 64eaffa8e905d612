//! `/metrics`: who may read it, that its figures are right, and that it has all metrics that dashboards and alerts use. And
//! one id from the webhook to the write.

use std::collections::BTreeSet;

use serde_json::Value;
use twilio_emulator::{Emulator, NewTask, Settings};

use crate::support::{ADMIN, BEARER, Bed, Binary, NO_TIMERS};

const TOKEN: &str = "only-for-prometheus";

async fn bed() -> Bed {
    let token = [("METRICS_TOKEN", TOKEN)];
    Bed::start(&NO_TIMERS.iter().copied().chain(token).collect::<Vec<_>>()).await
}

async fn metrics(bed: &Bed) -> String {
    let answer = bed.http.get(format!("{}/metrics", bed.url())).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    answer.text().await.unwrap()
}

/// The value of a series, by its name and all labels as they are written.
fn value(text: &str, series: &str) -> Option<f64> {
    let line =
        text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

/// The names that samples may have.
fn names(text: &str) -> BTreeSet<String> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| Some(line.split(['{', ' ']).next()?.to_owned())).collect()
}

async fn one_waiting_task(bed: &Bed) -> String {
    let queue = bed.emulator.world().queues()[0].sid.clone();
    let task = NewTask { queue: queue.clone(), channel: "voice".to_owned(), ..NewTask::default() };
    bed.emulator.world().create_task(task).unwrap();
    bed.agrees().await;
    queue
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_and_the_metrics_token_read_it_and_the_token_opens_nothing_else() {
    let bed = bed().await;
    let get = |path: &str| bed.http.get(format!("{}{path}", bed.url()));
    let status = |request: reqwest::RequestBuilder| async { request.send().await.unwrap().status().as_u16() };
    assert_eq!(status(get("/metrics")).await, 401);
    assert_eq!(status(get("/metrics").bearer_auth("another-systems-token")).await, 401);
    assert_eq!(status(get("/metrics").bearer_auth(TOKEN)).await, 200);
    assert_eq!(status(get("/metrics").bearer_auth(BEARER)).await, 200);
    assert_eq!(status(get("/metrics").basic_auth(ADMIN.0, Some(ADMIN.1))).await, 200);
    for other in ["/api/health", "/taskrouter_tasks", "/api/session", "/taskrouter/events?checkMap=true"] {
        assert_eq!(status(get(other).bearer_auth(TOKEN)).await, 401, "{other}");
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_was_done_and_how_the_centre_is() {
    let bed = bed().await;
    let queue = one_waiting_task(&bed).await;
    bed.http.post(format!("{}/taskrouter/events", bed.url())).form(&[("A", "1")]).send().await.unwrap();
    let text = metrics(&bed).await;
    let at_least = |series: &str, least: f64| {
        let found = value(&text, series);
        assert!(found.is_some_and(|found| found >= least), "{series} is {found:?} in\n{text}");
    };
    at_least(r#"taskrouter_sync_events_total{type="task.created",outcome="taken"}"#, 1.0);
    at_least(r#"taskrouter_sync_events_total{type="none",outcome="signature"}"#, 1.0);
    at_least(r#"taskrouter_sync_refused_requests_total{code="signature_missing"}"#, 1.0);
    at_least(r#"taskrouter_sync_sync_writes_total{object="map_item",outcome="landed"}"#, 4.0);
    at_least("taskrouter_sync_freshness_seconds_count", 1.0);
    at_least("taskrouter_sync_ready", 1.0);
    at_least("process_resident_memory_bytes", 1e6);
    // The same as the centre's truth.
    let task_queue = bed.emulator.world().queues()[0].friendly_name.clone();
    let labels = format!(r#"task_queue="{task_queue}",task_queue_sid="{queue}""#);
    let truth = bed.emulator.truth().queue(&queue, Some("voice"), crate::support::start_of_utc_day(), &[60]);
    let pending = truth.realtime["tasks_by_status"]["pending"].as_f64().unwrap();
    let shown = |channel: &str| {
        value(
            &text,
            &format!(r#"taskrouter_queue_channel_tasks{{{labels},channel="{channel}",status="pending"}}"#),
        )
    };
    assert_eq!(shown("voice"), Some(pending), "{text}");
    assert_eq!(value(&text, "taskrouter_queues"), Some(4.0));
    let agents: f64 = text
        .lines()
        .filter(|line| line.starts_with("taskrouter_agents{"))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum();
    assert!((agents - 6.0).abs() < 0.5, "{agents} agents");
    assert!(text.ends_with("# EOF\n"));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_counted_when_it_shows_and_not_with_every_age_after_it() {
    let more = [("METRICS_TOKEN", TOKEN), ("REALTIME_INTERVAL", "200ms"), ("SETTLE_WINDOW", "1h")];
    let bed = Bed::start(&NO_TIMERS.iter().copied().chain(more).collect::<Vec<_>>()).await;
    let queue = one_waiting_task(&bed).await;
    let of_queue = || {
        let entries = bed.emulator.journal().entries();
        entries
            .iter()
            .filter(|entry| &*entry.method == "POST" && entry.key.as_deref() == Some(&*queue))
            .count()
    };
    let before = of_queue();
    bed.until("ages were written again and again", || of_queue() >= before + 7).await;
    let text = metrics(&bed).await;
    let shown = value(&text, "taskrouter_sync_freshness_seconds_count").unwrap();
    let most = 3 * bed.emulator.callbacks().deliveries().len();
    assert!(most <= 12, "one Task makes few events");
    assert!(
        shown >= 1.0 && shown <= most as f64,
        "{shown} times, of {most} with each event in each of three objects"
    );
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_from_known_lists() {
    let bed = bed().await;
    let emulator = &bed.emulator;
    for name in ["unknown.event-type", "task.created\"} 5", "x".repeat(5_000).as_str()] {
        let fields = [("EventType", name), ("TaskQueueSid", "WQ00000000000000000000000000000001")];
        let url = format!("{}/taskrouter/events", bed.url());
        let signature = emulator.callbacks().sign(&url, fields);
        let answer =
            bed.http.post(&url).header("X-Twilio-Signature", signature).form(&fields).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }
    let text = metrics(&bed).await;
    assert_eq!(value(&text, r#"taskrouter_sync_events_total{type="other",outcome="taken"}"#), Some(3.0));
    assert!(!text.contains("unknown.event"), "a sender makes no labels");
    bed.finish().await;
}

/// Dashboard and alerts name nothing that is not there.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_drawn_and_alarmed_is_there() {
    // With callbacks and a Task that was served, so that the service level is a number.
    let settings = Settings {
        queues: 4,
        workers: 6,
        history: std::time::Duration::from_secs(1800),
        ..Settings::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let history = format!("sqlite:{}/history.db", folder.path().display());
    let token = [("METRICS_TOKEN", TOKEN), ("HISTORY_URL", &history)];
    let bed = Bed::with(settings, &NO_TIMERS.iter().copied().chain(token).collect::<Vec<_>>()).await;
    one_waiting_task(&bed).await;
    bed.http.get(format!("{}/nowhere", bed.url())).send().await.unwrap();
    let mut known = names(&metrics(&bed).await);
    let base = |name: &str| {
        let ends = ["_bucket", "_count", "_sum"];
        ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    let bases: BTreeSet<_> = known.iter().map(|name| base(name)).collect();
    known.extend(bases.iter().cloned());
    // Only several replicas have these; `scaling::outage` looks at them there.
    for name in ["taskrouter_sync_redis_answers", "taskrouter_sync_shows_stale"] {
        assert!(known.insert(name.to_owned()), "without a Redis there is no such metric: {name}");
    }
    for (file, text) in [
        ("grafana-dashboard.json", include_str!("../../deploy/grafana-dashboard.json")),
        ("alerts.yaml", include_str!("../../deploy/alerts.yaml")),
        ("operations.md", include_str!("../../docs/operations.md")),
    ] {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let named = words.filter(|word| word.starts_with("taskrouter_") || word.starts_with("process_"));
        // A job, a unit and a bare prefix are no metrics.
        let named = named.filter(|word| !["taskrouter_sync", "taskrouter_"].contains(word));
        let missing: BTreeSet<_> = named.filter(|name| !known.contains(*name)).collect();
        assert!(missing.is_empty(), "{file} names {missing:?}, and there are only {known:?}");
    }
    // And the other way: the operator's page says what each of them means.
    let page = include_str!("../../docs/operations.md");
    let unsaid: BTreeSet<_> = bases.iter().filter(|name| !page.contains(&format!("`{name}"))).collect();
    assert!(unsaid.is_empty(), "docs/operations.md does not say what {unsaid:?} are");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_leads_from_the_webhook_to_the_write() {
    let emulator = Emulator::start(Settings { queues: 3, ..Settings::default() }).await.unwrap();
    let mut variables = Binary::variables(&emulator, NO_TIMERS);
    variables.insert("RUST_LOG".to_owned(), "taskrouter_sync=debug".to_owned());
    let mut service = Binary::serve(&variables);
    let serving: Value = serde_json::from_str(&service.logs("Serving").await).unwrap();
    service.logs("Ready").await;
    // One event alone, signed for the URL that the service was told it has.
    let world = emulator.world();
    let queue = world.queues()[0].sid.clone();
    emulator.callbacks().drop_all(true);
    world
        .create_task(NewTask { queue: queue.clone(), channel: "voice".to_owned(), ..NewTask::default() })
        .unwrap();
    let sid = "EV0123456789abcdef0123456789abcdef";
    let fields = [
        ("EventType", "task-queue.entered"),
        ("Sid", sid),
        ("TaskQueueSid", queue.as_str()),
        ("TaskChannelUniqueName", "voice"),
    ];
    let signature = emulator.callbacks().sign("http://hooks.example.com/taskrouter/events", fields);
    let url = format!("http://{}/taskrouter/events", serving["listening"].as_str().unwrap());
    let request = reqwest::Client::new().post(url).header("X-Twilio-Signature", signature).form(&fields);
    assert_eq!(request.send().await.unwrap().status(), 204);
    for message in ["Event", "Marked", "Reading because of an event"] {
        service.logs(&format!(r#""message":"{message}","event":"{sid}""#)).await;
    }
    let written = service
        .logs(&format!(r#""message":"Written","event":"{sid}","sync.object":"Map queueStats, item {queue}""#))
        .await;
    let written: Value = serde_json::from_str(&written).unwrap();
    assert!(written["age_ms"].is_u64() || written["age_ms"].is_string(), "{written}");
    service.signal("TERM");
    assert_eq!(service.exit_code().await, Some(0));
    emulator.shutdown().await;
}
