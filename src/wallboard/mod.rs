//! Metrics: what the wallboard's tiles show, computed here once for all screens.
//!
//! [`definitions`](Definitions) come from Sync Documents ([`Store`]) and say for each tile a formula, a format and
//! thresholds. The [`Worker`] stands between the refresh task and those who show: it hands each snapshot on at once, has
//! the formulas evaluated over it ([`crate::wallboard::formula`]), and hands it on again with the results. From there they go
//! like everything else: into Sync by a layout, into the feed. The last hours of each are kept in [`History`].

mod data;
mod definition;
mod definitions;
mod documents;
mod format;
pub mod formula;
mod formula_data;
mod hint;
mod history;
mod problem;
mod store;
mod threshold;
mod worker;

pub use definition::Definition;
pub use definitions::{Definitions, Entry, Raw};
pub use history::{Curves, History, Point};
pub use problem::Problem;
pub use store::{Store, StoreError};
pub use worker::{Busy, ChangeError, Metrics, Preview, Worker};

/// Metrics at once.
pub const MOST_METRICS: usize = 300;
