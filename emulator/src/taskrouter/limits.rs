//! TaskRouter's limits on endpoints: 5 bulk requests a second, 3 for each expression parameter, and an optional number
//! for every endpoint, since Twilio shows its own only in the Console.

use std::sync::Arc;

use tokio::time::Instant;

use super::TaskRouterCall;
use crate::error::ApiError;
use crate::limits::Buckets;

/// Parameters whose evaluation is limited on its own (TaskRouter changelog of 18 Oct 2024).
const EXPRESSIONS: [&str; 3] =
    ["EvaluateTaskAttributes", "TargetWorkersExpression", "EvaluateWorkerAttributes"];
/// What `X-Rate-Limit-Limit` says where the emulator has no limit.
const NOMINAL: u64 = 1000;

#[derive(Debug)]
pub(crate) struct EndpointLimits {
    bulk: Buckets<()>,
    expressions: Buckets<&'static str>,
    endpoints: Buckets<String>,
}

impl Default for EndpointLimits {
    fn default() -> Self {
        // "Per second" with no room beyond.
        Self { bulk: Buckets::new(1.0), expressions: Buckets::new(1.0), endpoints: Buckets::new(1.0) }
    }
}

impl TaskRouterCall<'_> {
    /// Charges the request to its endpoint; 429 before anything is done. Notes what the headers will say.
    pub(super) fn pass_limits(&mut self, method: &str, rest: &[&str]) -> Result<(), ApiError> {
        let now = Instant::now();
        let limits = self.limits;
        let mut buckets = self.endpoints.lock();
        let mut tell = |rate: Option<f64>, taken: Result<f64, f64>| {
            let allowed = rate.map_or(NOMINAL, whole);
            let left = if rate.is_none() { NOMINAL - 1 } else { taken.map_or(0, whole) };
            let config: Arc<str> = format!("{allowed}/1s").into();
            self.trace.rate = Some((allowed, left, config));
            // Which code TaskRouter sends is not known; clients are to look at the status.
            taken.map(drop).map_err(|_| ApiError::too_fast(20429, "Too Many Requests"))
        };
        let endpoint = || {
            let resource = |part: &&str| if part.len() == 34 { "*".to_owned() } else { (*part).to_owned() };
            format!("{method} {}", rest.iter().map(resource).collect::<Vec<_>>().join("/"))
        };
        let rate = limits.taskrouter_per_second;
        tell(
            rate,
            if rate.is_some() { buckets.endpoints.take(endpoint(), rate, 1.0, now) } else { Ok(0.0) },
        )?;
        if (method, rest) == ("POST", &["TaskQueues", "RealTimeStatistics"][..]) {
            tell(limits.bulk_per_second, buckets.bulk.take((), limits.bulk_per_second, 1.0, now))?;
        }
        for name in EXPRESSIONS {
            if method == "GET" && self.request.query.has(name) {
                let rate = limits.expressions_per_second;
                tell(rate, buckets.expressions.take(name, rate, 1.0, now))?;
            }
        }
        Ok(())
    }
}

fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small, non-negative rate")]
    let whole = number.max(0.0) as u64;
    whole
}
