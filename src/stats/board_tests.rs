//! Folding: newest wins, unchanged stays in place, failures keep the last value.

use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-01-01T12:00:00Z";

pub(super) fn at(seconds: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(super) fn sid(n: u8) -> TaskQueueSid {
    format!("WQ{n:032x}").parse().unwrap()
}

pub(super) fn queue(n: u8, name: &str) -> TaskQueue {
    serde_json::from_value(json!({"sid": sid(n), "friendly_name": name})).unwrap()
}

pub(super) fn realtime(pending: u64, age: u64) -> Realtime {
    let oldest = (pending > 0).then_some("WT1");
    serde_json::from_value(json!({
        "longest_task_waiting_age": age, "longest_task_waiting_sid": oldest, "total_tasks": pending,
        "tasks_by_status": {"pending": pending},
    }))
    .unwrap()
}

pub(super) fn cumulative(created: u64, end: &str) -> Cumulative {
    serde_json::from_value(json!({
        "start_time": "2026-01-01T00:00:00Z", "end_time": end, "reservations_accepted": 0,
        "reservations_canceled": 0, "reservations_created": created, "reservations_rejected": 0,
        "reservations_rescinded": 0, "reservations_timed_out": 0, "tasks_canceled": 0,
    }))
    .unwrap()
}

pub(super) fn board() -> Board {
    let mut board = Board::new(&["voice".to_owned()], at(0));
    let read = board.begin_read(at(0), true);
    board.fold(
        read,
        vec![ReadAnswer::Directory(listed(vec![queue(1, "Support"), queue(2, "Sales")]))],
        at(0),
    );
    board
}

pub(super) fn fold(board: &mut Board, second: i64, answer: ReadAnswer) -> Folded {
    let read = board.begin_read(at(second), true);
    board.fold(read, vec![answer], at(second))
}

pub(super) fn listed(queues: Vec<TaskQueue>) -> ListedQueues {
    ListedQueues { queues, ..ListedQueues::default() }
}

pub(super) fn state(board: &Board, n: u8) -> Arc<QueueState> {
    board.snapshot().queues[&sid(n)].clone()
}

#[test]
fn an_older_answer_never_replaces_a_newer_one() {
    let mut board = board();
    let early = board.begin_read(at(1), true);
    let late = board.begin_read(at(2), true);
    board.fold(late, vec![ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(7, 3))], at(3));
    board.fold(early, vec![ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(1, 1))], at(4));
    let failure = ReadAnswer::Failed(FailedRead::QueueRealtime(sid(1), Scope::ALL), "x".into());
    board.fold(early, vec![failure], at(5));
    let reading = state(&board, 1).scopes[0].realtime.clone();
    assert_eq!(reading.value.unwrap().total_tasks, 7);
    assert_eq!(reading.as_of, Some(at(2)));
    assert_eq!(reading.stale, None);
}

#[test]
fn a_finished_task_that_is_counted_no_longer_is_a_side_effect() {
    let mut board = board();
    let with_total = |total| {
        let value = Realtime { total_tasks: total, ..realtime(2, 3) };
        ReadAnswer::QueueRealtime(sid(1), Scope::ALL, value)
    };
    fold(&mut board, 1, with_total(3));
    let folded = fold(&mut board, 2, with_total(2));
    assert_eq!(folded.moved[&(sid(1), Scope::ALL)], Moved::SideEffects);
    let other = ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(3, 3));
    assert_eq!(fold(&mut board, 3, other).moved[&(sid(1), Scope::ALL)], Moved::Tasks);
}

#[test]
fn only_what_moved_is_reported_and_replaced() {
    let mut board = board();
    let first = ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(2, 3));
    let moved: Vec<_> = fold(&mut board, 1, first).moved.into_keys().collect();
    assert_eq!(moved, [(sid(1), Scope::ALL)], "and nothing on any channel");
    let before = state(&board, 1);
    let other = state(&board, 2);

    let older = ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(2, 8));
    assert!(fold(&mut board, 6, older).moved.is_empty(), "only an age moved");
    assert!(!state(&board, 1).shows_the_same(&before), "and it shows");

    let before = state(&board, 1);
    let same = ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(2, 8));
    fold(&mut board, 7, same);
    assert!(state(&board, 1).shows_the_same(&before));
    assert_eq!(state(&board, 1).scopes[0].realtime.as_of, Some(at(7)), "though it was confirmed");
    assert!(Arc::ptr_eq(&state(&board, 2), &other), "the other queue was not touched");
}

#[test]
fn a_windows_end_alone_is_no_change() {
    let mut board = board();
    let read = |n| ReadAnswer::QueueCumulative(sid(1), Scope::channel(0), cumulative(4, n));
    fold(&mut board, 1, read("2026-01-01T12:00:01Z"));
    let before = state(&board, 1);
    fold(&mut board, 2, read("2026-01-01T12:00:02Z"));
    assert!(state(&board, 1).shows_the_same(&before));
}

