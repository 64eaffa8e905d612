//! Several replicas as one, with a real redis-server and real processes: whoever dies, hangs or is cut off, one writes at a
//! time and nothing is lost.

mod faults;
mod sharing;
mod support;
