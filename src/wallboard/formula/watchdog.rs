//! Ends the process when a formula overstays inside a native function, where the engine looks at no limit.

use std::io::Write;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustix::time::ClockId;

use super::MOST_TIME;
use super::protocol::{Fault, NO_END, Reply};
use super::time_of;

/// How often the watchdog checks while formulas run.
const LOOK: Duration = Duration::from_millis(5);
/// Processor time after which a formula counts as stuck: the engine's own limit has failed to end it.
const STUCK: Duration = Duration::from_millis(50);
const IDLE: u64 = u64::MAX;
/// Bits of the formula's place in the request; the run's number has the bits above.
const PLACE_BITS: u32 = 16;

#[derive(Debug)]
pub(super) struct Watchdog {
    running: Arc<AtomicU64>,
    /// Processor time that the engine lets a formula take, in microseconds.
    allowed: Arc<AtomicU64>,
    runs: u64,
    thread: thread::Thread,
}

impl Watchdog {
    /// A watchdog that ends the process. Its thread runs when this returns, since a confined process can't start threads.
    pub(super) fn start() -> std::io::Result<Self> {
        let running = Arc::new(AtomicU64::new(IDLE));
        let allowed = Arc::new(AtomicU64::new(micros(MOST_TIME)));
        let seen = (running.clone(), allowed.clone());
        let (started, is_started) = std::sync::mpsc::sync_channel(1);
        let watching = move || {
            time_of(ClockId::ProcessCPUTime);
            let _ = started.send(());
            watch(&seen.0, &seen.1);
        };
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(watching)?;
        is_started.recv().map_err(std::io::Error::other)?;
        Ok(Self { running, allowed, runs: 0, thread: thread.thread().clone() })
    }

    /// Sets the processor time that the engine allows a formula.
    pub(super) fn allow(&self, most: Duration) {
        self.allowed.store(micros(most), Ordering::Release);
    }

    /// Notes that the formula at this place of the request begins to run.
    pub(super) fn begin(&mut self, place: usize) {
        // Each run has a number, so that a second run of the same formula is not counted to the first.
        self.runs = (self.runs + 1) & (u64::MAX >> (PLACE_BITS + 1));
        let place = u64::from(u16::try_from(place).unwrap_or(u16::MAX));
        self.running.store(self.runs << PLACE_BITS | place, Ordering::Release);
        self.thread.unpark();
    }

    pub(super) fn end(&self) {
        self.running.store(IDLE, Ordering::Release);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn watch(running: &AtomicU64, allowed: &AtomicU64) {
    let process_time = || time_of(ClockId::ProcessCPUTime);
    let (mut run, mut since) = (IDLE, process_time());
    loop {
        let now = running.load(Ordering::Acquire);
        if now == IDLE {
            run = IDLE;
            thread::park();
            continue;
        }
        if now != run {
            (run, since) = (now, process_time());
        } else if process_time() - since > STUCK + Duration::from_micros(allowed.load(Ordering::Acquire)) {
            // The other thread is inside the engine and holds no lock of the output.
            let mut output = std::io::stdout().lock();
            let place = usize::try_from(run & u64::from(u16::MAX)).unwrap_or_default();
            if let Ok(line) = serde_json::to_string(&Reply::Lost(place, Fault::new(NO_END))) {
                let _ = writeln!(output, "{line}").and_then(|()| output.flush());
            }
            process::exit(1);
        }
        thread::sleep(LOOK);
    }
}
