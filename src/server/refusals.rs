//! Logs refused requests, and only so many of them: anybody can send bad ones by the thousand.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::Response;
use tokio::time::Instant;
use tracing::info;

use crate::bucket::Bucket;
use crate::monitor::Monitor;

/// Refusals that are logged at once.
const AT_ONCE: f64 = 20.0;
/// And a second from then on.
const PER_SECOND: f64 = 1.0;

/// What a refusal leaves on its answer, to be logged.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// Decides which refusals are logged. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Refusals(Arc<Mutex<Told>>, Monitor);

#[derive(Debug)]
struct Told {
    budget: Bucket,
    untold: u64,
}

impl Refusals {
    /// None yet.
    pub fn new(monitor: Monitor) -> Self {
        let budget = Bucket::new(AT_ONCE, PER_SECOND, AT_ONCE, Instant::now());
        Self(Arc::new(Mutex::new(Told { budget, untold: 0 })), monitor)
    }
}

/// Logs the refusal that an answer carries, if it does, and if there have not been too many.
pub(super) fn log(State(refusals): State<Refusals>, mut response: Response) -> Response {
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    refusals.1.refused(refusal.code);
    let mut told = refusals.0.lock().unwrap_or_else(PoisonError::into_inner);
    if told.budget.take(1.0, 0.0, Instant::now()) {
        let untold = std::mem::take(&mut told.untold);
        let (status, code) = (response.status().as_u16(), refusal.code);
        info!(status, code, untold, "Request refused: {}", refusal.message);
    } else {
        told.untold += 1;
    }
    drop(told);
    response
}
