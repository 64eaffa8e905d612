//! Replicas whose configuration differs from the leader's say so.

use super::support::{Cluster, Replica};
use crate::support::{BEARER, NO_TIMERS};

async fn differing(cluster: &Cluster, replica: &Replica) -> String {
    let url = format!("{}/metrics", replica.url());
    let metrics = cluster.http.get(url).bearer_auth(BEARER).send().await.unwrap().text().await.unwrap();
    let name = "taskrouter_sync_differing_settings ";
    metrics.lines().find_map(|line| line.strip_prefix(name)).expect("no such metric").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_configuration_differs_from_the_leaders_says_so() {
    let mut cluster = Cluster::with(1, NO_TIMERS).await;
    cluster.agrees().await;
    // The same in other words, and two that differ.
    let changes = [("REALTIME_INTERVAL", "60m"), ("SYNC_AUDIT_INTERVAL", "59s"), ("TWILIO_TIMEOUT", "9s")];
    cluster.set(&changes);
    cluster.add().await;
    cluster.all_ready().await;
    let (same, other) = (&cluster.replicas[0], &cluster.replicas[1]);
    let line = other.logs("configuration differs from the leader's").await;
    assert!(line.contains(r#""lease":false"#), "{line}");
    assert_eq!(differing(&cluster, other).await, "1");
    assert_eq!(differing(&cluster, same).await, "0");
    let settings = cluster.redis.command(&["get", &format!("tr:v1:{}:settings", cluster.space())]).await;
    assert!(settings.len() < 200 && !settings.contains("60000"), "a hash: {settings}");
    // The leader's configuration counts.
    cluster.take(0).stop().await;
    let other = &cluster.replicas[0];
    other.logs("no longer differs from the leader's").await;
    assert_eq!(differing(&cluster, other).await, "0");
    let said = other.log();
    assert_eq!(said.matches("This replica's configuration differs").count(), 1, "once: {said}");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_of_a_version_that_says_nothing_of_itself_is_no_other_configuration() {
    let cluster = Cluster::with(1, NO_TIMERS).await;
    cluster.agrees().await;
    let settings = format!("tr:v1:{}:settings", cluster.space());
    cluster
        .eventually("the leader says how it is configured", async || {
            cluster.redis.command(&["exists", &settings]).await == "1"
        })
        .await;
    let ours = cluster.redis.command(&["get", &settings]).await;
    assert!(ours.contains(env!("CARGO_PKG_VERSION")), "{ours}");
    // What another leader left, or a later version writes, says nothing of the one that leads.
    let lease = cluster.redis.command(&["get", &format!("tr:{}:lease", cluster.space())]).await;
    let by = lease.split('/').next().unwrap();
    assert!(ours.contains(&format!(r#""by":"{by}""#)), "{ours} by {by}");
    assert_eq!(differing(&cluster, &cluster.replicas[0]).await, "0");
    cluster.finish().await;
}
