//! The pacer's promises, with the clock in hand.

use proptest::prelude::*;

use super::*;

/// How long a write is under way.
const FLIGHT: Duration = Duration::from_millis(30);

/// Twilio's limit in two readings, both counted where a write arrives.
struct Readings {
    bucket: Bucket,
    arrived: VecDeque<(Instant, f64)>,
}

impl Readings {
    fn new(start: Instant) -> Self {
        Self { bucket: Bucket::new(200.0, 20.0, 200.0, start), arrived: VecDeque::new() }
    }

    /// A write arrives, later than all before it.
    fn allow(&mut self, cost: f64, at: Instant) -> bool {
        self.arrived.push_back((at, cost));
        while self.arrived.front().is_some_and(|(first, _)| *first + WINDOW <= at) {
            self.arrived.pop_front();
        }
        let sliding = self.arrived.iter().map(|(_, cost)| cost).sum::<f64>();
        sliding <= 180.0 + WHISKER && self.bucket.take(cost, 0.0, at)
    }
}

/// Writes that go out within `seconds` when there is always one more to write.
fn writes(pacer: &mut Pacer, bytes: usize, urgency: Urgency, start: Instant, seconds: u64) -> u32 {
    let mut now = start;
    let mut count = 0;
    while now < start + Duration::from_secs(seconds) {
        if pacer.take(bytes, urgency, now) {
            pacer.ended(1, bytes, now);
            count += 1;
        } else {
            let ready = pacer.ready_at(bytes, urgency, now);
            assert!(ready > now, "would spin");
            now = ready;
        }
    }
    count
}

/// One that has written nothing for a long time.
fn rested(start: Instant) -> (Pacer, Instant) {
    (Pacer::new(start), start + Duration::from_secs(60))
}

#[test]
fn the_budget_follows_the_payload() {
    let rate = |bytes| {
        let (mut pacer, start) = rested(Instant::now());
        f64::from(writes(&mut pacer, bytes, Urgency::Named, start, 100)) / 100.0
    };
    assert!((17.0..=20.0).contains(&rate(500)), "{}", rate(500));
    assert!((1.7..=2.0).contains(&rate(12_000)), "{}", rate(12_000));
    assert!((9.0..=11.0).contains(&rate(5_632)), "{}", rate(5_632));
}

#[test]
fn what_events_name_goes_at_once_while_the_window_has_room() {
    let (mut pacer, start) = rested(Instant::now());
    let mut at_once = 0;
    while pacer.take(500, Urgency::Named, start) {
        at_once += 1;
    }
    assert_eq!(at_once, 180);
}

#[test]
fn other_writes_leave_room_now_and_in_every_moment_to_come() {
    let (mut pacer, start) = rested(Instant::now());
    // The first filling of a large Map, and from then on ten changes a second that events name.
    let mut now = start;
    let (mut next_named, mut waited) = (start + Duration::from_secs(20), Duration::ZERO);
    while now < start + Duration::from_secs(60) {
        while next_named <= now && pacer.take(5_000, Urgency::Named, now) {
            waited = waited.max(now - next_named);
            pacer.ended(1, 5_000, now);
            next_named += Duration::from_millis(100);
        }
        if pacer.take(5_000, Urgency::Filling, now) {
            pacer.ended(1, 5_000, now);
        }
        now += Duration::from_millis(5);
    }
    assert!(waited <= Duration::from_millis(10), "{waited:?}");
}

