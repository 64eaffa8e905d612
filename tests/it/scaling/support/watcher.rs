//! A client of a replica's feed, who puts together what is told.

use std::collections::BTreeMap;

use reqwest::Response;
use serde_json::Value;

use crate::support::{BEARER, DEADLINE};

pub(crate) struct Watcher {
    answer: Response,
    buffer: String,
    /// The last frame's.
    pub(crate) id: String,
    /// The kinds of all frames.
    pub(crate) kinds: Vec<String>,
    pub(crate) queues: BTreeMap<String, Value>,
    pub(crate) health: Value,
    pub(crate) metrics: Value,
}

impl Watcher {
    /// Watches the replica at this URL, from where another watcher was, if one is given.
    pub(crate) async fn at(url: &str, before: Option<Self>) -> Self {
        let mut request = reqwest::Client::new().get(format!("{url}/api/feed")).bearer_auth(BEARER);
        if let Some(before) = &before {
            request = request.header("Last-Event-ID", &before.id);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let (id, queues, health, metrics) = before.map_or_else(Default::default, |before| {
            (before.id, before.queues, before.health, before.metrics)
        });
        Self { answer, buffer: String::new(), id, kinds: Vec::new(), queues, health, metrics }
    }

    pub(crate) async fn next(&mut self) {
        let reading = async {
            loop {
                if let Some((frame, rest)) = self.buffer.split_once("\n\n") {
                    let (frame, rest) = (frame.to_owned(), rest.to_owned());
                    self.buffer = rest;
                    let field = |name: &str| {
                        frame.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                    };
                    let Some(kind) = field("event: ") else { continue };
                    self.id = field("id: ").unwrap();
                    self.fold(&kind, &serde_json::from_str(&field("data: ").unwrap()).unwrap());
                    self.kinds.push(kind);
                    return;
                }
                let chunk = self.answer.chunk().await.unwrap().expect("the feed ended");
                self.buffer += std::str::from_utf8(&chunk).unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.expect("nothing was told");
    }

    pub(crate) async fn until(&mut self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let waiting = async {
            while !condition(self) {
                self.next().await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, waiting).await;
        waited.unwrap_or_else(|_| panic!("never told: {what}"));
    }

    fn fold(&mut self, kind: &str, data: &Value) {
        if kind == "snapshot" {
            self.queues.clear();
        }
        for item in data["queues"].as_array().into_iter().flatten() {
            self.queues.insert(item["sid"].as_str().unwrap().to_owned(), item.clone());
        }
        for sid in data["removed"].as_array().into_iter().flatten() {
            self.queues.remove(sid.as_str().unwrap());
        }
        for (name, part) in [("health", &mut self.health), ("metrics", &mut self.metrics)] {
            if let Some(value) = data.get(name) {
                *part = value.clone();
            }
        }
    }
}
