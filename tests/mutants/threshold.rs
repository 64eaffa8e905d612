//! Service levels, and the thresholds of a tile.
#![allow(dead_code, unused_imports, reason = "a part of the service has no callers here")]

pub mod service_level;
pub mod stats {
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Passed {
        pub level: u8,
        pub limit: f64,
        pub below: bool,
    }
}
pub mod wallboard {
    pub mod formula {
        pub mod protocol;

        pub const LONGEST_FORMULA: usize = 4096;
    }
    mod definition;
    mod fixtures_tests;
    mod format;
    mod problem;
    mod threshold;
}
