//! `setup`: the bootstrap from a shell. Creates what is missing, fills it once, and prints what it found and made.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use tokio::time::{Instant, timeout};

use super::flex_plugin::{self, FlexPluginOptions};
use super::output::{counted, print};
use super::{CommandError, Environment, unread};
use crate::bucket::Bucket;
use crate::config::{Config, CoreConfig, LayoutName};
use crate::layout::{self, Object, queue_items};
use crate::lenient_json;
use crate::lifecycle::Tasks;
use crate::pipeline::Pipeline;
use crate::refresh::Stopped;
use crate::server::EVENT_PATHS;
use crate::stats::Snapshot;
use crate::telemetry::metrics::Monitor;
use crate::twilio::access_token::DASHBOARD_IDENTITY;
use crate::twilio::sync::SyncService;
use crate::twilio::taskrouter::Workspace;
use crate::twilio::{Apis, Next, TwilioError};

/// A thousand queues take about a minute to write within Sync's limits.
const LONGEST_WAIT: Duration = Duration::from_secs(180);
/// How long later changes may take to be written: the snapshot itself is written by then, and the service writes the rest.
const GRACE: Duration = Duration::from_secs(2);
/// Makes Twilio retry a callback that did not get through, five times at most; by default a 5xx or a slow answer loses
/// the event (Twilio, "Webhooks: Connection Overrides").
const CONNECTION_OVERRIDES: &str = "#rc=5&rp=5xx,ct,rt";

/// Workers that are permitted to read.
const MOST_PERMITTED: usize = 1000;
const PERMITTED_AT_ONCE: usize = 4;
/// Sync takes 80 permissions a second for an object (Twilio, "Sync Limits"); the service sets some meanwhile.
const PERMITTED_A_SECOND: f64 = 60.0;

#[derive(Debug, Args)]
pub(super) struct SetupOptions {
    /// Set the Workspace's event callback URL, by default to PUBLIC_URL/taskrouter/events. Adds connection overrides
    /// (the part after '#') that make Twilio retry, unless URL has a fragment
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    event_callback_url: Option<String>,
    /// Switch on the Sync Service's access control, so that the dashboard's access tokens can only read. Affects the
    /// whole Service: other clients with access tokens then need permissions of their own. Today's Workers may read the
    /// Map of the layout queue-map as Flex users
    #[arg(long)]
    protect_sync: bool,
    #[command(flatten)]
    flex_plugin: FlexPluginOptions,
}

/// Runs `setup`, or `setup --flex-plugin`.
pub(super) async fn run(environment: &Environment, options: SetupOptions) -> Result<(), CommandError> {
    unread::tell(environment);
    let lookup = |name: &str| environment.value(name);
    if options.flex_plugin.wanted {
        let config = Config::read(&lookup)?;
        let apis = Apis::new(&config.core, Monitor::default()).map_err(CommandError::failed)?;
        return flex_plugin::run(&config, &apis, &options.flex_plugin).await;
    }
    let callback_url = match options.event_callback_url.as_deref() {
        None => None,
        Some("") => {
            let config = Config::read(&lookup)?;
            if let Some(concern) = config.server.public_url.concern() {
                print(format!("Warning: PUBLIC_URL is {concern}"));
            }
            Some(with_overrides(&format!("{}{}", config.server.public_url, EVENT_PATHS[0])))
        }
        Some(url) => Some(with_overrides(checked(url)?)),
    };
    let config = CoreConfig::read(&lookup)?;
    let apis = Apis::new(&config, Monitor::default()).map_err(CommandError::failed)?;
    let done = timeout(LONGEST_WAIT, bootstrap(&apis, &config, callback_url, options.protect_sync)).await;
    done.map_err(|_| CommandError::Failed(format!("not finished after {} s", LONGEST_WAIT.as_secs())))?
}

