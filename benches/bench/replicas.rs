//! Several replicas of the service that share a Redis, and that Redis.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::service::Service;
use crate::testbed::{Effort, Opening, Stage, Testbed, free_port};

/// The time limit for the start of a replica.
const DEADLINE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(5);

/// A redis-server of the benchmark's own, without a password, that keeps nothing.
#[derive(Debug)]
pub(crate) struct Redis {
    port: u16,
    _directory: tempfile::TempDir,
    _child: Child,
}

impl Redis {
    /// `None` where there is no redis-server on this machine.
    pub(crate) async fn start() -> Option<Self> {
        let (port, directory) = (free_port(), tempfile::tempdir().unwrap());
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--port",
            &port.to_string(),
        ]);
        command.current_dir(directory.path()).stdout(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().ok()?;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(LOOK).await;
        }
        Some(Self { port, _directory: directory, _child: child })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Commands that it has carried out, those of scripts among them, as `INFO` tells.
    pub(crate) async fn commands(&self) -> u64 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(b"INFO stats\r\nQUIT\r\n").await.unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).await.unwrap();
        let line = told.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
        line.and_then(|count| count.trim().parse().ok()).unwrap()
    }
}

/// A further replica beside the testbed's own, which leads first.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) service: Service,
    pub(crate) url: String,
}

/// A testbed and two replicas more; events come in at one that does not lead.
pub(crate) async fn three(
    name: &str,
    effort: &Effort,
    stage: Stage,
    redis: &Redis,
) -> (Testbed, Vec<Replica>) {
    let entrance = free_port();
    let public_url = format!("http://127.0.0.1:{entrance}");
    let variables = [("REDIS_URL", &*redis.url()), ("PUBLIC_URL", &*public_url)];
    let testbed = stage.open(effort, Opening { variables: &variables, ..Opening::default() }).await;
    testbed.emulator.callbacks().set_url(&format!("{public_url}{}", crate::testbed::EVENTS));
    testbed.ready().await;
    let mut others = Vec::new();
    for port in [entrance, free_port()] {
        let service = testbed.another(port, &format!("{name}-{port}"));
        others.push(Replica { service, url: format!("http://127.0.0.1:{port}") });
    }
    for Replica { url, .. } in &others {
        until(async || said(url).await.is_some()).await;
    }
    (testbed, others)
}

/// How long it takes until one of these leads.
pub(crate) async fn one_leads(replicas: &[Replica]) -> (Duration, usize) {
    let begin = Instant::now();
    let mut leader = None;
    until(async || {
        for (which, Replica { url, .. }) in replicas.iter().enumerate() {
            // Who does not lead says who does.
            if said(url).await.is_some_and(|said| said.get("leads").is_none()) {
                leader = Some(which);
            }
        }
        leader.is_some()
    })
    .await;
    (begin.elapsed(), leader.unwrap())
}

/// The health report of a ready replica.
async fn said(url: &str) -> Option<Value> {
    let answer = reqwest::get(format!("{url}/readyz")).await.ok()?;
    if answer.status() == 200 { answer.json().await.ok() } else { None }
}

async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("the replicas never got there");
}
