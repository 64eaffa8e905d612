//! Checks a Flex user's token. It is encrypted, so only Twilio can tell whether it is good and whose it is.
//!
//! Source: the package `twilio-flex-token-validator` 1.6.0. What a refusal looks like beyond `valid: false` is not
//! documented, so only a plain yes counts as one.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Api, Call, RequestBody};
use super::client::Client;
use super::error::TwilioError;
use crate::sid::{AccountSid, WorkerSid};

#[derive(Debug, Clone)]
pub struct FlexUsers {
    client: Arc<Client>,
    account: AccountSid,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlexUser {
    pub name: Box<str>,
    /// `agent`, `supervisor`, `admin`, …
    pub roles: Box<[Box<str>]>,
    pub worker: Option<WorkerSid>,
    /// Until when the token is good, where Twilio says so.
    pub expires: Option<Timestamp>,
}

#[derive(Deserialize)]
struct TokenValidation {
    #[serde(default)]
    valid: Option<bool>,
    /// Text as far as Twilio documents it; a number or anything else says nothing of when it ends.
    #[serde(default)]
    expiration: Value,
    #[serde(default)]
    realm_user_id: Option<Box<str>>,
    #[serde(default)]
    identity: Option<Box<str>>,
    #[serde(default)]
    roles: Option<Vec<Option<Box<str>>>>,
    #[serde(default)]
    worker_sid: Option<String>,
}

impl FlexUsers {
    pub fn new(client: Arc<Client>, account: AccountSid) -> Self {
        Self { client, account }
    }

    /// Whose token it is; `None` when it belongs to no user. An error means that this can't be told now.
    pub async fn user(&self, token: &SecretString) -> Result<Option<FlexUser>, TwilioError> {
        let target = format!("/v1/Accounts/{}/Tokens/validate", self.account);
        let body = RequestBody::Json(json!({ "token": token.expose_secret() }).to_string());
        let call = Call::post(Api::Iam, target, "POST Tokens/validate".to_owned(), body);
        match self.client.once::<TokenValidation>(&call).await {
            Ok(answer) if answer.valid == Some(true) => Ok(Some(answer.into())),
            Ok(_) => Ok(None),
            Err(error) if says_no(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether an error status is about the token, rather than about us (credentials) or about now (limits, outages).
fn says_no(error: &TwilioError) -> bool {
    matches!(error, TwilioError::Status { status: 400..=499, .. })
        && !matches!(error, TwilioError::Status { status: 401 | 408 | 429, .. })
}

impl From<TokenValidation> for FlexUser {
    fn from(answer: TokenValidation) -> Self {
        Self {
            name: answer.realm_user_id.or(answer.identity).unwrap_or_default(),
            roles: answer.roles.unwrap_or_default().into_iter().flatten().collect(),
            worker: answer.worker_sid.and_then(|sid| sid.parse().ok()),
            expires: expires(&answer.expiration),
        }
    }
}

/// ISO 8601 as text, or seconds or milliseconds since 1970 as a number.
fn expires(expiration: &Value) -> Option<Timestamp> {
    match expiration {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            let number = number.as_i64()?;
            // As seconds this would be the year 5138; as milliseconds, 1973.
            if number < 100_000_000_000 {
                Timestamp::from_second(number).ok()
            } else {
                Timestamp::from_millisecond(number).ok()
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(answer: Value) -> FlexUser {
        serde_json::from_value::<TokenValidation>(answer).unwrap().into()
    }

    #[test]
    fn null_is_as_absent_and_an_expiration_may_be_a_number() {
        let nulls = json!({
            "valid": true, "expiration": null, "realm_user_id": null, "identity": null, "roles": null, "worker_sid": null,
        });
        let nulls = user(nulls);
        assert_eq!((&*nulls.name, nulls.roles.len(), nulls.expires), ("", 0, None));
        let end: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        for expiration in [json!("2026-11-29T12:00:00Z"), json!(end.as_second()), json!(end.as_millisecond())]
        {
            let one = user(json!({ "valid": true, "expiration": expiration, "roles": ["agent", null] }));
            assert_eq!((one.expires, one.roles.len()), (Some(end), 1), "{expiration}");
        }
        assert_eq!(user(json!({ "valid": true, "expiration": { "at": 1 } })).expires, None);
    }
}
