//! Rows by SID that remember the order they were added in.
//!
//! Lists page through rows in creation order and must survive rows coming and going between two pages. Each row gets
//! a number that is never used again; a page token is simply the number to continue after.

use std::collections::{BTreeMap, HashMap};

use crate::sid::Sid;

#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    rows: BTreeMap<u64, T>,
    numbers: HashMap<Sid, u64>,
    last: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), numbers: HashMap::new(), last: 0 }
    }
}

impl<T> Table<T> {
    /// Adds a row, or replaces the one of the same SID in its place.
    pub(crate) fn insert(&mut self, sid: Sid, row: T) {
        let number = *self.numbers.entry(sid).or_insert_with(|| {
            self.last += 1;
            self.last
        });
        self.rows.insert(number, row);
    }

    pub(crate) fn get(&self, sid: Sid) -> Option<&T> {
        self.rows.get(self.numbers.get(&sid)?)
    }

    pub(crate) fn get_mut(&mut self, sid: Sid) -> Option<&mut T> {
        self.rows.get_mut(self.numbers.get(&sid)?)
    }

    pub(crate) fn remove(&mut self, sid: Sid) -> Option<T> {
        self.rows.remove(&self.numbers.remove(&sid)?)
    }

    pub(crate) fn contains(&self, sid: Sid) -> bool {
        self.numbers.contains_key(&sid)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Rows in creation order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// Rows with their numbers, from the first with a number greater than `after`.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = (u64, &T)> {
        self.rows.range(after.saturating_add(1)..).map(|(number, row)| (*number, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::Kind;

    #[test]
    fn keeps_order_and_place() {
        let sid = |n| Sid::fixed(Kind::Task, n);
        let mut table = Table::default();
        for n in [3, 1, 2] {
            table.insert(sid(n), n);
        }
        table.remove(sid(1));
        table.insert(sid(1), 10);
        assert_eq!(table.iter().copied().collect::<Vec<_>>(), [3, 2, 10]);
        assert_eq!(table.after(1).map(|(_, row)| *row).collect::<Vec<_>>(), [2, 10]);
        assert_eq!((table.get(sid(2)), table.get(sid(9)), table.len()), (Some(&2), None, 3));
    }
}
