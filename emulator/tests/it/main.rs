//! The emulator over real HTTP. One binary, one file a subject.
//!
//! Tests change the world, ask over HTTP, and wait for conditions; none sleeps, none shares an emulator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod api;
mod callbacks;
mod centre;
mod control;
mod faults;
mod rooms;
mod shapes;
mod support;
mod sync;
mod taskrouter;
