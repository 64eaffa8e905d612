use super::*;
use proptest::prelude::*;
use serde_json::json;

fn realtime() -> Value {
    json!({
        "activity_statistics": [{"friendly_name": "Idle", "sid": "WA1", "workers": "3"}],
        "longest_task_waiting_age": 12, "longest_task_waiting_sid": "WT1",
        "tasks_by_priority": {"10": 2, "0": "1"}, "tasks_by_status": {"pending": 2, "assigned": "1"},
        "total_tasks": "3", "total_available_workers": 4, "longest_relative_task_age_in_queue": 7,
    })
}

fn cumulative() -> Value {
    json!({
        "avg_task_acceptance_time": 1.5, "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T10:00:00Z",
        "reservations_accepted": 1, "reservations_canceled": 2, "reservations_created": 3,
        "reservations_rejected": 4, "reservations_rescinded": 5, "reservations_timed_out": 6, "tasks_canceled": 7,
        "tasks_deleted": 8, "tasks_entered": 9, "tasks_moved": 10,
    })
}

#[test]
fn counts_may_be_text_and_unknown_fields_survive() {
    let read: Realtime = serde_json::from_value(realtime()).unwrap();
    assert_eq!(read.total_tasks, 3);
    assert_eq!(read.tasks_by_status.count("assigned"), 1);
    assert_eq!(read.activity_statistics[0].workers, 3);
    let written = serde_json::to_value(&read).unwrap();
    assert_eq!(written["longest_relative_task_age_in_queue"], 7);
    assert_eq!(written["tasks_by_priority"], json!({"0": 1, "10": 2}));
}

#[test]
fn two_activities_of_one_name_count_together() {
    let mut now = realtime();
    now["activity_statistics"] = json!([
        {"friendly_name": "Break", "sid": "WA1", "workers": 2}, {"friendly_name": "Idle", "sid": "WA2", "workers": 1},
        {"friendly_name": "Break", "sid": "WA3", "workers": 3},
    ]);
    let read: Realtime = serde_json::from_value(now).unwrap();
    assert_eq!(read.workers_by_activity(), [("Break", 5), ("Idle", 1)]);
}

#[test]
fn null_is_as_absent_where_twilios_api_files_allow_it() {
    let mut now = realtime();
    for field in ["activity_statistics", "tasks_by_priority", "tasks_by_status", "total_available_workers"] {
        now[field] = Value::Null;
    }
    let read: Realtime = serde_json::from_value(now).unwrap();
    assert_eq!((read.total_tasks, read.tasks_by_status.count("pending")), (3, 0));
    let mut now = realtime();
    now["tasks_by_status"] = json!({"pending": null, "assigned": 1});
    now["activity_statistics"] = json!([{"friendly_name": null, "sid": null, "workers": null}]);
    let read: Realtime = serde_json::from_value(now).unwrap();
    assert_eq!((read.tasks_by_status.count("pending"), read.activity_statistics[0].workers), (0, 0));

    let mut today = cumulative();
    for field in ["start_time", "end_time", "avg_task_acceptance_time", "tasks_deleted", "tasks_moved"] {
        today[field] = Value::Null;
    }
    let read: Cumulative = serde_json::from_value(today).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap()["start_time"], Value::Null);
    // Without a start it may be of any day.
    let mut full = read.clone();
    full.tasks_completed = Some(1);
    assert_eq!(read.completed_by(&full).tasks_completed, None);
}

#[test]
fn an_empty_answer_is_an_error_and_not_a_row_of_zeros() {
    assert!(serde_json::from_value::<Realtime>(json!({})).is_err());
    assert!(serde_json::from_value::<Cumulative>(json!({})).is_err());
    let mut wrong = realtime();
    wrong["total_tasks"] = json!("many");
    assert!(serde_json::from_value::<Realtime>(wrong).is_err());
}

#[test]
fn a_short_combined_answer_is_completed_within_its_window_only() {
    let short: Cumulative = serde_json::from_value(cumulative()).unwrap();
    assert!(!short.is_complete());
    let mut full = cumulative();
    full["tasks_completed"] = json!(11);
    full["wait_duration_until_accepted"] = json!({"avg": 1, "min": 0, "max": 2, "total": 3});
    full["wait_duration_until_canceled"] = json!({"avg": "0", "min": 0, "max": 0, "total": 0});
    full["split_by_wait_time"] = json!({"30": {"above": {}, "below": {}}});
    let full: Cumulative = serde_json::from_value(full).unwrap();
    assert!(full.is_complete());
    assert!(short.clone().completed_by(&full).is_complete());
    let next_day = Cumulative { start_time: Some("2026-01-02T00:00:00Z".into()), ..short };
    assert!(!next_day.completed_by(&full).is_complete());
}

/// Anything that JSON can say, not too deep.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Few enough digits that reading them is exact.
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        "-?[0-9]{0,12}(\\.[0-9]{1,3})?".prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z0-9]{0,3}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn an_answer_with_anything_in_any_field_is_refused_or_stays_as_it_was_read(
        field in any::<prop::sample::Index>(),
        put in anything(),
    ) {
        let put_into = |mut answer: Value| {
            let name = field.get(&answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).clone();
            answer[name] = put.clone();
            answer
        };
        if let Ok(read) = serde_json::from_value::<Realtime>(put_into(realtime())) {
            let written = serde_json::to_string(&read).unwrap();
            prop_assert_eq!(serde_json::from_str::<Realtime>(&written).unwrap(), read);
        }
        if let Ok(read) = serde_json::from_value::<Cumulative>(put_into(cumulative())) {
            let written = serde_json::to_string(&read).unwrap();
            prop_assert_eq!(serde_json::from_str::<Cumulative>(&written).unwrap(), read);
        }
    }
}

#[test]
fn a_resource_of_its_own_loses_its_envelope() {
    let mut resource = realtime();
    resource["url"] = json!("https://example.com");
    resource["account_sid"] = json!("AC1");
    resource["task_queue_sid"] = json!("WQ00000000000000000000000000000001");
    let read: Resource<Realtime> = serde_json::from_value(resource).unwrap();
    assert!(read.task_queue_sid.is_some());
    assert_eq!(
        read.statistics.extra.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["longest_relative_task_age_in_queue"]
    );
}
