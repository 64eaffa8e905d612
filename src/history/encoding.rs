//! How changes are written into bytes.
//!
//! A quarter hour's `data` is a row of entries: the time in steps since its beginning, the scope, the number of fields, and
//! for each field its number and its value. All are variable-length integers of seven bits a byte. A value is 0 for "none"
//! or one more than its zigzag form; moments count from the beginning of the quarter hour. A field that an entry lacks keeps its value.
//! Unknown fields are kept by readers that ignore them, so a later version can add some.

use super::figures::{Figures, is_moment};

/// The entry after which a TaskQueue is gone.
const GONE: u64 = 4095;
/// More fields than that in one entry are a sign of damage.
const MOST_FIELDS: u64 = 4096;

pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Writes one entry; moments are written relative to `base`.
pub(super) fn put_entry(out: &mut Vec<u8>, step: u64, scope: u64, fields: &[(u32, Option<i64>)], base: i64) {
    put(out, step);
    put(out, scope);
    put(out, fields.len() as u64);
    for (field, value) in fields {
        put(out, u64::from(*field));
        let relative = if is_moment(*field) { base } else { 0 };
        put(out, value.map_or(0, |value| zigzag(value.saturating_sub(relative)).saturating_add(1)));
    }
}

pub(super) fn put_gone(out: &mut Vec<u8>, step: u64) {
    put_entry(out, step, GONE, &[], 0);
}

/// One entry of `data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredEntry {
    pub(super) step: u64,
    /// `None`: the TaskQueue is gone.
    pub(super) scope: Option<u32>,
    pub(super) fields: Vec<(u32, Option<i64>)>,
}

/// Reads entries up to the end, or to the first that is damaged.
pub(super) fn entries(mut bytes: &[u8], base: i64) -> impl Iterator<Item = StoredEntry> {
    std::iter::from_fn(move || {
        let step = take(&mut bytes)?;
        let scope = take(&mut bytes)?;
        let count = take(&mut bytes).filter(|count| *count <= MOST_FIELDS)?;
        let mut fields = Vec::with_capacity(usize::try_from(count).ok()?);
        for _ in 0..count {
            let field = u32::try_from(take(&mut bytes)?).ok()?;
            let relative = if is_moment(field) { base } else { 0 };
            let value = take(&mut bytes)?.checked_sub(1);
            fields.push((field, value.map(|value| unzigzag(value).saturating_add(relative))));
        }
        let scope = (scope != GONE).then(|| u32::try_from(scope).ok());
        let scope = match scope {
            Some(None) => return None,
            Some(scope) => scope,
            None => None,
        };
        Some(StoredEntry { step, scope, fields })
    })
}

/// All fields of a scope, as an entry's.
pub(super) fn whole(figures: &Figures) -> Vec<(u32, Option<i64>)> {
    figures.iter().map(|(field, value)| (field, Some(value))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            step in 0_u64..200, scope in 0_u64..16,
            fields in proptest::collection::vec((0_u32..600, proptest::option::of(any::<i32>().prop_map(i64::from))), 0..40),
        ) {
            let mut out = Vec::new();
            let base = 1_767_225_600;
            put_entry(&mut out, step, scope, &fields, base);
            put_gone(&mut out, step + 1);
            let read: Vec<StoredEntry> = entries(&out, base).collect();
            prop_assert_eq!(&read[0], &StoredEntry { step, scope: u32::try_from(scope).ok(), fields });
            prop_assert_eq!(&read[1], &StoredEntry { step: step + 1, scope: None, fields: vec![] });
            prop_assert_eq!(read.len(), 2);
        }

        #[test]
        fn damaged_bytes_end_the_reading_and_nothing_else(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(entries(&bytes, 0).count() <= bytes.len());
        }
    }
}
