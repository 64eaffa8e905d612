//! Bodies that report their progress to the connection's place: the request is complete, the answer is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use super::places::ConnectionPlace;

/// A request's body. With its end the request is whole; so it is when the handler wants no more of it.
pub(super) struct TrackedRequestBody {
    body: Incoming,
    place: Arc<ConnectionPlace>,
}

impl TrackedRequestBody {
    pub(super) fn new(body: Incoming, place: Arc<ConnectionPlace>) -> Self {
        if body.is_end_stream() {
            place.busy();
        }
        Self { body, place }
    }
}

impl HttpBody for TrackedRequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.place.busy();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for TrackedRequestBody {
    fn drop(&mut self) {
        self.place.busy();
    }
}

/// An answer's body. Once it was sent, or given up, the connection waits for its next request.
pub(super) struct Answered {
    body: Body,
    place: Arc<ConnectionPlace>,
}

impl Answered {
    pub(super) fn new(body: Body, place: Arc<ConnectionPlace>) -> Self {
        Self { body, place }
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.place.idle();
    }
}
