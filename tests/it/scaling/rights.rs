//! The rights of Redis's user: the rule that `docs/scaling.md` shows, no more and no less.

use std::time::Duration;

use secrecy::SecretString;
use taskrouter_sync::cluster::{Link, LinkError, Timing, connects, permits, server};

use super::support::Cluster;
use super::support::redis::{Redis, documented_user};
use crate::support::browser::{sign_in, sign_out};
use crate::support::{BEARER, DEADLINE, NO_TIMERS, QUICK_TIMERS};
use twilio_emulator::Settings;

#[tokio::test(flavor = "multi_thread")]
async fn replicas_with_the_documented_rights_do_all_they_do() {
    let settings = Settings { queues: 4, workers: 6, ..Settings::default() };
    let mut cluster = Cluster::empty(settings, NO_TIMERS).await;
    let url = cluster.redis.documented_user(&[]).await;
    cluster.set(&[("REDIS_URL", &url)]);
    for _ in 0..3 {
        cluster.add().await;
    }
    cluster.all_ready().await;
    cluster.work(10).await;
    cluster.agrees().await;
    for replica in 0..3 {
        assert_eq!(cluster.check_map(replica).await.0, 200, "the leader can be asked");
        let url = format!("{}/taskrouter_tasks", cluster.replicas[replica].url());
        assert_eq!(cluster.http.get(url).bearer_auth(BEARER).send().await.unwrap().status(), 200);
    }
    sign_in_and_out(&cluster).await;
    let sign_outs = format!("tr:v1:{}:sign-outs", cluster.space());
    let kept = async || cluster.redis.command(&["llen", &sign_outs]).await == "1";
    cluster.eventually("the sign-out is kept", kept).await;
    cluster.redis.command(&["flushall"]).await;
    cluster.eventually("it is put back", kept).await;
    cluster.work(5).await;
    cluster.agrees().await;
    let leader = cluster.led().await;
    cluster.take(leader).kill().await;
    cluster.work(5).await;
    cluster.agrees().await;
    let leader = cluster.led().await;
    cluster.take(leader).stop().await;
    cluster.work(5).await;
    cluster.agrees().await;
    assert_eq!(cluster.redis.command(&["acl", "log"]).await, "", "Redis refused something");
    cluster.finish().await;
}

pub(super) async fn sign_in_and_out(cluster: &Cluster) {
    let url = cluster.replicas[0].url();
    sign_out(&url, &sign_in(&url).await).await;
}

