//! Plans the fewest calls that make stale keys fresh. Pure.
//!
//! For each scope there are three ways: one call a TaskQueue, bulk calls (realtime over all channels only), or the list
//! of all TaskQueues. The cheapest is taken. What the account does not offer is not considered, and what a combined
//! answer leaves out is read from the resource of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{Key, Offers, PARTS, Part, Parts, Read, What, cost_of_bulk, cost_of_list, cost_of_singles};
use crate::sid::TaskQueueSid;
use crate::stats::Scope;
use crate::twilio::taskrouter::MOST_IN_BULK;

/// The reads that cover `stale`, for a Workspace with these TaskQueues.
pub fn plan(stale: &BTreeSet<Key>, queues: &[TaskQueueSid], offers: Offers) -> Vec<Read> {
    let mut reads = Vec::new();
    for (key, what) in
        [(Key::Directory, What::Directory), (Key::LastHour, What::LastHour), (Key::Tasks, What::Tasks)]
    {
        if stale.contains(&key) {
            reads.push(Read { what, covers: vec![key] });
        }
    }
    reads.extend(workspace(stale, offers));
    let mut by_scope: BTreeMap<Scope, StaleScope> = BTreeMap::new();
    for key in stale {
        if let Key::Queue(queue, scope, part) = *key {
            let stale = by_scope.entry(scope).or_default();
            match part {
                Part::Realtime => stale.realtime.insert(queue),
                Part::Cumulative => stale.cumulative.insert(queue),
            };
        }
    }
    for (scope, stale) in by_scope {
        reads.extend(one_scope(scope, stale, queues, offers));
    }
    reads
}

#[derive(Default)]
struct StaleScope {
    realtime: BTreeSet<TaskQueueSid>,
    cumulative: BTreeSet<TaskQueueSid>,
}

fn workspace(stale: &BTreeSet<Key>, offers: Offers) -> Vec<Read> {
    let [realtime, cumulative] = PARTS.map(|part| stale.contains(&Key::Workspace(part)));
    let read = |parts: Parts| {
        let covers = parts.each().into_iter().map(Key::Workspace).collect();
        Read { what: What::Workspace(parts), covers }
    };
    match (realtime, cumulative) {
        (false, false) => vec![],
        (true, false) => vec![read(Parts::Realtime)],
        // A combined answer costs the same call and brings realtime along.
        (_, true) if offers.combined_is_complete => vec![read(Parts::Both)],
        (true, true) => vec![read(Parts::Realtime), read(Parts::Cumulative)],
        (false, true) => vec![read(Parts::Cumulative)],
    }
}

fn one_scope(scope: Scope, mut stale: StaleScope, queues: &[TaskQueueSid], offers: Offers) -> Vec<Read> {
    let mut reads = Vec::new();
    if !offers.combined_is_complete {
        // The list can't help with these.
        reads.extend(stale.cumulative.iter().map(|queue| single(*queue, scope, Parts::Cumulative)));
        stale.cumulative.clear();
    }
    let bulk = scope == Scope::ALL && offers.bulk;
    let singly = if bulk { stale.cumulative.len() } else { stale.realtime.union(&stale.cumulative).count() };
    let in_bulk = if bulk { stale.realtime.difference(&stale.cumulative).count() } else { 0 };
    if singly + in_bulk == 0 {
        return reads;
    }
    if offers.list && cost_of_list(queues.len()) < cost_of_singles(singly) + cost_of_bulk(in_bulk) {
        let parts: &[Part] = if offers.combined_is_complete { &PARTS } else { &[Part::Realtime] };
        let covers =
            queues.iter().flat_map(|queue| parts.iter().map(|part| Key::Queue(*queue, scope, *part)));
        reads.push(Read { what: What::List(scope), covers: covers.collect() });
        return reads;
    }
    // A combined answer brings realtime along, so whatever needs cumulative ones needs no bulk.
    reads.extend(stale.cumulative.iter().map(|queue| single(*queue, scope, Parts::Both)));
    let rest: Vec<_> = stale.realtime.difference(&stale.cumulative).copied().collect();
    if bulk {
        reads.extend(rest.chunks(MOST_IN_BULK).map(|queues| Read {
            what: What::Bulk(queues.to_vec()),
            covers: queues.iter().map(|queue| Key::Queue(*queue, scope, Part::Realtime)).collect(),
        }));
    } else {
        reads.extend(rest.into_iter().map(|queue| single(queue, scope, Parts::Realtime)));
    }
    reads
}

