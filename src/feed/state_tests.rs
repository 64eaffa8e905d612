use super::*;
use proptest::prelude::*;
use serde_json::json;

fn sid(n: u8) -> TaskQueueSid {
    format!("WQ{n:032x}").parse().unwrap()
}

fn item(n: u8, value: u8) -> (TaskQueueSid, Value) {
    (sid(n), json!({"sid": sid(n), "v": value}))
}

fn recipes(items: impl IntoIterator<Item = (TaskQueueSid, Value)>) -> Vec<(TaskQueueSid, LazyJson)> {
    items.into_iter().map(|(sid, value)| (sid, LazyJson::new(move || value.clone()))).collect()
}

fn data(frame: Option<Frame>) -> Value {
    let mut data: Value = serde_json::from_str(&frame.unwrap().data).unwrap();
    assert!(data.as_object_mut().unwrap().remove("now").is_some_and(|now| now.is_string()));
    data
}

#[test]
fn a_snapshot_first_and_then_only_what_changed() {
    let first = FeedState::new(7)
        .next(recipes([item(1, 0), item(2, 0)]), vec![], vec![("health", json!(1))])
        .unwrap();
    let whole = first.since(None, &Selection::default()).unwrap();
    assert_eq!((whole.kind, whole.id.as_str()), ("snapshot", "7-1"));
    assert_eq!(data(Some(whole))["queues"].as_array().unwrap().len(), 2);
    let second = first.next(recipes([item(1, 0), item(2, 5)]), vec![], vec![]).unwrap();
    assert_eq!(
        data(second.since(Some(first.here()), &Selection::default())),
        json!({"seq": 2, "queues": [item(2, 5).1]})
    );
    assert!(second.next(recipes([item(2, 5)]), vec![sid(9)], vec![]).is_none(), "nothing new is no news");
    let third = second.next(vec![], vec![sid(1)], vec![]).unwrap();
    assert_eq!(
        data(third.since(Some(second.here()), &Selection::default())),
        json!({"seq": 3, "removed": [sid(1)]})
    );
}

#[test]
fn what_no_client_needs_is_not_laid_out_and_what_many_need_once() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let times = Arc::new(AtomicUsize::new(0));
    let counted = times.clone();
    let recipe = LazyJson::new(move || json!({"n": counted.fetch_add(1, Ordering::Relaxed)}));
    let first = FeedState::new(7).next(vec![(sid(1), recipe)], vec![], vec![]).unwrap();
    let second = first.next(recipes([item(2, 0)]), vec![], vec![]).unwrap();
    assert_eq!(times.load(Ordering::Relaxed), 0);
    let frames = [&first, &second, &second].map(|picture| data(picture.since(None, &Selection::default())));
    assert!(frames.iter().all(|frame| frame["queues"][0] == json!({"n": 0})));
    assert_eq!(times.load(Ordering::Relaxed), 1);
}

#[test]
fn an_id_of_another_process_is_not_a_position() {
    let picture = FeedState::new(7).next(recipes([item(1, 0)]), vec![], vec![]).unwrap();
    assert_eq!(picture.position("7-1"), Some(picture.here()));
    for other in ["8-1", "7-2", "7", "x-y", ""] {
        assert_eq!(picture.position(other), None, "{other}");
    }
}

#[test]
fn a_copy_is_the_same_and_a_client_that_resumes_from_a_branch_gets_what_it_missed() {
    let all = Selection::default();
    let first = FeedState::new(7)
        .next(
            recipes([item(1, 0), item(2, 0)]),
            vec![],
            vec![("health", json!(1)), (METRICS_DOCUMENTS, json!(1))],
        )
        .unwrap();
    let copy = FeedState::new(0).changed(&first.change_since(None)).unwrap();
    assert_eq!((copy.since(None, &all), copy.at()), (first.since(None, &all), first.at()));
    let second = first.next(recipes([item(2, 5)]), vec![sid(1)], vec![]).unwrap();
    let change = second.change_since(Some(&first));
    let sent = serde_json::to_string(&change).unwrap();
    let copy = copy.changed(&serde_json::from_str(&sent).unwrap()).unwrap();
    assert_eq!(copy.since(Some(first.here()), &all), second.since(Some(first.here()), &all));
    assert!(copy.changed(&change).is_none(), "not a change of this one");
    // Another leader goes on from the copy; the first has gone further alone.
    let alone = second.next(recipes([item(2, 6)]), vec![], vec![]).unwrap();
    let taken = copy.branched(8).next(recipes([item(3, 0)]), vec![], vec![]).unwrap();
    let resumed = data(taken.since(taken.position("7-2"), &all));
    assert_eq!(resumed, json!({"seq": 3, "queues": [item(3, 0).1]}));
    assert_eq!(taken.position("7-3"), None, "what only the first leader's clients have seen");
    assert_eq!(taken.since(Some(alone.here()), &all).unwrap().kind, "snapshot");
}

#[test]
fn health_laid_over_is_shown_and_taken_back() {
    let all = Selection::default();
    let first = FeedState::new(7).next(recipes([item(1, 0)]), vec![], vec![("health", json!(1))]).unwrap();
    let stale = first.with_health(Some((9, &json!("stale"))));
    let shown = stale.since(Some(first.here()), &all).unwrap();
    assert_eq!(shown.id, "7-1-9");
    assert_eq!(data(Some(shown)), json!({"seq": 1, "health": "stale"}));
    let next = first.next(recipes([item(1, 1)]), vec![], vec![]).unwrap();
    let back = data(next.since(next.position("7-1-9"), &all));
    assert_eq!(back, json!({"seq": 2, "health": 1, "queues": [item(1, 1).1]}));
}

proptest! {
    /// However often it is read, what they put together is what is shown.
    #[test]
    fn a_client_that_skips_ends_with_the_same(
        steps in prop::collection::vec((0..6_u8, 0..4_u8, any::<bool>(), any::<bool>()), 1..60),
    ) {
        let mut picture = FeedState::new(1);
        let mut truth: BTreeMap<String, Value> = BTreeMap::new();
        let mut seen: BTreeMap<String, Value> = BTreeMap::new();
        let mut position = None;
        for (queue, value, removes, looks) in steps {
            let (sid, item) = item(queue, value);
            let next = if removes {
                truth.remove(sid.as_str());
                picture.next(vec![], vec![sid], vec![])
            } else {
                truth.insert(sid.to_string(), item.clone());
                picture.next(recipes([(sid, item)]), vec![], vec![])
            };
            picture = next.unwrap_or(picture);
            if !looks {
                continue;
            }
            if let Some(frame) = picture.since(position, &Selection::default()) {
                let data: Value = serde_json::from_str(&frame.data).unwrap();
                for item in data["queues"].as_array().into_iter().flatten() {
                    seen.insert(item["sid"].as_str().unwrap().to_owned(), item.clone());
                }
                for sid in data["removed"].as_array().into_iter().flatten() {
                    seen.remove(sid.as_str().unwrap());
                }
            }
            position = Some(picture.here());
            prop_assert_eq!(&seen, &truth);
        }
    }
}
