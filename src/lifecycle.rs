//! When to stop: the signals that end the process in good order.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

/// Catches SIGTERM and SIGINT from now on; the future is done at the first of them. A second one ends the process at
/// once, for whoever does not want to wait for pending writes.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        info!(signal = name, "Signal received");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            info!("Second signal: stopping at once");
            crate::telemetry::finish();
            std::process::exit(1);
        });
    })
}
