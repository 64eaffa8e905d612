//! Which Documents are known to have been in Sync, so that one which somebody deleted is told of. Maps tell it themselves:
//! their items can't be written any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tracing::{info, warn};

use crate::layout::Object;

/// Documents that were found or written, and whether they are still there.
#[derive(Debug, Default)]
pub(super) struct Standing(BTreeMap<Arc<str>, bool>);

/// What there is to tell of a Document.
#[derive(Debug, PartialEq, Eq)]
enum News {
    None,
    Gone,
    Created,
    /// It was found to be missing by the very write that created it.
    GoneAndCreated,
}

impl Standing {
    /// Forgets all others.
    pub(super) fn follow(&mut self, objects: &BTreeSet<Object>) {
        self.0.retain(|name, _| objects.contains(&Object::Document(name.clone())));
    }

    /// Somebody looked whether it is there.
    pub(super) fn looked(&mut self, name: &Arc<str>, there: bool) {
        tell(name, &self.look(name, there));
    }

    /// It was written, which took so many requests.
    pub(super) fn written(&mut self, name: &Arc<str>, requests: u32) {
        tell(name, &self.write(name, requests));
    }

    /// It was deleted because nobody wants it any more.
    pub(super) fn removed(&mut self, name: &Arc<str>) {
        self.0.remove(name);
    }

    fn look(&mut self, name: &Arc<str>, there: bool) -> News {
        match self.0.get_mut(name) {
            Some(before) => {
                let gone = *before && !there;
                *before = there;
                if gone { News::Gone } else { News::None }
            }
            None => {
                if there {
                    self.0.insert(name.clone(), true);
                }
                News::None
            }
        }
    }

    fn write(&mut self, name: &Arc<str>, requests: u32) -> News {
        match self.0.insert(name.clone(), true) {
            // The first request was to update it, and found nothing.
            Some(true) if requests > 1 => News::GoneAndCreated,
            Some(false) => News::Created,
            Some(true) | None => News::None,
        }
    }
}

fn tell(name: &Arc<str>, news: &News) {
    let object = || Object::Document(name.clone());
    if matches!(news, News::Gone | News::GoneAndCreated) {
        warn!(sync.object = %object(), "A Sync object was deleted; recreating and filling it");
    }
    if matches!(news, News::Created | News::GoneAndCreated) {
        info!(sync.object = %object(), "Created in Sync");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_was_there_and_is_gone_is_news_once_and_so_is_its_return() {
        let mut standing = Standing::default();
        let name: Arc<str> = "dashboard-data".into();
        assert_eq!(standing.look(&name, false), News::None, "it has never been there");
        assert_eq!(standing.write(&name, 1), News::None, "the first one");
        assert_eq!(standing.look(&name, true), News::None);
        assert_eq!(standing.look(&name, false), News::Gone);
        assert_eq!(standing.look(&name, false), News::None);
        assert_eq!(standing.write(&name, 1), News::Created);
        assert_eq!(standing.write(&name, 1), News::None);
        assert_eq!(standing.write(&name, 2), News::GoneAndCreated);
        standing.removed(&name);
        assert_eq!(standing.look(&name, false), News::None, "on purpose");
        standing.write(&name, 1);
        standing.follow(&BTreeSet::new());
        assert_eq!(standing.look(&name, false), News::None, "nobody's business any more");
    }
}
