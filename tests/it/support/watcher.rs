//! A client of the service's feed as server-sent events, which puts the changes together.

use std::collections::BTreeMap;

use reqwest::Response;
use serde_json::Value;

use super::{BEARER, DEADLINE};

pub(crate) struct Watcher {
    answer: Response,
    /// Bytes, since a chunk may end within a character.
    buffer: Vec<u8>,
    /// The last frame's.
    pub(crate) id: String,
    /// The kinds of all frames.
    pub(crate) kinds: Vec<String>,
    pub(crate) queues: BTreeMap<String, Value>,
    pub(crate) health: Value,
    pub(crate) metrics: Value,
    pub(crate) voice: Value,
}

impl Watcher {
    /// Watches the service at this URL, from where another watcher was, if one is given.
    pub(crate) async fn at(url: &str, before: Option<Self>) -> Self {
        let mut watcher = Self::after(url, before.as_ref().map(|before| before.id.as_str())).await;
        if let Some(before) = before {
            (watcher.id, watcher.queues) = (before.id, before.queues);
            (watcher.health, watcher.metrics, watcher.voice) = (before.health, before.metrics, before.voice);
        }
        watcher
    }

    /// Watches the service at this URL, having seen the frame with this id.
    pub(crate) async fn after(url: &str, seen: Option<&str>) -> Self {
        let mut request = reqwest::Client::new().get(format!("{url}/api/feed")).bearer_auth(BEARER);
        if let Some(seen) = seen {
            request = request.header("Last-Event-ID", seen);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Self {
            answer,
            buffer: Vec::new(),
            id: String::new(),
            kinds: Vec::new(),
            queues: BTreeMap::new(),
            health: Value::Null,
            metrics: Value::Null,
            voice: Value::Null,
        }
    }

    /// Takes the next frame in, and says of which kind it is.
    pub(crate) async fn next(&mut self) -> String {
        let reading = async {
            loop {
                if let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                    let frame: Vec<u8> = self.buffer.drain(..end + 2).collect();
                    let frame = String::from_utf8(frame).unwrap();
                    let field = |name: &str| {
                        frame.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                    };
                    let Some(kind) = field("event: ") else { continue };
                    self.id = field("id: ").unwrap();
                    self.fold(&kind, &serde_json::from_str(&field("data: ").unwrap()).unwrap());
                    self.kinds.push(kind.clone());
                    return kind;
                }
                let chunk = self.answer.chunk().await.unwrap().expect("the feed ended");
                self.buffer.extend_from_slice(&chunk);
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.expect("nothing was told")
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
        let parts =
            [("health", &mut self.health), ("metrics", &mut self.metrics), ("voice", &mut self.voice)];
        for (name, part) in parts {
            if let Some(value) = data.get(name) {
                *part = value.clone();
            }
        }
    }
}
