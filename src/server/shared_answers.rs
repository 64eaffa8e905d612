//! Large answers that many callers take at their own pace: one buffer for each content, and a bound over all of them.
//!
//! A caller that takes nothing for 15 s loses its connection (`listener`), but one that takes a byte now and then may stay,
//! and each change of a Workspace with 50,000 Workers makes another 17 MB. So beyond [`MOST_MEMORY`] the oldest content
//! goes, and with it the connections that have not taken it yet.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use parking_lot::{Mutex, MutexGuard};

use crate::pipeline::LeaderAnswer;

/// Smaller answers are sent as they are.
const LARGE: usize = 64 * 1024;
/// Bytes that are copied out of the shared buffer for a connection at a time.
const PIECE: usize = 16 * 1024;
/// Most bytes of all contents that are being sent. The newest one stays whatever its size.
const MOST_MEMORY: usize = 40 * 1024 * 1024;

/// Contents that are being sent, the oldest first.
#[derive(Debug, Default)]
pub(super) struct SharedAnswers(Mutex<VecDeque<Weak<Content>>>);

/// One content; `None` once it was evicted.
#[derive(Debug)]
struct Content(Mutex<Option<LeaderAnswer>>);

/// How far one caller has taken a content.
struct Taking {
    content: Arc<Content>,
    length: usize,
    at: usize,
}

impl SharedAnswers {
    /// A body that sends this answer.
    pub(super) fn body(&self, answer: LeaderAnswer) -> Body {
        let length = answer.as_ref().len();
        if length < LARGE {
            return Body::from(Bytes::from_owner(answer));
        }
        Body::new(Taking { content: self.share(answer), length, at: 0 })
    }

    /// The content with this text.
    fn share(&self, answer: LeaderAnswer) -> Arc<Content> {
        let mut contents = self.0.lock();
        contents.retain(|content| content.upgrade().is_some_and(|content| content.answer().is_some()));
        for content in contents.iter().rev().filter_map(Weak::upgrade) {
            if content.answer().as_ref().is_some_and(|shared| shared.is_same(&answer)) {
                return content;
            }
        }
        let content = Arc::new(Content(Mutex::new(Some(answer))));
        contents.push_back(Arc::downgrade(&content));
        while contents.len() > 1 && memory(&contents) > MOST_MEMORY {
            let oldest = contents.pop_front().and_then(|oldest| oldest.upgrade());
            oldest.and_then(|oldest| oldest.answer().take());
        }
        content
    }
}

fn memory(contents: &VecDeque<Weak<Content>>) -> usize {
    let length = |content: Arc<Content>| content.answer().as_ref().map_or(0, |answer| answer.as_ref().len());
    contents.iter().filter_map(Weak::upgrade).map(length).sum()
}

impl Content {
    fn answer(&self) -> MutexGuard<'_, Option<LeaderAnswer>> {
        self.0.lock()
    }
}

impl HttpBody for Taking {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let (from, to) = (self.at, self.length.min(self.at + PIECE));
        let content = self.content.clone();
        let answer = content.answer();
        let Some(piece) = answer.as_ref().and_then(|answer| answer.as_ref().get(from..to)) else {
            let gone = "download too slow: replaced by a newer list";
            return Poll::Ready(Some(Err(io::Error::other(gone))));
        };
        self.at = to;
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.at == self.length
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.length - self.at) as u64)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures_util::StreamExt;

    use super::*;

    fn answer(letter: &str, length: usize) -> LeaderAnswer {
        LeaderAnswer::of(&letter.repeat(length))
    }

    #[tokio::test]
    async fn callers_of_the_same_text_share_one_buffer_and_each_gets_all_of_it() {
        let answers = SharedAnswers::default();
        let one = |letter| answers.share(answer(letter, LARGE));
        let (first, second, other) = (one("a"), one("a"), one("b"));
        assert!(Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&first, &other));
        for length in [1, LARGE, 100_000] {
            let body = answers.body(answer("x", length));
            assert_eq!(body.size_hint().exact(), Some(length as u64 + 2));
            let read = to_bytes(body, usize::MAX).await.unwrap();
            assert_eq!(read, answer("x", length).as_ref());
        }
        drop((first, second, other));
        one("c");
        assert_eq!(answers.0.lock().len(), 1, "what no caller takes is forgotten");
    }

    #[tokio::test]
    async fn beyond_the_bound_the_oldest_content_goes_and_the_newest_stays() {
        let answers = SharedAnswers::default();
        let third = MOST_MEMORY / 3;
        let mut bodies: Vec<_> =
            ["a", "b", "c", "d"].map(|letter| answers.body(answer(letter, third)).into_data_stream()).into();
        assert!(bodies[0].next().await.unwrap().is_err(), "the oldest makes room");
        assert!(bodies[1].next().await.unwrap().is_err());
        for body in &mut bodies[2..] {
            assert!(body.next().await.unwrap().is_ok());
        }
        assert!(memory(&answers.0.lock()) <= MOST_MEMORY);
        let larger_than_all = answers.body(answer("e", MOST_MEMORY + 1));
        assert!(larger_than_all.into_data_stream().next().await.unwrap().is_ok());
    }
}
