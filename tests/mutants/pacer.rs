//! How fast Sync objects are written.
#![allow(dead_code, unused_imports, reason = "a part of the service has no callers here")]

pub mod bucket;
pub mod publish {
    mod pacer;
}
