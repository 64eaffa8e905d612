//! The test bed of several replicas: an emulator, a Redis, a load balancer, and the real program a few times.

mod balancer;
mod gate;
mod process;
pub(crate) mod redis;
pub(crate) mod tls;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use twilio_emulator::{Api, Emulator, Entry, Settings};

use balancer::Balancer;
use redis::{PASSWORD, Redis};

pub(crate) use gate::Way;
pub(crate) use process::Replica;

use crate::support::agreement::{compare, compare_realtime};
use crate::support::watcher::Watcher;
use crate::support::{ADMIN, Binary, CHANNELS, DEADLINE, NO_TIMERS};

/// The default. With a shorter one a busy machine loses leaders that nothing has happened to.
const LEASE: &str = "5s";

/// Each is half a dozen processes. More than two at once starve each other on two cores, and starved leaders lose their
/// lease.
static CLUSTERS: Semaphore = Semaphore::const_new(2);

pub(crate) struct Cluster {
    pub(crate) emulator: Emulator,
    pub(crate) redis: Redis,
    pub(crate) http: reqwest::Client,
    pub(crate) replicas: Vec<Replica>,
    balancer: Balancer,
    variables: HashMap<String, String>,
    _turn: SemaphorePermit<'static>,
}

impl Cluster {
    /// Replicas that are all ready, with events arriving through the balancer. Without timers, so that events alone
    /// keep Sync right.
    pub(crate) async fn start(replicas: usize) -> Self {
        Self::with(replicas, NO_TIMERS).await
    }

    pub(crate) async fn with(replicas: usize, more: &[(&str, &str)]) -> Self {
        let mut cluster = Self::empty(Settings { queues: 4, workers: 6, ..Settings::default() }, more).await;
        for _ in 0..replicas {
            cluster.add().await;
        }
        cluster.all_ready().await;
        cluster
    }

    /// Where Twilio posts events, as it signs them.
    pub(crate) fn event_url(&self) -> String {
        format!("{}/taskrouter/events", self.variables["PUBLIC_URL"])
    }

    /// Where replicas are to be reached.
    pub(crate) fn public_url(&self) -> String {
        self.variables["PUBLIC_URL"].clone()
    }

    /// Without any replica yet.
    pub(crate) async fn empty(settings: Settings, more: &[(&str, &str)]) -> Self {
        let turn = CLUSTERS.acquire().await.unwrap();
        let emulator = Emulator::start(settings).await.unwrap();
        let (redis, balancer) = (Redis::start().await, Balancer::start().await);
        let public_url = format!("http://{}", balancer.address);
        let mut variables = Binary::variables(&emulator, more);
        variables.insert("PUBLIC_URL".to_owned(), public_url.clone());
        variables.entry("LEADER_LEASE".to_owned()).or_insert(LEASE.to_owned());
        emulator.callbacks().set_url(&format!("{public_url}/taskrouter/events"));
        let http = reqwest::Client::new();
        Self { emulator, redis, http, replicas: Vec::new(), balancer, variables, _turn: turn }
    }

    /// Sets variables of replicas that are not started yet.
    pub(crate) fn set(&mut self, variables: &[(&str, &str)]) {
        self.variables
            .extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }

    /// What stands in braces in the names of keys.
    pub(crate) fn space(&self) -> String {
        let account = self.emulator.account();
        format!("{{{}:{}}}", account.workspace_sid, account.sync_service_sid)
    }

    /// Every event until now was taken, by whichever replica it came to.
    pub(crate) fn all_events_were_taken(&self) {
        for delivery in self.emulator.callbacks().deliveries() {
            assert_eq!(delivery.status, Some(204), "{delivery:?}");
        }
    }

    /// Whether the machine was so busy that Redis took too long: a leader may have lost its lease by that.
    pub(crate) fn redis_was_slow(&self) -> bool {
        self.replicas.iter().any(|replica| replica.log().contains("Redis did not answer within"))
    }

    /// One watcher at each replica.
    pub(crate) async fn watchers(&self) -> Vec<Watcher> {
        let mut watchers = Vec::new();
        for replica in &self.replicas {
            watchers.push(Watcher::at(&replica.url(), None).await);
        }
        watchers
    }

