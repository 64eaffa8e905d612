//! Packs the intervals of days that are over: the same entries by column, as differences that are mostly 0, deflated. That is a
//! tenth of the bytes.
//!
//! A packed day is the byte [`PACKED`] and a deflate stream (RFC 1951). In it stand, for each scope: its number, how many
//! entries and fields it has, the entries' intervals, then each field's number and its value in every entry, as integers of
//! `encoding`:
//!
//! - Counters in zigzag form, where 0 also stands for one that an entry lacks. Those of all channels are what they exceed the sum of the
//!   channels by, and those that follow from others what they exceed that by.
//! - Others: 0 where an entry lacks it, 1 for "none", 2 where a channel's value is that of all channels, else 3 more than the
//!   zigzag form.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::calendar::Calendar;
use super::encoding::{StoredEntry, entries, put, put_entry, take, unzigzag, zigzag};
use super::figures::{field, is_counter, name_of, named};
use super::finish::is_workers;
use super::store::{Batch, DayOfIntervals, HistoryStore, StoreFault};

/// No entry begins with it: a day has at most 100 quarter hours.
const PACKED: u8 = 127;
/// Far more than a day has: what is inflated to more is damaged.
const LARGEST_DAY: u64 = 4 << 20;
/// The most that a damaged day can claim.
const MOST_COLUMNS: u64 = 100_000;
/// TaskQueues that are packed at a time: some milliseconds.
const PACKED_AT_A_TIME: i64 = 20;
/// The fact that says from which day on days may not be packed.
pub(super) const PACKED_UNTIL: &str = "packed_until";

/// A value: none where an entry lacks the field.
type Cell = Option<Option<i64>>;

/// The entries of one scope, by column.
#[derive(Debug, Default, Clone, PartialEq)]
struct Columns {
    scope: u32,
    steps: Vec<u64>,
    /// In the order of their numbers, each with a cell for every step.
    fields: BTreeMap<u32, Vec<Cell>>,
}

impl Columns {
    fn counts(&self, number: u32) -> Option<&[Cell]> {
        self.fields.get(&number).map(Vec::as_slice)
    }

    fn column(&mut self, number: u32) -> &mut Vec<Cell> {
        let entries = self.steps.len();
        self.fields.entry(number).or_insert_with(|| vec![None; entries])
    }
}

fn count(cells: Option<&[Cell]>, at: usize) -> i64 {
    cells.and_then(|cells| cells.get(at)).copied().flatten().flatten().unwrap_or(0)
}

/// The counters that follow from others, with these: what they mostly are is the first less the second.
fn following(scopes: &[Columns]) -> BTreeMap<u32, (u32, Option<u32>)> {
    let numbers = scopes.iter().flat_map(|scope| scope.fields.keys());
    let after = numbers.filter_map(|number| name_of(*number)).filter_map(|(id, slot)| match slot {
        field::WITHIN_ACCEPTED | field::AFTER_ACCEPTED => {
            let within = named(id, field::WITHIN_ACCEPTED);
            Some((named(id, field::AFTER_ACCEPTED), (field::ACCEPTED, Some(within))))
        }
        field::WITHIN_ABANDONED | field::AFTER_ABANDONED => {
            let within = named(id, field::WITHIN_ABANDONED);
            Some((named(id, field::AFTER_ABANDONED), (field::ABANDONED, Some(within))))
        }
        _ => None,
    });
    after.chain([(field::CREATED, (field::ACCEPTED, None))]).collect()
}

/// Turns counters that follow from others into differences, or back.
fn differ(scopes: &mut [Columns], back: bool) {
    let following = following(scopes);
    for scope in scopes {
        for (number, (all, part)) in &following {
            let mut column = std::mem::take(scope.column(*number));
            let (all, part) = (scope.counts(*all), part.and_then(|part| scope.counts(part)));
            for (at, cell) in column.iter_mut().enumerate() {
                let (value, expected) =
                    (cell.flatten().unwrap_or(0), count(all, at).wrapping_sub(count(part, at)));
                let next = if back { value.wrapping_add(expected) } else { value.wrapping_sub(expected) };
                *cell = Some(Some(next));
            }
            scope.fields.insert(*number, column);
        }
    }
}

