//! Leaders that follow one another without Redis, over a network that delays, loses and repeats nothing twice: no two of
//! them may write at the same moment, whatever happens on the way.

use std::collections::HashMap;
use std::sync::Mutex as PlainMutex;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::{Request, Response};
use secrecy::SecretString;
use tokio::time::Instant;

use super::super::vigil::Vigil;
use super::*;
use crate::config::{BaseUrls, SyncServiceName, TwilioConfig};
use crate::twilio::Client;
use crate::twilio::transport::{Answering, Failure, Transport};

const TIMING: fn() -> Timing = || Timing::of(Duration::from_secs(5));
/// No request takes longer; as `TWILIO_TIMEOUT` would have it.
const PATIENCE: Duration = Duration::from_secs(10);

/// One Document behind a bad network. A replacement is taken if it names the revision that is there, and creation if there is none.
struct Register {
    random: PlainMutex<StdRng>,
    document: PlainMutex<Option<(u64, String)>>,
    revisions: PlainMutex<u64>,
    /// Of 100 requests, and of 100 answers.
    lost: u32,
    slowest_ms: u64,
}

impl Register {
    fn new(seed: u64, lost: u32, slowest_ms: u64) -> Arc<Self> {
        let random = PlainMutex::new(StdRng::seed_from_u64(seed));
        Arc::new(Self {
            random,
            document: PlainMutex::default(),
            revisions: PlainMutex::default(),
            lost,
            slowest_ms,
        })
    }

    fn chance(&self) -> (Duration, bool) {
        let mut random = self.random.lock().unwrap();
        let delay = Duration::from_millis(random.random_range(1..=self.slowest_ms));
        (delay, random.random_range(0..100) < self.lost)
    }

    fn act(&self, method: &str, seen: Option<u64>, form: &HashMap<String, String>) -> (u16, Value) {
        let mut document = self.document.lock().unwrap();
        let found = document.clone();
        let mut put = || {
            let mut revisions = self.revisions.lock().unwrap();
            *revisions += 1;
            *document = Some((*revisions, form["Data"].clone()));
            let data: Value = serde_json::from_str(&form["Data"]).unwrap();
            serde_json::json!({ "revision": revisions.to_string(), "data": data })
        };
        match (method, found) {
            ("GET", Some((revision, data))) => {
                let data: Value = serde_json::from_str(&data).unwrap();
                (200, serde_json::json!({ "revision": revision.to_string(), "data": data }))
            }
            ("POST", None) if form.contains_key("UniqueName") => (201, put()),
            ("POST", Some(_)) if form.contains_key("UniqueName") => (409, Value::Null),
            (_, None) => (404, Value::Null),
            ("POST", Some((revision, _))) if seen == Some(revision) => (200, put()),
            _ => (412, Value::Null),
        }
    }
}

impl Transport for Register {
    fn carry(&self, request: Request) -> Answering<'_> {
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        let form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let seen = request.headers().get("if-match").map(|seen| seen.to_str().unwrap().parse().unwrap());
        let method = request.method().to_string();
        let ((there, never_there), (back, never_back)) = (self.chance(), self.chance());
        Box::pin(async move {
            let exchange = async {
                sleep(there).await;
                if never_there {
                    return std::future::pending().await;
                }
                let (status, body) = self.act(&method, seen, &form);
                sleep(back).await;
                if never_back {
                    return std::future::pending().await;
                }
                let answer = http::Response::builder().status(status).body(body.to_string()).unwrap();
                Response::from(answer)
            };
            timeout(PATIENCE, exchange).await.map_err(|_| Failure::TimedOut)
        })
    }
}

fn witness(register: &Arc<Register>, leader: u64) -> Witness {
    let sid = |prefix: &str| format!("{prefix}{}", "0".repeat(32));
    let config = TwilioConfig {
        account_sid: sid("AC").parse().unwrap(),
        auth_tokens: vec![SecretString::from("a token")],
        shared_key: None,
        api_key: None,
        workspace_sid: sid("WS").parse().unwrap(),
        sync_service: SyncServiceName::Default,
        timeout: PATIENCE,
        base_urls: BaseUrls {
            taskrouter: String::new(),
            sync: "http://sync".to_owned(),
            api: String::new(),
            iam: String::new(),
        },
    };
    let client = Arc::new(Client::with_transport(&config, register.clone()));
    Witness {
        sync: SyncService::new(client, config.sync_service),
        document: "the leader".into(),
        leader: format!("{leader:x}").into(),
        timing: TIMING(),
        known: Arc::new(Mutex::new(Known::Unclaimed)),
    }
}