#[test]
fn an_age_counts_from_one_steady_moment() {
    let mut board = board();
    let read = |pending, age| ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(pending, age));
    fold(&mut board, 10, read(1, 4));
    let since = state(&board, 1).scopes[0].oldest.unwrap().since;
    assert_eq!(since, at(6));
    fold(&mut board, 15, read(1, 10));
    let age = state(&board, 1).scopes[0].oldest.unwrap();
    assert_eq!((age.since, age.seconds), (since, 10), "a second's rounding moves nothing");
    fold(&mut board, 20, read(1, 3));
    assert_eq!(state(&board, 1).scopes[0].oldest.unwrap().since, at(17), "another Task is the oldest now");
    fold(&mut board, 21, read(0, 0));
    assert_eq!(state(&board, 1).scopes[0].oldest, None);
}

#[test]
fn a_failure_keeps_the_value_and_says_why() {
    let mut board = board();
    fold(&mut board, 1, ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(2, 3)));
    let failed = |why: &str| ReadAnswer::Failed(FailedRead::QueueRealtime(sid(1), Scope::ALL), why.into());
    fold(&mut board, 2, failed("first"));
    fold(&mut board, 3, failed("second"));
    let reading = state(&board, 1).scopes[0].realtime.clone();
    assert_eq!(reading.value.unwrap().total_tasks, 2);
    assert_eq!(reading.stale, Some(Stale { reason: "first".into(), since: at(2) }));
    fold(&mut board, 4, ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(2, 3)));
    assert_eq!(state(&board, 1).scopes[0].realtime.stale, None);
}

#[test]
fn queues_come_go_and_are_renamed() {
    let mut board = board();
    fold(&mut board, 1, ReadAnswer::QueueRealtime(sid(1), Scope::ALL, realtime(2, 3)));
    fold(&mut board, 2, ReadAnswer::Directory(listed(vec![queue(1, "Help"), queue(3, "New")])));
    let names: Vec<_> =
        board.snapshot().queues.values().map(|state| state.queue.friendly_name.to_string()).collect();
    assert_eq!(names, ["Help", "New"]);
    assert!(state(&board, 1).scopes[0].realtime.value.is_some(), "a new name keeps the numbers");
    let unknown = fold(&mut board, 3, ReadAnswer::QueueRealtime(sid(9), Scope::ALL, realtime(0, 0)));
    assert!(unknown.unknown_queue);
}

#[test]
fn in_a_list_of_several_pages_a_queue_must_be_missing_twice() {
    let mut board = Board::new(&[], at(0));
    let many = |from: usize| -> Vec<TaskQueue> {
        (from..=PAGE_SIZE)
            .map(|n| {
                let sid = format!("WQ{n:032x}");
                serde_json::from_value(json!({"sid": sid, "friendly_name": "q"})).unwrap()
            })
            .collect()
    };
    fold(&mut board, 0, ReadAnswer::Directory(listed(many(0))));
    assert_eq!(board.snapshot().queues.len(), PAGE_SIZE + 1);
    fold(&mut board, 1, ReadAnswer::Directory(listed(many(1))));
    assert_eq!(board.snapshot().queues.len(), PAGE_SIZE + 1, "it may only have shifted between pages");
    fold(&mut board, 2, ReadAnswer::Directory(listed(many(1))));
    assert_eq!(board.snapshot().queues.len(), PAGE_SIZE);
}

#[test]
fn a_queue_whose_entry_cannot_be_read_is_not_gone() {
    let (mut board, leftover) = (board(), sid(9));
    let mut directory = |n, unread| {
        fold(
            &mut board,
            n,
            ReadAnswer::Directory(ListedQueues { queues: vec![queue(1, "Support")], unread }),
        );
        let snapshot = board.snapshot();
        (snapshot.queues.contains_key(&sid(2)), snapshot.is_gone(leftover))
    };
    let that_one = UnreadQueues { queues: [sid(2)].into(), any: false };
    assert_eq!(directory(1, that_one), (true, true));
    let any = UnreadQueues { any: true, ..UnreadQueues::default() };
    assert_eq!(directory(2, any), (true, false), "no item of an earlier start is deleted either");
    assert_eq!(directory(3, UnreadQueues::default()), (false, true));
}

