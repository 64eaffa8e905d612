//! Cuts a value that would not fit into Sync, least important first, and says so in the value.
//!
//! Sync takes 16 KiB of JSON a Document or item, with a little of that for itself (Twilio, "Sync Limits"). What is cut
//! stays as an empty value of its type, since front ends go through lists and read members without asking. Cut is one
//! value at a time, no more than needed, in this order: tables by priority, Activities of single channels, other
//! Activities, splits of waits, waits; then texts, lists and objects of any name, the smallest that is enough or else
//! the largest. Only if all that is not enough, whole members go. What fits once a larger value is cut is given back, the
//! most important first. The names of what stays cut stand in the field `cut`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

/// What we write at most, in bytes of JSON.
pub const LARGEST: usize = 15 * 1024;
pub const CUT: &str = "cut";

/// Most names of cut fields that are listed, to bound the list itself.
const MOST_NAMED: usize = 20;
/// Longest name in that list: names come from attributes too, and can be long themselves.
const LONGEST_NAME: usize = 40;
/// After this many single cuts, whole members are removed: no statistics have that many parts.
const MOST_CUTS: usize = 200;

/// Fields that go first, wherever they stand; those of single channels before those of all.
const STEPS: [&[&str]; 4] = [
    &["tasksByPriority", "tasks_by_priority"],
    &["activityStatistics", "activity_statistics", "activities"],
    &["splitByWaitTime", "split_by_wait_time"],
    &["waitUntilCancel", "wait_duration_until_canceled", "waitUntilAccept", "wait_duration_until_accepted"],
];
/// Fields of ours that say which thing a value is about, or that front ends can't do without. An attribute may have such
/// a name, so they go as well, after everything else.
const KEPT: [&str; 9] = [
    "sid",
    "friendlyName",
    "asOf",
    "TaskSid",
    "TaskStatus",
    "EventType",
    "workspace_statistics",
    "tasksByStatus",
    "tasks_by_status",
];
/// The largest of our own fields with such a name; a larger one is an attribute.
const LARGEST_OF_OURS: usize = 1024;
/// Objects whose members front ends read by name.
const STRUCTURES: [&str; 6] = ["workspace_statistics", "realtime", "cumulative", "data", "all", "metric"];

/// The path to a value: the names of its members.
type Path = Vec<String>;

/// The value, cut if it had to be, and the names of what was cut.
pub fn fit(value: Value, largest: usize) -> (Value, Vec<String>) {
    let mut cutter = Cutter { value, largest, cuts: Vec::new() };
    if cutter.excess().is_none() {
        return (cutter.value, Vec::new());
    }
    cutter.make_room_for_list();
    for names in STEPS {
        for of_channels in [true, false] {
            let wanted = |path: &[String], _: &Value| {
                let named = path.last().is_some_and(|name| names.contains(&name.as_str()));
                named && is_of_one_channel(path) == of_channels
            };
            cutter.empty_while_needed(wanted);
        }
    }
    let rest = |path: &[String], value: &Value| {
        let name = path.last().map(String::as_str).unwrap_or_default();
        let is_ours = KEPT.contains(&name) && value.to_string().len() <= LARGEST_OF_OURS;
        !(is_ours || value.is_object() && is_structure(name))
    };
    cutter.empty_while_needed(rest);
    cutter.empty_while_needed(|path: &[String], value: &Value| {
        !(value.is_object() && path.last().is_some_and(|name| is_structure(name)))
    });
    cutter.remove_while_needed();
    cutter.give_back();
    let names = cutter.names();
    (cutter.value, names)
}

/// What was cut, and what it was.
struct Cut {
    path: Path,
    value: Value,
}

struct Cutter {
    value: Value,
    largest: usize,
    cuts: Vec<Cut>,
}

impl Cutter {
    /// By how many bytes the value is too large, with room for one more name in the list; `None` where it fits.
    fn excess(&self) -> Option<usize> {
        let excess = self.value.to_string().len().checked_sub(self.largest)?;
        (excess > 0).then_some(excess)
    }

