//! One event's journey as spans of `tracing`: the webhook that took it in, the reads it caused, the writes that show it.
//!
//! The event's id, which every part carries anyway, determines the ids of the trace and of its first span, so any part can
//! add a span to an event's trace without knowing the span before. Where events merge into one mark or one write, the older
//! event's trace ends with a span that links to the newer event's trace.
//!
//! The spans are at the level `trace`, so the log has none of them by default, and without an exporter
//! traces none is made. They hold names, durations and outcomes; no SID but the event's, no name of the centre's.

#[cfg(feature = "otel")]
mod collector;
#[cfg(feature = "otel")]
pub(super) mod export;
#[cfg(feature = "otel")]
pub mod ids;
mod trace_id;

use std::fmt::Display;
use std::time::Duration;

use tracing::{Level, Span, field, trace_span};

pub use trace_id::TraceId;

/// Events whose traces a read joins, at most.
const MOST_EVENTS: usize = 32;

/// An event was taken in. The span is the first of the event's trace.
pub fn accepted(id: TraceId, event: impl Display, event_type: &'static str) -> Span {
    let span = trace_span!(
        parent: None, "webhook", otel.kind = "server", event.id = %event, event.type = event_type
    );
    #[cfg(feature = "otel")]
    ids::begin(&span, id);
    #[cfg(not(feature = "otel"))]
    let _ = id;
    span
}

/// Merges two events under the newer id.
pub fn joined(older: TraceId, newer: TraceId) {
    #[cfg(feature = "otel")]
    if ids::is_first_time(older, newer) {
        let span = trace_span!(parent: None, "joined by a newer event");
        ids::go_on(&span, older);
        ids::link(&span, newer);
    }
    #[cfg(not(feature = "otel"))]
    let _ = (older, newer);
}

pub fn is_followed() -> bool {
    tracing::enabled!(Level::TRACE)
}

/// A read of TaskRouter, in the traces of the events that it is to show.
#[derive(Debug)]
pub struct TracedRead {
    /// In the newest event's trace; requests are made within this one.
    span: Span,
    /// In the others'. They are as long, and link to it.
    others: Vec<Span>,
}

impl Default for TracedRead {
    fn default() -> Self {
        Self { span: Span::none(), others: Vec::new() }
    }
}

impl TracedRead {
    /// Spans for the newest event, and for the others in any order and with duplicates.
    pub fn begin(
        newest: Option<TraceId>,
        others: impl Iterator<Item = TraceId>,
        what: &str,
        cause: &str,
    ) -> Self {
        let Some(newest) = newest.filter(|_| is_followed()) else {
            return Self::default();
        };
        let mut ids = vec![newest];
        for id in others {
            if ids.len() < MOST_EVENTS && !ids.contains(&id) {
                ids.push(id);
            }
        }
        let mut spans = ids.iter().map(|id| {
            let span = trace_span!(
                parent: None,
                "read",
                otel.name = format!("read {what}"),
                cause,
                outcome = field::Empty,
                otel.status_code = field::Empty,
            );
            #[cfg(feature = "otel")]
            ids::go_on(&span, *id);
            #[cfg(not(feature = "otel"))]
            let _ = id;
            span
        });
        let span = spans.next().unwrap_or(Span::none());
        let others: Vec<Span> = spans.collect();
        #[cfg(feature = "otel")]
        for other in &others {
            ids::link_to(other, &span);
        }
        Self { span, others }
    }

    pub fn span(&self) -> &Span {
        &self.span
    }

    pub fn ended(&self, outcome: &'static str, failed: bool) {
        for span in std::iter::once(&self.span).chain(&self.others) {
            tell(span, outcome, failed);
        }
    }
}

/// A write to Sync that shows an event, of a Document or a MapItem.
pub fn writing(id: Option<TraceId>, kind: &'static str) -> Span {
    let Some(id) = id.filter(|_| is_followed()) else { return Span::none() };
    let span = trace_span!(
        parent: None,
        "write",
        otel.name = format!("write {kind}"),
        outcome = field::Empty,
        age_ms = field::Empty,
        otel.status_code = field::Empty,
    );
    #[cfg(feature = "otel")]
    ids::go_on(&span, id);
    #[cfg(not(feature = "otel"))]
    let _ = id;
    span
}

/// Records the outcome of a write.
pub fn tell(span: &Span, outcome: &'static str, failed: bool) {
    span.record("outcome", outcome);
    if failed {
        span.record("otel.status_code", "ERROR");
    }
}

/// A write shows the event this long after it, or the oldest that joined it, came in.
pub fn shown_after(span: &Span, age: Duration) {
    span.record("age_ms", u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
}

/// A request to Twilio within a read or a write; other requests belong to no event.
pub fn request(api: &'static str, endpoint: &str) -> Span {
    if !is_followed() || Span::current().is_none() {
        return Span::none();
    }
    trace_span!(
        "request",
        otel.name = endpoint,
        otel.kind = "client",
        api,
        http.response.status_code = field::Empty,
        error.type = field::Empty,
        otel.status_code = field::Empty,
    )
}

/// Records the status of a request's answer, or how the request failed.
pub fn answered(span: &Span, status: Option<u16>, failure: &str) {
    match status {
        Some(status) => {
            span.record("http.response.status_code", status);
        }
        None => {
            span.record("error.type", failure);
        }
    }
    if status.is_none_or(|status| status >= 400) {
        span.record("otel.status_code", "ERROR");
    }
}
