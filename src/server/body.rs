//! Reading request bodies: bounded in size and in time.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use serde::de::DeserializeOwned;

use super::error::{ApiError, LARGEST_BODY};

/// Twilio gives up on a callback after 15 s, and nobody else needs longer.
const LONGEST_READ: Duration = Duration::from_secs(15);

/// The whole body, of up to [`LARGEST_BODY`].
pub(super) async fn read(body: Body) -> Result<Bytes, ApiError> {
    read_up_to(body, LARGEST_BODY).await
}

/// JSON from the body, whatever its Content-Type says: nothing but JSON is taken here.
pub(super) async fn json<T: DeserializeOwned>(body: Body, largest: usize) -> Result<T, ApiError> {
    let raw = read_up_to(body, largest).await?;
    serde_json::from_slice(&raw).map_err(|error| ApiError::Json(error.to_string()))
}

async fn read_up_to(body: Body, largest: usize) -> Result<Bytes, ApiError> {
    // Told at once where the sender says it, instead of after waiting for what will not be read.
    if body.size_hint().lower() > largest as u64 {
        return Err(ApiError::TooLarge(largest));
    }
    match tokio::time::timeout(LONGEST_READ, to_bytes(body, largest)).await {
        Err(_) => Err(ApiError::TooSlow(LONGEST_READ.as_secs())),
        Ok(Ok(raw)) => Ok(raw),
        Ok(Err(error)) => {
            let source = std::error::Error::source(&error);
            let too_large =
                source.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
            Err(if too_large { ApiError::TooLarge(largest) } else { ApiError::Unreadable })
        }
    }
}
