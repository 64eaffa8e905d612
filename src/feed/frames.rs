//! Frames for watchers, made once: ten thousand watchers with the same cursor share one frame.
//!
//! Only frames of the newest picture are kept, and a bounded number; a client that needs a further one gets its own.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;

use super::state::Cursor;
use super::{FeedState, Frame, Selection};

/// Most pairs of cursor and selection whose frames are shared.
const MOST_FRAMES: usize = 64;

/// Bytes of shared frames; a whole picture of a thousand TaskQueues has five millions. The one of everything is always
/// shared.
const MOST_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub struct SharedFrame {
    pub frame: Frame,
    at: Timestamp,
    message: OnceLock<Bytes>,
    event: OnceLock<Bytes>,
}

impl SharedFrame {
    fn new(frame: Frame) -> Arc<Self> {
        Arc::new(Self { frame, at: Timestamp::now(), message: OnceLock::new(), event: OnceLock::new() })
    }

    /// `{"type": …, "id": …, "at": …, …data}`, for channels that carry nothing but text; `at` is when the frame was
    /// made, in milliseconds since 1970.
    pub fn message(&self) -> Bytes {
        let (Frame { kind, id, data }, at) = (&self.frame, self.at.as_millisecond());
        let whole = || {
            // The data is an object with at least one member.
            let members = data.strip_prefix('{').unwrap_or_default();
            Bytes::from(format!("{{\"type\":\"{kind}\",\"id\":\"{id}\",\"at\":{at},{members}"))
        };
        self.message.get_or_init(whole).clone()
    }

    /// The frame as a server-sent event; the data is JSON on one line.
    pub fn event(&self) -> Bytes {
        let Frame { kind, id, data } = &self.frame;
        let whole = || Bytes::from(format!("event: {kind}\nid: {id}\ndata: {data}\n\n"));
        self.event.get_or_init(whole).clone()
    }
}

#[derive(Debug, Default)]
pub(super) struct Frames(Mutex<Newest>);

#[derive(Debug, Default)]
struct Newest {
    /// Which picture's frames are kept, and how many came before it.
    of: Option<Cursor>,
    bytes: usize,
    frames: Vec<(Option<Cursor>, Selection, Option<Arc<SharedFrame>>)>,
    items: Option<((u64, u64), Bytes)>,
}

impl Frames {
    pub(super) fn since(
        &self,
        picture: &FeedState,
        position: Option<Cursor>,
        selection: &Selection,
    ) -> Option<Arc<SharedFrame>> {
        // Held while a frame is made, since the callers that wait here want the same one.
        let mut newest = self.0.lock();
        let here = picture.here();
        // A picture of another epoch takes the place of the last; a client still at the old one gets its own, once.
        if newest.of.is_none_or(|of| of != here && !of.is_after(here)) {
            newest.of = Some(here);
            newest.frames.clear();
            newest.bytes = 0;
        }
        let known = newest.frames.iter().find(|(at, of, _)| *at == position && of == selection);
        if let Some((.., frame)) = known.filter(|_| newest.of == Some(here)) {
            return frame.clone();
        }
        let frame = picture.since(position, selection).map(SharedFrame::new);
        let bytes = newest.bytes + frame.as_ref().map_or(0, |shown| 3 * shown.frame.data.len());
        let room =
            newest.frames.len() < MOST_FRAMES && bytes <= MOST_BYTES || *selection == Selection::default();
        if newest.of == Some(here) && room {
            newest.bytes = bytes;
            newest.frames.push((position, selection.clone(), frame.clone()));
        }
        frame
    }

    /// The items of a picture, which are those of the change with this number.
    pub(super) fn items(&self, picture: &FeedState, number: u64) -> Bytes {
        let number = (picture.at().0, number);
        let mut newest = self.0.lock();
        if let Some((_, items)) = newest.items.as_ref().filter(|(of, _)| *of == number) {
            return items.clone();
        }
        let items = Bytes::from(picture.items());
        if newest.items.as_ref().is_none_or(|(of, _)| of.0 != number.0 || of.1 < number.1) {
            newest.items = Some((number, items.clone()));
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::part::LazyJson;
    use serde_json::{Value, json};

    fn picture() -> FeedState {
        let queue = format!("WQ{:032x}", 1).parse().unwrap();
        FeedState::new(7)
            .next(
                vec![(queue, LazyJson::new(move || json!({"sid": queue})))],
                vec![],
                vec![("health", json!(1))],
            )
            .unwrap()
    }

    #[test]
    fn watchers_at_one_position_share_one_frame_and_one_message() {
        let (frames, picture, all) = (Frames::default(), picture(), Selection::default());
        let [a, b] = [(); 2].map(|()| frames.since(&picture, None, &all).unwrap());
        assert!(Arc::ptr_eq(&a, &b));
        assert_eq!(a.message().as_ptr(), b.message().as_ptr());
        assert_eq!(a.event().as_ptr(), b.event().as_ptr());
        assert_eq!(a.event().iter().filter(|byte| **byte == b'\n').count(), 4, "the data is on one line");
        let message: Value = serde_json::from_slice(&a.message()).unwrap();
        assert_eq!(
            (&message["type"], &message["id"], &message["seq"]),
            (&json!("snapshot"), &json!("7-1"), &json!(1))
        );
        assert!(frames.since(&picture, Some(picture.here()), &all).is_none());
        assert_eq!(frames.items(&picture, 1).as_ptr(), frames.items(&picture, 1).as_ptr());
    }
}