    /// Empties values that are `wanted`, one at a time: the smallest that is enough, else the largest.
    fn empty_while_needed(&mut self, wanted: impl Fn(&[String], &Value) -> bool) {
        while let Some(excess) = self.excess().filter(|_| self.cuts.len() < MOST_CUTS) {
            let mut found = Vec::new();
            visit(&self.value, &mut Vec::new(), &mut |path, value| {
                let spared = value.to_string().len() - 2;
                if spared > 0 && wanted(path, value) {
                    found.push((spared, path.to_vec()));
                }
            });
            let enough = |(spared, path): &&(usize, Path)| *spared >= excess + room_for_name(path);
            let smallest = found.iter().filter(enough).min_by_key(|(spared, _)| *spared);
            let Some((_, path)) = smallest.or_else(|| found.iter().max_by_key(|(spared, _)| *spared)) else {
                return;
            };
            let path = path.clone();
            self.empty(&path);
        }
    }

    fn empty(&mut self, path: &[String]) {
        let Some(found) = at(&mut self.value, path) else { return };
        let value = std::mem::take(found);
        *found = emptied(&value);
        self.cuts.push(Cut { path: path.to_vec(), value });
        self.list();
    }

    /// The list of what was cut takes the place of an attribute with its name.
    fn make_room_for_list(&mut self) {
        if let Some(value) = self.value.as_object_mut().and_then(|fields| fields.remove(CUT)) {
            self.cuts.push(Cut { path: vec![CUT.to_owned()], value });
            self.list();
        }
    }

    /// The last resort: removes whole members, the largest first, ours after all others.
    fn remove_while_needed(&mut self) {
        while let Some(mut excess) = self.excess() {
            let Value::Object(fields) = &mut self.value else { return };
            let mut names: Vec<(bool, usize, String)> = fields
                .iter()
                .filter(|(name, _)| *name != CUT)
                .map(|(name, field)| {
                    let size = name.len() + field.to_string().len() + "\"\":,".len();
                    (KEPT.contains(&name.as_str()), size, name.clone())
                })
                .collect();
            if names.is_empty() {
                return;
            }
            names.sort_by(|(a_kept, a, _), (b_kept, b, _)| a_kept.cmp(b_kept).then(b.cmp(a)));
            for (_, size, name) in names {
                if let Some(value) = fields.remove(&name) {
                    self.cuts.push(Cut { path: vec![name], value });
                }
                if excess <= size {
                    break;
                }
                excess -= size;
            }
            self.list();
        }
    }

    /// Gives back what fits after all: what was cut last, and so is the most important, first.
    fn give_back(&mut self) {
        let mut size = self.value.to_string().len();
        loop {
            let before = self.cuts.len();
            for place in (0..before).rev() {
                if size + self.least_growth(place) <= self.largest && self.restore(place) {
                    size = self.value.to_string().len();
                }
            }
            if self.cuts.len() == before {
                return;
            }
        }
    }

    /// By how much the whole grows at least with one value put back: its size, less what its name takes in the list.
    fn least_growth(&self, place: usize) -> usize {
        let Some(Cut { path, value }) = self.cuts.get(place) else { return 0 };
        let name = path.last().map(String::as_str).unwrap_or_default();
        let short: String = name.chars().take(LONGEST_NAME).collect();
        let is_gone = path.len() == 1 && self.value.get(name).is_none();
        let held = value.to_string().len();
        let growth =
            if is_gone { held + json!(name).to_string().len() + ":,".len() } else { held.saturating_sub(2) };
        let is_listed = self.value[CUT].as_array().is_some_and(|names| names.contains(&json!(short)));
        growth.saturating_sub(if is_listed { json!(short).to_string().len() + ",".len() } else { 0 })
    }

