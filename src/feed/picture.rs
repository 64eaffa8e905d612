//! The picture: everything that a watcher can be shown, each part with the number of the change that brought it.
//!
//! A TaskQueue is kept as the way to lay it out, and laid out when the first watcher asks; all others share that. With
//! nobody watching, a thousand TaskQueues cost neither the work nor 5 MB.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::Value;

use super::Selection;
use crate::sid::TaskQueueSid;

/// TaskQueues that are remembered as gone, so that who comes back is told; with more of them all are told anew.
const MOST_GONE: usize = 1000;

/// All that is shown, serialised.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// Tells this process's numbers from those of the one before.
    epoch: u64,
    number: u64,
    /// When it was drawn; whoever gets it at once can set a clock by it.
    drawn_at: Timestamp,
    /// Watchers below this number have missed something that is not remembered.
    oldest: u64,
    queues: BTreeMap<TaskQueueSid, Arc<Part>>,
    gone: BTreeMap<TaskQueueSid, u64>,
    parts: BTreeMap<&'static str, Arc<Part>>,
}

/// Lays something out; always the same, whenever it is called.
pub(super) struct Recipe(Box<dyn Fn() -> Value + Send + Sync>);

#[derive(Debug)]
struct Part {
    number: u64,
    recipe: Recipe,
    /// Filled when somebody is shown it.
    json: OnceLock<Box<str>>,
}

impl Recipe {
    pub(super) fn new(lay_out: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self(Box::new(lay_out))
    }
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipe")
    }
}

impl Part {
    fn new(number: u64, recipe: Recipe) -> Arc<Self> {
        Arc::new(Self { number, recipe, json: OnceLock::new() })
    }

    fn json(&self) -> &str {
        self.json.get_or_init(|| self.recipe.0().to_string().into())
    }
}

/// What one watcher is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// `snapshot` for a whole picture, `change` for what is newer than the last frame.
    pub kind: &'static str,
    /// Names the position, to resume at.
    pub id: String,
    /// JSON.
    pub data: String,
}

impl Picture {
    /// An empty one.
    pub(super) fn new(epoch: u64) -> Self {
        Self { epoch, ..Self::default() }
    }

    /// One of its parts but the TaskQueues, as JSON.
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.get(name).map(|part| part.json())
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The number that a frame's id names, unless it is another process's.
    pub(super) fn position(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.split_once('-')?;
        let number = number.parse().ok().filter(|number| *number <= self.number)?;
        (epoch.parse() == Ok(self.epoch)).then_some(number)
    }

