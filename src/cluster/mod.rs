//! What replicas share through Redis, so that any number of them behave as one.
//!
//! One of them leads: it alone reads TaskRouter and writes Sync, and draws the picture that all of them show. Events come
//! in anywhere and reach it as marks.
//!
//! ```text
//! event → any replica → marks (a hash, and news) → the leader → TaskRouter → Sync
//!                                                      ↓
//! page ← any replica ← picture (a hash, and news) ← its picture
//! ```
//!
//! - **Leadership** is a key that runs out ([`Key::Lease`]), taken by `stand`, prolonged by `renew`, given back by `release`.
//!   Whoever takes it gets a number greater than all before, which every later write to Redis has to name. The leader counts
//!   its time from before it asked, by its own clock, and ends at six sevenths of what Redis keeps it for ([`Timing`]).
//! - **A Redis that is not the same any more** (started anew, another one after a failover, emptied) may have forgotten a
//!   leader, so nobody gets the lease from it before such a leader's time is over; that leader itself may have it back.
//! - **Marks** wait in a hash until the leader has read what they touch, so they outlive a leader. News of them are a hint;
//!   the hash is the truth.
//! - **The picture** stands in a hash, with the number of the change in each part. News carry each change; whoever missed
//!   one takes the whole. Every term, and every loss of what Redis held, begins a new branch of numbers, so that no client
//!   resumes from something that nobody else knows.
//!
//! - **Limits** that hold over all replicas are taken from one place, a hash for each that runs out once it is full again.
//!
//! Redis's clock is used for how long its own keys last and fill up, and to tell a question that has waited too long in a Redis that
//! stood still; it may be wrong, or be set. Replicas know of each other through Redis alone: without it none of them leads.

mod checkup;
mod curves;
mod link;
mod marks;
mod news;
mod pictures;
mod questions;
mod quotas;
mod refusal;
mod settings;
mod stand;
mod timing;
mod words;

pub use checkup::{Leading, RIGHTS, Server, leading, missing_rights, server};
pub use curves::keep_curves;
pub use link::{Key, Link, LinkError, Reach, space};
pub use marks::{carry, deliver};
pub use news::{News, channel, listen};
pub use pictures::{follow, publish};
pub use questions::{AskError, Asker, Repeat, Reply, answer_all};
pub use quotas::grant;
pub use refusal::Refusal;
pub use settings::{Settings, Told, compare, told_by_leader};
pub use stand::{Candidate, Kept, Seat, Stand};
pub use timing::Timing;
pub use words::{Said, exchange};
