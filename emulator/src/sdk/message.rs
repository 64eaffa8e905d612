//! The messages on the socket: headers of frames, parsed and made.

use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize)]
pub(super) struct Incoming {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) what: SdkMessage,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub(super) enum SdkMessage {
    Init {
        token: String,
        #[serde(default)]
        continuation_token: Option<String>,
        #[serde(default)]
        capabilities: Vec<String>,
    },
    Update {
        token: String,
    },
    /// Which types of notifications an SDK below version 3 wants; they are in the payload, a `NotificationContext`.
    PutNotificationCtx {
        notification_ctx_id: String,
    },
    /// The SDK no longer wants these notifications.
    DeleteNotificationCtx {
        notification_ctx_id: String,
    },
    /// A request to a product, here always Sync; its body is the payload.
    Message {
        active_grant: String,
        http_request: HttpRequest,
    },
    /// A notification has arrived. Nothing depends on it: what was missed is asked for by number.
    Reply,
    Close,
    /// Timings that the SDK measures. They are not asked for.
    #[serde(rename = "telemetry.v1")]
    Telemetry,
    #[serde(other)]
    Unknown,
}

/// What an SDK below version 3 registers for before it subscribes to anything.
#[derive(Debug, Deserialize)]
pub(super) struct NotificationContext {
    pub(super) product_id: String,
    pub(super) message_types: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct HttpRequest {
    pub(super) host: String,
    pub(super) path: String,
    pub(super) method: String,
    /// Names and values of the query, still percent-encoded.
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    #[serde(default)]
    pub(super) headers: Map<String, Value>,
}

pub(super) fn reply(id: &str, code: u16, status: &str) -> Map<String, Value> {
    header(&json!({ "method": "reply", "id": id, "status": { "code": code, "status": status } }))
}

/// The header of a reply that refuses, with Twilio's error code.
pub(super) fn refusal(id: &str, (code, status): (u16, &str), error: u32, why: &str) -> Map<String, Value> {
    let status = json!({ "code": code, "status": status, "errorCode": error, "description": why });
    header(&json!({ "method": "reply", "id": id, "status": status }))
}

pub(super) fn notification(id: &str, message_type: &str) -> Map<String, Value> {
    header(&json!({
        "method": "notification",
        "id": id,
        "message_type": message_type,
        "payload_type": "application/json",
    }))
}

/// "Get a new token": the SDK tells its user.
pub(super) fn token_about_to_expire(id: &str) -> Map<String, Value> {
    header(&json!({ "method": "client_update", "id": id, "client_update_type": "token_about_to_expire" }))
}

/// The end of the connection, with its reason. The SDK reconnects unless the status is one of a few.
pub(super) fn close(id: &str, code: u16, status: &str) -> Map<String, Value> {
    header(&json!({ "method": "close", "id": id, "status": { "code": code, "status": status } }))
}

fn header(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_distinguished() {
        let read = |text: &str| serde_json::from_str::<Incoming>(text).map(|incoming| incoming.what);
        let init =
            r#"{"id":"1","method":"init","token":"t","continuation_token":null,"capabilities":["a"],"x":1}"#;
        assert!(matches!(read(init), Ok(SdkMessage::Init { .. })));
        assert!(matches!(
            read(r#"{"id":"1","method":"telemetry.v1","events":[]}"#),
            Ok(SdkMessage::Telemetry)
        ));
        let put = r#"{"id":"1","method":"put_notification_ctx","notification_ctx_id":"c"}"#;
        assert!(matches!(read(put), Ok(SdkMessage::PutNotificationCtx { .. })));
        assert!(matches!(read(r#"{"id":"1","method":"dance"}"#), Ok(SdkMessage::Unknown)));
        assert!(read(r#"{"id":"1","method":"init"}"#).is_err());
        assert!(read(r#"{"method":"close"}"#).is_err());
    }
}
