//! `serve`: the service itself.

use tokio::net::TcpListener;
use tracing::info;

use super::{CommandError, Environment};
use crate::app::App;
use crate::config::Config;
use crate::lifecycle::stop_signal;
use crate::server::EVENT_PATHS;

/// Runs until SIGTERM or SIGINT.
pub(super) async fn run(environment: &Environment) -> Result<(), CommandError> {
    let config = Config::read(&|name| environment.value(name))?;
    // Before listening, so that no signal is missed between the two.
    let stop = stop_signal().map_err(CommandError::failed)?;
    let bind = config.server.bind;
    let listener = TcpListener::bind(bind).await;
    let listener =
        listener.map_err(|error| CommandError::Failed(format!("can't listen on {bind}: {error}")))?;
    let app = App::start(&config, listener).map_err(CommandError::failed)?;
    info!(
        listening = %app.local_address(),
        callback_url = format!("{}{}", config.server.public_url, EVENT_PATHS[0]),
        workspace.sid = %config.core.twilio.workspace_sid,
        "Serving"
    );
    app.run_until(stop).await.map_err(CommandError::failed)?;
    info!("Stopped");
    Ok(())
}