#[test]
fn a_429_teaches_the_size_of_the_window_and_not_a_slow_rate() {
    let (mut pacer, start) = rested(Instant::now());
    for _ in 0..100 {
        assert!(pacer.take(500, Urgency::Named, start));
        pacer.ended(1, 500, start);
        pacer.landed(start);
    }
    for _ in 0..5 {
        pacer.throttled(None, start);
    }
    assert!(!pacer.take(500, Urgency::Named, start));
    assert!((pacer.budget - 90.0).abs() < 1e-9, "90 % of the 100 that were too much: {}", pacer.budget);
    let later = start + Duration::from_secs(11);
    let mut at_once = 0;
    while pacer.take(500, Urgency::Named, later) {
        pacer.ended(1, 500, later);
        at_once += 1;
    }
    assert_eq!(at_once, 90, "at once all the same");
    pacer.landed(later);
    assert!(pacer.budget <= 100.0, "it recovers by one step a window: {}", pacer.budget);
    for window in 2..30 {
        pacer.landed(start + WINDOW * window);
    }
    assert!((pacer.budget - BUDGET).abs() < 1e-9);
}

#[test]
fn a_pause_that_twilio_names_is_kept() {
    let (mut pacer, start) = rested(Instant::now());
    pacer.throttled(Some(Duration::from_secs(9)), start);
    assert_eq!(pacer.ready_at(100, Urgency::Named, start), start + Duration::from_secs(9));
    assert!(pacer.take(100, Urgency::Named, start + Duration::from_secs(9)));
}

#[test]
fn a_storm_of_429_leaves_a_window_to_recover_with() {
    let (mut pacer, start) = rested(Instant::now());
    for second in 0..30 {
        pacer.throttled(None, start + Duration::from_secs(second));
    }
    let after = start + Duration::from_secs(30);
    assert!(pacer.budget >= 90.0 - 1e-9, "one piece of news: {}", pacer.budget);
    assert!(writes(&mut pacer, 500, Urgency::Named, after, 4) >= 30);
    // Where some land and some are refused, the window is what is wrong.
    for second in 40..60 {
        pacer.landed(start + Duration::from_secs(second));
        pacer.throttled(None, start + Duration::from_secs(second));
    }
    assert!(pacer.budget < 20.0, "{}", pacer.budget);
}

#[test]
fn even_the_smallest_window_takes_one_write_of_any_size() {
    let (mut pacer, start) = rested(Instant::now());
    pacer.budget = LEAST_BUDGET;
    for cause in Urgency::ALL {
        let at = pacer.ready_at(16_000, cause, start);
        assert!(pacer.take(16_000, cause, at));
        pacer.ended(1, 16_000, at);
    }
}

proptest! {
    /// However often replicas take turns, each begins with nothing, so that together they stay within the budget.
    #[test]
    fn taking_turns_spends_no_more_than_one_would(turns in prop::collection::vec(0..8_000_u64, 1..12)) {
        let start = Instant::now();
        let mut limit = Bucket::new(200.0, 20.0, 200.0, start);
        let (mut pacer, mut now) = (Pacer::new(start), start);
        for turn in turns {
            let end = now + Duration::from_millis(turn);
            while now < end {
                if pacer.take(500, Urgency::Named, now) {
                    pacer.ended(1, 500, now);
                    prop_assert!(limit.take(cost(500), 0.0, now));
                } else {
                    now = pacer.ready_at(500, Urgency::Named, now);
                }
            }
            pacer = Pacer::spent(now);
        }
    }

    /// In any order of sizes, causes and pauses, and wherever within its time under way a write arrives.
    #[test]
    fn never_over_any_reading_of_the_budget(
        steps in prop::collection::vec((1..16_384_usize, 0..4_usize, 0..400_u64, 0..30_u64), 1..400),
    ) {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        let mut limit = Readings::new(start);
        let (mut now, mut last_arrival) = (start, start);
        for (bytes, cause, pause, way) in steps {
            // Most follow one another at once.
            now += Duration::from_millis(pause.saturating_sub(350) * 100);
            while !pacer.take(bytes, Urgency::ALL[cause], now) {
                let ready = pacer.ready_at(bytes, Urgency::ALL[cause], now);
                prop_assert!(ready > now, "would spin");
                now = ready;
            }
            last_arrival = last_arrival.max(now + Duration::from_millis(way));
            prop_assert!(limit.allow(cost(bytes), last_arrival));
            now += FLIGHT;
            pacer.ended(1, bytes, now);
        }
    }
}

