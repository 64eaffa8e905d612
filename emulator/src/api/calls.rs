//! Calls: placed, recorded, moved on by a test or ended over REST, and reported by status callbacks.
//!
//! By default a Call stays queued until a test moves it on. With [`Calls::behave`] the called party answers, or does not,
//! by itself. An answered Call with a `Url` fetches its TwiML from there.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::call::{Call, CallStatus, CallView};
use super::{enqueue, page, sid_of};
use crate::callbacks::Callbacks;
use crate::clock::Clock;
use crate::error::ApiError;
use crate::json::JsonObject;
use crate::params::Params;
use crate::rest::reply::Reply;
use crate::rest::request::Request;
use crate::sid::{Kind, Sid};
use crate::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answering {
    /// Calls stay queued until a test moves them on.
    #[default]
    ByHand,
    Answers,
    Busy,
    /// It rings without an answer.
    NoAnswer,
    Fails,
}

const CALLS: usize = 10_000;
/// By default Twilio places one Call a second; more are queued, not refused.
const SPACING_MS: i64 = 1_000;
/// Longest parameter `Twiml`, in characters.
const MAX_TWIML: usize = 4_000;

/// The handle; clones are the same.
#[derive(Debug, Clone)]
pub struct Calls {
    inner: Arc<Mutex<CallsInner>>,
    account: String,
    clock: Clock,
    callbacks: Callbacks,
    world: World,
}

#[derive(Debug)]
struct CallsInner {
    answering: Answering,
    calls: VecDeque<Call>,
    ids: StdRng,
    next_slot: i64,
}

/// Parameters of `POST Calls.json` (OpenAPI).
const CREATE: [&str; 35] = [
    "To",
    "From",
    "Url",
    "Twiml",
    "ApplicationSid",
    "Method",
    "FallbackUrl",
    "FallbackMethod",
    "StatusCallback",
    "StatusCallbackEvent",
    "StatusCallbackMethod",
    "SendDigits",
    "Timeout",
    "TimeLimit",
    "Record",
    "RecordingChannels",
    "RecordingTrack",
    "RecordingStatusCallback",
    "RecordingStatusCallbackMethod",
    "RecordingStatusCallbackEvent",
    "SipAuthUsername",
    "SipAuthPassword",
    "MachineDetection",
    "MachineDetectionTimeout",
    "MachineDetectionSpeechThreshold",
    "MachineDetectionSpeechEndThreshold",
    "MachineDetectionSilenceTimeout",
    "AsyncAmd",
    "AsyncAmdStatusCallback",
    "AsyncAmdStatusCallbackMethod",
    "Trim",
    "CallerId",
    "Byoc",
    "CallReason",
    "CallToken",
];

/// Parameters of `POST Calls/{sid}.json` (OpenAPI).
const UPDATE: [&str; 9] = [
    "Url",
    "Twiml",
    "Method",
    "Status",
    "FallbackUrl",
    "FallbackMethod",
    "StatusCallback",
    "StatusCallbackMethod",
    "TimeLimit",
];

impl Calls {
    pub(crate) fn new(account: &str, seed: u64, clock: &Clock, callbacks: &Callbacks, world: &World) -> Self {
        let inner = CallsInner {
            answering: Answering::default(),
            calls: VecDeque::new(),
            ids: StdRng::seed_from_u64(seed ^ 0xca),
            next_slot: 0,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            account: account.to_owned(),
            clock: clock.clone(),
            callbacks: callbacks.clone(),
            world: world.clone(),
        }
    }

    pub fn behave(&self, answering: Answering) {
        self.lock().answering = answering;
    }

    /// All remembered Calls, oldest first.
    pub fn all(&self) -> Vec<CallView> {
        self.lock().calls.iter().map(Call::view).collect()
    }

    /// Sets a Call's status, and sends the requested status callback; `false` if there is no such Call or it has
    /// ended.
    pub fn set_status(&self, sid: &str, status: CallStatus) -> bool {
        let now = self.clock.now_ms();
        let mut inner = self.lock();
        let call = inner.calls.iter_mut().find(|call| call.sid.to_string() == sid && !call.status.is_final());
        let Some(call) = call else { return false };
        self.advance(call, status, now);
        true
    }

    fn advance(&self, call: &mut Call, status: CallStatus, now: i64) {
        call.move_to(status, now);
        self.tell(call);
        match status {
            CallStatus::InProgress => self.run_twiml(call),
            status if status.is_final() => enqueue::hung_up(&self.world, call),
            _ => {}
        }
    }

    /// Fetches the TwiML of an answered Call. Without usable TwiML the Call ends, as at Twilio.
    fn run_twiml(&self, call: &Call) {
        let Some(url) = call.param("Url").map(str::to_owned) else { return };
        let (sid, calls) = (call.sid.to_string(), self.clone());
        let (label, params) = ("call.twiml".to_owned(), call.webhook(&self.account));
        let answered = Arc::new(move |status: u16, body: &str| calls.instructed(&sid, status, body));
        self.callbacks.fetch(&url, call.sid.to_string(), label, params, answered);
    }

