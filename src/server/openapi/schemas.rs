//! Bodies that no single type of ours stands for: forms that are taken field by field, and JSON that is passed on.
#![allow(dead_code, reason = "they describe, and are never made")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::wallboard::Problem;

/// Why a request was refused
#[derive(ToSchema)]
#[schema(as = Error)]
pub(in crate::server) struct ErrorSchema {
    /// A stable code for programs
    code: String,
    /// An explanation for people
    message: String,
    /// Each wrong field, where definitions are refused
    #[schema(required = false)]
    problems: Vec<Problem>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::server) enum CheckMap {
    #[serde(rename = "true")]
    True,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::server) enum Failing {
    Refuse,
}

/// A TaskRouter event callback; other fields are accepted
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = Event)]
pub(in crate::server) struct EventForm {
    event_type: Option<String>,
    sid: Option<String>,
    account_sid: Option<String>,
    workspace_sid: Option<String>,
    task_queue_sid: Option<String>,
    previous_task_queue_sid: Option<String>,
    task_channel_unique_name: Option<String>,
    task_sid: Option<String>,
    timestamp_ms: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, String>,
}

#[derive(ToSchema)]
#[schema(as = CloudEvent)]
pub(in crate::server) struct CloudEventSchema {
    r#type: String,
    id: Option<String>,
    specversion: Option<String>,
    data: Option<Value>,
}

/// One TaskQueue's statistics: docs/sync-layouts.md
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct QueueItem {
    sid: String,
    friendly_name: String,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// A TaskQueue by name
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct QueueName {
    sid: String,
    friendly_name: String,
}

/// Metric definitions by unique name: docs/metrics.md
#[derive(ToSchema)]
#[schema(as = Definitions)]
pub(in crate::server) struct DefinitionsByName(BTreeMap<String, NamedDefinition>);

#[derive(ToSchema)]
pub(in crate::server) struct NamedDefinition {
    #[schema(value_type = Object)]
    metric: Value,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(in crate::server) struct RecordingForm {
    recording_url: String,
}

#[derive(ToSchema)]
pub(in crate::server) struct SignInForm {
    username: String,
    password: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(in crate::server) struct AnsweredCall {
    to: String,
    from: Option<String>,
    call_sid: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = CallStatus)]
pub(in crate::server) struct CallStatusForm {
    call_sid: String,
    call_status: String,
    sequence_number: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct QualityReport {
    #[serde(rename = "Token")]
    token: String,
    action: Option<String>,
    issues: Option<String>,
    caller_id: Option<String>,
    dnis: Option<String>,
}

#[derive(ToSchema)]
pub(in crate::server) struct QualityAnswer {
    data: String,
    /// Why the alert was only recorded, where nothing else could be done
    message: Option<String>,
}

/// Seconds since 1970 and a value, or null where there was none
#[derive(ToSchema)]
#[schema(as = History)]
pub(in crate::server) struct MetricHistory {
    points: Vec<Vec<Option<f64>>>,
}

#[derive(ToSchema)]
pub(in crate::server) struct Alive {
    status: String,
}
