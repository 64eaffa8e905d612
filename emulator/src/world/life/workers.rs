//! Workers, their Activities and their channels: who may be offered what.

use std::sync::Arc;

use crate::json::Data;
use crate::sid::{Kind, Sid};
use crate::state::change::Change;
use crate::state::{Activity, Pool, ReservationStatus, TaskChannel, Worker, WorkerChannel};
use crate::world::life::{Outcome, Transaction, WorldError};

impl Transaction<'_> {
    /// A Worker joins, with room for one conversation by voice or video and three at a time elsewhere.
    pub(crate) fn add_worker(&mut self, name: &str, attributes: Data, activity: usize) -> Outcome<Sid> {
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
        let held = |r: &&crate::state::Reservation| r.worker == worker && r.status.is_open();
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

    pub(crate) fn set_worker_attributes(&mut self, worker: Sid, attributes: Data) -> Outcome {
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

    /// Gives an Activity (by name or SID) a new name, if one is given.
    pub(crate) fn rename_activity(&mut self, activity: &str, name: Option<&str>) -> Outcome {
        let n = self.state.activity(activity).ok_or_else(|| WorldError::missing("Activity", activity))?;
        let (at, found) = (self.at, &mut self.state.activities[n]);
        let Some(name) = name else { return Ok(()) };
        name.clone_into(&mut found.name);
        found.updated = at;
        let found = found.clone();
        self.activity_event("activity.updated", &found, format!("Activity {name} updated"));
        Ok(())
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
