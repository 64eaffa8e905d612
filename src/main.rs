//! The `taskrouter-sync` program; everything it does is in the library.

use std::process::ExitCode;

use clap::Parser;
use taskrouter_sync::cli::Cli;

/// Returns memory to the system after a large answer was read, where the system's own allocator keeps most of it. Its
/// settings are in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
