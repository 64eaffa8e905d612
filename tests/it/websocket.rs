//! Statistics over websockets: who is let in, what they are sent, and what ends it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use twilio_emulator::{Api, Fault, FlexToken, NewTask};

use crate::support::socket::{PROTOCOL_HEADER, Socket, TOKEN_HEADER};
use crate::support::{ADMIN, BEARER, Bed, DEADLINE, NO_TIMERS};

const REALTIME: &str = "/websocket/realtimeStats";
const FEED: &str = "/api/feed";

fn timers_and<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    NO_TIMERS.iter().chain(more).copied().collect()
}

fn task(queue: &str, channel: &str) -> NewTask {
    NewTask { queue: queue.to_owned(), channel: channel.to_owned(), ..NewTask::default() }
}

fn pending(items: &Value, queue: &str) -> Option<u64> {
    let item = items.as_array()?.iter().find(|item| item["sid"] == queue)?;
    item["realTimeStats_all"]["tasksByStatus"]["pending"].as_u64()
}

/// Waits until the service shows every TaskQueue, which may be a moment after Sync does.
async fn shows_all(bed: &Bed) {
    bed.agrees().await;
    let authorization = format!("Bearer {BEARER}");
    let mut socket = Socket::open(bed, FEED, &[("Authorization", &authorization)]).await.unwrap();
    let mut seen = BTreeSet::new();
    let items = |frame: &Value| frame["queues"].as_array().cloned().unwrap_or_default();
    socket
        .until(|frame| {
            seen.extend(items(frame).iter().map(|item| item["sid"].to_string()));
            seen.len() == 4
        })
        .await;
}

