//! The schedule's promises, with the clock in hand.

use proptest::prelude::*;

use super::*;
use crate::stats::Moved;

const NEEDS: Needs =
    Needs { queues: true, workspace: true, last_hour: false, tasks: false, latest_event: false };

fn sid(n: u8) -> TaskQueueSid {
    format!("WQ{n:032x}").parse().unwrap()
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn touch_of(queue: u8) -> Invalidation {
    Invalidation {
        queues: Queues::Some(vec![sid(queue)]),
        channel: Some("voice".to_owned()),
        counters: true,
        workspace: true,
        tasks: true,
        directory: false,
        event: None,
    }
}

/// A schedule of three TaskQueues that has read everything once.
fn settled(start: Instant) -> Schedule {
    let mut schedule =
        Schedule::new(RefreshConfig::default(), NEEDS, &["voice".into(), "chat".into()], start);
    schedule.set_queues(&[1, 2, 3].map(sid).into(), start);
    let all: Vec<Key> = schedule.due_by_timer(start).into_iter().collect();
    run(&mut schedule, &all, Cause::Timer, start);
    schedule
}

fn run(schedule: &mut Schedule, keys: &[Key], cause: Cause, started: Instant) {
    schedule.started(keys, cause, started);
    for key in keys {
        schedule.succeeded(*key, cause, started, false);
    }
}

#[test]
fn everything_is_due_at_first_and_then_by_its_interval() {
    let start = Instant::now();
    let mut schedule = Schedule::new(RefreshConfig::default(), NEEDS, &[], start);
    assert_eq!(schedule.due_by_timer(start).len(), 3, "the directory and both parts of the Workspace");
    schedule.set_queues(&[sid(1)].into(), start);
    assert_eq!(schedule.due_by_timer(start).len(), 5);

    let schedule = settled(start);
    assert!(schedule.due_by_timer(start).is_empty());
    let at = |seconds| schedule.due_by_timer(start + Duration::from_secs(seconds));
    assert!(at(4).is_empty());
    assert!(
        at(5)
            .iter()
            .all(|key| matches!(key, Key::Workspace(p) | Key::Queue(_, _, p) if *p == Part::Realtime))
    );
    assert_eq!(at(5).len(), 1 + 3 * 3);
    assert_eq!(at(30).len(), 2 + 3 * 3 * 2);
    assert!(at(60).contains(&Key::Directory));
}

#[test]
fn an_unused_layout_costs_no_call() {
    let start = Instant::now();
    let needs = Needs { workspace: true, ..Needs::default() };
    let mut schedule = Schedule::new(RefreshConfig::default(), needs, &["voice".into()], start);
    schedule.set_queues(&[sid(1)].into(), start);
    schedule.touch(&Invalidation::everything(), start);
    let keys: Vec<_> = schedule.due_touched(start).into_iter().collect();
    assert_eq!(keys, PARTS.map(Key::Workspace));
}

#[test]
fn the_first_event_after_a_quiet_time_is_due_at_once() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let later = start + Duration::from_secs(2);
    schedule.touch(&touch_of(2), later);
    let due = schedule.due_touched(later);
    let scopes = [Scope::ALL, Scope::channel(0)];
    let expected: BTreeSet<Key> = scopes
        .into_iter()
        .flat_map(|scope| PARTS.map(|part| Key::Queue(sid(2), scope, part)))
        .chain(PARTS.map(Key::Workspace))
        .collect();
    assert_eq!(due, expected, "its queue on its channel and over all, and the Workspace");
}

#[test]
fn events_during_a_read_are_folded_into_exactly_one_more() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let first = start + Duration::from_secs(2);
    schedule.touch(&touch_of(1), first);
    let keys: Vec<Key> = schedule.due_touched(first).into_iter().collect();
    schedule.started(&keys, Cause::Touched, first);
    for after in 1..50 {
        schedule.touch(&touch_of(1), first + ms(after));
        assert!(schedule.due_touched(first + ms(after)).is_empty(), "it is being read");
    }
    for key in &keys {
        schedule.succeeded(*key, Cause::Touched, first, true);
    }
    let second = first + ms(60);
    let again: Vec<Key> = schedule.due_touched(second).into_iter().collect();
    assert_eq!(again, keys);
    run(&mut schedule, &again, Cause::Touched, second);
    let settling = schedule.due_touched(second + ms(400));
    assert!(settling.len() <= 1, "from here on it only settles: {settling:?}");
}

