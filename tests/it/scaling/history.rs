//! One history in PostgreSQL: the leader stores it, and every replica shows it.

use serde_json::Value;

use super::support::Cluster;
use crate::support::postgres::Postgres;
use crate::support::{ADMIN, NO_TIMERS};

#[tokio::test]
async fn a_new_leader_goes_on_with_the_history_and_all_replicas_show_it() {
    let postgres = Postgres::start().await;
    let url = postgres.url();
    let more = [NO_TIMERS, &[("HISTORY_URL", url.as_str()), ("DASHBOARD_TIMEZONE", "UTC")]].concat();
    let mut cluster = Cluster::with(2, &more).await;
    cluster.work(20).await;
    shown_by_all(&cluster).await;
    let leader = cluster.led().await;
    cluster.take(leader).kill().await;
    cluster.led().await;
    cluster.work(20).await;
    shown_by_all(&cluster).await;
    cluster.add().await;
    cluster.all_ready().await;
    cluster.work(5).await;
    shown_by_all(&cluster).await;
    cluster.finish().await;
}

/// Waits until the day's entries of every TaskQueue are as the emulator counts them, asked of each replica.
async fn shown_by_all(cluster: &Cluster) {
    let midnight = jiff::Timestamp::now().as_second();
    let midnight = midnight - midnight.rem_euclid(86_400);
    let truth = cluster.emulator.world().truth();
    let since = jiff::Timestamp::from_second(midnight).unwrap();
    let counts: Vec<(String, i64)> = truth
        .queue_sids()
        .into_iter()
        .map(|sid| {
            let entered = truth.queue(&sid, None, since, &[]).cumulative["tasks_entered"].as_i64().unwrap();
            (sid, entered)
        })
        .collect();
    for replica in &cluster.replicas {
        let url = format!("{}/api/history/intervals?from={midnight}&step=86400&channels=all", replica.url());
        cluster
            .eventually("a replica shows the whole day", async || {
                let asked = cluster.http.get(&url).basic_auth(ADMIN.0, Some(ADMIN.1)).send().await;
                let Ok(answer) = asked else { return false };
                let report: Value = answer.json().await.unwrap_or_default();
                let rows = report["rows"].as_array().cloned().unwrap_or_default();
                rows.len() == counts.len()
                    && counts.iter().all(|(sid, entered)| {
                        rows.iter().any(|row| row["queue"] == sid.as_str() && row["entered"] == *entered)
                    })
            })
            .await;
    }
}