/// Takes each step even if others failed, prints what was done, and ends with what was not.
async fn bootstrap(
    apis: &Apis,
    config: &CoreConfig,
    callback_url: Option<String>,
    protects: bool,
) -> Result<(), CommandError> {
    let mut undone = Vec::new();
    let workspace = match apis.taskrouter.workspace().await {
        Ok(workspace) => {
            print(format!("Workspace {}: found, {:?}", config.twilio.workspace_sid, workspace.friendly_name));
            Some(workspace)
        }
        Err(error) => {
            undone.push(explained("The Workspace can't be read", &error).to_string());
            None
        }
    };
    if let Err(error) = fill_sync(apis, config, protects, workspace.is_some()).await {
        undone.push(error.to_string());
    }
    match workspace {
        Some(workspace) => {
            if let Err(error) = tell_workspace(apis, workspace, callback_url).await {
                undone.push(error.to_string());
            }
        }
        None if callback_url.is_some() => {
            undone.push("The event callback URL was not set, because the Workspace can't be read".to_owned());
        }
        None => {}
    }
    if undone.is_empty() {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "setup is incomplete; fix this and repeat it:\n  {}",
        undone.join("\n  ")
    )))
}

/// Creates what is missing in Sync, protects it if asked to, and fills it if the Workspace can be read.
async fn fill_sync(
    apis: &Apis,
    config: &CoreConfig,
    protects: bool,
    workspace_is_known: bool,
) -> Result<(), CommandError> {
    let nothing = Snapshot::empty(&config.statistics.channels, Timestamp::now());
    let definitions = Object::Document(config.sync.dashboard_definitions_document.as_str().into());
    let objects = layout::all(config).iter().flat_map(|layout| layout.objects(&nothing)).collect::<Vec<_>>();
    let mut before = Vec::new();
    for object in objects.into_iter().chain([definitions]) {
        let there = is_there(&apis.sync, &object).await;
        let there = there.map_err(unreadable)?;
        if !there && object.is_by_sid() {
            return Err(CommandError::Failed(format!(
                "{object} does not exist in the Sync Service, which chooses the SIDs itself: configure the SID of one that \
                 does, or a name"
            )));
        }
        before.push((object, there));
    }

    let controlled = apis.sync.is_access_controlled().await.map_err(access_failed)?;
    let (found, missing): (Vec<_>, Vec<_>) = before.iter().partition(|(_, there)| *there);
    let queue_map = Object::Map(config.sync.queue_stats_map.as_str().into());
    let mut shut_out = None;
    let has_queue_map = config.sync.layouts.contains(&LayoutName::QueueMap);
    if protects {
        // Permissions first, so that no reader is shut out meanwhile; and before the core starts, which warns if access is
        // not controlled.
        permit(&apis.sync, &found).await?;
        if has_queue_map && found.iter().any(|(object, _)| *object == queue_map) {
            shut_out = permit_workers(apis, &config.sync.queue_stats_map).await.err();
        }
        if !controlled {
            apis.sync.control_access().await.map_err(access_failed)?;
        }
    }

    if !workspace_is_known {
        return Err(CommandError::Failed(
            "Sync was not filled, because the Workspace can't be read".to_owned(),
        ));
    }
    // Started only now, so that objects it creates are not reported as existing before.
    let mut tasks = Tasks::default();
    let pipeline = Pipeline::start(config, apis.clone(), GRACE, &Monitor::default(), &mut tasks);
    let filled = fill(&pipeline).await;
    tasks.stop().await.map_err(CommandError::failed)?;
    let snapshot = filled?;

    for (object, there) in &before {
        let state = if *there {
            "found"
        } else if is_there(&apis.sync, object).await.map_err(unreadable)? {
            "created"
        } else {
            // Such as the continuation of a Document that is not full, or one whose values come later.
            "not needed yet; the service creates it with its first value"
        };
        print(format!("{object}: {state}"));
    }
    if protects {
        permit(&apis.sync, &missing).await?;
        if has_queue_map && missing.iter().any(|(object, _)| *object == queue_map) {
            shut_out = permit_workers(apis, &config.sync.queue_stats_map).await.err();
        }
    }
    print(match (controlled, protects) {
        (false, false) => {
            "Access control: off, so any access token can change Sync's content; to switch it on:\n  \
             taskrouter-sync setup --protect-sync"
                .to_owned()
        }
        (true, _) => on("on"),
        (false, true) => on("switched on"),
    });
    let items = queue_items(&snapshot).len();
    print(format!("TaskQueues: {} found, {items} with statistics", snapshot.queues.len()));
    shut_out.map_or(Ok(()), Err)
}

