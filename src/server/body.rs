//! Reading request bodies: bounded in size and in time.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};

use super::error::{ApiError, LARGEST_BODY};

/// Twilio gives up on a callback after 15 s, and nobody else needs longer.
const LONGEST_READ: Duration = Duration::from_secs(15);

/// The whole body.
pub(super) async fn read(body: Body) -> Result<Bytes, ApiError> {
    // Told at once where the sender says it, instead of after waiting for what will not be read.
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Err(ApiError::TooLarge);
    }
    match tokio::time::timeout(LONGEST_READ, to_bytes(body, LARGEST_BODY)).await {
        Err(_) => Err(ApiError::TooSlow(LONGEST_READ.as_secs())),
        Ok(Ok(raw)) => Ok(raw),
        Ok(Err(error)) => {
            let source = std::error::Error::source(&error);
            let too_large =
                source.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
            Err(if too_large { ApiError::TooLarge } else { ApiError::Unreadable })
        }
    }
}
