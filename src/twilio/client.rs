//! The only door to Twilio's REST APIs.
//!
//! Every call gets its credentials, time limit, place under the limits, error form and bounded body here. Callers
//! name what they ask ([`Call`]) and get the decoded answer or a [`TwilioError`]. Reads are tried again here a few
//! times, quickly; what fails even so goes back to the scheduler, which has the longer patience.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, IF_MATCH};
use reqwest::{Request, Response, Url};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::Instrument;

use super::call::{Api, Call, RequestBody};
use super::connection::{basic, network};
use super::error::{Next, TwilioError};
use super::governor::{BULK_PER_WINDOW, BUSY_ACCOUNT, Endpoint, Governor, Observed};
use super::guarded::Guarded;
use super::response::{decode, observed};
use super::retry::Backoff;
use super::transport::{Failure, Transport};
use super::unanswered::Unanswered;
use crate::config::{BaseUrls, TwilioConfig};
use crate::coordination::lease::{Lease, Moment};
use crate::telemetry::metrics::{Limit, Monitor, request_label};
use crate::telemetry::trace;

/// Sync accepts about 20 concurrent updates; never more writes than that are in flight, for all callers together.
pub const MOST_SYNC_WRITES_IN_FLIGHT: usize = 20;
/// Reads of TaskRouter in flight at once, an eighth of what third parties say an account may have in all.
pub(super) const MOST_TASKROUTER_READS_IN_FLIGHT: usize = 12;
/// Bulk reads of TaskRouter in flight at once: as many as Twilio answers in a second. They have places of their own,
/// because they are wanted faster than they are allowed, and would hold up all other reads.
pub(super) const MOST_BULK_READS_IN_FLIGHT: usize = BULK_PER_WINDOW;
/// Reads of Sync in flight at once; they are audits, and must not hold up what is fresh.
const MOST_SYNC_READS_IN_FLIGHT: usize = 4;
/// Flex tokens being checked at once: after a restart all agents come back, and the account's other calls need room.
const MOST_TOKEN_CHECKS_IN_FLIGHT: usize = 24;
/// Calls and Messages being created at once.
const MOST_API_CALLS_IN_FLIGHT: usize = 8;
/// A page of 1,000 TaskQueues with all their statistics is about 2 MiB; whatever is far above that is not Twilio.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
/// Large answers are taken in and decoded one at a time, lest several take their room at once. They are asked for side
/// by side all the same: what has not been taken yet waits at Twilio. Behind one that does not come on, the next waits no
/// longer than this.
const LONGEST_TURN: Duration = Duration::from_secs(1);
/// Attempts per read before the schedule decides when to read again.
const TRIES: u32 = 3;
/// A longer wait than this is left to the schedule, which can do other things meanwhile.
const LONGEST_WAIT_IN_PLACE: Duration = Duration::from_secs(2);
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(2) };

pub struct Client {
    transport: Arc<dyn Transport>,
    authorization: HeaderValue,
    /// Of APIs that are in another region than the rest.
    authorization_of: Vec<(Api, HeaderValue)>,
    base_urls: BaseUrls,
    timeout: Duration,
    /// Nothing is sent any more once it has ended.
    lease: Lease,
    /// Of all APIs, and of TaskRouter alone.
    unanswered: Unanswered,
    taskrouter_unanswered: Unanswered,
    read_governor: Mutex<Governor>,
    taskrouter_reads: Semaphore,
    bulk_reads: Semaphore,
    sync_reads: Semaphore,
    sync_writes: Semaphore,
    token_checks: Semaphore,
    api_calls: Semaphore,
    large_answers: Semaphore,
    monitor: Monitor,
}

/// The client could not be set up; it is a fault of the build or the machine, not of the configuration.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client can't be set up: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// A read's place under the limits, given back when the read has ended, however it does.
struct Admitted<'c> {
    client: &'c Client,
    endpoint: Endpoint,
    api: Api,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if self.api == Api::TaskRouter {
            self.client.governor(|governor| governor.ended(self.endpoint, Instant::now()));
        }
    }
}

impl Client {
    pub fn new(config: &TwilioConfig, monitor: Monitor) -> Result<Self, ClientError> {
        Self::leased(config, monitor, Lease::alone())
    }