fn link(url: &str) -> Link {
    let timing = Timing::of(Duration::from_secs(60));
    Link::new(&SecretString::from(url), "WS1:IS1", timing).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_of_the_documented_rights_is_missing_is_found() {
    let redis = Redis::start().await;
    let url = redis.documented_user(&[]).await;
    probe(&url).await.unwrap();
    for right in &documented_user("x")[7..] {
        let less = match right.chars().next() {
            Some('~') => "resetkeys".to_owned(),
            Some('&') => "resetchannels".to_owned(),
            // Before Redis 7 no part of a command can be taken away.
            _ => format!("-{}", right.trim_start_matches('+').split('|').next().unwrap()),
        };
        let url = redis.documented_user(&[&less]).await;
        let refused = probe(&url).await.expect_err(right);
        assert!(matches!(refused, LinkError::Refused(_)), "without {right}: {refused}");
    }
    // Narrower than the page shows, and enough for this service.
    let narrow =
        ["resetkeys", "~tr:{WS1:IS1}:*", "~tr:v1:{WS1:IS1}:*", "resetchannels", "&tr:v1:{WS1:IS1}:news"];
    let url = redis.documented_user(&narrow).await;
    probe(&url).await.unwrap();
    // What a refused probe left expires.
    let expiring = async {
        while redis.command(&["--raw", "dbsize"]).await != "0" {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(DEADLINE, expiring).await.expect("keys of the probe stay");
}

/// Everything that the doctor tries.
async fn probe(url: &str) -> Result<(), LinkError> {
    let link = link(url);
    connects(&link).await?;
    permits(&link).await?;
    server(&link).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_refuses_is_done_later_and_the_log_says_when_that_ends() {
    let settings = Settings { queues: 4, workers: 6, ..Settings::default() };
    // So long that the term outlasts the trouble: what a leader says of it ends with its term.
    let mut cluster = Cluster::empty(settings, &[NO_TIMERS, &[("LEADER_LEASE", "10s")]].concat()).await;
    let url = cluster.redis.documented_user(&[]).await;
    cluster.set(&[("REDIS_URL", &url)]);
    for _ in 0..2 {
        cluster.add().await;
    }
    cluster.all_ready().await;
    cluster.agrees().await;
    for (right, begins, ends) in [
        ("-incr", "Sending marks to the leader fails", "Sending marks to the leader succeeds again"),
        ("-hdel", "Replicating the feed fails", "Replicating the feed succeeds again"),
    ] {
        cluster.redis.documented_user(&[right]).await;
        cluster.work(10).await;
        let says = |words: &str| cluster.replicas.iter().any(|replica| replica.log().contains(words));
        cluster.eventually(begins, async || says(begins)).await;
        assert!(!says(ends));
        cluster.redis.documented_user(&[]).await;
        cluster.eventually(ends, async || says(ends)).await;
        cluster.agrees().await;
    }
    cluster.all_events_were_taken();
    cluster.finish().await;
}

/// How many scripts Redis was asked to run.
async fn scripts(redis: &Redis) -> u32 {
    let told = redis.command(&["info", "commandstats"]).await;
    let counted = told.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    counted.and_then(|line| line.split(',').next()).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_is_logged_once() {
    // So long that the leader tries to show something before Redis lets the lease run out.
    let cluster = Cluster::with(2, &[QUICK_TIMERS, &[("LEADER_LEASE", "6s")]].concat()).await;
    cluster.agrees().await;
    let leader = &cluster.replicas[cluster.led().await];
    cluster.redis.command(&["config", "set", "maxmemory", "1"]).await;
    leader.logs("Replicating the feed fails").await;
    let lease = format!("tr:{}:lease", cluster.space());
    cluster
        .eventually("the lease ran out", async || cluster.redis.command(&["exists", &lease]).await == "0")
        .await;
    let before = scripts(&cluster.redis).await;
    cluster
        .eventually("it was tried again and again", async || scripts(&cluster.redis).await > before + 30)
        .await;
    let told = |part: &str| leader.log().matches(part).count();
    assert_eq!(told("Replicating the feed fails"), 1, "{}", leader.log());
    assert_eq!(told("Replicating the feed succeeds"), 0, "{}", leader.log());
    cluster.redis.command(&["config", "set", "maxmemory", "0"]).await;
    // A new term, which shows what it reads.
    cluster.agrees().await;
    cluster.all_clients_agree().await;
    cluster.finish().await;
}

/// The words of a list in YAML's short form, from where it begins.
fn words(text: &str) -> Vec<String> {
    let list = text.split_once('[').unwrap().1.split_once(']').unwrap().0;
    let words = list.split([',', '\n']).map(|word| word.trim().to_owned()).filter(|word| !word.is_empty());
    words.map(|word| word.trim_matches('"').to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_redis_of_deploy_has_this_user_and_no_other() {
    let rule = documented_user("a-users-word");
    let compose = include_str!("../../../deploy/scaled/compose.yaml");
    let kubernetes = include_str!("../../../deploy/scaled/kubernetes.yaml");
    for (text, variable) in [
        (compose.split_once("command:").unwrap().1, "${REDIS_PASSWORD}"),
        (kubernetes.split_once("args:").unwrap().1, "$(REDIS_PASSWORD)"),
    ] {
        let command: Vec<String> =
            words(text).iter().map(|word| word.replace(variable, "a-users-word")).collect();
        let user = command.iter().rposition(|word| word == "--user").unwrap();
        assert_eq!(command[user + 1..user + 3], [rule[2].as_str(), "on"]);
        assert_eq!(command[user + 3..], rule[5..], "as docs/scaling.md has it, after `reset on`");
        let options: Vec<&str> = command[1..].iter().map(String::as_str).collect();
        let redis = Redis::start_with(&options).await;
        let good = format!("redis://{}:a-users-word@{}", rule[2], redis.address);
        probe(&good).await.unwrap();
        let refused = probe(&format!("redis://{}", redis.address)).await.unwrap_err();
        assert!(refused.to_string().contains("NOAUTH"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_with_which_redis_refuses_stands_in_the_log() {
    let settings = Settings { queues: 2, workers: 2, ..Settings::default() };
    let mut cluster = Cluster::empty(settings, NO_TIMERS).await;
    let good = cluster.redis.documented_user(&[]).await;
    for (change, url, code) in [
        (None, good.replace("a-users-word", "another-word"), "WRONGPASS"),
        (None, format!("redis://{}", cluster.redis.address), "NOAUTH"),
        (Some("-evalsha"), good.clone(), "NOPERM"),
        (Some("resetkeys"), good.clone(), "NOPERM"),
    ] {
        cluster.redis.documented_user(change.as_slice()).await;
        cluster.set(&[("REDIS_URL", &url)]);
        cluster.add().await;
        let replica = cluster.take(0);
        let line = replica.logs("no replica can be elected").await;
        // Of a long command Redis reads no more than its length, and answers without a code.
        let unauthenticated = code == "NOAUTH" && line.contains("unauthenticated");
        assert!(line.contains(code) || unauthenticated, "{line}");
        let log = replica.log();
        assert!(!log.contains("-word") && !log.contains("Extension"), "{log}");
        // Mended, it leads, and says that the trouble is over.
        if change.is_some() {
            cluster.redis.documented_user(&[]).await;
            replica.logs("this replica stands for election").await;
        }
        replica.stop().await;
    }
    cluster.emulator.shutdown().await;
}
