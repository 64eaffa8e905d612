//! The feed: changes for clients that watch this service instead of Sync.
//!
//! One task lays each snapshot out once and serialises what changed once; every watcher takes from the same picture.
//! Each part of the picture has the number of the change that brought it, and a watcher with cursor *n* gets all parts
//! newer than *n*. So a slow watcher skips to the newest picture instead of working off a backlog, one that reconnects gets
//! just what it missed, and neither costs more memory than one that keeps up. Frames are shared.

mod frames;
mod part;
mod selection;
mod state;
mod worker;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use frames::Frames;
use state::Cursor;

pub use frames::SharedFrame;
pub use selection::{BadSelection, Selection};
pub use state::{Change, FeedState, Frame, Head, METRICS_DOCUMENTS, QUEUE_ORDER};
pub use worker::{FeedWorker, Pictures, new_epoch};

/// Most watchers at once; a further one is refused.
const MOST_WATCHERS: usize = 60_000;

/// The feed's handle. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    pictures: watch::Receiver<Arc<FeedState>>,
    places: Arc<Semaphore>,
    frames: Arc<Frames>,
}

#[derive(Debug)]
pub struct Watcher {
    feed: Feed,
    position: Option<Cursor>,
    selection: Selection,
    _place: OwnedSemaphorePermit,
}

/// A watcher of all TaskQueues' items as one array, the format of the oldest clients.
#[derive(Debug)]
pub struct ItemsWatcher {
    feed: Feed,
    /// The epoch, and the number of the items that were shown last.
    seen: Option<(u64, u64)>,
    _place: OwnedSemaphorePermit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many clients watch already")]
pub struct Full;

impl Feed {
    fn new(pictures: watch::Receiver<Arc<FeedState>>) -> Self {
        Self { pictures, places: Arc::new(Semaphore::new(MOST_WATCHERS)), frames: Arc::default() }
    }

    /// A new watcher; `seen` is the id of the last frame that it got earlier, if it comes back.
    pub fn watch(&self, seen: Option<&str>, selection: Selection) -> Result<Watcher, Full> {
        let (feed, place) = self.enter()?;
        let position = seen.and_then(|seen| feed.pictures.borrow().position(seen));
        Ok(Watcher { feed, position, selection, _place: place })
    }

    pub fn watch_items(&self) -> Result<ItemsWatcher, Full> {
        let (feed, place) = self.enter()?;
        Ok(ItemsWatcher { feed, seen: None, _place: place })
    }

    pub fn watchers(&self) -> usize {
        MOST_WATCHERS.saturating_sub(self.places.available_permits())
    }

    pub fn picture(&self) -> Arc<FeedState> {
        self.pictures.borrow().clone()
    }

    /// The TaskChannels that a client may choose from: those that are configured, and those that are shown.
    pub fn channels(&self, configured: &[String]) -> Vec<String> {
        let shown = self.picture().channels().unwrap_or_default();
        let others = shown.into_iter().filter(|name| !configured.contains(name));
        configured.iter().cloned().chain(others).collect()
    }

    fn enter(&self) -> Result<(Self, OwnedSemaphorePermit), Full> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Full)?;
        let mut feed = self.clone();
        // The first look shows what is there now; only later ones wait for a change.
        feed.pictures.mark_changed();
        Ok((feed, place))
    }

    /// The next picture; `None` when there will be none.
    async fn next(&mut self) -> Option<Arc<FeedState>> {
        self.pictures.changed().await.ok()?;
        Some(self.pictures.borrow_and_update().clone())
    }
}

impl Watcher {
    /// Waits for the next frame; `None` when the service is stopping. Cancel safe.
    pub async fn next(&mut self) -> Option<Arc<SharedFrame>> {
        loop {
            let picture = self.feed.next().await?;
            let frame = self.feed.frames.since(&picture, self.position, &self.selection);
            self.position = Some(picture.here());
            if let Some(frame) = frame {
                return Some(frame);
            }
        }
    }

    /// Changes the selection; `seen` is a cursor for it, if there is one.
    pub fn select(&mut self, seen: Option<&str>, selection: Selection) {
        self.position = seen.and_then(|seen| self.feed.pictures.borrow().position(seen));
        self.selection = selection;
        self.feed.pictures.mark_changed();
    }
}

impl ItemsWatcher {
    /// Waits until the items have changed since the last call; `None` when the service is stopping.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let picture = self.feed.next().await?;
            let epoch = picture.at().0;
            let number = picture.items_number().filter(|number| Some((epoch, *number)) != self.seen);
            let Some(number) = number else { continue };
            self.seen = Some((epoch, number));
            return Some(self.feed.frames.items(&picture, number));
        }
    }
}
