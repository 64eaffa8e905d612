//! Formulas that people write, evaluated where they can do no harm: in a process of their own.
//!
//! An engine's limits hold for what the engine itself counts. A formula such as `[].indexOf.call({length: 2**53}, 1)`
//! spends years inside one native function, where no limit is looked at; so whatever must not stop the service can't
//! share a thread with it. The child process ([`child`]) is this same program under a hidden verb, started without any
//! environment, so it knows no secret; it talks JSON lines over its standard input and output ([`protocol`]) and does
//! nothing else. In it, a `realm` holds the data and the compiled formulas, frozen, with limits on processor time,
//! memory and stack for each formula; a `watchdog` ends the process when one overstays all the same. The service's
//! side ([`process`]) then starts a new one, and lets that formula rest for longer and longer.

pub mod child;
pub mod process;

pub mod protocol;
mod realm;
mod watchdog;

use std::time::Duration;

/// Processor time that one formula may take for one evaluation.
pub const MOST_TIME: Duration = Duration::from_millis(10);
/// Memory that one formula may take beside the data, in bytes.
pub const MOST_MEMORY: usize = 8 * 1024 * 1024;
/// Longest formula, in bytes.
pub const LONGEST_FORMULA: usize = 4096;
/// Longest text that a formula may result in, in characters.
pub const LONGEST_TEXT: usize = 400;
/// Stack of the engine, in bytes; far below what a thread has.
const MOST_STACK: usize = 256 * 1024;