    /// Waits until the watchers show the truth, with nothing stale.
    pub(crate) async fn all_is_well(&self, watchers: &mut [Watcher]) {
        for watcher in watchers {
            let right = |watcher: &Watcher| {
                watcher.health["taskrouter"]["ok"] == true && self.is_true(&watcher.queues)
            };
            watcher.until("all is well", right).await;
        }
    }

    /// Waits until the watchers learn that their statistics are stale; they still show them.
    pub(crate) async fn all_is_stale(&self, watchers: &mut [Watcher]) {
        for watcher in watchers {
            watcher.until("that it is stale", |watcher| watcher.health["taskrouter"]["ok"] == false).await;
            assert_eq!(watcher.queues.len(), self.emulator.world().queues().len());
        }
    }

    pub(crate) async fn add(&mut self) {
        let twilio = self.emulator.url().strip_prefix("http://").unwrap().parse().unwrap();
        let replica = Replica::start(&self.variables, self.redis.address, twilio).await;
        self.replicas.push(replica);
        self.balance();
    }

    /// Takes a replica out; events go to the others.
    pub(crate) fn take(&mut self, which: usize) -> Replica {
        let replica = self.replicas.remove(which);
        self.balance();
        replica
    }

    pub(crate) fn put_back(&mut self, replica: Replica) {
        self.replicas.push(replica);
        self.balance();
    }

    fn balance(&self) {
        self.balancer.set(self.replicas.iter().map(|replica| replica.address).collect());
    }

    pub(crate) async fn all_ready(&self) {
        for replica in &self.replicas {
            self.eventually("a replica is ready", async || {
                let answer = self.http.get(format!("{}/readyz", replica.url())).send().await;
                answer.is_ok_and(|answer| answer.status() == 200)
            })
            .await;
        }
    }

    /// Which replica leads, as they say themselves.
    pub(crate) async fn leader(&self) -> Option<usize> {
        for (which, replica) in self.replicas.iter().enumerate() {
            let answer = self.http.get(format!("{}/readyz", replica.url())).send().await.ok()?;
            let said: Value = answer.json().await.ok()?;
            if said.get("leads").is_none() {
                return Some(which);
            }
        }
        None
    }

