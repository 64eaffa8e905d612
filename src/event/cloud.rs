//! Event Streams: the same events as CloudEvents in a JSON array, or a single one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Event;
use crate::lenient_json;

const TASKROUTER_PREFIX: &str = "com.twilio.taskrouter.";

/// The body is not a batch of CloudEvents.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("the body is not a JSON array of CloudEvents (line {}, column {})", .0.line(), .0.column())]
    Json(serde_json::Error),
    /// Neither an array of objects with a `type` nor one such object.
    #[error("the body is JSON, and neither an array of CloudEvents nor one of them")]
    NoCloudEvent,
}

/// One event of a batch.
struct CloudEvent {
    event_type: String,
    data: Value,
}

impl CloudEvent {
    fn of(value: Value) -> Option<Self> {
        let Value::Object(mut object) = value else { return None };
        let Some(Value::String(event_type)) = object.remove("type") else { return None };
        let data = match object.remove("data").unwrap_or_default() {
            // Twilio has been seen to send `data` as an object and, for another product, as JSON in a string.
            Value::String(text) => lenient_json::read(text.as_bytes()).unwrap_or_default(),
            data => data,
        };
        Some(Self { event_type, data })
    }

    fn taskrouter_type(&self) -> Option<&str> {
        self.event_type.strip_prefix(TASKROUTER_PREFIX)
    }

    fn payload(&self) -> Option<&Map<String, Value>> {
        self.data.get("payload").and_then(Value::as_object)
    }
}

/// Reads a batch, or a single event; those of other products that share the sink are left out.
pub fn decode_batch(body: &[u8]) -> Result<Vec<Event>, BatchError> {
    Ok(read(body)?.iter().filter_map(decode).collect())
}

/// All fields of the last TaskRouter event in a batch: flat, all values text.
pub fn fields_of_last(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let batch = read(body).ok()?;
    let last = batch.iter().rfind(|cloud| cloud.taskrouter_type().is_some())?;
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let payload = last.payload().into_iter().flatten();
    Some(payload.map(|(name, value)| (name.clone(), text(value))).collect())
}

/// Skips elements that are no CloudEvents; an error if none is one.
fn read(body: &[u8]) -> Result<Vec<CloudEvent>, BatchError> {
    let elements = match lenient_json::read(body).map_err(BatchError::Json)? {
        Value::Array(elements) => elements,
        single => vec![single],
    };
    let is_empty = elements.is_empty();
    let batch: Vec<CloudEvent> = elements.into_iter().filter_map(CloudEvent::of).collect();
    if batch.is_empty() && !is_empty { Err(BatchError::NoCloudEvent) } else { Ok(batch) }
}

fn decode(cloud: &CloudEvent) -> Option<Event> {
    let event_type = cloud.taskrouter_type()?;
    let (payload, data) = (cloud.payload(), cloud.data.as_object());
    let mut event = Event::from_fields(|_, name| {
        let from = |object: Option<&Map<String, Value>>| match object?.get(name)? {
            Value::String(text) if !text.is_empty() => Some(Cow::Owned(text.clone())),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        };
        from(payload).or_else(|| from(data))
    });
    event.event_type.get_or_insert_with(|| event_type.to_owned());
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_objects_and_texts_and_skips_other_products() {
        let body = r#"[
            {"specversion":"1.0","type":"com.twilio.taskrouter.task-queue.entered","id":"EZ1",
             "data":{"account_sid":"AC1","payload":{"eventtype":"task-queue.entered","workspace_sid":"WS1",
               "task_queue_sid":"WQ00000000000000000000000000000001","task_channel_unique_name":"voice","task_age":3}}},
            {"type":"com.twilio.taskrouter.task.created","data":"{\"payload\":{\"account_sid\":\"AC2\"}}"},
            {"type":"com.twilio.voice.insights","data":{}},
            {"type":"com.twilio.taskrouter.worker.created"}]"#;
        let events = decode_batch(body.as_bytes()).unwrap();
        assert_eq!(events.len(), 3);
        assert_eq!(events[0].account_sid.as_deref(), Some("AC1"));
        assert_eq!(events[0].channel.as_deref(), Some("voice"));
        assert!(events[0].task_queue.is_some());
        assert_eq!(events[1].event_type.as_deref(), Some("task.created"));
        assert_eq!(events[1].account_sid.as_deref(), Some("AC2"));
        assert_eq!(events[2].event_type.as_deref(), Some("worker.created"));
    }

    #[test]
    fn a_single_event_is_taken_and_an_odd_element_costs_itself() {
        let single =
            r#"{"type":"com.twilio.taskrouter.task.created","data":{"payload":{"account_sid":"AC1"}}}"#;
        assert_eq!(decode_batch(single.as_bytes()).unwrap()[0].account_sid.as_deref(), Some("AC1"));
        assert_eq!(fields_of_last(single.as_bytes()).unwrap()["account_sid"], "AC1");
        let batch = format!("[1,{{}},{single}]");
        assert_eq!(decode_batch(batch.as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn half_of_an_emoji_or_a_number_too_large_costs_no_event() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for odd in [r#""\ud83d""#, "1e400", &deep] {
            let batch = format!(
                r#"[{{"type":"com.twilio.taskrouter.task.created","data":{{"payload":{{"x":{odd},"account_sid":"AC1"}}}}}}]"#
            );
            let events = decode_batch(batch.as_bytes()).unwrap();
            assert_eq!(events[0].account_sid.as_deref(), Some("AC1"), "{odd}");
        }
        let in_text = r#"{"type":"com.twilio.taskrouter.task.created","data":"{\"payload\":{\"a\":\"\\ud83d\",\"account_sid\":\"AC1\"}}"}"#;
        let events = decode_batch(in_text.as_bytes()).unwrap();
        assert_eq!(events[0].account_sid.as_deref(), Some("AC1"));
    }

    #[test]
    fn refuses_what_is_not_a_batch() {
        for bad in ["", "{}", "[1]", "[{}]", "[{\"type\":1}]", "[{\"type\":\"x\"}"] {
            let error = decode_batch(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("CloudEvents"), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(body: Vec<u8>) {
            let _ = decode_batch(&body);
        }
    }
}
