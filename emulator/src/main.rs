//! The emulator on its own: a Twilio on a port, with a centre that may live by itself.
//!
//! When it is ready it prints one line of JSON with its URL and credentials, for scripts to read.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde::de::DeserializeOwned;
use serde_json::json;
use tracing_subscriber::EnvFilter;
use twilio_emulator::{
    Account, Answers, Api, Burst, Combined, CombinedRealtime, Emulator, Limits, Nulls, Settings,
};

/// An in-process Twilio TaskRouter and Sync, with a simulated contact centre behind it.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:4010")]
    listen: SocketAddr,
    /// The emulator's URL for clients, if it differs from their header `Host`.
    #[arg(long)]
    public_url: Option<String>,
    /// Seed of SIDs, Workers and everything that happens.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of TaskQueues.
    #[arg(long, default_value_t = 8)]
    queues: usize,
    /// Number of Workers.
    #[arg(long, default_value_t = 23)]
    workers: usize,
    /// Steps of the centre a second; 0 stops it.
    #[arg(long, default_value_t = 0.0)]
    drive: f64,
    /// How much faster a driven centre lives.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Minutes of history before the start.
    #[arg(long, default_value_t = 0)]
    history: u64,
    /// Where events are posted to, with connection overrides if wanted.
    #[arg(long)]
    callback_url: Option<String>,
    /// Comma-separated event types; all if not given.
    #[arg(long)]
    events_filter: Option<String>,
    /// Milliseconds by which statistics lag.
    #[arg(long, default_value_t = 0)]
    lag: u64,
    /// Latency of every request in milliseconds.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Switch all rate limits off.
    #[arg(long)]
    no_limits: bool,
    /// How Sync's burst window of ten seconds is counted: a token bucket, or at most ten seconds' worth in any ten.
    #[arg(long, value_parser = named::<Burst>, default_value = "bucket")]
    burst: Burst,
    /// Combined statistics with only the fields of Twilio's published examples.
    #[arg(long, conflicts_with_all = ["cumulative"])]
    as_published: bool,
    /// Cumulative part of combined statistics: `complete`, `as_published`, `as_recorded` or `without_averages`.
    #[arg(long, value_parser = named::<Combined>, default_value = "complete")]
    cumulative: Combined,
    /// Real-time part of combined statistics: `plain` or `as_recorded`.
    #[arg(long, value_parser = named::<CombinedRealtime>, default_value = "plain")]
    realtime: CombinedRealtime,
    /// Null in nullable fields of TaskRouter's answers: `never`, `empty` (instead of empty or zero values), `first` (in
    /// the first entry of a list) or `always`.
    #[arg(long, value_parser = named::<Nulls>, default_value = "never")]
    nulls: Nulls,
    /// Account SID.
    #[arg(long)]
    account_sid: Option<String>,
    /// Auth Token.
    #[arg(long)]
    auth_token: Option<String>,
    /// API key SID.
    #[arg(long)]
    api_key_sid: Option<String>,
    /// API key secret.
    #[arg(long)]
    api_key_secret: Option<String>,
    /// Workspace SID.
    #[arg(long)]
    workspace_sid: Option<String>,
    /// Sync service SID.
    #[arg(long)]
    sync_service_sid: Option<String>,
}

/// Reads a variation by the name that the control pages use.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

impl Arguments {
    fn settings(&self) -> Settings {
        let invented = Account::default();
        let given = |value: &Option<String>, invented: String| value.clone().unwrap_or(invented);
        Settings {
            listen: self.listen,
            public_url: self.public_url.clone(),
            account: Account {
                account_sid: given(&self.account_sid, invented.account_sid),
                auth_token: given(&self.auth_token, invented.auth_token),
                api_key_sid: given(&self.api_key_sid, invented.api_key_sid),
                api_key_secret: given(&self.api_key_secret, invented.api_key_secret),
                workspace_sid: given(&self.workspace_sid, invented.workspace_sid),
                sync_service_sid: given(&self.sync_service_sid, invented.sync_service_sid),
            },
            seed: self.seed,
            queues: self.queues,
            workers: self.workers,
            speed: self.speed,
            history: Duration::from_secs(self.history * 60),
            limits: Limits {
                burst: self.burst,
                ..if self.no_limits { Limits::off() } else { Limits::default() }
            },
            answers: Answers {
                combined_cumulative: if self.as_published { Combined::AsPublished } else { self.cumulative },
                combined_realtime: self.realtime,
                nulls: self.nulls,
                ..Answers::default()
            },
            statistics_lag: Duration::from_millis(self.lag),
            ..Settings::default()
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // Standard output belongs to the line that scripts read.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let emulator = match Emulator::start(arguments.settings()).await {
        Ok(emulator) => emulator,
        Err(error) => {
            tracing::error!(%error, "the emulator cannot start");
            return ExitCode::from(64);
        }
    };
    for api in [Api::TaskRouter, Api::Sync, Api::Api, Api::Iam, Api::Flex] {
        emulator.set_latency(api, Duration::from_millis(arguments.latency));
    }
    emulator.callbacks().set_events_filter(arguments.events_filter.as_deref());
    if let Some(url) = &arguments.callback_url {
        emulator.callbacks().set_url(url);
    }
    emulator.drive(arguments.drive);
    let control = format!("{}/emulator", emulator.url());
    println!("{}", json!({ "url": emulator.url(), "control": control, "account": emulator.account() }));
    stopped().await;
    emulator.shutdown().await;
    ExitCode::SUCCESS
}

/// Waits for Ctrl-C, or for the signal that containers and service managers send.
async fn stopped() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    // If even this cannot be waited for, there is nothing to wait for.
    let _ = tokio::signal::ctrl_c().await;
}
