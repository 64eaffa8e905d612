//! The `taskrouter-sync` program; everything it does is in the library.

use std::process::ExitCode;

use clap::Parser;
use taskrouter_sync::commands::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    Cli::parse().run().await
}
