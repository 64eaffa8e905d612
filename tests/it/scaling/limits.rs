//! Twilio's limits hold over all leaders together, however often and however they take turns.

use twilio_emulator::{Answers, Settings};

use super::support::Cluster;
use crate::support::{NO_TIMERS, QUICK_TIMERS};

/// The leader goes, in good order or not, and another replica comes.
async fn change_leaders(cluster: &mut Cluster, in_order: bool) {
    let leader = cluster.led().await;
    cluster.add().await;
    let leader = cluster.take(leader);
    if in_order { leader.stop().await } else { leader.kill().await }
}

#[tokio::test(flavor = "multi_thread")]
async fn leaders_in_quick_succession_share_one_budget_for_each_object() {
    let settings = Settings { queues: 40, workers: 60, ..Settings::default() };
    let mut cluster = Cluster::empty(settings, NO_TIMERS).await;
    for _ in 0..2 {
        cluster.add().await;
    }
    cluster.all_ready().await;
    for in_order in [true, true, true, false] {
        let written = cluster.sync_writes().len();
        for _ in 0..150 {
            cluster.emulator.world().step();
        }
        // More than there is budget for waits at any time.
        cluster.eventually("the leader writes", async || cluster.sync_writes().len() > written + 10).await;
        change_leaders(&mut cluster, in_order).await;
    }
    cluster.all_ready().await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaders_in_quick_succession_share_five_bulk_calls_a_second() {
    let answers = Answers { refuse_list: Some(403), ..Answers::default() };
    let settings = Settings { queues: 120, workers: 6, answers, ..Settings::default() };
    let mut cluster = Cluster::empty(settings, QUICK_TIMERS).await;
    for _ in 0..2 {
        cluster.add().await;
    }
    let mut enough = 0;
    for in_order in [true, false, true] {
        enough += 5;
        cluster.eventually("the leader reads in bulk", async || bulk_calls(&cluster) >= enough).await;
        change_leaders(&mut cluster, in_order).await;
        enough = bulk_calls(&cluster);
    }
    cluster.eventually("the last one does", async || bulk_calls(&cluster) >= enough + 5).await;
    for replica in std::mem::take(&mut cluster.replicas) {
        replica.stop().await;
    }
    cluster.one_wrote_at_a_time();
    cluster.emulator.shutdown().await;
}

fn bulk_calls(cluster: &Cluster) -> usize {
    let entries = cluster.emulator.journal().entries();
    entries.iter().filter(|entry| entry.path.ends_with("/TaskQueues/RealTimeStatistics")).count()
}
