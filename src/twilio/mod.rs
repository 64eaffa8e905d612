//! Twilio as this service sees it.

pub mod signature;
