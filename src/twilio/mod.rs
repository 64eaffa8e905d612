//! Twilio as this service sees it: signatures of what comes in, REST calls that go out.
//!
//! Nothing here knows what the service does with an answer. Base URLs come with the configuration, so the emulator
//! and a proxy are no special case.

pub mod access_token;
mod apis;
mod call;
pub mod calls;
mod client;
mod connection;
mod error;
pub mod flex_token;
mod governor;
mod guarded;
pub mod messages;
mod name;
mod number;
pub mod plugins;
mod response;
pub mod retry;
pub mod signature;
pub mod sync;
pub mod taskrouter;
pub mod transport;
mod unanswered;

pub use apis::Apis;
pub use client::{Client, ClientError, MOST_SYNC_WRITES_IN_FLIGHT};
pub use error::{Next, TwilioError};
pub use unanswered::Unanswered;
