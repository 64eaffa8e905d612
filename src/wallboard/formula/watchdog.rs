//! Ends the child process when a formula overstays inside a native function, where the engine looks at no limit.

use std::io::Write;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::time::ClockId;

use super::MOST_TIME;
use super::protocol::{Fault, NO_END, Reply};
use super::realm::time_of;

/// How often it looks while formulas run.
const LOOK: Duration = Duration::from_millis(5);
/// Processor time at one formula after which it is called stuck: the engine had its chance.
const STUCK: Duration = Duration::from_millis(50);

/// Nothing runs.
const IDLE: usize = usize::MAX;

/// What runs, for the watchdog to see.
#[derive(Debug, Clone)]
pub(super) struct Watchdog {
    running: Arc<AtomicUsize>,
    thread: thread::Thread,
}

impl Watchdog {
    /// One that ends the process.
    pub(super) fn start() -> std::io::Result<Self> {
        let running = Arc::new(AtomicUsize::new(IDLE));
        let seen = running.clone();
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(move || watch(&seen))?;
        Ok(Self { running, thread: thread.thread().clone() })
    }

    /// The formula at this place of the request begins.
    pub(super) fn begin(&self, place: usize) {
        let idle = self.running.swap(place, Ordering::AcqRel) == IDLE;
        if idle {
            self.thread.unpark();
        }
    }

    /// All are done.
    pub(super) fn end(&self) {
        self.running.store(IDLE, Ordering::Release);
    }
}

fn watch(running: &AtomicUsize) {
    let process_time = || time_of(ClockId::ProcessCPUTime);
    let (mut place, mut since) = (IDLE, process_time());
    loop {
        let now = running.load(Ordering::Acquire);
        if now == IDLE {
            place = IDLE;
            thread::park();
            continue;
        }
        if now != place {
            (place, since) = (now, process_time());
        } else if process_time() - since > STUCK + MOST_TIME {
            // The other thread is inside the engine and holds no lock of the output.
            let mut output = std::io::stdout().lock();
            if let Ok(line) = serde_json::to_string(&Reply::Lost(place, Fault::new(NO_END))) {
                let _ = writeln!(output, "{line}").and_then(|()| output.flush());
            }
            process::exit(1);
        }
        thread::sleep(LOOK);
    }
}
