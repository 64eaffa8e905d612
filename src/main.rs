//! The `taskrouter-sync` program; everything it does is in the library.

use std::process::ExitCode;

use clap::Parser;
use taskrouter_sync::commands::Cli;

/// Gives memory back after a large answer was read; the system's own keeps most of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
