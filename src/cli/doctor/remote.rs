//! Checks that ask Twilio: credentials, Workspace, event callbacks, the clock, the Sync Service and its objects.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;

use super::centre::{self, some};
use super::report::Check;
use crate::cli::by_hand::{curl, fetched};
use crate::config::{Config, LayoutName, PublicUrl, SyncServiceName};
use crate::layout::{self, Object};
use crate::publish;
use crate::server::EVENT_PATHS;
use crate::stats::Snapshot;
use crate::telemetry::metrics::Monitor;
use crate::twilio::taskrouter::Workspace;
use crate::twilio::{Apis, Next, TwilioError};

/// A clock that is off by more than this shows in statistics and ages.
const SKEW_TO_NOTE: SignedDuration = SignedDuration::from_secs(2);
/// A clock that is off by more than this makes Twilio refuse access tokens as too new or too old.
const SKEW_TOO_LARGE: SignedDuration = SignedDuration::from_secs(30);
/// The window in which Sync counts writes.
const SYNC_WINDOW: Duration = Duration::from_secs(10);

/// Runs the checks, with one request for each resource.
pub(super) async fn checks(config: &Config, apis: &Apis) -> Vec<Check> {
    let workspace = apis.taskrouter.workspace().await;
    let mut checks = credentials(config, &workspace).await;
    match workspace {
        Ok(workspace) => {
            checks.push(Check::right("workspace", format!("{:?} exists", workspace.friendly_name)));
            checks.push(callback_url(config, &workspace));
            checks.push(events_filter(config, &workspace));
            checks.push(public_url(&config.server.public_url).await);
            checks.push(clock(apis.taskrouter.clock_ahead().await));
            checks.extend(centre::checks(config, apis).await);
        }
        Err(error) => {
            let reason = if error.is_bad_credentials() { "credentials" } else { "workspace" };
            if !error.is_bad_credentials() {
                // The failed check comes before those that are skipped because of it.
                let place = if error.next() == Next::Missing { checks.len() } else { 0 };
                checks.insert(place, unreadable_workspace(&error, config, apis).await);
            }
            let others = [
                "workspace",
                "event callback URL",
                "events filter",
                "public URL",
                "clock",
                "task queues",
                "task channels",
            ];
            let unseen = others.into_iter().filter(|name| *name != reason);
            checks.extend(unseen.map(|name| Check::skipped(name, reason)));
            if error.is_bad_credentials() {
                let others = ["sync service", "sync objects"];
                checks.extend(others.map(|name| Check::skipped(name, reason)));
                return checks;
            }
        }
    }
    checks.extend(sync(config, apis).await);
    checks
}

/// REST calls take the API key where there is one; then the Auth Token, by which signatures are checked, is tried too.
async fn credentials(config: &Config, workspace: &Result<Workspace, TwilioError>) -> Vec<Check> {
    let refused = |what: &str, error: &TwilioError, mend: &str| {
        Check::wrong("credentials", format!("{what}: {error}"), mend)
    };
    let account = config.core.twilio.account_sid;
    let of_token = format!(
        "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN from the Console's home page, then try\n{}",
        curl(config, &format!("https://api.twilio.com/2010-04-01/Accounts/{account}.json"))
    );
    let with_key = config.core.twilio.api_key.is_some();
    if let Err(error) = workspace
        && error.is_bad_credentials()
    {
        let (what, mend) = if with_key {
            (
                "Twilio rejects the API key",
                "create an API key (Console, Account, API keys) and set TWILIO_API_KEY and TWILIO_API_SECRET",
            )
        } else {
            ("Twilio rejects Account SID and Auth Token", &*of_token)
        };
        return vec![refused(what, error, mend)];
    }
    let unknown = || vec![Check::unknown("credentials", "Twilio could not verify the credentials")];
    if !was_let_in(workspace) {
        return unknown();
    }
    if !with_key {
        return vec![Check::right("credentials", "Twilio accepts Account SID and Auth Token")];
    }
    let mut by_token = config.core.clone();
    by_token.twilio.api_key = None;
    let Ok(apis) = Apis::new(&by_token, Monitor::default()) else { return Vec::new() };
    match apis.taskrouter.workspace().await {
        Err(error) if error.is_bad_credentials() => {
            let what = "Twilio accepts the API key but not the Auth Token, so every signature will fail";
            vec![refused(what, &error, &of_token)]
        }
        answer if was_let_in(&answer) => vec![Check::right(
            "credentials",
            "Twilio accepts the API key, and the Auth Token that signs webhooks",
        )],
        _ => unknown(),
    }
}

/// A 404 for the Workspace means that the credentials were accepted, too.
fn was_let_in(workspace: &Result<Workspace, TwilioError>) -> bool {
    workspace.as_ref().map_or_else(|error| error.next() == Next::Missing, |_| true)
}

