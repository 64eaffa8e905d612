//! Sign-outs at one replica, and replicas that start later.

use std::time::Duration;

use jiff::Timestamp;

use super::support::{Cluster, Replica};
use crate::support::{ADMIN, DEADLINE};

async fn sign_in(replica: &Replica) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = [("username", ADMIN.0), ("password", ADMIN.1)];
    let answer = client.post(format!("{}/login", replica.url())).form(&form).send().await.unwrap();
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn sign_out(cluster: &Cluster, replica: &Replica, cookie: &str) {
    let session = cluster.http.get(format!("{}/api/session", replica.url())).header("Cookie", cookie).send();
    let session: serde_json::Value = session.await.unwrap().json().await.unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let out = client.post(format!("{}/logout", replica.url())).header("Cookie", cookie);
    let out = out.header("X-CSRF-Token", session["csrfToken"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(out.status(), 303);
}

async fn status(cluster: &Cluster, replica: &Replica, cookie: &str) -> u16 {
    let asked = cluster.http.get(format!("{}/api/session", replica.url())).header("Cookie", cookie);
    asked.send().await.unwrap().status().as_u16()
}

/// The answer once the replica knows who signed out.
async fn settled(cluster: &Cluster, replica: &Replica, cookie: &str) -> u16 {
    let waiting = async {
        loop {
            match status(cluster, replica, cookie).await {
                503 => tokio::time::sleep(Duration::from_millis(20)).await,
                status => return status,
            }
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("it never knew")
}

/// Sessions of the second in which a replica starts are as new as the replica.
async fn next_second() {
    let now = Timestamp::now().as_second();
    while Timestamp::now().as_second() == now {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_starts_later_lets_no_ended_session_in_even_before_it_has_read_redis() {
    let mut cluster = Cluster::start(2).await;
    let (ended, other) = (sign_in(&cluster.replicas[0]).await, sign_in(&cluster.replicas[1]).await);
    sign_out(&cluster, &cluster.replicas[0], &ended).await;
    let sign_outs = format!("tr:v1:{}:sign-outs", cluster.space());
    let kept = async || cluster.redis.command(&["llen", &sign_outs]).await == "1";
    cluster.eventually("the sign-out is kept", kept).await;
    // As after the facts of thousands of Calls.
    cluster.redis.command(&["del", &format!("tr:v1:{}:words", cluster.space())]).await;
    next_second().await;
    cluster.redis.signal("STOP");
    cluster.add().await;
    let late = &cluster.replicas[2];
    for cookie in [&ended, &other] {
        assert_eq!(status(&cluster, late, cookie).await, 503, "it may have been ended");
    }
    cluster.redis.signal("CONT");
    assert_eq!(settled(&cluster, late, &ended).await, 401);
    assert_eq!(settled(&cluster, late, &other).await, 200);
    cluster.finish().await;
}
