//! One tile: a definition, and the result of its formula.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::data::{LookUp, look_of};
use super::definition::{Definition, Style};
use super::definitions::DefinitionEntry;
use super::formula::process::Evaluated;
use super::formula::protocol::FormulaOutcome;
use super::problem::Problem;
use super::threshold;
use crate::service_level::{ServiceLevel, threshold_in};
use crate::stats::{Passed, Snapshot, Stale, Tile, number};

/// The texts of a tile whose formula failed, and of one whose result does not fit its format.
pub(super) const ERR: &str = "ERR";
const ERR_FMT: &str = "ERR FMT";
/// Most characters of the label that an invalid definition shows.
const LONGEST_LABEL: usize = 200;

pub(super) struct TileFace<'d> {
    pub(super) value: Value,
    pub(super) text: String,
    pub(super) style: &'d Style,
    pub(super) threshold: Option<Passed>,
}

pub(super) fn show<'d>(definition: &'d Definition, value: &Evaluated, zone: &TimeZone) -> TileFace<'d> {
    let Ok(value) = value else {
        let style = &definition.default_style;
        return TileFace { value: Value::Null, text: ERR.to_owned(), style, threshold: None };
    };
    let text = definition.format.text(value, zone).unwrap_or_else(|_| ERR_FMT.to_owned());
    let (style, threshold) = threshold::style(definition, value);
    let value = match value {
        FormulaOutcome::Number(value) => number(*value),
        // `NaN`.
        FormulaOutcome::NoNumber { shown } if shown == "0" => number(0.0),
        FormulaOutcome::NoNumber { shown } => json!(shown),
        value => json!(value),
    };
    TileFace { value, text, style, threshold }
}

/// The configuration that all tiles share.
#[derive(Clone, Copy)]
pub(super) struct ShownIn<'c> {
    pub(super) zone: &'c TimeZone,
    /// The service level of a formula that names none.
    pub(super) usual: ServiceLevel,
    /// `SLA_THRESHOLDS`: the thresholds of service levels, in seconds.
    pub(super) thresholds: &'c [u32],
}

pub(super) fn tile(
    entry: &DefinitionEntry,
    definition: &Definition,
    value: &Evaluated,
    error: Option<Arc<Value>>,
    snapshot: &Snapshot,
    shown_in: ShownIn<'_>,
) -> Tile {
    let with_queues = look_of(&definition.formula) > LookUp::Workspace;
    let read = last_read(snapshot, with_queues);
    let shown = show(definition, value, shown_in.zone);
    let service_level =
        ServiceLevel::shown_by(&definition.formula, definition.service_level.unwrap_or(shown_in.usual));
    Tile {
        name: entry.name.clone(),
        label: definition.label.clone(),
        value: shown.value,
        text: shown.text,
        format: definition.format_name.clone(),
        style: Arc::new(json!(shown.style)),
        threshold: shown.threshold,
        increment: definition.increment,
        as_of: read.map(|(as_of, _)| as_of),
        by_event: read.is_some_and(|(_, by_event)| by_event),
        service_level: service_level.map(ServiceLevel::label),
        service_level_threshold: threshold_in(&definition.formula, shown_in.thresholds),
        tv: definition.tv.name(),
        error,
        stale: None,
    }
}

/// The tile of a definition without a value: an invalid one, or one whose formula was never evaluated.
pub(super) fn without_value(entry: &DefinitionEntry, problem: Option<&Problem>) -> Tile {
    let label = entry.raw.pointer("/metric/label").and_then(Value::as_str).unwrap_or(&entry.name);
    Tile {
        name: entry.name.clone(),
        label: label.chars().take(LONGEST_LABEL).collect::<String>().into(),
        value: Value::Null,
        text: ERR.to_owned(),
        format: Arc::default(),
        style: Arc::new(json!(Style::default())),
        threshold: None,
        increment: false,
        as_of: None,
        by_event: false,
        service_level: None,
        service_level_threshold: None,
        tv: None,
        error: problem.map(|problem| Arc::new(json!(problem))),
        stale: None,
    }
}

