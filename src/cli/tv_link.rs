//! `tv-link`: prints the link of a screen, which sees the dashboard without signing in and can't change anything.

use clap::Args;

use super::output::print;
use super::{CommandError, Environment};
use crate::coordination::gossip::Broadcaster;
use crate::server::Access;

#[derive(Debug, Args)]
pub(super) struct TvLinkOptions {
    /// Name of a screen in `TV_LINKS`
    name: String,
}

/// Prints the link. It derives from the configuration alone: nothing is stored, and the service need not run.
pub(super) fn run(environment: &Environment, options: &TvLinkOptions) -> Result<(), CommandError> {
    let config = environment.config()?;
    let name = &options.name;
    let root = config.core.twilio.auth_tokens.first();
    let access = root.map(|root| Access::new(&config.server, root, Broadcaster::default()));
    let Some(key) = access.and_then(|access| access.screen_key(name)) else {
        return Err(CommandError::Failed(format!(
            "TV_LINKS does not contain {name:?}; add it, restart the service, and repeat this command"
        )));
    };
    print(format!("{}/?tv=1&key={key}", config.server.public_url));
    Ok(())
}
