//! Redis with Sentinel, as `docs/scaling.md` describes it: three Redis, three Sentinels, and HAProxy in front, all
//! real, started from the files in `deploy/scaled`.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use twilio_emulator::Settings;

use super::support::Cluster;
use super::support::redis::documented_user;
use crate::support::{DEADLINE, NO_TIMERS};

const PASSWORD: &str = "a-users-word";
const REPLICATION_PASSWORD: &str = "another-word";
const MASTER: &str = "taskrouter-sync";
const HAPROXY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/scaled/haproxy.cfg");

/// A program with a configuration file of its own.
struct Program {
    address: SocketAddr,
    child: Child,
    _directory: TempDir,
}

impl Program {
    fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// What Redis, or a Sentinel, answers.
    async fn command(&self, user: Option<(&str, &str)>, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.address.port().to_string(), "--no-auth-warning"]);
        if let Some((name, password)) = user {
            command.args(["--user", name, "--pass", password]);
        }
        let output = command.args(arguments).output();
        let output = tokio::time::timeout(DEADLINE, output).await.expect("redis-cli hangs").unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Starts a Redis or a Sentinel from a file of `deploy/scaled`, and `more` lines.
fn redis(template: &str, first: SocketAddr, address: SocketAddr, more: &str, arguments: &[&str]) -> Program {
    let directory = tempfile::tempdir().unwrap();
    let port = format!("port {}", address.port());
    let lines = template.lines().map(|line| if line.starts_with("port ") { &port } else { line });
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = text
        .replace("REDIS_1_HOST", "127.0.0.1")
        .replace("REDIS_1_PORT", &first.port().to_string())
        .replace("REPLICATION_PASSWORD", REPLICATION_PASSWORD)
        .replace("REDIS_PASSWORD", PASSWORD);
    let path = directory.path().join("redis.conf");
    std::fs::write(&path, format!("{text}\nbind 127.0.0.1\n{more}\n")).unwrap();
    let mut command = Command::new("redis-server");
    command.arg(&path).args(arguments).current_dir(directory.path());
    let child = command.stdout(Stdio::null()).kill_on_drop(true).spawn();
    Program { address, child: child.expect("redis-server is needed: run tests/redis"), _directory: directory }
}

/// Three Redis, the first of them the primary, with a Sentinel each and HAProxy in front.
struct Failover {
    nodes: Vec<Program>,
    sentinels: Vec<Program>,
    proxy: Program,
}

impl Failover {
    async fn start() -> Self {
        let (node, sentinel) = (
            include_str!("../../../deploy/scaled/redis-failover.conf"),
            include_str!("../../../deploy/scaled/sentinel.conf"),
        );
        let addresses = [free_address(), free_address(), free_address()];
        let first = addresses[0];
        let replica_of = format!("replicaof 127.0.0.1 {}", first.port());
        let nodes: Vec<Program> = addresses
            .iter()
            .map(|address| {
                redis(node, first, *address, if *address == first { "" } else { &replica_of }, &[])
            })
            .collect();
        let sentinels = (0..3).map(|_| redis(sentinel, first, free_address(), "", &["--sentinel"])).collect();
        let (directory, address) = (tempfile::tempdir().unwrap(), free_address());
        let mut command = Command::new("haproxy");
        command
            .args(["-f", HAPROXY])
            .env("REDIS_LISTEN", address.to_string())
            .env("REDIS_PASSWORD", PASSWORD);
        for (number, address) in (1..).zip(addresses) {
            command.env(format!("REDIS_{number}"), address.to_string());
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn();
        let child = child.expect("haproxy is needed: run tests/redis");
        let failover = Self { nodes, sentinels, proxy: Program { address, child, _directory: directory } };
        failover.takes_writes().await;
        let quorum = async || failover.sentinels[0].command(None, &["sentinel", "ckquorum", MASTER]).await;
        until("the Sentinels know each other", async || quorum().await.starts_with("OK 3")).await;
        failover
    }

    /// Waits until a command through the proxy succeeds.
    async fn takes_writes(&self) {
        let user = Some((MASTER, PASSWORD));
        let set = ["set", "tr:a-key", "1"];
        until("Redis takes writes", async || self.proxy.command(user, &set).await == "OK").await;
    }

    /// Which node the Sentinels call the primary.
    async fn primary(&self) -> usize {
        let arguments = ["sentinel", "get-master-addr-by-name", MASTER];
        let told = self.sentinels[0].command(None, &arguments).await;
        let port = told.lines().last().unwrap_or_default().to_owned();
        self.nodes.iter().position(|node| node.address.port().to_string() == port).unwrap()
    }
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("never came true: {what}"));
}

#[test]
fn the_user_of_a_redis_that_fails_over_has_the_documented_rights_and_may_ask_for_its_role() {
    let file = include_str!("../../../deploy/scaled/redis-failover.conf");
    let user = file.lines().find(|line| line.starts_with("user taskrouter-sync ")).unwrap();
    let rule = documented_user("REDIS_PASSWORD");
    // Without `ACL SETUSER` and `reset`.
    let expected = format!("user taskrouter-sync {} +role", rule[4..].join(" "));
    assert_eq!(user, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_hangs_is_replaced_and_statistics_are_right_again_with_one_writer_at_a_time() {
    let failover = Failover::start().await;
    let settings = Settings { queues: 4, workers: 6, ..Settings::default() };
    let mut cluster = Cluster::empty(settings, NO_TIMERS).await;
    cluster.set(&[("REDIS_URL", &format!("redis://{MASTER}:{PASSWORD}@{}", failover.proxy.address))]);
    for _ in 0..3 {
        cluster.add().await;
    }
    cluster.all_ready().await;
    cluster.agrees().await;
    let before = failover.primary().await;
    failover.nodes[before].signal("STOP");
    cluster.work(10).await;
    until("another Redis is the primary", async || failover.primary().await != before).await;
    failover.takes_writes().await;
    cluster.work(10).await;
    cluster.agrees().await;
    cluster.all_clients_agree().await;
    // The old primary still takes itself for one when it goes on.
    failover.nodes[before].signal("CONT");
    cluster.work(10).await;
    cluster.agrees().await;
    cluster.all_events_were_taken();
    cluster.finish().await;
}
