//! History: every TaskQueue and tile as they were, and each quarter hour's figures.
//!
//! ```text
//! snapshots, tiles ─► ArchiveWorker, every 5 s ─► session (what changed) ─► encoding ─► store
//!                                ├► finish: a quarter hour that is over ─► intervals (arithmetic) ─► store
//!                                ├► pack: a day that is over ─► store
//!   Twilio ─► Backfill ──────────┘ the days before the first start
//! store ─► timeline ─► series (curves, one moment), report (intervals)
//! ```
//!
//! Nothing waits for it: the worker looks at the newest snapshot when its time comes, and a store that is full, slow, read-only
//! or damaged costs the samples of that time, which are shown as a gap. The [`Archive`] answers queries.

mod archive;
mod backfill;
mod calendar;
mod check;
mod encoding;
mod figures;
mod finish;
mod gap;
mod intervals;
mod names;
mod pack;
mod probe;
mod rates;
mod report;
mod series;
mod session;
mod store;
mod timeline;
mod transfer;
mod worker;

pub use archive::{Archive, HistoryError, HistoryState};
pub use backfill::{BACKFILL_PAUSE, Backfill};
pub use check::{DayCheck, check};
pub use gap::{Gap, GapReason};
pub use probe::{Probe, probe};
pub use report::{IntervalReport, IntervalRow, MOST_ROWS, ReportQuery, STEPS, USUAL_ROWS};
pub use series::{Axis, MetricSeries, PastMoment, QueueSeries, Range};
pub use transfer::copy;
pub use worker::ArchiveWorker;
