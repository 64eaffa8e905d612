//! A step of a well-staffed centre in which one thing goes wrong: for a demo, where `step`'s even odds would show a
//! disaster.
//!
//! Tasks arrive where a Worker is free, and the longest-waiting Task is served first, so waits are a few seconds. Once the
//! trouble has begun, one TaskQueue gets more than it is given Workers for: its Tasks pile up, its oldest waits longer
//! and longer, and some customers give up, while all others stay as they were.

use rand::RngExt;
use rand::rngs::StdRng;

use super::life::{Outcome, Transaction};
use super::step::{Move, pick};
use crate::sid::Sid;
use crate::state::TaskStatus;

/// At most this many wait in the queue that is in trouble.
const WAITING_IN_TROUBLE: usize = 14;
/// Of a hundred steps, those that add to the trouble, and those that help.
const MORE_TROUBLE: u32 = 7;
const LESS_TROUBLE: u32 = 4;
/// Of a hundred steps, those in which a Worker changes Activity.
const ACTIVITY_CHANGES: u32 = 4;
/// Tasks in conversation or wrapping up, for each hundred Workers.
const BUSY_SHARE: usize = 40;

impl Transaction<'_> {
    /// Does one step. An operation that turns out impossible counts as nothing.
    pub(crate) fn healthy_step(&mut self, in_trouble: bool, dice: &mut StdRng) -> Move {
        let troubled = if in_trouble { self.troubled_queue() } else { None };
        let roll = dice.random_range(0..100);
        let done = match roll {
            _ if roll < ACTIVITY_CHANGES => self.change_activity(dice),
            _ if troubled.is_some() && roll < ACTIVITY_CHANGES + MORE_TROUBLE => {
                self.add_trouble(troubled, dice)
            }
            _ if troubled.is_some() && roll < ACTIVITY_CHANGES + MORE_TROUBLE + LESS_TROUBLE => {
                self.serve_in(troubled, dice)
            }
            _ => self.serve(troubled, dice),
        };
        done.unwrap_or(Move::Nothing)
    }

    /// The one in the middle of the list, so that it stands neither first nor last.
    fn troubled_queue(&self) -> Option<Sid> {
        self.state.queues.iter().nth(self.state.queues.len() / 2).map(|queue| queue.sid)
    }

    fn add_trouble(&mut self, troubled: Option<Sid>, dice: &mut StdRng) -> Outcome<Move> {
        match troubled {
            Some(queue) if self.waiting(|of| of == Some(queue)).len() < WAITING_IN_TROUBLE => {
                self.arrive_in(queue, dice)
            }
            _ => self.serve(troubled, dice),
        }
    }

    /// Helps the Task that has waited longest in the troubled queue.
    fn serve_in(&mut self, troubled: Option<Sid>, dice: &mut StdRng) -> Outcome<Move> {
        match self.waiting(|queue| queue == troubled).first() {
            Some(task) => self.progress(*task, dice),
            None => self.serve(troubled, dice),
        }
    }

    /// Serves Tasks that wait elsewhere, longest first; otherwise a Task arrives or is completed.
    fn serve(&mut self, troubled: Option<Sid>, dice: &mut StdRng) -> Outcome<Move> {
        for task in self.waiting(|queue| queue.is_none() || queue != troubled) {
            let t = self.task(task)?;
            let (status, channel) = (t.status, t.channel);
            if status == TaskStatus::Reserved || self.available_worker_for(task, channel, dice).is_some() {
                return self.progress(task, dice);
            }
        }
        let busy = self.state.open.iter().filter_map(|task| self.state.tasks.get(*task));
        let busy: Vec<Sid> = busy
            .filter(|task| matches!(task.status, TaskStatus::Assigned | TaskStatus::Wrapping))
            .map(|task| task.sid)
            .collect();
        let enough = busy.len() * 100 >= self.state.workers.len() * BUSY_SHARE;
        if enough && let Some(n) = pick(busy.len(), dice) {
            return self.progress(busy[n], dice);
        }
        let queues: Vec<Sid> = self.state.queues.iter().map(|queue| queue.sid).collect();
        // Where a Worker is free, if that can be found at a few tries.
        for _ in 0..8 {
            let Some(queue) = pick(queues.len(), dice).map(|n| queues[n]) else { return Ok(Move::Nothing) };
            if Some(queue) != troubled && self.is_staffed(queue) {
                return self.arrive_in(queue, dice);
            }
        }
        Ok(Move::Nothing)
    }

    /// Whether an available Worker of this queue has nothing to do.
    fn is_staffed(&self, queue: Sid) -> bool {
        let Some(queue) = self.state.queues.get(queue) else { return false };
        self.state.workers.iter().any(|worker| {
            let idle = worker.channels.iter().all(|channel| channel.assigned == 0);
            let available =
                self.state.activities.get(worker.activity).is_some_and(|activity| activity.available);
            idle && available && self.state.is_eligible(worker, queue)
        })
    }

    /// Tasks that wait or are offered in the queues that pass, longest first.
    fn waiting(&self, passes: impl Fn(Option<Sid>) -> bool) -> Vec<Sid> {
        let open = self.state.open.iter().filter_map(|task| self.state.tasks.get(*task));
        let mut waiting: Vec<_> = open
            .filter(|task| matches!(task.status, TaskStatus::Pending | TaskStatus::Reserved))
            .filter(|task| passes(task.queue))
            .map(|task| (task.created, task.sid))
            .collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, task)| task).collect()
    }
}