fn single(queue: TaskQueueSid, scope: Scope, parts: Parts) -> Read {
    let covers = parts.each().into_iter().map(|part| Key::Queue(queue, scope, part)).collect();
    Read { what: What::Queue(queue, scope, parts), covers }
}

impl Parts {
    fn each(self) -> Vec<Part> {
        match self {
            Self::Realtime => vec![Part::Realtime],
            Self::Cumulative => vec![Part::Cumulative],
            Self::Both => PARTS.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sid(n: usize) -> TaskQueueSid {
        format!("WQ{n:032x}").parse().unwrap()
    }

    fn all(queues: usize) -> Vec<TaskQueueSid> {
        (0..queues).map(sid).collect()
    }

    fn everything(queues: usize, channels: usize) -> BTreeSet<Key> {
        let keys = all(queues).into_iter().flat_map(move |queue| {
            let scopes = Scope::each(channels);
            scopes.flat_map(move |scope| PARTS.map(|part| Key::Queue(queue, scope, part)))
        });
        keys.chain(PARTS.map(Key::Workspace)).collect()
    }

    #[test]
    fn a_full_refresh_takes_two_calls_and_one_a_channel() {
        for queues in [2, 5, 20, 100, 500, 1000] {
            let reads = plan(&everything(queues, 3), &all(queues), Offers::default());
            assert_eq!(reads.len(), 2 + 3, "{queues} queues: {reads:?}");
        }
        assert_eq!(plan(&everything(2500, 3), &all(2500), Offers::default()).len(), 2 + 3);
    }

    #[test]
    fn one_event_takes_three_calls_at_any_number_of_queues() {
        let touched = [Scope::ALL, Scope::channel(0)];
        let keys = touched.into_iter().flat_map(|scope| PARTS.map(|part| Key::Queue(sid(1), scope, part)));
        let keys: BTreeSet<_> = keys.chain(PARTS.map(Key::Workspace)).collect();
        for queues in [1, 20, 1000] {
            let reads = plan(&keys, &all(queues), Offers::default());
            assert_eq!(reads.len(), 3, "{reads:?}");
        }
    }

    #[test]
    fn realtime_alone_goes_in_bulk_while_that_is_cheaper() {
        let realtime = |queues: usize| -> BTreeSet<Key> {
            all(queues).into_iter().map(|queue| Key::Queue(queue, Scope::ALL, Part::Realtime)).collect()
        };
        let what = |queues| plan(&realtime(queues), &all(queues), Offers::default());
        assert!(matches!(&what(50)[..], [Read { what: What::Bulk(fifty), .. }] if fifty.len() == 50));
        assert!(matches!(&what(51)[..], [Read { what: What::List(_), .. }]));
        let without_list = Offers { list: false, ..Offers::default() };
        assert_eq!(plan(&realtime(120), &all(120), without_list).len(), 3);
        let without_either = Offers { bulk: false, ..without_list };
        assert_eq!(plan(&realtime(120), &all(120), without_either).len(), 120);
    }

    #[test]
    fn what_combined_answers_lack_is_read_by_itself() {
        let short = Offers { combined_is_complete: false, ..Offers::default() };
        let reads = plan(&everything(20, 0), &all(20), short);
        let singles = reads.iter().filter(|r| matches!(r.what, What::Queue(_, _, Parts::Cumulative))).count();
        assert_eq!(singles, 20);
        assert!(reads.iter().any(|r| matches!(r.what, What::Bulk(_))));
        assert_eq!(reads.iter().filter(|r| matches!(r.what, What::Workspace(_))).count(), 2);
    }

    proptest! {
        #[test]
        fn everything_stale_is_covered_once_a_part(
            stale in prop::collection::vec((0..30_usize, 0..4_usize, any::<bool>()), 0..60),
            bulk: bool, list: bool, combined_is_complete: bool,
        ) {
            let queues = all(30);
            let keys: BTreeSet<Key> = stale.into_iter().map(|(queue, scope, realtime)| {
                let scope = Scope::each(3).nth(scope).unwrap();
                Key::Queue(sid(queue), scope, if realtime { Part::Realtime } else { Part::Cumulative })
            }).collect();
            let reads = plan(&keys, &queues, Offers { bulk, list, combined_is_complete });
            let covered: Vec<Key> = reads.iter().flat_map(|read| read.covers.clone()).collect();
            let distinct: BTreeSet<Key> = covered.iter().copied().collect();
            prop_assert_eq!(covered.len(), distinct.len(), "nothing is read twice");
            prop_assert!(keys.is_subset(&distinct));
            prop_assert!(reads.len() <= keys.len().max(1));
        }
    }
}