/// Sets the event callback URL if asked to, and prints it.
async fn tell_workspace(
    apis: &Apis,
    workspace: Workspace,
    callback_url: Option<String>,
) -> Result<(), CommandError> {
    match callback_url {
        Some(url) if workspace.event_callback_url.as_deref() == Some(url.as_str()) => {
            print(format!("Event callback URL: already {url}"));
        }
        Some(url) => {
            let set = apis.taskrouter.set_event_callback_url(&url).await;
            let set = set.map_err(|error| explained("The event callback URL can't be set", &error))?;
            print(format!(
                "Event callback URL: set to {}",
                set.event_callback_url.as_deref().unwrap_or_default()
            ));
        }
        None => match workspace.event_callback_url.as_deref().filter(|url| !url.is_empty()) {
            Some(url) => print(format!("Event callback URL: {url}")),
            None => {
                print("Event callback URL: none; to set it:\n  taskrouter-sync setup --event-callback-url");
            }
        },
    }
    if let Some(filter) = workspace.events_filter.filter(|filter| !filter.is_empty()) {
        print(format!("Events filter: {filter}; changes by other events show later"));
    }
    Ok(())
}

/// Lets Flex users read the Map that the queue statistics plugin shows, with the tokens that they have from Flex. Their
/// identity is known from their Worker's `contact_uri`. Fails if that was not done for all of them.
async fn permit_workers(apis: &Apis, map: &str) -> Result<(), CommandError> {
    let workers = apis.taskrouter.workers().await.map_err(|error| {
        let undone = format!(
            "Flex users were not permitted to read Map {map} (54007), because the Workers can't be read"
        );
        explained(&undone, &error)
    })?;
    let identities: BTreeSet<String> =
        workers.iter().filter_map(|worker| identity_of(&worker.attributes)).collect();
    let mut pace = Bucket::new(PERMITTED_A_SECOND, PERMITTED_A_SECOND, PERMITTED_A_SECOND, Instant::now());
    let to_permit: Vec<&String> = identities.iter().take(MOST_PERMITTED).collect();
    let failures = permit_each(apis, map, to_permit, &mut pace).await;
    // Once more: of a thousand requests one may fail on the way.
    let again = failures.into_iter().map(|(identity, _)| identity).collect();
    let failures = permit_each(apis, map, again, &mut pace).await;
    let permitted = identities.len().min(MOST_PERMITTED) - failures.len();
    print(format!(
        "Flex users: {permitted} of {} may read Map {map}; for others Sync refuses it (54007) and their table of queue \
         statistics stays empty, also for Workers that are added later: repeat this then",
        counted(workers.len(), "Worker")
    ));
    if identities.len() > MOST_PERMITTED {
        let failed = match failures.first() {
            None => String::new(),
            Some((_, error)) => format!("; {} not permitted because of {error}", users_were(failures.len())),
        };
        return Err(CommandError::Failed(format!(
            "{} not permitted to read Map {map} (54007): setup permits {MOST_PERMITTED} at most{failed}",
            users_were(identities.len() - MOST_PERMITTED)
        )));
    }
    match failures.first() {
        None => Ok(()),
        Some((_, error)) => {
            let undone = format!("{} not permitted to read Map {map} (54007)", users_were(failures.len()));
            Err(explained(&undone, error))
        }
    }
}

