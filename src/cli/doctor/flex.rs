//! The Flex plugin, where the active Release has it: of this version, at an address that answers, with its origins allowed.

use super::report::Check;
use crate::cli::by_hand::{allows, fetched};
use crate::cli::flex_plugin::{
    FLEX_ORIGIN, FlexAccount, NOT_BUILT, Obstacles, Origins, Permission, Released, not_twilio, obstacles,
    reach,
};
use crate::config::Config;
use crate::twilio::{Apis, Next};

const NAME: &str = "flex plugin";
/// What the plugin asks first.
const SESSION: &str = "/api/session";

/// One line where our plugin is not released, which is no fault.
pub(super) async fn checks(config: &Config, apis: &Apis) -> Vec<Check> {
    let unknown = |error| format!("whether the plugin is released is not known: {error}");
    let account = match FlexAccount::read(config, apis).await {
        Ok(account) => account,
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
    let obstacles = obstacles(&account, config, Permission::default());
    let Some(released) = account.released() else { return vec![not_released(&account, obstacles)] };
    let version = version(&account, &released, obstacles);
    if released.is_foreign {
        return vec![version];
    }
    vec![version, reachable(&released).await, origins(config).await]
}

/// What stands in the way of releasing this service's plugin, for a sentence's end, and the lines that release it.
fn release(obstacles: Option<Obstacles>) -> (String, String) {
    match obstacles {
        None => (String::new(), format!("to release this service's:\n{}", Permission::default().command())),
        Some(Obstacles { problems, way_past }) => {
            (format!("; in the way of this service's: {}", problems.join("; ")), way_past)
        }
    }
}

fn not_released(account: &FlexAccount, obstacles: Option<Obstacles>) -> Check {
    let (in_the_way, mend) = release(obstacles);
    let found = match account.released_copy() {
        Some(copy) => format!("{copy} is released, which Twilio's own builder made"),
        None => "not released".to_owned(),
    };
    Check::right(NAME, found + &in_the_way).with_way(mend)
}

fn version(account: &FlexAccount, released: &Released, obstacles: Option<Obstacles>) -> Check {
    let Released { line, is_foreign, .. } = released;
    if account.has_bundle() {
        let found = format!("{line} is released and is this service's");
        return match account.released_copy() {
            None => Check::right(NAME, found),
            Some(_) => {
                let (in_the_way, mend) = release(obstacles);
                Check::note(NAME, found + &in_the_way, mend)
            }
        };
    }
    let (in_the_way, mend) = release(obstacles);
    match &account.bundle {
        _ if *is_foreign => Check::wrong(
            NAME,
            format!("{line} is released, which this program did not register{in_the_way}"),
            mend,
        ),
        Some(bundle) => {
            let found = format!("{line} is released, but this service's is at {}{in_the_way}", bundle.url);
            Check::wrong(NAME, found, format!("{mend}\nor set PUBLIC_URL to the address that is released"))
        }
        None => {
            let found = format!("{line} is released, but this program was built without the plugin");
            Check::wrong(NAME, found, NOT_BUILT)
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
