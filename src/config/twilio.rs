//! The account: who we are to Twilio, and where Twilio is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use super::parse::{INTERVAL, base_url, duration_from, list};
use super::reader::VariableReader;
use super::region::{Region, part};
use super::variables as var;
use crate::sid::{AccountSid, ApiKeySid, SyncServiceSid, WorkspaceSid};

/// A webhook rule holds two at most; a little more than that.
const MOST_SHARED_KEYS: usize = 4;

#[derive(Debug, Clone)]
pub struct TwilioConfig {
    /// `TWILIO_ACCOUNT_SID`
    pub account_sid: AccountSid,
    /// `TWILIO_AUTH_TOKEN`, then `TWILIO_AUTH_TOKEN_SECONDARY` where set. Twilio signs with the primary only; during
    /// a rotation requests signed with either can arrive.
    pub auth_tokens: Vec<SecretString>,
    /// `TWILIO_WEBHOOK_SHARED_KEY`: those that a webhook rule may hold while one takes the other's place.
    pub shared_keys: Vec<SecretString>,
    /// `TWILIO_API_KEY` and `TWILIO_API_SECRET`; REST calls use them where present.
    pub api_key: Option<ApiKey>,
    /// `TWILIO_TASKROUTER_AUTH_TOKEN`: for TaskRouter's REST calls, where that is in another region.
    pub taskrouter_token: Option<SecretString>,
    /// `TWILIO_SYNC_AUTH_TOKEN`: the same for Sync's.
    pub sync_token: Option<SecretString>,
    /// The region as access tokens name it (`twr`), where it is not Twilio's default.
    pub token_region: Option<String>,
    /// `TWILIO_WORKSPACE_SID`
    pub workspace_sid: WorkspaceSid,
    /// `TWILIO_SYNC_SERVICE_SID`, default `default`.
    pub sync_service: SyncServiceName,
    /// `TWILIO_TIMEOUT`: the longest one REST request may take, default 10 s.
    pub timeout: Duration,
    /// `SYNC_TOKEN_LIFE`: how long a page's Sync access token lasts, default 60 min.
    pub token_life: Duration,
    /// Where the REST APIs are.
    pub base_urls: BaseUrls,
}

#[derive(Debug, Clone)]
pub struct ApiKey {
    pub sid: ApiKeySid,
    pub secret: SecretString,
}

/// The base URLs of Twilio's products, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrls {
    /// `TWILIO_TASKROUTER_URL`
    pub taskrouter: String,
    /// `TWILIO_SYNC_URL`
    pub sync: String,
    /// `TWILIO_API_URL`
    pub api: String,
    /// `TWILIO_IAM_URL`
    pub iam: String,
    /// `TWILIO_FLEX_URL`
    pub flex: String,
}

/// Which Sync Service: its SID, or the account's default one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncServiceName {
    /// The alias `default`. Twilio documents it for some endpoints only; a SID is the safer choice.
    Default,
    Sid(SyncServiceSid),
}

impl fmt::Display for SyncServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Sid(sid) => sid.fmt(f),
        }
    }
}

impl FromStr for SyncServiceName {
    type Err = crate::sid::SidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "default" { Ok(Self::Default) } else { text.parse().map(Self::Sid) }
    }
}

impl TwilioConfig {
    pub(super) fn read(reader: &mut VariableReader<'_>) -> Option<Self> {
        let account_sid = reader.required(&var::TWILIO_ACCOUNT_SID, |s| s.parse().ok());
        let token = |s: &str| secret(s, 5);
        let primary = reader.required(&var::TWILIO_AUTH_TOKEN, token);
        let secondary = reader.optional(&var::TWILIO_AUTH_TOKEN_SECONDARY, token);
        let shared_keys = |s: &str| {
            let keys = list(s).into_iter().map(|key| secret(key, 1)).collect::<Option<Vec<_>>>();
            keys.filter(|keys| keys.len() <= MOST_SHARED_KEYS)
        };
        let shared_keys = reader.or_default(&var::TWILIO_WEBHOOK_SHARED_KEY, Vec::new(), shared_keys);
        let api_key = read_api_key(reader);
        let workspace_sid = reader.required(&var::TWILIO_WORKSPACE_SID, |s| s.parse().ok());
        let sync_service =
            reader.or_default(&var::TWILIO_SYNC_SERVICE_SID, SyncServiceName::Default, |s| s.parse().ok());
        let timeout =
            reader.or_default(&var::TWILIO_TIMEOUT, Duration::from_secs(10), |s| duration_from(INTERVAL, s));
        let token_life = reader.or_default(&var::SYNC_TOKEN_LIFE, Duration::from_secs(3600), |s| {
            duration_from(Duration::from_secs(60), s)
        });
        let region = Region {
            region: reader.optional(&var::TWILIO_REGION, part),
            edge: reader.optional(&var::TWILIO_EDGE, part),
        };
        let taskrouter_token = reader.optional(&var::TWILIO_TASKROUTER_AUTH_TOKEN, token);
        let sync_token = reader.optional(&var::TWILIO_SYNC_AUTH_TOKEN, token);
        let mut url = |variable, default: String| reader.or_default(variable, default, base_url);
        let base_urls = BaseUrls {
            taskrouter: url(&var::TWILIO_TASKROUTER_URL, region.base_url("taskrouter")),
            sync: url(&var::TWILIO_SYNC_URL, region.base_url("sync")),
            api: url(&var::TWILIO_API_URL, region.base_url("api")),
            iam: url(&var::TWILIO_IAM_URL, region.iam_url()),
            // Flex is in no other region.
            flex: url(&var::TWILIO_FLEX_URL, "https://flex-api.twilio.com".to_owned()),
        };
        // Where Sync is elsewhere, tokens for it say nothing of this region.
        let token_region = region.in_tokens().filter(|_| base_urls.sync == region.base_url("sync"));
        Some(Self {
            account_sid: account_sid?,
            // Callbacks of a region are signed by its own token.
            auth_tokens: std::iter::once(primary?).chain(secondary).chain(taskrouter_token.clone()).collect(),
            taskrouter_token,
            sync_token,
            token_region,
            shared_keys,
            api_key,
            workspace_sid: workspace_sid?,
            sync_service,
            timeout,
            token_life,
            base_urls,
        })
    }
}

fn read_api_key(reader: &mut VariableReader<'_>) -> Option<ApiKey> {
    let (has_sid, has_secret) = (reader.is_set(&var::TWILIO_API_KEY), reader.is_set(&var::TWILIO_API_SECRET));
    if has_sid != has_secret {
        let (missing, present) = if has_sid {
            (&var::TWILIO_API_SECRET, &var::TWILIO_API_KEY)
        } else {
            (&var::TWILIO_API_KEY, &var::TWILIO_API_SECRET)
        };
        reader.problem(missing, format!("nothing, while {} is set", present.name));
    }
    let sid = reader.optional(&var::TWILIO_API_KEY, |s| s.parse().ok());
    let secret = reader.optional(&var::TWILIO_API_SECRET, |s| secret(s, 1));
    Some(ApiKey { sid: sid?, secret: secret? })
}

pub(super) fn secret(text: &str, shortest: usize) -> Option<SecretString> {
    let fits = text.chars().count() >= shortest && !text.contains(char::is_whitespace);
    fits.then(|| SecretString::from(text))
}
