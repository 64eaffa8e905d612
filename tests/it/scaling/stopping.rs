//! Replicas end in good order whether Redis answers, refuses, or hangs.

use super::support::{Cluster, Way};
use crate::support::QUICK_TIMERS;

/// Said where something that waits for Redis was ended before it had an answer, or none in its own time.
const GIVEN_UP: &str = "Stopped without waiting for Redis";

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_redis_that_hangs() {
    let mut cluster = Cluster::with(3, QUICK_TIMERS).await;
    cluster.agrees().await;
    let leader = cluster.led().await;
    let leader = cluster.take(leader);
    let others = std::mem::take(&mut cluster.replicas);
    for replica in others.iter().chain([&leader]) {
        replica.to_redis.set(Way::Frozen);
    }
    leader.logs("Lost leadership").await;
    for follower in others {
        // By now one question after another hangs.
        follower.logs("Statistics are stale").await;
        let log = follower.stop_and_tell().await;
        assert!(log.contains("Stopped") && log.contains(GIVEN_UP), "{log}");
    }
    let log = leader.stop_and_tell().await;
    assert!(log.contains("Stopped") && log.contains(GIVEN_UP), "{log}");
    cluster.one_wrote_at_a_time();
    cluster.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_answers_nothing_is_given_up() {
    let mut cluster = Cluster::with(2, QUICK_TIMERS).await;
    cluster.work(10).await;
    for _ in 0..2 {
        let leader = cluster.led().await;
        let log = cluster.take(leader).stop_and_tell().await;
        assert!(log.contains("Stopped"), "{log}");
        assert!(!log.contains(GIVEN_UP) || log.contains("did not answer within"), "{log}");
    }
    cluster.one_wrote_at_a_time();
    cluster.emulator.shutdown().await;
}
