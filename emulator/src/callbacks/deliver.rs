//! Taking events out of the queue, signing and sending them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use reqwest::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::target::Target;
use super::{Callbacks, DELIVERIES, Delivery, Format, Job, Parcel, signature};
use crate::clock::iso_ms;
use crate::world::Event;

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// Sends what is queued until told to stop, at most `concurrency` at a time.
pub(crate) async fn dispatch(callbacks: Callbacks, concurrency: usize, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(concurrency.max(1)));
    let mut clients = Clients::default();
    let tasks = tokio_util::task::TaskTracker::new();
    loop {
        let next = async {
            let permit = permits.clone().acquire_owned().await;
            (permit, callbacks.next().await)
        };
        let (permit, job) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        let client = clients.with_connect_timeout(job.target.connect_timeout);
        let callbacks = callbacks.clone();
        let stop = stop.clone();
        tasks.spawn(async move {
            let delivery = tokio::select! {
                () = stop.cancelled() => None,
                delivery = deliver(&callbacks, client, &job) => Some(delivery),
            };
            callbacks.finished(delivery);
            drop(permit);
        });
    }
    tasks.close();
    tasks.wait().await;
}

impl Callbacks {
    /// The next event that is due; with `shuffle`, any of the first few that are.
    async fn next(&self) -> Job {
        loop {
            let woken = self.0.wake.notified();
            let due = {
                let mut inner = self.lock();
                let now = Instant::now();
                let ready = inner
                    .queue
                    .iter()
                    .take(inner.options.shuffle.max(1))
                    .take_while(|j| j.due <= now)
                    .count();
                let at = if ready > 1 { inner.dice.random_range(0..ready) } else { 0 };
                match inner.queue.front().map(|job| job.due) {
                    Some(_) if ready > 0 => match inner.queue.remove(at) {
                        Some(job) => return job,
                        None => continue,
                    },
                    due => due,
                }
            };
            match due {
                // Also woken while waiting: the delay may have been shortened, and newer events be due already.
                Some(due) => tokio::select! { () = tokio::time::sleep_until(due) => {}, () = woken => {} },
                None => woken.await,
            }
        }
    }

    fn finished(&self, delivery: Option<Delivery>) {
        if let Some(delivery) = delivery {
            let mut inner = self.lock();
            if inner.deliveries.len() == DELIVERIES {
                inner.deliveries.pop_front();
            }
            inner.deliveries.push_back(delivery);
        }
        self.0.delivered.send_modify(|count| *count += 1);
        self.0.outstanding.send_modify(|count| *count -= 1);
    }
}

/// One HTTP client for each connect timeout, since that is a property of the client; in practice there is one.
#[derive(Default)]
struct Clients(Vec<(Duration, Option<reqwest::Client>)>);

impl Clients {
    fn with_connect_timeout(&mut self, timeout: Duration) -> Option<reqwest::Client> {
        if let Some((_, client)) = self.0.iter().find(|(t, _)| *t == timeout) {
            return client.clone();
        }
        let built = reqwest::Client::builder()
            .connect_timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("TwilioProxy/1.1")
            .build();
        let client = built.inspect_err(|error| tracing::error!(%error, "no HTTP client for callbacks")).ok();
        if self.0.len() == 8 {
            self.0.remove(0);
        }
        self.0.push((timeout, client.clone()));
        client
    }
}

impl Parcel {
    fn sid(&self) -> String {
        match self {
            Self::Event(event, _) => event.sid.to_string(),
            Self::Form { sid, .. } => sid.clone(),
        }
    }

    fn label(&self) -> &str {
        match self {
            Self::Event(event, _) => event.event_type,
            Self::Form { label, .. } => label,
        }
    }
}

