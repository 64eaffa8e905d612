//! The real service against the emulated Twilio: one file a behaviour.
//!
//! A test changes the world, waits for the outcome, and finishes. Waiting is for a condition with a far deadline, so
//! nothing here depends on how fast the machine is. `finish` fails on leftovers: a limit that was passed, a request that
//! Twilio does not document, a part that had ended by itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::duplicate_mod,
    reason = "a test ends where something is not as it must be, and talks to the service as anybody would; the campaign of \
              faults brings the shared modules along that it needs as a program of its own"
)]

mod support;

mod abuse;
mod access;
mod allowance;
mod authorisation;
mod backfill;
mod bootstrap;
mod burst;
mod chaos;
mod confinement;
#[cfg(feature = "demo")]
mod demo;
mod dialling;
mod docs;
mod doctor;
mod doctor_names;
mod events;
mod faults;
mod feed;
mod flex_plugin;
mod flex_plugin_obstacles;
mod flex_plugin_setup;
mod formulas;
mod formulas_beside;
mod history;
mod layouts;
mod metrics;
mod monitoring;
mod names;
mod odd_answers;
mod odd_set_ups;
mod older_pages;
mod process;
mod protection;
mod proxy;
mod queues;
mod restart;
mod rooms;
mod samples_env;
mod scaling;
mod secrets;
mod sign_outs;
mod sync_objects;
#[cfg(feature = "otel")]
mod tracing_export;
mod voice;
mod webhook;
mod websocket;
