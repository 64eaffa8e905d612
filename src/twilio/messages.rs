//! Messages, as far as we send them. Each is tried once: a second request might send it a second time.

use std::sync::Arc;

use serde::de::IgnoredAny;

use super::call::{Api, Call, RequestBody};
use super::client::Client;
use super::error::TwilioError;
use crate::sid::AccountSid;

#[derive(Debug, Clone)]
pub struct Messages {
    client: Arc<Client>,
    account: AccountSid,
}

impl Messages {
    pub fn new(client: Arc<Client>, account: AccountSid) -> Self {
        Self { client, account }
    }

    /// `POST Messages`: accepted by Twilio, which is not yet delivered.
    pub async fn send(&self, to: &str, from: &str, body: &str) -> Result<(), TwilioError> {
        let fields = [("To", to), ("From", from), ("Body", body)];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let target = format!("/2010-04-01/Accounts/{}/Messages.json", self.account);
        let call = Call::post(Api::Voice, target, "POST Messages".to_owned(), RequestBody::Form(form));
        self.client.once::<IgnoredAny>(&call).await.map(drop)
    }
}
