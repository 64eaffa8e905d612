//! The wallboard's tiles, computed here once for all screens.
//!
//! [`definitions`](Definitions) come from Sync Documents ([`Store`]) and say for each tile a formula, a format and
//! thresholds. The [`WallboardWorker`] stands beside the way from the refresh task to Sync and the feed: it has the
//! formulas evaluated over each snapshot (`formula`), and its tiles are a second input of publisher and feed, which
//! wait for no formula. The last hours of each tile are kept in [`History`].

mod data;
mod definition;
mod definitions;
mod documents;
#[cfg(test)]
mod fixtures_tests;
mod format;
pub mod formula;
mod formula_data;
mod handle;
mod hint;
mod history;
mod problem;
mod store;
mod threshold;
mod tile;
mod worker;

pub use definition::Definition;
pub use definitions::{DefinitionEntry, Definitions, Raw};
pub use handle::{Busy, ChangeError, Preview, Wallboard};
pub use history::{Curves, History, Point};
pub use problem::Problem;
pub use store::{Store, StoreError};
pub use worker::WallboardWorker;

pub const MOST_METRICS: usize = 300;
