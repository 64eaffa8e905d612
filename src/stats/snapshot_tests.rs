//! What readers of a snapshot may rely on.

use serde_json::json;

use super::*;
use crate::event::Event;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn sid(n: u8) -> TaskQueueSid {
    format!("WQ{n:032x}").parse().unwrap()
}

fn read<T>(value: T) -> Reading<T> {
    Reading { value: Some(Arc::new(value)), ..Reading::default() }
}

fn failed<T>() -> Reading<T> {
    Reading { stale: Some(Stale { reason: "503".into(), since: at(0) }), ..Reading::default() }
}

fn realtime() -> Realtime {
    serde_json::from_value(json!({"longest_task_waiting_age": 0, "total_tasks": 1})).unwrap()
}

fn cumulative() -> Cumulative {
    let mut value = json!({"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:01Z"});
    for count in ["accepted", "canceled", "created", "rejected", "rescinded", "timed_out"] {
        value[format!("reservations_{count}")] = json!(0);
    }
    value["tasks_canceled"] = json!(0);
    serde_json::from_value(value).unwrap()
}

fn stats() -> ScopeStats {
    ScopeStats { realtime: read(realtime()), cumulative: read(cumulative()), oldest: None }
}

fn queue(n: u8, scopes: Vec<ScopeStats>) -> (TaskQueueSid, Arc<QueueState>) {
    let queue = serde_json::from_value(json!({"sid": sid(n), "friendly_name": n.to_string()})).unwrap();
    (sid(n), Arc::new(QueueState { queue: Arc::new(queue), scopes: scopes.into() }))
}

/// With everything read, of two TaskQueues and one TaskChannel.
fn whole() -> Snapshot {
    Snapshot {
        directory_known: true,
        workspace: stats(),
        last_hour: read(cumulative()),
        tasks: read(BTreeMap::new()),
        queues: [queue(1, vec![stats(), stats()]), queue(2, vec![stats(), stats()])].into(),
        order: [sid(1), sid(2)].into(),
        ..Snapshot::empty(&["voice".to_owned()], at(0))
    }
}

fn all() -> Needs {
    Needs { queues: true, workspace: true, last_hour: true, tasks: true, latest_event: true }
}

fn event() -> Trace {
    Trace::begin(&Event::default())
}

#[test]
fn task_queues_stand_in_taskrouters_order_and_unlisted_ones_come_last() {
    let queues = [queue(1, Vec::new()), queue(2, Vec::new()), queue(3, Vec::new())].into();
    let snapshot = Snapshot { queues, order: [sid(3), sid(1)].into(), ..whole() };
    let order: Vec<_> = snapshot.in_order().map(|state| state.queue.sid).collect();
    assert_eq!(order, [sid(3), sid(1), sid(2)]);
}

#[test]
fn a_snapshot_is_complete_once_all_that_is_needed_was_read_or_failed() {
    assert!(whole().is_complete(all()) && whole().is_complete(Needs::default()));
    let half = || ScopeStats { cumulative: Reading::default(), ..stats() };
    let without = [
        (Needs { queues: false, ..all() }, Snapshot { directory_known: false, ..whole() }),
        (
            Needs { queues: false, ..all() },
            Snapshot { queues: [queue(1, vec![stats(), half()])].into(), ..whole() },
        ),
        (Needs { workspace: false, ..all() }, Snapshot { workspace: half(), ..whole() }),
        (Needs { last_hour: false, ..all() }, Snapshot { last_hour: Reading::default(), ..whole() }),
        (Needs { tasks: false, ..all() }, Snapshot { tasks: Reading::default(), ..whole() }),
    ];
    for (others, snapshot) in without {
        assert!(!snapshot.is_complete(all()), "{others:?}");
        assert!(snapshot.is_complete(others) && snapshot.is_complete(Needs::default()), "{others:?}");
    }
    assert!(Snapshot { tasks: failed(), ..whole() }.is_complete(all()));
}

#[test]
fn a_snapshot_has_values_once_one_of_each_kind_that_is_needed_could_be_read() {
    assert!(whole().has_values(all()) && whole().has_values(Needs::default()));
    let none = || ScopeStats { realtime: failed(), cumulative: failed(), oldest: None };
    let one = || ScopeStats { cumulative: read(cumulative()), ..none() };
    let of = |queues: Vec<_>| Snapshot { queues: queues.into_iter().collect(), ..whole() };
    assert!(of(Vec::new()).has_values(all()), "there is no TaskQueue");
    assert!(of(vec![queue(1, vec![none()]), queue(2, vec![none(), one()])]).has_values(all()));
    for snapshot in [of(vec![queue(1, vec![none()])]), Snapshot { directory_known: false, ..whole() }] {
        assert!(!snapshot.has_values(all()));
        assert!(snapshot.has_values(Needs { queues: false, ..all() }));
    }
    let snapshot = Snapshot { workspace: none(), ..whole() };
    assert!(!snapshot.has_values(all()) && snapshot.has_values(Needs { workspace: false, ..all() }));
}

