//! Several replicas as one, with a real redis-server and real processes: whoever dies, hangs or is cut off, one writes at a
//! time and nothing is lost.

mod agents;
mod doctor;
mod encryption;
mod failover;
mod faults;
mod keys;
mod limits;
mod outage;
mod questions;
mod rights;
mod settings;
mod sharing;
mod stopping;
pub(crate) mod support;
mod versions;
