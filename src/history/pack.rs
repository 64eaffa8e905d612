//! Packs the intervals of days that are over: the same entries by column, deflated, in about a tenth of the bytes.
//!
//! A packed day is the byte [`PACKED`] and a deflate stream (RFC 1951). In it stand, for each scope: its number, how many
//! entries and fields it has, the entries' intervals, then each field's number and its value in every entry: 0 where an
//! entry lacks it, 1 for "none", else 2 more than its zigzag form. All are integers as in `encoding`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::calendar::Calendar;
use super::encoding::{StoredEntry, entries, put, put_entry, take, unzigzag, zigzag};
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

/// Packs the entries of a day; a packed one stays as it is.
fn pack(data: &[u8]) -> Vec<u8> {
    if data.first() == Some(&PACKED) {
        return data.to_vec();
    }
    let mut scopes: BTreeMap<u32, Vec<StoredEntry>> = BTreeMap::new();
    for entry in entries(data, 0) {
        if let Some(scope) = entry.scope {
            scopes.entry(scope).or_default().push(entry);
        }
    }
    let mut columns = Vec::with_capacity(data.len());
    for (scope, entries) in &scopes {
        let fields: BTreeSet<u32> =
            entries.iter().flat_map(|entry| &entry.fields).map(|(field, _)| *field).collect();
        put(&mut columns, u64::from(*scope));
        put(&mut columns, entries.len() as u64);
        put(&mut columns, fields.len() as u64);
        let mut last = 0;
        for entry in entries {
            put(&mut columns, entry.step.saturating_sub(last));
            last = entry.step;
        }
        for field in fields {
            put(&mut columns, u64::from(field));
            for entry in entries {
                let value = entry.fields.iter().find(|(number, _)| *number == field);
                let code =
                    value.map_or(0, |(_, value)| value.map_or(1, |value| zigzag(value).saturating_add(2)));
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

/// The entries of a day, packed or not, as `encoding` has them; of a damaged one what can be read.
pub(super) fn unpacked(data: &[u8]) -> Cow<'_, [u8]> {
    let Some((&PACKED, deflated)) = data.split_first() else { return Cow::Borrowed(data) };
    let mut columns = Vec::new();
    // What came before damage is in `columns`.
    let _ = DeflateDecoder::new(deflated).take(LARGEST_DAY).read_to_end(&mut columns);
    let mut found = Vec::new();
    let mut bytes = columns.as_slice();
    while take_scope(&mut bytes, &mut found).is_some() {}
    found.sort_by_key(|entry| (entry.step, entry.scope));
    let mut out = Vec::with_capacity(columns.len());
    for StoredEntry { step, scope, fields } in found {
        put_entry(&mut out, step, scope.unwrap_or(0).into(), &fields, 0);
    }
    Cow::Owned(out)
}

fn take_scope(bytes: &mut &[u8], found: &mut Vec<StoredEntry>) -> Option<()> {
    let scope = u32::try_from(take(bytes)?).ok()?;
    let count = take(bytes).filter(|count| *count <= MOST_COLUMNS)?;
    let fields = take(bytes).filter(|fields| *fields <= MOST_COLUMNS)?;
    let begin = found.len();
    let mut step = 0_u64;
    for _ in 0..count {
        step = step.checked_add(take(bytes)?)?;
        found.push(StoredEntry { step, scope: Some(scope), fields: Vec::new() });
    }
    for _ in 0..fields {
        let field = u32::try_from(take(bytes)?).ok()?;
        for entry in found.iter_mut().skip(begin) {
            match take(bytes)? {
                0 => {}
                1 => entry.fields.push((field, None)),
                value => entry.fields.push((field, Some(unzigzag(value - 2)))),
            }
        }
    }
    Some(())
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
        store.write(&Batch { days, ..Batch::default() }).await?;
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
            prop_assert_eq!(entries(&unpacked(&packed), 0).collect::<Vec<_>>(), day);
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
