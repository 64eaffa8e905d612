//! What can happen in the centre, as operations on plain state.
//!
//! A `Transaction` is one operation in progress, at one moment: it changes the state, notes a `Change` for the figures
//! and an `Event` for the outside, in the order in which TaskRouter is known to publish them. There is no I/O here and
//! no clock; the handle in `world` gives the time and hands out what came of it.

mod queues;
mod reservations;
mod tasks;
mod workers;

use rand::rngs::StdRng;

use super::events::Event;
use crate::sid::{Kind, Sid};
use crate::state::State;
use crate::state::change::Change;

pub(crate) use queues::NewQueue;
pub(crate) use tasks::{Draft, TASK_TIMEOUT, TaskUpdate};

/// An operation that makes no sense in the present state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    #[error("no {what} {name}")]
    Missing {
        /// What was looked for, such as `Task`.
        what: &'static str,
        name: String,
    },
    #[error("{0}")]
    Refused(String),
}

impl WorldError {
    pub(crate) fn missing(what: &'static str, name: &(impl ToString + ?Sized)) -> Self {
        Self::Missing { what, name: name.to_string() }
    }
}

pub type Outcome<T = ()> = Result<T, WorldError>;

#[derive(Debug)]
pub(crate) struct Transaction<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) ids: &'a mut StdRng,
    pub(crate) at: i64,
    pub(crate) changes: Vec<Change>,
    pub(crate) events: Vec<Event>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(state: &'a mut State, ids: &'a mut StdRng, at: i64) -> Self {
        Self { state, ids, at, changes: Vec::new(), events: Vec::new() }
    }

    pub(crate) fn draw(&mut self, kind: Kind) -> Sid {
        Sid::draw(kind, self.ids)
    }
}
