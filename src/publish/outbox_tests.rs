//! The outbox's promises, with the clock in hand.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use proptest::prelude::*;
use serde_json::json;

use super::super::object::{URGENT_IN_A_ROW, patience};
use super::super::wanted::Body;
use super::*;
use crate::twilio::sync::Revision;

pub(super) fn item(n: usize) -> Target {
    Target::MapItem("m".into(), format!("WQ{n}").into())
}

fn map() -> Object {
    Object::Map("m".into())
}

pub(super) fn value(pending: usize, age: usize) -> Wanted {
    let value = json!({"pending": pending, "oldestTask": age});
    Wanted::Value { body: Body::Text(value.to_string().into()), fingerprint: Fingerprint::of(&value) }
}

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) fn event() -> Option<Trace> {
    Some(Trace::begin(&crate::event::Event::default()))
}

pub(super) fn landed() -> WriteOutcome {
    WriteOutcome::Landed { revision: None, requests: 1 }
}

pub(super) fn taken(write: Option<Write>) -> (Target, Arc<str>) {
    match write {
        Some(Write::Target { target, wanted: Wanted::Value { body: Body::Text(body), .. }, .. }) => {
            (target, body)
        }
        other => panic!("expected the write of a value, found {other:?}"),
    }
}

pub(super) fn drain(outbox: &mut Outbox, now: Instant) -> Vec<Target> {
    let mut targets = Vec::new();
    while let Some(write) = outbox.take(now) {
        if let Write::Target { target, .. } = write {
            targets.push(target);
        }
    }
    targets
}

#[test]
fn an_unchanged_value_is_not_written_again() {
    let now = Instant::now();
    let mut outbox = Outbox::default();
    outbox.want(&item(1), value(1, 0), None, now);
    assert_eq!(drain(&mut outbox, now), [item(1)]);
    outbox.ended(&item(1), landed(), now);
    outbox.want(&item(1), value(1, 0), None, now);
    assert!(outbox.is_empty());
    outbox.want(&item(1), value(2, 0), None, now);
    outbox.want(&item(1), value(1, 0), None, now);
    assert!(outbox.is_empty(), "a change that was taken back before it was sent");
}

#[test]
fn a_new_leader_begins_with_nothing_of_any_budget() {
    let now = Instant::now();
    let mut outbox = Outbox::default();
    outbox.want(&item(0), value(0, 0), event(), now);
    outbox.budgets_are_spent(now);
    (1..100).for_each(|n| outbox.want(&item(n), value(n, 0), event(), now));
    assert!(drain(&mut outbox, now).is_empty(), "neither of an object that was known nor of another");
    let other = Target::Document("d".into());
    let later = now + ms(500);
    outbox.want(&other, value(1, 0), event(), later);
    let written = drain(&mut outbox, later);
    assert!((5..=11).contains(&written.len()), "what half a second brings: {}", written.len());
    assert!(written.contains(&other), "each of its own");
}

