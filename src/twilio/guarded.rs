//! A request's body that is given away only while a lease holds.
//!
//! Between the check before a request and its first byte lie a connection, perhaps a handshake, and whatever holds the
//! process up. The body is asked for when it is about to go out; without it a request is never whole, and does nothing.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::coordination::lease::Lease;

#[derive(Debug)]
pub(super) struct Guarded {
    data: Option<Bytes>,
    lease: Lease,
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("another replica leads by now")]
pub(super) struct Over;

impl Guarded {
    pub(super) fn new(data: String, lease: Lease) -> Self {
        Self { data: (!data.is_empty()).then(|| data.into()), lease }
    }
}

impl Body for Guarded {
    type Data = Bytes;
    type Error = Over;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Over>>> {
        if self.data.is_some() && !self.lease.holds() {
            return Poll::Ready(Some(Err(Over)));
        }
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::*;
    use crate::coordination::lease::Moment;

    #[tokio::test]
    async fn is_given_away_only_while_the_lease_holds() {
        let lease = Lease::of_term(1, Moment::now().plus(Duration::from_secs(3600)), Duration::ZERO);
        let whole = Guarded::new("Data=1".to_owned(), lease.clone());
        assert_eq!((whole.size_hint().exact(), whole.is_end_stream()), (Some(6), false));
        assert_eq!(whole.collect().await.unwrap().to_bytes(), "Data=1");
        let late = Guarded::new("Data=1".to_owned(), lease.clone());
        lease.end();
        assert!(late.collect().await.is_err());
    }
}
