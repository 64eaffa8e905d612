//! What commands print. Whoever closed the pipe or filled the disk behind it does not want the rest; the work is done all
//! the same, where `println!` would end it with a panic half-way.

use std::fmt::Display;
use std::io::Write;

use crate::VERSION;
use crate::telemetry::StandardError;

/// A line, or a few, for whoever ran the command.
pub(super) fn print(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Why it did not succeed.
pub(super) fn print_error(text: impl Display) {
    // In order with the log, and without waiting for whoever reads it.
    let _ = StandardError::open().write_all(format!("taskrouter-sync {VERSION}: {text}\n").as_bytes());
}
