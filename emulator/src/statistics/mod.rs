//! TaskRouter's statistics, computed from the simulated centre. Pure: figures and a moment in, an answer out.
//!
//! `figures` counts change by change, in `counters`, and `log` keeps the countable events; `realtime`, `cumulative` and
//! `workers` turn them into the bodies that TaskRouter sends. Where the documentation leaves a choice, the choice is
//! stated at the field it concerns. Retention is stated in `log`.

pub(crate) mod counters;
pub(crate) mod cumulative;
pub(crate) mod figures;
pub(crate) mod log;
pub(crate) mod realtime;
pub(crate) mod workers;

pub(crate) use log::Window;