/// Turns the counters of all channels into what they exceed the channels' sum by, or back.
fn exceed(scopes: &mut [Columns], back: bool) {
    let Some((all, channels)) = scopes.split_first_mut().filter(|(all, _)| all.scope == 0) else { return };
    for channel in channels {
        let places: Vec<Option<usize>> =
            channel.steps.iter().map(|step| all.steps.binary_search(step).ok()).collect();
        for (number, cells) in channel.fields.iter().filter(|(number, _)| is_counter(**number)) {
            let column = all.column(*number);
            for (at, place) in places.iter().enumerate() {
                let Some(cell) = place.and_then(|place| column.get_mut(place)) else { continue };
                let (value, more) = (cell.flatten().unwrap_or(0), count(Some(cells), at));
                let next = if back { value.wrapping_add(more) } else { value.wrapping_sub(more) };
                *cell = Some(Some(next));
            }
        }
    }
}

/// The day by scope, without what says the same: counters of 0, and channels that are the same as all.
fn plain(data: &[u8]) -> Vec<Columns> {
    let mut day: BTreeMap<u32, BTreeMap<u64, BTreeMap<u32, Option<i64>>>> = BTreeMap::new();
    for StoredEntry { step, scope, fields } in entries(data, 0) {
        let Some(scope) = scope else { continue };
        let cells = day.entry(scope).or_default().entry(step).or_default();
        cells.extend(
            fields
                .into_iter()
                .filter(|(number, value)| !is_counter(*number) || value.is_some_and(|n| n != 0)),
        );
    }
    let all = day.get(&0).cloned().unwrap_or_default();
    for (step, cells) in day.range_mut(1..).flat_map(|(_, steps)| steps) {
        if cells.remove(&field::SAME_AS_ALL).is_some() {
            let same = all.get(step).into_iter().flatten().filter(|(number, _)| !is_workers(**number));
            cells.extend(same.map(|(number, value)| (*number, *value)));
        }
    }
    let columns = day.into_iter().map(|(scope, entries)| {
        let mut columns = Columns { scope, steps: entries.keys().copied().collect(), ..Columns::default() };
        for (at, cells) in entries.into_values().enumerate() {
            for (number, value) in cells {
                if let Some(cell) = columns.column(number).get_mut(at) {
                    *cell = Some(value);
                }
            }
        }
        columns
    });
    columns.collect()
}

/// Packs the entries of a day; a packed one stays as it is.
fn pack(data: &[u8]) -> Vec<u8> {
    if data.first() == Some(&PACKED) {
        return data.to_vec();
    }
    let mut scopes = plain(data);
    differ(&mut scopes, false);
    exceed(&mut scopes, false);
    let mut columns = Vec::with_capacity(data.len());
    let all = scopes.first().filter(|all| all.scope == 0).cloned().unwrap_or_default();
    for Columns { scope, steps, fields } in &scopes {
        put(&mut columns, u64::from(*scope));
        put(&mut columns, steps.len() as u64);
        put(&mut columns, fields.len() as u64);
        let mut last = 0;
        for step in steps {
            put(&mut columns, step.saturating_sub(last));
            last = *step;
        }
        for (number, cells) in fields {
            put(&mut columns, u64::from(*number));
            for (cell, step) in cells.iter().zip(steps) {
                let code = match cell {
                    _ if is_counter(*number) => zigzag(cell.flatten().unwrap_or(0)),
                    None => 0,
                    _ if *scope != 0 && *cell == same_of(&all, *number, *step) => 2,
                    Some(None) => 1,
                    Some(Some(value)) => zigzag(*value).saturating_add(3),
                };
                put(&mut columns, code);
            }
        }
    }
    let mut deflated = DeflateEncoder::new(vec![PACKED], Compression::best());
    match deflated.write_all(&columns).and_then(|()| deflated.finish()) {
        Ok(packed) if packed.len() < data.len() => packed,
        _ => data.to_vec(),
    }
}

