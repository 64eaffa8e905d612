//! Faults and format of callbacks, and the record of each delivery.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Faults and format of callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    pub drop_all: bool,
    /// The probability that an event is sent twice.
    pub duplicate: f64,
    /// Send in random order within a window of this many events; 0 and 1 keep the order.
    pub shuffle: usize,
    /// Send this much later. In JSON, milliseconds.
    #[serde(with = "crate::clock::millis")]
    pub delay: Duration,
    pub format: Format,
}

impl Default for Options {
    fn default() -> Self {
        Self { drop_all: false, duplicate: 0.0, shuffle: 0, delay: Duration::ZERO, format: Format::Form }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    Form,
    /// Event Streams: a JSON array of CloudEvents, the body's hash in the query.
    EventStreams,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    pub at: Timestamp,
    /// `EV…`, or the SID of the Call.
    pub event_sid: String,
    /// For example `task.created`, or `call.ringing`.
    pub event_type: String,
    pub url: String,
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    pub attempts: u32,
    /// Whether this was the duplicate delivery of an event.
    pub duplicate: bool,
}
