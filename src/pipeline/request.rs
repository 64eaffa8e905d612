//! Requests to the leader, and why one may fail.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::refresh::Stopped;
use crate::sid::WorkerSid;
use crate::wallboard::{Busy, ChangeError, Problem, StoreError};

/// A request that only the process that reads and writes can answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Create what is missing, refresh, write, and answer with all TaskQueues' items.
    Bootstrap,
    Tasks,
    Workers,
    /// The TaskQueues that a Worker is eligible for.
    WorkerQueues(WorkerSid),
    Definitions,
    Fields,
    /// A metric's last hours.
    History(String),
    /// Add or replace definitions, in their order.
    Save(Vec<(String, Value)>),
    /// The same, but refuse if one has no value now, or none that fits its format.
    SaveWorking(Vec<(String, Value)>),
    Delete(Vec<String>),
    Order(Vec<String>),
    Preview(Value),
}

impl Request {
    /// Whether the request is idempotent.
    pub fn is_idempotent(&self) -> bool {
        match self {
            Self::Bootstrap
            | Self::Tasks
            | Self::Workers
            | Self::WorkerQueues(_)
            | Self::Definitions
            | Self::Fields
            | Self::History(_)
            | Self::Preview(_) => true,
            Self::Save(_) | Self::SaveWorking(_) | Self::Delete(_) | Self::Order(_) => false,
        }
    }
}

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("there is nothing at this address")]
    Unknown,
    #[error("the refresh or its writes did not finish within {0} seconds; they go on in the background")]
    NotFinished(u64),
    #[error("TaskRouter can't be read: {0}")]
    TaskRouter(String),
    #[error("Sync can't be used: {0}")]
    Sync(String),
    #[error("the service is stopping")]
    Stopping,
    #[error("the formulas' task is starting, stopping or overloaded; try again")]
    Overloaded,
    #[error("there are no metrics: SYNC_LAYOUTS does not name dashboard-metrics")]
    NoMetrics,
    #[error("there is no metric {0:?}")]
    NoSuchMetric(String),
    #[error("some fields are not right; nothing was stored")]
    Definitions(Vec<Problem>),
    #[error("{0}")]
    Unstorable(String, Vec<Problem>),
}

/// The error for a caller outside this process: an HTTP client, or a replica, perhaps of another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    #[serde(skip)]
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    /// Each wrong field, where definitions are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problems: Option<Vec<Problem>>,
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        let message = error.to_string();
        let (status, code, problems) = match error {
            RequestError::Unknown => (404, "not_found", None),
            RequestError::NotFinished(_) => (504, "not_finished", None),
            RequestError::TaskRouter(_) => (502, "taskrouter_unreadable", None),
            RequestError::Sync(_) => (502, "sync_unusable", None),
            RequestError::Stopping => (503, "stopping", None),
            RequestError::Overloaded => (503, "overloaded", None),
            RequestError::NoMetrics => (404, "no_metrics", None),
            RequestError::NoSuchMetric(_) => (404, "no_such_metric", None),
            RequestError::Definitions(problems) => (422, "bad_definitions", Some(problems)),
            RequestError::Unstorable(_, problems) => (422, "definitions_not_stored", Some(problems)),
        };
        Self { status, code, message, problems }
    }
}

impl From<ChangeError> for RequestError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Problems(problems) => Self::Definitions(problems),
            ChangeError::Busy(_) => Self::Overloaded,
            ChangeError::Store(StoreError::Twilio(error)) => Self::Sync(error.to_string()),
            ChangeError::Store(StoreError::Shelf(error)) => {
                Self::Unstorable(error.to_string(), error.problem().into_iter().collect())
            }
            ChangeError::Store(error) => Self::Unstorable(error.to_string(), Vec::new()),
        }
    }
}

impl From<Busy> for RequestError {
    fn from(_: Busy) -> Self {
        Self::Overloaded
    }
}

impl From<Stopped> for RequestError {
    fn from(_: Stopped) -> Self {
        Self::Stopping
    }
}
