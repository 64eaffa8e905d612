//! The configuration: read and checked as a whole at the start, plain values from then on.
//!
//! `main` passes the environment (with `.env` behind it), tests pass a map. Every problem is found in one go, so
//! that ten mistakes need one restart and not ten. Secrets are wrapped where they are read and show in no output.

mod characters;
mod dialling;
mod export;
mod fingerprint;
mod history;
mod names;
mod networks;
mod parse;
mod reader;
mod refresh;
mod region;
mod server;
mod sharing;
mod sockets;
mod statistics;
mod sync;
mod twilio;
pub mod variables;
mod voice;

use std::fmt;
use std::path::PathBuf;

pub use dialling::DiallingConfig;
pub use export::{ExportConfig, Sampling};
pub use history::{HistoryConfig, HistoryPlace};
pub use names::{Unread, shadowed, unread};
pub use networks::Networks;
pub use parse::is_e164;
pub use reader::{ConfigProblem, Variable};
pub use refresh::RefreshConfig;
pub use server::{Administrator, PublicUrl, ServerConfig};
pub use sharing::SharingConfig;
pub use sockets::SocketConfig;
pub use statistics::{ChannelChoice, StatisticsConfig};
pub use sync::{LayoutName, QUEUE_DOCUMENT, SIGN_OUTS_MAP, SyncConfig, TODAYS_SUFFIX, map_name};
pub use twilio::{ApiKey, BaseUrls, SyncServiceName, TwilioConfig};
pub use voice::{VoiceConfig, WEBHOOK_SECRET_PREFIX};

use reader::VariableReader;

/// The configuration that every command needs: the account, and what to read and write.
#[derive(Debug, Clone)]
pub struct CoreConfig {
    pub twilio: TwilioConfig,
    pub statistics: StatisticsConfig,
    pub sync: SyncConfig,
    pub refresh: RefreshConfig,
    /// The program that evaluates formulas: this one, under another verb.
    pub formula_program: PathBuf,
}

/// The configuration of `serve`.
#[derive(Debug, Clone)]
pub struct Config {
    pub core: CoreConfig,
    pub server: ServerConfig,
    /// The Redis through which replicas share the work; `None` where this is the only process.
    pub sharing: Option<SharingConfig>,
    /// Who may open websockets.
    pub sockets: SocketConfig,
    /// Which Calls agents may place; `None`: no Calls.
    pub dialling: Option<DiallingConfig>,
    /// What may be done about reports of poor call quality.
    pub voice: VoiceConfig,
    /// Where history is stored, and for how long.
    pub history: HistoryConfig,
    /// Where traces go; `None`: no traces.
    pub export: Option<ExportConfig>,
    /// Warnings about what is only half configured and therefore off; everything else runs.
    pub warnings: Vec<String>,
}

/// The configuration can't be used; holds every problem, not just the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong, in the order of `.env.example` as far as it goes.
    pub problems: Vec<ConfigProblem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "{count} problem{} in the configuration:", if count == 1 { "" } else { "s" })?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigError {}

impl CoreConfig {
    /// Reads what the commands without a listener need.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = VariableReader::new(lookup);
        let core = Self::read_from(&mut reader);
        checked(reader, core)
    }

    fn read_from(reader: &mut VariableReader<'_>) -> Option<Self> {
        let twilio = TwilioConfig::read(reader);
        let statistics = StatisticsConfig::read(reader);
        let refresh = RefreshConfig::read(reader);
        let sync = SyncConfig::read(reader, refresh.realtime_interval);
        Some(Self { twilio: twilio?, statistics, sync, refresh, formula_program: own_program() })
    }
}

impl Config {
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = VariableReader::new(lookup);
        let core = CoreConfig::read_from(&mut reader);
        let server = ServerConfig::read(&mut reader);
        let sockets = SocketConfig::read(&mut reader);
        let sharing = SharingConfig::read(&mut reader);
        let dialling = DiallingConfig::read(&mut reader);
        let voice = VoiceConfig::read(&mut reader);
        let history = HistoryConfig::read(&mut reader);
        let export = ExportConfig::read(&mut reader);
        let warnings = reader.take_warnings();
        let config = core.zip(server).map(|(core, server)| Self {
            core,
            server,
            sharing,
            sockets,
            dialling,
            voice,
            history,
            export,
            warnings,
        });
        checked(reader, config)
    }
}

/// The path of the running program. Linux has a link to it that still works after the file was replaced.
fn own_program() -> PathBuf {
    let linux = PathBuf::from("/proc/self/exe");
    if linux.exists() { linux } else { std::env::current_exe().unwrap_or_else(|_| "taskrouter-sync".into()) }
}

fn checked<T>(reader: VariableReader<'_>, value: Option<T>) -> Result<T, ConfigError> {
    let problems = reader.into_problems();
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        _ => Err(ConfigError { problems }),
    }
}

#[cfg(test)]
mod tests;