async fn unreadable_workspace(error: &TwilioError, config: &Config, apis: &Apis) -> Check {
    let base = &config.core.twilio.base_urls.taskrouter;
    let list = curl(config, &format!("{base}/v1/Workspaces"));
    match error.next() {
        Next::Missing => {
            let sid = config.core.twilio.workspace_sid;
            let there = apis.taskrouter.workspaces().await.unwrap_or_default();
            let there: Vec<_> = there.iter().map(|w| format!("{} ({})", w.sid, w.friendly_name)).collect();
            let found = format!("this account has no Workspace {sid}; it has {}", some(&there));
            Check::wrong("workspace", found, "set TWILIO_WORKSPACE_SID to one of these")
        }
        _ => {
            let mend = format!("check that this machine reaches Twilio\n{list}");
            Check::wrong("workspace", error.to_string(), mend)
        }
    }
}

/// The most common mistake: Twilio has another URL than `PUBLIC_URL`, so no events arrive, or every signature is wrong.
fn callback_url(config: &Config, workspace: &Workspace) -> Check {
    const NAME: &str = "event callback URL";
    const MEND: &str = "taskrouter-sync setup --event-callback-url";
    let ours = &config.server.public_url;
    let Some(told) = workspace.event_callback_url.as_deref().filter(|url| !url.is_empty()) else {
        return Check::wrong(NAME, "the Workspace has none, so no events arrive", MEND);
    };
    let (url, overrides) = told.split_once('#').unwrap_or((told, ""));
    let without_query = url.split('?').next().unwrap_or_default();
    // The service accepts a URL with or without the scheme's default port, so this check does, too.
    let normal = |url: &str| reqwest::Url::parse(url).map_or_else(|_| url.to_owned(), String::from);
    let expected = EVENT_PATHS.iter().any(|path| normal(without_query) == normal(&format!("{ours}{path}")));
    if expected && overrides.is_empty() {
        let found = format!("{url}; Twilio does not retry failed callbacks");
        return Check::note(NAME, found, MEND);
    }
    if expected {
        return Check::right(NAME, told);
    }
    let here = format!("{ours}/");
    let found = if without_query.starts_with(&here) {
        format!("Twilio calls {url}, which is not an address of this service")
    } else {
        format!("Twilio calls {url}, but PUBLIC_URL is {ours}: no events arrive, or every signature fails")
    };
    Check::wrong(NAME, found, format!("{MEND}\nor set PUBLIC_URL to the first of these without its path"))
}

fn events_filter(config: &Config, workspace: &Workspace) -> Check {
    match workspace.events_filter.as_deref().filter(|filter| !filter.is_empty()) {
        None => Check::right("events filter", "none: events of all types arrive"),
        Some(filter) => {
            let base = &config.core.twilio.base_urls.taskrouter;
            let sid = config.core.twilio.workspace_sid;
            let found = format!("only {filter}; changes by other events show later");
            let mend = curl(config, &format!("-d EventsFilter= {base}/v1/Workspaces/{sid}"));
            Check::note("events filter", found, mend)
        }
    }
}

/// Whether this service answers at `PUBLIC_URL`. From inside, this can fail where Twilio succeeds, so it is never a
/// failure.
async fn public_url(url: &PublicUrl) -> Check {
    let health = format!("{url}/healthz");
    let found = match answers(&health).await {
        Ok(()) => return Check::right("public URL", format!("{health} answers")),
        Err(reason) => format!("{health} does not answer from here: {reason}"),
    };
    let mend = format!(
        "taskrouter-sync serve\nand start a proxy or tunnel to it; then check from outside:\ncurl -i {health}"
    );
    Check::note("public URL", found, mend)
}

async fn answers(url: &str) -> Result<(), String> {
    let (status, body) = fetched(url).await?;
    if (200..300).contains(&status) && body.contains("\"ok\"") {
        return Ok(());
    }
    Err(format!("status {status}, and not this service's answer"))
}

fn clock(ahead: Result<Option<SignedDuration>, TwilioError>) -> Check {
    let ahead = match ahead {
        Ok(Some(ahead)) => ahead,
        Ok(None) => return Check::right("clock", "Twilio's answer has no Date header"),
        Err(error) => return Check::note("clock", error.to_string(), "taskrouter-sync doctor"),
    };
    let off = ahead.abs();
    if off <= SKEW_TO_NOTE {
        return Check::right("clock", "within 2 s of Twilio's");
    }
    let direction = if ahead.is_positive() { "ahead of" } else { "behind" };
    let found = format!("{} s {direction} Twilio's", off.as_secs());
    let mend =
        "timedatectl set-ntp true\non a machine without systemd:\nchronyd -q 'server pool.ntp.org iburst'";
    if off > SKEW_TOO_LARGE {
        Check::wrong(
            "clock",
            format!("{found}: access tokens are refused, and \"today\" begins at the wrong time"),
            mend,
        )
    } else {
        Check::note("clock", found, mend)
    }
}

