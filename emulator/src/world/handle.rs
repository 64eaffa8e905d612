//! The handle's verbs: what a test (or the control pages) can make happen in the centre.
//!
//! SIDs are text here. Every verb is one operation with all its consequences: state, figures, events, callbacks.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::life::{Draft, NewQueue, Outcome, TASK_TIMEOUT, TaskUpdate, WorldError};
use super::{Inner, Move, World};
use crate::sid::{Kind, Sid};

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct NewTask {
    /// The TaskQueue's SID, `WQ…`.
    pub queue: String,
    pub channel: String,
    /// The Task's priority, from 0.
    pub priority: i64,
    pub attributes: Value,
    pub age: Duration,
}

impl Default for NewTask {
    fn default() -> Self {
        Self {
            queue: String::new(),
            channel: "default".to_owned(),
            priority: 0,
            attributes: json!({}),
            age: Duration::ZERO,
        }
    }
}

fn parse(kind: Kind, what: &'static str, sid: &str) -> Outcome<Sid> {
    Sid::parse(kind, sid).ok_or_else(|| WorldError::missing(what, sid))
}

fn queue(sid: &str) -> Outcome<Sid> {
    parse(Kind::TaskQueue, "TaskQueue", sid)
}

fn worker(sid: &str) -> Outcome<Sid> {
    parse(Kind::Worker, "Worker", sid)
}

fn task(sid: &str) -> Outcome<Sid> {
    parse(Kind::Task, "Task", sid)
}

fn reservation(sid: &str) -> Outcome<Sid> {
    parse(Kind::Reservation, "Reservation", sid)
}

impl World {
    /// Opens a queue for all Workers (`1==1`, as Twilio does without an expression).
    pub fn add_queue(&self, name: &str) -> String {
        // Twilio's default expression always parses.
        self.act(|transaction| transaction.add_queue(NewQueue::named(name)))
            .map(|sid| sid.to_string())
            .unwrap_or_default()
    }

    /// Opens a queue for the Workers that satisfy an expression, such as `skills HAS "support"`.
    pub fn add_queue_for(&self, name: &str, target_workers: &str) -> Outcome<String> {
        let new = NewQueue { expression: target_workers.to_owned(), ..NewQueue::named(name) };
        self.act(|transaction| transaction.add_queue(new)).map(|sid| sid.to_string())
    }

    /// Gives a queue a new name. TaskRouter has no event for this, so no callback is sent.
    pub fn rename_queue(&self, sid: &str, name: &str) -> Outcome {
        self.act(|transaction| transaction.rename_queue(queue(sid)?, name))
    }

    pub fn set_target_workers(&self, sid: &str, target_workers: &str) -> Outcome {
        self.act(|transaction| transaction.set_expression(queue(sid)?, target_workers))
    }

    /// Closes a queue; its waiting Tasks are canceled, those in work completed.
    pub fn remove_queue(&self, sid: &str) -> Outcome {
        self.act(|transaction| transaction.remove_queue(queue(sid)?))
    }

    /// A Worker joins in an Activity (name or SID) with skills; the default queues ask for their lower-case names.
    pub fn add_worker(&self, name: &str, activity: &str, skills: &[&str]) -> Outcome<String> {
        self.add_worker_with(name, activity, json!({ "skills": skills }))
    }

    pub fn add_worker_with(&self, name: &str, activity: &str, attributes: Value) -> Outcome<String> {
        self.act(|transaction| {
            let activity = transaction
                .state
                .activity(activity)
                .ok_or_else(|| WorldError::missing("Activity", activity))?;
            transaction.add_worker(name, attributes.into(), activity)
        })
        .map(|sid| sid.to_string())
    }

    pub fn remove_worker(&self, sid: &str) -> Outcome {
        self.act(|transaction| transaction.remove_worker(worker(sid)?))
    }

    /// Moves a Worker to an Activity, by name or SID.
    pub fn set_activity(&self, sid: &str, activity: &str) -> Outcome {
        self.act(|transaction| {
            let activity = transaction
                .state
                .activity(activity)
                .ok_or_else(|| WorldError::missing("Activity", activity))?;
            transaction.set_activity(worker(sid)?, activity)
        })
    }

