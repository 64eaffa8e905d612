//! `demo`: the service beside an emulated Twilio with a lively contact centre. No account, no configuration, no network.
//!
//! The service takes no shortcuts: variables configure it as anywhere, signed callbacks bring it events, and it writes to
//! Sync over HTTP. Only Twilio is simulated.

mod curves;

use std::collections::HashMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use twilio_emulator::{Emulator, FlexToken, Life, Settings};

use super::output::{counted, print};
use super::{CommandError, Environment, demo_shell};
use crate::app::App;
use crate::config::{Config, HistoryPlace};
use crate::lifecycle::stop_signal;
use crate::server::EVENT_PATHS;
use crate::telemetry::metrics::Monitor;
use crate::twilio::Apis;

/// How long the centre has been open when the demo starts, so that today's counters are not all zero.
const HISTORY: Duration = Duration::from_secs(30 * 60);
/// How often statistics are kept for the curves of the first half hour: as often as the service draws a point.
const CURVE_STEP: Duration = Duration::from_secs(20);
/// Reports of poor call quality by agents: issue, caller, called number.
const REPORTS: [(&str, &str, &str); 3] = [
    ("Average packet loss of 7 %", "+15005550010", "+15005550000"),
    ("MOS of 2.6; jitter of 48 ms", "+15005550011", "+15005550000"),
    ("Round trip of 610 ms", "+15005550012", "+15005550000"),
];
/// The administrator's account. It is public, which is safe since the demo listens on the loopback address only.
const ADMINISTRATOR: (&str, &str) = ("admin", "demo-password");
/// The viewer's account.
const VIEWER: (&str, &str) = ("viewer", "demo-viewer");

/// Thresholds in seconds for which curves are kept: the service's defaults, and other common ones.
const SPLITS: [u32; 7] = [10, 15, 20, 30, 45, 60, 120];
const CENTRE_NAME: &str = "Harbour Support";
/// What `doctor` and `setup` need; no value needs quotes.
const FOR_COMMANDS: [&str; 13] = [
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_WORKSPACE_SID",
    "TWILIO_SYNC_SERVICE_SID",
    "TWILIO_TASKROUTER_URL",
    "TWILIO_SYNC_URL",
    "TWILIO_API_URL",
    "TWILIO_IAM_URL",
    "TWILIO_FLEX_URL",
    "PUBLIC_URL",
    "ALLOWED_ORIGINS",
    "AUTHENTICATION_USER",
    "AUTHENTICATION_PASSWORD",
];
/// Columns of the lines that set them.
const WIDTH: usize = 100;

#[derive(Debug, Args)]
pub(super) struct DemoOptions {
    /// Port of the service (0: any free one)
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of the simulated Twilio (0: any free one)
    #[arg(long, default_value_t = 8081)]
    twilio_port: u16,
    /// Port of the stand-in for Flex (0: any free one)
    #[arg(long, default_value_t = 8082)]
    flex_port: u16,
    /// Number of TaskQueues
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=5000))]
    queues: u16,
    /// Number of Workers
    #[arg(long, default_value_t = 23, value_parser = clap::value_parser!(u16).range(1..=5000))]
    workers: u16,
    /// Simulated events in the contact centre, in steps a second
    #[arg(long, default_value_t = 1.5, value_parser = finite)]
    pace: f64,
    /// Random seed; the same seed creates the same Workers and TaskQueues
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds by which Twilio's statistics lag behind its events
    #[arg(long, default_value_t = 0.0, value_parser = finite)]
    lag: f64,
}

