//! A leader that has lost Redis goes on as long as Sync proves that it is alone, and not a moment longer.

use super::support::redis::Redis;
use super::support::{Cluster, Replica, Way};
use crate::support::{BEARER, NO_TIMERS, QUICK_TIMERS};

/// More than the time of any lease: each is prolonged after half of its own time.
const LONG: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn redis_gone_for_all_the_leader_goes_on_and_has_its_lease_back_afterwards() {
    let mut cluster = Cluster::with(3, QUICK_TIMERS).await;
    cluster.agrees().await;
    let before = cluster.last_term();
    for gone in [true, false] {
        if gone {
            cluster.redis.kill().await;
        } else {
            // It runs on, and lets the lease run out.
            cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Frozen));
        }
        cluster.goes_on_alone(LONG).await;
        cluster.work(10).await;
        cluster.agrees().await;
        let leader = cluster.led().await;
        if gone {
            cluster.redis.start_again().await;
        } else {
            cluster.replicas[leader].to_redis.set(Way::Open);
        }
        cluster.eventually("it leads by its lease", async || cluster.witness()["alone"] == false).await;
        cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Open));
        cluster.work(10).await;
        cluster.agrees().await;
        cluster.all_clients_agree().await;
        assert!(cluster.last_term() == before || cluster.redis_was_slow(), "it led all the time");
    }
    cluster.finish().await;
}

