//! A body that ends before its promised length.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Sleep;
use tokio_util::io::ReaderStream;

/// The server sends what it has while it waits for more, so the end must come a little later than the beginning;
/// otherwise the client would see no answer at all.
const PAUSE: Duration = Duration::from_millis(10);

/// Some bytes, a pause, the end.
struct Short {
    bytes: Bytes,
    pause: Pin<Box<Sleep>>,
}

/// A body of these bytes of unannounced length.
pub(super) fn body(bytes: Bytes) -> Body {
    Body::from_stream(ReaderStream::new(Short { bytes, pause: Box::pin(tokio::time::sleep(PAUSE)) }))
}

impl AsyncRead for Short {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() {
            return self.pause.as_mut().poll(cx).map(Ok);
        }
        let length = self.bytes.len().min(into.remaining());
        into.put_slice(&self.bytes.split_to(length));
        Poll::Ready(Ok(()))
    }
}
