//! Logs: for people on a terminal, JSON otherwise.

use std::io::IsTerminal;

use tracing::error;
use tracing_subscriber::EnvFilter;

/// Sets the process's log up; `filter` is what `RUST_LOG` says, `info` where it says nothing.
pub fn init(filter: Option<&str>) {
    // What is not named stays at info, so that a slip of the pen does not switch the log off.
    let filter = EnvFilter::builder().parse_lossy(format!("info,{}", filter.unwrap_or_default()));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Standard error, so that what a command prints can be piped.
        .with_writer(std::io::stderr)
        // A log that can't be written (a full disk, a closed pipe) must not end the service: the library would report
        // that on standard error as well, and panic when that fails.
        .log_internal_errors(false);
    if std::io::stderr().is_terminal() {
        logs.with_target(false).init();
    } else {
        logs.json().flatten_event(true).init();
    }
    report_panics();
}

/// A panic is a line of the log like any other. It says where, and not what: a panic's text may quote what it stumbled on,
/// which may be a customer's.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        error!(
            location,
            thread = thread.name().unwrap_or_default(),
            "A part of the program panicked, which is a bug"
        );
    }));
}