    /// Puts one value back where it fits; says whether it did.
    fn restore(&mut self, place: usize) -> bool {
        let Cut { path, value } = self.cuts.remove(place);
        let is_list = path.len() == 1 && path[0] == CUT;
        let (parent, name) = match path.split_last() {
            Some((name, parent)) if !is_list => (at(&mut self.value, parent), name),
            _ => (None, &String::new()),
        };
        let now = parent.and_then(Value::as_object_mut).and_then(|fields| match fields.get(name) {
            // Another cut took the value that this one is in.
            None if path.len() > 1 => None,
            Some(now) if *now != emptied(&value) => None,
            _ => Some(fields.insert(name.clone(), value.clone())),
        });
        let Some(now) = now else {
            self.cuts.insert(place, Cut { path, value });
            return false;
        };
        self.list();
        if self.excess().is_none() {
            return true;
        }
        let parent = path.split_last().and_then(|(_, parent)| at(&mut self.value, parent));
        if let Some(fields) = parent.and_then(Value::as_object_mut) {
            match now {
                Some(now) => fields.insert(name.clone(), now),
                None => fields.remove(name),
            };
        }
        self.cuts.insert(place, Cut { path, value });
        self.list();
        false
    }

    /// The names of what is cut, each once; not of what was in a value that then went as a whole.
    fn names(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let whole: HashSet<&[String]> = self.cuts.iter().map(|cut| &cut.path[..]).collect();
        let is_inside = |path: &[String]| (1..path.len()).any(|length| whole.contains(&path[..length]));
        let names = self.cuts.iter().filter(|cut| !is_inside(&cut.path)).filter_map(|cut| cut.path.last());
        let short = names.map(|name| name.chars().take(LONGEST_NAME).collect::<String>());
        short.filter(|name| seen.insert(name.clone())).collect()
    }

    /// Writes the names into the value.
    fn list(&mut self) {
        let names: Vec<String> = self.names().into_iter().take(MOST_NAMED).collect();
        if let Value::Object(fields) = &mut self.value {
            fields.insert(CUT.to_owned(), json!(names));
        }
    }
}

fn at<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, name| value.get_mut(name))
}

/// What stands in a value's place: an empty one of its type.
fn emptied(value: &Value) -> Value {
    match value {
        Value::Object(_) => Value::Object(Map::new()),
        Value::Array(_) => Value::Array(Vec::new()),
        _ => Value::String(String::new()),
    }
}

/// Texts, lists and objects below a value, each with the way to it; lists are taken whole.
fn visit(value: &Value, path: &mut Path, seen: &mut dyn FnMut(&[String], &Value)) {
    let Value::Object(fields) = value else { return };
    for (name, field) in fields {
        if path.is_empty() && name == CUT {
            continue;
        }
        path.push(name.clone());
        if matches!(field, Value::Object(_) | Value::Array(_) | Value::String(_)) {
            seen(path, field);
        }
        visit(field, path, seen);
        path.pop();
    }
}

fn room_for_name(path: &[String]) -> usize {
    path.last().map_or(0, |name| name.len().min(4 * LONGEST_NAME)) + 12
}

/// Whether statistics belong to one channel: `all` is the sum that every front end shows.
fn is_of_one_channel(path: &[String]) -> bool {
    let of = |prefix: &str| path.iter().find_map(|name| name.strip_prefix(prefix));
    of("realTimeStats_").or_else(|| of("cumulativeStats_")).is_some_and(|channel| channel != "all")
}

