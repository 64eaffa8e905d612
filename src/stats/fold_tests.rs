//! What a fold takes over of each kind of answer, and what it reports.

use serde_json::{Value, json};

use super::tests::{at, board, cumulative, fold, listed, queue, realtime, sid, state};
use super::*;

fn with(field: &str, value: Value) -> Realtime {
    let mut answer = json!({
        "longest_task_waiting_age": 5, "longest_task_waiting_sid": "WT1", "total_tasks": 2,
        "tasks_by_priority": {"0": 2}, "tasks_by_status": {"pending": 2},
        "activity_statistics": [{"friendly_name": "Idle", "sid": "WA1", "workers": 3}],
        "total_available_workers": 3, "total_eligible_workers": 4, "total_workers": 5,
    });
    answer[field] = value;
    serde_json::from_value(answer).unwrap()
}

fn task(n: u8) -> TaskSid {
    format!("WT{n:032x}").parse().unwrap()
}

fn tasks(n: u8) -> BTreeMap<TaskSid, TaskState> {
    let listed = serde_json::from_value(json!({"sid": task(n)})).unwrap();
    [(task(n), TaskState { task: listed, worker_name: None })].into()
}

fn names(board: &Board) -> Vec<String> {
    board.snapshot().in_order().map(|state| state.queue.friendly_name.to_string()).collect()
}

#[test]
fn each_statistic_is_of_tasks_that_events_name_or_of_what_none_names() {
    let idle = json!([{"friendly_name": "Idle", "sid": "WA1", "workers": 9}]);
    for (field, value, expected) in [
        ("longest_task_waiting_age", json!(6), Moved::Nothing),
        ("longest_task_waiting_sid", json!("WT2"), Moved::Tasks),
        ("tasks_by_priority", json!({"1": 2}), Moved::Tasks),
        ("tasks_by_status", json!({"assigned": 2}), Moved::Tasks),
        ("total_tasks", json!(9), Moved::SideEffects),
        ("activity_statistics", idle, Moved::SideEffects),
        ("total_available_workers", json!(9), Moved::SideEffects),
        ("total_eligible_workers", json!(9), Moved::SideEffects),
        ("total_workers", json!(9), Moved::SideEffects),
    ] {
        let answers = [with("total_tasks", json!(2)), with(field, value)];
        let mut board = board();
        let of_queue = answers.clone().map(|answer| {
            fold(&mut board, 1, ReadAnswer::QueueRealtime(sid(1), Scope::ALL, answer))
                .moved
                .remove(&(sid(1), Scope::ALL))
        });
        assert_eq!(
            of_queue,
            [Some(Moved::Tasks), (expected > Moved::Nothing).then_some(expected)],
            "{field}"
        );
        let of_all =
            answers.map(|answer| fold(&mut board, 1, ReadAnswer::WorkspaceRealtime(answer)).workspace_moved);
        assert_eq!(of_all, [Moved::Tasks, expected], "{field}");
    }
}

#[test]
fn the_task_queues_changed_when_one_did_over_all_channels_apart_from_ages() {
    let mut board = board();
    let realtime = |scope, pending, age| ReadAnswer::QueueRealtime(sid(1), scope, realtime(pending, age));
    let cumulative =
        |scope, n| ReadAnswer::QueueCumulative(sid(1), scope, cumulative(n, "2026-01-01T12:00:00Z"));
    let steps = [
        (realtime(Scope::channel(0), 1, 3), None),
        (realtime(Scope::ALL, 1, 3), Some(2)),
        (realtime(Scope::ALL, 1, 9), Some(2)),
        (cumulative(Scope::channel(0), 4), Some(2)),
        (cumulative(Scope::ALL, 4), Some(5)),
        (cumulative(Scope::ALL, 4), Some(5)),
    ];
    for (second, (answer, changed_at)) in (1..).zip(steps) {
        fold(&mut board, second, answer);
        assert_eq!(board.snapshot().queues_changed_at, changed_at.map(at), "{second}");
    }
    let read = board.begin_read(at(9), true);
    board.fold(read, vec![realtime(Scope::ALL, 7, 3), realtime(Scope::channel(0), 7, 3)], at(9));
    assert_eq!(board.snapshot().queues_changed_at, Some(at(9)));
}

#[test]
fn each_fold_makes_the_next_snapshot_and_says_when() {
    let mut board = board();
    let number = board.snapshot().number;
    fold(&mut board, 1, ReadAnswer::Tasks(tasks(1)));
    assert_eq!((board.snapshot().number, board.snapshot().taken_at), (number + 1, at(1)));
    board.fold_event(LatestEvent::new(BTreeMap::new(), at(2)), at(2));
    assert_eq!((board.snapshot().number, board.snapshot().taken_at), (number + 2, at(2)));
    board.fold_recording(task(1), "https://a.example".into(), at(3));
    assert_eq!((board.snapshot().number, board.snapshot().taken_at), (number + 3, at(3)));
}

