//! Event callbacks: which, in what order, with what in them, and signed.

use serde_json::Value;
use twilio_emulator::{Format, Settings};

use crate::support::{Bench, Receiver};

async fn bench() -> (Bench, Receiver) {
    // One at a time, so that the order of arrival is the order of events.
    let bench = Bench::with(Settings { callback_concurrency: 1, ..Settings::default() }).await;
    let receiver = Receiver::start().await;
    (bench, receiver)
}

#[tokio::test]
async fn the_life_of_a_task_is_sent_in_twilios_order() {
    let (bench, receiver) = bench().await;
    bench.emulator.callbacks().set_url(&receiver.url);
    let world = bench.emulator.world();
    let task = bench.task(&bench.queue());
    let first = world.reserve(&task, &bench.worker()).unwrap();
    world.time_out(&first).unwrap();
    let worker = world.workers().iter().find(|w| w.activity == "Available").unwrap().sid.clone();
    let second = world.reserve(&task, &worker).unwrap();
    world.accept(&second).unwrap();
    world.wrap(&second).unwrap();
    world.complete(&second).unwrap();
    bench.emulator.callbacks().wait_idle().await;
    let mut expected = vec![
        "workflow.entered",
        "task-queue.entered",
        "task.created",
        "workflow.target-matched",
        "reservation.created",
        "reservation.timeout",
        "worker.activity.update",
        "reservation.created",
        "reservation.accepted",
        "task.wrapup",
        "reservation.wrapup",
        "task.completed",
        "reservation.completed",
    ];
    if !receiver.types().contains(&"worker.activity.update".to_owned()) {
        expected.retain(|kind| *kind != "worker.activity.update"); // already Offline by the seed
    }
    assert_eq!(receiver.types(), expected);
    let accepted =
        &receiver.seen()[expected.iter().position(|kind| *kind == "reservation.accepted").unwrap()];
    for (name, value) in [("TaskSid", &task), ("ReservationSid", &second), ("WorkerSid", &worker)] {
        assert_eq!(accepted.param(name).as_ref(), Some(value));
    }
    assert_eq!(accepted.param("TaskAssignmentStatus").as_deref(), Some("assigned"));
    assert_eq!(accepted.param("ResourceType").as_deref(), Some("reservation"));
    assert!(accepted.param("TimestampMs").unwrap().len() == 13);
    let created =
        receiver.seen().into_iter().find(|seen| seen.param("EventType").unwrap() == "task.created").unwrap();
    assert_eq!(created.param("TaskQueueSid"), None, "task.created does not name its queue");
}

#[tokio::test]
async fn every_callback_is_signed_without_fragment_and_credentials() {
    let (bench, receiver) = bench().await;
    let callbacks = bench.emulator.callbacks();
    let configured = receiver.url.replace("http://", "http://user:secret@") + "?tenant=7#rc=2&rp=5xx";
    let path = bench.w("");
    let form = [("EventCallbackUrl", configured.as_str()), ("EventsFilter", "task.created")];
    assert_eq!(bench.post(&path, &form).await.status, 200);
    assert_eq!(bench.get(&path).await.body["event_callback_url"], configured.as_str());
    receiver.answer_with(401);
    bench.task(&bench.queue());
    callbacks.wait_idle().await;
    let seen = receiver.seen();
    assert_eq!(seen.len(), 2, "first without credentials, then with");
    assert!(!seen[0].headers.contains_key("authorization"));
    assert!(seen[1].headers.contains_key("authorization"));
    assert_eq!(seen[0].target, "/taskrouter/events?tenant=7");
    let params = seen[0].params();
    let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let url = format!("{}?tenant=7", receiver.url);
    assert_eq!(seen[0].header("x-twilio-signature"), callbacks.sign(&url, pairs));
    assert_eq!(seen[0].header("i-twilio-idempotency-token"), seen[1].header("i-twilio-idempotency-token"));
}

#[tokio::test]
async fn a_failure_is_tried_again_only_if_the_overrides_say_so() {
    let (bench, receiver) = bench().await;
    let callbacks = bench.emulator.callbacks();
    callbacks.set_events_filter(Some("task.created"));
    receiver.answer_with(500);
    callbacks.set_url(&receiver.url);
    bench.task(&bench.queue());
    callbacks.wait_idle().await;
    assert_eq!(receiver.seen().len(), 1, "a 500 loses the event by default");
    callbacks.set_url(&format!("{}#rc=2&rp=5xx", receiver.url));
    bench.task(&bench.queue());
    callbacks.wait_idle().await;
    assert_eq!(receiver.seen().len(), 4);
    let last = callbacks.deliveries().pop().unwrap();
    assert_eq!((last.status, last.attempts), (Some(500), 3));
}

#[tokio::test]
async fn events_can_be_lost_doubled_and_shuffled() {
    let (bench, receiver) = bench().await;
    let callbacks = bench.emulator.callbacks();
    callbacks.set_url(&receiver.url);
    callbacks.drop_all(true);
    bench.task(&bench.queue());
    callbacks.wait_idle().await;
    assert_eq!((receiver.seen().len(), callbacks.lost()), (0, 4));
    callbacks.drop_all(false);
    callbacks.duplicate(1.0);
    bench.task(&bench.queue());
    callbacks.wait_idle().await;
    assert_eq!(receiver.seen().len(), 8);
    let sids: std::collections::HashSet<_> = receiver.seen().iter().map(|seen| seen.param("Sid")).collect();
    assert_eq!(sids.len(), 4);
    callbacks.duplicate(0.0);
    callbacks.shuffle(50);
    // Held back until all are queued, so that there is something to shuffle.
    callbacks.delay(std::time::Duration::from_millis(50));
    for _ in 0..10 {
        bench.task(&bench.queue());
    }
    callbacks.wait_idle().await;
    let types = receiver.types().split_off(8);
    let ordered = ["workflow.entered", "task-queue.entered", "task.created", "workflow.target-matched"];
    assert_eq!(types.len(), 40);
    assert!(types.chunks(4).any(|four| four != ordered));
}

#[tokio::test]
async fn event_streams_post_json_under_a_hash() {
    let (bench, receiver) = bench().await;
    let callbacks = bench.emulator.callbacks();
    callbacks.set_url(&format!("{}?tenant=7", receiver.url));
    callbacks.format(Format::EventStreams);
    callbacks.set_events_filter(Some("task.created"));
    callbacks.set_auth_token("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    let task = bench.task(&bench.queue());
    callbacks.wait_idle().await;
    let seen = &receiver.seen()[0];
    let hash = twilio_emulator::callbacks::signature::body_sha256(seen.body.as_bytes());
    assert_eq!(seen.target, format!("/taskrouter/events?tenant=7&bodySHA256={hash}"));
    let url = format!("{}?tenant=7&bodySHA256={hash}", receiver.url);
    let signature = twilio_emulator::callbacks::signature::sign("0f1e2d3c4b5a69788796a5b4c3d2e1f0", &url, []);
    assert_eq!(seen.header("x-twilio-signature"), signature);
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body[0]["type"], "com.twilio.taskrouter.task.created");
    assert_eq!(body[0]["data"]["payload"]["task_sid"], task.as_str());
    assert_eq!(body[0]["data"]["payload"]["task_age"], 0);
}
