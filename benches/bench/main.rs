//! What the service costs and how fresh it keeps Sync, measured against the emulated Twilio: the real program as a
//! process of its own, 50 ms for a TaskRouter request and 30 ms for a Sync request injected.
//!
//! One file a scenario. Each has its floor or its rival measured in the same run, and its goals in the
//! report's first table; nothing is asserted. `make bench` writes the report to `docs/benchmarks.md`, with all tables to
//! `benches/results.md`; `make bench-quick` prints a rougher one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a benchmark ends where it can't measure, and talks to the service as anybody would"
)]

#[path = "../../tests/shared/agreement.rs"]
mod agreement;
#[path = "../../tests/shared/variables.rs"]
mod variables;

mod bare;
mod broadcast;
mod changes;
mod crowd;
mod floor;
mod limits;
mod load;
mod machine;
mod relay;
mod replicas;
mod service;
mod stats;
mod table;
mod testbed;

mod ages;
mod burst;
mod fanout;
mod feed;
mod formulas;
mod freshness;
mod history;
mod intake;
mod lag;
mod mix;
mod refusals;
mod scale;
mod scaling;
mod sdk;
mod sizes;

use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use jiff::Timestamp;

use limits::Observed;
use table::{Section, Table};
use testbed::Effort;

/// Measures the service against the emulator.
#[derive(Debug, Parser)]
struct Options {
    /// Fewer repetitions: under two minutes instead of ten
    #[arg(long)]
    quick: bool,
    /// Only these scenarios, by the names of their files
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Write the report to this file: all goals, and the first tables of the first two scenarios
    #[arg(long)]
    write: Option<PathBuf>,
    /// Write the report with all tables to this file
    #[arg(long)]
    details: Option<PathBuf>,
    /// Keep the services' debug logs in this directory; they cost time
    #[arg(long)]
    logs: Option<PathBuf>,
    /// The service's program, where it is another than the one built beside this
    #[arg(long, default_value = env!("CARGO_BIN_EXE_taskrouter-sync"), hide_default_value = true)]
    service: PathBuf,
    #[command(flatten)]
    mix: mix::Wanted,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Be the handler that the service's intake is compared with
    #[command(hide = true)]
    Bare,
    /// Be the websocket server that the service's fan-out is compared with
    #[command(hide = true)]
    Broadcast,
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    match options.role {
        Some(Role::Bare) => return bare::serve().await,
        Some(Role::Broadcast) => return broadcast::serve().await,
        None => crowd::allow_many_files(),
    }
    let (machine, begin) = (machine::describe(), Instant::now());
    let (mut sections, limits) = measure(&options).await;
    sections.push(limits::section(&limits));
    let took = begin.elapsed();
    let all = report(&options, &machine, took, &sections, sections.len());
    println!("{all}");
    if let Some(path) = &options.details {
        std::fs::write(path, all).unwrap();
    }
    if let Some(path) = &options.write {
        sections.retain(|section| !section.goals.is_empty());
        // The mix and freshness come first. What the others are about is in their goals.
        sections.iter_mut().take(2).for_each(|section| section.tables.truncate(1));
        std::fs::write(path, report(&options, &machine, took, &sections, 2)).unwrap();
    }
}

/// All sections' goals, and the first `whole` sections.
fn report(options: &Options, machine: &str, took: Duration, sections: &[Section], whole: usize) -> String {
    let mut report = String::from("# Benchmarks\n\n");
    let line = |report: &mut String, text: &str| writeln!(report, "{text}\n").unwrap();
    if options.quick {
        line(
            &mut report,
            "**A quick run: few repetitions, rough figures. `make bench` makes the real ones.**",
        );
    }
    let command = if options.quick { "make bench-quick" } else { "make bench" };
    let date = Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    let minutes = took.as_secs_f64() / 60.0;
    line(
        &mut report,
        &format!(
            "Made by `{command}` on {date} in {minutes:.1} minutes. `benches/results.md` has all tables, and how each figure was \
             measured."
        ),
    );
    line(
        &mut report,
        "The release build runs with default settings against the emulator, which takes 50 ms for a TaskRouter request and 30 ms \
         for a Sync request and keeps Twilio's limits, on the same machine. Percentiles are by nearest rank.",
    );
    line(&mut report, machine);
    line(&mut report, &Table::of_goals(sections).to_string());
    for section in sections.iter().take(whole) {
        line(&mut report, section.to_string().trim_end());
    }
    format!("{}\n", report.trim_end())
}

/// The sections of a scenario.
type Result = (Section, Vec<Observed>);

/// Runs those scenarios side by side that count and take no times, then the others one after another.
async fn measure(options: &Options) -> (Vec<Section>, Vec<Observed>) {
    let (logs, program) = (options.logs.clone(), options.service.clone());
    let effort = &Effort { quick: options.quick, logs, program };
    let (scale, refusals, sizes, ages) = tokio::join!(
        options.run("scale", scale::run(effort)),
        options.run("refusals", refusals::run(effort)),
        options.run("sizes", sizes::run(effort)),
        options.run("ages", ages::prepare(effort)),
    );
    let ages = match ages {
        Some(prepared) => options.run("ages", ages::run(effort, prepared)).await,
        None => None,
    };
    let results: [Option<Result>; 15] = [
        options.run("mix", mix::run(effort, &options.mix)).await,
        options.run("feed", feed::run(effort)).await,
        options.run("freshness", freshness::run(effort)).await,
        options.run("sdk", sdk::run(effort)).await,
        options.run("lag", lag::run(effort)).await,
        ages,
        options.run("burst", burst::run(effort)).await,
        options.run("intake", intake::run(effort)).await,
        options.run("fanout", fanout::run(effort)).await,
        options.run("formulas", formulas::run(effort)).await,
        options.run("history", history::run(effort)).await,
        options.run("scaling", scaling::run(effort)).await,
        scale,
        refusals,
        sizes,
    ];
    let (sections, limits): (Vec<_>, Vec<_>) = results.into_iter().flatten().unzip();
    (sections, limits.into_iter().flatten().collect())
}

impl Options {
    /// Runs a scenario if it is wanted.
    async fn run<T>(&self, name: &str, scenario: impl Future<Output = T>) -> Option<T> {
        if !self.only.is_empty() && !self.only.iter().any(|only| only == name) {
            return None;
        }
        let begin = Instant::now();
        let result = scenario.await;
        eprintln!("{name}: {:.0} s", begin.elapsed().as_secs_f64());
        Some(result)
    }
}
