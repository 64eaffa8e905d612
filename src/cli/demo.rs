//! `demo`: the service beside an emulated Twilio with a lively contact centre. No account, no configuration, no network.
//!
//! Nothing here is a shortcut: the service is configured by variables as anywhere, told of events by signed callbacks,
//! and writes to Sync over HTTP. Only the other side is simulated.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use twilio_emulator::{Emulator, Settings};

use super::output::print;
use super::{CommandError, Environment};
use crate::app::App;
use crate::config::Config;
use crate::lifecycle::stop_signal;
use crate::server::EVENT_PATHS;
use crate::telemetry::metrics::Monitor;
use crate::twilio::Apis;

/// How long the centre has been open when the demo starts, so that today's counters are not all zero.
const HISTORY: Duration = Duration::from_secs(30 * 60);
/// Who may ask the demo's service for the bootstrap. Known to all, and good for the loopback address only.
const ADMINISTRATOR: (&str, &str) = ("admin", "demo-password");
/// Who sees the dashboard and can't change it.
const VIEWER: (&str, &str) = ("viewer", "demo-viewer");

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Port of the service; 0 for any free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of the emulated Twilio; 0 for any free one
    #[arg(long, default_value_t = 8081)]
    twilio_port: u16,
    /// Number of TaskQueues
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=5000))]
    queues: u16,
    /// Number of Workers
    #[arg(long, default_value_t = 23, value_parser = clap::value_parser!(u16).range(1..=5000))]
    workers: u16,
    /// What happens in the centre, in steps a second
    #[arg(long, default_value_t = 1.5, value_parser = finite)]
    pace: f64,
    /// Seed of the centre: the same seed makes the same people and queues
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds by which Twilio's statistics lag behind its events
    #[arg(long, default_value_t = 0.0, value_parser = finite)]
    lag: f64,
}

/// Runs until SIGTERM or SIGINT.
pub(super) async fn run(environment: &Environment, options: Options) -> Result<(), CommandError> {
    let stop = stop_signal().map_err(CommandError::failed)?;
    let settings = Settings {
        listen: local(options.twilio_port),
        seed: options.seed,
        queues: options.queues.into(),
        workers: options.workers.into(),
        history: HISTORY,
        statistics_lag: Duration::try_from_secs_f64(options.lag).map_err(CommandError::failed)?,
        ..Settings::default()
    };
    let emulator = Emulator::start(settings).await.map_err(|error| taken(&error, "--twilio-port"))?;
    let listener = TcpListener::bind(local(options.port)).await;
    let in_use = |error| {
        CommandError::Failed(format!(
            "can't listen on {}: {error}; choose another port with --port",
            local(options.port)
        ))
    };
    let listener = listener.map_err(in_use)?;
    let address = listener.local_addr().map_err(CommandError::failed)?;

    let service_url = format!("http://{address}");
    let variables = variables(&emulator, &service_url);
    // Whoever wants to see another time zone, layout or rhythm sets it as for `serve`.
    let config = Config::read(&|name| variables.get(name).cloned().or_else(|| environment.value(name)))?;
    let app = App::start(&config, listener).map_err(CommandError::failed)?;
    let apis = Apis::new(&config.core, Monitor::default()).map_err(CommandError::failed)?;
    let callback_url = format!("{service_url}{}", EVENT_PATHS[0]);
    apis.taskrouter.set_event_callback_url(&callback_url).await.map_err(CommandError::failed)?;
    app.ready().await;
    let centre = emulator.world().drive(options.pace.max(0.0));
    print(guide(&emulator, &config, &service_url));

    let ended = app.run_until(stop).await;
    drop(centre);
    emulator.shutdown().await;
    ended.map_err(CommandError::failed)
}

/// A number from 0 to 1000.
fn finite(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1000.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1000".to_owned())
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn taken(error: &dyn std::error::Error, option: &str) -> CommandError {
    CommandError::Failed(format!("{error}; choose another port with {option}"))
}

fn variables(emulator: &Emulator, service_url: &str) -> HashMap<&'static str, String> {
    let (account, twilio) = (emulator.account(), emulator.url());
    HashMap::from([
        ("TWILIO_ACCOUNT_SID", account.account_sid.clone()),
        ("TWILIO_AUTH_TOKEN", account.auth_token.clone()),
        ("TWILIO_API_KEY", account.api_key_sid.clone()),
        ("TWILIO_API_SECRET", account.api_key_secret.clone()),
        ("TWILIO_WORKSPACE_SID", account.workspace_sid.clone()),
        ("TWILIO_SYNC_SERVICE_SID", account.sync_service_sid.clone()),
        ("TWILIO_TASKROUTER_URL", twilio.clone()),
        ("TWILIO_SYNC_URL", twilio.clone()),
        ("TWILIO_API_URL", twilio.clone()),
        ("TWILIO_IAM_URL", twilio),
        ("PUBLIC_URL", service_url.to_owned()),
        ("AUTHENTICATION_USER", ADMINISTRATOR.0.to_owned()),
        ("AUTHENTICATION_PASSWORD", ADMINISTRATOR.1.to_owned()),
        ("VIEWER_USER", VIEWER.0.to_owned()),
        ("VIEWER_PASSWORD", VIEWER.1.to_owned()),
    ])
}

fn guide(emulator: &Emulator, config: &Config, service_url: &str) -> String {
    let (account, twilio) = (emulator.account(), emulator.url());
    let ((user, password), (viewer, viewer_password)) = (ADMINISTRATOR, VIEWER);
    let map = &config.core.sync.queue_stats_map;
    let sync = format!("{twilio}/v1/Services/{}", account.sync_service_sid);
    let credentials = format!("{}:{}", account.account_sid, account.auth_token);
    format!(
        "
The contact centre is open: {queues} TaskQueues, {workers} Workers. All of it is simulated, and only on this machine.

  dashboard        {service_url}/       sign in as {user} with {password}
                   {service_url}/?tv=1  for a screen on the wall: {viewer} with {viewer_password}
  service          {service_url}
  emulated Twilio  {twilio}

What stands in Sync, as any Twilio client reads it (repeat it, and see it change):
  curl -s -u {credentials} '{sync}/Maps/{map}/Items?PageSize=100'

The same numbers as they truly are in the centre, to compare:
  curl -s '{twilio}/emulator/truth'

Everything refreshed and written at once, as an administrator:
  curl -s -u {user}:{password} '{service_url}{events}?checkMap=true'

An event that Twilio did not sign gets 403 and changes nothing:
  curl -i -d EventType=task.created '{service_url}{events}'

Ctrl-C stops it.
",
        queues = emulator.world().queues().len(),
        workers = emulator.world().workers().len(),
        events = EVENT_PATHS[0],
    )
}
