//! Messages: accepted and recorded. A test sets their status.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use serde_json::Value;

use super::{page, sid_of};
use crate::clock::{Clock, rfc2822};
use crate::error::ApiError;
use crate::json::{JsonObject, object};
use crate::rest::reply::Reply;
use crate::rest::request::Request;
use crate::sid::{Kind, Sid};

const MESSAGES: usize = 10_000;
/// Longest body in characters.
const MAX_BODY: usize = 1_600;

/// Parameters of `POST Messages.json` (OpenAPI).
const CREATE: [&str; 22] = [
    "To",
    "From",
    "MessagingServiceSid",
    "Body",
    "MediaUrl",
    "ContentSid",
    "ContentVariables",
    "StatusCallback",
    "ApplicationSid",
    "MaxPrice",
    "ProvideFeedback",
    "Attempt",
    "ValidityPeriod",
    "ForceDelivery",
    "ContentRetention",
    "AddressRetention",
    "SmartEncoded",
    "PersistentAction",
    "ShortenUrls",
    "ScheduleType",
    "SendAt",
    "RiskCheck",
];

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageView {
    /// The Message's SID, `SM…`.
    pub sid: String,
    pub to: String,
    /// The sender's number; `None` with a messaging service.
    pub from: Option<String>,
    pub body: String,
    pub params: Vec<(String, String)>,
}

/// The handle; clones are the same.
#[derive(Debug, Clone)]
pub struct Messages {
    inner: Arc<Mutex<MessagesInner>>,
    account: String,
    clock: Clock,
}

#[derive(Debug)]
struct MessagesInner {
    messages: VecDeque<(MessageView, i64)>,
    ids: StdRng,
}

impl Messages {
    pub(crate) fn new(account: &str, seed: u64, clock: &Clock) -> Self {
        let inner = MessagesInner { messages: VecDeque::new(), ids: StdRng::seed_from_u64(seed ^ 0x5e) };
        Self { inner: Arc::new(Mutex::new(inner)), account: account.to_owned(), clock: clock.clone() }
    }

    /// All remembered Messages, oldest first.
    pub fn all(&self) -> Vec<MessageView> {
        self.lock().messages.iter().map(|(message, _)| message.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, MessagesInner> {
        self.inner.lock()
    }

    pub(super) fn create(&self, request: &Request) -> Result<Reply, ApiError> {
        let form = request.form()?;
        form.only(&CREATE)?;
        let missing = |code, what: &str| ApiError::new(400, code, format!("{what} is required"));
        let to = form.filled("To").ok_or_else(|| missing(21604, "To"))?.to_owned();
        if form.filled("From").is_none() && form.filled("MessagingServiceSid").is_none() {
            return Err(missing(21603, "From or MessagingServiceSid"));
        }
        if !["Body", "MediaUrl", "ContentSid"].iter().any(|name| form.filled(name).is_some()) {
            return Err(missing(21602, "Body, MediaUrl or ContentSid"));
        }
        let body = form.one("Body").unwrap_or_default().to_owned();
        if body.chars().count() > MAX_BODY {
            return Err(ApiError::new(400, 21617, format!("The Body is longer than {MAX_BODY} characters")));
        }
        form.integer("ValidityPeriod", 1..=36_000)?;
        let now = self.clock.now_ms();
        let mut inner = self.lock();
        let sid = Sid::draw(Kind::Message, &mut inner.ids).to_string();
        let from = form.filled("From").map(str::to_owned);
        let message = MessageView { sid, to, from, body, params: form.pairs().to_vec() };
        let reply = Reply::json(201, &self.render(&message, now));
        if inner.messages.len() == MESSAGES {
            inner.messages.pop_front();
        }
        inner.messages.push_back((message, now));
        Ok(reply)
    }

    pub(super) fn fetch(&self, request: &Request, segment: &str) -> Result<Reply, ApiError> {
        request.no_parameters()?;
        let inner = self.lock();
        let found =
            sid_of(segment).and_then(|sid| inner.messages.iter().find(|(message, _)| message.sid == sid));
        let (message, at) = found.ok_or_else(|| ApiError::not_found(&request.path))?;
        Ok(Reply::json(200, &self.render(message, *at)))
    }

    pub(super) fn list(&self, request: &Request) -> Result<Reply, ApiError> {
        let query = &request.query;
        let is =
            |name: &str, value: Option<&str>| query.filled(name).is_none_or(|wanted| value == Some(wanted));
        let inner = self.lock();
        let wanted = |(m, _): &&(MessageView, i64)| is("To", Some(&m.to)) && is("From", m.from.as_deref());
        let rows: Vec<JsonObject> =
            inner.messages.iter().rev().filter(wanted).map(|(m, at)| self.render(m, *at)).collect();
        page::reply(request, "messages", &["To", "From"], &rows)
    }

    fn render(&self, message: &MessageView, at: i64) -> JsonObject {
        let account = &self.account;
        let folder = format!("/2010-04-01/Accounts/{account}/Messages/{}", message.sid);
        let param = |name: &str| message.params.iter().find(|(n, _)| n == name).map(|(_, value)| value);
        object!({
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": message.body,
            "date_created": rfc2822(at),
            "date_sent": Value::Null,
            "date_updated": rfc2822(at),
            "direction": "outbound-api",
            "error_code": Value::Null,
            "error_message": Value::Null,
            "from": message.from,
            "num_media": message.params.iter().filter(|(name, _)| name == "MediaUrl").count().to_string(),
            "num_segments": segments(&message.body).to_string(),
            "price": Value::Null,
            "price_unit": Value::Null,
            // A messaging service accepts first and chooses a number later.
            "messaging_service_sid": param("MessagingServiceSid"),
            "sid": message.sid,
            "status": if message.from.is_some() { "queued" } else { "accepted" },
            "subresource_uris": object!({ "media": format!("{folder}/Media.json") }),
            "to": message.to,
            "uri": format!("{folder}.json"),
        })
    }
}

/// Segments of 160 characters, or of 70 as soon as one is not in GSM-7 (approximated by ASCII). Messages of several
/// segments lose a little of each to the header that joins them.
fn segments(body: &str) -> usize {
    let length = body.encode_utf16().count();
    let (single, joined) = if body.is_ascii() { (160, 153) } else { (70, 67) };
    if length <= single { 1 } else { length.div_ceil(joined) }
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn counts_segments() {
        let counts = ["", "Hello", &"x".repeat(160), &"x".repeat(161), &"é".repeat(71)].map(segments);
        assert_eq!(counts, [1, 1, 1, 2, 2]);
    }
}
