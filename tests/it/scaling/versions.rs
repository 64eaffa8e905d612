//! Processes of another version beside ours: they share the lease and the marks, and nothing else.

use serde_json::{Value, json};

use super::support::{Cluster, Way, term_of};
use crate::support::NO_TIMERS;
use crate::support::watcher::Watcher;

/// A leader of another version.
const OTHER: &str = "0123456789abcdef/100";

/// Another version's process takes the lease while ours can't.
async fn another_version_leads(cluster: &Cluster) {
    let lease = format!("tr:{}:lease", cluster.space());
    let leader = cluster.led().await;
    cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Refused));
    cluster.replicas[leader].logs("Lost leadership").await;
    cluster
        .eventually("the lease runs out", async || cluster.redis.command(&["exists", &lease]).await == "0")
        .await;
    let term = format!("tr:{}:term", cluster.space());
    assert_eq!(cluster.redis.command(&["set", &term, "100"]).await, "OK");
    assert_eq!(cluster.redis.command(&["set", &lease, OTHER, "nx", "px", "600000"]).await, "OK");
    cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Open));
}

/// It ends without giving the lease back.
async fn the_other_version_ends(cluster: &Cluster) {
    cluster.redis.command(&["del", &format!("tr:{}:lease", cluster.space())]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_of_another_version_is_a_leader_and_what_it_writes_is_left_alone() {
    let cluster = Cluster::with(2, &[NO_TIMERS, &[("LEADER_LEASE", "1500ms")]].concat()).await;
    cluster.agrees().await;
    let mut watchers = cluster.watchers().await;
    another_version_leads(&cluster).await;
    let (space, written) = (cluster.space(), cluster.sync_writes().len());
    let redis = &cluster.redis;
    for (key, value) in [("picture", "not a hash"), ("words", "not a list"), ("recordings", "{")] {
        redis.command(&["set", &format!("tr:v2:{space}:{key}"), value]).await;
    }
    let marks = format!("tr:{space}:marks");
    redis.command(&["hset", &marks, r#"{"planets":["mars"]}"#, "1000000"]).await;
    redis.command(&["set", &format!("tr:{space}:mark-number"), "1000000"]).await;
    for news in ["{", "null", r#"{"moon":{"phase":"full"}}"#, r#"{"picture":{"head":{}}}"#] {
        for form in ["v1", "v2"] {
            redis.command(&["publish", &format!("tr:{form}:{space}:news"), news]).await;
        }
    }
    cluster.work(20).await;
    cluster.all_events_were_taken();
    // Its pictures are not ours, so what ours show grows old.
    cluster.all_is_stale(&mut watchers).await;
    assert_eq!(cluster.sync_writes().len(), written, "two leaders");
    let marked: usize = redis.command(&["hlen", &marks]).await.parse().unwrap();
    assert!(marked > 1, "the events wait for a leader");

    the_other_version_ends(&cluster).await;
    cluster.agrees().await;
    cluster.all_is_well(&mut watchers).await;
    let term = cluster.sync_writes().iter().map(term_of).max();
    assert!(term.is_some_and(|term| term > 100), "terms go on where the other version's ended");
    cluster
        .eventually("all marks are read, unknown ones too", async || {
            redis.command(&["exists", &marks]).await == "0"
        })
        .await;
    assert_eq!(redis.command(&["get", &format!("tr:v2:{space}:picture")]).await, "not a hash");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_of_the_same_form_may_say_more() {
    let cluster = Cluster::with(2, &[NO_TIMERS, &[("LEADER_LEASE", "1500ms")]].concat()).await;
    cluster.agrees().await;
    another_version_leads(&cluster).await;
    let mut watchers = cluster.watchers().await;
    cluster.all_is_stale(&mut watchers).await;
    let (space, redis) = (cluster.space(), &cluster.redis);
    let (picture, news) = (format!("tr:v1:{space}:picture"), format!("tr:v1:{space}:news"));
    let mut head: Value =
        serde_json::from_str(&redis.command(&["--raw", "hget", &picture, "at"]).await).unwrap();
    head["number"] = json!(head["number"].as_u64().unwrap() + 1);
    head["moon"] = json!("full");
    let metrics = format!("{} {}", head["number"], json!({ "told": "by another version" }));
    let fields = [
        ("at", head.to_string()),
        ("by", OTHER.to_owned()),
        ("p:metrics", metrics),
        ("z:1", "[]".to_owned()),
    ];
    let mut draw = vec!["hset", &picture];
    draw.extend(fields.iter().flat_map(|(name, value)| [*name, value.as_str()]));
    redis.command(&draw).await;
    redis.command(&["publish", &news, r#""redrawn""#]).await;
    for watcher in &mut watchers {
        let told = |watcher: &Watcher| {
            watcher.metrics["told"] == "by another version" && watcher.health["taskrouter"]["ok"] == true
        };
        watcher.until("what the other version has drawn, as good", told).await;
    }
    the_other_version_ends(&cluster).await;
    cluster.agrees().await;
    cluster.all_is_well(&mut watchers).await;
    cluster.finish().await;
}
