//! `history`: copies it out and in, and compares it with Twilio.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::{Timestamp, ToSpan};

use super::output::print;
use super::{CommandError, Environment};
use crate::config::{Config, HistoryPlace};
use crate::history::{Archive, MOST_ROWS, Range, ReportQuery, check, copy};
use crate::telemetry::metrics::Monitor;
use crate::twilio::Apis;

#[derive(Debug, Args)]
pub(super) struct HistoryOptions {
    #[command(subcommand)]
    verb: HistoryVerb,
}

#[derive(Debug, Subcommand)]
enum HistoryVerb {
    /// Write the intervals as CSV to standard output, or with --store the whole history into a new SQLite file; the service may run meanwhile
    Export(ExportOptions),
    /// Copy a SQLite file that `export --store` wrote into the empty store of HISTORY_URL; stop the service first
    Import { file: PathBuf },
    /// Compare the last days with Twilio's cumulative statistics, and say where they differ
    Check {
        /// Days before today; Twilio keeps 30
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u8).range(1..=30))]
        days: u8,
    },
}

#[derive(Debug, Args)]
struct ExportOptions {
    /// The new SQLite file
    #[arg(long, conflicts_with_all = ["from", "to", "step"])]
    store: Option<PathBuf>,
    /// RFC 3339; by default a day ago
    #[arg(long)]
    from: Option<Timestamp>,
    /// RFC 3339; by default now
    #[arg(long)]
    to: Option<Timestamp>,
    /// Seconds: 900, 1800, 3600 or 86400
    #[arg(long, default_value_t = 900, value_parser = step)]
    step: i64,
}

fn step(text: &str) -> Result<i64, String> {
    let step = text.parse().ok().filter(|step| crate::history::STEPS.contains(step));
    step.ok_or_else(|| "expected 900, 1800, 3600 or 86400".to_owned())
}

pub(super) async fn run(environment: &Environment, options: HistoryOptions) -> Result<(), CommandError> {
    let config = environment.config()?;
    let Some(place) = &config.history.place else {
        return Err(CommandError::Failed("the history is off (HISTORY_URL)".to_owned()));
    };
    match options.verb {
        HistoryVerb::Export(ExportOptions { store: Some(file), .. }) => {
            if file.exists() {
                return Err(CommandError::Failed(format!("there is a file {} already", file.display())));
            }
            let rows =
                copy(place, &HistoryPlace::Sqlite(file.clone())).await.map_err(CommandError::failed)?;
            print(format!("{rows} rows written to {}", file.display()));
            Ok(())
        }
        HistoryVerb::Export(options) => export(&config, &options).await,
        HistoryVerb::Import { file } => {
            let rows = copy(&HistoryPlace::Sqlite(file), place).await.map_err(CommandError::failed)?;
            print(format!("{rows} rows imported"));
            Ok(())
        }
        HistoryVerb::Check { days } => compare(&config, days).await,
    }
}

async fn export(config: &Config, options: &ExportOptions) -> Result<(), CommandError> {
    let archive = Archive::reading(&config.core, &config.history);
    let now = Timestamp::now();
    let to = options.to.unwrap_or(now).as_second();
    let from = options.from.unwrap_or_else(|| now.saturating_sub(24.hours()).unwrap_or(now)).as_second();
    let mut query = ReportQuery {
        range: Range { from, to },
        step: options.step,
        queues: Vec::new(),
        channels: Vec::new(),
        skip: 0,
        limit: MOST_ROWS,
    };
    loop {
        let report = archive.report(&query).await.map_err(CommandError::failed)?;
        let csv = report.to_csv();
        // The header once.
        let lines =
            if query.skip == 0 { csv.as_str() } else { csv.split_once("\r\n").map_or("", |(_, rows)| rows) };
        super::output::print_raw(lines);
        if report.next.is_none() {
            return Ok(());
        }
        query.skip += MOST_ROWS;
    }
}

async fn compare(config: &Config, days: u8) -> Result<(), CommandError> {
    let archive = Archive::reading(&config.core, &config.history);
    let apis = Apis::new(&config.core, Monitor::default()).map_err(CommandError::failed)?;
    let checked = check(&archive, &apis.taskrouter, days).await.map_err(CommandError::failed)?;
    let differing = checked.iter().filter(|day| !day.agrees()).count();
    for day in &checked {
        print(day);
    }
    print(format!("{} days of TaskQueues compared, {differing} differ", checked.len()));
    if differing > 0 {
        return Err(CommandError::Unwell { wrong: differing, status: 1 });
    }
    Ok(())
}