/// Runs until SIGTERM or SIGINT.
pub(super) async fn run(environment: &Environment, options: DemoOptions) -> Result<(), CommandError> {
    let stop = stop_signal().map_err(CommandError::failed)?;
    let settings = Settings {
        listen: local(options.twilio_port),
        seed: options.seed,
        queues: options.queues.into(),
        workers: options.workers.into(),
        history: HISTORY,
        samples_every: Some(CURVE_STEP),
        sample_splits: SPLITS.to_vec(),
        // A healthy centre when the demo opens, and from then on one TaskQueue that gets into trouble.
        life: Life::Healthy { trouble_after: HISTORY },
        statistics_lag: Duration::try_from_secs_f64(options.lag).map_err(CommandError::failed)?,
        ..Settings::default()
    };
    let emulator = Emulator::start(settings).await.map_err(|error| taken(&error, "--twilio-port"))?;
    progress(format_args!("simulated Twilio at {}, with half an hour of history", emulator.url()));
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
    let shell =
        demo_shell::bind(local(options.flex_port)).await.map_err(|error| taken(&error, "--flex-port"))?;
    let flex_url = format!("http://{}", shell.local_addr().map_err(CommandError::failed)?);
    let variables = variables(&emulator, &service_url, &flex_url);
    // Time zone, layouts and intervals come from the environment, as for `serve`.
    let mut config = Config::read(&|name| variables.get(name).cloned().or_else(|| environment.value(name)))?;
    // Another centre each time, so it leaves no history behind.
    let folder = std::env::temp_dir().join(format!("taskrouter-sync-demo-{}", std::process::id()));
    if environment.value("HISTORY_URL").is_none() {
        config.history.place = Some(HistoryPlace::Sqlite(folder.join("history.db")));
    }
    let app = App::start(&config, listener).map_err(CommandError::failed)?;
    progress(format_args!(
        "service at {service_url}, reading {}",
        counted(emulator.world().queues().len(), "TaskQueue")
    ));
    let apis = Apis::new(&config.core, Monitor::default()).map_err(CommandError::failed)?;
    let callback_url = format!("{service_url}{}", EVENT_PATHS[0]);
    apis.taskrouter.set_event_callback_url(&callback_url).await.map_err(CommandError::failed)?;
    app.ready().await;
    draw_past(&app, &emulator, &config);
    progress("ready: all TaskQueues are in Sync");
    report_calls(&emulator, &service_url).await?;
    progress(format_args!("{} calls of poor quality reported", REPORTS.len()));
    let shell = demo_shell::serve(shell, &emulator, &service_url)?;
    let centre = emulator.world().drive(options.pace.max(0.0));
    print(guide(&emulator, &config, &service_url, &flex_url));
    print(commands(&variables));
    print("Ctrl-C stops the demo.\n");

    let ended = tokio::select! {
        ended = app.run_until(stop) => ended.map_err(CommandError::failed),
        ended = shell => ended.map_err(CommandError::failed),
    };
    drop(centre);
    emulator.shutdown().await;
    // Nothing to remove where HISTORY_URL names another place.
    let _ = std::fs::remove_dir_all(folder);
    ended
}

/// Fills the curves with the half hour before the service started.
fn draw_past(app: &App, emulator: &Emulator, config: &Config) {
    let statistics = &config.core.statistics;
    let thresholds = &statistics.sla_thresholds;
    // The default metric's choice.
    let Some(threshold) = thresholds.get(1).or(thresholds.first()) else { return };
    let level = curves::DemoLevel { rule: statistics.service_level, threshold: *threshold };
    app.take_over(curves::curves(&emulator.world().samples(), &level));
}

/// Reports the progress of the start.
fn progress(what: impl Display) {
    print(format_args!("demo: {what}"));
}

/// Reports calls as the agents' browsers do.
#[expect(clippy::disallowed_methods, reason = "asks the service itself, not Twilio")]
async fn report_calls(emulator: &Emulator, service_url: &str) -> Result<(), CommandError> {
    let client = reqwest::Client::new();
    for (n, (issues, caller, called)) in REPORTS.into_iter().enumerate() {
        let token = format!("demo-agent-{n}");
        let realm_user_id = format!("agent-{}@example.com", n + 1);
        emulator.tokens().register(&token, FlexToken { realm_user_id, ..FlexToken::default() });
        let form = [
            ("Token", token.as_str()),
            ("action", "log-call"),
            ("issues", issues),
            ("callerId", caller),
            ("dnis", called),
        ];
        let request = client.post(format!("{service_url}/respond-to-issue")).form(&form);
        let answer = request.send().await.and_then(reqwest::Response::error_for_status);
        answer.map_err(CommandError::failed)?;
    }
    Ok(())
}

/// Parses a number from 0 to 1000.
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

