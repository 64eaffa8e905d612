//! Which requests Twilio sent.
#![allow(dead_code, unused_imports, reason = "a part of the service has no callers here")]

pub mod form;
pub mod twilio {
    pub mod signature;
}