/// Those that Sync did not take, and why.
async fn permit_each<'i>(
    apis: &Apis,
    map: &str,
    identities: Vec<&'i String>,
    pace: &mut Bucket,
) -> Vec<(&'i String, TwilioError)> {
    let moments = identities.into_iter().map(|identity| {
        let now = Instant::now();
        let at = pace.ready_at(1.0, 0.0, now);
        pace.spend(1.0, now);
        (at, identity)
    });
    let moments: Vec<_> = moments.collect();
    stream::iter(moments)
        .then(async |(at, identity)| {
            tokio::time::sleep_until(at).await;
            identity
        })
        .map(async |identity| (identity, apis.sync.permit_reading("Maps", map, identity).await))
        .buffer_unordered(PERMITTED_AT_ONCE)
        .filter_map(async |(identity, permitted)| Some((identity, permitted.err()?)))
        .collect()
        .await
}

fn users_were(number: usize) -> String {
    format!("{} {}", counted(number, "Flex user"), if number == 1 { "was" } else { "were" })
}

/// The identity of a Worker's Flex user.
fn identity_of(attributes: &str) -> Option<String> {
    let attributes = lenient_json::attributes(attributes);
    let identity = attributes.get("contact_uri")?.as_str()?.strip_prefix("client:")?;
    (!identity.is_empty()).then(|| identity.to_owned())
}

/// Lets the dashboard's identity read these.
async fn permit(sync: &SyncService, objects: &[&(Object, bool)]) -> Result<(), CommandError> {
    for (object, _) in objects {
        let permitted = match object {
            Object::Document(name) => sync.permit_reading("Documents", name, DASHBOARD_IDENTITY).await,
            Object::Map(name) => sync.permit_reading("Maps", name, DASHBOARD_IDENTITY).await,
        };
        match permitted {
            // A Document that continues another one exists only when it is needed.
            Err(error) if error.next() == Next::Missing => {}
            permitted => permitted.map_err(access_failed)?,
        }
    }
    Ok(())
}

fn on(how: &str) -> String {
    format!(
        "Access control: {how}; the identity {DASHBOARD_IDENTITY:?} may read these objects and later ones"
    )
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err wants it")]
fn unreadable(error: TwilioError) -> CommandError {
    explained("The Sync Service can't be read", &error)
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err wants it")]
fn access_failed(error: TwilioError) -> CommandError {
    explained("The Sync Service's access control can't be set", &error)
}

/// Reads everything and waits until it is written to Sync.
async fn fill(pipeline: &Pipeline) -> Result<Arc<Snapshot>, CommandError> {
    let ended = |_| CommandError::Failed("reading or writing stopped early; see the log".to_owned());
    let snapshot = pipeline.refresher.refresh_all().await.map_err(ended)?;
    if let Some(stale) = &snapshot.directory_stale {
        return Err(CommandError::Failed(format!("The TaskQueues can't be read: {}", stale.reason)));
    }
    pipeline.publisher.written(snapshot.number).await.map_err(|_| ended(Stopped))?;
    Ok(snapshot)
}

async fn is_there(sync: &SyncService, object: &Object) -> Result<bool, TwilioError> {
    match object {
        Object::Document(name) => Ok(sync.document::<IgnoredAny>(name).await?.is_some()),
        Object::Map(name) => sync.map_exists(name).await,
    }
}

fn explained(what: &str, error: &TwilioError) -> CommandError {
    let hint = if error.is_bad_credentials() {
        ". Check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, or TWILIO_API_KEY with TWILIO_API_SECRET"
    } else {
        ""
    };
    CommandError::Failed(format!("{what}: {error}{hint}"))
}

fn checked(url: &str) -> Result<&str, CommandError> {
    let fits = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if fits { Ok(url) } else { Err(CommandError::Failed(format!("{url:?} is not an http or https URL"))) }
}

fn with_overrides(url: &str) -> String {
    if url.contains('#') { url.to_owned() } else { format!("{url}{CONNECTION_OVERRIDES}") }
}