    fn instructed(&self, sid: &str, status: u16, body: &str) {
        let now = self.clock.now_ms();
        let mut inner = self.lock();
        let call = inner.calls.iter_mut().find(|call| call.sid.to_string() == sid && !call.status.is_final());
        let Some(call) = call else { return };
        let done = if (200..300).contains(&status) {
            enqueue::run(&self.world, call, &self.account, body)
        } else {
            Err(format!("the TwiML request was answered by {status}"))
        };
        if let Err(reason) = done {
            tracing::warn!(%reason, "a Call has no instructions");
            self.advance(call, CallStatus::Completed, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, CallsInner> {
        self.inner.lock()
    }

    /// Sends the status callback for a Call's present status, if the Call requests it.
    fn tell(&self, call: &mut Call) {
        let Some(url) = call.param("StatusCallback").filter(|_| call.wants_callback()) else { return };
        let label = format!("call.{}", call.status.event());
        self.callbacks.post_form(url, call.sid.to_string(), label, call.callback(&self.account));
        call.sequence += 1;
    }

    pub(super) fn create(&self, request: &Request) -> Result<Reply, ApiError> {
        let form = request.form()?;
        form.only(&CREATE)?;
        let missing = |code, what: &str| ApiError::new(400, code, format!("{what} is required"));
        form.filled("To").ok_or_else(|| missing(21201, "To"))?;
        form.filled("From").ok_or_else(|| missing(21213, "From"))?;
        if !["Url", "Twiml", "ApplicationSid"].iter().any(|name| form.filled(name).is_some()) {
            return Err(missing(21205, "Url, Twiml or ApplicationSid"));
        }
        check(&form)?;
        let now = self.clock.now_ms();
        let mut inner = self.lock();
        let slot = inner.next_slot.max(now);
        inner.next_slot = slot + SPACING_MS;
        let mut call = Call {
            sid: Sid::draw(Kind::Call, &mut inner.ids),
            status: CallStatus::Queued,
            params: form.pairs().to_vec(),
            created: now,
            updated: now,
            answered: None,
            ended: None,
            queue_time: slot - now,
            sequence: 0,
            task: None,
        };
        self.tell(&mut call);
        let reply = Reply::json(201, &call.render(&self.account));
        let way: &[CallStatus] = match inner.answering {
            Answering::ByHand => &[],
            Answering::Answers => &[CallStatus::Ringing, CallStatus::InProgress],
            Answering::Busy => &[CallStatus::Busy],
            Answering::NoAnswer => &[CallStatus::Ringing, CallStatus::NoAnswer],
            Answering::Fails => &[CallStatus::Failed],
        };
        way.iter().for_each(|status| self.advance(&mut call, *status, now));
        if inner.calls.len() == CALLS {
            inner.calls.pop_front();
        }
        inner.calls.push_back(call);
        Ok(reply)
    }

    pub(super) fn fetch(&self, request: &Request, segment: &str) -> Result<Reply, ApiError> {
        request.no_parameters()?;
        let inner = self.lock();
        let found =
            sid_of(segment).and_then(|sid| inner.calls.iter().find(|call| call.sid.to_string() == sid));
        let call = found.ok_or_else(|| ApiError::not_found(&request.path))?;
        Ok(Reply::json(200, &call.render(&self.account)))
    }

    /// `Status=completed` ends a Call, `Status=canceled` one that was not answered; `Url` and `Twiml` redirect it.
    pub(super) fn update(&self, request: &Request, segment: &str) -> Result<Reply, ApiError> {
        let form = request.form()?;
        form.only(&UPDATE)?;
        check(&form)?;
        let now = self.clock.now_ms();
        let mut inner = self.lock();
        let sid = sid_of(segment).unwrap_or_default();
        let found = inner.calls.iter_mut().find(|call| call.sid.to_string() == sid);
        let call = found.ok_or_else(|| ApiError::not_found(&request.path))?;
        if call.status.is_final() {
            return Err(ApiError::new(400, 21220, "Call is not in-progress. Cannot redirect."));
        }
        match form.filled("Status") {
            None => {}
            Some("completed") => call.move_to(CallStatus::Completed, now),
            Some("canceled") if call.status != CallStatus::InProgress => {
                call.move_to(CallStatus::Canceled, now);
            }
            Some(other) => return Err(ApiError::invalid(format!("Status {other} cannot be set"))),
        }
        let changed = |name: &str| form.pairs().iter().any(|(n, _)| n == name);
        call.params.retain(|(name, _)| !changed(name));
        call.params.extend(form.pairs().iter().filter(|(name, _)| name != "Status").cloned());
        if call.status.is_final() {
            self.tell(call);
            enqueue::hung_up(&self.world, call);
        }
        Ok(Reply::json(200, &call.render(&self.account)))
    }

    pub(super) fn list(&self, request: &Request) -> Result<Reply, ApiError> {
        let query = &request.query;
        let is =
            |name: &str, value: Option<&str>| query.filled(name).is_none_or(|wanted| value == Some(wanted));
        let inner = self.lock();
        let wanted = |call: &&Call| {
            is("To", call.param("To"))
                && is("From", call.param("From"))
                && is("Status", Some(call.status.as_str()))
        };
        let rows: Vec<JsonObject> =
            inner.calls.iter().rev().filter(wanted).map(|call| call.render(&self.account)).collect();
        page::reply(request, "calls", &["To", "From", "Status"], &rows)
    }
}

fn check(form: &Params) -> Result<(), ApiError> {
    form.integer("Timeout", 1..=600)?;
    if form.one("Twiml").is_some_and(|twiml| twiml.chars().count() > MAX_TWIML) {
        return Err(ApiError::invalid(format!("Twiml is longer than {MAX_TWIML} characters")));
    }
    // Twilio does not call hosts with an underscore in their name.
    for name in ["Url", "StatusCallback", "FallbackUrl"] {
        let host =
            form.filled(name).and_then(|url| url.split("://").nth(1)).and_then(|rest| rest.split('/').next());
        if host.is_some_and(|host| host.contains('_')) || form.filled(name).is_some() && host.is_none() {
            return Err(ApiError::new(400, 21205, format!("{name} is not a valid URL")));
        }
    }
    Ok(())
}
