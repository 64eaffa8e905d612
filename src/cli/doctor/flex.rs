//! The Flex plugin, where the active Release has it: of this version, at an address that answers, with its origins allowed.

use super::report::Check;
use crate::cli::by_hand::{allows, fetched};
use crate::cli::flex_plugin::{FLEX_ORIGIN, Origins, Released, not_twilio, reach, released};
use crate::config::Config;
use crate::server::FlexPluginBundle;
use crate::twilio::{Apis, Next};

const NAME: &str = "flex plugin";
/// What the plugin asks first.
const SESSION: &str = "/api/session";
const MEND: &str = "taskrouter-sync setup --flex-plugin";

/// One line where our plugin is not released, which is no fault.
pub(super) async fn checks(config: &Config, apis: &Apis) -> Vec<Check> {
    let unknown = |error| format!("whether the plugin is released is not known: {error}");
    let released = match released(&apis.plugins).await {
        Ok(Some(released)) => released,
        Ok(None) => return vec![Check::right(NAME, format!("not released; `{MEND}` releases it"))],
        Err(error) if matches!(error.next(), Next::Retry(_)) => {
            return vec![Check::note(
                NAME,
                unknown(error),
                format!("{}; then run doctor again", reach(config)),
            )];
        }
        Err(error) if error.next() == Next::Missing => {
            return vec![Check::note(NAME, unknown(error), not_twilio(config))];
        }
        Err(error) if error.is_bad_credentials() => {
            return vec![Check::skipped(NAME, "credentials")];
        }
        // An account without Flex refuses this request.
        Err(error) => {
            return vec![Check::right(NAME, format!("not released, as far as Flex says ({error})"))];
        }
    };
    let bundle = FlexPluginBundle::built(&config.server.public_url);
    let version = version(&released, bundle.as_ref());
    if released.is_foreign {
        return vec![version];
    }
    vec![version, reachable(&released).await, origins(config).await]
}

fn version(released: &Released, bundle: Option<&FlexPluginBundle>) -> Check {
    let Released { line, url, is_foreign } = released;
    match bundle {
        _ if *is_foreign => {
            let found = format!("{line} is released, which this program did not register");
            Check::wrong(NAME, found, format!("{MEND} --take-over, if it is to give way to this service's"))
        }
        Some(bundle) if bundle.url == *url => {
            Check::right(NAME, format!("{line} is released and is this service's"))
        }
        Some(bundle) => {
            let found = format!("{line} is released, but this service's is at {}", bundle.url);
            Check::wrong(NAME, found, format!("{MEND}, or set PUBLIC_URL to the address that is released"))
        }
        None => {
            let found = format!("{line} is released, but this program was built without the plugin");
            Check::wrong(NAME, found, "run make web and rebuild the program")
        }
    }
}

async fn reachable(released: &Released) -> Check {
    const NAME: &str = "flex plugin URL";
    match fetched(&released.url).await {
        Ok((200, _)) => Check::right(NAME, format!("{} answers", released.url)),
        Ok((status, _)) => {
            let mend =
                "see that this version of the service runs at PUBLIC_URL, and what stands in front of it";
            Check::note(NAME, format!("{} answers {status} from here", released.url), mend)
        }
        Err(reason) => {
            let found = format!("{} does not answer from here: {reason}", released.url);
            Check::note(NAME, found, "start the service and a proxy or tunnel to it")
        }
    }
}

async fn origins(config: &Config) -> Check {
    const NAME: &str = "flex origins";
    match Origins::of(config) {
        Origins::Missing => Check::wrong(NAME, Origins::MISSING, Origins::MEND),
        Origins::Elsewhere(found) => Check::note(NAME, found, Origins::MEND_ELSEWHERE),
        // The service may run with another environment than this one.
        Origins::Flex(found) => match allows(&config.server.public_url.called(SESSION), FLEX_ORIGIN).await {
            Some(false) => {
                let found = format!("{found}; the service at PUBLIC_URL refuses pages of {FLEX_ORIGIN}");
                Check::wrong(NAME, found, "set ALLOWED_ORIGINS where the service runs, and start it again")
            }
            Some(true) | None => Check::right(NAME, found),
        },
    }
}