    /// The same, good for as long as the lease holds. Which term a request is of stands in its `User-Agent`, so that a
    /// reader of Twilio's request logs can tell replicas from each other.
    pub fn leased(config: &TwilioConfig, monitor: Monitor, lease: Lease) -> Result<Self, ClientError> {
        let transport = Arc::new(network(config, &lease)?);
        let governor =
            lease.term().map_or_else(Governor::default, |_| Governor::after_another(Instant::now()));
        let client = Self::with_transport(config, transport);
        Ok(Self { monitor, lease, read_governor: Mutex::new(governor), ..client })
    }

    /// A client whose requests this transport carries. Time limits are the transport's to keep.
    pub fn with_transport(config: &TwilioConfig, transport: Arc<dyn Transport>) -> Self {
        let (user, password) = match &config.api_key {
            Some(key) => (key.sid.to_string(), key.secret.clone()),
            None => (
                config.account_sid.to_string(),
                config.auth_tokens.first().cloned().unwrap_or_else(|| SecretString::from("")),
            ),
        };
        let regional = [(Api::TaskRouter, &config.taskrouter_token), (Api::Sync, &config.sync_token)];
        let account = config.account_sid.to_string();
        let authorization_of = regional
            .into_iter()
            .filter_map(|(api, token)| Some((api, basic(&account, token.as_ref()?))))
            .collect();
        Self {
            transport,
            authorization: basic(&user, &password),
            authorization_of,
            base_urls: config.base_urls.clone(),
            timeout: config.timeout,
            lease: Lease::alone(),
            unanswered: Unanswered::default(),
            taskrouter_unanswered: Unanswered::default(),
            read_governor: Mutex::default(),
            taskrouter_reads: Semaphore::new(MOST_TASKROUTER_READS_IN_FLIGHT),
            bulk_reads: Semaphore::new(MOST_BULK_READS_IN_FLIGHT),
            sync_reads: Semaphore::new(MOST_SYNC_READS_IN_FLIGHT),
            sync_writes: Semaphore::new(MOST_SYNC_WRITES_IN_FLIGHT),
            token_checks: Semaphore::new(MOST_TOKEN_CHECKS_IN_FLIGHT),
            api_calls: Semaphore::new(MOST_API_CALLS_IN_FLIGHT),
            large_answers: Semaphore::new(1),
            monitor: Monitor::default(),
        }
    }

    pub(super) fn base_url(&self, api: Api) -> &str {
        match api {
            Api::TaskRouter => &self.base_urls.taskrouter,
            Api::Sync => &self.base_urls.sync,
            Api::Voice => &self.base_urls.api,
            Api::Iam => &self.base_urls.iam,
            Api::Flex => &self.base_urls.flex,
        }
    }

    fn places(&self, call: &Call) -> &Semaphore {
        match call.api {
            Api::TaskRouter if call.endpoint == Endpoint::Bulk => &self.bulk_reads,
            Api::TaskRouter => &self.taskrouter_reads,
            Api::Sync => &self.sync_reads,
            Api::Voice | Api::Flex => &self.api_calls,
            Api::Iam => &self.token_checks,
        }
    }

