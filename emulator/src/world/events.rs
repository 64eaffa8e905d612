//! The event that TaskRouter publishes about a change, with its parameters.
//!
//! Names and groups follow Twilio's "TaskRouter Events reference"
//! (<https://www.twilio.com/docs/taskrouter/api/event/reference>) plus the undocumented fields seen in real payloads
//! (`Sid`, `TimestampMs`, `TaskVersion`, …). All values are text. The same event feeds the callback (form), Event
//! Streams (`snake_case`, numbers as numbers) and the REST Events list (`snake_case`, text).

use serde_json::{Map, Value};

use super::life::Transaction;
use crate::sid::{Kind, Sid};
use crate::state::{Activity, Queue, Reservation, State, Task, TaskChannel, Worker};

pub(crate) type Fields = Vec<(&'static str, String)>;

#[derive(Debug, Clone)]
pub struct Event {
    /// The event's SID, `EV…`.
    pub sid: Sid,
    /// For example `task.created`.
    pub event_type: &'static str,
    /// The time of the event, in milliseconds since 1970.
    pub at: i64,
    /// `task`, `reservation`, `worker`, …
    pub resource_type: &'static str,
    pub resource_sid: Sid,
    pub description: String,
    /// All parameters, common ones first.
    pub params: Vec<(&'static str, String)>,
}

impl Event {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    /// The parameters in `snake_case`, as Event Streams and the REST list spell them. With `numbers`, counts and ages
    /// are JSON numbers.
    pub(crate) fn snake(&self, numbers: bool) -> Map<String, Value> {
        let value = |name: &str, text: &str| match text.parse::<i64>() {
            Ok(number) if numbers && is_number(name) => number.into(),
            _ => Value::from(text),
        };
        self.params.iter().map(|(name, text)| (snake_case(name), value(name, text))).collect()
    }
}

fn is_number(name: &str) -> bool {
    [
        "Age",
        "Priority",
        "Version",
        "Capacity",
        "Count",
        "InPreviousActivity",
        "Ms",
        "Date",
        "Created",
        "StartTime",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}

/// `TaskQueueSid` becomes `task_queue_sid`; `EventType` is one word in Event Streams.
fn snake_case(name: &str) -> String {
    if name == "EventType" {
        return "eventtype".to_owned();
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for (n, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && n > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

impl Transaction<'_> {
    /// An event of a Task. `task.created` and the `workflow.*` events do not name a queue.
    pub(crate) fn task_event(
        &mut self,
        event_type: &'static str,
        task: Sid,
        description: String,
        more: Fields,
    ) {
        let Some(t) = self.state.tasks.get(task) else { return };
        let mut fields = task_fields(self.state, t, self.at);
        if event_type != "task.created" && !event_type.starts_with("workflow.") {
            fields.extend(queue_of_task(self.state, t));
        }
        fields.extend(workflow_fields(self.state, t.workflow));
        fields.extend(more);
        self.publish(event_type, "task", task, description, fields);
    }

    /// An event of a Reservation, with its Task, queue, Workflow and Worker.
    pub(crate) fn reservation_event(
        &mut self,
        event_type: &'static str,
        reservation: Sid,
        description: String,
    ) {
        let Some(r) = self.state.reservations.get(reservation) else { return };
        let Some(t) = self.state.tasks.get(r.task) else { return };
        let mut fields = task_fields(self.state, t, self.at);
        fields.extend(queue_of_task(self.state, t));
        fields.extend(workflow_fields(self.state, t.workflow));
        fields.extend(reservation_fields(r));
        if let Some(w) = self.state.workers.get(r.worker).filter(|_| event_type != "reservation.failed") {
            fields.extend(worker_fields(self.state, w));
            if let Some(channel) = w.channels.get(t.channel) {
                fields.push(("WorkerChannelCapacity", channel.capacity.to_string()));
                fields.push(("WorkerChannelConsumedCapacity", channel.assigned.to_string()));
            }
        }
        self.publish(event_type, "reservation", reservation, description, fields);
    }

    pub(crate) fn worker_event(
        &mut self,
        event_type: &'static str,
        worker: Sid,
        description: String,
        more: Fields,
    ) {
        let Some(w) = self.state.workers.get(worker) else { return };
        let mut fields = worker_fields(self.state, w);
        fields.extend(more);
        self.publish(event_type, "worker", worker, description, fields);
    }

    pub(crate) fn queue_event(&mut self, event_type: &'static str, queue: &Queue, description: String) {
        let mut fields = queue_fields(queue);
        if event_type == "task-queue.created" {
            fields.push(("OperatingUnitSid", self.state.operating_unit.to_string()));
        }
        self.publish(event_type, "task-queue", queue.sid, description, fields);
    }

    pub(crate) fn activity_event(
        &mut self,
        event_type: &'static str,
        activity: &Activity,
        description: String,
    ) {
        let fields = vec![
            ("ActivitySid", activity.sid.to_string()),
            ("ActivityName", activity.name.clone()),
            ("ActivityAvailable", activity.available.to_string()),
        ];
        self.publish(event_type, "activity", activity.sid, description, fields);
    }

    pub(crate) fn channel_event(
        &mut self,
        event_type: &'static str,
        channel: &TaskChannel,
        description: String,
    ) {
        let fields = vec![
            ("TaskChannelSid", channel.sid.to_string()),
            ("TaskChannelName", channel.name.clone()),
            ("TaskChannelUniqueName", channel.unique_name.clone()),
            ("TaskChannelOptimizedRouting", channel.optimized_routing.to_string()),
        ];
        self.publish(event_type, "task-channel", channel.sid, description, fields);
    }

    /// Adds the common parameters and keeps the event for consumers.
    pub(crate) fn publish(
        &mut self,
        event_type: &'static str,
        resource_type: &'static str,
        resource_sid: Sid,
        description: String,
        fields: Fields,
    ) {
        let sid = self.draw(Kind::Event);
        let mut params = Vec::with_capacity(fields.len() + 10);
        params.extend([
            ("EventType", event_type.to_owned()),
            ("EventDescription", description.clone()),
            ("ResourceType", resource_type.to_owned()),
            ("ResourceSid", resource_sid.to_string()),
            ("Sid", sid.to_string()),
            ("Timestamp", (self.at / 1000).to_string()),
            ("TimestampMs", self.at.to_string()),
            ("AccountSid", self.state.account.to_string()),
            ("WorkspaceSid", self.state.sid.to_string()),
            ("WorkspaceName", self.state.name.clone()),
        ]);
        params.extend(fields);
        self.events.push(Event {
            sid,
            event_type,
            at: self.at,
            resource_type,
            resource_sid,
            description,
            params,
        });
    }
}

fn task_fields(state: &State, task: &Task, now: i64) -> Fields {
    let mut fields = vec![
        ("TaskSid", task.sid.to_string()),
        ("TaskAttributes", task.attributes.clone()),
        ("TaskAge", task.age(now).to_string()),
        ("TaskPriority", task.priority.to_string()),
        ("TaskAssignmentStatus", task.status.as_str().to_owned()),
        ("TaskDateCreated", (task.created / 1000).to_string()),
        ("TaskQueueEnteredDate", (task.entered / 1000).to_string()),
        ("TaskVirtualStartTime", (task.virtual_start / 1000).to_string()),
        ("TaskIgnoreCapacity", "false".to_owned()),
        ("TaskVersion", task.version.to_string()),
    ];
    if let Some(channel) = state.channels.get(task.channel) {
        fields.push(("TaskChannelSid", channel.sid.to_string()));
        fields.push(("TaskChannelUniqueName", channel.unique_name.clone()));
    }
    fields
}

fn queue_of_task(state: &State, task: &Task) -> Fields {
    task.queue.and_then(|queue| state.queues.get(queue)).map(queue_fields).unwrap_or_default()
}

fn queue_fields(queue: &Queue) -> Fields {
    vec![
        ("TaskQueueSid", queue.sid.to_string()),
        ("TaskQueueName", queue.name.clone()),
        ("TaskQueueTargetExpression", queue.expression.to_string()),
    ]
}

fn workflow_fields(state: &State, workflow: usize) -> Fields {
    let named = |w: &crate::state::Workflow| {
        vec![("WorkflowSid", w.sid.to_string()), ("WorkflowName", w.name.clone())]
    };
    state.workflows.get(workflow).map(named).unwrap_or_default()
}

fn reservation_fields(reservation: &Reservation) -> Fields {
    vec![
        ("ReservationSid", reservation.sid.to_string()),
        ("ReservationVersion", reservation.version.to_string()),
    ]
}

fn worker_fields(state: &State, worker: &Worker) -> Fields {
    let mut fields = vec![
        ("WorkerSid", worker.sid.to_string()),
        ("WorkerName", worker.name.clone()),
        ("WorkerAttributes", worker.attributes.text().to_owned()),
        ("WorkerVersion", worker.version.to_string()),
        ("OperatingUnitSid", state.operating_unit.to_string()),
    ];
    if let Some(activity) = state.activities.get(worker.activity) {
        fields.push(("WorkerActivitySid", activity.sid.to_string()));
        fields.push(("WorkerActivityName", activity.name.clone()));
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn spells_names_in_snake_case() {
        assert_eq!(snake_case("TaskQueueTargetExpression"), "task_queue_target_expression");
        assert_eq!(snake_case("WorkerTimeInPreviousActivityMs"), "worker_time_in_previous_activity_ms");
        assert_eq!(snake_case("EventType"), "eventtype");
    }
}
