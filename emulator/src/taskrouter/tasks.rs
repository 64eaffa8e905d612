//! Tasks over HTTP.

use serde_json::Value;

use super::{MAX_PAGE, TaskRouterAnswer, TaskRouterCall};
use crate::error::ApiError;
use crate::params::Params;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::{Kind, Sid};
use crate::state::expression::Expression;
use crate::state::{State, Task};
use crate::world::life::{Draft, TASK_TIMEOUT, TaskUpdate};
use crate::world::{TaskStatus, WorldError};

const FILTERS: [&str; 10] = [
    "AssignmentStatus",
    "Priority",
    "TaskQueueSid",
    "TaskQueueName",
    "WorkflowSid",
    "WorkflowName",
    "EvaluateTaskAttributes",
    "RoutingTarget",
    "Ordering",
    "HasAddons",
];
/// Longest lifetime of a Task in seconds, and greatest priority (Task resource reference).
const MAX_TIMEOUT: i64 = 1_209_600;
const MAX_PRIORITY: i64 = 0x7fff_ffff;

pub(super) fn list(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let page = Page::read(call.request, &FILTERS, MAX_PAGE)?;
    let query = &call.request.query;
    let filter = TaskFilter::read(query)?;
    let ordering = Ordering::read(query)?;
    let (after, now) = (page.after(), call.world.clock().now_ms());
    call.world.read(|state| {
        let render = |task: &Task| call.place().task(state, task, now);
        if let Some(ordering) = ordering {
            let mut rows: Vec<_> = state.tasks.iter().filter(|task| filter.passes(state, task)).collect();
            ordering.sort(&mut rows);
            return page.reply_by_position("tasks", &rows, |task| render(task));
        }
        Ok(page.reply(
            "tasks",
            state.tasks.after(after?).filter(|(_, task)| filter.passes(state, task)),
            render,
        ))
    })
}

pub(super) fn fetch(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    reply(call, call.sid(Kind::Task, sid)?, 200)
}

pub(super) fn create(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let form = call.request.form()?;
    form.only(&[
        "Timeout",
        "Priority",
        "TaskChannel",
        "WorkflowSid",
        "Attributes",
        "VirtualStartTime",
        "RoutingTarget",
        "IgnoreCapacity",
        "TaskQueueSid",
    ])?;
    let timeout = form.integer("Timeout", 1..=MAX_TIMEOUT)?.unwrap_or(TASK_TIMEOUT);
    let priority = form.integer("Priority", 0..=MAX_PRIORITY)?.unwrap_or(0);
    let attributes = attributes(&form)?.unwrap_or_else(|| "{}".to_owned());
    let channel = form.filled("TaskChannel").unwrap_or("default");
    let channel = call.world.read(|state| state.channel(channel));
    let channel = channel.ok_or_else(|| ApiError::invalid("TaskChannel was not found"))?;
    if let Some(workflow) = form.sid("WorkflowSid", Kind::Workflow)?
        && !call.world.read(|state| state.workflows.iter().any(|w| w.sid == workflow))
    {
        return Err(ApiError::invalid("WorkflowSid was not found"));
    }
    // The one Workflow of the emulator sends a Task to the queue asked for, or else to the first one.
    let queue = match form.sid("TaskQueueSid", Kind::TaskQueue)? {
        Some(queue) => queue,
        None => call
            .world
            .read(|state| state.queues.iter().next().map(|queue| queue.sid))
            .ok_or_else(|| ApiError::invalid("The Workspace has no TaskQueue"))?,
    };
    let draft = Draft { queue, channel, workflow: 0, priority, attributes, timeout, age: 0 };
    let sid = call.world.act(|transaction| transaction.create_task(draft)).map_err(|error| match error {
        WorldError::Missing { .. } => ApiError::invalid("TaskQueueSid was not found"),
        WorldError::Refused(why) => ApiError::invalid(why),
    })?;
    reply(call, sid, 201)
}

pub(super) fn update(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = call.sid(Kind::Task, sid)?;
    let form = call.request.form()?;
    form.only(&["Attributes", "AssignmentStatus", "Reason", "Priority", "TaskChannel", "VirtualStartTime"])?;
    check_version(call, sid)?;
    let update =
        TaskUpdate { attributes: attributes(&form)?, priority: form.integer("Priority", 0..=MAX_PRIORITY)? };
    let reason = form.filled("Reason").unwrap_or_default().to_owned();
    let status = form.filled("AssignmentStatus").map(|text| {
        TaskStatus::parse(text)
            .ok_or_else(|| ApiError::invalid(format!("AssignmentStatus {text} is not known")))
    });
    let status = status.transpose()?;
    let done = call.world.act(|transaction| {
        if update.attributes.is_some() || update.priority.is_some() {
            transaction.update_task(sid, update)?;
        }
        let held = transaction.task(sid)?.reservations.last().copied();
        match (status, held) {
            (None, _) => Ok(()),
            (Some(TaskStatus::Canceled), _) => transaction.cancel(sid, &reason),
            (Some(TaskStatus::Completed), Some(held)) => transaction.complete(held, Some(&reason)),
            (Some(TaskStatus::Wrapping), Some(held)) => transaction.wrap(held),
            (Some(status), _) => {
                Err(WorldError::Refused(format!("The Task cannot be set to {}", status.as_str())))
            }
        }
    });
    done.map_err(|error| call.refused(&error))?;
    reply(call, sid, 200)
}

