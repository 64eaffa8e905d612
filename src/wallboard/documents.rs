//! Definitions over several Sync Documents, since one takes 16 KiB: the first has the configured name, further ones
//! `<name>-2`, `<name>-3`, ….
//!
//! Each definition stays in the Document where it is, so that a change writes one Document. Where it no longer fits, it
//! moves to a later one, never to an earlier; the later is written first. So a crash in between leaves it in both, and
//! the later one is right. A deletion begins with the earliest, by the same rule.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use super::MOST_METRICS;
use super::definitions::{Definitions, Raw};
use super::problem::Problem;
use crate::twilio::sync::Revision;

/// Most Documents: 300 KiB of definitions.
pub(super) const MOST_DOCUMENTS: usize = 20;
/// Most bytes of definitions in a Document: what Sync accepts. The old wallboard reads only the first Document, so a tile
/// leaves it only when it must.
pub(super) const LARGEST: usize = 16 * 1024;
/// The same after Sync has refused that size: how it counts bytes is not documented.
pub(super) const SURELY_TAKEN: usize = 15 * 1024;
/// Longest unique name of a metric.
const LONGEST_NAME: usize = 100;

/// The Documents as Sync holds them, and which have to be written.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    pub(super) documents: Vec<DefinitionDocument>,
    /// Bytes that a Document is filled up to.
    pub(super) limit: usize,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { documents: Vec::new(), limit: LARGEST }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct DefinitionDocument {
    /// `None` for a Document that does not exist yet.
    pub(super) revision: Option<Revision>,
    pub(super) definitions: Raw,
    pub(super) changed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShelfError {
    #[error("the definition of {0:?} is too large for a Sync Document")]
    TooLarge(String),
    #[error(
        "there is no room for further definitions: {MOST_METRICS} metrics and {MOST_DOCUMENTS} Sync Documents are the most"
    )]
    Full,
    #[error(
        "{0:?} can't be the unique name of a metric: it has 1 to {LONGEST_NAME} characters, no control characters, and no \
         space at either end"
    )]
    Name(String),
    #[error("{0:?} stands twice in this order")]
    Twice(String),
    #[error("there is no metric {0:?}")]
    Unknown(String),
}

impl ShelfError {
    /// The problem, if a name in the request caused the error.
    pub fn problem(&self) -> Option<Problem> {
        let (Self::TooLarge(name) | Self::Name(name) | Self::Twice(name) | Self::Unknown(name)) = self else {
            return None;
        };
        Some(Problem::whole(self.to_string()).in_metric(name))
    }
}

/// Name of the Document at a place, from 0.
pub(super) fn name_of(first: &str, place: usize) -> String {
    if place == 0 { first.to_owned() } else { format!("{first}-{}", place + 1) }
}

/// Whether these names may be added to the existing metrics. A quick check, made before slow ones.
pub(super) fn check_names(known: &Definitions, changes: &Raw) -> Result<(), ShelfError> {
    let is_name = |name: &str| {
        (1..=LONGEST_NAME).contains(&name.chars().count())
            && !name.chars().any(char::is_control)
            && name.trim() == name
            // Scripts that store definitions in a plain object would lose this name.
            && name != "__proto__"
    };
    if let Some(wrong) = changes.keys().find(|name| !is_name(name)) {
        return Err(ShelfError::Name(wrong.clone()));
    }
    let names: HashSet<&str> = known.iter().map(|entry| &*entry.name).collect();
    let added = changes.keys().filter(|name| !names.contains(name.as_str())).count();
    if added > 0 && names.len() + added > MOST_METRICS { Err(ShelfError::Full) } else { Ok(()) }
}

impl Shelf {
    pub(super) fn definitions(&self) -> Definitions {
        Definitions::of(self.documents.iter().map(|document| &document.definitions))
    }

    /// Adds or replaces definitions. The place among the tiles stays: an editor may have seen it at another
    /// place than where it is by now.
    pub(super) fn save(&mut self, changes: &Raw) -> Result<(), ShelfError> {
        check_names(&self.definitions(), changes)?;
        let numbered = self.number_all();
        let before = self.definitions();
        let mut next = before.next_position();
        for (name, definition) in changes {
            let known = before.get(name).and_then(|entry| entry.raw["metric"]["position"].as_i64());
            let mut definition = definition.clone();
            if let Some(metric) = definition.get_mut("metric").and_then(Value::as_object_mut) {
                let given = metric.get("position").and_then(Value::as_i64);
                let usual = numbered.then_some(next);
                if let Some(position) = known.or(given.filter(|_| numbered)).or(usual) {
                    next = next.max(position.saturating_add(1));
                    metric.insert("position".to_owned(), json!(position));
                } else {
                    metric.remove("position");
                }
            }
            self.put(name, &definition)?;
        }
        Ok(())
    }

