//! How answers become the next snapshot.
#![allow(dead_code, unused_imports, reason = "a part of the service has no callers here")]

pub mod event;
pub mod form;
pub mod lenient_json;
pub mod sid;
pub mod stats;
pub mod telemetry {
    pub mod trace;
}
pub mod twilio {
    mod name;
    mod number;
    pub mod taskrouter {
        mod resources;
        mod statistics;
        mod table;

        pub use resources::{Task, TaskQueue};
        pub use statistics::{
            ActivityCount, Cumulative, Realtime, Split, Statistics, TaskQueueStatistics, WaitDuration,
        };
        pub use table::{Counts, Table};

        pub const PAGE_SIZE: usize = 1000;
    }
}
