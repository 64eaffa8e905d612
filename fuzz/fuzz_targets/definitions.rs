//! Metrics' definitions: one that is taken has all that the dashboard needs; one that is not says why.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use taskrouter_sync::wallboard::{Definition, Raw};

fuzz_target!(|body: &[u8]| {
    let mut metrics: Vec<Value> = serde_json::from_slice::<Value>(body).into_iter().collect();
    if let Ok(raw) = serde_json::from_slice::<Raw>(body) {
        metrics.extend(raw.into_values().filter_map(|definition| definition.get("metric").cloned()));
    }
    for metric in metrics {
        match Definition::parse(&metric) {
            Ok(definition) => {
                assert!(definition.label.len() <= 4 * 200 && !definition.formula.trim().is_empty());
                let thresholds = [&definition.first, &definition.second];
                assert!(thresholds.iter().all(|threshold| threshold.value.is_none_or(f64::is_finite)));
            }
            Err(problems) => assert!(!problems.is_empty()),
        }
    }
});
