//! TaskQueues, and the pools of Workers behind their expressions.

use std::sync::Arc;

use crate::sid::{Kind, Sid};
use crate::state::change::Change;
use crate::state::expression::Expression;
use crate::state::{Pool, Queue, TaskStatus};
use crate::world::life::{Outcome, Transaction, WorldError};

/// Twilio's default expression of a queue: everybody.
pub(crate) const EVERYBODY: &str = "1==1";

#[derive(Debug, Clone)]
pub(crate) struct NewQueue {
    pub(crate) name: String,
    pub(crate) expression: String,
    pub(crate) order: &'static str,
    pub(crate) max_reserved: i64,
}

impl NewQueue {
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), expression: EVERYBODY.to_owned(), order: "FIFO", max_reserved: 1 }
    }
}

impl Transaction<'_> {
    pub(crate) fn add_queue(&mut self, new: NewQueue) -> Outcome<Sid> {
        let pool = self.join_pool(&new.expression)?;
        let sid = self.draw(Kind::TaskQueue);
        let queue = Queue {
            sid,
            name: new.name,
            expression: pool.clone(),
            order: new.order,
            max_reserved: new.max_reserved,
            reservation_activity: self.state.default_activity,
            assignment_activity: self.state.default_activity,
            created: self.at,
            updated: self.at,
        };
        self.changes.push(Change::QueuePlaced { queue: sid, pool });
        self.queue_event("task-queue.created", &queue, format!("TaskQueue {} created", queue.name));
        self.state.queues.insert(sid, queue);
        Ok(sid)
    }

    /// A new name. No event type exists for it, so no callback tells: only the next look at the list does.
    pub(crate) fn rename_queue(&mut self, queue: Sid, name: &str) -> Outcome {
        let at = self.at;
        let found =
            self.state.queues.get_mut(queue).ok_or_else(|| WorldError::missing("TaskQueue", &queue))?;
        name.clone_into(&mut found.name);
        found.updated = at;
        Ok(())
    }

    pub(crate) fn set_expression(&mut self, queue: Sid, expression: &str) -> Outcome {
        self.queue_name(queue)?;
        let pool = self.join_pool(expression)?;
        let at = self.at;
        let found =
            self.state.queues.get_mut(queue).ok_or_else(|| WorldError::missing("TaskQueue", &queue))?;
        let before = std::mem::replace(&mut found.expression, pool.clone());
        found.updated = at;
        let found = found.clone();
        self.changes.push(Change::QueuePlaced { queue, pool });
        self.leave_pool(&before);
        self.queue_event(
            "task-queue.expression.updated",
            &found,
            format!("TaskQueue {} has a new expression", found.name),
        );
        Ok(())
    }

    /// Removes a queue; its unfinished Tasks are canceled first, or completed if a Worker has them already.
    pub(crate) fn remove_queue(&mut self, queue: Sid) -> Outcome {
        let name = self.queue_name(queue)?;
        let here = |t: &&crate::state::Task| t.queue == Some(queue) && !t.status.is_final();
        let open: Vec<_> = self.state.tasks.iter().filter(here).map(|t| (t.sid, t.status)).collect();
        for (task, status) in open {
            if matches!(status, TaskStatus::Pending | TaskStatus::Reserved) {
                self.cancel(task, "TaskQueue removed")?;
            } else {
                self.complete_all(task)?;
            }
        }
        let removed =
            self.state.queues.remove(queue).ok_or_else(|| WorldError::missing("TaskQueue", &queue))?;
        self.changes.push(Change::QueueRemoved { queue });
        self.leave_pool(&removed.expression);
        self.queue_event("task-queue.deleted", &removed, format!("TaskQueue {name} deleted"));
        Ok(())
    }

    pub(crate) fn complete_all(&mut self, task: Sid) -> Outcome {
        let held = self.task(task)?.reservations.clone().into_iter().find(|r| self.is_open(*r));
        let held = held.ok_or_else(|| WorldError::Refused(format!("no Worker has Task {task}")))?;
        self.complete(held, None)
    }

    fn join_pool(&mut self, text: &str) -> Outcome<Arc<str>> {
        if let Some((pool, _)) = self.state.pools.get_key_value(text) {
            let pool = pool.clone();
            if let Some(found) = self.state.pools.get_mut(&pool) {
                found.queues += 1;
            }
            return Ok(pool);
        }
        let expression = Expression::parse(text).map_err(WorldError::Refused)?;
        let members =
            self.state.workers.iter().filter(|w| expression.matches(&w.attributes)).map(|w| w.sid).collect();
        let pool: Arc<str> = text.into();
        self.state.pools.insert(pool.clone(), Pool { expression, queues: 1 });
        self.changes.push(Change::PoolOpened { pool: pool.clone(), members });
        Ok(pool)
    }

    fn leave_pool(&mut self, pool: &Arc<str>) {
        let Some(found) = self.state.pools.get_mut(pool) else { return };
        found.queues -= 1;
        if found.queues == 0 {
            self.state.pools.remove(pool);
            self.changes.push(Change::PoolClosed { pool: pool.clone() });
        }
    }
}
