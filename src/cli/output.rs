//! Output of commands. A closed pipe or a full disk is ignored and the work completes; `println!` would panic half-way.

use std::fmt::Display;
use std::io::Write;

use crate::VERSION;
use crate::telemetry::StandardError;

pub(super) fn print(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Without a line's end.
pub(super) fn print_raw(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

pub(super) fn print_error(text: impl Display) {
    // Through the log's writer, for the order of lines; never blocks on a slow reader.
    let _ = StandardError::open().write_all(format!("taskrouter-sync {VERSION}: {text}\n").as_bytes());
}

/// A number with its noun, whose plural has an s.
pub(super) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
