//! Twilio's REST APIs for the configured account, all through one client, so that its limits hold over all of them.

use std::sync::Arc;

use super::calls::Calls;
use super::flex_token::FlexUsers;
use super::messages::Messages;
use super::plugins::Plugins;
use super::sync::SyncService;
use super::taskrouter::TaskRouter;
use super::{Client, ClientError};
use crate::config::CoreConfig;
use crate::coordination::lease::Lease;
use crate::telemetry::metrics::Monitor;

/// All of them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Apis {
    pub client: Arc<Client>,
    pub taskrouter: TaskRouter,
    pub sync: SyncService,
    pub flex_users: FlexUsers,
    pub calls: Calls,
    pub messages: Messages,
    /// Flex's plugins.
    pub plugins: Plugins,
}

impl Apis {
    pub fn new(config: &CoreConfig, monitor: Monitor) -> Result<Self, ClientError> {
        Self::leased(config, monitor, Lease::alone())
    }

    /// Over a client that sends nothing once the lease is over.
    pub fn leased(config: &CoreConfig, monitor: Monitor, lease: Lease) -> Result<Self, ClientError> {
        Ok(Self::of(config, Arc::new(Client::leased(&config.twilio, monitor, lease)?)))
    }

    pub fn of(config: &CoreConfig, client: Arc<Client>) -> Self {
        let taskrouter = TaskRouter::new(client.clone(), config.twilio.workspace_sid);
        let flex_users = FlexUsers::new(client.clone(), config.twilio.account_sid);
        let calls = Calls::new(client.clone(), config.twilio.account_sid);
        let messages = Messages::new(client.clone(), config.twilio.account_sid);
        let plugins = Plugins::new(client.clone());
        let sync = SyncService::new(client.clone(), config.twilio.sync_service);
        Self { client, taskrouter, sync, flex_users, calls, messages, plugins }
    }
}