#[test]
fn an_event_does_not_wait_for_a_sweep_under_way() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let sweep = start + Duration::from_secs(5);
    let keys: Vec<Key> = schedule.due_by_timer(sweep).into_iter().collect();
    schedule.started(&keys, Cause::Timer, sweep);
    let event = sweep + ms(300);
    schedule.touch(&touch_of(1), event);
    assert!(schedule.due_touched(event).contains(&Key::Queue(sid(1), Scope::ALL, Part::Realtime)));
}

#[test]
fn a_touched_queue_settles_and_then_rests() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let event = start + ms(300);
    schedule.touch(&touch_of(1), event);
    let mut now = event;
    let mut reads = Vec::new();
    while let Some(next) = schedule.next_due(now).filter(|next| *next < event + Duration::from_secs(4)) {
        now = now.max(next);
        let due: Vec<Key> = schedule.due_touched(now).into_iter().collect();
        assert!(!due.is_empty(), "woken for nothing at {:?}", now - event);
        reads.push((now - event, due.len()));
        run(&mut schedule, &due, Cause::Touched, now);
    }
    assert_eq!(reads.len(), 3, "at once, and two settling reads: {reads:?}");
    assert!(reads[1..].iter().all(|(_, keys)| *keys == 1), "which read one key only: {reads:?}");
    assert!(schedule.slots.values().all(|slot| slot.touch_due.is_none()));
}

#[test]
fn a_late_change_brings_the_rest_of_its_queue() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let event = start + Duration::from_secs(1);
    schedule.touch(&touch_of(1), event);
    let due: Vec<Key> = schedule.due_touched(event).into_iter().collect();
    run(&mut schedule, &due, Cause::Touched, event);
    let look = event + Duration::from_millis(1500);
    let settling: Vec<Key> = schedule.due_touched(look).into_iter().collect();
    assert_eq!(settling, [Key::Queue(sid(1), Scope::ALL, Part::Realtime)]);
    schedule.started(&settling, Cause::Touched, look);
    schedule.succeeded(settling[0], Cause::Touched, look, true);
    assert!(schedule.due_touched(look).is_empty(), "an event may be under way that explains it");
    let look = look + EVENT_UNDER_WAY;
    assert!(schedule.next_due(look - ms(1)).unwrap() <= look);
    let related = schedule.due_touched(look);
    assert!(related.contains(&Key::Queue(sid(1), Scope::channel(0), Part::Cumulative)));
    assert!(related.contains(&Key::Workspace(Part::Realtime)));
}

#[test]
fn the_first_lag_that_shows_makes_others_be_looked_after_sooner() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let (first, second) = (start + ms(1_000), start + ms(3_500));
    for (queue, at) in [(1, first), (2, second)] {
        schedule.touch(&touch_of(queue), at);
        let keys: Vec<Key> = schedule.due_touched(at).into_iter().collect();
        assert!(!keys.is_empty());
        run(&mut schedule, &keys, Cause::Touched, at);
    }
    let look = |queue| Key::Queue(sid(queue), Scope::ALL, Part::Realtime);
    let due_by = |schedule: &mut Schedule, at| schedule.due_touched(at).contains(&look(2));
    let lag_shows = start + ms(4_000);
    assert!(!due_by(&mut schedule, lag_shows + ms(400)), "no lag is known yet");
    schedule.started(&[look(1)], Cause::Touched, lag_shows);
    schedule.succeeded(look(1), Cause::Touched, lag_shows, true);
    schedule.due_touched(lag_shows + EVENT_UNDER_WAY);
    assert!(due_by(&mut schedule, lag_shows + EVENT_UNDER_WAY + ms(400)), "within a step of the grid");
}

