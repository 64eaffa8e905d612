//! The `taskrouter-sync` program; everything it does is in the library.

use std::process::ExitCode;

use clap::Parser;
use taskrouter_sync::cli::Cli;

/// Keeps little more than what is in use and gives memory back after a large answer was read, where the system's own keeps
/// most of it. Its settings are in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