/// What a combined answer or a list carries beyond a bulk answer, as in recordings of 2020.
fn combined(pending: u64, age: u64) -> Realtime {
    let mut value = serde_json::to_value(realtime(pending, age)).unwrap();
    value["account_sid"] = json!("AC00000000000000000000000000000001");
    value["workspace_sid"] = json!("WS00000000000000000000000000000001");
    value["task_queue_sid"] = json!(sid(1));
    value["longest_relative_task_age_in_queue"] = json!(age);
    value["longest_relative_task_sid"] = json!((pending > 0).then_some("WT1"));
    let tasks = json!({"pending": pending, "reserved": 0, "assigned": 0, "wrapping": 0, "completed": 3, "canceled": 0});
    value["tasks_by_status"] = tasks;
    serde_json::from_value(value).unwrap()
}

#[test]
fn fields_that_only_some_answers_carry_do_not_come_and_go() {
    let mut board = board();
    let answer = |value| ReadAnswer::QueueRealtime(sid(1), Scope::ALL, value);
    fold(&mut board, 1, answer(combined(2, 5)));
    let first = state(&board, 1);
    for second in 2..6 {
        let value = if second % 2 == 0 { realtime(2, 5) } else { combined(2, 5) };
        assert!(fold(&mut board, second, answer(value)).moved.is_empty(), "{second}");
        assert!(state(&board, 1).shows_the_same(&first), "{second}");
    }
    let shown = serde_json::to_value(first.scopes[0].realtime.value.as_deref()).unwrap();
    assert_eq!(shown["longest_relative_task_sid"], "WT1");
    assert_eq!(shown["tasks_by_status"]["completed"], 3);
    for envelope in ["account_sid", "workspace_sid", "task_queue_sid", "url"] {
        assert!(shown.get(envelope).is_none(), "{envelope}");
    }
}

#[test]
fn a_queue_in_which_no_task_is_left_forgets_what_only_other_answers_carry() {
    let mut board = board();
    let answer = |value| ReadAnswer::QueueRealtime(sid(1), Scope::ALL, value);
    fold(&mut board, 1, answer(combined(2, 5)));
    fold(&mut board, 2, answer(realtime(0, 0)));
    let shown = serde_json::to_value(state(&board, 1).scopes[0].realtime.value.as_deref()).unwrap();
    assert_eq!(shown["longest_relative_task_age_in_queue"], 0);
    assert_eq!(shown["longest_relative_task_sid"], json!(null));
    assert_eq!(shown["tasks_by_status"]["completed"], 0);
}

#[test]
fn a_status_that_is_missing_counts_nothing() {
    let mut board = board();
    let answer = |statuses: Value| {
        let value = json!({"longest_task_waiting_age": 0, "total_tasks": 0, "tasks_by_status": statuses});
        ReadAnswer::QueueRealtime(sid(1), Scope::ALL, serde_json::from_value(value).unwrap())
    };
    fold(&mut board, 1, answer(json!({"pending": 0, "reserved": 0, "assigned": 0, "wrapping": 0})));
    let first = state(&board, 1);
    assert!(fold(&mut board, 2, answer(json!({}))).moved.is_empty());
    assert!(state(&board, 1).shows_the_same(&first));
}

#[test]
fn an_event_names_a_change_that_a_read_for_others_has_shown_before_its_own() {
    let (mut board, sid) = (board(), sid(1));
    let event = Trace::begin(&crate::event::Event::default());
    let read = |board: &mut Board, pending: u64, event: Trace| {
        let id = board.begin_read(Timestamp::now(), true);
        let before = board.snapshot().clone();
        board.fold(
            id,
            vec![ReadAnswer::QueueRealtime(sid, Scope::ALL, realtime(pending, 0))],
            Timestamp::now(),
        );
        board.explain(&before, &[(FailedRead::QueueRealtime(sid, Scope::ALL), event)]);
        (before.queues[&sid].clone(), board.snapshot().queues[&sid].clone())
    };
    read(&mut board, 1, event.of_all());
    let (before, after) = read(&mut board, 2, event.of_all());
    assert_eq!(after.news(Some(&before)).map(Trace::is_named), Some(false), "a list read shows it");
    let (before, after) = read(&mut board, 2, event);
    assert!(after.is_named_since(&before) && before.shows_the_same(&after));
    assert_eq!(after.news(Some(&before)).map(Trace::is_named), Some(true), "its own read names it");
    let (before, after) = read(&mut board, 2, event);
    assert!(!after.is_named_since(&before) && after.news(Some(&before)).is_none(), "and does so once");
    let known = |state: &QueueState| state.scopes[0].realtime.event.unwrap().newest;
    for later in [Trace::begin(&crate::event::Event::default()), event.of_all()] {
        let (before, after) = read(&mut board, 2, later);
        assert_eq!(known(&after), known(&before), "later ones explain nothing that was explained");
    }
    read(&mut board, 3, event.of_all());
    let (before, after) = read(&mut board, 3, Trace::begin(&crate::event::Event::default()).of_all());
    assert_eq!(known(&after), known(&before), "one that names nothing explains no earlier change");
}
