//! TaskQueues, Workers and Activities: who may be offered what.

use std::sync::Arc;

use serde_json::Value;

use crate::sid::{Kind, Sid};
use crate::world::change::Change;
use crate::world::expression::Expression;
use crate::world::life::{Outcome, Turn, WorldError};
use crate::world::state::{
    Activity, Pool, Queue, ReservationStatus, TaskChannel, TaskStatus, Worker, WorkerChannel,
};

/// Twilio's default expression of a queue: everybody.
pub(crate) const EVERYBODY: &str = "1==1";

/// What a new queue is made of.
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

impl Turn<'_> {
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
        let here = |t: &&crate::world::state::Task| t.queue == Some(queue) && !t.status.is_final();
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

    /// Completes a Task through whichever Reservation holds it.
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

    /// A Worker joins, with room for one conversation by voice or video and three at a time elsewhere.
    pub(crate) fn add_worker(&mut self, name: &str, attributes: Value, activity: usize) -> Outcome<Sid> {
        if self.state.workers.iter().any(|w| w.name.eq_ignore_ascii_case(name)) {
            return Err(WorldError::Refused(format!("a Worker named {name} exists already")));
        }
        let sid = self.draw(Kind::Worker);
        let names: Vec<String> = self.state.channels.iter().map(|c| c.unique_name.clone()).collect();
        let channels = names
            .iter()
            .map(|name| WorkerChannel {
                sid: self.draw(Kind::WorkerChannel),
                capacity: if matches!(name.as_str(), "chat" | "sms") { 3 } else { 1 },
                available: true,
                assigned: 0,
            })
            .collect();
        let worker = Worker {
            sid,
            name: name.to_owned(),
            attributes,
            activity,
            activity_since: self.at,
            channels,
            version: 0,
            created: self.at,
            updated: self.at,
        };
        self.state.workers.insert(sid, worker);
        self.place_worker(sid);
        self.worker_event("worker.created", sid, format!("Worker {name} created"), Vec::new());
        Ok(sid)
    }

    pub(crate) fn remove_worker(&mut self, worker: Sid) -> Outcome {
        let name = self.worker_name(worker)?;
        let held = |r: &&crate::world::state::Reservation| r.worker == worker && r.status.is_open();
        let held: Vec<_> = self.state.reservations.iter().filter(held).map(|r| (r.sid, r.status)).collect();
        for (reservation, status) in held {
            if status == ReservationStatus::Pending {
                self.reject(reservation)?;
            } else {
                self.complete(reservation, None)?;
            }
        }
        self.worker_event("worker.deleted", worker, format!("Worker {name} deleted"), Vec::new());
        self.changes.push(Change::WorkerRemoved { worker });
        self.state.workers.remove(worker);
        Ok(())
    }

    pub(crate) fn set_activity(&mut self, worker: Sid, activity: usize) -> Outcome {
        let at = self.at;
        let found =
            self.state.workers.get_mut(worker).ok_or_else(|| WorldError::missing("Worker", &worker))?;
        let (before, spent) = (found.activity, at - found.activity_since);
        if before == activity {
            return Ok(());
        }
        found.activity = activity;
        found.activity_since = at;
        found.version += 1;
        let name = found.name.clone();
        self.changes.push(Change::WorkerActivity { worker, activity });
        let mut more = vec![
            ("WorkerTimeInPreviousActivity", (spent / 1000).to_string()),
            ("WorkerTimeInPreviousActivityMs", spent.to_string()),
        ];
        if let Some(previous) = self.state.activities.get(before) {
            more.push(("WorkerPreviousActivitySid", previous.sid.to_string()));
            more.push(("WorkerPreviousActivityName", previous.name.clone()));
        }
        let to = self.state.activities.get(activity).map(|a| a.name.clone()).unwrap_or_default();
        self.worker_event(
            "worker.activity.update",
            worker,
            format!("Worker {name} updated to {to} Activity"),
            more,
        );
        Ok(())
    }

    pub(crate) fn set_worker_attributes(&mut self, worker: Sid, attributes: Value) -> Outcome {
        let at = self.at;
        let found =
            self.state.workers.get_mut(worker).ok_or_else(|| WorldError::missing("Worker", &worker))?;
        found.attributes = attributes;
        found.version += 1;
        found.updated = at;
        let name = found.name.clone();
        self.place_worker(worker);
        self.worker_event(
            "worker.attributes.update",
            worker,
            format!("Worker {name} has new attributes"),
            Vec::new(),
        );
        Ok(())
    }

    /// Capacity and availability of a Worker's channel; a capacity of 0 takes the Worker off the channel.
    pub(crate) fn set_worker_channel(
        &mut self,
        worker: Sid,
        channel: usize,
        capacity: Option<u32>,
        available: Option<bool>,
    ) -> Outcome {
        let name = self.worker_name(worker)?;
        let kind = self.state.channels.get(channel).map(|c| (c.sid, c.unique_name.clone()));
        let found = self.state.workers.get_mut(worker).and_then(|w| w.channels.get_mut(channel));
        let (Some(found), Some((channel_sid, channel_name))) = (found, kind) else {
            return Err(WorldError::missing("TaskChannel", &channel));
        };
        let before = found.capacity;
        found.capacity = capacity.unwrap_or(before);
        let switched = available.is_some_and(|available| available != found.available);
        found.available = available.unwrap_or(found.available);
        let resized = found.capacity != before;
        let more = vec![
            ("WorkerChannelAvailable", found.available.to_string()),
            ("WorkerChannelAvailableCapacity", found.capacity.saturating_sub(found.assigned).to_string()),
            ("WorkerChannelPreviousCapacity", before.to_string()),
            ("WorkerChannelTaskCount", found.assigned.to_string()),
            ("TaskChannelSid", channel_sid.to_string()),
            ("TaskChannelUniqueName", channel_name),
        ];
        self.place_worker(worker);
        if resized {
            self.worker_event(
                "worker.capacity.update",
                worker,
                format!("Worker {name}: capacity"),
                more.clone(),
            );
        }
        if switched {
            let text = format!("Worker {name}: channel availability");
            self.worker_event("worker.channel.availability.update", worker, text, more);
        }
        Ok(())
    }

    pub(crate) fn add_activity(&mut self, name: &str, available: bool) -> Outcome<Sid> {
        if self.state.activities.iter().any(|a| a.name.eq_ignore_ascii_case(name)) {
            return Err(WorldError::Refused(format!("an Activity named {name} exists already")));
        }
        let sid = self.draw(Kind::Activity);
        let activity = Activity { sid, name: name.to_owned(), available, created: self.at, updated: self.at };
        self.activity_event("activity.created", &activity, format!("Activity {name} created"));
        self.state.activities.push(activity);
        Ok(sid)
    }

    /// A new TaskChannel, on which every Worker has room for one Task.
    pub(crate) fn add_channel(&mut self, unique_name: &str, name: &str) -> Outcome<Sid> {
        if self.state.channel(unique_name).is_some() {
            return Err(WorldError::Refused(format!("a TaskChannel named {unique_name} exists already")));
        }
        let sid = self.draw(Kind::TaskChannel);
        let channel = TaskChannel {
            sid,
            unique_name: unique_name.to_owned(),
            name: name.to_owned(),
            optimized_routing: true,
            created: self.at,
        };
        self.channel_event("task-channel.created", &channel, format!("TaskChannel {name} created"));
        self.state.channels.push(channel);
        let workers: Vec<Sid> = self.state.workers.iter().map(|worker| worker.sid).collect();
        for worker in workers {
            let own = self.draw(Kind::WorkerChannel);
            if let Some(worker) = self.state.workers.get_mut(worker) {
                worker.channels.push(WorkerChannel { sid: own, capacity: 1, available: true, assigned: 0 });
            }
            self.place_worker(worker);
        }
        Ok(sid)
    }

    /// Tells the figures which pools and channels a Worker belongs to now.
    fn place_worker(&mut self, worker: Sid) {
        let Some(found) = self.state.workers.get(worker) else { return };
        let suits = |(_, pool): &(&Arc<str>, &Pool)| pool.expression.matches(&found.attributes);
        let pools = self.state.pools.iter().filter(suits).map(|(text, _)| text.clone()).collect();
        let has = |(n, c): (usize, &WorkerChannel)| if c.capacity > 0 { 1 << n } else { 0 };
        let channels = found.channels.iter().enumerate().map(has).sum();
        self.changes.push(Change::WorkerPlaced { worker, pools, channels, activity: found.activity });
    }
}