    /// Gives every tile the position where it stands, if one has none: the first to get one would move before all others.
    /// Not where a Document has no room for that: then none gets a position, and the Documents' own order holds.
    fn number_all(&mut self) -> bool {
        let definitions = self.definitions();
        let has_place = |raw: &Value| raw.pointer("/metric/position").is_some_and(Value::is_i64);
        let tiles = || definitions.iter().filter(|entry| entry.raw["metric"].is_object());
        if tiles().all(|entry| has_place(&entry.raw)) {
            return true;
        }
        let mut numbered = self.clone();
        for (entry, position) in tiles().zip(0_i64..) {
            for document in &mut numbered.documents {
                if let Some(raw) = document.definitions.get_mut(&*entry.name) {
                    raw["metric"]["position"] = json!(position);
                    document.changed = true;
                }
            }
        }
        let fits = numbered.documents.iter().all(|document| size(&document.definitions) <= self.limit);
        if fits {
            *self = numbered;
        }
        fits
    }

    pub(super) fn delete(&mut self, names: &[String]) -> Result<(), ShelfError> {
        for name in names.iter().collect::<BTreeSet<_>>() {
            let mut found = false;
            for document in &mut self.documents {
                if document.definitions.shift_remove(name).is_some() {
                    (document.changed, found) = (true, true);
                }
            }
            if !found {
                return Err(ShelfError::Unknown(name.clone()));
            }
        }
        Ok(())
    }

