//! One replica: the real program, with gates to Redis and to Twilio that can be shut.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::sync::watch;

use super::gate::Gate;
use super::redis::PASSWORD;
use crate::support::{DEADLINE, command};

pub(crate) struct Replica {
    pub(crate) to_redis: Gate,
    pub(crate) to_twilio: Gate,
    pub(crate) address: SocketAddr,
    child: Child,
    log: watch::Receiver<Vec<String>>,
}

impl Replica {
    pub(crate) async fn start(
        variables: &HashMap<String, String>,
        redis: SocketAddr,
        twilio: SocketAddr,
    ) -> Self {
        let (to_redis, to_twilio) = (Gate::to(redis).await, Gate::to(twilio).await);
        let mut variables = variables.clone();
        let redis_url = format!("redis://:{PASSWORD}@{}", to_redis.address);
        variables.entry("REDIS_URL".to_owned()).or_insert(redis_url);
        for name in ["TWILIO_TASKROUTER_URL", "TWILIO_SYNC_URL", "TWILIO_API_URL", "TWILIO_IAM_URL"] {
            variables.insert(name.to_owned(), format!("http://{}", to_twilio.address));
        }
        let directory = tempfile::tempdir().unwrap();
        let mut child = command(&directory, &variables).arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (seen, log) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                seen.send_modify(|seen: &mut Vec<String>| seen.push(line));
            }
        });
        let placeholder = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut replica = Self { to_redis, to_twilio, address: placeholder, child, log };
        let line: Value = serde_json::from_str(&replica.logs("Serving").await).unwrap();
        let port = line["listening"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
        replica.address.set_port(port.parse().unwrap());
        replica
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits for a line of the log; those that came before count too.
    pub(crate) async fn logs(&self, part: &str) -> String {
        let mut log = self.log.clone();
        let found = |lines: &Vec<String>| lines.iter().any(|line| line.contains(part));
        let waited = tokio::time::timeout(DEADLINE, log.wait_for(found)).await;
        if !waited.is_ok_and(|waited| waited.is_ok()) {
            panic!("never logged: {part:?}\n{}", self.log.borrow().join("\n"));
        }
        self.log.borrow().iter().find(|line| line.contains(part)).cloned().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        self.log.borrow().join("\n")
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Stops it in good order.
    pub(crate) async fn stop(self) {
        self.stop_and_tell().await;
    }

    /// The same; its whole log.
    pub(crate) async fn stop_and_tell(mut self) -> String {
        self.signal("TERM");
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await.expect("it did not stop");
        assert_eq!(ended.unwrap().code(), Some(0), "{}", self.log());
        // Its last lines may still be on their way.
        let mut log = self.log.clone();
        while log.changed().await.is_ok() {}
        self.log()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("-- the replica at {}:\n{}", self.address, self.log());
        }
    }
}
