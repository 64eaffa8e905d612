//! Whose updates go where.

use super::*;

fn call(n: u8) -> CallSid {
    format!("CA{n:032x}").parse().unwrap()
}

fn worker(n: u8) -> WorkerSid {
    format!("WK{n:032x}").parse().unwrap()
}

fn heard(updates: &mut mpsc::Receiver<Update>) -> Vec<String> {
    std::iter::from_fn(|| updates.try_recv().ok()).map(|update| update.status.to_string()).collect()
}

#[test]
fn updates_go_to_the_line_that_placed_the_call_in_order_and_once() {
    let (mut register, now) = (Register::default(), Instant::now());
    let (line, mut mine) = register.open(worker(1), now);
    let (_, mut tab) = register.open(worker(1), now);
    let (_, mut other) = register.open(worker(2), now);
    register.placed(call(1), "queued", worker(1), line, now);
    for (status, sequence) in
        [("ringing", 0), ("ringing", 0), ("in-progress", 2), ("late", 1), ("completed", 3), ("completed", 3)]
    {
        register.told(call(1), status, Some(sequence), now);
    }
    assert_eq!(heard(&mut mine), ["queued", "ringing", "in-progress", "completed"]);
    assert!(heard(&mut tab).is_empty() && heard(&mut other).is_empty());
    assert_eq!(register.calls(), 0, "its state ended with it");
}

#[test]
fn a_callback_that_overtakes_the_answer_is_not_lost() {
    let (mut register, now) = (Register::default(), Instant::now());
    let (line, mut mine) = register.open(worker(1), now);
    register.told(call(1), "ringing", Some(0), now);
    assert!(register.early.is_empty(), "nothing is being placed, so it belongs to no Call");
    register.placing(now).unwrap();
    register.told(call(1), "in-progress", Some(1), now);
    register.told(call(1), "ringing", Some(0), now);
    register.placed(call(1), "queued", worker(1), line, now);
    register.not_placing();
    assert_eq!(heard(&mut mine), ["queued", "ringing", "in-progress"]);
}

#[test]
fn an_agent_who_comes_back_gets_the_state_of_the_calls() {
    let (mut register, now) = (Register::default(), Instant::now());
    let (line, mut mine) = register.open(worker(1), now);
    register.placed(call(1), "queued", worker(1), line, now);
    register.placed(call(2), "queued", worker(1), line, now);
    assert_eq!(heard(&mut mine).len(), 2);
    register.close(worker(1), line, Vec::new());
    register.told(call(1), "ringing", Some(0), now);
    register.told(call(1), "in-progress", Some(1), now);
    register.told(call(2), "busy", Some(0), now);
    let (_, mut stranger) = register.open(worker(2), now);
    let (line, mut again) = register.open(worker(1), now);
    let mut told = heard(&mut again);
    told.sort();
    assert_eq!(told, ["busy", "in-progress"], "the newest of each");
    assert!(heard(&mut stranger).is_empty());
    assert!(register.is_of(call(1), worker(1)) && !register.is_of(call(1), worker(2)));
    register.told(call(1), "completed", Some(2), now);
    // It was in the line, but was not taken out.
    let untold = vec![again.try_recv().unwrap()];
    register.close(worker(1), line, untold);
    let (_, mut third) = register.open(worker(1), now);
    assert_eq!(heard(&mut third), ["completed"]);
    assert_eq!(register.calls(), 0);
}

#[test]
fn what_went_into_a_broken_socket_is_sent_again_but_no_answer() {
    let (mut register, now) = (Register::default(), Instant::now());
    let (line, mut broken) = register.open(worker(1), now);
    register.placed(call(1), "queued", worker(1), line, now);
    assert_eq!(heard(&mut broken), ["queued"]);
    register.close(worker(1), line, Vec::new());
    let (line, mut next) = register.open(worker(1), now);
    assert_eq!(heard(&mut next), ["queued"], "so that the agent can hang up");
    register.told(call(1), "in-progress", Some(0), now);
    assert_eq!(heard(&mut next), ["in-progress"]);
    register.close(worker(1), line, Vec::new());
    let (line, mut later) = register.open(worker(1), now);
    assert!(heard(&mut later).is_empty(), "the older plugin takes it for another answer");
    assert!(register.is_of(call(1), worker(1)), "and yet it can be ended");
    register.told(call(1), "completed", Some(1), now);
    // Taken out, and given back because it could not be sent.
    register.close(worker(1), line, vec![later.try_recv().unwrap()]);
    assert_eq!(heard(&mut register.open(worker(1), now).1), ["completed"]);
}

