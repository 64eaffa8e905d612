//! Puts spans into events' traces: under the ids that follow from the event's, wherever in the process it is.

use std::cell::Cell;
use std::collections::HashSet;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use parking_lot::Mutex;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::trace_id::{TraceId, spread};

/// Pairs of joined events that are remembered; beyond that all are forgotten, and a pair may be reported twice.
const MOST_PAIRS: usize = 4096;

thread_local! {
    /// Whose first span is being made on this thread.
    static BEGINNING: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Gives the first span of an event's trace the ids that follow from the event's, and all others random ones.
#[derive(Debug, Default)]
pub struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> opentelemetry::TraceId {
        BEGINNING.get().map_or_else(|| self.0.new_trace_id(), |id| id.number().into())
    }

    fn new_span_id(&self) -> SpanId {
        BEGINNING.get().map_or_else(|| self.0.new_span_id(), first_span)
    }
}

/// This is the first span of the event's trace.
pub(super) fn begin(span: &Span, id: TraceId) {
    if span.is_disabled() {
        return;
    }
    BEGINNING.set(Some(id));
    // Its ids are given at the first look at it.
    let _ = span.context();
    BEGINNING.set(None);
}

/// This span is below the first one of the event's trace.
pub(super) fn go_on(span: &Span, id: TraceId) {
    // Only an unwanted span has no parent.
    let _ = span.set_parent(Context::new().with_remote_span_context(first(id)));
}

pub(super) fn link(span: &Span, id: TraceId) {
    span.add_link(first(id));
}

pub(super) fn link_to(span: &Span, other: &Span) {
    span.add_link(other.context().span().span_context().clone());
}

/// Whether this pair is new: each place that both events pass reports it again.
pub(super) fn is_first_time(older: TraceId, newer: TraceId) -> bool {
    static PAIRS: Mutex<Option<HashSet<(TraceId, TraceId)>>> = Mutex::new(None);
    // The set is valid even after a panic.
    let mut pairs = PAIRS.lock();
    let pairs = pairs.get_or_insert_default();
    if pairs.len() >= MOST_PAIRS {
        pairs.clear();
    }
    pairs.insert((older, newer))
}

fn first(id: TraceId) -> SpanContext {
    // Whether it was sampled is decided by the trace's id alone, the same for each of its spans.
    SpanContext::new(id.number().into(), first_span(id), TraceFlags::SAMPLED, true, TraceState::default())
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
fn first_span(id: TraceId) -> SpanId {
    let number = id.number();
    spread(number as u64 ^ spread((number >> 64) as u64)).max(1).into()
}
