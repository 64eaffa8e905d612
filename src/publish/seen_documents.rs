//! Which Documents are known to have been in Sync, so that a deletion is logged. Maps report it themselves:
//! their items can't be written any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tracing::{info, warn};

use super::wanted::WriteOutcome;
use crate::layout::{Object, Target};

/// Documents that were found or written, and whether they are still there.
#[derive(Debug, Default)]
pub(super) struct SeenDocuments(BTreeMap<Arc<str>, bool>);

/// What the log reports of a Document.
#[derive(Debug, PartialEq, Eq)]
enum DocumentChange {
    None,
    Gone,
    Created,
}

impl SeenDocuments {
    /// Keeps these Documents and forgets all others.
    pub(super) fn follow(&mut self, objects: &BTreeSet<Object>) {
        self.0.retain(|name, _| objects.contains(&Object::Document(name.clone())));
    }

    pub(super) fn looked(&mut self, name: &Arc<str>, there: bool) {
        tell(name, &self.look(name, there));
    }

    /// Notes how a write ended.
    pub(super) fn ended(&mut self, target: &Target, outcome: &WriteOutcome) {
        let Target::Document(name) = target else { return };
        match outcome {
            WriteOutcome::Landed { revision: Some(_), .. } => tell(name, &self.write(name)),
            // This service deleted it because it is no longer wanted, or left another writer's as it is.
            WriteOutcome::Landed { revision: None, .. } => drop(self.0.remove(name)),
            WriteOutcome::NoDocument => self.looked(name, false),
            _ => {}
        }
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

    fn write(&mut self, name: &Arc<str>) -> DocumentChange {
        match self.0.insert(name.clone(), true) {
            Some(false) => DocumentChange::Created,
            Some(true) | None => DocumentChange::None,
        }
    }
}

fn tell(name: &Arc<str>, news: &DocumentChange) {
    let object = || Object::Document(name.clone());
    match news {
        DocumentChange::None => {}
        DocumentChange::Gone => {
            warn!(sync.object = %object(), "A Sync object was deleted; recreating and filling it");
        }
        DocumentChange::Created => info!(sync.object = %object(), "Created in Sync"),
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
        assert_eq!(standing.write(&name), DocumentChange::None, "the first one");
        assert_eq!(standing.look(&name, true), DocumentChange::None);
        assert_eq!(standing.look(&name, false), DocumentChange::Gone);
        assert_eq!(standing.look(&name, false), DocumentChange::None);
        assert_eq!(standing.write(&name), DocumentChange::Created);
        assert_eq!(standing.write(&name), DocumentChange::None);
        let target = Target::Document(name.clone());
        standing.ended(&target, &WriteOutcome::NoDocument);
        assert_eq!(standing.write(&name), DocumentChange::Created, "an update found it missing");
        standing.ended(&target, &WriteOutcome::Landed { revision: None, requests: 1 });
        assert_eq!(standing.look(&name, false), DocumentChange::None, "on purpose");
        standing.write(&name);
        standing.follow(&BTreeSet::new());
        assert_eq!(standing.look(&name, false), DocumentChange::None, "no longer watched");
    }
}
