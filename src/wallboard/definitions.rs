//! All definitions, in the order of the tiles.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::MOST_METRICS;
use super::definition::{Definition, place};
use super::problem::Problem;

/// Definitions as one Document holds them, in its order.
pub type Raw = IndexMap<String, Value>;

/// All definitions. As JSON: by unique name, in order, as they were written.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    entries: Vec<DefinitionEntry>,
}

#[derive(Debug, Clone)]
pub struct DefinitionEntry {
    pub name: Arc<str>,
    /// The definition as it was written, with unknown fields.
    pub raw: Value,
    pub definition: Result<Arc<Definition>, Vec<Problem>>,
}

impl Definitions {
    /// Joins the definitions of several Documents. If two have the same name, the later Document wins (see `documents`).
    pub(super) fn of<'d>(documents: impl DoubleEndedIterator<Item = &'d Raw>) -> Self {
        let mut seen = HashSet::new();
        let mut latest: Vec<Vec<(&String, &Value)>> = Vec::new();
        for document in documents.rev() {
            latest.push(document.iter().filter(|(name, _)| seen.insert(name.as_str())).collect());
        }
        let in_order = latest.into_iter().rev().flatten().take(MOST_METRICS);
        let mut entries: Vec<DefinitionEntry> =
            in_order.map(|(name, raw)| DefinitionEntry::new(name, raw.clone())).collect();
        // Those without a position keep the Document's order, behind the others.
        entries.sort_by_key(|entry| entry.position().unwrap_or(i64::MAX));
        Self { entries }
    }

    /// The definitions, in the order of the tiles.
    pub fn iter(&self) -> std::slice::Iter<'_, DefinitionEntry> {
        self.entries.iter()
    }

    pub fn get(&self, name: &str) -> Option<&DefinitionEntry> {
        self.entries.iter().find(|entry| *entry.name == *name)
    }

    pub(super) fn next_position(&self) -> i64 {
        let positions = self.entries.iter().filter_map(DefinitionEntry::position);
        let count = i64::try_from(self.entries.len()).unwrap_or(i64::MAX);
        positions.max().map_or(count, |last| last.saturating_add(1))
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        let raw = |definitions: &Self| -> Vec<_> {
            definitions.entries.iter().map(|entry| (entry.name.clone(), entry.raw.clone())).collect()
        };
        raw(self) == raw(other)
    }
}

impl DefinitionEntry {
    fn new(name: &str, raw: Value) -> Self {
        let definition = match raw.get("metric") {
            Some(metric) => Definition::read(metric).map(Arc::new),
            None => Err(vec![Problem::whole("the definition has no field metric")]),
        };
        Self { name: name.into(), raw, definition }
    }

    fn position(&self) -> Option<i64> {
        place(self.raw.get("metric")?.get("position")?)
    }
}

impl Serialize for Definitions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len()))?;
        for entry in &self.entries {
            map.serialize_entry(&*entry.name, &entry.raw)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(documents: &[&str]) -> Vec<String> {
        let documents: Vec<Raw> = documents.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        Definitions::of(documents.iter()).iter().map(|entry| entry.name.to_string()).collect()
    }

    #[test]
    fn order_is_by_position_and_else_as_written() {
        let plain = r#"{"z": {"metric": {}}, "a": {"metric": {}}}"#;
        assert_eq!(names(&[plain]), ["z", "a"]);
        let placed =
            r#"{"z": {"metric": {"position": 2}}, "new": {"metric": {}}, "a": {"metric": {"position": 1}}}"#;
        assert_eq!(names(&[placed]), ["a", "z", "new"]);
    }

    #[test]
    fn the_default_definitions_are_right() {
        let defaults: Raw = serde_json::from_str(crate::layout::DEFAULT_DEFINITIONS).unwrap();
        let definitions = Definitions::of(std::iter::once(&defaults));
        assert!(definitions.iter().count() >= 12);
        for entry in definitions.iter() {
            assert_eq!(entry.definition.as_ref().err(), None, "{}", entry.name);
        }
    }

    #[test]
    fn the_later_document_is_right() {
        let documents =
            [r#"{"a": {"metric": {"label": "old"}}}"#, r#"{"a": {"metric": {"label": "new"}}, "b": 1}"#];
        let documents = documents.map(|text| serde_json::from_str::<Raw>(text).unwrap());
        let definitions = Definitions::of(documents.iter());
        assert_eq!(definitions.iter().count(), 2);
        assert_eq!(definitions.get("a").unwrap().raw["metric"]["label"], "new");
        assert!(
            definitions.get("b").unwrap().definition.is_err(),
            "one bad definition is no reason to lose others"
        );
    }
}
