//! Faults on request: what a network, a gateway or an outage at Twilio does to a client.
//!
//! A fault matches requests and happens a number of times, or until it is removed. By default it strikes *before* the
//! request is carried out; `after_processing` lets it strike after, so that the client cannot know the outcome.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::journal::Api;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    Status {
        status: u16,
        /// Twilio's code; none leaves it out of the body.
        #[serde(default)]
        code: Option<u32>,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The connection is reset without an answer.
    Reset,
    /// No answer until the fault is removed or the client leaves.
    Hang,
    /// Carried out this much later. In JSON, milliseconds.
    Slow(#[serde(with = "crate::clock::millis")] Duration),
    /// The answer is cut off in the middle of its JSON, with a matching length.
    MalformedJson,
    /// The answer is JSON of the wrong types: text where numbers were, numbers where text was.
    WrongTypes,
    /// The answer is shorter than its `Content-Length`, and then the connection closes.
    Truncated,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    #[serde(default)]
    pub api: Option<Api>,
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub path: Option<String>,
    pub kind: FaultKind,
    /// How often; `None` until removed.
    #[serde(default)]
    pub times: Option<u32>,
    /// Strike after the request was carried out.
    #[serde(default)]
    pub after_processing: bool,
}

impl Fault {
    /// A fault that strikes every request, until removed.
    pub const fn new(kind: FaultKind) -> Self {
        Self { api: None, method: None, path: None, kind, times: None, after_processing: false }
    }

    pub const fn status(status: u16, code: u32) -> Self {
        Self::new(FaultKind::Status { status, code: Some(code), retry_after: None })
    }

    #[must_use]
    pub const fn on(mut self, api: Api) -> Self {
        self.api = Some(api);
        self
    }

    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Strike after the request was carried out: its outcome stands, and the client does not learn of it.
    #[must_use]
    pub const fn after_processing(mut self) -> Self {
        self.after_processing = true;
        self
    }

    fn strikes(&self, api: Api, method: &str, path: &str) -> bool {
        self.times != Some(0)
            && self.api.is_none_or(|wanted| wanted == api)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|part| path.contains(part))
    }
}

/// The handle; clones are the same.
#[derive(Debug, Clone)]
pub struct Faults(Arc<FaultsShared>);

#[derive(Debug)]
struct FaultsShared {
    inner: Mutex<FaultsInner>,
    removals: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct FaultsInner {
    last: u64,
    faults: Vec<(u64, Fault)>,
    struck: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self(Arc::new(FaultsShared { inner: Mutex::default(), removals: watch::Sender::new(0) }))
    }
}

impl Faults {
    /// Adds a fault. Of several that match, the one added first strikes. Returns an id to remove it by.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut inner = self.lock();
        inner.last += 1;
        let id = inner.last;
        inner.faults.push((id, fault));
        id
    }

    /// Removes a fault; `false` if it is not there.
    pub fn remove(&self, id: u64) -> bool {
        let mut inner = self.lock();
        let before = inner.faults.len();
        inner.faults.retain(|(n, _)| *n != id);
        let removed = inner.faults.len() < before;
        drop(inner);
        self.0.removals.send_modify(|count| *count += 1);
        removed
    }

    pub fn clear(&self) {
        self.lock().faults.clear();
        self.0.removals.send_modify(|count| *count += 1);
    }

    /// The faults that may still strike, with their ids.
    pub fn list(&self) -> Vec<(u64, Fault)> {
        self.lock().faults.iter().filter(|(_, fault)| fault.times != Some(0)).cloned().collect()
    }

    /// How many requests were struck so far.
    pub fn struck(&self) -> u64 {
        self.lock().struck
    }

    /// The fault that strikes a request, if one does.
    pub(crate) fn strike(&self, api: Api, method: &str, path: &str) -> Option<(u64, Fault)> {
        let mut inner = self.lock();
        let (id, fault) = inner.faults.iter_mut().find(|(_, fault)| fault.strikes(api, method, path))?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        let found = (*id, fault.clone());
        // A used-up hang must stay until removed, so that the requests it holds keep hanging.
        let used_up = found.1.times == Some(0) && found.1.kind != FaultKind::Hang;
        if used_up {
            inner.faults.retain(|(n, _)| *n != found.0);
        }
        inner.struck += 1;
        Some(found)
    }

    /// Waits until a fault is removed.
    pub(crate) async fn removed(&self, id: u64) {
        let mut removals = self.0.removals.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = removals.wait_for(|_| !self.lock().faults.iter().any(|(n, _)| *n == id)).await;
    }

    fn lock(&self) -> MutexGuard<'_, FaultsInner> {
        self.0.inner.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_what_it_matches_as_often_as_set() {
        let faults = Faults::default();
        faults.add(Fault::status(503, 20503).on(Api::Sync).method("POST").path("/Items").times(2));
        let strike = |api, method, path| faults.strike(api, method, path).is_some();
        assert!(!strike(Api::TaskRouter, "POST", "/Items"));
        assert!(!strike(Api::Sync, "GET", "/Items"));
        assert!(!strike(Api::Sync, "POST", "/Documents"));
        assert!(strike(Api::Sync, "POST", "/x/Items"));
        assert!(strike(Api::Sync, "POST", "/x/Items"));
        assert!(!strike(Api::Sync, "POST", "/x/Items"));
        assert!(faults.list().is_empty());
    }
}
