//! What operators configure and Twilio sends that looks wrong at first: prefixes, slashes, SIDs that name nothing.

use reqwest::StatusCode;
use serde_json::Value;
use twilio_emulator::{Api, Settings};

use crate::support::{Bed, NO_TIMERS};

/// A Task's SID; its Task need not exist.
const TASK: &str = "WT00000000000000000000000000000001";

/// Posts to a path an event that Twilio signed for `url`.
async fn post(bed: &Bed, url: &str, path: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
    let signature = bed.emulator.callbacks().sign(url, fields.iter().copied());
    let post = bed.http.post(format!("{}{path}", bed.url())).header("X-Twilio-Signature", signature);
    let answer = post.form(fields).send().await.unwrap();
    (answer.status(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_that_is_the_beginning_of_our_own_path_is_taken_stripped_and_unstripped() {
    for (prefix, path) in [("/taskrouter", "/taskrouter/events"), ("/twilio-webhook", "/taskrouter_event")] {
        let bed = Bed::start(&[NO_TIMERS, &[(crate::support::PUBLIC_PATH, prefix)]].concat()).await;
        let signed_for = format!("{}{prefix}{path}", bed.url());
        for asked in [path.to_owned(), format!("{prefix}{path}")] {
            let (status, body) = post(&bed, &signed_for, &asked, &[("EventType", "task.created")]).await;
            assert_eq!(status, StatusCode::NO_CONTENT, "{asked}: {body}");
        }
        bed.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_to_an_address_with_a_slash_too_many_is_told_so() {
    let bed = Bed::start(NO_TIMERS).await;
    let url = format!("{}/taskrouter/events/", bed.url());
    let (status, body) = post(&bed, &url, "/taskrouter/events/", &[("EventType", "task.created")]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body["message"].as_str().unwrap().contains("without the slash"), "{body}");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_callback_needs_neither_status_nor_url() {
    let bed = Bed::start(NO_TIMERS).await;
    let path = format!("/taskrouter_recording_callback?TaskSid={TASK}");
    let url = format!("{}{path}", bed.url());
    let recorded = [("RecordingUrl", "https://api.twilio.com/2010-04-01/Recordings/RE1")];
    for fields in [&recorded[..], &[("RecordingStatus", "in-progress")], &[("CallSid", "CA1")]] {
        let (status, body) = post(&bed, &url, &path, fields).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{fields:?}: {body}");
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_map_is_made_that_is_named_like_a_sid() {
    const MAP: &str = "MP000000000000000000000000000000ff";
    let variables = [("DASHBOARD_MAP", MAP), ("SYNC_LAYOUTS", "queue-map,dashboard-map")];
    let bed = Bed::start(&[NO_TIMERS, &variables].concat()).await;
    let tried = || {
        let entries = bed.emulator.journal().entries();
        entries.iter().any(|entry| entry.api == Api::Sync && entry.path.contains(MAP))
    };
    bed.until("the Map is looked for", tried).await;
    let written = || bed.emulator.sync().map_items("queueStats").is_some_and(|items| items.len() == 4);
    bed.until("the other layout is written all the same", written).await;
    let maps = bed.emulator.sync().maps();
    assert!(!maps.iter().any(|name| name == MAP), "{maps:?}");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_api_is_asked_with_its_own_auth_token_and_events_are_signed_with_taskrouters() {
    const OTHER: &str = "the-auth-token-of-another-region";
    let mut bed = Bed::without_service(Settings { queues: 3, ..Settings::default() }, NO_TIMERS).await;
    let own = bed.emulator.account().auth_token.clone();
    let regional = [("TWILIO_TASKROUTER_AUTH_TOKEN", own.as_str()), ("TWILIO_SYNC_AUTH_TOKEN", own.as_str())];
    bed.set([("TWILIO_AUTH_TOKEN", OTHER)].into_iter().chain(regional));
    bed.start_service().await;
    bed.ready().await;
    bed.emulator.world().add_queue("Latecomers");
    // The events are signed with TaskRouter's token, and without timers nothing else brings the queue.
    bed.agrees().await;
    let refused = bed.emulator.journal().entries().iter().filter(|entry| entry.status == 401).count();
    assert_eq!(refused, 0, "no request with the other region's token");
    bed.finish().await;
}
