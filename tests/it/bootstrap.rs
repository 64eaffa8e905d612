//! `?checkMap=true`: who may, and what it does.

use serde_json::Value;
use twilio_emulator::Settings;

use crate::support::{ADMIN, BEARER, Bed, NO_TIMERS};

#[tokio::test(flavor = "multi_thread")]
async fn it_creates_what_is_missing_and_answers_with_every_queue() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.emulator.sync().delete_map("queueStats");
    for _ in 0..20 {
        bed.emulator.world().step();
    }
    bed.emulator.callbacks().wait_idle().await;
    let items = bed.check_map().await;
    bed.agrees().await;
    let in_sync = bed.emulator.sync().map_items("queueStats").unwrap();
    let sids: Vec<&str> = items.iter().filter_map(|item| item["sid"].as_str()).collect();
    let queues = bed.emulator.world().queues();
    let listed: Vec<&str> = queues.iter().map(|queue| queue.sid.as_str()).collect();
    assert_eq!(sids, listed, "in TaskRouter's order");
    assert_eq!(in_sync.len(), listed.len());
    assert!(items.iter().all(|item| item["realTimeStats_all"].is_object()));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_twilio_and_the_administrator_may() {
    let bed = Bed::start(NO_TIMERS).await;
    let paths = [
        "/taskrouter/events",
        "/realtimestats-updateQueueStatistics",
        "/dashboardStats",
        "/api/stats",
        "/taskrouter_event",
    ];
    for (place, path) in paths.into_iter().enumerate() {
        let url = format!("{}{path}?checkMap=true", bed.url());
        let request = |method: reqwest::Method| bed.http.request(method, &url);
        let (get, post) = (|| request(reqwest::Method::GET), || request(reqwest::Method::POST));
        let status =
            |request: reqwest::RequestBuilder| async { request.send().await.unwrap().status().as_u16() };

        assert_eq!(status(get()).await, 401);
        assert_eq!(status(post()).await, 401);
        // Not on all of them: the fifth wrong guess makes the right one wait.
        if place < 4 {
            assert_eq!(status(get().basic_auth(ADMIN.0, Some("wrong password"))).await, 401);
            assert_eq!(status(get().bearer_auth("wrong")).await, 401);
        }
        assert_eq!(status(get().header("X-Twilio-Signature", "AAAA")).await, 403);
        assert_eq!(
            status(get().basic_auth(ADMIN.0, Some(ADMIN.1)).header("X-Twilio-Signature", "AAAA")).await,
            403
        );

        assert_eq!(status(get().basic_auth(ADMIN.0, Some(ADMIN.1))).await, 200);
        assert_eq!(status(post().bearer_auth(BEARER)).await, 200);
        let signature = bed.emulator.callbacks().sign(&url, []);
        assert_eq!(status(get().header("X-Twilio-Signature", signature)).await, 200);
        let signature = bed.emulator.callbacks().sign(&url, [("EventType", "task.created")]);
        let signed = post()
            .header("X-Twilio-Signature", signature)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body("EventType=task.created");
        assert_eq!(status(signed).await, 200);
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taskrouter_that_can_not_be_read_is_reported_as_such() {
    let settings = Settings { queues: 2, ..Settings::default() };
    let mut bed = Bed::without_service(settings, NO_TIMERS).await;
    let fault = twilio_emulator::Fault::status(503, 20503).on(twilio_emulator::Api::TaskRouter);
    bed.emulator.faults().add(fault);
    bed.start_service().await;
    let url = format!("{}/taskrouter/events?checkMap=true", bed.url());
    let answer = bed.http.get(url).bearer_auth(BEARER).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["code"], "taskrouter_unreadable");
    assert!(body["message"].as_str().unwrap().contains("503"), "{body}");
    let ready = bed.http.get(format!("{}/readyz", bed.url())).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    bed.emulator.faults().clear();
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_is_there_again_when_it_answers() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    for _ in 0..3 {
        bed.emulator.sync().delete_map("queueStats");
        bed.check_map().await;
        assert_eq!(bed.emulator.sync().map_items("queueStats").unwrap().len(), 4);
        let queue = bed.emulator.world().queues()[0].sid.clone();
        bed.emulator.sync().delete_item("queueStats", &queue);
        bed.emulator.sync().delete_document("dashboard-data");
        bed.check_map().await;
        bed.compare().unwrap();
    }
    bed.finish().await;
}
