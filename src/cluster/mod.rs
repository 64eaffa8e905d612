//! Several replicas as one, through Redis.
//!
//! One of them leads: it alone reads TaskRouter and writes Sync, and the others show its feed. Events arrive anywhere
//! and reach it as marks.
//!
//! ```text
//! event → any replica → marks (a hash, and messages) → leader → TaskRouter → Sync
//!                                                        ↓
//! page ← any replica ← feed state (a hash, and messages) ┘
//! ```
//!
//! A replica is a [`Member`]: it stands for `election`, follows (`follower`), or leads for a term (`leader`) while
//! `renewal` extends its lease.
//!
//! - **The lease** is a key that expires (`keys`). Each election gives it a number greater than all before, the fencing
//!   token of every later write to Redis. The leader counts from before it asked, by its own clock, and ends at six
//!   sevenths of what Redis keeps (`timing`). A leader reads and writes only while it lasts.
//! - **A new Redis** (restarted, emptied, or promoted in a failover) may have forgotten a lease, so it is in quarantine: no
//!   replica is elected before such a lease has expired. Its holder may have it back.
//! - **Marks** wait in a hash until the leader has read what they invalidate, so they outlive a leader (`marks`).
//! - **The feed's state** stands in a hash with the number of each change (`replication`).
//! - **Requests** for the leader (`rpc`), **shared facts** (`gossip`) and **messages** in general (`message`) go over one
//!   channel. Messages may be lost; the hashes are the truth.
//! - **Limits** over all replicas are token buckets in Redis (`rate_limit`).
//!
//! Redis's clock decides how long its own keys last, and tells a command that waited too long in a Redis that hung; it
//! may be wrong, or be set. Replicas know of each other through Redis alone: without it none of them leads.

mod config_drift;
mod curves;
mod election;
mod follower;
mod gossip;
mod keys;
mod leader;
mod marks;
mod member;
mod message;
mod probe;
mod rate_limit;
mod redis;
mod refusal;
mod renewal;
mod replication;
mod rpc;
mod tasks;
mod timing;

pub use self::config_drift::{Drift, Identity};
pub use self::keys::space;
pub use self::member::{Exchanged, Member, MemberError, MemberHandles, ReplicaOutputs};
pub use self::probe::{Leading, Server, connects, leading, permits, server};
pub use self::redis::{Link, LinkError};
pub use self::refusal::RedisRefusal;
pub use self::rpc::{LeaderRpc, RpcError};
pub use self::timing::Timing;
