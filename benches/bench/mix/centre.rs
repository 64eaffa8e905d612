//! The centre that lives in the mix, and the pace at which it lives.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;
use twilio_emulator::{Burst, Emulator, Limits, Settings};

use super::Limit;
use super::freshness::Stopwatch;
use super::row::Row;

/// How long the centre has been open before the start.
const HISTORY: Duration = Duration::from_secs(30 * 60);
/// Steps without an event that are passed over at once.
const MOST_EMPTY_STEPS: usize = 100;

pub(super) fn settings(row: &Row) -> Settings {
    let limits = match row.limit {
        Limit::Bucket => Limits::default(),
        Limit::Window => Limits { burst: Burst::Window, ..Limits::default() },
        Limit::None => {
            Limits { sync_writes: None, sync_creates: None, sync_reads: None, ..Limits::default() }
        }
    };
    let workers = match row.queues {
        ..=50 => row.queues * 2,
        51..=200 => row.queues,
        _ => row.queues / 2,
    };
    Settings { queues: row.queues, workers, history: HISTORY, limits, ..Settings::default() }
}

/// Lets every Worker serve every queue, so that a Worker's Activity shows in all of them.
pub(super) fn share_workers(emulator: &Emulator) {
    let world = emulator.world();
    for queue in world.queues() {
        world.set_target_workers(&queue.sid, "1==1").unwrap();
    }
}

/// Lets things happen at this rate and for this time; with the same seed, the same at the same moments.
pub(super) async fn live(watch: &Stopwatch, events_a_second: f64, span: Duration, timed: bool, seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let (begin, mut next) = (Instant::now(), Instant::now());
    while next < begin + span {
        tokio::time::sleep_until(next).await;
        let mut made = 0;
        for _ in 0..MOST_EMPTY_STEPS {
            made = watch.step(timed);
            if made > 0 {
                break;
            }
        }
        // A step makes one event or a few; the gap after it makes up for them.
        let gap = -(1.0 - dice.random::<f64>()).ln() * made as f64 / events_a_second;
        next += Duration::from_secs_f64(gap);
    }
    tokio::time::sleep_until(begin + span).await;
}
