//! The Flex plugin, where the active Release has it: of this version, at an address that answers, with its origins allowed.

use super::report::Check;
use crate::VERSION;
use crate::cli::by_hand::fetched;
use crate::cli::flex_plugin::{Released, released};
use crate::config::Config;
use crate::server::FlexPluginBundle;
use crate::twilio::{Apis, Next};

const MEND: &str = "taskrouter-sync setup --flex-plugin";

/// No checks where our plugin is not released, which is no fault.
pub(super) async fn checks(config: &Config, apis: &Apis) -> Vec<Check> {
    let released = match released(&apis.plugins).await {
        Ok(Some(released)) => released,
        Ok(None) => return Vec::new(),
        Err(error) if matches!(error.next(), Next::Retry(_)) => {
            let found = format!("whether the plugin is released is not known: {error}");
            return vec![Check::note("flex plugin", found, "run doctor again")];
        }
        // An account without Flex refuses this request.
        Err(_) => return Vec::new(),
    };
    let bundle = FlexPluginBundle::built(&config.server.public_url);
    vec![version(&released, bundle.as_ref()), reachable(&released).await, origins(config)]
}

fn version(released: &Released, bundle: Option<&FlexPluginBundle>) -> Check {
    const NAME: &str = "flex plugin";
    match bundle {
        Some(bundle) if bundle.url == released.url => {
            Check::right(NAME, format!("version {} is released and matches this service", released.version))
        }
        Some(bundle) => {
            let found = format!(
                "version {} ({}) is released, but this service has {VERSION} ({})",
                released.version, released.url, bundle.url
            );
            Check::wrong(NAME, found, MEND)
        }
        None => {
            let found = format!(
                "version {} is released, but this program was built without the plugin",
                released.version
            );
            Check::wrong(NAME, found, "run make web and rebuild the program")
        }
    }
}

async fn reachable(released: &Released) -> Check {
    const NAME: &str = "flex plugin URL";
    match fetched(&released.url).await {
        Ok((200, _)) => Check::right(NAME, format!("{} answers", released.url)),
        Ok((status, _)) => Check::note(NAME, format!("{} answers {status} from here", released.url), MEND),
        Err(reason) => {
            let found = format!("{} does not answer from here: {reason}", released.url);
            Check::note(NAME, found, "start the service and a proxy or tunnel to it")
        }
    }
}

fn origins(config: &Config) -> Check {
    const NAME: &str = "flex origins";
    let origins = &config.sockets.origins;
    if origins.is_empty() {
        return Check::wrong(
            NAME,
            "ALLOWED_ORIGINS is not set, so the plugin gets no data",
            "set ALLOWED_ORIGINS=https://flex.twilio.com, or your own Flex host",
        );
    }
    Check::right(NAME, format!("allowed origins: {}", origins.join(", ")))
}