#[test]
fn the_latest_event_gives_way_to_none_that_happened_earlier() {
    let mut board = board();
    let event = |second| LatestEvent::new(BTreeMap::new(), at(second));
    board.fold_event(event(5), at(5));
    let shown = board.snapshot().clone();
    board.fold_event(event(4), at(6));
    assert!(Arc::ptr_eq(board.snapshot(), &shown));
    board.fold_event(event(7), at(7));
    assert_eq!(board.snapshot().latest_event.as_deref(), Some(&event(7)));
}

#[test]
fn recordings_are_bounded_and_those_of_shown_tasks_stay() {
    let mut board = board();
    fold(&mut board, 1, ReadAnswer::Tasks(tasks(1)));
    let number = |n: usize| format!("WT{n:032x}").parse().unwrap();
    let fill = |board: &mut Board, count| {
        let recordings = (0..count).map(|n| (number(n), "https://a.example".into())).collect();
        Arc::make_mut(&mut board.snapshot).recordings = Arc::new(recordings);
    };
    fill(&mut board, MOST_RECORDINGS - 1);
    board.fold_recording(number(MOST_RECORDINGS - 1), "https://a.example".into(), at(1));
    assert_eq!(board.snapshot().recordings.len(), MOST_RECORDINGS);
    board.fold_recording(number(MOST_RECORDINGS), "https://b.example".into(), at(2));
    let kept: Vec<_> = board.snapshot().recordings.keys().copied().collect();
    assert_eq!(kept, [task(1), number(MOST_RECORDINGS)]);
    // Where all are of shown Tasks, the newest is left out.
    let shown = tasks(1).into_values().next().unwrap();
    let many = (0..MOST_RECORDINGS).map(|n| (number(n), shown.clone())).collect();
    fold(&mut board, 3, ReadAnswer::Tasks(many));
    fill(&mut board, MOST_RECORDINGS);
    board.fold_recording(number(MOST_RECORDINGS), "https://a.example".into(), at(4));
    assert_eq!(board.snapshot().recordings.len(), MOST_RECORDINGS);
}

#[test]
fn a_channel_that_is_added_has_no_statistics_yet_and_takes_none_away() {
    let mut board = board();
    fold(&mut board, 1, ReadAnswer::QueueRealtime(sid(1), Scope::channel(0), realtime(2, 3)));
    board.add_channels(&["chat".into()], at(2));
    let snapshot = board.snapshot();
    assert_eq!((&*snapshot.channels, snapshot.taken_at), (&["voice".into(), "chat".into()][..], at(2)));
    let known: Vec<_> = state(&board, 1).scopes.iter().map(|scope| scope.realtime.value.is_some()).collect();
    assert_eq!(known, [false, true, false]);
}

#[test]
fn an_older_answer_of_any_kind_changes_nothing_and_a_later_one_of_the_same_read_counts() {
    let mut board = board();
    let end = "2026-01-01T12:00:00Z";
    let answers = |n: u8| {
        vec![
            ReadAnswer::Directory(listed(vec![queue(1, &n.to_string())])),
            ReadAnswer::WorkspaceRealtime(realtime(n.into(), 3)),
            ReadAnswer::WorkspaceCumulative(cumulative(n.into(), end)),
            ReadAnswer::LastHour(cumulative(n.into(), end)),
            ReadAnswer::Tasks(tasks(n)),
        ]
    };
    let failed = || {
        [
            FailedRead::WorkspaceRealtime,
            FailedRead::WorkspaceCumulative,
            FailedRead::LastHour,
            FailedRead::Tasks,
        ]
        .map(|what| ReadAnswer::Failed(what, "503".into()))
    };
    let shown = |board: &Board| {
        let snapshot = board.snapshot();
        (
            names(board),
            snapshot.workspace.realtime.value.as_ref().unwrap().total_tasks,
            snapshot.workspace.cumulative.value.as_ref().unwrap().reservations_created,
            snapshot.last_hour.value.as_ref().unwrap().reservations_created,
            snapshot.tasks.value.as_ref().unwrap().keys().copied().collect::<Vec<_>>(),
        )
    };
    let of = |n: u8| (vec![n.to_string()], n.into(), n.into(), n.into(), vec![task(n)]);
    let stale = |board: &Board| {
        let snapshot = board.snapshot();
        let workspace = &snapshot.workspace;
        [
            workspace.realtime.stale.is_some(),
            workspace.cumulative.stale.is_some(),
            snapshot.last_hour.stale.is_some(),
            snapshot.tasks.stale.is_some(),
        ]
    };
    let early = board.begin_read(at(1), true);
    let late = board.begin_read(at(2), true);
    board.fold(late, answers(7), at(3));
    assert_eq!(shown(&board), of(7));
    board.fold(early, answers(1).into_iter().chain(failed()).collect(), at(4));
    assert_eq!((shown(&board), stale(&board)), (of(7), [false; 4]));
    board.fold(late, answers(8), at(5));
    assert_eq!((shown(&board), stale(&board)), (of(8), [false; 4]));
    board.fold(late, failed().into(), at(6));
    assert_eq!((shown(&board), stale(&board)), (of(8), [true; 4]), "a failure keeps the value");
}

