//! TaskRouter resources as JSON, field for field as in Twilio's OpenAPI examples.

use serde_json::{Value, json};

use crate::callbacks::Callbacks;
use crate::clock::iso;
use crate::sid::Sid;
use crate::world::Event;
use crate::world::state::{Activity, Queue, Reservation, State, Task, TaskChannel, Worker, WorkerChannel};

/// Where resources live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) base: &'a str,
}

impl Place<'_> {
    pub(crate) fn workspace_url(&self, state: &State) -> String {
        format!("{}/v1/Workspaces/{}", self.base, state.sid)
    }

    pub(crate) fn workspace(&self, state: &State, callbacks: &Callbacks) -> Value {
        let url = self.workspace_url(state);
        let activity = |n: usize| state.activities.get(n);
        json!({
            "sid": state.sid,
            "account_sid": state.account,
            "friendly_name": state.name,
            "event_callback_url": callbacks.url(),
            "events_filter": callbacks.events_filter(),
            "default_activity_name": activity(state.default_activity).map(|a| &a.name),
            "default_activity_sid": activity(state.default_activity).map(|a| a.sid),
            "timeout_activity_name": activity(state.timeout_activity).map(|a| &a.name),
            "timeout_activity_sid": activity(state.timeout_activity).map(|a| a.sid),
            "multi_task_enabled": state.multi_task,
            "prioritize_queue_order": state.queue_order,
            "date_created": iso(state.created),
            "date_updated": iso(state.updated),
            "url": url,
            "links": {
                "activities": format!("{url}/Activities"),
                "statistics": format!("{url}/Statistics"),
                "real_time_statistics": format!("{url}/RealTimeStatistics"),
                "cumulative_statistics": format!("{url}/CumulativeStatistics"),
                "task_queues": format!("{url}/TaskQueues"),
                "tasks": format!("{url}/Tasks"),
                "workers": format!("{url}/Workers"),
                "workflows": format!("{url}/Workflows"),
                "task_channels": format!("{url}/TaskChannels"),
                "events": format!("{url}/Events"),
            },
        })
    }

    pub(crate) fn queue(&self, state: &State, queue: &Queue) -> Value {
        let w = self.workspace_url(state);
        let url = format!("{w}/TaskQueues/{}", queue.sid);
        let activity = |n: usize| state.activities.get(n);
        let link = |n: usize| activity(n).map(|a| format!("{w}/Activities/{}", a.sid));
        json!({
            "sid": queue.sid,
            "account_sid": state.account,
            "workspace_sid": state.sid,
            "friendly_name": queue.name,
            "target_workers": &*queue.expression,
            "task_order": queue.order,
            "max_reserved_workers": queue.max_reserved,
            "reservation_activity_sid": activity(queue.reservation_activity).map(|a| a.sid),
            "reservation_activity_name": activity(queue.reservation_activity).map(|a| &a.name),
            "assignment_activity_sid": activity(queue.assignment_activity).map(|a| a.sid),
            "assignment_activity_name": activity(queue.assignment_activity).map(|a| &a.name),
            "date_created": iso(queue.created),
            "date_updated": iso(queue.updated),
            "url": url,
            "links": {
                "workspace": w,
                "assignment_activity": link(queue.assignment_activity),
                "reservation_activity": link(queue.reservation_activity),
                "statistics": format!("{url}/Statistics"),
                "real_time_statistics": format!("{url}/RealTimeStatistics"),
                "cumulative_statistics": format!("{url}/CumulativeStatistics"),
                "list_statistics": format!("{w}/TaskQueues/Statistics"),
                "bulk_real_time_statistics": format!("{w}/TaskQueues/RealTimeStatistics"),
            },
        })
    }

    pub(crate) fn task(&self, state: &State, task: &Task, now: i64) -> Value {
        let w = self.workspace_url(state);
        let url = format!("{w}/Tasks/{}", task.sid);
        let queue = task.queue.and_then(|queue| state.queues.get(queue));
        let workflow = state.workflows.get(task.workflow);
        let channel = state.channels.get(task.channel);
        json!({
            "sid": task.sid,
            "account_sid": state.account,
            "workspace_sid": state.sid,
            "age": task.age(now),
            "assignment_status": task.status,
            "attributes": task.attributes,
            "addons": "{}",
            "priority": task.priority,
            "reason": task.reason,
            "timeout": task.timeout,
            "task_queue_sid": task.queue,
            "task_queue_friendly_name": queue.map(|queue| &queue.name),
            "task_queue_entered_date": iso(task.entered),
            "task_channel_sid": channel.map(|channel| channel.sid),
            "task_channel_unique_name": channel.map(|channel| &channel.unique_name),
            "workflow_sid": workflow.map(|workflow| workflow.sid),
            "workflow_friendly_name": workflow.map(|workflow| &workflow.name),
            "virtual_start_time": iso(task.virtual_start),
            "ignore_capacity": false,
            "routing_target": Value::Null,
            "date_created": iso(task.created),
            "date_updated": iso(task.updated),
            "url": url,
            "links": {
                "workspace": w,
                "task_queue": task.queue.map(|queue| format!("{w}/TaskQueues/{queue}")),
                "workflow": workflow.map(|workflow| format!("{w}/Workflows/{}", workflow.sid)),
                "reservations": format!("{url}/Reservations"),
            },
        })
    }

    pub(crate) fn reservation(&self, state: &State, reservation: &Reservation) -> Value {
        let w = self.workspace_url(state);
        let task = format!("{w}/Tasks/{}", reservation.task);
        json!({
            "sid": reservation.sid,
            "account_sid": state.account,
            "workspace_sid": state.sid,
            "reservation_status": reservation.status,
            "task_sid": reservation.task,
            "worker_sid": reservation.worker,
            "worker_name": state.workers.get(reservation.worker).map(|worker| &worker.name),
            "date_created": iso(reservation.created),
            "date_updated": iso(reservation.updated),
            "url": format!("{task}/Reservations/{}", reservation.sid),
            "links": {
                "task": task,
                "worker": format!("{w}/Workers/{}", reservation.worker),
                "workspace": w,
            },
        })
    }

    pub(crate) fn worker(&self, state: &State, worker: &Worker) -> Value {
        let w = self.workspace_url(state);
        let url = format!("{w}/Workers/{}", worker.sid);
        let activity = state.activities.get(worker.activity);
        json!({
            "sid": worker.sid,
            "account_sid": state.account,
            "workspace_sid": state.sid,
            "friendly_name": worker.name,
            "activity_sid": activity.map(|activity| activity.sid),
            "activity_name": activity.map(|activity| &activity.name),
            "attributes": worker.attributes.to_string(),
            "available": activity.is_some_and(|activity| activity.available),
            "date_status_changed": iso(worker.activity_since),
            "date_created": iso(worker.created),
            "date_updated": iso(worker.updated),
            "url": url,
            "links": {
                "workspace": w,
                "activity": activity.map(|activity| format!("{w}/Activities/{}", activity.sid)),
                "channels": format!("{url}/Channels"),
                "worker_channels": format!("{url}/Channels"),
                "reservations": format!("{url}/Reservations"),
                "worker_statistics": format!("{url}/Statistics"),
                "statistics": format!("{w}/Workers/Statistics"),
                "real_time_statistics": format!("{w}/Workers/RealTimeStatistics"),
                "cumulative_statistics": format!("{w}/Workers/CumulativeStatistics"),
            },
        })
    }

    pub(crate) fn worker_channel(
        &self,
        state: &State,
        worker: &Worker,
        channel: &WorkerChannel,
        kind: &TaskChannel,
    ) -> Value {
        let free = channel.capacity.saturating_sub(channel.assigned);
        json!({
            "sid": channel.sid,
            "account_sid": state.account,
            "workspace_sid": state.sid,
            "worker_sid": worker.sid,
            "task_channel_sid": kind.sid,
            "task_channel_unique_name": kind.unique_name,
            "assigned_tasks": channel.assigned,
            "available": channel.available,
            "available_capacity_percentage": (free * 100).checked_div(channel.capacity).unwrap_or(0),
            "configured_capacity": channel.capacity,
            "date_created": iso(worker.created),
            "date_updated": iso(worker.updated),
            "url": format!("{}/Workers/{}/Channels/{}", self.workspace_url(state), worker.sid, channel.sid),
        })
    }

    pub(crate) fn activity(&self, state: &State, activity: &Activity) -> Value {
        let w = self.workspace_url(state);
        json!({
            "sid": activity.sid,
            "account_sid": state.account,
            "workspace_sid": state.sid,
            "friendly_name": activity.name,
            "available": activity.available,
            "date_created": iso(activity.created),
            "date_updated": iso(activity.updated),
            "url": format!("{w}/Activities/{}", activity.sid),
            "links": { "workspace": w },
        })
    }

    pub(crate) fn task_channel(&self, state: &State, channel: &TaskChannel) -> Value {
        let w = self.workspace_url(state);
        json!({
            "sid": channel.sid,
            "account_sid": state.account,
            "workspace_sid": state.sid,
            "unique_name": channel.unique_name,
            "friendly_name": channel.name,
            "channel_optimized_routing": channel.optimized_routing,
            "date_created": iso(channel.created),
            "date_updated": iso(channel.created),
            "url": format!("{w}/TaskChannels/{}", channel.sid),
            "links": { "workspace": w },
        })
    }

    pub(crate) fn event(&self, state: &State, event: &Event) -> Value {
        let w = self.workspace_url(state);
        let mut data = event.snake(false);
        // Told by the resource itself.
        for common in
            ["eventtype", "event_description", "resource_type", "resource_sid", "sid", "account_sid"]
        {
            data.remove(common);
        }
        data.remove("timestamp");
        data.remove("timestamp_ms");
        json!({
            "sid": event.sid,
            "account_sid": state.account,
            "workspace_sid": state.sid,
            "actor_sid": state.sid,
            "actor_type": "workspace",
            "actor_url": w,
            "description": event.description,
            "event_data": data,
            "event_date": iso(event.at),
            "event_date_ms": event.at,
            "event_type": event.event_type,
            "resource_sid": event.resource_sid,
            "resource_type": event.resource_type,
            "resource_url": resource_url(&w, event.resource_type, event.resource_sid),
            "source": "twilio",
            "source_ip_address": Value::Null,
            "url": format!("{w}/Events/{}", event.sid),
        })
    }
}

fn resource_url(workspace: &str, kind: &str, sid: Sid) -> String {
    let folder = match kind {
        "task" => "Tasks",
        "worker" => "Workers",
        "reservation" => "Reservations",
        "activity" => "Activities",
        "task-queue" => "TaskQueues",
        "task-channel" => "TaskChannels",
        "workflow" => "Workflows",
        _ => return workspace.to_owned(),
    };
    format!("{workspace}/{folder}/{sid}")
}
