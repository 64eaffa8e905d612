//! Several replicas as one, with a real redis-server and real processes: whatever fails, one replica writes at a time
//! and nothing is lost.

mod agents;
mod config_drift;
mod doctor;
mod encryption;
mod failover;
mod faults;
mod history;
mod keys;
mod limits;
mod outage;
mod requests;
mod rights;
mod sharing;
mod sign_outs;
mod stopping;
pub(crate) mod support;
mod versions;