    pub fn set_worker_attributes(&self, sid: &str, attributes: Value) -> Outcome {
        self.act(|transaction| transaction.set_worker_attributes(worker(sid)?, attributes.into()))
    }

    /// Changes a Worker's capacity on a channel; 0 takes the Worker off it.
    pub fn set_capacity(&self, sid: &str, channel: &str, capacity: u32) -> Outcome {
        self.act(|transaction| {
            let channel = transaction
                .state
                .channel(channel)
                .ok_or_else(|| WorldError::missing("TaskChannel", channel))?;
            transaction.set_worker_channel(worker(sid)?, channel, Some(capacity), None)
        })
    }

    pub fn add_activity(&self, name: &str, available: bool) -> Outcome<String> {
        self.act(|transaction| transaction.add_activity(name, available)).map(|sid| sid.to_string())
    }

    /// Adds a TaskChannel, on which every Worker gets a capacity of 1.
    pub fn add_channel(&self, unique_name: &str) -> Outcome<String> {
        self.act(|transaction| transaction.add_channel(unique_name, unique_name)).map(|sid| sid.to_string())
    }

    pub fn create_task(&self, new: NewTask) -> Outcome<String> {
        let NewTask { queue: to, channel: name, priority, attributes, age } = new;
        self.act(|transaction| {
            let channel = transaction.state.channel(&name);
            let draft = Draft {
                queue: queue(&to)?,
                channel: channel.ok_or_else(|| WorldError::missing("TaskChannel", &name))?,
                workflow: 0,
                priority,
                attributes: attributes.to_string(),
                timeout: TASK_TIMEOUT,
                age: i64::try_from(age.as_millis()).unwrap_or(0),
            };
            transaction.create_task(draft)
        })
        .map(|sid| sid.to_string())
    }

    /// Offers a Task to a Worker, eligible or not; the Reservation's SID.
    pub fn reserve(&self, task_sid: &str, worker_sid: &str) -> Outcome<String> {
        self.act(|transaction| transaction.reserve(task(task_sid)?, worker(worker_sid)?))
            .map(|sid| sid.to_string())
    }

    pub fn accept(&self, sid: &str) -> Outcome {
        self.act(|transaction| transaction.accept(reservation(sid)?))
    }

    pub fn reject(&self, sid: &str) -> Outcome {
        self.act(|transaction| transaction.reject(reservation(sid)?))
    }

    /// The Worker does not answer, and is moved to the timeout Activity (Offline).
    pub fn time_out(&self, sid: &str) -> Outcome {
        self.act(|transaction| transaction.time_out(reservation(sid)?))
    }

    pub fn wrap(&self, sid: &str) -> Outcome {
        self.act(|transaction| transaction.wrap(reservation(sid)?))
    }

    pub fn complete(&self, sid: &str) -> Outcome {
        self.act(|transaction| transaction.complete(reservation(sid)?, None))
    }

    /// A pending or reserved Task is canceled.
    pub fn cancel(&self, sid: &str, reason: &str) -> Outcome {
        self.act(|transaction| transaction.cancel(task(sid)?, reason))
    }

    pub fn time_out_in_workflow(&self, sid: &str) -> Outcome {
        self.act(|transaction| transaction.time_out_in_workflow(task(sid)?))
    }

    /// A Task goes to another queue; an assigned one leaves its Worker.
    pub fn transfer(&self, sid: &str, to_queue: &str) -> Outcome {
        self.act(|transaction| transaction.transfer(task(sid)?, queue(to_queue)?))
    }

    pub fn delete_task(&self, sid: &str) -> Outcome {
        self.act(|transaction| transaction.delete_task(task(sid)?))
    }

    /// A Task gets other attributes, also after its end.
    pub fn set_task_attributes(&self, sid: &str, attributes: &Value) -> Outcome {
        let update = TaskUpdate { attributes: Some(attributes.to_string()), ..TaskUpdate::default() };
        self.act(|transaction| transaction.update_task(task(sid)?, update))
    }

    pub fn set_priority(&self, sid: &str, priority: i64) -> Outcome {
        let update = TaskUpdate { priority: Some(priority), ..TaskUpdate::default() };
        self.act(|transaction| transaction.update_task(task(sid)?, update))
    }

    /// One plausible random step of the centre; the same seed makes the same steps.
    pub fn step(&self) -> Move {
        self.publish(Inner::step)
    }
}