/// Sends one event, again if its target's policy says so.
async fn deliver(callbacks: &Callbacks, client: Option<reqwest::Client>, job: &Job) -> Delivery {
    let target = &job.target;
    let mut delivery = Delivery {
        at: Timestamp::UNIX_EPOCH,
        event_sid: job.parcel.sid(),
        event_type: job.parcel.label().to_owned(),
        url: target.url.clone(),
        status: None,
        error: None,
        attempts: 0,
        duplicate: job.duplicate,
    };
    let give_up = Instant::now() + target.total_timeout;
    while let Some(client) = &client {
        delivery.attempts += 1;
        let sent = tokio::time::timeout_at(give_up, send(callbacks, client, job)).await;
        (delivery.status, delivery.error) = match &sent {
            Ok(Ok((status, _))) => (Some(*status), None),
            Ok(Err(error)) => (None, Some(error.to_string())),
            Err(_) => (None, Some("total time-out".to_owned())),
        };
        let again = match &sent {
            Ok(Ok((status, _))) => match status {
                400..=499 => target.policy.on_4xx,
                500..=599 => target.policy.on_5xx,
                _ => false,
            },
            Ok(Err(error)) if error.is_connect() => target.policy.connect,
            Ok(Err(_)) => target.policy.read,
            Err(_) => false,
        };
        if !again || delivery.attempts > target.retries {
            if let Parcel::Form { answered: Some(answered), .. } = &job.parcel {
                let (status, body) = match &sent {
                    Ok(Ok((status, body))) => (*status, body.as_str()),
                    _ => (0, ""),
                };
                answered(status, body);
            }
            break;
        }
    }
    delivery.at = Timestamp::now();
    delivery
}

async fn send(
    callbacks: &Callbacks,
    client: &reqwest::Client,
    job: &Job,
) -> Result<(u16, String), reqwest::Error> {
    let Target { credentials, read_timeout, .. } = &*job.target;
    let token = callbacks.auth_token();
    let form = |params: &[(&str, &str)]| {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let signature = signature::sign(&token, &job.target.url, params.iter().copied());
        (job.target.url.clone(), FORM, body, signature)
    };
    let (url, content_type, body, signature) = match &job.parcel {
        Parcel::Event(event, Format::Form) => {
            form(&event.params.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
        }
        Parcel::Form { params, .. } => {
            form(&params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>())
        }
        Parcel::Event(event, Format::EventStreams) => {
            let body = Value::Array(vec![cloud_event(event)]).to_string();
            let url = signature::with_body_sha256(&job.target.url, body.as_bytes());
            let signature = signature::sign(&token, &url, []);
            (url, "application/json", body, signature)
        }
    };
    let request = || {
        client
            .post(&url)
            .timeout(*read_timeout)
            .header(CONTENT_TYPE, content_type)
            .header("X-Twilio-Signature", &signature)
            .header("I-Twilio-Idempotency-Token", &job.idempotency_token)
            .body(body.clone())
    };
    let answer = request().send().await?;
    // Twilio calls without credentials first and shows them only when asked.
    if let (401, true, Some((user, password))) =
        (answer.status().as_u16(), answer.headers().contains_key(WWW_AUTHENTICATE), credentials)
    {
        let answer = request().basic_auth(decoded(user), Some(decoded(password))).send().await?;
        return Ok((answer.status().as_u16(), answer.text().await.unwrap_or_default()));
    }
    let status = answer.status().as_u16();
    // Reading the (small) answer lets the connection be used again.
    Ok((status, answer.text().await.unwrap_or_default()))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn cloud_event(event: &Event) -> Value {
    let time = iso_ms(event.at);
    let group = event.event_type.split('.').next().unwrap_or_default();
    let mut payload = event.snake(true);
    payload.insert("timestamp".to_owned(), time.clone().into());
    // A CloudEvent has an id of its own kind; the same digits make it easy to trace.
    let sid = event.sid.to_string();
    let id = sid.replacen("EV", "EZ", 1);
    json!({
        "specversion": "1.0",
        "type": format!("com.twilio.taskrouter.{}", event.event_type),
        "source": event.param("WorkspaceSid"),
        "id": id,
        "dataschema": "https://events-schemas.twilio.com/TaskRouter.WDSEvent/4",
        "datacontenttype": "application/json",
        "time": time,
        "data": {
            "sid": sid,
            "name": event.event_type,
            "account_sid": event.param("AccountSid"),
            "timestamp": time,
            "level": "INFO",
            "group": group,
            "product_name": "TaskRouter",
            "publisher": event.param("WorkspaceName"),
            "publisher_metadata": "{}",
            "payload_type": event.resource_type,
            "payload": payload,
        },
    })
}
