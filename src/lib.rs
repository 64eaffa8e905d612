//! taskrouter-sync.

pub mod form;
pub mod sid;
pub mod twilio;
