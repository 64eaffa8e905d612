//! What changed, for whoever watches this service itself instead of Sync.
//!
//! One task lays each snapshot out once and serialises what changed once; every watcher takes from the same picture.
//! Each part of the picture carries the number of the change that brought it, and a watcher at number *n* is owed
//! whatever is newer than *n*. So a slow watcher skips to the newest instead of working a backlog off, one that comes
//! back after a while gets just what it missed, and neither costs more memory than one that keeps up.

mod picture;
mod worker;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub use picture::{Frame, Picture};
pub use worker::{Worker, health};

/// Watchers at once; a further one is turned away.
const MOST_WATCHERS: usize = 20_000;

/// Hands the picture out. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    pictures: watch::Receiver<Arc<Picture>>,
    places: Arc<Semaphore>,
}

/// One watcher's place and position.
#[derive(Debug)]
pub struct Watcher {
    pictures: watch::Receiver<Arc<Picture>>,
    position: Option<u64>,
    _place: OwnedSemaphorePermit,
}

/// There are too many watchers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many clients watch already")]
pub struct Full;

impl Feed {
    fn new(pictures: watch::Receiver<Arc<Picture>>) -> Self {
        Self { pictures, places: Arc::new(Semaphore::new(MOST_WATCHERS)) }
    }

    /// A new watcher; `seen` is the id of the last frame that it got earlier, if it comes back.
    pub fn watch(&self, seen: Option<&str>) -> Result<Watcher, Full> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Full)?;
        let mut pictures = self.pictures.clone();
        // The first look shows what is there now; only later ones wait for a change.
        pictures.mark_changed();
        let position = seen.and_then(|seen| pictures.borrow().position(seen));
        Ok(Watcher { pictures, position, _place: place })
    }

    /// The picture as it is.
    pub fn picture(&self) -> Arc<Picture> {
        self.pictures.borrow().clone()
    }
}

impl Watcher {
    /// Waits for news and returns it; `None` when the service is stopping.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            self.pictures.changed().await.ok()?;
            let picture = self.pictures.borrow_and_update().clone();
            let frame = picture.since(self.position);
            self.position = Some(picture.number());
            if let Some(frame) = frame {
                return Some(frame);
            }
        }
    }
}
