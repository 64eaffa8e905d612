//! The command line: one file for each verb.

mod by_hand;
mod delete_map;
#[cfg(feature = "demo")]
mod demo;
#[cfg(feature = "demo")]
mod demo_shell;
mod doctor;
mod env_file;
mod environment;
mod flex_plugin;
mod healthcheck;
mod history;
mod output;
mod serve;
mod setup;
mod tv_link;
mod unread;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

pub use environment::Environment;

use crate::config::ConfigError;

/// How long tasks that can't be cancelled may take at the end.
const LONGEST_END: Duration = Duration::from_secs(1);

/// Live statistics of a Twilio TaskRouter Workspace, in Twilio Sync and on a dashboard.
///
/// Environment variables, or a .env file in the working directory, configure it; .env.example lists them.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service: receive event callbacks and keep Sync up to date, until SIGTERM or SIGINT
    Serve,
    /// Create missing Sync objects and fill them once; safe to repeat
    Setup(setup::SetupOptions),
    /// Check configuration, Twilio and Redis, and print the command that fixes each fault; changes nothing
    Doctor(doctor::DoctorOptions),
    /// Print the link that opens the dashboard on a screen named in TV_LINKS, without signing in
    TvLink(tv_link::TvLinkOptions),
    /// Delete a Sync Map and all its items
    DeleteMap(delete_map::DeleteMapOptions),
    /// Export history, import it, or compare it with Twilio
    History(history::HistoryOptions),
    /// Run the service against a simulated Twilio with a busy contact centre; needs no account
    #[cfg(feature = "demo")]
    Demo(demo::DemoOptions),
    /// Check whether the service on this machine answers; exit status 0 if so
    Healthcheck,
    /// Evaluate formulas that come on standard input; the service runs this as a process of its own
    #[command(name = crate::wallboard::formula::process::VERB, hide = true)]
    Formulas {
        /// The time zone whose local time they see
        #[arg(default_value = "UTC")]
        zone: String,
    },
}

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration is invalid; exit status 2.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The `.env` file can't be used; exit status 2.
    #[error(transparent)]
    EnvFile(#[from] environment::EnvFileError),
    /// `doctor` found faults.
    #[error("{wrong} failed, see above")]
    Unwell {
        /// The number of faults.
        wrong: usize,
        /// The exit status.
        status: u8,
    },
    /// Any other failure, as a sentence; exit status 1.
    #[error("{0}")]
    Failed(String),
}

impl CommandError {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::EnvFile(_) => ExitCode::from(2),
            Self::Unwell { status, .. } => ExitCode::from(*status),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl Cli {
    /// Carries the command out; prints a failure and returns the exit code.
    pub fn run(self) -> ExitCode {
        // The Auth Token is in its memory and environment, so no other process may read these. Where the system refuses
        // this, everything else still works.
        let _ = crate::wallboard::formula::confinement::not_dumpable();
        let done = if let Command::Formulas { zone } = &self.command {
            // One thread, and no runtime: the service beside it has one.
            crate::wallboard::formula::child::run(zone).map_err(CommandError::failed)
        } else {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            runtime.map_err(CommandError::failed).and_then(|runtime| {
                let done = runtime.block_on(self.command.run());
                // A look-up in DNS that hangs must not keep a process that is done.
                runtime.shutdown_timeout(LONGEST_END);
                done
            })
        };
        let code = match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                output::print_error(&error);
                error.exit_code()
            }
        };
        crate::telemetry::finish();
        code
    }
}

impl Command {
    async fn run(self) -> Result<(), CommandError> {
        let environment = Environment::load()?;
        // `serve` sets its log up itself, once it knows whether traces are exported, too.
        if !matches!(self, Self::Serve) {
            crate::telemetry::init(environment.value("RUST_LOG").as_deref());
        }
        match self {
            Self::Serve => serve::run(&environment).await,
            Self::Setup(options) => setup::run(&environment, options).await,
            Self::Doctor(options) => doctor::run(&environment, &options).await,
            Self::TvLink(options) => tv_link::run(&environment, &options),
            Self::History(options) => history::run(&environment, options).await,
            Self::DeleteMap(options) => delete_map::run(&environment, options).await,
            #[cfg(feature = "demo")]
            Self::Demo(options) => demo::run(&environment, options).await,
            Self::Healthcheck => healthcheck::run(&environment).await,
            Self::Formulas { .. } => Ok(()),
        }
    }
}
