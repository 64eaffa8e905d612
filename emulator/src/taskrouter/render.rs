//! TaskRouter resources as JSON, field for field as in Twilio's OpenAPI examples.

use serde_json::Value;

use crate::callbacks::Callbacks;
use crate::clock::iso;
use crate::json::{JsonObject, object};
use crate::sid::Sid;
use crate::state::{Activity, Queue, Reservation, State, Task, TaskChannel, Worker, WorkerChannel, Workflow};
use crate::world::Event;

#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskRouterPlace<'a> {
    pub(crate) base: &'a str,
}

impl TaskRouterPlace<'_> {
    pub(crate) fn workspace_url(&self, state: &State) -> String {
        format!("{}/v1/Workspaces/{}", self.base, state.sid)
    }

    pub(crate) fn workspace(&self, state: &State, callbacks: &Callbacks) -> JsonObject {
        let url = self.workspace_url(state);
        let activity = |n: usize| state.activities.get(n);
        object!({
            "account_sid": state.account,
            "date_created": iso(state.created),
            "date_updated": iso(state.updated),
            "default_activity_name": activity(state.default_activity).map(|a| &a.name),
            "default_activity_sid": activity(state.default_activity).map(|a| a.sid),
            "event_callback_url": callbacks.url(),
            "events_filter": callbacks.events_filter(),
            "friendly_name": state.name,
            "links": object!({
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
            }),
            "multi_task_enabled": state.multi_task,
            "prioritize_queue_order": state.queue_order,
            "sid": state.sid,
            "timeout_activity_name": activity(state.timeout_activity).map(|a| &a.name),
            "timeout_activity_sid": activity(state.timeout_activity).map(|a| a.sid),
            "url": url,
        })
    }

    pub(crate) fn queue(&self, state: &State, queue: &Queue) -> JsonObject {
        let w = self.workspace_url(state);
        let url = format!("{w}/TaskQueues/{}", queue.sid);
        let activity = |n: usize| state.activities.get(n);
        let link = |n: usize| activity(n).map(|a| format!("{w}/Activities/{}", a.sid));
        object!({
            "account_sid": state.account,
            "assignment_activity_name": activity(queue.assignment_activity).map(|a| &a.name),
            "assignment_activity_sid": activity(queue.assignment_activity).map(|a| a.sid),
            "date_created": iso(queue.created),
            "date_updated": iso(queue.updated),
            "friendly_name": queue.name,
            "max_reserved_workers": queue.max_reserved,
            "links": object!({
                "assignment_activity": link(queue.assignment_activity),
                "reservation_activity": link(queue.reservation_activity),
                "workspace": w,
                "statistics": format!("{url}/Statistics"),
                "real_time_statistics": format!("{url}/RealTimeStatistics"),
                "cumulative_statistics": format!("{url}/CumulativeStatistics"),
                "list_statistics": format!("{w}/TaskQueues/Statistics"),
                "bulk_real_time_statistics": format!("{w}/TaskQueues/RealTimeStatistics"),
            }),
            "reservation_activity_name": activity(queue.reservation_activity).map(|a| &a.name),
            "reservation_activity_sid": activity(queue.reservation_activity).map(|a| a.sid),
            "sid": queue.sid,
            "target_workers": &*queue.expression,
            "task_order": queue.order,
            "url": url,
            "workspace_sid": state.sid,
        })
    }

    pub(crate) fn task(&self, state: &State, task: &Task, now: i64) -> JsonObject {
        let w = self.workspace_url(state);
        let url = format!("{w}/Tasks/{}", task.sid);
        let queue = task.queue.and_then(|queue| state.queues.get(queue));
        let workflow = state.workflows.get(task.workflow);
        let channel = state.channels.get(task.channel);
        object!({
            "account_sid": state.account,
            "age": task.age(now),
            "assignment_status": task.status,
            "attributes": task.attributes,
            "date_created": iso(task.created),
            "date_updated": iso(task.updated),
            "task_queue_entered_date": iso(task.entered),
            "virtual_start_time": iso(task.virtual_start),
            "priority": task.priority,
            "reason": task.reason,
            "sid": task.sid,
            "task_queue_sid": task.queue,
            "task_channel_sid": channel.map(|channel| channel.sid),
            "task_channel_unique_name": channel.map(|channel| &channel.unique_name),
            "timeout": task.timeout,
            "url": url,
            "workflow_sid": workflow.map(|workflow| workflow.sid),
            "workspace_sid": state.sid,
            "workflow_friendly_name": workflow.map(|workflow| &workflow.name),
            "task_queue_friendly_name": queue.map(|queue| &queue.name),
            "ignore_capacity": false,
            "routing_target": Value::Null,
            "addons": "{}",
            "links": object!({
                "task_queue": task.queue.map(|queue| format!("{w}/TaskQueues/{queue}")),
                "workflow": workflow.map(|workflow| format!("{w}/Workflows/{}", workflow.sid)),
                "workspace": w,
                "reservations": format!("{url}/Reservations"),
            }),
        })
    }

    pub(crate) fn reservation(&self, state: &State, reservation: &Reservation) -> JsonObject {
        let w = self.workspace_url(state);
        let task = format!("{w}/Tasks/{}", reservation.task);
        object!({
            "account_sid": state.account,
            "date_created": iso(reservation.created),
            "date_updated": iso(reservation.updated),
            "links": object!({
                "task": task,
                "worker": format!("{w}/Workers/{}", reservation.worker),
                "workspace": w,
            }),
            "reservation_status": reservation.status,
            "sid": reservation.sid,
            "task_sid": reservation.task,
            "url": format!("{task}/Reservations/{}", reservation.sid),
            "worker_name": state.workers.get(reservation.worker).map(|worker| &worker.name),
            "worker_sid": reservation.worker,
            "workspace_sid": state.sid,
        })
    }

    pub(crate) fn worker(&self, state: &State, worker: &Worker) -> JsonObject {
        let w = self.workspace_url(state);
        let url = format!("{w}/Workers/{}", worker.sid);
        let activity = state.activities.get(worker.activity);
        object!({
            "sid": worker.sid,
            "friendly_name": worker.name,
            "account_sid": state.account,
            "activity_sid": activity.map(|activity| activity.sid),
            "activity_name": activity.map(|activity| &activity.name),
            "workspace_sid": state.sid,
            "attributes": worker.attributes.text(),
            "available": activity.is_some_and(|activity| activity.available),
            "date_created": iso(worker.created),
            "date_updated": iso(worker.updated),
            "date_status_changed": iso(worker.activity_since),
            "url": url,
            "links": object!({
                "channels": format!("{url}/Channels"),
                "activity": activity.map(|activity| format!("{w}/Activities/{}", activity.sid)),
                "workspace": w,
                "statistics": format!("{w}/Workers/Statistics"),
                "real_time_statistics": format!("{w}/Workers/RealTimeStatistics"),
                "cumulative_statistics": format!("{w}/Workers/CumulativeStatistics"),
                "worker_statistics": format!("{url}/Statistics"),
                "worker_channels": format!("{url}/Channels"),
                "reservations": format!("{url}/Reservations"),
            }),
        })
    }

    pub(crate) fn worker_channel(
        &self,
        state: &State,
        worker: &Worker,
        channel: &WorkerChannel,
        kind: &TaskChannel,
    ) -> JsonObject {
        let free = channel.capacity.saturating_sub(channel.assigned);
        object!({
            "account_sid": state.account,
            "assigned_tasks": channel.assigned,
            "available": channel.available,
            "available_capacity_percentage": (free * 100).checked_div(channel.capacity).unwrap_or(0),
            "configured_capacity": channel.capacity,
            "date_created": iso(worker.created),
            "date_updated": iso(worker.updated),
            "sid": channel.sid,
            "task_channel_sid": kind.sid,
            "task_channel_unique_name": kind.unique_name,
            "url": format!("{}/Workers/{}/Channels/{}", self.workspace_url(state), worker.sid, channel.sid),
            "worker_sid": worker.sid,
            "workspace_sid": state.sid,
        })
    }

    pub(crate) fn activity(&self, state: &State, activity: &Activity) -> JsonObject {
        let w = self.workspace_url(state);
        object!({
            "account_sid": state.account,
            "available": activity.available,
            "date_created": iso(activity.created),
            "date_updated": iso(activity.updated),
            "friendly_name": activity.name,
            "sid": activity.sid,
            "url": format!("{w}/Activities/{}", activity.sid),
            "workspace_sid": state.sid,
            "links": object!({ "workspace": w }),
        })
    }

    pub(crate) fn workflow(&self, state: &State, workflow: &Workflow) -> JsonObject {
        let w = self.workspace_url(state);
        let url = format!("{w}/Workflows/{}", workflow.sid);
        object!({
            "account_sid": state.account,
            "assignment_callback_url": Value::Null,
            "configuration": "{\"task_routing\":{\"filters\":[]}}",
            "date_created": iso(state.created),
            "date_updated": iso(state.created),
            "document_content_type": "application/json",
            "fallback_assignment_callback_url": Value::Null,
            "friendly_name": workflow.name,
            "sid": workflow.sid,
            "task_reservation_timeout": 120,
            "url": url,
            "workspace_sid": state.sid,
            "links": object!({ "workspace": w, "statistics": format!("{url}/Statistics") }),
        })
    }

    pub(crate) fn task_channel(&self, state: &State, channel: &TaskChannel) -> JsonObject {
        let w = self.workspace_url(state);
        object!({
            "account_sid": state.account,
            "date_created": iso(channel.created),
            "date_updated": iso(channel.created),
            "friendly_name": channel.name,
            "sid": channel.sid,
            "unique_name": channel.unique_name,
            "url": format!("{w}/TaskChannels/{}", channel.sid),
            "workspace_sid": state.sid,
            "channel_optimized_routing": channel.optimized_routing,
            "links": object!({ "workspace": w }),
        })
    }

    pub(crate) fn event(&self, state: &State, event: &Event) -> JsonObject {
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
        object!({
            "account_sid": state.account,
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
            "sid": event.sid,
            "source": "twilio",
            "source_ip_address": Value::Null,
            "workspace_sid": state.sid,
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
