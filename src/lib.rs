//! taskrouter-sync.

pub mod config;
pub mod form;
pub mod sid;
pub mod twilio;