async fn sync(config: &Config, apis: &Apis) -> Vec<Check> {
    let twilio = &config.core.twilio;
    let base = &twilio.base_urls.sync;
    let list = curl(config, &format!("{base}/v1/Services"));
    let controlled = match apis.sync.is_access_controlled().await {
        Ok(controlled) => controlled,
        Err(error) => {
            let check = if error.next() == Next::Missing {
                let there = apis.sync.services().await.unwrap_or_default();
                let there: Vec<_> = there.iter().map(ToString::to_string).collect();
                let found = format!(
                    "this account has no Sync Service {}; it has {}",
                    twilio.sync_service,
                    some(&there)
                );
                let make = curl(config, &format!("-d FriendlyName=taskrouter {base}/v1/Services"));
                let mend = format!("set TWILIO_SYNC_SERVICE_SID to one of these, or create one\n{make}");
                Check::wrong("sync service", found, mend)
            } else {
                Check::wrong(
                    "sync service",
                    error.to_string(),
                    format!("check that this machine reaches Sync\n{list}"),
                )
            };
            return vec![check, Check::skipped("sync objects", "sync service")];
        }
    };
    let service = twilio.sync_service;
    let check = if !controlled && twilio.api_key.is_some() {
        let found = format!(
            "{service} exists; any access token can change its content. Once protected, Sync refuses (54007) Flex users other than the \
             Workers that setup permits"
        );
        Check::note("sync service", found, "taskrouter-sync setup --protect-sync")
    } else if service == SyncServiceName::Default {
        Check::note(
            "sync service",
            "the alias \"default\" works; a SID is safer",
            format!("set TWILIO_SYNC_SERVICE_SID to one of these\n{list}"),
        )
    } else {
        Check::right("sync service", format!("{service} exists"))
    };
    vec![check, objects(config, apis).await]
}

async fn objects(config: &Config, apis: &Apis) -> Check {
    let nothing = Snapshot::empty(&config.core.statistics.channels, Timestamp::now());
    let layouts = layout::all(&config.core);
    // A Document that continues another one exists only when it is needed.
    let goes_on = format!("{}-", config.core.sync.dashboard_metrics_document);
    let needed = |object: &Object| !matches!(object, Object::Document(name) if name.starts_with(&goes_on));
    let objects = layouts.iter().flat_map(|layout| layout.objects(&nothing)).filter(needed);
    let definitions = Object::Document(config.core.sync.dashboard_definitions_document.as_str().into());
    let (mut there, mut missing) = (0_usize, Vec::new());
    for object in objects.chain([definitions]) {
        let found = match &object {
            Object::Document(name) => {
                apis.sync.document::<IgnoredAny>(name).await.map(|found| found.is_some())
            }
            Object::Map(name) => apis.sync.map_exists(name).await,
        };
        match found {
            Ok(true) => there += 1,
            Ok(false) if object.is_by_sid() => {
                let found = format!("{object} does not exist in this Sync Service");
                return Check::wrong("sync objects", found, "configure the SID of one that does, or a name");
            }
            Ok(false) => missing.push(object.to_string()),
            Err(error) => {
                return Check::wrong("sync objects", format!("{object}: {error}"), "taskrouter-sync doctor");
            }
        }
    }
    if missing.is_empty() {
        return match beyond_limit(config, apis).await {
            Some(found) => Check::note(
                "sync objects",
                found,
                "put queue-documents in place of that Map into SYNC_LAYOUTS",
            ),
            None => Check::right("sync objects", format!("all {there} exist")),
        };
    }
    let found = format!("not created yet: {}", missing.join(", "));
    Check::note("sync objects", found, "taskrouter-sync setup")
}

/// A Map whose items Sync does not take within one of its windows, should all of them change at once.
async fn beyond_limit(config: &Config, apis: &Apis) -> Option<String> {
    let sync = &config.core.sync;
    let maps =
        [(LayoutName::QueueMap, &sync.queue_stats_map), (LayoutName::DashboardMap, &sync.dashboard_map)];
    for (_, map) in maps.iter().filter(|(layout, _)| sync.layouts.contains(layout)) {
        let Ok(Some(items)) = apis.sync.map_items::<serde_json::Value>(map).await else { continue };
        let bytes: usize = items.iter().map(|item| item.data.to_string().len()).sum();
        if let Some(found) = takes_too_long(map, items.len(), bytes) {
            return Some(found);
        }
    }
    None
}

fn takes_too_long(map: &str, items: usize, bytes: usize) -> Option<String> {
    let each = bytes / items.max(1);
    let a_second = publish::writes_a_second(each);
    #[expect(clippy::cast_precision_loss, reason = "there are some thousands at most")]
    let seconds = items as f64 / a_second;
    (seconds > SYNC_WINDOW.as_secs_f64()).then(|| {
        format!(
            "Map {map} has {items} items of {each} bytes, and Sync takes {a_second:.0} such writes a second to one Map: \
             a change of all items shows within {seconds:.0} s, one that an event names sooner; \
             the layout queue-documents has no such limit"
        )
    })
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
