//! An hour of a lively centre, in less: the load rises and falls, memory does not.

use std::time::{Duration, Instant};

use twilio_emulator::Settings;

use super::testbed::{Making, Testbed};
use super::{Effort, Finding};

/// How much faster the centre lives.
const SPEED: f64 = 30.0;
/// Steps a second of the centre's own time, at its busiest.
const BUSIEST: f64 = 1.0;
/// How often the load rises and falls.
const WAVES: u32 = 4;
/// By how much the memory of the last wave may lie above that of the second; the first warms up.
const MOST_GROWTH_KIB: u64 = 4 * 1024;

/// Runs the soak test.
pub(crate) async fn soak(effort: Effort) -> Finding {
    let span = Duration::from_secs(effort.of(12, 120));
    let about = format!(
        "{SPEED:.0} times the speed, for {} simulated minutes in waves of load up to {:.0} steps a second, {WAVES} times; the last \
         wave's memory must be the second's",
        (span.as_secs_f64() * SPEED / 60.0).round(),
        BUSIEST * SPEED,
    );
    let mut finding = Finding::new("An hour's soak", Duration::from_secs(5), about);
    let settings = Settings { queues: 8, workers: 30, speed: SPEED, ..Settings::default() };
    let mut testbed = Testbed::open(effort.seed ^ 0x50a4, Making { settings, ..Making::default() }).await;
    let mut waves = Vec::new();
    for _ in 0..WAVES {
        let begin = Instant::now();
        let wave = span / WAVES;
        let mut samples = Vec::new();
        while begin.elapsed() < wave {
            let phase = begin.elapsed().as_secs_f64() / wave.as_secs_f64();
            let rate = BUSIEST * (std::f64::consts::PI * phase).sin().max(0.02);
            testbed.live(rate, Duration::from_millis(250)).await;
            samples.push(testbed.holdings().map_or(0, |held| held.resident_kib));
        }
        samples.sort_unstable();
        waves.push(samples[samples.len() / 2]);
        finding.tried(testbed.agrees().await);
    }
    let of = |kib: u64| format!("{:.1}", kib as f64 / 1024.0);
    let events = *testbed.emulator.callbacks().delivered().borrow();
    let each: Vec<_> = waves.iter().copied().map(of).collect();
    finding.notes.push(format!("{events} events; median memory of the waves {} MiB", each.join(", ")));
    if !effort.short && waves[waves.len() - 1] > waves[1] + MOST_GROWTH_KIB {
        testbed.problem(format!("memory grew from {} to {} MiB", of(waves[1]), of(waves[waves.len() - 1])));
    }
    finding.closed(testbed.close(true).await)
}
