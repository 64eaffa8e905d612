//! The campaign: runs one fault after another against the real program, each several times.
//!
//! A fault is survived when Sync is right again afterwards, no event was refused, no more than 20
//! writes were ever in flight, nothing has leaked, no task panicked and the process is still the same. The benchmark
//! `chaos` runs all of it and prints how long each recovery took; the tests run a short form, which waits for recoveries
//! but does not time them.

#[path = "../../../tests/shared/agreement.rs"]
#[allow(dead_code, reason = "others use more of it")]
mod agreement;
mod crowd;
mod faults;
mod hostile;
mod process;
mod report;
mod shim;
mod soak;
mod testbed;
#[path = "../../../tests/shared/variables.rs"]
#[allow(dead_code, reason = "others use more of it")]
mod variables;
mod wire;

use std::time::Duration;

pub(crate) use faults::{FAULTS, strike};
pub(crate) use report::report;

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Seconds instead of minutes, and few tries.
    pub(crate) short: bool,
    /// Decides when what goes wrong.
    pub(crate) seed: u64,
}

impl Effort {
    pub(crate) fn of<T>(self, short: T, full: T) -> T {
        if self.short { short } else { full }
    }
}

/// The result of one fault.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    pub(crate) fault: &'static str,
    /// What was done, in a sentence.
    pub(crate) about: String,
    pub(crate) tried: usize,
    pub(crate) recovered: usize,
    pub(crate) longest: Duration,
    /// How long a recovery may take.
    pub(crate) allowed: Duration,
    /// What else was measured.
    pub(crate) notes: Vec<String>,
    /// What was not as it must be, times aside.
    pub(crate) problems: Vec<String>,
    pub(crate) peak_kib: u64,
}

impl Finding {
    fn new(fault: &'static str, allowed: Duration, about: impl Into<String>) -> Self {
        Self { fault, allowed, about: about.into(), ..Self::default() }
    }

    /// One try ended.
    fn tried(&mut self, recovery: Result<(Duration, String), String>) {
        self.tried += 1;
        match recovery {
            Ok((took, last)) => {
                self.recovered += 1;
                if took > self.allowed {
                    self.notes.push(format!("{:.1} s, for {last}", took.as_secs_f64()));
                }
                self.longest = self.longest.max(took);
            }
            Err(wrong) => self.problems.push(wrong),
        }
    }

    /// The testbed was closed.
    fn closed(mut self, (problems, peak_kib): (Vec<String>, u64)) -> Self {
        self.problems.extend(problems);
        self.peak_kib = peak_kib;
        self
    }
}
