//! Evaluates formulas, which people write, in a separate process where they can do no harm.
//!
//! An engine's limits hold for what the engine itself counts. A formula such as `[].indexOf.call({length: 2**53}, 1)`
//! spends years inside one native function, where no limit is looked at; so formulas can't share a thread with anything
//! that has to go on. The formula process ([`child`]) is this same program under a hidden verb. It starts without an
//! environment, gives up everything but its pipes and memory ([`confinement`]), talks JSON lines over them
//! ([`protocol`]) and does nothing else. In it, a `realm` holds the data and the compiled formulas, with limits on
//! processor time, memory and stack for each formula; a `watchdog` ends the process when one overstays all the same.
//! The service's side ([`process`]) then starts another, and pauses that formula for growing times.

pub mod child;
mod collation;
pub mod confinement;
mod connection;
mod host;
mod outcome;
pub mod process;
pub mod protocol;
mod realm;
mod watchdog;

use std::time::Duration;

use rustix::time::ClockId;

/// Processor time that one formula may take for one evaluation.
pub const MOST_TIME: Duration = Duration::from_millis(10);
/// Added for each TaskQueue.
const MOST_TIME_A_QUEUE: Duration = Duration::from_micros(10);
/// Memory that one formula may take beside the data, in bytes.
pub const MOST_MEMORY: usize = 8 * 1024 * 1024;
/// Memory of the engine with all data, in bytes.
pub const MOST_HEAP: usize = 1024 * 1024 * 1024;
/// Longest formula, in bytes.
pub const LONGEST_FORMULA: usize = 4096;
/// Longest text that a formula may result in, in characters.
pub const LONGEST_TEXT: usize = 400;
/// Stack of the engine, in bytes; far below what a thread has.
const MOST_STACK: usize = 256 * 1024;

fn time_of(clock: ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
