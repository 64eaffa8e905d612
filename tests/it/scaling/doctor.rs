//! `doctor` where replicas share a Redis: which replica leads, and what is wrong with that Redis.

use std::collections::HashMap;

use serde_json::Value;
use twilio_emulator::Settings;

use super::support::{Cluster, Way};
use crate::support::{Binary, NO_TIMERS};

/// What it says of Redis and of who leads: state, finding and what mends it, by the check's name.
async fn visit(variables: &HashMap<String, String>) -> HashMap<String, (String, String, String)> {
    let output = Binary::output(variables, &["doctor", "--json"]).await;
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!json.to_string().contains("-word"), "a secret shows: {json}");
    let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let checks = json["checks"].as_array().unwrap().iter();
    let checks = checks.map(|check| {
        (text(check, "name"), (text(check, "state"), text(check, "found"), text(check, "mend")))
    });
    checks.filter(|(name, _)| name.starts_with("redis") || name == "leader").collect()
}

fn states(checks: &HashMap<String, (String, String, String)>) -> [&str; 5] {
    ["redis connection", "redis rights", "redis version", "redis memory", "leader"]
        .map(|name| checks[name].0.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_who_leads_and_what_is_wrong_with_redis() {
    let settings = Settings { queues: 2, workers: 2, ..Settings::default() };
    let mut cluster = Cluster::empty(settings, NO_TIMERS).await;
    let url = cluster.redis.documented_user(&[]).await;
    let mut variables = Binary::variables(&cluster.emulator, NO_TIMERS);
    variables.insert("LEADER_LEASE".to_owned(), "5s".to_owned());
    variables.insert("PUBLIC_URL".to_owned(), cluster.public_url());
    assert!(visit(&variables).await.is_empty(), "no Redis is looked for where none is configured");
    variables.insert("REDIS_URL".to_owned(), url.clone());

    let checks = visit(&variables).await;
    assert_eq!(states(&checks), ["right", "right", "right", "right", "note"], "{checks:?}");
    assert_eq!(checks["leader"].1, "no replica leads");

    cluster.set(&[("REDIS_URL", &url)]);
    cluster.add().await;
    cluster.all_ready().await;
    let checks = visit(&variables).await;
    assert_eq!(states(&checks), ["right"; 5], "{checks:?}");
    assert!(checks["leader"].1.contains("leads in term 1;"), "{checks:?}");
    assert!(checks["leader"].1.contains(env!("CARGO_PKG_VERSION")), "{checks:?}");

    // Another configuration than the leader's.
    let mut others = variables.clone();
    others.insert("SYNC_AUDIT_INTERVAL".to_owned(), "59s".to_owned());
    let checks = visit(&others).await;
    assert_eq!(states(&checks), ["right", "right", "right", "right", "note"]);
    assert!(checks["leader"].1.contains("its configuration differs"), "{checks:?}");

    // Replicas agree on who leads by the lease.
    let mut by_lease = others.clone();
    by_lease.insert("LEADER_LEASE".to_owned(), "4s".to_owned());
    let checks = visit(&by_lease).await;
    assert_eq!(states(&checks), ["right", "right", "right", "right", "wrong"], "{checks:?}");
    assert!(checks["leader"].1.contains("two replicas may lead at once"), "{checks:?}");
    assert!(checks["leader"].2.contains("LEADER_LEASE"), "{checks:?}");

    // A Redis that throws away what it can't hold, and a user who may do too little.
    for (name, value) in [("maxmemory", "64mb"), ("maxmemory-policy", "allkeys-lru")] {
        assert_eq!(cluster.redis.command(&["config", "set", name, value]).await, "OK");
    }
    let less = cluster.redis.documented_user(&["-hget", "-publish"]).await;
    let checks = visit(&variables).await;
    assert_eq!(less, url);
    assert_eq!(states(&checks), ["right", "wrong", "right", "wrong", "skipped"], "{checks:?}");
    assert!(checks["redis rights"].1.contains("Redis refuses a command: "), "{checks:?}");
    assert!(checks["redis rights"].2.contains("docs/scaling.md"), "{checks:?}");
    // The user of REDIS_URL may not set it, so no command says so.
    let mend = &checks["redis memory"].2;
    assert!(mend.starts_with("maxmemory-policy noeviction\n") && !mend.contains("redis-cli"), "{mend}");
    cluster.redis.documented_user(&[]).await;
    cluster.redis.command(&["config", "set", "maxmemory-policy", "noeviction"]).await;
    cluster.redis.command(&["config", "set", "maxmemory", "1"]).await;
    let checks = visit(&variables).await;
    assert_eq!(states(&checks)[..2], ["right", "wrong"], "{checks:?}");
    assert!(checks["redis rights"].1.contains("OOM"), "{checks:?}");
    cluster.redis.command(&["config", "set", "maxmemory", "0"]).await;

    // Wrong credentials, and no Redis.
    others.insert("REDIS_URL".to_owned(), url.replace("a-users-word", "another-word"));
    let checks = visit(&others).await;
    assert_eq!(states(&checks), ["wrong", "skipped", "skipped", "skipped", "skipped"]);
    assert!(checks["redis connection"].1.contains("WRONGPASS"), "{checks:?}");
    let gate = cluster.replicas[0].to_redis.address;
    cluster.replicas[0].to_redis.set(Way::Refused);
    others.insert("REDIS_URL".to_owned(), format!("redis://{gate}"));
    let checks = visit(&others).await;
    assert_eq!(states(&checks), ["wrong", "skipped", "skipped", "skipped", "skipped"]);
    cluster.replicas[0].to_redis.set(Way::Open);

    // What it tried expires where a missing right has left it; what replicas have is there.
    cluster
        .eventually("the doctor's keys are gone", async || {
            cluster.redis.command(&["--raw", "keys", "*probe*"]).await.is_empty()
        })
        .await;
    cluster.finish().await;
}