#[test]
fn other_writes_leave_as_much_as_events_have_lately_taken() {
    let (mut pacer, start) = rested(Instant::now());
    let mut now = start;
    let mut waited = Duration::ZERO;
    // What events name comes in bursts, 60 of 180 units each; the others want all that is left.
    for round in 0..12 {
        for _ in 0..60 {
            let ready = pacer.ready_at(1000, Urgency::Named, now);
            if round > 2 {
                waited = waited.max(ready - now);
            }
            pacer.take(1000, Urgency::Named, ready);
            pacer.ended(1, 1000, ready);
        }
        for _ in 0..500 {
            now += Duration::from_millis(10);
            if pacer.take(1000, Urgency::SideEffect, now) {
                pacer.ended(1, 1000, now);
            }
        }
    }
    assert_eq!(waited, Duration::ZERO, "two bursts in each window, and the others leave room for them");
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn is(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-6
}

/// Small writes that go out in one moment.
fn at_once(pacer: &mut Pacer, urgency: Urgency, now: Instant) -> u32 {
    let mut count = 0;
    while pacer.take(500, urgency, now) {
        pacer.ended(1, 500, now);
        count += 1;
    }
    count
}

#[test]
fn each_urgency_has_a_place_and_a_name_of_its_own() {
    let names = Urgency::ALL.map(|urgency| (urgency.index(), urgency.name(), urgency.is_named()));
    let expected =
        [(0, "event", true), (1, "side_effect", false), (2, "first_filling", false), (3, "age", false)];
    assert_eq!(names, expected);
}

#[test]
fn a_write_costs_by_its_payload_up_to_ten_times_a_small_one() {
    for (bytes, expected) in [(0, 1.0), (1024, 1.0), (5632, 20.0 / 11.0), (10_240, 10.0), (16_384, 10.0)] {
        assert!(is(cost(bytes), expected), "{bytes}: {}", cost(bytes));
        assert!(is(writes_a_second(bytes), 18.0 / expected));
    }
    let mut pacer = Pacer::new(Instant::now());
    pacer.budget = 90.0;
    assert!(is(pacer.writes_a_second(10_240), 0.9));
}

#[test]
fn after_a_restart_forty_go_to_the_first_filling_and_twenty_to_events_at_once() {
    let start = Instant::now();
    let mut pacer = Pacer::new(start);
    assert!(is(pacer.headroom(start), 60.0 / 180.0));
    assert_eq!(at_once(&mut pacer, Urgency::Filling, start), 40);
    assert_eq!(at_once(&mut pacer, Urgency::SideEffect, start), 0, "what is left is for events");
    assert_eq!(at_once(&mut pacer, Urgency::Named, start), 20);
    // What may have been spent before comes back evenly.
    assert_eq!(at_once(&mut pacer, Urgency::Named, start + seconds(0.499)), 0);
    assert_eq!(at_once(&mut pacer, Urgency::Named, start + seconds(0.5)), 6);
    let mut pacer = Pacer::new(start);
    pacer.spent.clear();
    assert_eq!(at_once(&mut pacer, Urgency::Filling, start + WINDOW), 46, "the credit lasts for one window");
}

#[test]
fn after_another_replica_nothing_goes_at_once_and_a_twentieth_each_half_second() {
    let start = Instant::now();
    let mut pacer = Pacer::spent(start);
    for urgency in Urgency::ALL {
        assert_eq!(at_once(&mut pacer, urgency, start), 0);
    }
    assert_eq!(pacer.ready_at(500, Urgency::Named, start), start + seconds(0.5));
    assert_eq!(at_once(&mut pacer, Urgency::Named, start + seconds(0.5)), 9);
}

#[test]
fn other_writes_begin_easily_and_are_then_spread_over_the_window() {
    let (mut pacer, start) = rested(Instant::now());
    assert_eq!(at_once(&mut pacer, Urgency::SideEffect, start), 46, "36 easily, and a burst of 10");
    let next = pacer.ready_at(500, Urgency::SideEffect, start);
    assert!(is((next - start).as_secs_f64() * 13.5, 1.0), "three quarters of 18 a second");
    let count = writes(&mut pacer, 500, Urgency::SideEffect, start, 100);
    assert!((1_250..=1_360).contains(&count), "{count}");
    let (mut pacer, start) = rested(Instant::now());
    pacer.learn(90.0, start);
    assert_eq!(at_once(&mut pacer, Urgency::Aged, start), 28, "18 easily in half a window, and the burst");
    let next = pacer.ready_at(500, Urgency::Aged, start);
    assert!(is((next - start).as_secs_f64() * 6.75, 1.0));
}

#[test]
fn requests_under_way_keep_their_room_until_a_window_after_their_end() {
    let (mut pacer, start) = rested(Instant::now());
    while pacer.take(500, Urgency::Named, start) {}
    assert!(is(pacer.headroom(start), 0.0));
    assert_eq!(pacer.ready_at(500, Urgency::Named, start), start + WINDOW);
    for _ in 0..100 {
        pacer.ended(1, 500, start + seconds(1.0));
    }
    assert_eq!(pacer.spent.len(), 1, "those of one moment share an entry");
    assert_eq!(pacer.ready_at(500, Urgency::Named, start + seconds(1.0)), start + seconds(11.0));
    for _ in 0..30 {
        pacer.ended(0, 500, start + seconds(2.0));
    }
    assert!(
        is(pacer.headroom(start + seconds(2.0)), 30.0 / 180.0),
        "where nothing was sent, nothing is spent"
    );
    for _ in 0..10 {
        pacer.ended(2, 500, start + seconds(3.0));
    }
    assert!(is(pacer.headroom(start + seconds(3.0)), 20.0 / 180.0), "a repeated request is spent twice");
    assert!(is(pacer.headroom(start + seconds(11.0)), 120.0 / 180.0));
}

#[test]
fn what_has_left_the_window_takes_no_memory() {
    let (mut pacer, start) = rested(Instant::now());
    at_once(&mut pacer, Urgency::Named, start);
    pacer.forget(start + WINDOW - Duration::from_millis(1));
    assert!(!pacer.spent.is_empty() && !pacer.named.is_empty());
    pacer.forget(start + WINDOW);
    assert_eq!((pacer.spent.capacity(), pacer.named.capacity()), (0, 0));
}

#[test]
fn a_429_takes_half_of_the_budget_at_most_and_a_tenth_at_least() {
    for (writes, learnt) in [(0, 90.0), (120, 108.0), (180, 162.0)] {
        let (mut pacer, start) = rested(Instant::now());
        for _ in 0..writes {
            assert!(pacer.take(500, Urgency::Named, start));
        }
        pacer.throttled(None, start);
        assert!(is(pacer.budget, learnt), "{writes}: {}", pacer.budget);
        assert_eq!(pacer.paused_until, Some(start + seconds(1.0)));
        pacer.throttled(Some(seconds(0.5)), start);
        assert!(is(pacer.budget, learnt), "one piece of news");
        assert_eq!(pacer.paused_until, Some(start + seconds(1.0)), "the longer pause lasts");
    }
    let (mut pacer, start) = rested(Instant::now());
    while pacer.take(500, Urgency::Named, start) {}
    pacer.throttled(None, start);
    pacer.landed(start);
    pacer.throttled(None, start);
    assert!(is(pacer.budget, 0.9 * 162.0), "a tenth of what is left, though more is in the window");
    let (mut pacer, start) = rested(Instant::now());
    for _ in 0..20 {
        pacer.landed(start);
        pacer.throttled(None, start);
    }
    assert!(is(pacer.budget, 9.0), "{}", pacer.budget);
}

#[test]
fn the_budget_recovers_by_a_twentieth_for_each_window_without_a_429() {
    let (mut pacer, start) = rested(Instant::now());
    pacer.throttled(None, start);
    for (second, budget) in [(9.9, 90.0), (10.0, 99.0), (19.9, 99.0), (45.0, 126.0), (1_000.0, 180.0)] {
        pacer.landed(start + seconds(second));
        assert!(is(pacer.budget, budget), "{second}: {}", pacer.budget);
    }
}

#[test]
fn the_reserve_is_what_events_took_lately_and_some_more_but_for_what_they_have_taken() {
    let (mut pacer, start) = rested(Instant::now());
    let at = |second| start + seconds(second);
    assert!(is(pacer.reserve(start), 45.0), "the least");
    for _ in 0..60 {
        assert!(pacer.take(500, Urgency::Named, start));
    }
    assert!(is(pacer.reserve(start), 180.0 + 30.0 - 60.0), "at this pace they would fill the window");
    assert!(
        is(pacer.reserve(at(1.5)), 90.0 + 30.0 - 60.0),
        "after a second without any it counts less and less"
    );
    assert!(is(pacer.reserve(at(2.0)), 45.0), "they pause");
    assert!(pacer.take(500, Urgency::Named, at(6.0)));
    // Sixty-one in six seconds.
    let pace = 61.0 * 10.0 / 6.0;
    assert!(is(pacer.reserve(at(6.5)), pace + 30.0 - 61.0));
    pacer.budget = 90.0;
    assert!(is(pacer.reserve(at(6.5)), (pace + 30.0 - 61.0) / 2.0), "in half a window, half of it");
    pacer.budget = BUDGET;
    assert!(pacer.take(500, Urgency::Named, at(10.9)));
    assert!(pacer.peak.0 == at(6.0) && is(pacer.peak.1, pace), "it counts for five seconds");
    assert!(pacer.take(500, Urgency::Named, at(11.0)));
    assert!(pacer.peak.0 == at(11.0) && is(pacer.peak.1, 3.0 * 10.0 / 5.0), "{:?}", pacer.peak);
    // Two within a second and a half come faster than two in nine.
    let (mut pacer, start) = rested(Instant::now());
    for second in [0.0, 9.0, 10.5] {
        assert!(pacer.take(500, Urgency::Named, start + seconds(second)));
    }
    assert!(pacer.peak.0 == start + seconds(10.5) && is(pacer.peak.1, 20.0 / 1.5), "{:?}", pacer.peak);
}

#[test]
fn when_events_pause_what_they_left_behind_goes_within_seconds() {
    let (mut pacer, start) = rested(Instant::now());
    // More than Sync takes, for half a minute.
    let mut now = start;
    while now < start + Duration::from_secs(30) {
        if pacer.take(4_800, Urgency::Named, now) {
            pacer.ended(1, 4_800, now);
        }
        now += Duration::from_millis(70);
    }
    let (end, mut left) = (now, 10);
    while left > 0 {
        if pacer.take(4_800, Urgency::SideEffect, now) {
            pacer.ended(1, 4_800, now);
            left -= 1;
        }
        now += Duration::from_millis(10);
        let used = pacer.used(now);
        assert!(now < end + Duration::from_secs(3), "{left} left, {used} of the window used");
    }
}

#[test]
fn in_the_first_window_side_effects_leave_room_for_what_the_pace_of_events_will_take() {
    let (mut pacer, start) = rested(Instant::now());
    let (mut now, mut waited) = (start, Duration::ZERO);
    let mut next_named = start;
    // Events name eight items a second from now on, and there are always side effects to write.
    while now < start + Duration::from_secs(30) {
        while next_named <= now && pacer.take(4_500, Urgency::Named, now) {
            waited = waited.max(now - next_named);
            pacer.ended(1, 4_500, now);
            next_named += Duration::from_millis(125);
        }
        if pacer.take(4_500, Urgency::SideEffect, now) {
            pacer.ended(1, 4_500, now);
        }
        now += Duration::from_millis(5);
    }
    assert!(waited <= Duration::from_millis(100), "{waited:?}");
}
