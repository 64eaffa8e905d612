//! Event Streams: the same events as CloudEvents in a JSON array.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Event;

const TASKROUTER_PREFIX: &str = "com.twilio.taskrouter.";

/// The body is not a batch of CloudEvents.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("the body is not a JSON array of CloudEvents (line {}, column {})", .0.line(), .0.column())]
    Json(serde_json::Error),
}

#[derive(Deserialize)]
struct CloudEvent<'a> {
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    #[serde(default)]
    data: Value,
}

/// Reads a batch; events of other products that share the sink are left out.
pub fn decode_batch(body: &[u8]) -> Result<Vec<Event>, BatchError> {
    let batch: Vec<CloudEvent<'_>> = serde_json::from_slice(body).map_err(BatchError::Json)?;
    Ok(batch.iter().filter_map(decode).collect())
}

/// All fields of the last TaskRouter event in a batch: flat, all values text.
pub fn fields_of_last(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let batch: Vec<CloudEvent<'_>> = serde_json::from_slice(body).ok()?;
    let last = batch.into_iter().rfind(|cloud| cloud.event_type.starts_with(TASKROUTER_PREFIX))?;
    let data = match last.data {
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        data => data,
    };
    let payload = data.get("payload").and_then(Value::as_object).cloned().unwrap_or_default();
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Some(payload.into_iter().map(|(name, value)| (name, text(value))).collect())
}

fn decode(cloud: &CloudEvent<'_>) -> Option<Event> {
    let event_type = cloud.event_type.strip_prefix(TASKROUTER_PREFIX)?;
    // Twilio has been seen to send `data` as an object and, for another product, as JSON in a string.
    let parsed: Value;
    let data = match &cloud.data {
        Value::String(text) => {
            parsed = serde_json::from_str(text).unwrap_or_default();
            &parsed
        }
        object => object,
    };
    let payload = data.get("payload").and_then(Value::as_object);
    let data = data.as_object();
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
