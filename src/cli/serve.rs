//! `serve`: the service itself.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{info, warn};

use super::{CommandError, Environment, unread};
use crate::VERSION;
use crate::app::App;
use crate::lifecycle::stop_signal;
use crate::server::{EVENT_PATHS, listen};
use crate::telemetry;
use crate::telemetry::metrics::count_panics;

/// Open files besides the websockets: other connections, in and out.
pub(super) const OTHER_FILES: u64 = 500;

/// Runs until SIGTERM or SIGINT.
pub(super) async fn run(environment: &Environment) -> Result<(), CommandError> {
    // First of all, so that no signal is missed, however early.
    let stop = stop_signal().map_err(CommandError::failed)?;
    // There is no log before there is a configuration.
    let config = environment.config().inspect_err(|_| unread::complain(environment))?;
    let log = environment.value("RUST_LOG");
    let export = telemetry::init_with_export(log.as_deref(), config.export.as_ref());
    let export = export.map_err(CommandError::failed)?;
    count_panics();
    unread::tell(environment);
    if let Some(concern) = config.server.public_url.concern() {
        warn!(public_url = %config.server.public_url, concern, "PUBLIC_URL may be unreachable for Twilio");
    }
    for reason in &config.warnings {
        warn!(reason, "Configuration incomplete, or it names something unknown");
    }
    open_files(config.sockets.most_clients);
    let bind = config.server.bind;
    let listener = listen(bind);
    let listener =
        listener.map_err(|error| CommandError::Failed(format!("can't listen on {bind}: {error}")))?;
    let app = App::start(&config, listener).map_err(CommandError::failed)?;
    info!(
        version = VERSION,
        listening = %app.local_address(),
        callback_url = format!("{}{}", config.server.public_url, EVENT_PATHS[0]),
        workspace.sid = %config.core.twilio.workspace_sid,
        "Serving"
    );
    let ended = app.run_until(stop).await;
    export.end().await;
    ended.map_err(CommandError::failed)?;
    info!("Stopped");
    Ok(())
}

/// Every connection is an open file, and the usual limit of 1,024 is a soft one that a process may raise itself.
fn open_files(clients: usize) {
    let limit = getrlimit(Resource::Nofile);
    // If it can't be raised, the warning below says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let needed = clients as u64 + OTHER_FILES;
    if let Some(files) = getrlimit(Resource::Nofile).current.filter(|files| *files < needed) {
        warn!(
            files,
            needed,
            "The limit of open files is below what WEBSOCKET_CLIENTS needs; raise it, as with `ulimit -n`"
        );
    }
}
