//! Flex user tokens: opaque text that only Twilio can check.
//!
//! `POST /v1/Accounts/{AC}/Tokens/validate` with `{"token": …}` answers whether a token is valid and whose it is. The
//! only public source is the package `twilio-flex-token-validator`; status and text of a refusal are not known, so
//! they can be set. A test registers the tokens that are to be valid.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::{Clock, iso_ms};
use crate::error::ApiError;
use crate::rest::reply::Reply;
use crate::rest::request::Request;
use crate::settings::Account;

/// Default lifetime of Flex tokens.
const LIFETIME_MS: i64 = 3_600_000;
/// Tokens remembered; beyond it all are forgotten, which no test comes near.
const MAX_TOKENS: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlexToken {
    /// The user's name at Flex, such as an e-mail address.
    pub realm_user_id: String,
    /// The escaped form of it, such as `user_40example_2Dcom`.
    pub identity: String,
    /// `agent`, `supervisor`, `admin`, …
    pub roles: Vec<String>,
    /// The Worker's SID, `WK…`; `None` if the user is no Worker.
    pub worker_sid: Option<String>,
    /// When it expires; `None`: an hour after registration.
    pub expiration: Option<Timestamp>,
}

impl Default for FlexToken {
    fn default() -> Self {
        Self {
            realm_user_id: "agent@example.com".to_owned(),
            identity: "agent_40example_2Ecom".to_owned(),
            roles: vec!["agent".to_owned()],
            worker_sid: None,
            expiration: None,
        }
    }
}

/// The handle; clones are the same.
#[derive(Debug, Clone)]
pub struct Tokens {
    inner: Arc<Mutex<TokensInner>>,
    clock: Clock,
}

#[derive(Debug)]
struct TokensInner {
    tokens: HashMap<String, (FlexToken, i64)>,
    refusal_status: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    token: String,
}

impl Tokens {
    pub(crate) fn new(clock: &Clock) -> Self {
        let inner = TokensInner { tokens: HashMap::new(), refusal_status: 200 };
        Self { inner: Arc::new(Mutex::new(inner)), clock: clock.clone() }
    }

    pub fn register(&self, token: &str, of: FlexToken) {
        let end = of.expiration.map_or_else(|| self.clock.now_ms() + LIFETIME_MS, Timestamp::as_millisecond);
        let mut inner = self.lock();
        if inner.tokens.len() >= MAX_TOKENS {
            inner.tokens.clear();
        }
        inner.tokens.insert(token.to_owned(), (of, end));
    }

    /// Makes a token invalid; `false` if it was not registered.
    pub fn revoke(&self, token: &str) -> bool {
        self.lock().tokens.remove(token).is_some()
    }

    /// The HTTP status of "not valid" answers; 200 unless set.
    pub fn set_refusal_status(&self, status: u16) {
        self.lock().refusal_status = status;
    }

    fn lock(&self) -> MutexGuard<'_, TokensInner> {
        self.inner.lock()
    }

    /// Answers a request whose path starts with `/v1/Accounts`.
    pub(crate) fn route(&self, account: &Account, request: &Request) -> Result<Reply, ApiError> {
        match (request.method.as_str(), &request.route()[..]) {
            ("POST", ["v1", "Accounts", sid, "Tokens", "validate"]) => {
                if *sid != account.account_sid {
                    return Err(ApiError::not_found(&request.path));
                }
                self.validate(request)
            }
            _ => Err(ApiError::unknown_path(&request.path)),
        }
    }

    fn validate(&self, request: &Request) -> Result<Reply, ApiError> {
        request.no_parameters()?;
        let body: TokenRequest = serde_json::from_slice(&request.body)
            .map_err(|error| ApiError::invalid(format!("The body is not understood: {error}")))?;
        let now = self.clock.now_ms();
        let inner = self.lock();
        let (status, body) = match inner.tokens.get(&body.token).filter(|(_, end)| *end > now) {
            Some((of, end)) => (200, valid(of, *end)),
            None => (
                inner.refusal_status,
                json!({ "valid": false, "code": 20101, "message": "Invalid Access Token" }),
            ),
        };
        Ok(Reply::json(status, &body))
    }
}

fn valid(of: &FlexToken, end: i64) -> Value {
    let mut body = json!({
        "valid": true,
        "code": 0,
        "message": Value::Null,
        "expiration": iso_ms(end),
        "realm_user_id": of.realm_user_id,
        "identity": of.identity,
        "roles": of.roles,
    });
    if let Some(worker) = &of.worker_sid {
        body["worker_sid"] = worker.as_str().into();
    }
    body
}
