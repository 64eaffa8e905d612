//! The action `webhook`: a signed POST to a service of the user's own, tried again while it fails.
//!
//! Signed as "Standard Webhooks" (standardwebhooks.com) has it, for which there are libraries in most languages: the
//! headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, the last being `v1,` and the base64 of the
//! HMAC-SHA256 over `<id>.<timestamp>.<body>` with the secret, or with the bytes that it names in base64 behind
//! `whsec_`; two signatures, with a space between them, while one secret takes the other's place. One id is one report,
//! however often it is tried.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::Sha256;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{CallReport, Voice};
use crate::config::WEBHOOK_SECRET_PREFIX;
use crate::stats::day::next_start_of_day;
use crate::twilio::flex_token::FlexUser;
use crate::twilio::retry::Backoff;

/// Most reports that wait; more are refused.
pub(super) const MOST_WAITING: usize = 200;
/// Most reports in flight.
const MOST_IN_FLIGHT: usize = 4;
const TRIES: u32 = 6;
const LONGEST_REQUEST: Duration = Duration::from_secs(10);
/// With these delays the last try comes after about two minutes.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(60) };

#[derive(Debug)]
pub(super) struct Parcel {
    id: String,
    body: String,
}

/// The task, to be run once.
#[derive(Debug)]
pub struct AlertSender {
    voice: Arc<Voice>,
    target: Option<Arc<(String, Vec<SecretString>)>>,
    queue: mpsc::Receiver<Parcel>,
    http: reqwest::Client,
}

impl Parcel {
    pub(super) fn new(user: &FlexUser, report: &CallReport, action: &str) -> Self {
        let body = json!({
            "type": "voice.quality",
            "timestamp": Timestamp::now(),
            "data": {
                "action": action,
                "agent": user.name,
                "workerSid": user.worker,
                "callerId": report.caller_id,
                "dnis": report.dnis,
                "issues": report.issues,
            },
        });
        Self { id: format!("msg_{:032x}", rand::random::<u128>()), body: body.to_string() }
    }
}

impl AlertSender {
    pub(super) fn new(
        voice: Arc<Voice>,
        target: Option<(String, Vec<SecretString>)>,
        queue: mpsc::Receiver<Parcel>,
    ) -> reqwest::Result<Self> {
        // A signed report goes to where it was configured to, and nowhere else.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { voice, target: target.map(Arc::new), queue, http })
    }

    /// Delivers reports, and begins new days, until `stop`. Reports that wait then are lost, and counted in the log.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut in_flight = JoinSet::new();
        loop {
            let (room, tomorrow) = (in_flight.len() < MOST_IN_FLIGHT, self.until_tomorrow());
            tokio::select! {
                () = stop.cancelled() => break,
                parcel = self.queue.recv(), if room => {
                    if let (Some(parcel), Some(target)) = (parcel, self.target.clone()) {
                        in_flight.spawn(deliver(self.http.clone(), target, parcel));
                    }
                }
                Some(ended) = in_flight.join_next() => if let Err(panicked) = ended {
                    error!(%panicked, "Delivering a webhook ended abnormally; it is lost");
                },
                () = tokio::time::sleep(tomorrow) => self.voice.turn_day(),
            }
        }
        let lost = in_flight.len() + self.queue.len();
        if lost > 0 {
            warn!(lost, "Webhooks were not delivered before the service stopped");
        }
    }

    fn until_tomorrow(&self) -> Duration {
        let (now, statistics) = (Timestamp::now(), &self.voice.statistics);
        let next = next_start_of_day(now, &statistics.time_zone, statistics.day_start);
        // If there is none, the caller tries again in a minute.
        let left: Duration = next.duration_since(now).try_into().unwrap_or_default();
        if left.is_zero() { Duration::from_secs(60) } else { left }
    }
}

async fn deliver(http: reqwest::Client, target: Arc<(String, Vec<SecretString>)>, parcel: Parcel) {
    let mut last = String::new();
    for retry in 0..TRIES {
        if retry > 0 {
            tokio::time::sleep(BACKOFF.delay(retry - 1, None, fastrand::f64())).await;
        }
        match post(&http, &target, &parcel).await {
            Ok(200..=299) => return,
            // Refused for what it is, which it stays.
            Ok(status @ (400..=407 | 409..=428 | 430..=499)) => {
                last = format!("answered {status}");
                break;
            }
            Ok(status) => last = format!("answered {status}"),
            Err(error) => last = error.without_url().to_string(),
        }
    }
    warn!(webhook.id = parcel.id, reason = last, "Webhook not delivered");
}

#[expect(clippy::disallowed_methods, reason = "this does not go to Twilio")]
async fn post(
    http: &reqwest::Client,
    target: &(String, Vec<SecretString>),
    parcel: &Parcel,
) -> reqwest::Result<u16> {
    let (url, secrets) = target;
    let timestamp = Timestamp::now().as_second().to_string();
    let request = http
        .post(url)
        .timeout(LONGEST_REQUEST)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &parcel.id)
        .header("webhook-timestamp", &timestamp)
        .header("webhook-signature", webhook_signatures(secrets, &parcel.id, &timestamp, &parcel.body))
        .body(parcel.body.clone());
    Ok(request.send().await?.status().as_u16())
}

/// The header `webhook-signature`, with a signature for each secret.
pub fn webhook_signatures(secrets: &[SecretString], id: &str, timestamp: &str, body: &str) -> String {
    let signatures: Vec<String> =
        secrets.iter().map(|secret| signature(secret, id, timestamp, body)).collect();
    signatures.join(" ")
}

fn signature(secret: &SecretString, id: &str, timestamp: &str, body: &str) -> String {
    let text = secret.expose_secret();
    let named =
        text.strip_prefix(WEBHOOK_SECRET_PREFIX).and_then(|base64| BASE64_STANDARD.decode(base64).ok());
    let key = named.unwrap_or_else(|| text.as_bytes().to_vec());
    // An HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
        return String::new();
    };
    for part in [id, ".", timestamp, ".", body] {
        mac.update(part.as_bytes());
    }
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the package `standardwebhooks` (its own tests, and the specification's page).
    #[test]
    fn signs_as_the_specifications_example_has_it() {
        let example = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let said =
            signature(&example, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(said, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let both =
            webhook_signatures(&[example, SecretString::from("another-secret-of-16")], "msg_1", "1", "{}");
        assert_eq!(both.split(' ').count(), 2);
    }
}
