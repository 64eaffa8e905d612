//! taskrouter-sync keeps a Twilio TaskRouter workspace's statistics fresh in Twilio Sync.
//!
//! An event callback reaches [`server`], which checks who sent it ([`twilio::signature`]) and asks [`event`] what it
//! made stale. [`refresh`] marks that, reads it from TaskRouter ([`twilio::taskrouter`]) with the fewest calls, and
//! folds the answers into a [`stats::Snapshot`]. [`layout`] says how a snapshot looks in Sync, and [`publish`] writes
//! what differs ([`twilio::sync`]) within Sync's limits. [`feed`] shows it to clients that watch us instead, and
//! [`dialling`] places agents' Calls, and [`call_quality`] takes reports of bad ones. [`app`] joins the parts; [`cli`]
//! is the command line.
//!
//! Where several replicas share the work, [`cluster`] elects the leader, and shares its feed and their marks through Redis.
//!
//! Which room may import which is one list, in `docs/architecture.md`, and a test holds the code to it.

/// Every output that reports a problem names it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub mod app;
pub mod bucket;
pub mod call_quality;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod coordination;
pub mod dialling;
pub mod event;
pub mod feed;
pub mod form;
pub mod history;
pub mod jobs;
pub mod layout;
pub mod lenient_json;
pub mod lifecycle;
pub mod pipeline;
pub mod publish;
pub mod refresh;
pub mod server;
pub mod service_level;
pub mod sid;
pub mod stats;
pub mod telemetry;
pub mod twilio;
pub mod wallboard;
