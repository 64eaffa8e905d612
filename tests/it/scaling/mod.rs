//! Several replicas as one, with a real redis-server and real processes: whoever dies, hangs or is cut off, one writes at a
//! time and nothing is lost.

mod agents;
mod alone;
mod encryption;
mod faults;
mod limits;
mod outage;
mod sharing;
mod support;
mod versions;
