//! Redis is gone for longer than any lease, pause and time limit.

use serde_json::{Value, json};
use twilio_emulator::Settings;

use super::support::{Cluster, Replica, Way, term_of};
use crate::support::{BEARER, NO_TIMERS};

/// Tries to reach Redis, by each replica, before it is back; there are a dozen a second.
const TRIES: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn replicas_without_redis_for_many_leases_show_what_they_have_and_end_in_the_truth() {
    let mut cluster = Cluster::with(3, &[NO_TIMERS, &[("LEADER_LEASE", "1500ms")]].concat()).await;
    cluster.agrees().await;
    let mut watchers = cluster.watchers().await;
    for emptied in [false, true] {
        let leader = cluster.led().await;
        // First nothing is answered, then nothing is there.
        cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Frozen));
        cluster.work(10).await;
        cluster.all_is_stale(&mut watchers).await;
        cluster.replicas[leader].logs("Lost leadership").await;
        let written = cluster.sync_writes().len();
        cluster.work(10).await;
        let knocks: Vec<usize> = cluster.replicas.iter().map(|replica| replica.to_redis.knocks()).collect();
        if emptied {
            cluster.redis.kill().await;
            cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Open));
        } else {
            cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Refused));
        }
        for (replica, knocks) in cluster.replicas.iter().zip(knocks) {
            replica.to_redis.knocked(knocks + TRIES).await;
        }
        cluster.work(10).await;
        cluster.all_events_were_taken();
        assert_eq!(cluster.sync_writes().len(), written, "a write without a lease");
        // New clients see the same at each endpoint, and no replica leads.
        cluster.all_is_stale(&mut cluster.watchers().await).await;
        for replica in &cluster.replicas {
            let get =
                |path: &str| cluster.http.get(format!("{}{path}", replica.url())).bearer_auth(BEARER).send();
            let told: Value = get("/api/health").await.unwrap().json().await.unwrap();
            assert_eq!(told["health"]["taskrouter"]["ok"], false, "{told}");
            let reason = told["health"]["taskrouter"]["reason"].as_str().unwrap();
            assert!(reason.contains("Redis does not answer"), "{told}");
            let metrics = get("/metrics").await.unwrap().text().await.unwrap();
            for line in [
                "taskrouter_sync_leads 0\n",
                "taskrouter_sync_redis_answers 0\n",
                "taskrouter_sync_shows_stale{reason=\"redis\"} 1\n",
                "taskrouter_sync_shows_stale{reason=\"no_leader\"} 0\n",
            ] {
                assert!(metrics.contains(line), "{line} is missing in {metrics}");
            }
            replica.logs(r#""message":"Statistics are stale: no leader is heard of","reason":"Redis does not answer"#).await;
            // What only a leader can answer is refused with the reason, also by the replica that led.
            for (path, body) in
                [("/taskrouter_tasks", None), ("/api/definitions", None), ("/api/save", Some(json!({})))]
            {
                let url = format!("{}{path}", replica.url());
                let request = match &body {
                    Some(body) => cluster.http.post(url).json(body),
                    None => cluster.http.get(url),
                };
                let answer = request.bearer_auth(BEARER).send().await.unwrap();
                let (status, told): (_, Value) = (answer.status().as_u16(), answer.json().await.unwrap());
                assert_eq!((status, &told["code"]), (503, &json!("no_leader")), "{path}: {told}");
                assert!(told.to_string().contains("Redis can't be reached"), "{path}: {told}");
            }
        }
        if emptied {
            cluster.redis.start_again().await;
        } else {
            cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Open));
        }
        cluster.agrees().await;
        cluster.all_is_well(&mut watchers).await;
        for replica in &cluster.replicas {
            metrics_say(&cluster, replica, "taskrouter_sync_shows_stale{reason=\"redis\"} 0").await;
            metrics_say(&cluster, replica, "taskrouter_sync_redis_answers 1").await;
        }
        // Events are read at once again.
        cluster.work(10).await;
        cluster.agrees().await;
        cluster.all_is_well(&mut watchers).await;
    }
    let terms = cluster.sync_writes().iter().map(term_of).max();
    assert!(
        terms.is_some_and(|term| term >= 3),
        "a new term after each, also where Redis had forgotten them"
    );
    cluster.finish().await;
}

async fn metrics_say(cluster: &Cluster, replica: &Replica, line: &str) {
    cluster
        .eventually(line, async || {
            let url = format!("{}/metrics", replica.url());
            let metrics = cluster.http.get(url).bearer_auth(BEARER).send().await.unwrap();
            metrics.text().await.unwrap().lines().any(|found| found == line)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stood_still_for_longer_than_a_lease_serves_right_away_when_it_goes_on() {
    let cluster = Cluster::with(3, &[NO_TIMERS, &[("LEADER_LEASE", "1500ms")]].concat()).await;
    cluster.agrees().await;
    for _ in 0..2 {
        let leader = &cluster.replicas[cluster.led().await];
        cluster.redis.signal("STOP");
        cluster.work(10).await;
        cluster.eventually("it leads no more", async || cluster.leader().await.is_none()).await;
        let written = cluster.sync_writes().len();
        let knocks = leader.to_redis.knocks();
        leader.to_redis.knocked(knocks + 10).await;
        assert_eq!(cluster.sync_writes().len(), written, "a write without a lease");
        cluster.redis.signal("CONT");
        cluster.agrees().await;
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_left_is_tidied_up_and_its_variable_named() {
    let mut cluster =
        Cluster::empty(Settings { queues: 2, workers: 2, ..Settings::default() }, NO_TIMERS).await;
    let account = cluster.emulator.account();
    let name = format!("taskrouter_sync_leader_{}", account.workspace_sid);
    let left = json!({ "leader": "0123456789abcdef/3", "alone": true, "over_after_ms": 4500 });
    cluster.emulator.sync().put_document(&name, left);
    cluster.set(&[("LEADER_ALONE", "true")]);
    for _ in 0..2 {
        cluster.add().await;
    }
    cluster.all_ready().await;
    cluster
        .eventually("the Document is gone", async || cluster.emulator.sync().document(&name).is_none())
        .await;
    for replica in &cluster.replicas {
        let line = replica.logs("no longer read").await;
        assert!(line.contains("LEADER_ALONE") && line.contains("WARN"), "{line}");
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_dead_without_a_word_are_given_up() {
    let cluster = Cluster::start(2).await;
    cluster.agrees().await;
    let mut watchers = cluster.watchers().await;
    let knocks: Vec<usize> = cluster.replicas.iter().map(|replica| replica.to_redis.knocks()).collect();
    cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Forgotten));
    for (replica, knocks) in cluster.replicas.iter().zip(knocks) {
        // Two for commands, and the one that listens.
        replica.to_redis.knocked(knocks + 3).await;
    }
    cluster.work(10).await;
    cluster.agrees().await;
    cluster.all_is_well(&mut watchers).await;
    cluster.finish().await;
}
