//! Redis over TLS: without a certificate that can be verified nothing is sent.

use twilio_emulator::Settings;

use super::support::Cluster;
use super::support::tls::TlsRedis;
use crate::support::{Binary, NO_TIMERS};

async fn cluster(redis: &TlsRedis, trusted: &std::path::Path) -> Cluster {
    let settings = Settings { queues: 4, workers: 6, ..Settings::default() };
    let mut cluster = Cluster::empty(settings, NO_TIMERS).await;
    cluster.set(&[("REDIS_URL", &redis.url()), ("SSL_CERT_FILE", trusted.to_str().unwrap())]);
    cluster
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_a_redis_whose_certificate_they_trust() {
    let redis = TlsRedis::start().await;
    let mut cluster = cluster(&redis, &redis.authority()).await;
    for _ in 0..2 {
        cluster.add().await;
    }
    cluster.all_ready().await;
    cluster.work(10).await;
    cluster.agrees().await;
    cluster.take(0).stop().await;
    cluster.work(10).await;
    assert!(!cluster.replicas.iter().any(|replica| TlsRedis::is_told_in(&replica.log())));
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_untrusted_authority_is_refused_and_logged() {
    let redis = TlsRedis::start().await;
    let mut cluster = cluster(&redis, &redis.stranger()).await;
    cluster.add().await;
    let replica = cluster.take(0);
    assert!(replica.logs("Subscribing to Redis fails").await.contains("invalid peer certificate"));
    let ready = cluster.http.get(format!("{}/readyz", replica.url())).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    assert!(cluster.sync_writes().is_empty(), "a write without a lease");
    assert!(!TlsRedis::is_told_in(&replica.log()));
    replica.stop().await;
    // Verification cannot be switched off.
    let mut variables = Binary::variables(&cluster.emulator, &[]);
    variables.insert("REDIS_URL".to_owned(), format!("{}#insecure", redis.url()));
    let output = Binary::output(&variables, &["serve"]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("REDIS_URL") && !TlsRedis::is_told_in(&said), "{said}");
    cluster.emulator.shutdown().await;
}
