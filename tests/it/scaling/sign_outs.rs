//! Sign-outs at one replica, and replicas that start later.

use super::support::Cluster;
use crate::support::browser::{next_second, settled, sign_in, sign_out, status};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_starts_later_lets_no_ended_session_in_even_before_it_has_read_redis() {
    let mut cluster = Cluster::start(2).await;
    let (ended, other) =
        (sign_in(&cluster.replicas[0].url()).await, sign_in(&cluster.replicas[1].url()).await);
    sign_out(&cluster.replicas[0].url(), &ended).await;
    let sign_outs = format!("tr:v1:{}:sign-outs", cluster.space());
    let kept = async || cluster.redis.command(&["llen", &sign_outs]).await == "1";
    cluster.eventually("the sign-out is kept", kept).await;
    // As after the facts of thousands of Calls.
    cluster.redis.command(&["del", &format!("tr:v1:{}:words", cluster.space())]).await;
    next_second().await;
    cluster.redis.signal("STOP");
    cluster.add().await;
    let late = cluster.replicas[2].url();
    for cookie in [&ended, &other] {
        assert_eq!(status(&late, cookie).await, 503, "it may have been ended");
    }
    cluster.redis.signal("CONT");
    assert_eq!(settled(&late, &ended).await, 401);
    assert_eq!(settled(&late, &other).await, 200);
    cluster.finish().await;
}
