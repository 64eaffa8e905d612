//! Signing in and out as a browser does.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, redirect::Policy};
use serde_json::Value;

use super::{ADMIN, DEADLINE};

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Signs in at a service and returns the session's cookie, as `name=value`.
pub(crate) async fn sign_in(url: &str) -> String {
    let form = [("username", ADMIN.0), ("password", ADMIN.1)];
    let answer = client().post(format!("{url}/login")).form(&form).send().await.unwrap();
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

pub(crate) async fn sign_out(url: &str, cookie: &str) {
    let session = client().get(format!("{url}/api/session")).header("Cookie", cookie).send().await;
    let session: Value = session.unwrap().json().await.unwrap();
    let out = client().post(format!("{url}/logout")).header("Cookie", cookie);
    let out = out.header("X-CSRF-Token", session["csrfToken"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(out.status(), 303);
}

/// What the session gets.
pub(crate) async fn status(url: &str, cookie: &str) -> u16 {
    let asked = client().get(format!("{url}/api/session")).header("Cookie", cookie);
    asked.send().await.unwrap().status().as_u16()
}

/// The same, once the service knows who signed out.
pub(crate) async fn settled(url: &str, cookie: &str) -> u16 {
    let waiting = async {
        loop {
            match status(url, cookie).await {
                503 => tokio::time::sleep(Duration::from_millis(20)).await,
                status => return status,
            }
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("it never knew")
}

/// Sessions of the second in which a service starts are as new as the service.
pub(crate) async fn next_second() {
    let now = Timestamp::now().as_second();
    while Timestamp::now().as_second() == now {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
