//! `make chaos`: the campaign of faults against the real program, and its table.
//!
//! What goes wrong when is decided by a seed, so a campaign can be repeated; how long each recovery takes is the machine's
//! doing as well. It ends within a quarter of an hour, with a failing exit status where something was not survived.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a campaign ends where it can't go on, and talks to the service as anybody would"
)]

mod campaign;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use futures_util::StreamExt;
use futures_util::stream::iter;
use jiff::Timestamp;

use campaign::{Effort, FAULTS, Finding, report, strike};

/// Lets faults strike the service.
#[derive(Debug, Parser)]
struct Options {
    /// Seconds instead of minutes, and few tries
    #[arg(long)]
    quick: bool,
    /// Only these faults
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Decides when what goes wrong
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the table to this file as well
    #[arg(long)]
    write: Option<PathBuf>,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// These need the machine for themselves, because they are about times or memory; the others wait most of the time.
const ALONE: [&str; 5] = ["burst", "killed", "memory", "hostile", "soak"];

/// The number of other faults that run side by side.
const AT_ONCE: usize = 7;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let effort = Effort { short: options.quick, seed: options.seed };
    let begin = Instant::now();
    let findings = campaign(&options, effort).await;
    let command = if options.quick { "make chaos-quick" } else { "make chaos" };
    let text = format!(
        "# Faults survived\n\nMade by `{command}` with seed {} on {}, in {:.1} minutes{}.\n\nThe real program runs against the emulator \
         through a TCP proxy that behaves like a bad network. Recovery: from the fault's end until Sync has all true numbers. \
         Surviving also means: all events get 2xx while the service runs, at most 20 Sync writes are in flight, no file, memory \
         or child process leaks, nothing panics or logs an error, and the process exits cleanly.\n\n{}",
        options.seed,
        Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
        begin.elapsed().as_secs_f64() / 60.0,
        if cfg!(debug_assertions) { ", with a build that is not optimised" } else { "" },
        report(&findings)
    );
    println!("{text}");
    if let Some(path) = &options.write {
        std::fs::write(path, text).unwrap();
    }
    let well = findings.iter().all(|finding| finding.problems.is_empty());
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn campaign(options: &Options, effort: Effort) -> Vec<Finding> {
    let wanted = |name: &&&str| options.only.is_empty() || options.only.iter().any(|only| only == **name);
    let (alone, together): (Vec<&str>, Vec<&str>) =
        FAULTS.iter().filter(wanted).partition(|name| ALONE.contains(name));
    let mut findings: Vec<_> =
        iter(together.into_iter().map(|name| told(name, effort))).buffered(AT_ONCE).collect().await;
    for name in alone {
        findings.push(told(name, effort).await);
    }
    findings
}

async fn told(name: &str, effort: Effort) -> Finding {
    let begin = Instant::now();
    let finding = strike(name, effort).await;
    eprintln!("{name}: {:.0} s, {} problems", begin.elapsed().as_secs_f64(), finding.problems.len());
    finding
}