    /// The next picture: these queues and parts changed, those queues are gone. `None` when nothing did.
    pub(super) fn next(
        &self,
        queues: Vec<(TaskQueueSid, Recipe)>,
        gone: Vec<TaskQueueSid>,
        parts: Vec<(&'static str, Value)>,
    ) -> Option<Self> {
        let mut next = self.clone();
        next.number += 1;
        next.drawn_at = Timestamp::now();
        let number = next.number;
        let mut changed = false;
        for (queue, recipe) in queues {
            changed |= put(&mut next.queues, queue, Part::new(number, recipe));
            next.gone.remove(&queue);
        }
        for queue in gone {
            if next.queues.remove(&queue).is_some() {
                next.gone.insert(queue, number);
                changed = true;
            }
        }
        for (name, value) in parts {
            changed |= put(&mut next.parts, name, Part::new(number, Recipe::new(move || value.clone())));
        }
        if next.gone.len() > MOST_GONE {
            next.oldest = number;
            next.gone.clear();
        }
        changed.then_some(next)
    }

    /// The number of the change that the queues' items are of; `None` before it is known which queues there are.
    pub(super) fn items_number(&self) -> Option<u64> {
        self.parts.get("queuesKnown").filter(|known| known.json() == "true")?;
        let changed = self.queues.values().map(|part| part.number);
        changed.chain(self.gone.values().copied()).max().or(Some(0)).max(Some(self.oldest))
    }

    /// All queues' items as a JSON array.
    pub(super) fn items(&self) -> String {
        let items: Vec<&str> = self.queues.values().map(|part| part.json()).collect();
        format!("[{}]", items.join(","))
    }

    /// What is newer than a position; the whole picture where there is none, or too much was missed.
    pub(super) fn since(&self, position: Option<u64>, selection: &Selection) -> Option<Frame> {
        let position = position.filter(|position| *position >= self.oldest);
        let from = position.unwrap_or(0);
        let newer = |part: &&Arc<Part>| position.is_none() || part.number > from;
        let queues = self.queues.iter().filter(|(queue, part)| newer(part) && selection.wants(queue));
        let queues: Vec<Cow<'_, str>> = queues.map(|(_, part)| selection.shown(part.json())).collect();
        let gone = self.gone.iter().filter(|(queue, n)| **n > from && selection.wants(queue));
        let gone: Vec<&TaskQueueSid> = gone.map(|(queue, _)| queue).collect();
        let parts = self.parts.iter().filter(|(_, part)| newer(part));
        let head = format!("{{\"seq\":{},\"now\":\"{}\"", self.number, self.drawn_at);
        let mut data = head.clone();
        if position.is_none() || !queues.is_empty() {
            data += &format!(",\"queues\":[{}]", queues.join(","));
        }
        if position.is_some() && !gone.is_empty() {
            let gone: Vec<String> = gone.iter().map(|queue| format!("\"{queue}\"")).collect();
            data += &format!(",\"removed\":[{}]", gone.join(","));
        }
        for (name, part) in parts {
            data += &format!(",\"{name}\":{}", part.json());
        }
        if position.is_some() && data == head {
            return None;
        }
        data.push('}');
        let kind = if position.is_some() { "change" } else { "snapshot" };
        Some(Frame { kind, id: format!("{}-{}", self.epoch, self.number), data })
    }
}

/// Replaces a part unless it says the same as what somebody has been shown.
fn put<K: Ord>(parts: &mut BTreeMap<K, Arc<Part>>, key: K, part: Arc<Part>) -> bool {
    let shown = parts.get(&key).and_then(|last| last.json.get());
    let same = shown.is_some_and(|shown| **shown == *part.json());
    if !same {
        parts.insert(key, part);
    }
    !same
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn sid(n: u8) -> TaskQueueSid {
        format!("WQ{n:032x}").parse().unwrap()
    }

    fn item(n: u8, value: u8) -> (TaskQueueSid, Value) {
        (sid(n), json!({"sid": sid(n), "v": value}))
    }

    fn recipes(items: impl IntoIterator<Item = (TaskQueueSid, Value)>) -> Vec<(TaskQueueSid, Recipe)> {
        items.into_iter().map(|(sid, value)| (sid, Recipe::new(move || value.clone()))).collect()
    }

    fn data(frame: Option<Frame>) -> Value {
        let mut data: Value = serde_json::from_str(&frame.unwrap().data).unwrap();
        assert!(data.as_object_mut().unwrap().remove("now").is_some_and(|now| now.is_string()));
        data
    }

    #[test]
    fn a_snapshot_first_and_then_only_what_changed() {
        let first = Picture::new(7)
            .next(recipes([item(1, 0), item(2, 0)]), vec![], vec![("health", json!(1))])
            .unwrap();
        let whole = first.since(None, &Selection::default()).unwrap();
        assert_eq!((whole.kind, whole.id.as_str()), ("snapshot", "7-1"));
        assert_eq!(data(Some(whole))["queues"].as_array().unwrap().len(), 2);
        let second = first.next(recipes([item(1, 0), item(2, 5)]), vec![], vec![]).unwrap();
        assert_eq!(
            data(second.since(Some(1), &Selection::default())),
            json!({"seq": 2, "queues": [item(2, 5).1]})
        );
        assert!(second.next(recipes([item(2, 5)]), vec![sid(9)], vec![]).is_none(), "nothing new is no news");
        let third = second.next(vec![], vec![sid(1)], vec![]).unwrap();
        assert_eq!(data(third.since(Some(2), &Selection::default())), json!({"seq": 3, "removed": [sid(1)]}));
    }

    #[test]
    fn what_nobody_is_shown_is_not_laid_out_and_what_many_are_shown_once() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let times = Arc::new(AtomicUsize::new(0));
        let counted = times.clone();
        let recipe = Recipe::new(move || json!({"n": counted.fetch_add(1, Ordering::Relaxed)}));
        let first = Picture::new(7).next(vec![(sid(1), recipe)], vec![], vec![]).unwrap();
        let second = first.next(recipes([item(2, 0)]), vec![], vec![]).unwrap();
        assert_eq!(times.load(Ordering::Relaxed), 0);
        let frames =
            [&first, &second, &second].map(|picture| data(picture.since(None, &Selection::default())));
        assert!(frames.iter().all(|frame| frame["queues"][0] == json!({"n": 0})));
        assert_eq!(times.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn an_id_of_another_process_is_not_a_position() {
        let picture = Picture::new(7).next(recipes([item(1, 0)]), vec![], vec![]).unwrap();
        assert_eq!(picture.position("7-1"), Some(1));
        for other in ["8-1", "7-2", "7", "x-y", ""] {
            assert_eq!(picture.position(other), None, "{other}");
        }
    }

    proptest! {
        /// However often somebody looks, what they put together is what is shown.
        #[test]
        fn whoever_skips_ends_with_the_same(
            steps in prop::collection::vec((0..6_u8, 0..4_u8, any::<bool>(), any::<bool>()), 1..60),
        ) {
            let mut picture = Picture::new(1);
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
                position = Some(picture.number());
                prop_assert_eq!(&seen, &truth);
            }
        }
    }
}
