//! Documents are created within what Twilio allows the whole Sync Service.

use super::tests::{drain, event, landed, ms, value};
use super::*;

const WINDOW: Duration = Duration::from_secs(10);
/// 20 a second over a window of ten seconds.
const ALLOWED: usize = 200;

fn document(n: usize) -> Target {
    Target::Document(format!("task-queue-{n}").into())
}

/// Documents that were looked for and are missing, each with a value that waits.
fn missing(count: usize, now: Instant) -> Outbox {
    let mut outbox = Outbox::default();
    for n in 0..count {
        let found = Found { targets: HashMap::new(), map_is_there: true, looked_at: now };
        let wanted = HashMap::from([(document(n), value(n, 0))]);
        outbox.audit(&document(n).object(), &found, &wanted, |_| None, now);
    }
    outbox
}

/// Writes what may be written until nothing waits; each write takes 50 ms. Returns when each Document was created.
fn created(outbox: &mut Outbox, mut now: Instant, until: Instant) -> Vec<Instant> {
    let mut created = Vec::new();
    while !outbox.is_empty() && now < until {
        let targets = drain(outbox, now);
        created.extend(targets.iter().map(|_| now));
        now += ms(50);
        targets.iter().for_each(|target| outbox.ended(target, landed(), now));
    }
    created
}

/// Five seconds after a thousand Documents began to be created, with the budget for it spent.
fn being_filled() -> (Outbox, Instant) {
    let start = Instant::now();
    let mut outbox = missing(1_000, start);
    let now = start + ms(5_000);
    created(&mut outbox, start, now);
    (outbox, now)
}

#[test]
fn no_ten_seconds_hold_more_creations_than_twilio_allows() {
    let start = Instant::now();
    let times = created(&mut missing(1_000, start), start, start + Duration::from_secs(120));
    assert_eq!(times.len(), 1_000);
    for (n, first) in times.iter().enumerate() {
        let within = times[n..].iter().take_while(|at| **at < *first + WINDOW).count();
        assert!(within < ALLOWED, "{within} from {:?} on", *first - start);
    }
    let took = times[999] - start;
    assert!(took < Duration::from_secs(62), "most of what is allowed is used: {took:?}");
}

#[test]
fn a_document_that_an_event_names_is_created_before_those_that_wait() {
    let (mut outbox, now) = being_filled();
    outbox.want(&document(999), value(7, 0), event(), now);
    let at = outbox.wake_at(now).unwrap().max(now);
    assert!(at < now + ms(1_000), "places come free one after the other");
    assert_eq!(drain(&mut outbox, at).first(), Some(&document(999)));
}

#[test]
fn a_document_that_an_event_named_before_it_was_looked_for_is_created_first() {
    let (mut outbox, now) = being_filled();
    let found = Found { targets: HashMap::new(), map_is_there: true, looked_at: now };
    let wanted = HashMap::from([(document(2_000), value(7, 0))]);
    outbox.audit(&document(2_000).object(), &found, &wanted, |_| event(), now);
    let at = outbox.wake_at(now).unwrap().max(now);
    assert_eq!(drain(&mut outbox, at).first(), Some(&document(2_000)));
}

#[test]
fn documents_that_are_there_do_not_wait_for_those_to_be_created() {
    let (mut outbox, now) = being_filled();
    outbox.want(&document(0), value(7, 0), event(), now);
    let targets = drain(&mut outbox, now);
    assert!(targets.contains(&document(0)), "{}", targets.len());
    assert_eq!(outbox.at_limit(now), None, "none of them is written too often");
}

#[test]
fn a_document_that_is_unexpectedly_missing_waits_for_its_creation_like_all_others() {
    let (mut outbox, now) = being_filled();
    outbox.want(&document(0), value(7, 0), None, now);
    let writes = std::iter::from_fn(|| outbox.take(now)).collect::<Vec<_>>();
    let update = writes.iter().find_map(|write| match write {
        Write::Target { target, there, .. } if *target == document(0) => Some(*there),
        _ => None,
    });
    assert_eq!(update, Some(true));
    for write in &writes {
        let Write::Target { target, .. } = write else { panic!("{write:?}") };
        outbox.ended(target, if *target == document(0) { WriteOutcome::NoDocument } else { landed() }, now);
    }
    assert!(outbox.take(now).is_none(), "the budget of creations is spent");
    created(&mut outbox, now, now + Duration::from_secs(120));
    assert!(outbox.unwritten().is_empty());
}

#[test]
fn a_refused_creation_slows_creations_and_no_document() {
    let start = Instant::now();
    let mut outbox = missing(30, start);
    let targets = drain(&mut outbox, start);
    assert!(!targets.is_empty());
    outbox.ended(&targets[0], landed(), start);
    outbox.ended(&targets[1], WriteOutcome::Throttled(None), start);
    assert!(drain(&mut outbox, start).is_empty(), "creations pause");
    outbox.want(&targets[0], value(500, 0), event(), start);
    assert_eq!(drain(&mut outbox, start), [targets[0].clone()]);
}
