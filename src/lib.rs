//! taskrouter-sync.

pub mod bucket;
pub mod config;
pub mod event;
pub mod form;
pub mod layout;
pub mod publish;
pub mod refresh;
pub mod sid;
pub mod stats;
pub mod twilio;
