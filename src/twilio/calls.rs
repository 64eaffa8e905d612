//! Calls, as far as we place and end them. Each request is tried once: a second one might ring a second time.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::call::{Api, Call, RequestBody};
use super::client::Client;
use super::error::TwilioError;
use crate::sid::{AccountSid, CallSid};

/// What a status callback is wanted for, besides the end.
const EVENTS: [&str; 3] = ["ringing", "answered", "completed"];

#[derive(Debug, Clone)]
pub struct Calls {
    client: Arc<Client>,
    account: AccountSid,
}

#[derive(Debug, Clone, Copy)]
pub struct NewCall<'a> {
    pub to: &'a str,
    pub from: &'a str,
    /// Where Twilio asks what to do once the Call is answered.
    pub url: &'a str,
    /// Where Twilio tells how it goes.
    pub status_callback: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PlacedCall {
    pub sid: CallSid,
    /// `queued`, as a rule.
    pub status: Box<str>,
}

impl Calls {
    pub fn new(client: Arc<Client>, account: AccountSid) -> Self {
        Self { client, account }
    }

    /// `POST Calls`
    pub async fn place(&self, new: NewCall<'_>) -> Result<PlacedCall, TwilioError> {
        let fields =
            [("To", new.to), ("From", new.from), ("Url", new.url), ("StatusCallback", new.status_callback)];
        let events = EVENTS.map(|event| ("StatusCallbackEvent", event));
        let fields = fields.into_iter().chain(events);
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let target = format!("/2010-04-01/Accounts/{}/Calls.json", self.account);
        let call = Call::post(Api::Voice, target, "POST Calls".to_owned(), RequestBody::Form(form));
        self.client.once(&call).await
    }

    /// `POST Calls/{sid}` with `Status=completed`: hangs up.
    pub async fn complete(&self, sid: CallSid) -> Result<(), TwilioError> {
        let target = format!("/2010-04-01/Accounts/{}/Calls/{sid}.json", self.account);
        let body = RequestBody::Form("Status=completed".to_owned());
        let call = Call::post(Api::Voice, target, "POST Calls/{sid}".to_owned(), body);
        self.client.once::<IgnoredAny>(&call).await.map(drop)
    }
}
