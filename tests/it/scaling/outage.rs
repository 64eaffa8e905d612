//! Redis can't be used for so long that every lease, pause and time limit is over.

use serde_json::Value;

use super::support::{Cluster, Way, term_of};
use crate::support::{BEARER, NO_TIMERS};

/// Tries to reach Redis, by each replica, before it is back; there are a dozen a second.
const TRIES: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn replicas_without_redis_for_many_leases_show_what_they_have_and_end_in_the_truth() {
    let mut cluster =
        Cluster::with(3, &[NO_TIMERS, &[("LEADER_LEASE", "1500ms"), ("LEADER_ALONE", "false")]].concat())
            .await;
    cluster.agrees().await;
    let mut watchers = cluster.watchers().await;
    for emptied in [false, true] {
        let leader = cluster.led().await;
        // First nothing is answered, then nothing is there.
        cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Frozen));
        cluster.work(10).await;
        cluster.all_is_stale(&mut watchers).await;
        cluster.replicas[leader].logs("leads no more").await;
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
        assert_eq!(cluster.sync_writes().len(), written, "nobody knows that nobody else leads");
        // Who comes now sees the same, however it asks; and whoever counts leaders finds none.
        cluster.all_is_stale(&mut cluster.watchers().await).await;
        for replica in &cluster.replicas {
            let get =
                |path: &str| cluster.http.get(format!("{}{path}", replica.url())).bearer_auth(BEARER).send();
            let told: Value = get("/api/health").await.unwrap().json().await.unwrap();
            assert_eq!(told["health"]["taskrouter"]["ok"], false, "{told}");
            let metrics = get("/metrics").await.unwrap().text().await.unwrap();
            assert!(metrics.contains("taskrouter_sync_leads 0\n"), "{metrics}");
        }
        if emptied {
            cluster.redis.start_again().await;
        } else {
            cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Open));
        }
        cluster.agrees().await;
        cluster.all_is_well(&mut watchers).await;
        // Events are waited for by nobody: what they bring comes by itself again.
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
