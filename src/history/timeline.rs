//! Reads stored details back into what was known at each moment.

use std::collections::BTreeMap;

use super::encoding::entries;
use super::figures::Figures;
use super::intervals::Known;
use super::store::DetailPart;

/// Seconds between two samples.
pub(super) const STEP: i64 = 5;

/// What was known of one subject, by scope.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    pub(super) scopes: BTreeMap<u32, Vec<Known>>,
}

impl Timeline {
    /// From the parts of one subject, in order.
    pub(super) fn of<'p>(parts: impl IntoIterator<Item = &'p DetailPart>) -> Self {
        let mut timeline = Self::default();
        for part in parts {
            // Each part begins with all values.
            let mut now: BTreeMap<u32, Figures> = BTreeMap::new();
            let mut first = None;
            for entry in entries(&part.data, part.quarter) {
                let time = part.quarter + i64::try_from(entry.step).unwrap_or(0) * STEP;
                let Some(scope) = entry.scope else {
                    now.clear();
                    timeline
                        .scopes
                        .values_mut()
                        .for_each(|known| put(known, time, &Figures::default(), false));
                    continue;
                };
                let figures = now.entry(scope).or_default();
                figures.apply(&entry.fields);
                let begins = *first.get_or_insert(time) == time;
                put(timeline.scopes.entry(scope).or_default(), time, figures, begins);
            }
        }
        timeline
    }

    /// What was known of each scope at a moment.
    pub(super) fn at(&self, moment: i64) -> BTreeMap<u32, &Figures> {
        let last = |known: &'_ [Known]| known.partition_point(|(time, _)| *time <= moment).checked_sub(1);
        let known =
            self.scopes.iter().filter_map(|(scope, known)| Some((*scope, &known.get(last(known)?)?.1)));
        known.filter(|(_, figures)| !figures.is_empty()).collect()
    }
}

/// Adds what was known from a moment on; two entries of one moment are one. A part's first entry stays even if it is the same
/// as before: it says that the values were read then.
fn put(known: &mut Vec<Known>, time: i64, figures: &Figures, begins: bool) {
    match known.last_mut() {
        Some(last) if last.0 >= time => last.1 = figures.clone(),
        Some(last) if last.1 == *figures && !begins => {}
        _ => known.push((time, figures.clone())),
    }
}

/// The parts of each subject, from parts that are in the order of their subjects.
pub(super) fn by_subject(parts: &[DetailPart]) -> impl Iterator<Item = (u32, &[DetailPart])> {
    parts.chunk_by(|a, b| a.subject == b.subject).filter_map(|parts| Some((parts.first()?.subject, parts)))
}
