//! The statistics of the contact centre.
//!
//! Answers from TaskRouter are folded into a [`Snapshot`]: an immutable, numbered picture that readers share. A fold
//! makes the next one, which shares with the last whatever did not change. A value that can't be read keeps its
//! last state and the reason why it is stale; an older answer never replaces a newer one.

mod board;
pub mod day;
mod latest_event;
mod needs;
mod snapshot;
mod tile;

pub use board::{Board, FailedRead, ListedQueues, Moved, ReadAnswer, ReadId};
pub use latest_event::LatestEvent;
pub use needs::Needs;
pub use snapshot::{Age, QueueState, Reading, Scope, ScopeStats, Snapshot, Stale, TaskState, UnreadQueues};
pub use tile::{Passed, Tile, Tiles, number};