    /// Puts the tiles into this order; those that are not named stay behind them as they were.
    pub(super) fn order(&mut self, names: &[String]) -> Result<(), ShelfError> {
        let definitions = self.definitions();
        let mut seen = HashSet::new();
        for name in names {
            if definitions.get(name).is_none() {
                return Err(ShelfError::Unknown(name.clone()));
            }
            if !seen.insert(name) {
                return Err(ShelfError::Twice(name.clone()));
            }
        }
        let others =
            definitions.iter().map(|entry| entry.name.to_string()).filter(|name| !seen.contains(name));
        let others: Vec<String> = others.collect();
        for (position, name) in names.iter().chain(&others).enumerate() {
            let Some(entry) = definitions.get(name) else { continue };
            let mut raw = entry.raw.clone();
            let Some(metric) = raw.get_mut("metric").and_then(Value::as_object_mut) else { continue };
            if metric.insert("position".to_owned(), json!(position)) != Some(json!(position)) {
                self.put(name, &raw)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, name: &str, definition: &Value) -> Result<(), ShelfError> {
        let alone = Raw::from([(name.to_owned(), definition.clone())]);
        if size(&alone) > self.limit {
            return Err(ShelfError::TooLarge(name.to_owned()));
        }
        let holder = self.documents.iter().rposition(|document| document.definitions.contains_key(name));
        let first = holder.unwrap_or(0);
        for place in first..MOST_DOCUMENTS {
            if place == self.documents.len() {
                self.documents.push(DefinitionDocument::default());
            }
            let document = &mut self.documents[place];
            let last = document.definitions.insert(name.to_owned(), definition.clone());
            if size(&document.definitions) <= self.limit {
                document.changed |= last.as_ref() != Some(definition);
                if let Some(holder) = holder.filter(|holder| *holder != place) {
                    let document = &mut self.documents[holder];
                    document.definitions.shift_remove(name);
                    document.changed = true;
                }
                return Ok(());
            }
            match last {
                Some(last) => drop(document.definitions.insert(name.to_owned(), last)),
                None => drop(document.definitions.shift_remove(name)),
            }
        }
        Err(ShelfError::Full)
    }
}

fn size(definitions: &Raw) -> usize {
    serde_json::to_string(definitions).map_or(usize::MAX, |text| text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn definition(label: &str, size: usize) -> Value {
        json!({"metric": {"label": label, "formula": "1", "note": "x".repeat(size)}})
    }

    fn save(shelf: &mut Shelf, name: &str, size: usize) -> Result<(), ShelfError> {
        shelf.save(&Raw::from([(name.to_owned(), definition(name, size))]))
    }

    fn order_of(shelf: &Shelf) -> Vec<String> {
        shelf.definitions().iter().map(|entry| entry.name.to_string()).collect()
    }

    #[test]
    fn what_does_not_fit_goes_on_in_the_next_document() {
        let mut shelf = Shelf::default();
        for n in 0..40 {
            save(&mut shelf, &format!("m{n:02}"), 1000).unwrap();
        }
        assert_eq!(shelf.documents.len(), 3);
        assert!(shelf.documents.iter().all(|document| size(&document.definitions) <= LARGEST));
        let expected: Vec<String> = (0..40).map(|n| format!("m{n:02}")).collect();
        assert_eq!(order_of(&shelf), expected);
        assert_eq!([name_of("d", 0), name_of("d", 1)], ["d", "d-2"]);
    }

    #[test]
    fn a_change_touches_one_document_and_a_growing_definition_moves_on() {
        let mut shelf = Shelf::default();
        for n in 0..20 {
            save(&mut shelf, &format!("m{n:02}"), 1000).unwrap();
        }
        shelf.documents.iter_mut().for_each(|document| document.changed = false);
        save(&mut shelf, "m03", 900).unwrap();
        assert_eq!(shelf.documents.iter().map(|d| d.changed).collect::<Vec<_>>(), [true, false]);
        save(&mut shelf, "m03", 5000).unwrap();
        assert!(!shelf.documents[0].definitions.contains_key("m03"));
        assert!(shelf.documents[1].definitions.contains_key("m03"));
        assert_eq!(order_of(&shelf)[3], "m03", "its place among the tiles stays");
    }

    #[test]
    fn refusals_name_what_can_be_mended() {
        let mut shelf = Shelf::default();
        assert_eq!(save(&mut shelf, "big", 20_000), Err(ShelfError::TooLarge("big".into())));
        for name in ["", " ", "a ", "a\u{0}b", "__proto__"] {
            assert_eq!(save(&mut shelf, name, 1), Err(ShelfError::Name(name.to_owned())), "{name:?}");
        }
        assert_eq!(shelf.delete(&["x".into()]), Err(ShelfError::Unknown("x".into())));
        assert_eq!(shelf.order(&["x".into()]), Err(ShelfError::Unknown("x".into())));
        let full =
            (0..=MOST_METRICS).map(|n| save(&mut shelf, &format!("m{n}"), 1)).collect::<Result<Vec<_>, _>>();
        assert_eq!(full.unwrap_err(), ShelfError::Full);
    }

    #[test]
    fn the_first_save_of_an_imported_tile_moves_none() {
        let raw: Raw = ["c", "a", "b"].map(|name| (name.to_owned(), definition(name, 1))).into();
        let document = DefinitionDocument { definitions: raw, ..DefinitionDocument::default() };
        let mut shelf = Shelf { documents: vec![document], ..Shelf::default() };
        let mut full = shelf.clone();
        full.limit = size(&full.documents[0].definitions) + 1;
        save(&mut full, "b", 1).unwrap();
        assert_eq!(order_of(&full), ["c", "a", "b"], "where there is no room for positions, there are none");
        assert_eq!(full.documents.len(), 1);
        save(&mut shelf, "b", 2).unwrap();
        assert_eq!(order_of(&shelf), ["c", "a", "b"]);
        let positions: Vec<_> =
            shelf.definitions().iter().map(|entry| entry.raw["metric"]["position"].clone()).collect();
        assert_eq!(positions, [0, 1, 2], "all are numbered when the first is");
        assert!(shelf.documents[0].definitions.keys().eq(["c", "a", "b"]), "the Document's own order stays");
        save(&mut shelf, "d", 1).unwrap();
        assert_eq!(order_of(&shelf), ["c", "a", "b", "d"]);
    }

    #[test]
    fn a_document_is_filled_up_to_what_sync_takes() {
        let mut shelf = Shelf::default();
        save(&mut shelf, "large", 12_000).unwrap();
        let room = LARGEST - size(&shelf.documents[0].definitions);
        let mut probe = Shelf::default();
        save(&mut probe, "last", 0).unwrap();
        // The braces around both are there once; a comma stands between them, and the position has one digit.
        let empty = size(&probe.documents[0].definitions) - 2 + 1;
        save(&mut shelf, "last", room - empty).unwrap();
        assert_eq!(shelf.documents.len(), 1);
        assert_eq!(size(&shelf.documents[0].definitions), 16_384);
        save(&mut shelf, "last", room - empty + 1).unwrap();
        assert_eq!(shelf.documents.len(), 2, "one byte more");
    }

    #[test]
    fn order_keeps_those_that_are_not_named_behind() {
        let mut shelf = Shelf::default();
        for name in ["a", "b", "c", "d"] {
            save(&mut shelf, name, 1).unwrap();
        }
        shelf.order(&["d".into(), "b".into()]).unwrap();
        assert_eq!(order_of(&shelf), ["d", "b", "a", "c"]);
        assert_eq!(shelf.order(&["a".into(), "a".into()]), Err(ShelfError::Twice("a".into())));
        let moved = json!({"metric": {"label": "b", "formula": "1", "position": 0}});
        shelf.save(&Raw::from([("b".to_owned(), moved.clone()), ("new".to_owned(), moved)])).unwrap();
        assert_eq!(
            order_of(&shelf),
            ["d", "new", "b", "a", "c"],
            "an edit moves no tile, a new one may come in between"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Whatever is done in whatever order: what is there is what was asked for, and every Document fits.
        #[test]
        fn nothing_is_lost(steps in prop::collection::vec((0..12_u8, 0..9_000_usize, any::<bool>()), 1..20)) {
            let mut shelf = Shelf::default();
            let mut wanted = std::collections::BTreeMap::new();
            for (name, size, deletes) in steps {
                let name = format!("m{name}");
                if deletes {
                    prop_assert_eq!(shelf.delete(std::slice::from_ref(&name)).is_ok(), wanted.remove(&name).is_some());
                } else {
                    save(&mut shelf, &name, size).unwrap();
                    wanted.insert(name, size);
                }
                let definitions = shelf.definitions();
                prop_assert_eq!(definitions.iter().count(), wanted.len());
                for (name, size) in &wanted {
                    let note = definitions.get(name).unwrap().raw["metric"]["note"].as_str().unwrap().len();
                    prop_assert_eq!(note, *size);
                }
                prop_assert!(shelf.documents.iter().all(|document| super::size(&document.definitions) <= LARGEST));
            }
        }
    }
}