    pub(crate) async fn led(&self) -> usize {
        let mut found = None;
        self.eventually("a replica leads", async || {
            found = self.leader().await;
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    /// Waits until a condition holds.
    pub(crate) async fn eventually(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let mut changed = self.emulator.journal().changed();
        let waiting = async {
            while !condition().await {
                let _ = tokio::time::timeout(Duration::from_millis(20), changed.changed()).await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, waiting).await;
        if waited.is_err() {
            let logs: Vec<String> = self.replicas.iter().map(Replica::log).collect();
            panic!("never came true: {what}\n{}", logs.join("\n\n"));
        }
    }

    /// Lets the centre do so much, and waits until all its events were delivered, well or not.
    pub(crate) async fn work(&self, steps: usize) {
        for _ in 0..steps {
            self.emulator.world().step();
        }
        self.emulator.callbacks().wait_idle().await;
    }

    /// Waits until Sync tells the truth.
    pub(crate) async fn agrees(&self) {
        // The first few: ages drift while something else is wrong.
        let mut seen = Vec::new();
        let mut changed = self.emulator.sync().changed();
        let waiting = async {
            while let Err(difference) = compare(&self.emulator, &CHANNELS) {
                if seen.len() < 10 && !seen.contains(&difference) {
                    seen.push(difference);
                }
                let _ = tokio::time::timeout(Duration::from_millis(50), changed.changed()).await;
            }
        };
        if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
            let logs: Vec<String> = self.replicas.iter().map(Replica::log).collect();
            panic!("Sync never told the truth: {seen:#?}\n{}", logs.join("\n\n"));
        }
    }

    /// Waits until a new client of each replica sees the truth, and all of them the same.
    pub(crate) async fn all_clients_agree(&self) {
        // What changes while they come one after another, those that came before see a moment later.
        self.eventually("all clients see the same", async || {
            let mut shown: Vec<BTreeMap<String, Value>> = Vec::new();
            for replica in &self.replicas {
                let mut watcher = Watcher::at(&replica.url(), None).await;
                watcher.until("the truth", |watcher| self.is_true(&watcher.queues)).await;
                shown.push(watcher.queues.into_iter().map(|(sid, item)| (sid, without_ages(item))).collect());
            }
            shown.windows(2).all(|two| two[0] == two[1])
        })
        .await;
    }

    pub(crate) fn is_true(&self, queues: &BTreeMap<String, Value>) -> bool {
        let (truth, real) = (self.emulator.truth(), self.emulator.world().queues());
        let shows = |sid: &String| {
            let channels = std::iter::once(None).chain(CHANNELS.into_iter().map(Some));
            queues.get(sid).is_some_and(|item| {
                channels.into_iter().all(|channel| compare_realtime(&truth, channel, sid, item).is_ok())
            })
        };
        real.len() == queues.len() && real.iter().all(|queue| shows(&queue.sid))
    }

    pub(crate) fn sync_writes(&self) -> Vec<Entry> {
        let mut entries = self.emulator.journal().entries();
        entries.retain(|entry| entry.api == Api::Sync && &*entry.method != "GET");
        entries
    }

    /// Waits until Redis holds the feed's state of a frame with this id.
    pub(crate) async fn replicated(&self, frame: &str) {
        let picture = format!("tr:v1:{}:picture", self.space());
        let number = |text: &str| text.parse::<u64>().unwrap();
        let (epoch, seen) = frame.split_once('-').map(|(epoch, rest)| (number(epoch), rest)).unwrap();
        let seen = number(seen.split('-').next().unwrap());
        self.eventually("the feed is replicated", async || {
            let head = self.redis.command(&["--raw", "hget", &picture, "at"]).await;
            let head: Value = serde_json::from_str(&head).unwrap_or_default();
            head["epoch"] == epoch && head["number"].as_u64().is_some_and(|number| number >= seen)
        })
        .await;
    }

    /// The term of the last write.
    pub(crate) fn last_term(&self) -> u64 {
        self.sync_writes().iter().map(term_of).max().unwrap_or(0)
    }

    /// The promises that hold whatever happens.
    pub(crate) fn one_wrote_at_a_time(&self) {
        let mut writes = self.sync_writes();
        writes.sort_by_key(|entry| entry.at);
        for two in writes.windows(2) {
            let terms = [term_of(&two[0]), term_of(&two[1])];
            assert!(terms[0] <= terms[1], "a write of term {} came after one of term {}", terms[1], terms[0]);
            let ended = two[0].at + two[0].took;
            assert!(terms[0] == terms[1] || ended <= two[1].at, "writes of two terms overlapped");
        }
        let journal = self.emulator.journal();
        assert!(journal.peak_sync_writes() <= 20, "{} writes in flight", journal.peak_sync_writes());
        assert_eq!(journal.unknown_requests(), 0, "a request that Twilio does not document");
        assert_eq!(journal.totals().over_rate, 0, "a rate limit of Twilio's was passed");
        for replica in &self.replicas {
            assert!(!replica.log().contains(PASSWORD), "REDIS_URL's password was logged");
        }
    }

    /// Ends the test: Sync and all clients tell the truth, no promise was broken, and the replicas stop in good order.
    pub(crate) async fn finish(mut self) {
        self.agrees().await;
        self.all_clients_agree().await;
        for replica in std::mem::take(&mut self.replicas) {
            replica.stop().await;
        }
        self.one_wrote_at_a_time();
        self.emulator.shutdown().await;
    }

    pub(crate) async fn check_map(&self, replica: usize) -> (u16, Value) {
        let url = format!("{}/taskrouter/events?checkMap=true", self.replicas[replica].url());
        let answer = self.http.get(url).basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

/// The term that a write belongs to.
pub(crate) fn term_of(write: &Entry) -> u64 {
    let agent = &write.user_agent;
    let term = agent.split_once("(term ").and_then(|(_, rest)| rest.strip_suffix(')'));
    term.and_then(|term| term.parse().ok()).unwrap_or_else(|| panic!("a write without a term: {agent}"))
}

/// Ages move on by themselves, and when something was read says nothing of what it is.
fn without_ages(mut item: Value) -> Value {
    fn strip(value: &mut Value) {
        if let Value::Object(members) = value {
            members.retain(|name, _| {
                !matches!(
                    name.as_str(),
                    "oldestTask" | "asOf" | "readBy" | "oldestSince" | "endTime" | "end_time"
                )
            });
            members.values_mut().for_each(strip);
        }
    }
    strip(&mut item);
    item
}
