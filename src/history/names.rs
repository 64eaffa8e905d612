//! The numbers that stand for names in stored data.

use std::collections::HashMap;
use std::sync::Arc;

/// What a name is of. The numbers stand in stored data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NameKind {
    /// A TaskQueue, the Workspace, or a tile behind `tile:`.
    Subject = 0,
    Channel = 1,
    Activity = 2,
    Threshold = 3,
    /// How a tile looks: its JSON without the value.
    Look = 4,
}

/// All names of a store, and those that are not stored yet.
#[derive(Debug, Default, Clone)]
pub(super) struct StoredNames {
    numbers: HashMap<(i64, Arc<str>), u32>,
    names: HashMap<(i64, u32), (Arc<str>, Arc<str>)>,
    highest: HashMap<i64, u32>,
    unsaved: Vec<(i64, u32)>,
}

/// A name as it is stored: its kind, number, name and label.
pub(super) type StoredName = (i64, u32, Arc<str>, Arc<str>);

impl StoredNames {
    pub(super) fn load(&mut self, kind: i64, id: u32, name: &str, label: &str) {
        let name: Arc<str> = name.into();
        self.numbers.insert((kind, name.clone()), id);
        self.names.insert((kind, id), (name, label.into()));
        let highest = self.highest.entry(kind).or_default();
        *highest = (*highest).max(id);
    }

    /// The number of a name, a new one where it has none; a label that changed is stored again.
    pub(super) fn number(&mut self, kind: NameKind, name: &str, label: &str) -> u32 {
        let kind = kind as i64;
        let name: Arc<str> = name.into();
        if let Some(id) = self.numbers.get(&(kind, name.clone())).copied() {
            if let Some((_, known)) = self.names.get_mut(&(kind, id)).filter(|(_, known)| **known != *label) {
                *known = label.into();
                self.unsaved.push((kind, id));
            }
            return id;
        }
        let highest = self.highest.entry(kind).or_default();
        *highest += 1;
        let id = *highest;
        self.numbers.insert((kind, name.clone()), id);
        self.names.insert((kind, id), (name, label.into()));
        self.unsaved.push((kind, id));
        id
    }

    pub(super) fn find(&self, kind: NameKind, name: &str) -> Option<u32> {
        self.numbers.get(&(kind as i64, name.into())).copied()
    }

    /// The name of a number; empty for an unknown one.
    pub(super) fn name(&self, kind: NameKind, id: u32) -> &str {
        self.names.get(&(kind as i64, id)).map_or("", |(name, _)| name)
    }

    pub(super) fn label(&self, kind: NameKind, id: u32) -> &str {
        self.names.get(&(kind as i64, id)).map_or("", |(_, label)| label)
    }

    /// The name of a scope's number: `all`, or a TaskChannel's.
    pub(super) fn channel(&self, scope: u32) -> &str {
        if scope == 0 { "all" } else { self.name(NameKind::Channel, scope) }
    }

    pub(super) fn take_unsaved(&mut self) -> Vec<StoredName> {
        let unsaved = std::mem::take(&mut self.unsaved);
        let stored = |(kind, id)| {
            let (name, label) = self.names.get(&(kind, id))?.clone();
            Some((kind, id, name, label))
        };
        unsaved.into_iter().filter_map(stored).collect()
    }

    /// All names of a kind, in the order in which they were first seen.
    pub(super) fn all(&self, kind: NameKind) -> Vec<String> {
        let kind = kind as i64;
        let mut found: Vec<(u32, &str)> = self
            .names
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|((_, id), (name, _))| (*id, &**name))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, name)| name.to_owned()).collect()
    }

    /// The numbers of TaskQueues and the Workspace.
    pub(super) fn subjects(&self) -> impl Iterator<Item = u32> {
        let kind = NameKind::Subject as i64;
        let named =
            self.names.iter().filter(move |((of, _), (name, _))| *of == kind && !name.starts_with("tile:"));
        named.map(|((_, id), _)| *id)
    }

    /// Every name, as it is stored.
    pub(super) fn stored(&self) -> Vec<StoredName> {
        let names = self.names.iter();
        names.map(|((kind, id), (name, label))| (*kind, *id, name.clone(), label.clone())).collect()
    }
}