#[test]
fn an_answer_is_sent_once_whichever_way_it_could_come_twice() {
    let (mut register, now) = (Register::default(), Instant::now());
    let (old, mut first) = register.open(worker(1), now);
    register.placed(call(1), "queued", worker(1), old, now);
    for status in ["in-progress", "in-progress", "ringing", "in-progress"] {
        register.told(call(1), status, None, now);
    }
    assert_eq!(heard(&mut first), ["queued", "in-progress"]);
    // A new socket that is there before the old one is seen gone.
    let (_, mut new) = register.open(worker(1), now);
    register.close(worker(1), old, Vec::new());
    assert!(heard(&mut new).is_empty());
    register.told(call(1), "completed", None, now);
    assert_eq!(heard(&mut new), ["completed"]);
}

#[test]
fn an_answer_that_another_replica_may_have_passed_on_is_not_sent_here() {
    let (mut register, now) = (Register::new(true), Instant::now());
    register.heard(call(1), "queued", worker(1), Duration::ZERO, now);
    register.told(call(1), "in-progress", Some(1), now);
    let (_, mut here) = register.open(worker(1), now);
    assert!(heard(&mut here).is_empty());
    register.told(call(1), "completed", Some(2), now);
    assert_eq!(heard(&mut here), ["completed"]);
}

#[test]
fn a_new_socket_that_is_there_before_the_old_one_is_seen_gone_takes_over() {
    let (mut register, now) = (Register::default(), Instant::now());
    let (old, _gone) = register.open(worker(1), now);
    register.placed(call(1), "queued", worker(1), old, now);
    let (_, mut new) = register.open(worker(1), now);
    register.told(call(1), "ringing", Some(0), now);
    assert!(heard(&mut new).is_empty(), "the old one may still be there");
    register.close(worker(1), old, vec![Update { call: call(1), status: "ringing".into() }]);
    assert_eq!(heard(&mut new), ["ringing"]);
    register.told(call(1), "completed", Some(1), now);
    assert_eq!(heard(&mut new), ["completed"]);
}

#[test]
fn nothing_is_kept_for_ever_and_nothing_without_bound() {
    let (mut register, now) = (Register::default(), Instant::now());
    register.placed(call(1), "queued", worker(1), 9, now);
    register.placed(call(2), "queued", worker(1), 9, now);
    register.told(call(2), "failed", Some(0), now);
    let (line, _) = register.open(worker(2), now + LONGEST_WAIT);
    assert_eq!(register.calls(), 1, "the end waited long enough");
    register.open(worker(2), now + LONGEST_CALL);
    assert_eq!(register.calls(), 0);

    let (line_2, mut idle) = register.open(worker(3), now);
    register.placed(call(3), "queued", worker(3), line_2, now);
    for sequence in 0..100 {
        register.told(call(3), "ringing", Some(sequence), now);
    }
    assert_eq!(heard(&mut idle).len(), MOST_UPDATES);
    assert!(idle.is_closed(), "who reads nothing is given up");
    assert_ne!(line, line_2);
    for _ in 0..3 {
        register.take_budget(worker(1), 3, now).unwrap();
    }
    assert_eq!(register.take_budget(worker(1), 3, now), Err(RuleViolation::TooMany));
    assert_eq!(register.take_budget(worker(2), 3, now), Ok(()));
    assert_eq!(register.take_budget(worker(1), 3, now + Duration::from_secs(20)), Ok(()));
}

#[test]
fn a_callback_that_overtakes_another_replicas_word_is_not_lost() {
    let (mut register, now) = (Register::new(true), Instant::now());
    register.told(call(1), "busy", Some(1), now);
    register.told(call(1), "ringing", Some(0), now);
    register.heard(call(1), "queued", worker(1), Duration::ZERO, now);
    assert!(!register.is_of(call(1), worker(1)), "it is over");
    let (_, mut here) = register.open(worker(1), now);
    assert_eq!(heard(&mut here), ["busy"], "only where it stands");
}

#[test]
fn a_call_of_another_replica_waits_for_the_agents_next_line_here() {
    let (mut register, now) = (Register::default(), Instant::now());
    register.heard(call(1), "queued", worker(1), Duration::from_secs(60), now);
    register.told(call(1), "ringing", Some(1), now);
    assert!(register.is_of(call(1), worker(1)), "so the agent may end it from here");
    let (_, mut here) = register.open(worker(1), now);
    register.told(call(1), "completed", Some(2), now);
    assert_eq!(heard(&mut here), ["ringing", "completed"]);
    register.heard(call(2), "queued", worker(1), LONGEST_CALL, now);
    assert!(!register.is_of(call(2), worker(1)), "long over");
}
