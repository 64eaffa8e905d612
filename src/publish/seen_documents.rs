//! Which Documents are known to have been in Sync, so that a deletion is logged. Maps report it themselves:
//! their items can't be written any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tracing::{info, warn};

use crate::layout::Object;

/// Documents that were found or written, and whether they are still there.
#[derive(Debug, Default)]
pub(super) struct SeenDocuments(BTreeMap<Arc<str>, bool>);

/// What the log reports of a Document.
#[derive(Debug, PartialEq, Eq)]
enum DocumentChange {
    None,
    Gone,
    Created,
    /// It was found to be missing by the very write that created it.
    GoneAndCreated,
}

impl SeenDocuments {
    /// Keeps these Documents and forgets all others.
    pub(super) fn follow(&mut self, objects: &BTreeSet<Object>) {
        self.0.retain(|name, _| objects.contains(&Object::Document(name.clone())));
    }

    pub(super) fn looked(&mut self, name: &Arc<str>, there: bool) {
        tell(name, &self.look(name, there));
    }

    /// Notes a write with this number of requests.
    pub(super) fn written(&mut self, name: &Arc<str>, requests: u32) {
        tell(name, &self.write(name, requests));
    }

    /// Notes that this service deleted it because it is no longer wanted.
    pub(super) fn removed(&mut self, name: &Arc<str>) {
        self.0.remove(name);
    }

    fn look(&mut self, name: &Arc<str>, there: bool) -> DocumentChange {
        match self.0.get_mut(name) {
            Some(before) => {
                let gone = *before && !there;
                *before = there;
                if gone { DocumentChange::Gone } else { DocumentChange::None }
            }
            None => {
                if there {
                    self.0.insert(name.clone(), true);
                }
                DocumentChange::None
            }
        }
    }

    fn write(&mut self, name: &Arc<str>, requests: u32) -> DocumentChange {
        match self.0.insert(name.clone(), true) {
            // The first request was to update it, and found nothing.
            Some(true) if requests > 1 => DocumentChange::GoneAndCreated,
            Some(false) => DocumentChange::Created,
            Some(true) | None => DocumentChange::None,
        }
    }
}

fn tell(name: &Arc<str>, news: &DocumentChange) {
    let object = || Object::Document(name.clone());
    if matches!(news, DocumentChange::Gone | DocumentChange::GoneAndCreated) {
        warn!(sync.object = %object(), "A Sync object was deleted; recreating and filling it");
    }
    if matches!(news, DocumentChange::Created | DocumentChange::GoneAndCreated) {
        info!(sync.object = %object(), "Created in Sync");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_was_there_and_is_gone_is_news_once_and_so_is_its_return() {
        let mut standing = SeenDocuments::default();
        let name: Arc<str> = "dashboard-data".into();
        assert_eq!(standing.look(&name, false), DocumentChange::None, "it has never been there");
        assert_eq!(standing.write(&name, 1), DocumentChange::None, "the first one");
        assert_eq!(standing.look(&name, true), DocumentChange::None);
        assert_eq!(standing.look(&name, false), DocumentChange::Gone);
        assert_eq!(standing.look(&name, false), DocumentChange::None);
        assert_eq!(standing.write(&name, 1), DocumentChange::Created);
        assert_eq!(standing.write(&name, 1), DocumentChange::None);
        assert_eq!(standing.write(&name, 2), DocumentChange::GoneAndCreated);
        standing.removed(&name);
        assert_eq!(standing.look(&name, false), DocumentChange::None, "on purpose");
        standing.write(&name, 1);
        standing.follow(&BTreeSet::new());
        assert_eq!(standing.look(&name, false), DocumentChange::None, "no longer watched");
    }
}