/// A day's new entries, packed where the old ones are.
pub(super) fn packed_as(old: &[u8], data: Vec<u8>) -> Vec<u8> {
    if old.first() == Some(&PACKED) { pack(&data) } else { data }
}

fn same_of(all: &Columns, number: u32, step: u64) -> Cell {
    let at = all.steps.binary_search(&step).ok()?;
    *all.fields.get(&number)?.get(at)?
}

/// The entries of a day, packed or not; of a damaged one what can be read. Of a packed one only scopes that are wanted.
pub(super) fn day_entries(data: &[u8], wanted: &dyn Fn(u32) -> bool) -> Vec<StoredEntry> {
    let Some((&PACKED, deflated)) = data.split_first() else { return entries(data, 0).collect() };
    let mut columns = Vec::with_capacity(data.len() * 8);
    // What came before damage is in `columns`.
    let _ = DeflateDecoder::new(deflated).take(LARGEST_DAY).read_to_end(&mut columns);
    let mut scopes = Vec::new();
    let mut bytes = columns.as_slice();
    while take_scope(&mut bytes, &mut scopes).is_some() {}
    exceed(&mut scopes, true);
    differ(&mut scopes, true);
    let mut found = Vec::new();
    for Columns { scope, steps, fields } in scopes.into_iter().filter(|columns| wanted(columns.scope)) {
        let first = found.len();
        found.extend(steps.into_iter().map(|step| StoredEntry {
            step,
            scope: Some(scope),
            fields: Vec::new(),
        }));
        for (number, cells) in fields {
            let shown = |value: &Option<i64>| !is_counter(number) || *value != Some(0);
            for (entry, cell) in found.iter_mut().skip(first).zip(cells) {
                entry.fields.extend(cell.filter(shown).map(|value| (number, value)));
            }
        }
    }
    found.sort_by_key(|entry| (entry.step, entry.scope));
    found
}

/// The same as they stand in a day that is not over.
pub(super) fn unpacked(data: &[u8]) -> Cow<'_, [u8]> {
    if data.first() != Some(&PACKED) {
        return Cow::Borrowed(data);
    }
    let mut out = Vec::with_capacity(data.len() * 8);
    for StoredEntry { step, scope, fields } in day_entries(data, &|_| true) {
        put_entry(&mut out, step, scope.unwrap_or(0).into(), &fields, 0);
    }
    Cow::Owned(out)
}

fn take_scope(bytes: &mut &[u8], scopes: &mut Vec<Columns>) -> Option<()> {
    let scope =
        u32::try_from(take(bytes)?).ok().filter(|scope| scopes.iter().all(|known| known.scope < *scope))?;
    let entries = take(bytes).filter(|count| *count <= MOST_COLUMNS)?;
    let fields = take(bytes).filter(|fields| *fields <= MOST_COLUMNS)?;
    let mut taken = Columns { scope, ..Columns::default() };
    let mut step = 0_u64;
    for _ in 0..entries {
        step = step.checked_add(take(bytes)?)?;
        taken.steps.push(step);
    }
    let all = scopes.first().filter(|all| all.scope == 0);
    let whole = (0..fields).try_for_each(|_| {
        let number = u32::try_from(take(bytes)?).ok()?;
        let mut cells = Vec::with_capacity(taken.steps.len());
        for step in &taken.steps {
            let code = take(bytes)?;
            cells.push(match code {
                _ if is_counter(number) => Some(Some(unzigzag(code))),
                0 => None,
                1 => Some(None),
                2 => all.and_then(|all| same_of(all, number, *step)),
                code => Some(Some(unzigzag(code - 3))),
            });
        }
        taken.fields.insert(number, cells);
        Some(())
    });
    scopes.push(taken);
    whole
}

