//! One plausible step of the centre, drawn from the seed.
//!
//! A step is an arrival, something that happens to a Task (an offer, an answer, a hang-up, wrapping up, the end, now
//! and then a transfer), or a Worker changing Activity. The odds hold the number of open Tasks near the number of
//! Workers, so a driven centre stays busy without growing.

use rand::RngExt;
use rand::rngs::StdRng;
use serde::Serialize;
use serde_json::json;

use super::centre::random_activity;
use super::life::{Draft, Outcome, TASK_TIMEOUT, TaskUpdate, Transaction};
use crate::sid::Sid;
use crate::state::{ReservationStatus, TaskStatus};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    Arrived,
    Offered,
    Accepted,
    Rejected,
    /// An offer was not answered.
    TimedOut,
    Abandoned,
    WorkflowTimedOut,
    /// A Task went to another queue.
    Transferred,
    /// A Task's attributes or priority changed.
    Updated,
    Wrapping,
    Completed,
    ActivityChanged,
    /// Nothing was possible (no queues).
    Nothing,
}

/// Channels of arriving Tasks with their share in a hundred; the rest is `default`.
const ARRIVALS: [(&str, u32); 4] = [("voice", 50), ("chat", 25), ("sms", 12), ("video", 8)];
/// A customer gives up no earlier than this.
const PATIENCE_MS: i64 = 5_000;

