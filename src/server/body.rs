//! Reading request bodies: bounded in size and in time.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::error::{ApiError, LARGEST_BODY};

/// Twilio gives up on a callback after 15 s; other callers need less.
const LONGEST_READ: Duration = Duration::from_secs(15);

/// The whole body, of up to [`LARGEST_BODY`].
pub(super) async fn read(body: Body) -> Result<Bytes, ApiError> {
    read_up_to(body, LARGEST_BODY).await
}

/// JSON from the body, whatever its Content-Type says: nothing but JSON is taken here.
pub(super) async fn json<T: DeserializeOwned>(body: Body, largest: usize) -> Result<T, ApiError> {
    let raw = read_up_to(body, largest).await?;
    serde_json::from_slice(&raw).map_err(|error| {
        ApiError::malformed(format!("the body is not the JSON that is expected here: {error}"))
    })
}

async fn read_up_to(body: Body, largest: usize) -> Result<Bytes, ApiError> {
    // Refused at once where the sender announces the length, instead of after waiting for what will not be read.
    if body.size_hint().lower() > largest as u64 {
        return Err(too_large(largest));
    }
    match tokio::time::timeout(LONGEST_READ, to_bytes(body, largest)).await {
        Err(_) => {
            let message = format!("the body did not arrive within {} seconds", LONGEST_READ.as_secs());
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message))
        }
        Ok(Ok(raw)) => Ok(raw),
        Ok(Err(error)) => {
            let source = std::error::Error::source(&error);
            let exceeded =
                source.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
            // Otherwise the connection broke, or sent something that is not HTTP.
            Err(if exceeded {
                too_large(largest)
            } else {
                ApiError::malformed("the body could not be read to its end")
            })
        }
    }
}

fn too_large(largest: usize) -> ApiError {
    let message = format!("the body is larger than {largest} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}
