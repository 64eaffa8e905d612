//! An in-process Twilio: TaskRouter, Sync, Calls, Messages and Flex token validation over HTTP, stateful and strict,
//! with a simulated contact centre behind it.
//!
//! It exists so that a client of Twilio can be held to Twilio's rules without an account: a second, independent
//! reading of the API. The map of its parts:
//!
//! ```text
//! server, wire    one listener, limits, faults, latency, journal        control   pages for tests and scripts
//! sdk             what the Sync SDK needs: its websocket, and its requests
//! parts           all running parts in one place; which product answers a path
//! taskrouter, sync::http, api, tokens, plugins     the products: requests in, resources out (with what `rest` offers)
//! callbacks       signed events            sync     Documents, Maps, Streams
//! world           the centre: life, steps  statistics   its numbers         state   what it consists of
//! ```
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use twilio_emulator::{Emulator, NewTask, Settings};
//!
//! let emulator = Emulator::start(Settings { queues: 3, ..Settings::default() }).await?;
//! emulator.callbacks().set_url("http://127.0.0.1:8080/taskrouter/events");
//! let queue = emulator.world().queues()[0].sid.clone();
//! let task = emulator.world().create_task(NewTask { queue, ..NewTask::default() })?;
//! # Ok(()) }
//! ```

mod api;
mod auth;
pub mod callbacks;
mod clock;
mod control;
mod emulator;
mod error;
mod faults;
mod journal;
mod json;
mod limits;
mod params;
mod parts;
mod plugins;
mod rest;
mod sdk;
mod server;
mod settings;
mod sid;
mod sockets;
mod state;
mod statistics;
pub mod sync;
mod taskrouter;
mod tokens;
mod wire;
mod world;

pub use api::{Answering, CallStatus, CallView, Calls, MessageView, Messages};
pub use callbacks::{Callbacks, Delivery, Format};
pub use clock::Clock;
pub use emulator::{Emulator, StartError};
pub use error::Refusal;
pub use faults::{Fault, FaultKind, Faults};
pub use journal::{Api, Entry, Filter, Journal, Totals};
pub use json::Data;
pub use server::Unanswered;
pub use settings::{Account, Answers, Burst, Combined, CombinedRealtime, Life, Limits, Nulls, Settings};
pub use sid::{Kind, Sid};
pub use sockets::{SocketView, Sockets};
pub use sync::{SyncChange, SyncHandle};
pub use tokens::{FlexToken, Tokens};
pub use world::{
    Both, Drive, Event, Move, NewTask, Outcome, QueueView, ReservationStatus, ReservationView, Sample,
    TaskStatus, TaskView, Truth, WorkerView, World, WorldError,
};