    /// A read, tried again a few times where that may help.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, TwilioError> {
        let mut retry = 0;
        loop {
            let error = match self.read_once(call).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            retry += 1;
            let Next::Retry(asked) = error.next() else { return Err(error) };
            let delay = BACKOFF.delay(retry - 1, asked, fastrand::f64());
            // TaskRouter's refusals pause all its calls, this one included; elsewhere nothing holds a further try back.
            // What has another way of being read leaves it to the schedule to take that.
            let hammers =
                error.is_throttled() && (call.api != Api::TaskRouter || call.endpoint != Endpoint::Other);
            if retry >= TRIES || delay > LONGEST_WAIT_IN_PLACE || hammers {
                return Err(error);
            }
            tokio::time::sleep(delay).await;
        }
    }

    async fn read_once<T: DeserializeOwned>(&self, call: &Call) -> Result<T, TwilioError> {
        let _place = self.admission(call).await?;
        let _admitted = Admitted { client: self, endpoint: call.endpoint, api: call.api };
        let response = self.send(call).await?;
        // Held until the answer is decoded and its text is gone.
        let _turn = if call.large { self.turn().await } else { None };
        let body = self.successful_body(call, response).await?;
        decode(call, &body)
    }

    /// A request tried once, because a second one might place a second Call, or because a caller waits for the answer.
    pub(super) async fn once<T: DeserializeOwned>(&self, call: &Call) -> Result<T, TwilioError> {
        let _place = self.places(call).acquire().await.map_err(|_| shut(call))?;
        let response = self.send(call).await?;
        let body = self.successful_body(call, response).await?;
        decode(call, &body)
    }

    /// How far this machine's clock is ahead of what an answer's `Date` says. That has whole seconds and was written while
    /// the request was under way, so the middle of both is what is compared.
    pub(super) async fn clock_ahead(&self, call: &Call) -> Result<Option<SignedDuration>, TwilioError> {
        let before = Timestamp::now();
        let response = self.send(call).await?;
        let took = Timestamp::now().duration_since(before);
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let half_a_second = SignedDuration::from_millis(500);
        Ok(date.map(|date| before.duration_since(date.timestamp()) + took / 2 - half_a_second))
    }

    /// A write to Sync, tried once: whether to try again depends on what is newest by then, which the caller knows.
    pub(super) async fn write<T: DeserializeOwned>(&self, call: &Call) -> Result<T, TwilioError> {
        let _place = self.sync_writes.acquire().await.map_err(|_| shut(call))?;
        let response = self.send(call).await?;
        let body = self.successful_body(call, response).await?;
        // A deletion answers 204 without a body.
        decode(call, if body.is_empty() { b"null" } else { &body })
    }

    /// Waits until a read may go out. No place is held while the governor makes it wait, so that what is scarce holds up
    /// nothing else; and it is admitted only with a place in hand, so that it goes out at once.
    async fn admission(&self, call: &Call) -> Result<SemaphorePermit<'_>, TwilioError> {
        let label = request_label(call.method.as_str(), &call.target);
        loop {
            let place = self.places(call).acquire().await.map_err(|_| shut(call))?;
            if call.api != Api::TaskRouter {
                return Ok(place);
            }
            let admitted = self.governor(|governor| governor.admit(call.endpoint, &label, Instant::now()));
            let Err(until) = admitted else { return Ok(place) };
            drop(place);
            tokio::time::sleep_until(until).await;
        }
    }

    fn governor<T>(&self, act: impl FnOnce(&mut Governor) -> T) -> T {
        // Its state is plain numbers, right after any panic; nothing is awaited while the lock is held.
        act(&mut self.read_governor.lock())
    }

    async fn send(&self, call: &Call) -> Result<Response, TwilioError> {
        if let Some(segment) = call.folded_segment() {
            let (call, segment) = (call.name.clone(), segment.to_owned());
            return Err(TwilioError::FoldedPath { call, segment });
        }
        let request = self.request(call).map_err(|failure| self.failed(call, failure))?;
        let began = Instant::now();
        if !self.lease.holds() {
            return Err(TwilioError::LeaseOver { call: call.name.clone() });
        }
        for unanswered in self.unanswered_of(call.api) {
            unanswered.asked();
        }
        let label = request_label(call.method.as_str(), &call.target);
        let span = trace::request(call.api.name(), &label);
        let answered = self.transport.carry(request).instrument(span.clone()).await;
        let answered = answered.map_err(|failure| self.failed(call, failure));
        let took = answered.is_ok().then(|| began.elapsed());
        let status = match &answered {
            Ok(response) => response.status().as_str().to_owned(),
            Err(TwilioError::TimedOut { .. }) => "timeout".to_owned(),
            Err(_) => "connection".to_owned(),
        };
        trace::answered(&span, answered.as_ref().ok().map(|response| response.status().as_u16()), &status);
        if let (Ok(response), Api::TaskRouter) = (&answered, call.api) {
            let observed = observed(response);
            self.tell_headroom(call.endpoint, observed);
            self.governor(|governor| governor.observe(call.endpoint, &label, observed, Instant::now()));
        }
        self.monitor.requested(call.api.name(), label, status, took);
        let response = answered?;
        for unanswered in self.unanswered_of(call.api) {
            unanswered.answered();
        }
        Ok(response)
    }

    /// Since when Twilio has not answered anything that it was asked; `None` while it answers, whatever it says.
    pub fn unanswered_since(&self) -> Option<Moment> {
        self.unanswered.since()
    }

    /// The same for TaskRouter's requests alone.
    pub fn taskrouter_unanswered(&self) -> Unanswered {
        self.taskrouter_unanswered.clone()
    }

    fn unanswered_of(&self, api: Api) -> impl Iterator<Item = &Unanswered> {
        let taskrouter = (api == Api::TaskRouter).then_some(&self.taskrouter_unanswered);
        std::iter::once(&self.unanswered).chain(taskrouter)
    }

    fn tell_headroom(&self, endpoint: Endpoint, observed: Observed) {
        let allowance = (observed.limit, observed.remaining);
        // Bulk calls have a pace of their own, and use all that they are allowed.
        if let (Endpoint::Other | Endpoint::List, (Some(limit @ 1..), Some(remaining))) =
            (endpoint, allowance)
        {
            let share = f64::from(remaining) / f64::from(limit);
            self.monitor.headroom(Limit::TaskRouterAllowance, share.min(1.0));
        }
        if let Some(concurrent) = observed.concurrent {
            let share = 1.0 - f64::from(concurrent) / f64::from(BUSY_ACCOUNT);
            self.monitor.headroom(Limit::AccountConcurrency, share.max(0.0));
        }
    }

    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(LONGEST_TURN, self.large_answers.acquire()).await.ok()?.ok()
    }

    async fn successful_body(&self, call: &Call, response: Response) -> Result<Vec<u8>, TwilioError> {
        let (status, observed) = (response.status(), observed(&response));
        let body = self.bounded_body(call, response).await?;
        if status.is_success() {
            return Ok(body);
        }
        Err(TwilioError::from_status(call.name.clone(), status.as_u16(), observed.retry_after, &body))
    }

    fn request(&self, call: &Call) -> Result<Request, Failure> {
        let url = format!("{}{}", self.base_url(call.api), call.target);
        let url = Url::parse(&url).map_err(|error| Failure::Broken(format!("its URL is wrong: {error}")))?;
        let mut request = Request::new(call.method.clone(), url);
        let headers = request.headers_mut();
        let own = self.authorization_of.iter().find(|(api, _)| *api == call.api).map(|(_, value)| value);
        headers.insert(AUTHORIZATION, own.unwrap_or(&self.authorization).clone());
        // Only Twilio makes revisions; one that is no header's value is none.
        if let Some(revision) = call.if_match.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(IF_MATCH, revision);
        }
        let (content_type, body) = match &call.body {
            RequestBody::None => return Ok(request),
            RequestBody::Form(form) => ("application/x-www-form-urlencoded", form),
            RequestBody::Json(json) => ("application/json", json),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        *request.body_mut() = Some(self.guarded(body));
        Ok(request)
    }

    fn guarded(&self, body: &str) -> reqwest::Body {
        // Without terms a plain body will do, which can be sent again over another connection.
        if self.lease.term().is_none() {
            return body.to_owned().into();
        }
        reqwest::Body::wrap(Guarded::new(body.to_owned(), self.lease.clone()))
    }

    async fn bounded_body(&self, call: &Call, mut response: Response) -> Result<Vec<u8>, TwilioError> {
        // Where Twilio says how much will come, exactly that much room is taken.
        let length = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = Vec::with_capacity(length.min(LARGEST_ANSWER));
        while let Some(chunk) =
            response.chunk().await.map_err(|error| self.failed(call, Failure::of(&error)))?
        {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                let reason = format!("it is larger than {LARGEST_ANSWER} bytes");
                return Err(TwilioError::Answer { call: call.name.clone(), reason });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn failed(&self, call: &Call, failure: Failure) -> TwilioError {
        let call = call.name.clone();
        match failure {
            Failure::TimedOut => TwilioError::TimedOut { call, limit: self.timeout },
            Failure::Broken(reason) => TwilioError::Connection { call, reason },
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base_urls", &self.base_urls).finish_non_exhaustive()
    }
}

/// A semaphore of ours was closed, which never happens; an error instead of a panic.
fn shut(call: &Call) -> TwilioError {
    TwilioError::Connection { call: call.name.clone(), reason: "the client is shut down".to_owned() }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
