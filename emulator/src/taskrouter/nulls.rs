//! `null` where Twilio's API description files allow it, for clients that have to live with it.

use serde_json::Value;

use crate::rest::reply::Reply;
use crate::settings::Nulls;

/// Fields that are marked as nullable and that a client may rely on. A Workspace's or Task's names are not among them.
const NULLABLE: [&str; 9] = [
    "activity_statistics",
    "tasks_by_priority",
    "tasks_by_status",
    "start_time",
    "end_time",
    "available",
    "priority",
    "assignment_status",
    "friendly_name",
];

/// Puts nulls into an answer; one that holds none is sent as it was written.
pub(super) fn put_into(reply: Reply, nulls: Nulls) -> Reply {
    if nulls == Nulls::Never {
        return reply;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
    walk(&mut body, nulls);
    Reply { body: body.to_string().into(), ..reply }
}

fn walk(value: &mut Value, nulls: Nulls) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let nullable = NULLABLE.contains(&name.as_str());
                if nullable && (nulls != Nulls::Empty || is_empty(field)) {
                    *field = Value::Null;
                } else {
                    walk(field, nulls);
                }
            }
        }
        Value::Array(entries) => {
            let touched = if nulls == Nulls::First { 1 } else { entries.len() };
            entries.iter_mut().take(touched).for_each(|entry| walk(entry, nulls));
        }
        _ => {}
    }
}

/// Whether a value is empty: without entries, or with zeros only.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(entries) => entries.iter().all(|entry| entry["workers"] == 0),
        Value::Object(fields) => fields.values().all(|field| *field == 0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(nulls: Nulls) -> Value {
        let queue =
            |pending| json!({ "tasks_by_status": { "pending": pending }, "total_tasks": 0, "sid": "WQ" });
        let mut body = json!({ "task_queues": [queue(1), queue(0)], "meta": { "page": 0 } });
        walk(&mut body, nulls);
        body
    }

    #[test]
    fn puts_null_where_it_is_wanted_and_nowhere_else() {
        let statuses = |body: &Value| [0, 1].map(|n| body["task_queues"][n]["tasks_by_status"].clone());
        assert_eq!(statuses(&with(Nulls::Empty)), [json!({ "pending": 1 }), Value::Null]);
        assert_eq!(statuses(&with(Nulls::First)), [Value::Null, json!({ "pending": 0 })]);
        assert_eq!(statuses(&with(Nulls::Always)), [Value::Null, Value::Null]);
        assert_eq!(with(Nulls::Always)["task_queues"][0]["total_tasks"], 0, "not nullable");
    }
}