/// The same for one that Redis does not answer, which looks so many times whether a leader has left the lead behind.
async fn leads_by_sync(
    register: Arc<Register>,
    leader: u64,
    looks: u32,
    dies_after: u32,
) -> Option<(Instant, Instant)> {
    let (witness, timing) = (witness(&register, leader), TIMING());
    let mut vigil = Vigil::default();
    for _ in 0..looks {
        sleep(timing.beat() * 4).await;
        let look = timeout(timing.proof(), vigil.abandoned(&witness.sync, &witness.document)).await;
        let Ok(Ok(Some((_, left)))) = look else { continue };
        let asked = Instant::now();
        let taking = Witness::take(&witness.sync, &witness.document, &witness.leader, timing, &left);
        if let Ok(Ok(given)) = timeout(timing.proof(), taking).await {
            *witness.known.lock().await = Known::Ours(given);
            return Some((asked, goes_on(&witness, asked + timing.own(), dies_after).await));
        }
    }
    None
}

/// Leads from when it is admitted until nothing proves any more that it may. Redis prolongs its lease until `cut_off`; from
/// then on it asks the witness with every beat, as the keeper does, until it dies after so many times. Says from when until
/// when it could write, if it ever could.
async fn leads(
    register: Arc<Register>,
    leader: u64,
    cut_off: Instant,
    dies_after: u32,
) -> Option<(Instant, Instant)> {
    let (witness, timing) = (witness(&register, leader), TIMING());
    let until = cut_off + timing.own();
    let admission = witness.clone().admission(timing.overlap());
    tokio::time::timeout_at(until, admission).await.ok()?;
    let began = Instant::now();
    tokio::time::sleep_until(cut_off).await;
    Some((began, goes_on(&witness, until, dies_after).await))
}

/// Goes on alone for so many beats at the most; says until when it could write.
async fn goes_on(witness: &Witness, mut until: Instant, dies_after: u32) -> Instant {
    let timing = TIMING();
    for _ in 0..dies_after {
        let asked = Instant::now();
        match tokio::time::timeout_at(until, witness.renew(true)).await {
            Ok(Ok(Verdict::Leads)) => until = until.max(asked + timing.own()),
            Ok(Ok(_)) => {
                // It hears of the other one, and writes no more.
                until = until.min(Instant::now());
                let _ = yields_in(&witness.sync, &witness.document, &witness.leader).await;
                break;
            }
            Ok(Err(_)) => {}
            Err(_) => break,
        }
        sleep(timing.beat()).await;
    }
    until
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn no_two_leaders_without_redis_write_at_the_same_moment(
        seed: u64,
        lost in 0..40_u32,
        slowest_ms in 2..3000_u64,
        // How long Redis answers each, how much longer than it keeps the lease until it gives it to the next, and how often each
        // asks before it dies.
        lives in prop::collection::vec((0..9000_u64, 0..9000_u64, 0..40_u32), 2..6),
        // When others, whom Redis does not answer, begin to look for a lead left behind, how often they look, and the same.
        others in prop::collection::vec((0..60_000_u64, 1..40_u32, 0..40_u32), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let written = runtime.unwrap().block_on(async {
            let register = Register::new(seed, lost, slowest_ms);
            let mut leaders = tokio::task::JoinSet::new();
            for (other, (begins_after, looks, dies_after)) in (100..).zip(others) {
                let register = register.clone();
                leaders.spawn(async move {
                    sleep(Duration::from_millis(begins_after)).await;
                    leads_by_sync(register, other, looks, dies_after).await
                });
            }
            for (leader, (answers, next_after, dies_after)) in (1..).zip(lives) {
                let cut_off = Instant::now() + Duration::from_millis(answers);
                leaders.spawn(leads(register.clone(), leader, cut_off, dies_after));
                let next = cut_off + TIMING().kept() + Duration::from_millis(next_after);
                tokio::time::sleep_until(next).await;
            }
            leaders.join_all().await
        });
        let mut written: Vec<_> = written.into_iter().flatten().collect();
        written.sort();
        for two in written.windows(2) {
            prop_assert!(two[0].1 <= two[1].0, "two wrote for {:?}", two[0].1 - two[1].0);
        }
    }
}