pub(super) fn delete(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = call.sid(Kind::Task, sid)?;
    call.request.no_parameters()?;
    check_version(call, sid)?;
    call.world.act(|transaction| transaction.delete_task(sid)).map_err(|error| call.refused(&error))?;
    Ok(Reply::no_content())
}

/// `If-Match` against the Task's version; 412/20412 when it moved on.
fn check_version(call: &TaskRouterCall<'_>, sid: Sid) -> Result<(), ApiError> {
    let version = call.world.read(|state| state.tasks.get(sid).map(|task| task.version));
    let version = version.ok_or_else(|| call.missing())?;
    match call.request.header("if-match") {
        Some(wanted) if wanted.trim().trim_matches('"') != version.to_string() => {
            Err(ApiError::precondition())
        }
        _ => Ok(()),
    }
}

fn attributes(form: &Params) -> Result<Option<String>, ApiError> {
    let Some(text) = form.one("Attributes") else { return Ok(None) };
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => Ok(Some(text.to_owned())),
        _ => Err(ApiError::invalid("Attributes must be a JSON object")),
    }
}

fn reply(call: &TaskRouterCall<'_>, sid: Sid, status: u16) -> TaskRouterAnswer {
    let now = call.world.clock().now_ms();
    call.world.read(|state| {
        let task = state.tasks.get(sid).ok_or_else(|| call.missing())?;
        Ok(Reply::json(status, &call.place().task(state, task, now)).with_etag(task.version))
    })
}

struct TaskFilter<'a> {
    statuses: Vec<TaskStatus>,
    priority: Option<i64>,
    queue: Option<Sid>,
    queue_name: Option<&'a str>,
    workflow: Option<Sid>,
    workflow_name: Option<&'a str>,
    expression: Option<Expression>,
    nothing: bool,
}

impl<'a> TaskFilter<'a> {
    fn read(query: &'a Params) -> Result<Self, ApiError> {
        let mut statuses = Vec::new();
        // One value, a comma list, or a repeated parameter: the spec shows all three.
        for text in
            query.all("AssignmentStatus").flat_map(|value| value.split(',')).filter(|text| !text.is_empty())
        {
            let status = TaskStatus::parse(text.trim());
            statuses.push(
                status.ok_or_else(|| ApiError::invalid(format!("AssignmentStatus {text} is not known")))?,
            );
        }
        let expression = query.filled("EvaluateTaskAttributes").map(Expression::parse).transpose();
        Ok(Self {
            statuses,
            priority: query.integer("Priority", 0..=MAX_PRIORITY)?,
            queue: query.sid("TaskQueueSid", Kind::TaskQueue)?,
            queue_name: query.filled("TaskQueueName"),
            workflow: query.sid("WorkflowSid", Kind::Workflow)?,
            workflow_name: query.filled("WorkflowName"),
            expression: expression.map_err(ApiError::invalid)?,
            // No Task here has add-ons or a routing target.
            nothing: query.boolean("HasAddons")? == Some(true) || query.filled("RoutingTarget").is_some(),
        })
    }

    fn passes(&self, state: &State, task: &Task) -> bool {
        let queue = || task.queue.and_then(|queue| state.queues.get(queue));
        let workflow = || state.workflows.get(task.workflow);
        let attributes = || serde_json::from_str(&task.attributes).unwrap_or_default();
        !self.nothing
            && (self.statuses.is_empty() || self.statuses.contains(&task.status))
            && self.priority.is_none_or(|priority| priority == task.priority)
            && self.queue.is_none_or(|queue| task.queue == Some(queue))
            && self.queue_name.is_none_or(|name| queue().is_some_and(|queue| queue.name == name))
            && self.workflow.is_none_or(|sid| workflow().is_some_and(|workflow| workflow.sid == sid))
            && self.workflow_name.is_none_or(|name| workflow().is_some_and(|workflow| workflow.name == name))
            && self.expression.as_ref().is_none_or(|expression| expression.matches(&attributes()))
    }
}

/// `Attribute:asc|desc`, several by comma.
struct Ordering(Vec<(SortKey, bool)>);

type SortKey = fn(&Task) -> i64;

impl Ordering {
    fn read(query: &Params) -> Result<Option<Self>, ApiError> {
        let Some(text) = query.filled("Ordering") else { return Ok(None) };
        let has = |name: &str| text.contains(name);
        if has("DateCreated") && has("VirtualStartTime") {
            return Err(ApiError::invalid("DateCreated and VirtualStartTime cannot be combined"));
        }
        let wrong = || ApiError::invalid(format!("Ordering {text} is not understood"));
        let mut keys: Vec<(SortKey, bool)> = Vec::new();
        for part in text.split(',') {
            let (attribute, direction) = part.trim().split_once(':').ok_or_else(wrong)?;
            let key: SortKey = match attribute {
                "DateCreated" => |task| task.created,
                "Priority" => |task| task.priority,
                "VirtualStartTime" => |task| task.virtual_start,
                _ => return Err(wrong()),
            };
            match direction {
                "asc" => keys.push((key, false)),
                "desc" => keys.push((key, true)),
                _ => return Err(wrong()),
            }
        }
        Ok(Some(Self(keys)))
    }

    fn sort(&self, tasks: &mut [&Task]) {
        tasks.sort_by(|a, b| {
            let by = |(key, descending): &(SortKey, bool)| {
                let order = key(a).cmp(&key(b));
                if *descending { order.reverse() } else { order }
            };
            self.0.iter().map(by).fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
    }
}
