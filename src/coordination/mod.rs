//! What replicas of one Workspace agree on: the lease to read and write, shared facts, and rate limits. No I/O: `cluster`
//! carries them through Redis.

pub mod gossip;
pub mod lease;
pub mod rate_limit;