fn is_structure(name: &str) -> bool {
    STRUCTURES.contains(&name) || name.starts_with("realTimeStats_") || name.starts_with("cumulativeStats_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(value: &Value) -> usize {
        value.to_string().len()
    }

    #[test]
    fn what_fits_is_left_alone() {
        let value = json!({"sid": "WQ1", "tasksByPriority": {"0": 1}});
        assert_eq!(fit(value.clone(), LARGEST), (value, vec![]));
    }

    #[test]
    fn the_least_important_goes_first_stays_as_empty_and_is_named() {
        let priorities: Map<String, Value> = (0..3000).map(|n| (n.to_string(), json!(1))).collect();
        let value = json!({
            "sid": "WQ1", "realTimeStats_all": {"tasksByPriority": priorities, "totalTasks": 3, "activityStatistics": []},
        });
        let (shown, cut) = fit(value, LARGEST);
        assert_eq!(cut, ["tasksByPriority"]);
        let left = json!({"tasksByPriority": {}, "totalTasks": 3, "activityStatistics": []});
        assert_eq!(shown["realTimeStats_all"], left);
        assert_eq!(shown[CUT], json!(cut));
    }

    /// A TaskQueue with Activities enough that an item of four scopes is a little too large.
    fn large_item(activities: usize) -> Value {
        let activities: Vec<Value> = (0..activities)
            .map(|n| json!({"friendly_name": format!("Activity {n:03}"), "workers": n}))
            .collect();
        let mut item = json!({"sid": "WQ1", "friendlyName": "Sales"});
        for scope in ["all", "voice", "chat", "video"] {
            item[format!("realTimeStats_{scope}")] = json!({
                "activityStatistics": activities, "tasksByPriority": {"0": 1}, "tasksByStatus": {"pending": 1},
                "oldestTask": 7,
            });
            item[format!("cumulativeStats_{scope}")] = json!({
                "rCreated": 5, "splitByWaitTime": {"30": {"above": {"tasks_canceled": 1}, "below": {"tasks_canceled": 0}}},
                "waitUntilAccept": {"avg": 1, "min": 1, "max": 1, "total": 1},
            });
        }
        item
    }

    #[test]
    fn an_item_a_little_too_large_loses_a_little_and_front_ends_can_read_all_of_it() {
        let item = large_item(87);
        assert!((LARGEST + 1..17 * 1024).contains(&bytes(&item)), "{}", bytes(&item));
        let (shown, cut) = fit(item.clone(), LARGEST);
        assert!(bytes(&shown) <= LARGEST);
        assert!(bytes(&shown) > LARGEST - 4 * 1024, "no further than needed: {}", bytes(&shown));
        assert_eq!(
            shown["realTimeStats_all"]["activityStatistics"],
            item["realTimeStats_all"]["activityStatistics"]
        );
        assert_eq!(cut, ["activityStatistics"], "tables by priority fit once that is cut");
        // As the plugin reads it: each member is there, with its type.
        for scope in ["all", "voice", "chat", "video"] {
            let (now, today) =
                (&shown[format!("realTimeStats_{scope}")], &shown[format!("cumulativeStats_{scope}")]);
            assert!(now["activityStatistics"].is_array());
            assert_eq!(now["tasksByPriority"]["0"], 1);
            assert_eq!(now["tasksByStatus"]["pending"], 1);
            assert_eq!(today, &item[format!("cumulativeStats_{scope}")]);
        }
    }

    #[test]
    fn a_huge_attribute_takes_only_itself_along() {
        let value = json!({"TaskSid": "WT1", "huge": "x".repeat(20_000), "from": "+1"});
        let (shown, cut) = fit(value, LARGEST);
        assert_eq!(shown, json!({"TaskSid": "WT1", "huge": "", "from": "+1", "cut": ["huge"]}));
        assert_eq!(cut, ["huge"]);
        let nested = json!({"TaskSid": "WT1", "a": {"b": {"text": "x".repeat(20_000), "n": 1}}});
        assert_eq!(fit(nested, LARGEST).0["a"], json!({"b": {"text": "", "n": 1}}));
    }

    #[test]
    fn an_attribute_with_a_name_of_ours_does_not_stop_the_cutting() {
        for name in KEPT {
            for huge in [json!("x".repeat(20_000)), json!({"a": "x".repeat(20_000)}), json!(vec![0; 9000])] {
                let (shown, _) = fit(json!({name: huge, "from": "+1"}), LARGEST);
                assert!(bytes(&shown) <= LARGEST, "{name}");
                assert_eq!(shown["from"], "+1");
            }
        }
        let many: Map<String, Value> = (0..4000).map(|n| (format!("n{n}"), json!(n))).collect();
        let (shown, _) = fit(Value::Object(many), LARGEST);
        assert!(bytes(&shown) <= LARGEST && bytes(&shown) > LARGEST / 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn always_fits(fields in prop::collection::btree_map("[a-z]{1,60}", "\\PC{0,600}", 0..60)) {
            let (shown, _) = fit(json!(fields), 2048);
            prop_assert!(shown.to_string().len() <= 2048);
        }

        #[test]
        fn no_value_that_is_cut_would_fit(value in anything(), largest in 300_usize..1500) {
            nothing_would_fit(&value, largest)?;
        }
    }

    /// Checks that none of the values that are cut would fit.
    fn nothing_would_fit(value: &Value, largest: usize) -> Result<(), TestCaseError> {
        let (shown, cut) = fit(value.clone(), largest);
        prop_assert!(bytes(&shown) <= largest);
        if bytes(value) <= largest {
            prop_assert_eq!((&shown, cut.len()), (value, 0));
            return Ok(());
        }
        let mut paths = Vec::new();
        differing(value, &shown, &mut Vec::new(), &mut paths);
        prop_assert!(!paths.is_empty());
        for path in &paths {
            let mut restored = shown.clone();
            let (name, parent) = path.split_last().unwrap();
            let original = at(&mut value.clone(), path).unwrap().clone();
            at(&mut restored, parent).unwrap()[name.as_str()] = original;
            // The list without that name, unless another value of this name is cut.
            let others =
                paths.iter().filter(|other| *other != path).map(|other| other.last().unwrap().clone());
            let left: std::collections::BTreeSet<String> = others.collect();
            let named =
                shown[CUT].as_array().unwrap().iter().filter(|name| left.contains(name.as_str().unwrap()));
            restored[CUT] = json!(named.collect::<Vec<_>>());
            prop_assert!(bytes(&restored) > largest, "{path:?} fits: {restored}");
        }
        Ok(())
    }

    #[test]
    fn what_was_in_a_value_that_went_as_a_whole_takes_no_room_in_the_list() {
        let text = |bytes| "x".repeat(bytes);
        let value = json!({
            "b": {"activityStatistics": text(76), "z": 94_592},
            "c": {
                "activityStatistics": text(60),
                "data": [{"y": text(80)}, 21_487],
                "tasksByPriority": text(47),
            },
            "realTimeStats_chat": [94_324, 42_414, {"friendlyName": text(29), "x": 49_477}, text(68)],
        });
        for largest in 300..500 {
            nothing_would_fit(&value, largest).unwrap();
        }
    }

    /// Objects of three levels, with names that have an order and others.
    fn anything() -> impl Strategy<Value = Value> {
        let name = prop::sample::select(vec![
            "sid",
            "friendlyName",
            "tasksByPriority",
            "activityStatistics",
            "splitByWaitTime",
            "waitUntilAccept",
            "data",
            "x",
            "y",
            "z",
        ]);
        let leaf = prop_oneof!["[a-z]{0,120}".prop_map(Value::from), (0..100_000).prop_map(Value::from)];
        let nested = leaf.prop_recursive(3, 60, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..8)
                    .prop_map(|fields| json!(fields)),
            ]
        });
        prop::collection::btree_map("(realTimeStats|cumulativeStats)_(all|chat)|[a-f]", nested, 1..8)
            .prop_map(|fields| json!(fields))
    }

    /// Where a value was cut, at the outermost place.
    fn differing(original: &Value, shown: &Value, path: &mut Path, found: &mut Vec<Path>) {
        let (Value::Object(original), Value::Object(shown)) = (original, shown) else { return };
        for (name, value) in original {
            path.push(name.clone());
            match shown.get(name) {
                Some(now) if now == value => {}
                Some(now) if *now != emptied(value) => differing(value, now, path, found),
                _ => found.push(path.clone()),
            }
            path.pop();
        }
    }
}
