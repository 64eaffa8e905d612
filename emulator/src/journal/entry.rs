//! One record of the journal, which records to look for, and the running totals.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// `taskrouter.twilio.com`: TaskRouter.
    TaskRouter,
    /// `sync.twilio.com`: Sync.
    Sync,
    /// `api.twilio.com`: Calls and Messages.
    Api,
    /// `iam.twilio.com`: Flex token validation.
    Iam,
    /// `flex-api.twilio.com`: the Plugins API.
    Flex,
    /// A path that belongs to none of them.
    Unknown,
}

/// All products, in the order of `Api as usize`.
pub(crate) const APIS: [Api; 6] = [Api::TaskRouter, Api::Sync, Api::Api, Api::Iam, Api::Flex, Api::Unknown];

#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    #[serde(skip)]
    pub at: Instant,
    pub api: Api,
    pub method: Arc<str>,
    pub path: Box<str>,
    /// Query as received, without `?`.
    pub query: Box<str>,
    /// `User-Agent` as sent.
    pub user_agent: Box<str>,
    /// Status answered; 0 if the connection ended without an answer.
    pub status: u16,
    /// Twilio's error code answered.
    pub code: Option<u32>,
    /// Why the request was refused; `None` if it was not.
    pub refusal: Option<Refusal>,
    /// The Sync object: its unique name, or its SID if it has none.
    pub sync_object: Option<Box<str>>,
    pub key: Option<Box<str>>,
    /// Size of the `Data` written, as stored.
    pub payload_bytes: usize,
    pub faulty: bool,
    /// From the request's arrival to its answer. In JSON, milliseconds.
    #[serde(with = "crate::clock::millis")]
    pub took: Duration,
}

/// Which records to count; a field that is `None` matches all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub api: Option<Api>,
    /// The method, such as `POST`.
    pub method: Option<String>,
    pub path: Option<String>,
    pub status: Option<u16>,
    /// The Sync object's unique name or SID.
    pub sync_object: Option<String>,
    pub key: Option<String>,
}

/// Totals since the start or the last `clear`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub requests: u64,
    /// Requests that were answered 429.
    pub throttled: u64,
    /// … of those, because of a per-second limit.
    pub over_rate: u64,
    /// … because of too many in flight.
    pub over_concurrency: u64,
    pub unknown_paths: u64,
    pub unknown_parameters: u64,
    /// Requests that were answered 401.
    pub unauthorized: u64,
    /// Requests that were answered 5xx or not at all.
    pub failed: u64,
}

impl Filter {
    pub(super) fn passes(&self, entry: &Entry) -> bool {
        let same = |wanted: &Option<String>, found: &Option<Box<str>>| {
            wanted.as_deref().is_none_or(|wanted| found.as_deref() == Some(wanted))
        };
        self.api.is_none_or(|api| api == entry.api)
            && self.method.as_deref().is_none_or(|method| method == &*entry.method)
            && self.path.as_deref().is_none_or(|path| entry.path.contains(path))
            && self.status.is_none_or(|status| status == entry.status)
            && same(&self.sync_object, &entry.sync_object)
            && same(&self.key, &entry.key)
    }
}

impl Totals {
    pub(super) fn count(&mut self, entry: &Entry) {
        self.requests += 1;
        self.throttled += u64::from(entry.status == 429);
        self.over_rate += u64::from(entry.refusal == Some(Refusal::RateLimit));
        self.over_concurrency += u64::from(entry.refusal == Some(Refusal::Concurrency));
        self.unknown_paths += u64::from(entry.refusal == Some(Refusal::UnknownPath));
        self.unknown_parameters += u64::from(entry.refusal == Some(Refusal::UnknownParameter));
        self.unauthorized += u64::from(entry.status == 401);
        self.failed += u64::from(entry.status == 0 || entry.status >= 500);
    }
}