/// Waits until each replica's metrics say so.
async fn redis_answers(cluster: &Cluster, answers: u8) {
    for replica in &cluster.replicas {
        let url = format!("{}/metrics", replica.url());
        cluster
            .eventually(&format!("taskrouter_sync_redis_answers is {answers}"), async || {
                let metrics = cluster.http.get(&url).bearer_auth(BEARER).send().await.unwrap();
                let metrics = metrics.text().await.unwrap();
                metrics.contains(&format!("\ntaskrouter_sync_redis_answers {answers}\n"))
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_say_whether_redis_answers() {
    let mut cluster = Cluster::with(2, QUICK_TIMERS).await;
    redis_answers(&cluster, 1).await;
    cluster.redis.kill().await;
    redis_answers(&cluster, 0).await;
    cluster.goes_on_alone(1).await;
    cluster.redis.start_again().await;
    redis_answers(&cluster, 1).await;
    cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Frozen));
    redis_answers(&cluster, 0).await;
    cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Open));
    redis_answers(&cluster, 1).await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_goes_on_alone_and_dies_is_followed_without_redis() {
    let mut cluster = Cluster::with(2, QUICK_TIMERS).await;
    cluster.agrees().await;
    let before = cluster.last_term();
    cluster.redis.kill().await;
    cluster.goes_on_alone(2).await;
    let leader = cluster.led().await;
    cluster.take(leader).kill().await;
    cluster.work(10).await;
    cluster.replicas[0].logs("this one goes on instead").await;
    cluster.agrees().await;
    let after = cluster.last_term();
    assert!(after > before);
    cluster.redis.start_again().await;
    cluster.eventually("it leads by its lease", async || cluster.witness()["alone"] == false).await;
    cluster.work(10).await;
    cluster.agrees().await;
    assert!(cluster.last_term() == after || cluster.redis_was_slow(), "it led all the time");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_goes_on_alone_comes_back_after_sync_was_gone_as_well() {
    let cluster = Cluster::with(2, QUICK_TIMERS).await;
    cluster.agrees().await;
    let leader = cluster.led().await;
    cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Refused));
    cluster.goes_on_alone(2).await;
    cluster.replicas.iter().for_each(|replica| replica.to_twilio.set(Way::Refused));
    cluster.replicas[leader].logs("leads no more").await;
    cluster.replicas.iter().for_each(|replica| replica.to_twilio.set(Way::Open));
    cluster.work(10).await;
    cluster.goes_on_alone(2).await;
    cluster.agrees().await;
    cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Open));
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stood_still_does_not_cost_the_leader_its_lease() {
    let cluster = Cluster::with(3, QUICK_TIMERS).await;
    cluster.agrees().await;
    let before = cluster.last_term();
    for _ in 0..2 {
        cluster.redis.signal("STOP");
        cluster.goes_on_alone(LONG).await;
        cluster.redis.signal("CONT");
        cluster.eventually("it leads by its lease", async || cluster.witness()["alone"] == false).await;
        cluster.work(10).await;
        cluster.agrees().await;
    }
    assert_eq!(cluster.last_term(), before, "nobody took what it had been asked for long ago");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_may_not_go_on_alone_ends_one_that_may() {
    let mut cluster = Cluster::with(1, QUICK_TIMERS).await;
    cluster.agrees().await;
    let before = cluster.last_term();
    cluster.set(&[("LEADER_ALONE", "false")]);
    cluster.add().await;
    cluster.all_ready().await;
    let leader = cluster.led().await;
    let cut_off = cluster.take(leader);
    cut_off.to_redis.set(Way::Frozen);
    cut_off.logs("leads no more").await;
    cluster.eventually("another writes", async || cluster.last_term() > before).await;
    // And it may not.
    cluster.replicas[0].to_redis.set(Way::Frozen);
    cluster.replicas[0].logs("leads no more").await;
    assert!(!cluster.replicas[0].log().contains("goes on alone"));
    cluster.replicas[0].to_redis.set(Way::Open);
    cut_off.to_redis.set(Way::Open);
    cluster.put_back(cut_off);
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_alone_has_lost_redis_stops_when_another_claims_the_lead() {
    let mut cluster = Cluster::with(3, QUICK_TIMERS).await;
    cluster.agrees().await;
    for way in [Way::Frozen, Way::Refused] {
        let (leader, before) = (cluster.led().await, cluster.last_term());
        let cut_off = cluster.take(leader);
        cut_off.to_redis.set(way);
        cluster.work(10).await;
        cut_off.logs("leads no more").await;
        cluster.eventually("another writes", async || cluster.last_term() > before).await;
        cluster.agrees().await;
        let said = cluster.witness();
        assert!(said["yielded"].is_string() && said["alone"] == false, "nobody waited in vain: {said}");
        cut_off.to_redis.set(Way::Open);
        cluster.put_back(cut_off);
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_and_without_sync_nobody_leads() {
    let cluster = Cluster::with(2, QUICK_TIMERS).await;
    cluster.agrees().await;
    let leader = cluster.led().await;
    for replica in &cluster.replicas {
        replica.to_twilio.set(Way::Frozen);
        replica.to_redis.set(Way::Frozen);
    }
    cluster.work(10).await;
    cluster.replicas[leader].logs("leads no more").await;
    cluster.replicas.iter().for_each(|replica| replica.to_twilio.set(Way::Open));
    assert!(cluster.leader().await.is_none());
    cluster.replicas.iter().for_each(|replica| replica.to_redis.set(Way::Open));
    cluster.agrees().await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_goes_on_alone_stops_in_good_order() {
    let mut cluster = Cluster::with(1, QUICK_TIMERS).await;
    cluster.agrees().await;
    cluster.redis.kill().await;
    cluster.goes_on_alone(2).await;
    cluster.work(5).await;
    cluster.take(0).stop().await;
    assert_eq!(cluster.witness()["alone"], false, "the next leader need not wait");
    cluster.redis.start_again().await;
    cluster.add().await;
    cluster.all_ready().await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_leaders_by_different_redis_one_gives_way() {
    let mut cluster = Cluster::with(1, &[NO_TIMERS, &[("LEADER_LEASE", "1s")]].concat()).await;
    cluster.agrees().await;
    let other_redis = Redis::start().await;
    let twilio = cluster.emulator.url().strip_prefix("http://").unwrap().parse().unwrap();
    cluster.set(&[("LEADER_LEASE", "1s")]);
    let rival = Replica::start(cluster.variables(), other_redis.address, twilio).await;
    cluster.replicas[0].logs("this one gives way").await;
    cluster.replicas[0].logs("leaves it to that one").await;
    assert!(!rival.log().contains("gives way"), "the one that came last stays");
    // The other one ends, and this one leads again.
    rival.stop().await;
    cluster.work(10).await;
    cluster.led().await;
    cluster.agrees().await;
}
