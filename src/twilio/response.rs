//! What a response of Twilio's says: its body, and the limits in its headers.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

use super::call::Call;
use super::error::TwilioError;
use super::governor::Observed;
use crate::lenient_json;

pub(super) fn decode<T: DeserializeOwned>(call: &Call, body: &[u8]) -> Result<T, TwilioError> {
    serde_json::from_slice(body).or_else(|error| lenient(body, error)).map_err(|error| {
        // serde's text quotes unexpected values, which may be a customer's; its place is enough to find the field.
        let kind = match error.classify() {
            serde_json::error::Category::Data => "a field has another type than documented",
            serde_json::error::Category::Eof => "it ends too early",
            _ => "it is not JSON",
        };
        let reason = format!("{kind} (line {}, column {})", error.line(), error.column());
        TwilioError::Answer { call: call.name.clone(), reason }
    })
}

/// A name or text with half of an emoji must not cost the whole answer.
fn lenient<T: DeserializeOwned>(body: &[u8], error: serde_json::Error) -> Result<T, serde_json::Error> {
    if error.is_syntax() { lenient_json::read(body).and_then(serde_json::from_value) } else { Err(error) }
}

pub(super) fn observed(response: &Response) -> Observed {
    let headers = response.headers();
    Observed {
        throttled: response.status() == reqwest::StatusCode::TOO_MANY_REQUESTS,
        // Seconds only: nothing documents that Twilio sends the date form.
        retry_after: number(headers, RETRY_AFTER.as_str()).map(|s| Duration::from_secs(s.into())),
        limit: number(headers, "x-rate-limit-limit"),
        remaining: number(headers, "x-rate-limit-remaining"),
        concurrent: number(headers, "twilio-concurrent-requests"),
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u32> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}