#[test]
fn an_event_for_all_does_not_coarsen_the_looks_after_one_for_a_single_task_queue() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let look = |queue| Key::Queue(sid(queue), Scope::ALL, Part::Realtime);
    let lag_shows = start + ms(3_000);
    schedule.touch(&touch_of(1), start + ms(1_000));
    run(&mut schedule, &[look(1)], Cause::Touched, start + ms(1_000));
    schedule.started(&[look(1)], Cause::Touched, lag_shows);
    schedule.succeeded(look(1), Cause::Touched, lag_shows, true);
    schedule.due_touched(lag_shows + EVENT_UNDER_WAY);

    let event = start + ms(20_000);
    schedule.touch(&touch_of(2), event);
    let all = Invalidation { queues: Queues::All, workspace: true, ..Invalidation::default() };
    schedule.touch(&all, event + ms(5));
    let mut read_at = Vec::new();
    for now in (5..3_000).step_by(10).map(|after| event + ms(after)) {
        let due: Vec<Key> = schedule.due_touched(now).into_iter().collect();
        if due.contains(&look(2)) {
            read_at.push(now - event);
        }
        run(&mut schedule, &due, Cause::Touched, now);
    }
    // It may show from the moment of the first read after the first event on.
    let late: Vec<_> = read_at.into_iter().filter(|age| *age < ms(1_900)).collect();
    let longest = late.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest <= ms(110), "{longest:?} between two looks: {late:?}");
}

#[test]
fn a_late_change_is_read_with_all_that_its_event_touched_when_it_is_expected() {
    let start = Instant::now();
    let mut schedule = settled(start);
    schedule.lags.learn(ms(1_900), ms(2_000), start);
    let event = start + ms(1_000);
    schedule.touch(&touch_of(1), event);
    let first: Vec<Key> = schedule.due_touched(event).into_iter().collect();
    run(&mut schedule, &first, Cause::Touched, event);
    let look = schedule.next_due(event).unwrap();
    assert_eq!(look - event, ms(1_900), "not before it can show");
    let due: Vec<Key> = schedule.due_touched(look).into_iter().collect();
    let scopes = [Scope::ALL, Scope::channel(0)];
    let its_own = scopes.into_iter().flat_map(|scope| PARTS.map(|part| Key::Queue(sid(1), scope, part)));
    assert_eq!(due, its_own.collect::<Vec<_>>());
    assert!(due.iter().all(|key| schedule.is_named(*key)), "each by a call of its own");
    schedule.started(&due, Cause::Touched, look);
    for key in due.iter().rev() {
        schedule.succeeded(*key, Cause::Touched, look, true);
    }
    let related: Vec<Key> = schedule.due_touched(look).into_iter().collect();
    assert_eq!(related, PARTS.map(Key::Workspace), "what was read at that moment is not read again");
    run(&mut schedule, &related, Cause::Touched, look);
    let again = schedule.next_due(look).unwrap();
    let due: Vec<Key> = schedule.due_touched(again).into_iter().collect();
    run(&mut schedule, &due, Cause::Touched, again);
    assert!(schedule.slots.values().all(|slot| slot.touch_due.is_none()), "one more look, and it rests");
}

#[test]
fn looks_after_single_queues_have_a_budget_beyond_which_they_share_bulk_calls() {
    let start = Instant::now();
    let mut schedule = Schedule::new(RefreshConfig::default(), NEEDS, &[], start);
    schedule.set_queues(&(0..200).map(sid).collect(), start);
    let all: Vec<Key> = schedule.due_by_timer(start).into_iter().collect();
    run(&mut schedule, &all, Cause::Timer, start);
    schedule.lags.learn(ms(1_900), ms(2_000), start);
    let (mut close, mut now) = (0, start);
    while now < start + ms(10_000) {
        now += ms(10);
        let queue = u8::try_from((now - start).as_millis() / 10 % 200).unwrap();
        schedule.touch(&touch_of(queue), now);
        let due: Vec<Key> = schedule.due_touched(now).into_iter().collect();
        let look = |key: &Key| schedule.settles(*key) && schedule.slots.get(key).unwrap().closely;
        close += due.iter().filter(|key| look(key)).count();
        run(&mut schedule, &due, Cause::Touched, now);
    }
    let most = CLOSE_LOOKS_IN_A_ROW + 10.0 * CLOSE_LOOKS_PER_SECOND;
    assert!(close > 0 && close as f64 <= most, "{close}");
}

