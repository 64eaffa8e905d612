//! Without faults: any replica serves any request.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use serde_json::Value;
use twilio_emulator::NewTask;

use super::support::Cluster;
use crate::support::watcher::Watcher;
use crate::support::{ADMIN, BEARER, NO_TIMERS};

#[tokio::test(flavor = "multi_thread")]
async fn events_at_any_replica_are_written_by_one_and_shown_by_all() {
    let cluster = Cluster::start(3).await;
    cluster.agrees().await;
    for _ in 0..5 {
        cluster.work(10).await;
        cluster.agrees().await;
    }
    let writes = cluster.sync_writes();
    let first = super::support::term_of(&writes[0]);
    let one_term = writes.iter().all(|write| super::support::term_of(write) == first);
    assert!(one_term || cluster.redis_was_slow(), "one term, one writer");
    // What was read is in Redis no more.
    cluster
        .eventually("marks that were read are taken out", async || {
            let keys = cluster.redis.command(&["--raw", "keys", "tr:*:marks"]).await;
            keys.is_empty()
        })
        .await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_leads_from_one_replicas_webhook_to_the_others_write() {
    let debug = [("RUST_LOG", "taskrouter_sync=debug")];
    let cluster = Cluster::with(2, &NO_TIMERS.iter().copied().chain(debug).collect::<Vec<_>>()).await;
    cluster.agrees().await;
    let leader = cluster.led().await;
    let (leader, follower) = (&cluster.replicas[leader], &cluster.replicas[1 - leader]);
    cluster.emulator.callbacks().drop_all(true);
    let queue = cluster.emulator.world().queues()[0].sid.clone();
    let task = NewTask { queue: queue.clone(), channel: "voice".to_owned(), ..NewTask::default() };
    cluster.emulator.world().create_task(task).unwrap();
    let sid = "EV0123456789abcdef0123456789abcdef";
    let fields = [
        ("EventType", "task-queue.entered"),
        ("Sid", sid),
        ("TaskQueueSid", queue.as_str()),
        ("TaskChannelUniqueName", "voice"),
    ];
    let signature = cluster.emulator.callbacks().sign(&cluster.event_url(), fields);
    let request = cluster.http.post(format!("{}/taskrouter/events", follower.url()));
    let answer = request.header("X-Twilio-Signature", signature).form(&fields).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    follower.logs(&format!(r#""message":"Event","event":"{sid}""#)).await;
    let item = format!("Map queueStats, item {queue}");
    leader.logs(&format!(r#""message":"Written","event":"{sid}","sync.object":"{item}""#)).await;
    cluster.agrees().await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_goes_on_at_another_replica_where_it_was() {
    // So long that the leader stays: clients of a leader that is lost may have seen what it had not replicated.
    let cluster = Cluster::with(2, &[NO_TIMERS, &[("LEADER_LEASE", "10s")]].concat()).await;
    cluster.agrees().await;
    let mut watcher = Watcher::at(&cluster.replicas[0].url(), None).await;
    watcher.until("everything", |watcher| cluster.is_true(&watcher.queues)).await;
    for at in [1, 0, 1] {
        let url = cluster.replicas[at].url();
        cluster.work(5).await;
        // It has caught up with all that the client has seen at the other one.
        let mut fresh = Watcher::at(&url, None).await;
        fresh.until("the truth", |fresh| cluster.is_true(&fresh.queues)).await;
        watcher = Watcher::at(&url, Some(watcher)).await;
        watcher.until("what was missed", |watcher| cluster.is_true(&watcher.queues)).await;
        assert!(
            !watcher.kinds.contains(&"snapshot".to_owned()),
            "a whole snapshot instead of what was missed"
        );
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_goes_on_at_a_new_leader_that_lagged_behind_when_it_was_elected() {
    let mut cluster = Cluster::start(2).await;
    cluster.agrees().await;
    let leader = cluster.led().await;
    let mut watcher = Watcher::at(&cluster.replicas[leader].url(), None).await;
    watcher.until("everything", |watcher| cluster.is_true(&watcher.queues)).await;
    // The follower hears of nothing more, and finds the newest state in Redis once it is elected.
    let follower = cluster.take(1 - leader);
    follower.signal("STOP");
    cluster.work(5).await;
    watcher.until("the last changes", |watcher| cluster.is_true(&watcher.queues)).await;
    cluster.replicated(&watcher.id).await;
    cluster.take(0).kill().await;
    follower.signal("CONT");
    follower.logs("Elected").await;
    cluster.put_back(follower);
    cluster.work(5).await;
    watcher = Watcher::at(&cluster.replicas[0].url(), Some(watcher)).await;
    watcher.until("what was missed", |watcher| cluster.is_true(&watcher.queues)).await;
    assert!(!watcher.kinds.contains(&"snapshot".to_owned()), "a whole snapshot instead of what was missed");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_leader_can_do_any_replica_can_be_asked_for() {
    let cluster = Cluster::start(2).await;
    cluster.agrees().await;
    for replica in 0..2 {
        let (status, items) = cluster.check_map(replica).await;
        assert_eq!((status, items.as_array().map(Vec::len)), (200, Some(4)));
        let url = cluster.replicas[replica].url();
        let ask = |path: &str| cluster.http.get(format!("{url}{path}")).bearer_auth(BEARER).send();
        for path in
            ["/taskrouter_tasks", "/taskrouter_workers", "/api/definitions", "/api/definitions/fields"]
        {
            let answer = ask(path).await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
        }
        // A definition saved here is shown by the other.
        let name = format!("from {replica}");
        let definition = serde_json::json!({ &name: { "metric": { "label": "One", "formula": "1", "format": "number" } } });
        let saved =
            cluster.http.post(format!("{url}/api/save")).bearer_auth(BEARER).json(&definition).send().await;
        let saved = saved.unwrap();
        assert_eq!(saved.status(), 200, "{}", saved.text().await.unwrap());
        let mut other = Watcher::at(&cluster.replicas[1 - replica].url(), None).await;
        other.until("the new tile", |other| other.metrics.to_string().contains(&name)).await;
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_replaced_one_after_another_without_a_gap() {
    let mut cluster = Cluster::start(2).await;
    cluster.agrees().await;
    for _ in 0..3 {
        cluster.add().await;
        cluster.work(5).await;
        cluster.take(0).stop().await;
        cluster.work(5).await;
        cluster.agrees().await;
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_and_wrong_passwords_count_at_every_replica() {
    let mut cluster = Cluster::start(2).await;
    let quiet = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sign_in = async |replica: usize, password: &str| {
        let form = [("username", ADMIN.0), ("password", password)];
        quiet.post(format!("{}/login", cluster.replicas[replica].url())).form(&form).send().await.unwrap()
    };
    let signed_in = sign_in(0, ADMIN.1).await;
    assert_eq!(signed_in.status(), 303);
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let session = async |url: String| {
        let answer = quiet.get(format!("{url}/api/session")).header("Cookie", &cookie).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let (status, told) = session(cluster.replicas[1].url()).await;
    assert_eq!(status, 200, "a session is good everywhere");
    let token = told["csrfToken"].as_str().unwrap();
    let out = quiet.post(format!("{}/logout", cluster.replicas[1].url())).header("Cookie", &cookie);
    assert!(out.header("X-CSRF-Token", token).send().await.unwrap().status().is_redirection());
    cluster
        .eventually("it is ended everywhere", async || session(cluster.replicas[0].url()).await.0 == 401)
        .await;

    // Six guesses are checked, eight wait for their turn, and more are refused. Of twelve at a replica that knows
    // nothing of the others' none would be refused. A name for each try: a replica that did not know has seen this
    // one's guesses itself.
    let guesses = |replica: usize, name: &str, count: usize| {
        let url = format!("{}/api/session", cluster.replicas[replica].url());
        let guess = quiet.get(url).basic_auth(name, Some("wrong"));
        let sent = (0..count).map(|_| guess.try_clone().unwrap().send());
        sent.map(|answer| answer.map(|answer| answer.unwrap().status().as_u16()))
            .map(FutureExt::boxed)
            .collect::<FuturesUnordered<_>>()
    };
    let tries = AtomicU32::new(0);
    cluster
        .eventually("the other replica knows of wrong passwords", async || {
            let name = format!("guest {}", tries.fetch_add(1, Ordering::Relaxed));
            let mut here = guesses(0, &name, 20);
            while here.next().await.is_some_and(|status| status != 429) {}
            guesses(1, &name, 12).next().await == Some(429)
        })
        .await;

    // A replica that starts later knows of what was ended, also where Redis has lost it.
    let sign_outs = format!("tr:v1:{}:sign-outs", cluster.space());
    assert_eq!(cluster.redis.command(&["flushall"]).await, "OK");
    cluster
        .eventually("it is put back", async || cluster.redis.command(&["llen", &sign_outs]).await == "1")
        .await;
    cluster.add().await;
    cluster.all_ready().await;
    cluster.eventually("the new one knows", async || session(cluster.replicas[2].url()).await.0 == 401).await;
    cluster.finish().await;
}
