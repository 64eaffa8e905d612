//! Replicas that die, hang or are cut off.

use super::support::{Cluster, Replica, Way};
use crate::support::QUICK_TIMERS;
use crate::support::watcher::Watcher;

/// Takes the leader out of the balancer.
async fn take_leader(cluster: &mut Cluster) -> Replica {
    let leader = cluster.led().await;
    cluster.take(leader)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_is_followed_by_another_and_no_event_is_lost() {
    let mut cluster = Cluster::start(3).await;
    cluster.agrees().await;
    let before = cluster.last_term();
    let mut watcher = Watcher::at(&cluster.replicas[(cluster.led().await + 1) % 3].url(), None).await;
    for _ in 0..30 {
        cluster.emulator.world().step();
    }
    take_leader(&mut cluster).await.kill().await;
    // While no replica leads.
    cluster.work(20).await;
    cluster.agrees().await;
    assert!(cluster.last_term() > before);
    watcher.until("what the new leader read", |watcher| cluster.is_true(&watcher.queues)).await;
    assert_eq!(watcher.kinds.iter().filter(|kind| *kind == "snapshot").count(), 1, "only at its start");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hangs_writes_nothing_when_it_wakes_up() {
    let mut cluster = Cluster::start(3).await;
    cluster.agrees().await;
    let hung = take_leader(&mut cluster).await;
    let before = cluster.last_term();
    // It has work to do when it stops.
    for _ in 0..20 {
        cluster.emulator.world().step();
    }
    hung.signal("STOP");
    cluster.work(20).await;
    cluster.eventually("another writes", async || cluster.last_term() > before).await;
    cluster.agrees().await;
    hung.signal("CONT");
    hung.logs("Lost leadership").await;
    cluster.put_back(hung);
    cluster.work(20).await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_from_redis_stops_and_comes_back_as_a_follower() {
    let mut cluster = Cluster::start(3).await;
    cluster.agrees().await;
    for way in [Way::Frozen, Way::Refused] {
        let cut_off = take_leader(&mut cluster).await;
        let before = cluster.last_term();
        cut_off.to_redis.set(way);
        cluster.work(10).await;
        cluster.eventually("another writes", async || cluster.last_term() > before).await;
        cluster.agrees().await;
        let mut watcher = Watcher::at(&cut_off.url(), None).await;
        watcher.until("that it is stale", |watcher| watcher.health["taskrouter"]["ok"] == false).await;
        assert!(!watcher.queues.is_empty(), "and what is known is shown still");
        cut_off.to_redis.set(Way::Open);
        watcher.until("that it is not", |watcher| watcher.health["taskrouter"]["ok"] == true).await;
        cut_off.logs("Statistics are current again").await;
        cluster.put_back(cut_off);
        cluster.work(10).await;
        cluster.agrees().await;
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_from_twilio_lets_another_lead() {
    let mut cluster = Cluster::with(3, QUICK_TIMERS).await;
    cluster.agrees().await;
    for way in [Way::Refused, Way::Frozen] {
        let leader = cluster.led().await;
        let before = cluster.last_term();
        cluster.replicas[leader].to_twilio.set(way);
        cluster.work(10).await;
        cluster.eventually("another writes", async || cluster.last_term() > before).await;
        cluster.agrees().await;
        let cut_off = cluster.take(leader);
        cut_off.to_twilio.set(Way::Open);
        cluster.put_back(cut_off);
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twilio_gone_for_all_the_leader_stays() {
    let cluster = Cluster::with(2, QUICK_TIMERS).await;
    cluster.agrees().await;
    let before = cluster.last_term();
    cluster.replicas.iter().for_each(|replica| replica.to_twilio.set(Way::Refused));
    cluster.work(10).await;
    let leader = &cluster.replicas[cluster.led().await];
    leader.logs("can't be read").await;
    cluster.replicas.iter().for_each(|replica| replica.to_twilio.set(Way::Open));
    cluster.agrees().await;
    assert!(cluster.last_term() == before || cluster.redis_was_slow(), "no replica could have done better");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_loses_its_data_leaves_the_lead_where_it_is() {
    let mut cluster = Cluster::start(3).await;
    cluster.agrees().await;
    let before = cluster.last_term();
    for emptied in [true, false] {
        if emptied {
            assert_eq!(cluster.redis.command(&["flushall"]).await, "OK");
        } else {
            cluster.redis.kill().await;
            cluster.redis.start_again().await;
        }
        cluster.work(10).await;
        cluster.agrees().await;
        cluster.all_clients_agree().await;
    }
    assert!(cluster.last_term() == before || cluster.redis_was_slow(), "the leader got its lease back");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaders_that_fail_in_the_middle_of_writing_never_overlap() {
    let mut cluster = Cluster::start(2).await;
    cluster.agrees().await;
    for round in 0..3 {
        for _ in 0..40 {
            cluster.emulator.world().step();
        }
        let leader = take_leader(&mut cluster).await;
        if round % 2 == 0 {
            leader.signal("STOP");
        } else {
            leader.to_redis.set(Way::Frozen);
        }
        cluster.work(10).await;
        cluster.agrees().await;
        leader.kill().await;
        cluster.add().await;
        cluster.all_ready().await;
    }
    cluster.finish().await;
}