#[test]
fn a_failing_key_comes_back_later_whatever_events_say() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    let now = start + Duration::from_secs(5);
    schedule.started(&[key], Cause::Timer, now);
    schedule.failed(key, Cause::Timer, now, now, Some(Duration::from_secs(2)));
    schedule.touch(&touch_of(1), now + ms(10));
    let due = schedule.due_touched(now + ms(1500));
    assert!(!due.contains(&key) && !due.is_empty(), "the others are read: {due:?}");
    assert!(schedule.due_touched(now + Duration::from_secs(4)).contains(&key));
}

#[test]
fn single_reads_are_spread_over_the_interval() {
    let start = Instant::now();
    let mut schedule =
        Schedule::new(RefreshConfig::default(), NEEDS, &["voice".into(), "chat".into()], start);
    schedule.set_queues(&(0..20).map(sid).collect(), start);
    let short = Offers { combined_is_complete: false, ..Offers::default() };
    let mut now = start;
    while schedule.admit_single(now) {}
    let mut read = 0;
    while now < start + Duration::from_secs(30) {
        schedule.pace_singles(short, now);
        read += u32::from(schedule.admit_single(now));
        now += ms(10);
    }
    let needed = 20 * 3;
    assert!((needed..needed * 3 / 2).contains(&read), "{read} reads for {needed} keys");
}

#[test]
fn a_new_day_reads_all_counters() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let midnight = start + Duration::from_secs(2);
    schedule.begin_day(midnight);
    assert_eq!(schedule.due_by_timer(midnight).len(), 1 + 3 * 3);
}

#[test]
fn an_unknown_queue_makes_the_directory_due() {
    let start = Instant::now();
    let mut schedule = settled(start);
    schedule.touch(&touch_of(9), start + Duration::from_secs(1));
    assert!(schedule.due_touched(start + Duration::from_secs(1)).contains(&Key::Directory));
}

#[test]
fn calls_for_events_are_bounded_however_many_queues_are_touched() {
    let start = Instant::now();
    let mut schedule = Schedule::new(RefreshConfig::default(), NEEDS, &[], start);
    schedule.set_queues(&(0..200).map(sid).collect(), start);
    let all: Vec<Key> = schedule.due_by_timer(start).into_iter().collect();
    run(&mut schedule, &all, Cause::Timer, start);
    let mut calls = 0;
    for tick in 0..2_000 {
        let now = start + Duration::from_secs(1) + ms(tick);
        schedule.touch(&touch_of((tick % 200) as u8), now);
        let due = schedule.due_touched(now);
        if !due.is_empty() {
            let reads = super::super::plan::plan(&due, &schedule.queues(), Offers::default());
            schedule.launched(reads.len(), now);
            calls += reads.len();
            let due: Vec<Key> = due.into_iter().collect();
            run(&mut schedule, &due, Cause::Touched, now);
        }
    }
    let most = CALLS_IN_A_ROW + 2.0 * CALLS_PER_SECOND;
    assert!(calls as f64 <= most + 3.0, "{calls}");
}

#[test]
fn a_key_is_read_three_times_at_once_and_then_in_its_spacing() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    let (first, mut reads) = (start + ms(10_000), Vec::new());
    for now in (0..2_000).map(|after| first + ms(after)) {
        schedule.touch(&touch_of(1), now);
        if schedule.due_touched(now).contains(&key) {
            run(&mut schedule, &[key], Cause::Touched, now);
            reads.push((now - first).as_millis());
        }
    }
    assert_eq!(reads[..4], [0, 1, 2, 250]);
    assert!(reads[3..].windows(2).all(|pair| pair[1] - pair[0] == 250), "{reads:?}");
}

#[test]
fn a_list_read_for_others_holds_up_nothing_that_an_event_names() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    let now = start + ms(2_000);
    // It only covers this key, again and again, and is under way.
    for _ in 0..10 {
        run(&mut schedule, &[key], Cause::Timer, now);
    }
    schedule.started(&[key], Cause::Timer, now);
    schedule.touch(&touch_of(1), now + ms(1));
    assert!(schedule.due_touched(now + ms(1)).contains(&key));
}