impl Transaction<'_> {
    /// Does one step. An operation that turns out impossible counts as nothing.
    pub(crate) fn step(&mut self, dice: &mut StdRng) -> Move {
        let open = self.state.open.len();
        let enough = self.state.workers.len().max(4);
        let roll = dice.random_range(0..100);
        let arrivals = if open < enough / 2 {
            45
        } else if open < enough * 3 / 2 {
            22
        } else {
            8
        };
        let done = if open == 0 || roll < arrivals {
            self.arrive(dice)
        } else if roll < arrivals + 6 {
            self.change_activity(dice)
        } else {
            self.advance(dice)
        };
        done.unwrap_or(Move::Nothing)
    }

    fn arrive(&mut self, dice: &mut StdRng) -> Outcome<Move> {
        let Some(queue) = pick(self.state.queues.len(), dice).and_then(|n| self.state.queues.iter().nth(n))
        else {
            return Ok(Move::Nothing);
        };
        self.arrive_in(queue.sid, dice)
    }

    pub(super) fn arrive_in(&mut self, queue: Sid, dice: &mut StdRng) -> Outcome<Move> {
        let mut roll = dice.random_range(0..100);
        let mut name = "default";
        for (channel, share) in ARRIVALS {
            if roll < share {
                name = channel;
                break;
            }
            roll -= share;
        }
        let caller = format!("+1500555{:04}", dice.random_range(0..10_000));
        let kind = ["question", "order", "complaint", "change"][dice.random_range(0..4)];
        let attributes =
            json!({ "from": caller, "to": "+15005550000", "type": kind, "direction": "inbound" });
        let draft = Draft {
            queue,
            channel: self.state.channel(name).unwrap_or(0),
            workflow: 0,
            priority: [0, 0, 0, 0, 0, 0, 1, 1, 5, 10][dice.random_range(0..10)],
            attributes: attributes.to_string(),
            timeout: TASK_TIMEOUT,
            age: 0,
        };
        self.create_task(draft)?;
        Ok(Move::Arrived)
    }

    pub(super) fn change_activity(&mut self, dice: &mut StdRng) -> Outcome<Move> {
        let Some(worker) =
            pick(self.state.workers.len(), dice).and_then(|n| self.state.workers.iter().nth(n))
        else {
            return self.arrive(dice);
        };
        let (worker, before) = (worker.sid, worker.activity);
        let activity = random_activity(dice);
        self.set_activity(worker, activity)?;
        Ok(if before == activity { Move::Nothing } else { Move::ActivityChanged })
    }

    fn advance(&mut self, dice: &mut StdRng) -> Outcome<Move> {
        let Some(task) =
            pick(self.state.open.len(), dice).and_then(|n| self.state.open.iter().nth(n)).copied()
        else {
            return self.arrive(dice);
        };
        self.progress(task, dice)
    }

    pub(super) fn progress(&mut self, task: Sid, dice: &mut StdRng) -> Outcome<Move> {
        let t = self.task(task)?;
        let (status, channel, waited) = (t.status, t.channel, t.created);
        let held = t.reservations.last().copied();
        let roll = dice.random_range(0..100);
        match (status, held) {
            (TaskStatus::Reserved, Some(offer)) if self.is(offer, ReservationStatus::Pending) => match roll {
                0..80 => self.accept(offer).map(|()| Move::Accepted),
                80..88 => self.reject(offer).map(|()| Move::Rejected),
                88..94 => self.time_out(offer).map(|()| Move::TimedOut),
                _ => self.cancel(task, "hangup").map(|()| Move::Abandoned),
            },
            (TaskStatus::Assigned, Some(held)) => match roll {
                0..55 => self.wrap(held).map(|()| Move::Wrapping),
                55..88 => self.complete(held, None).map(|()| Move::Completed),
                88..93 => self.send_elsewhere(task, dice),
                _ => self.touch(task, dice),
            },
            (TaskStatus::Wrapping, Some(held)) => self.complete(held, None).map(|()| Move::Completed),
            _ => match self.available_worker_for(task, channel, dice) {
                Some(worker) if roll < 90 => self.reserve(task, worker).map(|_| Move::Offered),
                _ if roll < 25 && self.at - waited >= PATIENCE_MS => {
                    self.cancel(task, "hangup").map(|()| Move::Abandoned)
                }
                _ if roll < 28 => self.time_out_in_workflow(task).map(|()| Move::WorkflowTimedOut),
                _ if roll < 35 => self.send_elsewhere(task, dice),
                _ => self.touch(task, dice),
            },
        }
    }

    fn is(&self, reservation: Sid, status: ReservationStatus) -> bool {
        self.state.reservations.get(reservation).is_some_and(|r| r.status == status)
    }

    /// A free Worker whom the Task's queue would choose.
    pub(super) fn available_worker_for(&self, task: Sid, channel: usize, dice: &mut StdRng) -> Option<Sid> {
        let queue = self.state.tasks.get(task)?.queue.and_then(|queue| self.state.queues.get(queue))?;
        let suits = |worker: &&crate::state::Worker| {
            self.state.is_free(worker, channel) && self.state.is_eligible(worker, queue)
        };
        let free: Vec<Sid> = self.state.workers.iter().filter(suits).map(|worker| worker.sid).collect();
        free.get(pick(free.len(), dice)?).copied()
    }

    fn send_elsewhere(&mut self, task: Sid, dice: &mut StdRng) -> Outcome<Move> {
        let Some(queue) = pick(self.state.queues.len(), dice).and_then(|n| self.state.queues.iter().nth(n))
        else {
            return Ok(Move::Nothing);
        };
        let queue = queue.sid;
        if self.task(task)?.queue == Some(queue) {
            return Ok(Move::Nothing);
        }
        self.transfer(task, queue).map(|()| Move::Transferred)
    }

    fn touch(&mut self, task: Sid, dice: &mut StdRng) -> Outcome<Move> {
        let priority = self.task(task)?.priority + 1;
        let update = if dice.random_bool(0.3) {
            TaskUpdate { priority: Some(priority), ..TaskUpdate::default() }
        } else {
            let note = json!({ "note": dice.random_range(0..1000), "type": "follow-up" });
            TaskUpdate { attributes: Some(note.to_string()), ..TaskUpdate::default() }
        };
        self.update_task(task, update).map(|()| Move::Updated)
    }
}

pub(super) fn pick(of: usize, dice: &mut StdRng) -> Option<usize> {
    (of > 0).then(|| dice.random_range(0..of))
}
