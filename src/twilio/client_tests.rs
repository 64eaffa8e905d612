//! What the client promises of the reads that pass it, over a network without delays or one that holds requests back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::super::plugins::Plugins;
use super::super::sync::SyncService;
use super::super::transport::Answering;
use super::*;
use crate::config::{CoreConfig, SyncServiceName};

/// Answers everything with an empty object, after a time.
struct Network {
    takes: Duration,
    carried: AtomicU32,
    status: u16,
}

impl Transport for Network {
    fn carry(&self, _request: Request) -> Answering<'_> {
        self.carried.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {
            tokio::time::sleep(self.takes).await;
            let answer = http::Response::builder().status(self.status).body(json!({}).to_string());
            Ok(Response::from(answer.unwrap()))
        })
    }
}

fn client(takes: Duration, status: u16) -> (Arc<Client>, Arc<Network>) {
    let variables = HashMap::from([
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        ("TWILIO_WORKSPACE_SID", "WS00000000000000000000000000000001"),
    ]);
    let config = CoreConfig::read(&|name| variables.get(name).map(|value| (*value).to_owned())).unwrap();
    let network = Arc::new(Network { takes, carried: AtomicU32::new(0), status });
    (Arc::new(Client::with_transport(&config.twilio, network.clone())), network)
}

fn other() -> Call {
    Call::get(Api::TaskRouter, "/v1/Workspaces/WS1/Statistics".to_owned(), "GET Statistics".to_owned())
}

fn bulk() -> Call {
    let target = "/v1/Workspaces/WS1/TaskQueues/RealTimeStatistics".to_owned();
    let call =
        Call::post(Api::TaskRouter, target, "POST bulk".to_owned(), RequestBody::Json("{}".to_owned()));
    Call { endpoint: Endpoint::Bulk, ..call }
}

#[tokio::test(start_paused = true)]
async fn bulk_reads_that_are_wanted_faster_than_allowed_hold_up_no_other_read() {
    let (client, network) = client(Duration::ZERO, 200);
    let mut reads = JoinSet::new();
    for _ in 0..200 {
        let client = client.clone();
        reads.spawn(async move { client.read::<Value>(&bulk()).await });
    }
    for _ in 0..100 {
        let began = Instant::now();
        client.read::<Value>(&other()).await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(2), "it waited for {:?}", began.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let bulk_reads = network.carried.load(Ordering::Relaxed) - 100;
    assert!((40..=50).contains(&bulk_reads), "{bulk_reads} in ten seconds, five of them a second");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_waits_for_its_admission_is_no_request_that_twilio_does_not_answer() {
    let (client, _) = client(Duration::ZERO, 200);
    let mut reads = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        reads.spawn(async move { client.read::<Value>(&bulk()).await });
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!reads.is_empty() && client.unanswered_since().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_bulk_read_that_is_refused_comes_back_at_once_to_be_read_in_another_way() {
    let (client, network) = client(Duration::ZERO, 429);
    let began = Instant::now();
    let error = client.read::<Value>(&bulk()).await.unwrap_err();
    assert!(error.is_throttled() && began.elapsed() < Duration::from_millis(2));
    assert_eq!(network.carried.load(Ordering::Relaxed), 1, "and is not tried again in its place");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_would_change_the_path_is_never_sent() {
    let (client, network) = client(Duration::ZERO, 200);
    let sync = SyncService::new(client.clone(), SyncServiceName::Default);
    let plugins = Plugins::new(client);
    for name in ["", ".", ".."] {
        let refused = [
            sync.delete_map(name).await.unwrap_err(),
            sync.delete_document(name).await.unwrap_err(),
            sync.delete_map_item("queueStats", name).await.unwrap_err(),
            sync.update_document(name, "{}").await.unwrap_err(),
            sync.create_map(name).await.unwrap_err(),
            sync.create_document(name, "{}").await.unwrap_err(),
            sync.map_exists(name).await.unwrap_err(),
            sync.permit_reading("Maps", "queueStats", name).await.unwrap_err(),
            plugins.plugin(name).await.unwrap_err(),
            plugins.version("FP1", name).await.unwrap_err(),
            plugins.rename_plugin(name, "a", "b").await.unwrap_err(),
        ];
        for error in refused {
            assert!(matches!(error, TwilioError::FoldedPath { .. }), "{error}");
            assert_eq!(error.next(), Next::GiveUp);
        }
    }
    assert_eq!(network.carried.load(Ordering::Relaxed), 0);
    sync.delete_map("%2e%2e").await.unwrap();
    sync.delete_map("a.b..").await.unwrap();
    assert_eq!(network.carried.load(Ordering::Relaxed), 2, "names with dots in them are names");
    let encoded = Call::get(Api::Flex, "/v1/PluginService/%2E./x".to_owned(), "GET x".to_owned());
    assert_eq!(encoded.folded_segment(), Some("%2E."));
    assert_eq!(other().folded_segment(), None);
}
