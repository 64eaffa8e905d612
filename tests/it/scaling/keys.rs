//! Foreign data in our Redis keys does no harm.

use super::rights::sign_in_and_out;
use super::support::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn foreign_data_in_our_keys_is_replaced() {
    let cluster = Cluster::start(2).await;
    cluster.agrees().await;
    let (space, redis) = (cluster.space(), &cluster.redis);
    let (picture, marks) = (format!("tr:v1:{space}:picture"), format!("tr:{space}:marks"));
    let number = format!("tr:{space}:mark-number");
    for spoilt in [vec![&picture], vec![&marks], vec![&marks, &number], vec![&picture, &marks, &number]] {
        for key in spoilt {
            // With what is there already the type would stay.
            redis.command(&["del", key]).await;
            redis.command(&["lpush", key, "not ours"]).await;
        }
        // Where nothing happens, too.
        cluster
            .eventually("the feed's state is stored again", async || {
                redis.command(&["type", &picture]).await == "hash"
            })
            .await;
        cluster.work(10).await;
        cluster.agrees().await;
        cluster.all_clients_agree().await;
        cluster
            .eventually("marks are marks again", async || {
                let kinds = [redis.command(&["type", &marks]).await, redis.command(&["type", &number]).await];
                kinds.iter().all(|kind| kind != "list")
            })
            .await;
    }
    let sign_outs = format!("tr:v1:{space}:sign-outs");
    redis.command(&["set", &sign_outs, "not ours"]).await;
    sign_in_and_out(&cluster).await;
    cluster
        .eventually("what is said is kept", async || redis.command(&["llen", &sign_outs]).await == "1")
        .await;
    for name in ["event", "recordings", "history"] {
        redis.command(&["lpush", &format!("tr:v1:{space}:{name}"), "not ours"]).await;
    }
    redis.command(&["del", &marks]).await;
    redis.command(&["set", &marks, "not ours"]).await;
    cluster.work(10).await;
    cluster.agrees().await;
    cluster.all_events_were_taken();
    cluster.finish().await;
}
