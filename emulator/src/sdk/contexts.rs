//! Notification contexts: the types of notifications that a socket wants.
//!
//! An SDK below version 3 registers such a context before it subscribes to objects, and counts itself as connected only
//! once that was answered. From then on it gets no other types. A newer SDK registers none and gets all.

use std::collections::{BTreeMap, BTreeSet};

use super::message::NotificationContext;

/// Contexts of one socket; the SDK has one for each product.
const MAX_CONTEXTS: usize = 16;
const MAX_TYPES: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Contexts {
    types: BTreeMap<String, BTreeSet<String>>,
    /// Was there ever one? A socket whose last context was deleted gets nothing.
    used: bool,
}

impl Contexts {
    /// Adds or replaces a context; an error is the status to answer.
    pub(super) fn put(
        &mut self,
        id: String,
        payload: &[u8],
        product: &str,
    ) -> Result<(), (u16, &'static str)> {
        let unreadable = (400, "BAD_REQUEST");
        let context: NotificationContext = serde_json::from_slice(payload).map_err(|_| unreadable)?;
        if context.product_id != product {
            return Err((403, "FORBIDDEN"));
        }
        let is_full = self.types.len() >= MAX_CONTEXTS && !self.types.contains_key(&id);
        if is_full || context.message_types.len() > MAX_TYPES {
            return Err(unreadable);
        }
        self.types.insert(id, context.message_types.into_iter().collect());
        self.used = true;
        Ok(())
    }

    pub(super) fn delete(&mut self, id: &str) {
        self.types.remove(id);
    }

    pub(super) fn allow(&self, message_type: &str) -> bool {
        !self.used || self.types.values().any(|types| types.contains(message_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_with_contexts_gets_their_types_and_no_others() {
        let mut contexts = Contexts::default();
        assert!(contexts.allow("map"), "a newer SDK has no contexts");
        let context = br#"{"product_id":"data_sync","message_types":["map"],"endpoint_platform":"x"}"#;
        contexts.put("a".to_owned(), context, "data_sync").unwrap();
        assert!(contexts.allow("map") && !contexts.allow("document"));
        contexts.delete("a");
        assert!(!contexts.allow("map"));
        assert_eq!(contexts.put("b".to_owned(), context, "chat"), Err((403, "FORBIDDEN")));
        assert_eq!(contexts.put("b".to_owned(), b"[]", "data_sync"), Err((400, "BAD_REQUEST")));
    }
}