fn variables(emulator: &Emulator, service_url: &str, flex_url: &str) -> HashMap<&'static str, String> {
    let workflow = emulator.world().workflows().into_iter().next().unwrap_or_default();
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
        ("TWILIO_IAM_URL", twilio.clone()),
        ("TWILIO_FLEX_URL", twilio),
        ("CENTRE_NAME", CENTRE_NAME.to_owned()),
        ("PUBLIC_URL", service_url.to_owned()),
        ("AUTHENTICATION_USER", ADMINISTRATOR.0.to_owned()),
        ("AUTHENTICATION_PASSWORD", ADMINISTRATOR.1.to_owned()),
        ("VIEWER_USER", VIEWER.0.to_owned()),
        ("VIEWER_PASSWORD", VIEWER.1.to_owned()),
        ("ALLOWED_ORIGINS", flex_url.to_owned()),
        ("TWILIO_OUTBOUND_WORKFLOW_SID", workflow),
        ("OUTBOUND_CALLER_IDS", demo_shell::CALLER_ID.to_owned()),
        ("OUTBOUND_PREFIXES", demo_shell::PREFIX.to_owned()),
    ])
}

/// Lines for a shell in which `doctor` and `setup` find the simulated Twilio.
fn commands(variables: &HashMap<&'static str, String>) -> String {
    let mut line = "  export".to_owned();
    let mut lines = Vec::new();
    for name in FOR_COMMANDS {
        let assignment = format!(" {name}={}", variables.get(name).map_or("", String::as_str));
        if line.len() + assignment.len() > WIDTH {
            lines.push(line + " \\");
            line = "   ".to_owned();
        }
        line += &assignment;
    }
    lines.push(line);
    let program = std::env::current_exe().ok();
    if let Some(folder) = program.as_deref().and_then(Path::parent) {
        lines.push(format!("  export PATH='{}':\"$PATH\"", folder.display()));
    }
    format!(
        "Commands against this Twilio, in another terminal:
{}
  taskrouter-sync doctor
  taskrouter-sync setup --flex-plugin
  taskrouter-sync setup --flex-plugin --remove
",
        lines.join("\n")
    )
}

fn guide(emulator: &Emulator, config: &Config, service_url: &str, flex_url: &str) -> String {
    let flex = if demo_shell::is_built() {
        format!("{flex_url}/       a stand-in for Flex, with the plugin in it")
    } else {
        "not built: make demo builds it".to_owned()
    };
    let (account, twilio) = (emulator.account(), emulator.url());
    let ((user, password), (viewer, viewer_password)) = (ADMINISTRATOR, VIEWER);
    let map = &config.core.sync.queue_stats_map;
    let sync = format!("{twilio}/v1/Services/{}", account.sync_service_sid);
    let credentials = format!("{}:{}", account.account_sid, account.auth_token);
    let queues = emulator.world().queues();
    // The emulator's choice: the one in the middle of the list.
    let (troubled, troubled_sid) = queues
        .get(queues.len() / 2)
        .map(|queue| (queue.friendly_name.clone(), queue.sid.clone()))
        .unwrap_or_default();
    format!(
        "
The contact centre is open: {queues}, {workers}, all simulated on this machine.
It is well staffed, but {troubled} is about to get more Tasks than it can handle.

  dashboard        {service_url}/       sign in as {user} with {password}
                   {service_url}/?tv=1  for a screen on the wall: {viewer} with {viewer_password}
  Flex             {flex}
  service          {service_url}
  simulated Twilio {twilio}

The simulated TaskQueues beside what Sync holds (repeat it to see both change):
  curl -s '{twilio}/emulator/table?map={map}'

One of them in Sync, as Twilio's clients read it:
  curl -s -u {credentials} '{sync}/Maps/{map}/Items/{troubled_sid}' | python3 -m json.tool

Refresh and write everything now, as administrator (prints 200 and the time it took):
  curl -s -o /dev/null -w '%{{http_code}} after %{{time_total}} s\\n' -u {user}:{password} '{service_url}{events}?checkMap=true'

An unsigned event gets 403 and changes nothing:
  curl -s -d EventType=task.created '{service_url}{events}'
",
        queues = counted(queues.len(), "TaskQueue"),
        workers = counted(emulator.world().workers().len(), "Worker"),
        events = EVENT_PATHS[0],
    )
}