#[test]
fn only_the_newest_value_is_sent() {
    let now = Instant::now();
    let mut outbox = Outbox::default();
    for pending in 0..100 {
        outbox.want(&item(1), value(pending, 0), None, now);
    }
    let (_, body) = taken(outbox.take(now));
    assert_eq!(&*body, r#"{"oldestTask":0,"pending":99}"#);
    outbox.want(&item(1), value(100, 0), None, now);
    assert!(outbox.take(now).is_none(), "one request at a time for a target");
    outbox.ended(&item(1), WriteOutcome::Failed(None), now);
    let at = outbox.wake_at(now).unwrap();
    assert!(at > now, "the failure backs off, also for the newer value");
    let (_, body) = taken(outbox.take(at));
    assert_eq!(&*body, r#"{"oldestTask":0,"pending":100}"#, "the failed value is never sent again");
}

#[test]
fn never_more_than_twenty_in_flight() {
    let now = Instant::now();
    let mut outbox = Outbox::default();
    for n in 0..100 {
        outbox.want(&item(n), value(n, 0), event(), now);
    }
    assert_eq!(drain(&mut outbox, now).len(), 20);
    outbox.ended(&item(0), landed(), now);
    assert_eq!(drain(&mut outbox, now).len(), 1);
}

#[test]
fn a_change_overtakes_waiting_ages() {
    let start = Instant::now();
    let mut outbox = Outbox::default();
    for n in 0..200 {
        outbox.want(&item(n), value(1, 0), None, start);
    }
    let mut now = start;
    while !outbox.is_empty() {
        for target in drain(&mut outbox, now) {
            outbox.ended(&target, landed(), now);
        }
        now = outbox.wake_at(now).unwrap_or(now);
    }
    now += Duration::from_secs(60);
    for n in 0..200 {
        outbox.want(&item(n), value(1, 5), None, now);
    }
    let aged = drain(&mut outbox, now);
    assert_eq!(aged.len(), MOST_OTHERS_IN_FLIGHT, "ages leave places for changes");
    outbox.want(&item(199), value(2, 5), event(), now);
    assert_eq!(drain(&mut outbox, now), [item(199)]);
}

#[test]
fn every_age_gets_its_turn() {
    let start = Instant::now();
    let mut outbox = Outbox::default();
    let mut now = start;
    let mut written: BTreeMap<Target, u32> = BTreeMap::new();
    for round in 0..60 {
        for n in 0..300 {
            outbox.want(&item(n), value(1, round), None, now);
        }
        let next_round = now + Duration::from_secs(5);
        while now < next_round {
            for target in drain(&mut outbox, now) {
                *written.entry(target.clone()).or_default() += 1;
                outbox.ended(&target, landed(), now);
            }
            now = outbox.wake_at(now).unwrap_or(next_round).min(next_round);
        }
    }
    let counts: Vec<u32> = written.values().copied().collect();
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(counts.len() == 300 && *least >= 10 && most - least <= 2, "{least}..{most}");
}

#[test]
fn a_missing_map_is_created_once_and_then_filled() {
    let now = Instant::now();
    let mut outbox = Outbox::default();
    for n in 0..5 {
        outbox.want(&item(n), value(n, 0), None, now);
    }
    let targets = drain(&mut outbox, now);
    for target in &targets {
        outbox.ended(target, WriteOutcome::NoMap, now);
    }
    assert!(matches!(outbox.take(now), Some(Write::CreateMap(name)) if &*name == "m"));
    assert!(outbox.take(now).is_none(), "nothing else until it is there");
    outbox.map_created(&"m".into(), false, None, now);
    let again = outbox.wake_at(now).unwrap();
    assert!(again > now);
    assert!(matches!(outbox.take(again), Some(Write::CreateMap(_))));
    outbox.map_created(&"m".into(), true, None, again);
    assert_eq!(drain(&mut outbox, again).len(), 5);
}

#[test]
fn one_failing_target_holds_up_no_other() {
    let start = Instant::now();
    let mut outbox = Outbox::default();
    let mut now = start;
    for round in 1..30 {
        outbox.want(&item(0), value(round, 0), None, now);
        now = outbox.wake_at(now).unwrap().max(now);
        assert_eq!(drain(&mut outbox, now), [item(0)]);
        outbox.ended(&item(0), WriteOutcome::Failed(None), now);
        outbox.want(&item(1), value(round, 0), None, now);
        assert_eq!(drain(&mut outbox, now), [item(1)], "round {round}");
        if round == 20 {
            outbox.ended(&item(1), landed(), now);
        } else {
            outbox.ended(&item(1), WriteOutcome::Landed { revision: None, requests: 2 }, now);
        }
    }
}

#[test]
fn an_outage_is_probed_and_not_hammered() {
    let start = Instant::now();
    let mut outbox = Outbox::default();
    for n in 0..100 {
        outbox.want(&item(n), value(n, 0), None, start);
    }
    let mut now = start;
    let mut tries = 0;
    while now < start + Duration::from_secs(60) {
        for target in drain(&mut outbox, now) {
            tries += 1;
            outbox.ended(&target, WriteOutcome::Failed(None), now);
        }
        now = outbox.wake_at(now).unwrap().max(now + ms(1));
    }
    assert!(tries < 20 + 120, "{tries} in a minute");
    let mut last = now;
    while !outbox.is_empty() {
        for target in drain(&mut outbox, now) {
            outbox.ended(&target, landed(), now);
            last = now;
        }
        now = outbox.wake_at(now).unwrap_or(now).max(now + ms(1));
    }
    assert!(last < start + Duration::from_secs(60 + 9), "and it catches up at once");
}

#[test]
fn what_sync_refuses_rests_until_it_changes() {
    let now = Instant::now();
    let mut outbox = Outbox::default();
    outbox.want(&item(1), value(1, 0), None, now);
    drain(&mut outbox, now);
    outbox.ended(&item(1), WriteOutcome::Refused, now);
    assert!(outbox.unwritten().is_empty(), "no caller need wait for it");
    assert_eq!(outbox.wake_at(now), Some(now + REFUSED_AGAIN));
}

#[test]
fn an_audit_brings_back_what_is_missing_or_changed() {
    let now = Instant::now();
    let mut outbox = Outbox::default();
    let Wanted::Value { fingerprint: same, .. } = value(1, 0) else { unreachable!() };
    let Wanted::Value { fingerprint: other, .. } = value(7, 0) else { unreachable!() };
    let revision: Revision = serde_json::from_value(json!("3")).unwrap();
    let entry = |n, fingerprint| (item(n), (revision.clone(), fingerprint));
    let targets = [entry(1, same), entry(2, other), entry(4, same), entry(5, same)].into();
    let found = Found { targets, map_is_there: true, looked_at: now };
    let wanted = (1..4).map(|n| (item(n), value(1, 0))).collect();
    outbox.audit(&map(), &found, &wanted, |_| None, now);
    outbox.want(&item(4), Wanted::Gone, None, now);
    let mut writes = BTreeMap::new();
    while let Some(Write::Target { target, wanted, there, .. }) = outbox.take(now) {
        writes.insert(target, (matches!(wanted, Wanted::Gone), there));
    }
    let expected =
        BTreeMap::from([(item(2), (false, true)), (item(3), (false, false)), (item(4), (true, true))]);
    assert_eq!(writes, expected, "1 stands as wanted, 5 is another writer's");
}

#[test]
fn an_audit_that_began_before_a_write_does_not_undo_it() {
    let now = Instant::now();
    let mut outbox = Outbox::default();
    outbox.want(&item(1), value(1, 0), None, now);
    drain(&mut outbox, now);
    outbox.ended(&item(1), landed(), now + ms(50));
    let found = Found { targets: HashMap::new(), map_is_there: true, looked_at: now };
    outbox.audit(&map(), &found, &HashMap::from([(item(1), value(1, 0))]), |_| None, now + ms(60));
    assert!(outbox.is_empty());
}

#[test]
fn a_seed_never_overwrites() {
    let now = Instant::now();
    let definitions = Target::Document("definitions".into());
    let seed = HashMap::from([(definitions.clone(), Wanted::Seed { body: "{}".into() })]);
    let revision: Revision = serde_json::from_value(json!("3")).unwrap();
    let Wanted::Value { fingerprint, .. } = value(1, 0) else { unreachable!() };
    let there = Found {
        targets: HashMap::from([(definitions.clone(), (revision, fingerprint))]),
        map_is_there: true,
        looked_at: now,
    };
    let mut outbox = Outbox::default();
    outbox.audit(&definitions.object(), &there, &seed, |_| None, now);
    assert!(outbox.is_empty());
    let missing = Found { targets: HashMap::new(), map_is_there: true, looked_at: now };
    outbox.audit(&definitions.object(), &missing, &seed, |_| None, now);
    assert_eq!(drain(&mut outbox, now), [definitions]);
}

proptest! {
    /// A Sync with its own idea of what happens: in the end it holds the newest of everything, never a duplicate flight.
    #[test]
    fn whatever_happens_the_newest_lands(
        steps in prop::collection::vec((0..6_u8, 0..8_usize, 0..4_usize, 1..500_u64), 1..150),
    ) {
        let start = Instant::now();
        let mut now = start;
        let mut outbox = Outbox::default();
        let mut newest: BTreeMap<Target, Arc<str>> = BTreeMap::new();
        let mut held: BTreeMap<Target, Arc<str>> = BTreeMap::new();
        let mut flying: VecDeque<(Target, Arc<str>)> = VecDeque::new();
        let finish = |outbox: &mut Outbox, held: &mut BTreeMap<_, _>, now, kind: u8, flight: (Target, Arc<str>)| {
            let outcome = match kind {
                0 | 1 => { held.insert(flight.0.clone(), flight.1.clone()); landed() }
                2 => WriteOutcome::Failed(None),
                3 => WriteOutcome::Throttled(None),
                // Landed at Sync, but the answer was lost.
                _ => { held.insert(flight.0.clone(), flight.1.clone()); WriteOutcome::Failed(None) }
            };
            outbox.ended(&flight.0, outcome, now);
        };
        for (action, n, v, wait) in steps {
            now += ms(wait);
            match action {
                0..=2 => {
                    let wanted = value(v, n);
                    if let Wanted::Value { body: Body::Text(body), .. } = &wanted {
                        newest.insert(item(n), body.clone());
                    }
                    outbox.want(&item(n), wanted, None, now);
                }
                3 => while let Some(Write::Target { target, wanted: Wanted::Value { body: Body::Text(body), .. }, .. }) = outbox.take(now) {
                    prop_assert!(flying.iter().all(|(t, _)| *t != target), "two writes of one target at once");
                    flying.push_back((target, body));
                    prop_assert!(flying.len() <= 20);
                },
                _ => if let Some(flight) = flying.pop_front() {
                    finish(&mut outbox, &mut held, now, (n % 5) as u8, flight);
                },
            }
        }
        for _ in 0..10_000 {
            for flight in std::mem::take(&mut flying) {
                finish(&mut outbox, &mut held, now, 0, flight);
            }
            while let Some(Write::Target { target, wanted: Wanted::Value { body: Body::Text(body), .. }, .. }) = outbox.take(now) {
                flying.push_back((target, body));
            }
            if flying.is_empty() {
                let Some(at) = outbox.wake_at(now) else { break };
                now = at.max(now + ms(1));
            }
        }
        prop_assert!(outbox.is_empty());
        prop_assert_eq!(held, newest);
    }
}

#[test]
fn what_failed_in_an_outage_waits_no_longer_than_the_outage() {
    let start = Instant::now();
    let mut outbox = Outbox::default();
    (0..7).for_each(|n| outbox.want(&item(n), value(n, 0), None, start));
    let mut now = start;
    while now < start + Duration::from_secs(20) {
        for target in drain(&mut outbox, now) {
            outbox.ended(&target, WriteOutcome::Failed(None), now);
        }
        now = outbox.wake_at(now).unwrap().max(now + ms(1));
    }
    let probe = loop {
        if let [probe] = &drain(&mut outbox, now)[..] {
            break probe.clone();
        }
        now = outbox.wake_at(now).unwrap().max(now + ms(1));
    };
    outbox.ended(&probe, landed(), now);
    // How many go at once is for the budget to say, but none waits for a moment of its own.
    assert!(outbox.later.is_empty());
}

/// An outbox whose Map holds these items as first wanted, long ago.
fn filled(items: usize, ages: Option<Duration>, start: Instant) -> (Outbox, Instant) {
    let mut outbox = Outbox::new(ages);
    let found = Found { targets: HashMap::new(), map_is_there: true, looked_at: start };
    let wanted = (0..items).map(|n| (item(n), value(0, 0))).collect();
    outbox.audit(&map(), &found, &wanted, |_| None, start);
    let mut now = start;
    while !outbox.is_empty() {
        for target in drain(&mut outbox, now) {
            outbox.ended(&target, landed(), now);
        }
        now = outbox.wake_at(now).unwrap_or(now);
    }
    (outbox, now + Duration::from_secs(60))
}

#[test]
fn what_an_event_names_goes_before_side_effects_and_these_before_ages() {
    let (mut outbox, now) = filled(20, Some(ms(0)), Instant::now());
    outbox.want(&item(1), value(0, 9), None, now);
    outbox.want(&item(2), value(5, 0), None, now);
    outbox.want(&item(99), value(5, 0), None, now);
    outbox.want(&item(3), value(5, 0), event(), now);
    assert_eq!(drain(&mut outbox, now), [3, 2, 99, 1].map(item));
}

#[test]
fn a_change_that_an_event_names_keeps_that_when_a_side_effect_follows() {
    let (mut outbox, now) = filled(20, Some(ms(0)), Instant::now());
    outbox.want(&item(1), value(5, 0), None, now);
    outbox.want(&item(2), value(5, 0), event(), now + ms(1));
    outbox.want(&item(2), value(6, 0), None, now + ms(2));
    assert_eq!(drain(&mut outbox, now + ms(2)), [2, 1].map(item));
}

#[test]
fn while_a_large_map_is_first_filled_what_events_name_goes_at_once() {
    let start = Instant::now();
    let mut outbox = Outbox::default();
    (0..2_000).for_each(|n| outbox.want(&item(n), value(n, 0), None, start));
    let mut now = start;
    for round in 0..190 {
        now += ms(100);
        let named = item(1_999 - round);
        outbox.want(&named, value(9, 0), event(), now);
        let written = drain(&mut outbox, now);
        assert_eq!(written.first(), Some(&named), "round {round}");
        written.iter().for_each(|target| outbox.ended(target, landed(), now));
    }
}

#[test]
fn nothing_starves_behind_what_events_name() {
    let (mut outbox, start) = filled(100, Some(ms(0)), Instant::now());
    // Others changed as well, and more events name TaskQueues than Sync lets through.
    (50..100).for_each(|n| outbox.want(&item(n), value(7, 0), None, start));
    let mut now = start;
    let mut waits: BTreeSet<Target> = (50..100).map(item).collect();
    for round in 0..20_000 {
        now += ms(20);
        outbox.want(&item(round % 50), value(round, 0), event(), now);
        for target in drain(&mut outbox, now) {
            waits.remove(&target);
            outbox.ended(&target, landed(), now);
        }
        if waits.is_empty() {
            break;
        }
    }
    // Overdue after five seconds, and from then on one in twelve of 18 writes a second.
    let most = patience(Urgency::SideEffect).as_secs_f64() + 50.0 * f64::from(URGENT_IN_A_ROW + 1) / 18.0;
    let took = (now - start).as_secs_f64();
    assert!(waits.is_empty() && took <= most + 1.0, "{took} s of {most}, {waits:?} left");
}

#[test]
fn an_item_in_which_only_an_age_moved_is_written_once_an_interval() {
    let interval = Duration::from_secs(5);
    let (mut outbox, start) = filled(1, Some(interval), Instant::now());
    let mut written = Vec::new();
    for tick in 0..200 {
        let now = start + ms(100 * tick);
        outbox.want(&item(0), value(0, tick as usize + 1), None, now);
        for target in drain(&mut outbox, now) {
            outbox.ended(&target, landed(), now);
            written.push(now);
        }
    }
    assert!(written.windows(2).all(|pair| pair[1] - pair[0] >= interval), "{}", written.len());
    assert_eq!(written.len(), 4, "in twenty seconds");
    let now = start + ms(20_001);
    outbox.want(&item(0), value(1, 500), event(), now);
    assert_eq!(drain(&mut outbox, now), [item(0)], "a change waits for no interval");
}

#[test]
fn without_ages_an_item_in_which_only_an_age_moved_is_not_written() {
    let (mut outbox, now) = filled(1, None, Instant::now());
    outbox.want(&item(0), value(0, 70), None, now);
    assert!(outbox.is_empty());
    outbox.want(&item(0), value(1, 71), None, now);
    assert_eq!(drain(&mut outbox, now), [item(0)]);
}

#[test]
fn a_new_item_of_a_map_that_was_looked_at_is_created_at_once() {
    let (mut outbox, now) = filled(1, None, Instant::now());
    for (n, expected) in [(0, true), (5, false)] {
        outbox.want(&item(n), value(3, 0), event(), now);
        let Some(Write::Target { there, .. }) = outbox.take(now) else { panic!("a write") };
        assert_eq!(there, expected, "{n}");
    }
    // What was removed is not there either.
    outbox.ended(&item(5), landed(), now);
    outbox.want(&item(5), Wanted::Gone, None, now);
    assert_eq!(drain(&mut outbox, now), [item(5)]);
    outbox.ended(&item(5), landed(), now);
    outbox.want(&item(5), value(4, 0), event(), now);
    assert!(matches!(outbox.take(now), Some(Write::Target { there: false, .. })));
}

#[test]
fn an_object_with_more_changes_than_sync_takes_is_named() {
    let (mut outbox, start) = filled(500, None, Instant::now());
    assert_eq!(outbox.at_limit(start), None);
    let mut now = start;
    for round in 0..100 {
        now += ms(50);
        for n in 0..500 {
            outbox.want(&item(n), value(round + 1, 0), event(), now);
        }
        drain(&mut outbox, now).iter().for_each(|target| outbox.ended(target, landed(), now));
    }
    let limit = outbox.at_limit(now).expect("it is at its limit");
    assert_eq!(limit.object, map());
    assert!(limit.waiting > 200 && (17.0..=20.0).contains(&limit.writes_a_second), "{limit:?}");
}
