//! taskrouter-sync.

pub mod config;
pub mod event;
pub mod form;
pub mod refresh;
pub mod sid;
pub mod stats;
pub mod twilio;
