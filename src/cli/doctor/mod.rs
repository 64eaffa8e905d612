//! `doctor`: checks everything that the service needs, and prints for each fault the command that fixes it. It changes
//! nothing, apart from keys of its own in Redis that it deletes at once.
//!
//! The configuration is read as `serve` reads it; Twilio is asked through the same client. A check that
//! depends on a failed one is skipped.

mod centre;
mod flex;
mod history;
mod local;
mod reach;
mod redis;
mod remote;
mod report;

use clap::Args;

use super::{CommandError, Environment, output};
use crate::telemetry::metrics::Monitor;
use crate::twilio::Apis;
use report::{Check, Report};

#[derive(Debug, Args)]
pub(super) struct DoctorOptions {
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs and prints all checks. Exit status 0 where nothing is wrong, 1 for a fault, 2 for an invalid configuration.
pub(super) async fn run(environment: &Environment, options: &DoctorOptions) -> Result<(), CommandError> {
    let config = match environment.config() {
        Ok(config) => config,
        Err(error) => {
            let problems = error.problems.iter().map(|problem| {
                let mend = format!("set {} in the environment or .env", problem.variable);
                Check::wrong("configuration", problem.to_string(), mend)
            });
            let checks = problems.chain(local::unread(environment)).collect();
            tell(&Report::new(checks), options)?;
            return Err(CommandError::Unwell { wrong: error.problems.len(), status: 2 });
        }
    };
    let mut checks = local::checks(&config, &|name| environment.value(name));
    checks.extend(local::unread(environment));
    checks.extend(local::warnings(&config));
    checks.extend(local::public_url(&config));
    let apis = Apis::new(&config.core, Monitor::default()).map_err(CommandError::failed)?;
    checks.extend(history::checks(&config).await);
    checks.extend(redis::checks(&config).await);
    checks.extend(remote::checks(&config, &apis).await);
    checks.extend(reach::checks(&config).await);
    checks.extend(flex::checks(&config, &apis).await);
    let report = Report::new(checks);
    tell(&report, options)?;
    match report.wrong() {
        0 => Ok(()),
        wrong => Err(CommandError::Unwell { wrong, status: 1 }),
    }
}

fn tell(report: &Report, options: &DoctorOptions) -> Result<(), CommandError> {
    if options.json {
        output::print(report.json().map_err(CommandError::failed)?);
    } else {
        output::print(report);
    }
    Ok(())
}
