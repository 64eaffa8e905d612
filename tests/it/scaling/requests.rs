//! The leader ends while it carries out a request.

use serde_json::{Value, json};

use super::support::{Cluster, Way};
use crate::support::{BEARER, NO_TIMERS};

/// What an editor asks of a replica, and how that is answered.
async fn ask(cluster: &Cluster, replica: usize, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}{path}", cluster.replicas[replica].url());
    let request = match body {
        Some(body) => cluster.http.post(url).json(&body),
        None => cluster.http.get(url),
    };
    let answer = request.bearer_auth(BEARER).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_the_leader_takes_with_it_is_asked_of_the_next() {
    // Long, so that all is asked before it is over.
    let mut cluster = Cluster::with(3, &[NO_TIMERS, &[("LEADER_LEASE", "6s")]].concat()).await;
    cluster.agrees().await;
    for killed in [false, true] {
        let leader = cluster.led().await;
        let gone = cluster.take(leader);
        gone.signal("STOP");
        let change =
            json!({ "a tile": { "metric": { "label": "One", "formula": "1", "format": "number" } } });
        let (tasks, definitions, map, saved) = tokio::join!(
            ask(&cluster, 0, "/taskrouter_tasks", None),
            ask(&cluster, 1, "/api/definitions", None),
            cluster.check_map(0),
            ask(&cluster, 1, "/api/save", Some(change)),
        );
        assert_eq!((tasks.0, definitions.0), (200, 200), "{tasks:?} {definitions:?}");
        assert_eq!((map.0, map.1.as_array().map(Vec::len)), (200, Some(4)));
        // A change is not made twice; the answer says to look.
        assert_eq!((saved.0, &saved.1["code"]), (503, &json!("no_leader")), "{saved:?}");
        assert!(saved.1.to_string().contains("look whether it was done"), "{saved:?}");
        if killed {
            gone.kill().await;
            cluster.add().await;
        } else {
            gone.signal("CONT");
            gone.logs("Lost leadership").await;
            cluster.put_back(gone);
        }
        cluster.all_ready().await;
        cluster.agrees().await;
    }
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hands_over_while_it_is_asked_asks_the_next() {
    // Long: the request has two leases, in which a busy machine must hand over, elect and read.
    let cluster = Cluster::with(2, &[NO_TIMERS, &[("LEADER_LEASE", "15s")]].concat()).await;
    cluster.agrees().await;
    let leader = cluster.led().await;
    // It asks Twilio, which never answers; the other one can.
    cluster.replicas[leader].to_twilio.set(Way::Frozen);
    let (status, tasks) = ask(&cluster, leader, "/taskrouter_tasks", None).await;
    assert_eq!(status, 200, "{tasks}");
    cluster.replicas[leader].logs("handing over").await;
    cluster.replicas[leader].to_twilio.set(Way::Open);
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_leader_a_request_is_refused_before_its_time_limit() {
    let mut cluster = Cluster::with(2, &[NO_TIMERS, &[("LEADER_LEASE", "2s")]].concat()).await;
    cluster.agrees().await;
    let leader = cluster.led().await;
    cluster.take(leader).kill().await;
    // Another candidate is to lead, which never stands.
    let candidate = format!("tr:{}:candidate", cluster.space());
    assert_eq!(cluster.redis.command(&["set", &candidate, "another"]).await, "OK");
    let (status, told) = ask(&cluster, 0, "/taskrouter_tasks", None).await;
    assert_eq!((status, &told["code"]), (503, &json!("no_leader")), "{told}");
    assert!(told.to_string().contains("no replica leads"), "not by the longest wait for an answer: {told}");
    cluster.redis.command(&["del", &candidate]).await;
    let (status, told) = ask(&cluster, 0, "/taskrouter_tasks", None).await;
    assert_eq!(status, 200, "a request waits for the next leader: {told}");
    cluster.finish().await;
}

/// The names of all members, at whatever depth.
fn names(value: &Value, path: &str, found: &mut std::collections::BTreeSet<String>) {
    if let Value::Object(members) = value {
        for (name, value) in members {
            let path = format!("{path}.{name}");
            names(value, &path, found);
            found.insert(path);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_leader_shows_what_formulas_see_once_it_has_read_it() {
    let mut cluster = Cluster::with(2, NO_TIMERS).await;
    cluster.agrees().await;
    let fields = async |cluster: &Cluster| {
        let (status, told) = ask(cluster, 0, "/api/definitions/fields", None).await;
        assert_eq!(status, 200, "{told}");
        let mut found = std::collections::BTreeSet::new();
        names(&told, "", &mut found);
        found
    };
    let before = fields(&cluster).await;
    let leader = cluster.led().await;
    cluster.take(leader).kill().await;
    assert_eq!(fields(&cluster).await, before);
    cluster.finish().await;
}