#[test]
fn what_is_read_again_and_did_not_change_stays_in_place() {
    let mut board = board();
    let end = "2026-01-01T12:00:00Z";
    let answers = || {
        vec![
            ReadAnswer::Directory(listed(vec![queue(2, "Sales"), queue(1, "Support")])),
            ReadAnswer::WorkspaceRealtime(realtime(1, 3)),
            ReadAnswer::WorkspaceCumulative(cumulative(4, end)),
            ReadAnswer::Tasks(tasks(1)),
        ]
    };
    let read = board.begin_read(at(1), true);
    board.fold(read, answers(), at(1));
    assert_eq!(names(&board), ["Sales", "Support"]);
    let before = board.snapshot().clone();
    let read = board.begin_read(at(2), true);
    board.fold(read, answers(), at(2));
    let after = board.snapshot();
    assert!(Arc::ptr_eq(&before.order, &after.order));
    assert!(Arc::ptr_eq(&before.queues[&sid(1)], &after.queues[&sid(1)]));
    assert!(before.workspace.shows_the_same(&after.workspace) && before.tasks.shows_the_same(&after.tasks));
    assert_eq!(after.tasks.as_of, Some(at(2)), "though it was confirmed");
}

#[test]
fn scopes_share_a_table_of_activities_that_is_the_same() {
    let mut board = board();
    let table = |workers: u64| {
        with("activity_statistics", json!([{"friendly_name": "Idle", "sid": "WA1", "workers": workers}]))
    };
    fold(&mut board, 1, ReadAnswer::QueueRealtime(sid(1), Scope::ALL, table(3)));
    fold(&mut board, 2, ReadAnswer::QueueRealtime(sid(1), Scope::channel(0), table(3)));
    let tables = |board: &Board| {
        let state = state(board, 1);
        [0, 1].map(|scope| state.scopes[scope].realtime.value.as_ref().unwrap().activity_statistics.clone())
    };
    let [of_all, of_channel] = tables(&board);
    assert!(Arc::ptr_eq(&of_all, &of_channel));
    fold(&mut board, 3, ReadAnswer::QueueRealtime(sid(1), Scope::channel(0), table(4)));
    let [of_all, of_channel] = tables(&board);
    assert_eq!((of_all[0].workers, of_channel[0].workers), (3, 4));
}

#[test]
fn the_oldest_task_is_one_that_waits_and_another_one_counts_from_its_own_moment() {
    let mut board = board();
    let mut oldest = |second: i64, age: u64, task: &str, statuses: Value| {
        let answer = json!({
            "longest_task_waiting_age": age, "longest_task_waiting_sid": task, "total_tasks": 1, "tasks_by_status": statuses,
        });
        let answer = serde_json::from_value(answer).unwrap();
        fold(&mut board, second, ReadAnswer::QueueRealtime(sid(1), Scope::ALL, answer));
        state(&board, 1).scopes[0].oldest.map(|age| age.since)
    };
    assert_eq!(oldest(1, 0, "WT1", json!({"pending": 1, "reserved": 0})), Some(at(1)));
    assert_eq!(oldest(20, 0, "WT1", json!({"pending": 0, "reserved": 1})), Some(at(20)));
    assert_eq!(oldest(30, 0, "WT1", json!({"pending": 0, "reserved": 0, "assigned": 1})), None);
    assert_eq!(
        oldest(40, 5, "WT1", json!({"pending": 0, "reserved": 0})),
        Some(at(35)),
        "Twilio names its age"
    );
    assert_eq!(oldest(42, 6, "WT1", json!({"pending": 1})), Some(at(35)), "the same Task");
    assert_eq!(oldest(44, 8, "WT2", json!({"pending": 1})), Some(at(36)), "another one");
}
