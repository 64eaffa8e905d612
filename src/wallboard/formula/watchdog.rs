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

/// How often it looks while formulas run.
const LOOK: Duration = Duration::from_millis(5);
/// Processor time at one formula after which it is called stuck: the engine had its chance.
const STUCK: Duration = Duration::from_millis(50);
const IDLE: u64 = u64::MAX;
/// A run's number stands above the formula's place in the request.
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
    /// One that ends the process. Its thread runs when this returns: starting takes system calls that a confined process
    /// has given up.
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

    /// The engine lets formulas take so much processor time from now on.
    pub(super) fn allow(&self, most: Duration) {
        self.allowed.store(micros(most), Ordering::Release);
    }

    /// The formula at this place of the request begins to run.
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
