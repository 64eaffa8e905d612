//! Lets the dashboard's identity read what we write, where the Sync Service's access control is on.
//!
//! While it is off, every access token can read and write everything; while it is on, no token can
//! do anything until permitted, object by object. So each object that is found or created is permitted to that one
//! identity, for reading only, and again after it was deleted. Whether it is on is looked at once, at the start.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use tracing::{info, warn};

use crate::layout::Object;
use crate::twilio::sync::SyncService;
use crate::twilio::{Next, TwilioError};

/// Permissions given at once; what is fresh must not wait for them.
const MOST_IN_FLIGHT: usize = 4;
/// Between two looks at the Service, as long as it can't be looked at.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// The dashboard's identity, and the objects that it may read already.
#[derive(Debug)]
pub(super) struct Readers {
    identity: &'static str,
    /// `None` until it is known.
    controlled: Option<bool>,
    permitted: HashSet<Object>,
    waiting: BTreeSet<Object>,
    in_flight: usize,
}

impl Readers {
    pub(super) fn new(identity: &'static str) -> Self {
        Self { identity, controlled: None, permitted: HashSet::new(), waiting: BTreeSet::new(), in_flight: 0 }
    }

    /// Notes whether access is controlled.
    pub(super) fn known(&mut self, controlled: bool) {
        self.controlled = Some(controlled);
        if controlled {
            info!(
                identity = self.identity,
                "Access to Sync is controlled; the dashboard is permitted to read"
            );
        } else {
            self.waiting.clear();
            warn!(
                "Access to the Sync Service is not controlled: any access token can change what this service writes; \
                 run `taskrouter-sync setup --protect-sync` and restart"
            );
        }
    }

    /// Notes that an object exists.
    pub(super) fn there(&mut self, object: Object) {
        if self.controlled != Some(false) && !self.permitted.contains(&object) {
            self.waiting.insert(object);
        }
    }

    /// Notes that an object is gone, with its permissions.
    pub(super) fn gone(&mut self, object: &Object) {
        self.permitted.remove(object);
        self.waiting.remove(object);
    }

    pub(super) fn take(&mut self) -> Option<(Object, &'static str)> {
        if self.controlled != Some(true) || self.in_flight == MOST_IN_FLIGHT {
            return None;
        }
        let object = self.waiting.pop_first()?;
        self.in_flight += 1;
        Some((object, self.identity))
    }

    /// Permitting an object ended without saying how; the next audit tries again.
    pub(super) fn lost(&mut self, object: &Object) {
        self.in_flight -= 1;
        self.permitted.remove(object);
    }

    /// A permission was given, or could not be; the next audit tries again.
    pub(super) fn ended(&mut self, object: Object, error: Option<&TwilioError>) {
        self.in_flight -= 1;
        match error {
            None => drop(self.permitted.insert(object)),
            Some(error) if error.next() == Next::Missing => {}
            Some(error) => {
                warn!(sync.object = %object, %error, "Granting the dashboard read permission fails; the next audit retries");
            }
        }
    }
}

/// Whether access is controlled; asks until there is an answer.
pub(super) async fn is_controlled(sync: &SyncService) -> bool {
    loop {
        match sync.is_access_controlled().await {
            Ok(controlled) => return controlled,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Grants the dashboard's identity read permission on one object.
pub(super) async fn permit(sync: &SyncService, object: &Object, identity: &str) -> Result<(), TwilioError> {
    match object {
        Object::Document(name) => sync.permit_reading("Documents", name, identity).await,
        Object::Map(name) => sync.permit_reading("Maps", name, identity).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_object_is_permitted_once_and_again_after_it_was_gone() {
        let mut readers = Readers::new("dashboard");
        let object = |n: usize| Object::Document(format!("d{n}").into());
        (0..6).for_each(|n| readers.there(object(n)));
        assert_eq!(readers.take(), None, "it is not known yet whether anybody has to be permitted");
        readers.known(true);
        let taken: Vec<_> = std::iter::from_fn(|| readers.take()).map(|(object, _)| object).collect();
        assert_eq!(taken.len(), MOST_IN_FLIGHT);
        taken.into_iter().for_each(|object| readers.ended(object, None));
        assert_eq!(std::iter::from_fn(|| readers.take()).count(), 2);
        readers.there(object(0));
        readers.ended(object(4), None);
        assert_eq!(readers.take(), None);
        readers.gone(&object(0));
        readers.there(object(0));
        assert_eq!(readers.take(), Some((object(0), "dashboard")));
    }

    #[test]
    fn nothing_piles_up_where_access_is_not_controlled() {
        let mut readers = Readers::new("dashboard");
        readers.there(Object::Map("m".into()));
        readers.known(false);
        readers.there(Object::Map("n".into()));
        assert!(readers.waiting.is_empty() && readers.take().is_none());
    }
}
