//! Reading request bodies: bounded in size, in time, and in memory over all of them.
//!
//! What arrives here is not verified yet, so anyone can send it. Each body is copied into one buffer that grows to its
//! limit, however small the chunks are; what buffers take beyond an ordinary event's size comes out of one budget.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{StatusCode, header};
use bytes::BytesMut;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::ApiError;

/// Twilio gives up on a callback after 15 s; other callers need less.
const LONGEST_READ: Duration = Duration::from_secs(15);

/// Longest body of a request that has no limit of its own.
pub(super) const LARGEST_BODY: usize = 64 * 1024;
/// Longest form that Twilio posts. An event's attributes of Task and Worker have 4,096 characters each, and a character
/// takes at most 12 bytes (four of UTF-8, percent-encoded): 96 KiB, which leaves 32 KiB for all other fields.
pub(super) const LARGEST_FORM: usize = 128 * 1024;
/// Longest batch of Event Streams. One such event takes 160 KiB at most, with every character escaped in text within text;
/// Twilio documents no limit for a batch, and has been seen to send one event in each.
pub(super) const LARGEST_BATCH: usize = 512 * 1024;

/// This much of each body needs no budget. An event is about 2 kB and connections are bounded in number, so an ordinary
/// event finds room, whatever others send.
const FREE: usize = 4 * 1024;
const UNIT: usize = 1024;
/// One budget for the whole process: what all bodies being read take beyond [`FREE`] each.
static BUDGET: Semaphore = Semaphore::const_new(16 * 1024 * 1024 / UNIT);

/// Reads the whole body, within a limit.
pub(super) async fn read(body: Body, largest: usize) -> Result<Bytes, ApiError> {
    // Refused at once where the sender announces the length, instead of after waiting for what will not be read.
    if body.size_hint().lower() > largest as u64 {
        return Err(too_large(largest));
    }
    let read = tokio::time::timeout(LONGEST_READ, collect(body, largest, &BUDGET)).await;
    read.unwrap_or(Err(too_slow()))
}

/// Decodes JSON from the body, whatever its Content-Type says.
pub(super) async fn json<T: DeserializeOwned>(body: Body, largest: usize) -> Result<T, ApiError> {
    let raw = read(body, largest).await?;
    serde_json::from_slice(&raw).map_err(|error| {
        ApiError::malformed(format!("the body is not the JSON that is expected here: {error}"))
    })
}

async fn collect(body: Body, largest: usize, budget: &Semaphore) -> Result<Bytes, ApiError> {
    let mut body = pin!(body);
    let mut buffer = BytesMut::new();
    let mut held: Option<SemaphorePermit<'_>> = None;
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(data) =
            frame.map_err(|_| ApiError::malformed("the body could not be read to its end"))?.into_data()
        else {
            continue;
        };
        let needed = buffer.len() + data.len();
        if needed > largest {
            return Err(too_large(largest));
        }
        if needed > buffer.capacity() {
            let capacity = needed.max(2 * buffer.capacity()).clamp(UNIT, largest.max(UNIT));
            hold(&mut held, capacity, budget)?;
            buffer.reserve(capacity - buffer.len());
        }
        buffer.extend_from_slice(&data);
    }
    Ok(buffer.freeze())
}

/// Takes out of the budget what a buffer of this size needs.
fn hold<'b>(
    held: &mut Option<SemaphorePermit<'b>>,
    capacity: usize,
    budget: &'b Semaphore,
) -> Result<(), ApiError> {
    let units = capacity.saturating_sub(FREE).div_ceil(UNIT);
    let missing = units.saturating_sub(held.as_ref().map_or(0, SemaphorePermit::num_permits));
    if missing == 0 {
        return Ok(());
    }
    let missing = u32::try_from(missing).unwrap_or(u32::MAX);
    let more = budget.try_acquire_many(missing).map_err(|_| crowded())?;
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    Ok(())
}

fn too_large(largest: usize) -> ApiError {
    let message = format!("the body is larger than {largest} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

fn too_slow() -> ApiError {
    let message = format!("the body did not arrive within {} seconds", LONGEST_READ.as_secs());
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
}

/// The refusal where the budget is spent. Twilio repeats a callback that gets 503.
fn crowded() -> ApiError {
    let message = "too much is being received at once; send it again";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_much_at_once", message).with(header::RETRY_AFTER, "1")
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    fn chunks(of: &'static [u8], times: usize) -> Body {
        Body::from_stream(
            stream::iter(0..times).map(move |_| Ok::<_, std::io::Error>(Bytes::from_static(of))),
        )
    }

    #[tokio::test]
    async fn a_body_in_chunks_of_a_byte_is_one_buffer_of_its_size() {
        let budget = Semaphore::new(1024);
        let whole = collect(chunks(b"a", 10_000), 64 * 1024, &budget).await.unwrap();
        assert_eq!(whole.len(), 10_000);
        assert!(BytesMut::from(whole).capacity() <= 16 * 1024);
        assert_eq!(budget.available_permits(), 1024, "all of it is given back");
        let beyond = collect(chunks(b"ab", 40_000), 64 * 1024, &budget).await;
        assert_eq!(beyond.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
        let announced = read(Body::from("abc"), 2).await;
        assert_eq!(announced.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn where_the_budget_is_used_up_large_bodies_are_refused_and_an_events_is_not() {
        let budget = Semaphore::new(100);
        let ones = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![0; 60_000]))]);
        let mut held_back =
            pin!(collect(Body::from_stream(ones.chain(stream::pending())), 64 * 1024, &budget));
        assert!(futures_util::poll!(&mut held_back).is_pending());
        let second = collect(Body::from(vec![0; 60_000]), 64 * 1024, &budget).await;
        assert_eq!(second.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(collect(Body::from(vec![0; 2_000]), 64 * 1024, &budget).await.unwrap().len(), 2_000);
    }
}