/// How far days are packed.
#[derive(Debug)]
pub(super) struct Packing {
    /// Days before this moment are packed.
    until: i64,
    day: i64,
    /// The last subject of that day that is packed.
    subject: i64,
    /// No day is over before intervals are final up to here.
    waits_for: i64,
}

impl Packing {
    pub(super) async fn new(store: &HistoryStore) -> Result<Self, StoreFault> {
        let until = store.fact(PACKED_UNTIL).await?.unwrap_or(i64::MIN);
        Ok(Self { until, ..Self::from_the_oldest() })
    }

    fn from_the_oldest() -> Self {
        Self { until: i64::MIN, day: i64::MIN, subject: -1, waits_for: i64::MIN }
    }

    pub(super) fn begin_again(&mut self) {
        *self = Self::from_the_oldest();
    }

    /// Packs some TaskQueues of the first day that is over and not packed.
    pub(super) async fn step(
        &mut self,
        store: &HistoryStore,
        calendar: &Calendar,
        final_until: i64,
    ) -> Result<(), StoreFault> {
        if final_until < self.waits_for {
            return Ok(());
        }
        let Some(day) = store.day_from(self.until).await? else { return Ok(()) };
        let next = calendar.next_day(day);
        if next > final_until {
            self.waits_for = next;
            return Ok(());
        }
        if self.day != day {
            (self.day, self.subject) = (day, -1);
        }
        let rows = store.intervals_after(day, self.subject, PACKED_AT_A_TIME).await?;
        let Some(last) = rows.last() else {
            self.until = day.saturating_add(1);
            let facts = vec![(PACKED_UNTIL, self.until)];
            return store.write(&Batch { facts, ..Batch::default() }).await;
        };
        let last = i64::from(last.subject);
        let mut days = Vec::new();
        for row in rows {
            let data = pack(&row.data);
            if data.len() < row.data.len() {
                days.push(DayOfIntervals { data, ..row });
            }
            tokio::task::yield_now().await;
        }
        store.replace(&days).await?;
        self.subject = last;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(days: &[StoredEntry]) -> Vec<u8> {
        let mut data = Vec::new();
        for StoredEntry { step, scope, fields } in days {
            put_entry(&mut data, *step, scope.unwrap().into(), fields, 0);
        }
        data
    }

    prop_compose! {
        fn a_day()(
            cells in proptest::collection::btree_map(
                (0_u64..100, 0_u32..4),
                proptest::collection::btree_map(0_u32..200, proptest::option::of(any::<i32>().prop_map(i64::from)), 0..30),
                0..100,
            ),
        ) -> Vec<StoredEntry> {
            let entry = |((step, scope), fields): ((u64, u32), BTreeMap<u32, Option<i64>>)| {
                StoredEntry { step, scope: Some(scope), fields: fields.into_iter().collect() }
            };
            cells.into_iter().map(entry).collect()
        }
    }

    proptest! {
        #[test]
        fn a_packed_day_has_the_same_entries(day in a_day()) {
            let data = written(&day);
            let packed = pack(&data);
            prop_assert_eq!(plain(&unpacked(&packed)), plain(&data));
            prop_assert_eq!(written(&day_entries(&packed, &|_| true)), unpacked(&packed).into_owned());
            prop_assert_eq!(pack(&packed), packed.clone());
            prop_assert!(packed.len() <= data.len());
        }

        #[test]
        fn a_damaged_day_is_read_without_a_panic(day in a_day(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut packed = pack(&written(&day));
            if !packed.is_empty() {
                let at = at.index(packed.len());
                packed[at] = byte;
            }
            unpacked(&packed);
        }
    }

    #[test]
    fn a_stream_that_inflates_without_end_is_cut() {
        let mut deflated = DeflateEncoder::new(vec![PACKED], Compression::best());
        deflated.write_all(&vec![1; 8 << 20]).unwrap();
        assert!(unpacked(&deflated.finish().unwrap()).len() < 16 << 20);
    }
}
