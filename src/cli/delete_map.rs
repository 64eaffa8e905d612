//! `delete-map`: removes a Sync Map by its name.

use std::sync::Arc;

use clap::Args;

use super::output::print;
use super::{CommandError, Environment};
use crate::config::{CoreConfig, map_name};
use crate::telemetry::metrics::Monitor;
use crate::twilio::sync::SyncService;
use crate::twilio::{Client, Next};

#[derive(Debug, Args)]
pub(super) struct DeleteMapOptions {
    /// The Map's unique name, such as queueStats
    #[arg(value_parser = map_name)]
    name: String,
}

/// Deletes the Map; one that does not exist is no error.
pub(super) async fn run(environment: &Environment, options: DeleteMapOptions) -> Result<(), CommandError> {
    let config = CoreConfig::read(&|name| environment.value(name))?;
    let client = Client::new(&config.twilio, Monitor::default()).map_err(CommandError::failed)?;
    let sync = SyncService::new(Arc::new(client), config.twilio.sync_service);
    let name = options.name;
    match sync.delete_map(&name).await {
        Ok(()) => print(format!("Map {name}: deleted")),
        Err(error) if error.next() == Next::Missing => {
            print(format!("Map {name}: does not exist, nothing to delete"));
        }
        Err(error) => return Err(CommandError::Failed(format!("Map {name} can't be deleted: {error}"))),
    }
    Ok(())
}