#[test]
fn events_for_all_share_one_moment_a_second_and_do_not_hold_up_what_one_names() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let all = Invalidation { queues: Queues::All, ..Invalidation::default() };
    let first = start + ms(2_000);
    schedule.touch(&all, first);
    let due: Vec<Key> = schedule.due_touched(first).into_iter().collect();
    assert_eq!(due.len(), 3 * 3);
    run(&mut schedule, &due, Cause::Touched, first);
    for after in [100, 300, 500] {
        schedule.touch(&all, first + ms(after));
        assert!(schedule.due_touched(first + ms(after)).is_empty());
    }
    schedule.touch(&touch_of(2), first + ms(600));
    let named = schedule.due_touched(first + ms(600));
    assert!(named.contains(&Key::Queue(sid(2), Scope::ALL, Part::Realtime)));
    assert!(named.iter().all(|key| schedule.is_named(*key)), "{named:?}");
    assert!(schedule.due_touched(first + ms(1_000)).len() > named.len(), "and then all of them");
}

#[test]
fn a_change_of_an_event_that_is_still_under_way_is_no_lag() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    for (round, explained) in [(1, true), (2, false)] {
        let event = start + ms(20_000 * round);
        schedule.touch(&touch_of(1), event);
        run(&mut schedule, &[key], Cause::Touched, event);
        let look = event + ms(1_200);
        schedule.started(&[key], Cause::Touched, look);
        schedule.succeeded(key, Cause::Touched, look, true);
        // A Worker's event does not explain that a Task moved.
        schedule.touch(
            &Invalidation { queues: Queues::All, workspace: true, ..Invalidation::default() },
            look + ms(100),
        );
        if explained {
            schedule.touch(&touch_of(1), look + ms(300));
        }
        let after = look + EVENT_UNDER_WAY;
        schedule.due_touched(after);
        assert_eq!(schedule.lags.expects_lag(after), !explained, "{round}");
    }
}

#[test]
fn a_change_of_workers_alone_is_no_lag_of_an_event_that_names_the_queue() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    let event = start + ms(20_000);
    schedule.touch(&touch_of(1), event);
    run(&mut schedule, &[key], Cause::Touched, event);
    let look = event + ms(1_200);
    schedule.started(&[key], Cause::Touched, look);
    schedule.succeeded(key, Cause::Touched, look, Moved::SideEffects);
    schedule.due_touched(look + EVENT_UNDER_WAY);
    assert!(!schedule.lags.expects_lag(look + EVENT_UNDER_WAY));
}

#[test]
fn settling_reads_take_half_of_the_bulk_window_at_most() {
    let start = Instant::now();
    let mut schedule = Schedule::new(RefreshConfig::default(), NEEDS, &[], start);
    schedule.set_queues(&(0..200).map(sid).collect(), start);
    let all: Vec<Key> = schedule.due_by_timer(start).into_iter().collect();
    run(&mut schedule, &all, Cause::Timer, start);
    schedule.lags.learn(ms(1_900), ms(2_000), start);
    for queue in 0..200 {
        schedule.touch(&touch_of(queue), start + ms(10));
    }
    run(&mut schedule, &all, Cause::Touched, start + ms(10));
    let (mut bulks, mut now, mut looked) = (0, start + ms(11), BTreeSet::new());
    while now < start + ms(5_000) {
        let due: Vec<Key> = schedule.due_touched(now).into_iter().collect();
        let shared = due.iter().filter(|key| !schedule.is_named(**key)).count();
        bulks += shared.div_ceil(MOST_IN_BULK);
        looked.extend(due.iter().copied().filter(|key| schedule.settles(*key)));
        run(&mut schedule, &due, Cause::Touched, now);
        now += ms(10);
    }
    assert!(bulks as f64 <= 1.0 + 5.0 * LOOKS_PER_SECOND, "{bulks}");
    assert_eq!(looked.len(), 200, "each gets its turn");
}