fn token_checks(bed: &Bed) -> usize {
    bed.emulator.journal().entries().iter().filter(|entry| entry.api == Api::Iam).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_protocol_sends_all_items_at_first_and_after_a_change_and_echoes() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.register_token();
    shows_all(&bed).await;
    let queue = bed.emulator.world().queues()[0].sid.clone();
    let mut socket = Socket::open(&bed, REALTIME, &[PROTOCOL_HEADER]).await.unwrap();
    assert_eq!(socket.protocol.as_deref(), Some(PROTOCOL_HEADER.1), "a browser wants it named back");
    let items = socket.json().await;
    assert_eq!((items.as_array().unwrap().len(), pending(&items, &queue)), (4, Some(0)));

    socket.say("hello").await;
    assert_eq!(socket.hear().await.unwrap(), "echo: hello");
    bed.emulator.world().create_task(task(&queue, "voice")).unwrap();
    socket.until(|items| pending(items, &queue) == Some(1)).await;

    // Without a sub-protocol none may be named.
    let socket = Socket::open(&bed, REALTIME, &[TOKEN_HEADER]).await.unwrap();
    assert_eq!(socket.protocol, None);
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_gets_in_without_a_good_token_of_the_right_role_from_a_known_site() {
    let variables = [("FLEX_ROLES", "supervisor,admin"), ("ALLOWED_ORIGINS", "https://flex.twilio.com")];
    let bed = Bed::start(&timers_and(&variables)).await;
    bed.register_token();
    let supervisor = FlexToken { roles: vec!["supervisor".to_owned()], ..FlexToken::default() };
    bed.emulator.tokens().register("flex-token-2", supervisor);
    let own = bed.url().to_owned();
    for path in [REALTIME, FEED] {
        let status = async |headers: &[(&str, &str)]| Socket::open(&bed, path, headers).await.err();
        assert_eq!(status(&[]).await, Some(403), "without anything");
        assert_eq!(status(&[("token", "forged")]).await, Some(403));
        assert_eq!(status(&[("Sec-WebSocket-Protocol", "forged")]).await, Some(403));
        assert_eq!(status(&[TOKEN_HEADER]).await, Some(403), "an agent");
        assert_eq!(status(&[("Authorization", "Bearer wrong")]).await, Some(403));
        let good = ("token", "flex-token-2");
        assert_eq!(status(&[good]).await, None);
        assert_eq!(status(&[good, ("Origin", "https://flex.twilio.com")]).await, None);
        assert_eq!(status(&[good, ("Origin", &own)]).await, None);
        for site in
            ["https://evil.example", "null", "https://flex.twilio.com.evil.example", "http://flex.twilio.com"]
        {
            assert_eq!(status(&[good, ("Origin", site)]).await, Some(403), "{site}");
        }
    }
    let answer = bed.http.get(format!("{own}{REALTIME}")).send().await.unwrap();
    assert_eq!(answer.status(), 426, "a plain request");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_and_credentials_let_in_as_to_any_page() {
    let bed = Bed::start(NO_TIMERS).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = [("username", ADMIN.0), ("password", ADMIN.1)];
    let answer = client.post(format!("{}/login", bed.url())).form(&form).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for header in [("Cookie", cookie.as_str()), ("Authorization", &format!("Bearer {BEARER}"))] {
        for path in [REALTIME, FEED] {
            let mut socket = Socket::open(&bed, path, &[header]).await.unwrap();
            socket.json().await;
        }
    }
    // Another site's page has its visitor's cookie sent along.
    let foreign = [("Cookie", cookie.as_str()), ("Origin", "https://evil.example")];
    assert_eq!(Socket::open(&bed, FEED, &foreign).await.err(), Some(403));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_token_is_checked_once_and_an_outage_admits_no_client() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.register_token();
    let opening = (0..20).map(|_| Socket::open(&bed, REALTIME, &[TOKEN_HEADER]));
    let sockets = futures_util::future::join_all(opening).await;
    assert!(sockets.iter().all(Result::is_ok));
    assert_eq!(token_checks(&bed), 1);
    for _ in 0..3 {
        assert_eq!(Socket::open(&bed, REALTIME, &[("token", "forged")]).await.err(), Some(403));
    }
    assert_eq!(token_checks(&bed), 2, "a bad one is remembered as well");

    bed.emulator.faults().add(Fault::status(503, 20503).on(Api::Iam));
    bed.emulator.tokens().register("flex-token-2", FlexToken::default());
    assert_eq!(Socket::open(&bed, REALTIME, &[("token", "flex-token-2")]).await.err(), Some(503));
    assert!(Socket::open(&bed, REALTIME, &[TOKEN_HEADER]).await.is_ok(), "known since before");
    bed.emulator.faults().clear();
    assert!(
        Socket::open(&bed, REALTIME, &[("token", "flex-token-2")]).await.is_ok(),
        "an outage is not remembered"
    );
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_token_ends_goes_and_whose_token_goes_on_stays() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.register_token();
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(1500);
    bed.emulator.tokens().register("short", FlexToken { expiration: Some(soon), ..FlexToken::default() });
    let mut lasting = Socket::open(&bed, FEED, &[TOKEN_HEADER]).await.unwrap();
    let mut short = Socket::open(&bed, FEED, &[("token", "short")]).await.unwrap();
    assert_eq!(short.goodbye().await, 1008);
    let queue = bed.emulator.world().queues()[0].sid.clone();
    bed.emulator.world().create_task(task(&queue, "voice")).unwrap();
    lasting.until(|frame| pending(&frame["queues"], &queue) == Some(1)).await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_sends_a_snapshot_then_changes_and_after_a_reconnect_what_was_missed() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.register_token();
    shows_all(&bed).await;
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    let mut socket = Socket::open(&bed, FEED, &[PROTOCOL_HEADER]).await.unwrap();
    let first = socket.json().await;
    assert_eq!((&first["type"], first["queues"].as_array().unwrap().len()), (&json!("snapshot"), 4));
    world.create_task(task(&queue, "voice")).unwrap();
    let change = socket.until(|frame| pending(&frame["queues"], &queue) == Some(1)).await;
    assert_eq!(change["type"], "change");
    assert!(change["seq"].as_u64() > first["seq"].as_u64());
    let id = change["id"].as_str().unwrap().to_owned();
    drop(socket);

    world.create_task(task(&queue, "voice")).unwrap();
    shows_all(&bed).await;
    let only_the_queue = |frame: &Value| {
        assert_eq!(frame["type"], "change", "{frame}");
        let mut items = frame["queues"].as_array().into_iter().flatten();
        assert!(items.all(|item| item["sid"] == *queue), "{frame}");
        pending(&frame["queues"], &queue) == Some(2)
    };
    let mut by_query = Socket::open(&bed, &format!("{FEED}?since={id}"), &[TOKEN_HEADER]).await.unwrap();
    by_query.until(only_the_queue).await;
    let mut by_message = Socket::open(&bed, &format!("{FEED}?first=message"), &[TOKEN_HEADER]).await.unwrap();
    by_message.say("what?").await;
    assert_eq!(by_message.json().await["type"], "error");
    by_message.say(&json!({ "since": id }).to_string()).await;
    by_message.until(only_the_queue).await;

    let mut stranger = Socket::open(&bed, &format!("{FEED}?since=1-1"), &[TOKEN_HEADER]).await.unwrap();
    assert_eq!(stranger.json().await["type"], "snapshot", "an id of another process is no position");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_only_the_queues_and_channels_that_it_wants() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.register_token();
    shows_all(&bed).await;
    let world = bed.emulator.world();
    let (wanted, other) = (world.queues()[0].sid.clone(), world.queues()[1].sid.clone());
    let path = format!("{FEED}?queues={wanted}&channels=voice");
    let mut socket = Socket::open(&bed, &path, &[TOKEN_HEADER]).await.unwrap();
    let has_just_these = |frame: &Value| {
        let items = frame["queues"].as_array().unwrap();
        assert_eq!((items.len(), &items[0]["sid"]), (1, &json!(wanted)), "{frame}");
        let members = items[0].as_object().unwrap();
        for kept in ["realTimeStats_all", "realTimeStats_voice", "cumulativeStats_voice"] {
            assert!(members.contains_key(kept), "{kept}");
        }
        assert!(!members.keys().any(|name| name.ends_with("_chat")), "{frame}");
    };
    has_just_these(&socket.json().await);
    world.create_task(task(&other, "voice")).unwrap();
    bed.agrees().await;
    world.create_task(task(&wanted, "chat")).unwrap();
    let change = socket.until(|frame| pending(&frame["queues"], &wanted) == Some(1)).await;
    has_just_these(&change);

    // The same by server-sent events, and another choice over the same websocket.
    let mut answer = bed.http.get(format!("{}{path}", bed.url())).bearer_auth(BEARER).send().await.unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"\n\n") {
        let chunk = tokio::time::timeout(DEADLINE, answer.chunk()).await.unwrap().unwrap().unwrap();
        text.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(text).unwrap();
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    has_just_these(&serde_json::from_str(data).unwrap());
    socket.say(&json!({ "queues": [other] }).to_string()).await;
    let frame = socket.until(|frame| frame["type"] == "snapshot").await;
    assert_eq!(pending(&frame["queues"], &other), Some(1));
    assert!(frame["queues"][0].get("realTimeStats_chat").is_some());

    for (bad, why) in [("queues=nope", "WQ and 32"), ("channels=nope", "STATS_CHANNELS names voice, chat")] {
        let refused = Socket::open(&bed, &format!("{FEED}?{bad}"), &[TOKEN_HEADER]).await;
        assert_eq!(refused.err(), Some(422), "{bad}");
        let told =
            bed.http.get(format!("{}{FEED}?{bad}", bed.url())).bearer_auth(BEARER).send().await.unwrap();
        let told: Value = told.json().await.unwrap();
        assert!(told["message"].as_str().unwrap().contains(why), "{told}");
    }
    for (bad, why) in [
        ("[]", "a JSON object"),
        (r#"["1-1"]"#, "a JSON object"),
        (r#"{"queue": []}"#, "a JSON object"),
        (r#"{"queues": ["nope"]}"#, "WQ and 32"),
        (r#"{"channels": ["nope"]}"#, "STATS_CHANNELS names voice, chat"),
    ] {
        socket.say(bad).await;
        let told = socket.until(|frame| frame["type"] == "error").await;
        assert!(told["message"].as_str().unwrap().contains(why), "{bad} {told}");
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_and_thresholds_are_as_configured() {
    let variables = [("STATS_CHANNELS", "chat"), ("SLA_THRESHOLDS", "10,20")];
    let bed = Bed::start(&timers_and(&variables)).await;
    bed.register_token();
    let mut older = Socket::open(&bed, REALTIME, &[TOKEN_HEADER]).await.unwrap();
    let mut newer = Socket::open(&bed, FEED, &[TOKEN_HEADER]).await.unwrap();
    let items = older.until(|items| items.as_array().unwrap().len() == 4).await;
    let frame = newer.until(|frame| frame["queues"].as_array().is_some_and(|items| items.len() == 4)).await;
    for item in items.as_array().unwrap().iter().chain(frame["queues"].as_array().unwrap()) {
        let members: BTreeSet<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(members.contains("cumulativeStats_chat") && !members.contains("cumulativeStats_voice"));
        for scope in ["cumulativeStats_all", "cumulativeStats_chat"] {
            let split = item[scope]["splitByWaitTime"].as_object().unwrap();
            assert_eq!(split.keys().map(String::as_str).collect::<Vec<_>>(), ["10", "20"]);
        }
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_limited_and_come_free_again() {
    let bed = Bed::start(&timers_and(&[("WEBSOCKET_CLIENTS", "1")])).await;
    bed.register_token();
    let mut first = Socket::open(&bed, REALTIME, &[TOKEN_HEADER]).await.unwrap();
    first.json().await;
    assert_eq!(Socket::open(&bed, FEED, &[TOKEN_HEADER]).await.err(), Some(503));
    drop(first);
    let freed = async { while Socket::open(&bed, FEED, &[TOKEN_HEADER]).await.is_err() {} };
    tokio::time::timeout(DEADLINE, freed).await.expect("its place never came free");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_said_and_a_stop_end_it_with_a_reason() {
    let mut bed = Bed::start(NO_TIMERS).await;
    bed.register_token();
    let mut long = Socket::open(&bed, REALTIME, &[TOKEN_HEADER]).await.unwrap();
    long.say(&"x".repeat(5000)).await;
    assert_eq!(long.goodbye().await, 1009);
    let mut chatty = Socket::open(&bed, REALTIME, &[TOKEN_HEADER]).await.unwrap();
    for _ in 0..50 {
        chatty.say("x").await;
    }
    assert_eq!(chatty.goodbye().await, 1008);

    let mut sockets = [
        Socket::open(&bed, REALTIME, &[TOKEN_HEADER]).await.unwrap(),
        Socket::open(&bed, FEED, &[TOKEN_HEADER]).await.unwrap(),
    ];
    for socket in &mut sockets {
        socket.json().await;
    }
    bed.stop_service().await;
    for socket in &mut sockets {
        assert_eq!(socket.goodbye().await, 1001);
    }
    bed.finish().await;
}
