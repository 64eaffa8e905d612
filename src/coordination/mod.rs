//! What processes that share one Workspace agree on: the lease to read and write, facts that all must know, and limits
//! that hold over all of them. No I/O: `cluster` carries these through Redis.

pub mod gossip;
pub mod lease;
pub mod rate_limit;