/// The tiles that are shown while no formula can be evaluated: the last values, each marked with the reason.
pub(super) fn all_stale<'e>(
    entries: impl Iterator<Item = &'e DefinitionEntry>,
    last: &[Tile],
    stale: &Stale,
) -> Vec<Tile> {
    let mark = |entry: &DefinitionEntry| {
        let known = last.iter().find(|metric| metric.name == entry.name).cloned();
        let mut metric = match (known, &entry.definition) {
            (Some(metric), Ok(_)) => metric,
            (_, Err(problems)) => return without_value(entry, problems.first()),
            (None, Ok(_)) => {
                let problem = Problem::of("formula", stale.reason.to_string());
                without_value(entry, Some(&problem))
            }
        };
        metric.stale = Some(longer(metric.stale.take(), stale));
        metric
    };
    entries.map(mark).collect()
}

/// Marks tiles whose next values are late; returns whether that changed anything.
pub(super) fn mark_stale(tiles: &mut [Tile], stale: &Stale) -> bool {
    let mut changed = false;
    for tile in tiles.iter_mut().filter(|tile| tile.stale.is_none() && tile.as_of.is_some()) {
        tile.stale = Some(stale.clone());
        changed = true;
    }
    changed
}

/// With the newer reason, since the older moment.
fn longer(before: Option<Stale>, now: &Stale) -> Stale {
    let since = before.map_or(now.since, |before| before.since.min(now.since));
    Stale { since, reason: now.reason.clone() }
}

/// When the data of a formula was last read, and whether because of an event.
fn last_read(snapshot: &Snapshot, with_queues: bool) -> Option<(Timestamp, bool)> {
    let queues = snapshot.queues.values().filter(|_| with_queues);
    let readings = queues.filter_map(|state| state.scopes.first()).chain([&snapshot.workspace]);
    let reads = readings.filter_map(|stats| Some((stats.realtime.as_of?, stats.realtime.by_event)));
    reads.max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallboard::Definitions;
    use crate::wallboard::definitions::Raw;

    fn entries() -> Definitions {
        let raw: Raw = serde_json::from_value(json!({
            "known": {"metric": {"label": "Known", "formula": "1"}},
            "new": {"metric": {"label": "New", "formula": "1"}},
            "broken": {"metric": {"label": "Broken"}},
        }))
        .unwrap();
        Definitions::of(std::iter::once(&raw))
    }

    fn stale(second: i64, reason: &str) -> Stale {
        Stale { reason: reason.into(), since: Timestamp::from_second(second).unwrap() }
    }

    #[test]
    fn while_no_formula_can_be_evaluated_the_last_value_stays_and_says_why_and_since_when() {
        let definitions = entries();
        let entry = definitions.get("known").unwrap();
        let definition = entry.definition.as_ref().unwrap();
        let snapshot = Snapshot::empty(&[], Timestamp::UNIX_EPOCH);
        let shown_in = ShownIn { zone: &TimeZone::UTC, usual: ServiceLevel::Accepted, thresholds: &[] };
        let mut known = tile(entry, definition, &Ok(FormulaOutcome::Number(7.0)), None, &snapshot, shown_in);
        known.as_of = Some(Timestamp::UNIX_EPOCH);
        let mut tiles = [known];
        assert!(mark_stale(&mut tiles, &stale(5, "late")));
        assert!(!mark_stale(&mut tiles, &stale(6, "late")), "marked once");
        let tiles = all_stale(definitions.iter(), &tiles, &stale(9, "gone"));
        let shown: Vec<_> =
            tiles.iter().map(|tile| (&*tile.name, tile.text.as_str(), tile.stale.clone())).collect();
        let expected = [
            ("broken", ERR, None),
            ("known", "7", Some(stale(5, "gone"))),
            ("new", ERR, Some(stale(9, "gone"))),
        ];
        assert_eq!(shown, expected);
        assert_eq!(tiles[1].to_json(0)["stale"]["since"], "1970-01-01T00:00:05.000Z");
    }
}