#[test]
fn a_task_queue_is_gone_only_where_the_list_is_known() {
    assert!(whole().is_gone(sid(9)) && !whole().is_gone(sid(1)));
    let unknown = Snapshot { directory_known: false, ..whole() };
    assert!(!unknown.is_gone(sid(9)) && !unknown.is_gone(sid(1)));
}

#[test]
fn scopes_are_all_channels_and_then_each() {
    let channels: Vec<Box<str>> = vec!["voice".into(), "chat".into()];
    let scopes: Vec<_> = Scope::each(2).map(|scope| (scope.index(), scope.name(&channels))).collect();
    assert_eq!(scopes, [(0, None), (1, Some("voice")), (2, Some("chat"))]);
}

#[test]
fn a_reading_shows_the_same_while_its_value_stays_in_place_and_it_is_no_staler() {
    let (reading, none) = (read(1), Reading::<i32>::default());
    let confirmed = Reading { as_of: Some(at(1)), by_event: true, ..reading.clone() };
    assert!(reading.shows_the_same(&confirmed) && none.shows_the_same(&Reading::default()));
    assert!(!reading.shows_the_same(&read(1)), "another value");
    assert!(!reading.shows_the_same(&none) && !none.shows_the_same(&reading));
    let stale = Reading { stale: failed::<i32>().stale, ..reading.clone() };
    assert!(!reading.shows_the_same(&stale));
}

#[test]
fn a_task_queue_shows_the_same_while_nothing_of_it_moved() {
    let (_, state) = queue(1, vec![stats(), stats()]);
    let changed = |change: fn(&mut QueueState)| {
        let mut other = QueueState::clone(&state);
        change(&mut other);
        !state.shows_the_same(&other)
    };
    assert!(!changed(|_| ()));
    assert!(changed(|other| other.queue = queue(2, Vec::new()).1.queue.clone()), "its name");
    assert!(changed(|other| other.scopes = other.scopes[..1].into()), "a TaskChannel");
    assert!(changed(|other| other.scopes[1].realtime = read(realtime())));
    assert!(changed(|other| other.scopes[0].cumulative = read(cumulative())));
}

#[test]
fn a_difference_is_explained_by_the_events_of_what_changed() {
    let before = whole();
    assert_eq!(before.news(Some(&before)), None);
    let changes: [fn(&mut Snapshot, Trace); 5] = [
        |snapshot, event| snapshot.workspace.realtime = Reading { event: Some(event), ..read(realtime()) },
        |snapshot, event| {
            snapshot.workspace.cumulative = Reading { event: Some(event), ..read(cumulative()) }
        },
        |snapshot, event| snapshot.last_hour = Reading { event: Some(event), ..read(cumulative()) },
        |snapshot, event| snapshot.tasks = Reading { event: Some(event), ..read(BTreeMap::new()) },
        |snapshot, event| {
            let mut changed = stats();
            changed.cumulative.event = Some(event);
            snapshot.queues.extend([queue(2, vec![stats(), changed])]);
        },
    ];
    for change in changes {
        let (mut after, event) = (before.clone(), event());
        change(&mut after, event);
        assert_eq!(after.news(Some(&before)), Some(event));
        assert_eq!(after.news(None), Some(event), "the first snapshot");
        assert_eq!(after.news(Some(&after)), None, "once");
    }
}

#[test]
fn an_event_that_names_an_earlier_change_is_news_once() {
    let reading = read(realtime());
    let (event, of_all) = (event(), event().of_all());
    let with = |event| Reading { event: Some(event), ..reading.clone() };
    assert_eq!(with(event).news(Some(&reading)), Some(event));
    assert_eq!(with(event).news(Some(&with(of_all))), Some(event));
    assert_eq!(with(of_all).news(Some(&reading)), None, "it names nothing");
    assert_eq!(with(event).news(Some(&with(event))), None);
    let named = |part: fn(&mut ScopeStats, Trace)| {
        let before =
            QueueState { scopes: vec![stats()].into(), ..QueueState::clone(&queue(1, Vec::new()).1) };
        let mut after = before.clone();
        part(&mut after.scopes[0], event);
        (after.is_named_since(&before), before.is_named_since(&before))
    };
    assert_eq!(named(|scope, event| scope.realtime.event = Some(event)), (true, false));
    assert_eq!(named(|scope, event| scope.cumulative.event = Some(event)), (true, false));
}

#[test]
fn tiles_stand_beside_an_otherwise_same_snapshot() {
    let snapshot = Arc::new(whole());
    assert!(Arc::ptr_eq(&snapshot.clone().with_tiles(&None), &snapshot));
    let tiles: Tiles = Some(Vec::new().into());
    let with_tiles = snapshot.with_tiles(&tiles);
    assert!(with_tiles.metrics.is_some() && with_tiles.queues.len() == 2);
}

#[test]
fn what_two_layouts_need_together_is_what_either_needs() {
    let one = |n: usize| {
        let is = |m| n == m;
        Needs { queues: is(0), workspace: is(1), last_hour: is(2), tasks: is(3), latest_event: is(4) }
    };
    for need in (0..5).map(one) {
        assert_eq!((need.and(Needs::default()), Needs::default().and(need)), (need, need));
    }
}