proptest! {
    /// Whatever the order of events, reads and failures: nothing touched is ever forgotten.
    #[test]
    fn no_event_is_forgotten(steps in prop::collection::vec((0..4_u8, 1..4_u8, 1..400_u64), 1..80)) {
        let start = Instant::now();
        let mut schedule = settled(start);
        let mut now = start + Duration::from_secs(1);
        let mut running: Vec<(Key, Instant)> = Vec::new();
        let mut last_event: BTreeMap<u8, Instant> = BTreeMap::new();
        for (action, queue, wait) in steps {
            now += ms(wait);
            match action {
                0 => {
                    schedule.touch(&touch_of(queue), now);
                    last_event.insert(queue, now);
                }
                1 => {
                    let due: Vec<Key> = schedule.due_touched(now).into_iter().collect();
                    schedule.started(&due, Cause::Touched, now);
                    running.extend(due.into_iter().map(|key| (key, now)));
                }
                2 => for (key, started) in running.drain(..) {
                    schedule.succeeded(key, Cause::Touched, started, queue == 1);
                },
                _ => for (key, started) in running.drain(..) {
                    schedule.failed(key, Cause::Touched, started, now, None);
                },
            }
        }
        for (key, started) in running.drain(..) {
            schedule.succeeded(key, Cause::Touched, started, false);
        }
        let end = now + Duration::from_secs(4);
        while now < end {
            now += ms(50);
            let due: Vec<Key> = schedule.due_touched(now).into_iter().collect();
            run(&mut schedule, &due, Cause::Touched, now);
        }
        for (queue, event) in last_event {
            for scope in [Scope::ALL, Scope::channel(0)] {
                for part in PARTS {
                    let slot = schedule.slots.get(&Key::Queue(sid(queue), scope, part)).unwrap();
                    prop_assert!(slot.last_ended.unwrap() >= event, "queue {} {:?} {:?}", queue, scope, part);
                }
            }
        }
    }
}

#[test]
fn looking_again_does_not_wait_for_launches_of_other_events() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let event = start + ms(1000);
    schedule.touch(&touch_of(1), event);
    let touched: Vec<Key> = schedule.due_touched(event).into_iter().collect();
    run(&mut schedule, &touched, Cause::Touched, event);
    let look = schedule.next_due(event).unwrap();
    let whole = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    // Other events have used all launches up.
    schedule.launches.drain(look);
    schedule.touch(&touch_of(2), look);
    assert_eq!(schedule.next_due(look), Some(look));
    assert_eq!(schedule.due_touched(look), [whole].into());
    // It shows a late change, so what belongs to it is read at once.
    schedule.started(&[whole], Cause::Touched, look);
    schedule.succeeded(whole, Cause::Touched, look, true);
    let confirmed = look + EVENT_UNDER_WAY;
    schedule.launches.drain(confirmed);
    let related = schedule.due_touched(confirmed);
    assert!(related.contains(&Key::Queue(sid(1), Scope::channel(0), Part::Cumulative)), "{related:?}");
    assert!(!related.iter().any(|key| matches!(key, Key::Queue(queue, ..) if *queue == sid(2))));
}

#[test]
fn the_first_success_after_an_outage_brings_the_others() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let keys: Vec<Key> = [1, 2, 3].map(|n| Key::Queue(sid(n), Scope::ALL, Part::Realtime)).to_vec();
    let timers = start + Duration::from_secs(5);
    schedule.started(&keys, Cause::Timer, timers);
    let named = Some(Duration::from_secs(20));
    for (key, wait) in keys.iter().zip([None, None, named]) {
        schedule.failed(*key, Cause::Timer, timers, timers, wait);
    }
    let due =
        |schedule: &Schedule, now| keys.iter().filter(|k| schedule.due_by_timer(now).contains(k)).count();
    let now = timers + ms(1);
    assert_eq!(due(&schedule, now), 0);
    run(&mut schedule, &keys[..1], Cause::Timer, now);
    assert_eq!(due(&schedule, now), 1, "but not the one for which Twilio named a time");
}

#[test]
fn what_was_refused_for_a_wrong_day_is_asked_again_on_the_right_one() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let keys = [Key::Workspace(Part::Cumulative), Key::Queue(sid(1), Scope::channel(0), Part::Realtime)];
    let later = start + Duration::from_secs(30);
    schedule.started(&keys, Cause::Timer, later);
    for key in keys {
        schedule.failed(key, Cause::Timer, later, later, Some(Duration::from_secs(30)));
    }
    schedule.begin_day(later);
    let due = schedule.due_by_timer(later);
    assert!(keys.iter().all(|key| due.contains(key)), "both halves of the combined answer");
}

fn trace(at: Instant) -> Trace {
    let trace = Trace::begin(&crate::event::Event::default());
    Trace { newest_at: at, oldest_at: at, ..trace }
}

#[test]
fn an_event_that_has_shown_is_not_reported_again() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    let event = start + ms(1_000);
    schedule.touch(&Invalidation { event: Some(trace(event)), ..touch_of(1) }, event);
    assert!(schedule.event(key).is_some());
    schedule.started(&[key], Cause::Touched, event);
    schedule.succeeded(key, Cause::Touched, event, true);
    assert_eq!(schedule.event(key), None, "the looks after it are nothing that it waits for");
}

#[test]
fn in_a_busy_centre_the_first_event_does_not_wait_for_ever() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    let mut event = start;
    for _ in 0..20 {
        event += ms(1_000);
        schedule.touch(&Invalidation { event: Some(trace(event)), ..touch_of(1) }, event);
        // It moved nothing that settling looks at.
        run(&mut schedule, &[key], Cause::Touched, event);
    }
    assert_eq!(schedule.event(key).map(|trace| trace.oldest_at), Some(event));
}

#[test]
fn a_read_that_begins_late_shows_no_lag() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    let event = start + ms(1_000);
    schedule.touch(&Invalidation { queues: Queues::All, workspace: true, ..Invalidation::default() }, event);
    // Events for all are read once a second, and this is the first read since.
    let read = event + ms(900);
    schedule.started(&[key], Cause::Touched, read);
    schedule.succeeded(key, Cause::Touched, read, true);
    schedule.due_touched(read + EVENT_UNDER_WAY);
    assert!(!schedule.lags.expects_lag(read + EVENT_UNDER_WAY));
}

#[test]
fn a_read_that_failed_has_shown_nothing_so_the_next_one_shows_no_lag() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    let event = start + ms(1_000);
    schedule.touch(&touch_of(1), event);
    let tries = [event, event + ms(500)];
    for tried in tries {
        schedule.started(&[key], Cause::Touched, tried);
        schedule.failed(key, Cause::Touched, tried, tried + ms(10), None);
    }
    let read = event + ms(1_500);
    schedule.started(&[key], Cause::Touched, read);
    schedule.succeeded(key, Cause::Touched, read, true);
    schedule.due_touched(read + EVENT_UNDER_WAY);
    let lags = schedule.lags.expects_lag(read + EVENT_UNDER_WAY);
    assert!(!lags, "Twilio was away, its statistics were not late");

    // The same where an answer came and did not show it.
    let event = start + ms(20_000);
    schedule.touch(&touch_of(1), event);
    run(&mut schedule, &[key], Cause::Touched, event);
    let read = event + ms(1_500);
    schedule.started(&[key], Cause::Touched, read);
    schedule.succeeded(key, Cause::Touched, read, true);
    schedule.due_touched(read + EVENT_UNDER_WAY);
    assert!(schedule.lags.expects_lag(read + EVENT_UNDER_WAY));
}

#[test]
fn an_event_goes_on_waiting_where_its_read_failed() {
    let start = Instant::now();
    let mut schedule = settled(start);
    let key = Key::Queue(sid(1), Scope::ALL, Part::Realtime);
    let first = start + ms(1_000);
    schedule.touch(&Invalidation { event: Some(trace(first)), ..touch_of(1) }, first);
    schedule.started(&[key], Cause::Touched, first);
    schedule.failed(key, Cause::Touched, first, first + ms(10), None);
    let second = first + ms(2_000);
    schedule.touch(&Invalidation { event: Some(trace(second)), ..touch_of(1) }, second);
    assert_eq!(schedule.event(key).map(|trace| trace.oldest_at), Some(first));
}
