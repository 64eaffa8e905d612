//! The picture: everything that a watcher can be shown, each part with the number of the change that brought it.
//!
//! A TaskQueue is kept as the way to lay it out, and laid out when the first watcher asks; all others share that. With
//! nobody watching, a thousand TaskQueues cost neither the work nor 5 MB.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Selection;
use crate::sid::TaskQueueSid;

/// Branches that are remembered, so that who comes back from one can go on; each is a leader that took over.
const MOST_BRANCHES: usize = 16;
/// All parts but the TaskQueues. What begins with `_` is not for clients.
const PARTS: [&str; 9] = [
    CHANNELS,
    "asOf",
    "health",
    "metrics",
    METRICS_DOCUMENTS,
    QUEUE_ORDER,
    "queuesKnown",
    "voice",
    "workspace",
];
/// The part with the names of the Documents that metrics stand in.
pub const METRICS_DOCUMENTS: &str = "_metricsDocuments";
/// The part with the TaskChannels that have statistics of their own.
pub const CHANNELS: &str = "_channels";
/// The part with the TaskQueues' SIDs in TaskRouter's order.
pub const QUEUE_ORDER: &str = "_queueOrder";
const HEALTH: &str = "health";

/// TaskQueues that are remembered as gone, so that who comes back is told; with more of them all are told anew.
const MOST_GONE: usize = 1000;

/// All that is shown, serialised.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// Tells these numbers from those of others.
    epoch: u64,
    number: u64,
    /// Earlier epochs, and the number up to which this one has their history.
    branches: Vec<(u64, u64)>,
    /// What health is said to be here, whatever the part says; with its own tag.
    overlay: Option<(u64, Arc<str>)>,
    /// When it was drawn; whoever gets it at once can set a clock by it.
    drawn_at: Timestamp,
    /// Watchers below this number have missed something that is not remembered.
    oldest: u64,
    queues: BTreeMap<TaskQueueSid, Arc<Part>>,
    gone: BTreeMap<TaskQueueSid, u64>,
    parts: BTreeMap<&'static str, Arc<Part>>,
}

/// Where a watcher is: which picture it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    epoch: u64,
    number: u64,
    /// The tag of what was laid over it; nought for nothing.
    overlay: u64,
}

impl Position {
    /// Whether it comes later in the same history.
    pub(super) fn is_after(self, other: Self) -> bool {
        self.epoch == other.epoch && self.number > other.number
    }
}

/// What a picture's numbers are: all of it but what they number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    epoch: u64,
    number: u64,
    branches: Vec<(u64, u64)>,
    oldest: u64,
    drawn_at: Timestamp,
}

/// What has to change in one picture to make the next of it, for whoever keeps a copy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// The picture that it changes; `None` for a whole one.
    pub from: Option<(u64, u64)>,
    /// What it becomes.
    pub head: Head,
    /// TaskQueues' items, each with its number.
    pub queues: Vec<(TaskQueueSid, u64, Box<RawValue>)>,
    /// TaskQueues that are gone, each with its number.
    pub gone: Vec<(TaskQueueSid, u64)>,
    /// The other parts, each with its number.
    pub parts: Vec<(String, u64, Box<RawValue>)>,
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

    /// One that was laid out elsewhere.
    fn copied(number: u64, json: &RawValue) -> Arc<Self> {
        let part = Self { number, recipe: Recipe::new(|| Value::Null), json: OnceLock::new() };
        part.json.get_or_init(|| json.get().into());
        Arc::new(part)
    }

    fn raw(&self) -> Box<RawValue> {
        // It is JSON that we made ourselves.
        RawValue::from_string(self.json().to_owned()).unwrap_or_default()
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

    /// The same, as clients are shown it: health as it is said to be here, where that is something else.
    pub fn shown_part(&self, name: &str) -> Option<&str> {
        let over = self.overlay.as_ref().filter(|_| name == HEALTH);
        over.map(|(_, health)| &**health).or_else(|| self.part(name))
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Where it is itself.
    pub(super) fn here(&self) -> Position {
        Position { epoch: self.epoch, number: self.number, overlay: self.overlay_tag() }
    }

    /// The position that a frame's id names, unless it is nobody's that we know.
    pub(super) fn position(&self, id: &str) -> Option<Position> {
        let (epoch, rest) = id.split_once('-')?;
        let (number, overlay) = rest.split_once('-').unwrap_or((rest, "0"));
        let position = Position {
            epoch: epoch.parse().ok()?,
            number: number.parse().ok()?,
            overlay: overlay.parse().ok()?,
        };
        self.known(position).map(|_| position)
    }

    /// The number from which on a watcher there is owed something.
    fn known(&self, position: Position) -> Option<u64> {
        let ours = (self.epoch, self.number);
        let mut epochs = self.branches.iter().chain([&ours]);
        let shares = |(epoch, last): &&(u64, u64)| *epoch == position.epoch && position.number <= *last;
        epochs.find(shares).map(|_| position.number)
    }

    fn overlay_tag(&self) -> u64 {
        self.overlay.as_ref().map_or(0, |(tag, _)| *tag)
    }

    /// The same, from which another history goes on than anybody else's.
    #[must_use]
    pub fn branched(&self, epoch: u64) -> Self {
        let mut next = self.clone();
        next.branches.push((self.epoch, self.number));
        let surplus = next.branches.len().saturating_sub(MOST_BRANCHES);
        next.branches.drain(..surplus);
        (next.epoch, next.overlay) = (epoch, None);
        next
    }

    /// The same, with another health shown than it has; `None` for its own again. The tag tells this time from others.
    #[must_use]
    pub fn with_health(&self, health: Option<(u64, &Value)>) -> Self {
        let overlay = health.map(|(tag, health)| (tag, Arc::from(health.to_string())));
        Self { overlay, ..self.clone() }
    }

    /// Whether another health is laid over it.
    pub fn is_overlaid(&self) -> bool {
        self.overlay.is_some()
    }

    /// Its epoch and number.
    pub fn at(&self) -> (u64, u64) {
        (self.epoch, self.number)
    }

    /// Its numbers.
    pub fn head(&self) -> Head {
        let Self { epoch, number, drawn_at, oldest, branches, .. } = self.clone();
        Head { epoch, number, branches, oldest, drawn_at }
    }

    /// What it has that an earlier one of the same history has not; without one, everything.
    pub fn change_since(&self, earlier: Option<&Self>) -> Change {
        let earlier = earlier.filter(|earlier| self.known(earlier.here()).is_some_and(|n| n >= self.oldest));
        let newer = |number: u64| earlier.is_none_or(|earlier| number > earlier.number);
        let queues = self.queues.iter().filter(|(_, part)| newer(part.number));
        let parts = self.parts.iter().filter(|(_, part)| newer(part.number));
        Change {
            from: earlier.map(Self::at),
            head: self.head(),
            queues: queues.map(|(sid, part)| (*sid, part.number, part.raw())).collect(),
            gone: self.gone.iter().filter(|(_, n)| newer(**n)).map(|(sid, n)| (*sid, *n)).collect(),
            parts: parts.map(|(name, part)| ((*name).to_owned(), part.number, part.raw())).collect(),
        }
    }

    /// The next picture by a change that somebody else drew; `None` where it is not a change of this one.
    pub fn changed(&self, change: &Change) -> Option<Self> {
        let mut next = match change.from {
            Some(from) if from == self.at() => self.clone(),
            Some(_) => return None,
            None => Self::default(),
        };
        let Head { epoch, number, branches, oldest, drawn_at } = change.head.clone();
        (next.epoch, next.number, next.branches, next.drawn_at) = (epoch, number, branches, drawn_at);
        next.overlay = None;
        if next.oldest != oldest {
            next.oldest = oldest;
            next.gone.clear();
        }
        for (sid, number, json) in &change.queues {
            next.queues.insert(*sid, Part::copied(*number, json));
            next.gone.remove(sid);
        }
        for (sid, number) in &change.gone {
            next.queues.remove(sid);
            next.gone.insert(*sid, *number);
        }
        for (name, number, json) in &change.parts {
            // A newer version may have parts that this one does not know.
            if let Some(name) = PARTS.iter().find(|known| *known == name) {
                next.parts.insert(name, Part::copied(*number, json));
            }
        }
        Some(next)
    }

    /// The TaskQueues that it shows.
    pub(super) fn queues(&self) -> Vec<TaskQueueSid> {
        self.queues.keys().copied().collect()
    }

    /// The TaskChannels with statistics of their own; `None` before it is known which of them the Workspace has.
    pub fn channels(&self) -> Option<Vec<String>> {
        self.part(CHANNELS).and_then(|channels| serde_json::from_str(channels).ok())
    }

    /// How many TaskQueues it shows.
    pub fn count_queues(&self) -> usize {
        self.queues.len()
    }

    /// Whether it is known which TaskQueues there are.
    pub fn knows_queues(&self) -> bool {
        self.part("queuesKnown") == Some("true")
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
        next.overlay = None;
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
        self.knows_queues().then_some(())?;
        let changed = self.queues.values().map(|part| part.number);
        changed.chain(self.gone.values().copied()).max().or(Some(0)).max(Some(self.oldest))
    }

    /// The TaskQueues in TaskRouter's order; those that it does not list any more come last.
    fn in_order(&self) -> Vec<(&TaskQueueSid, &Arc<Part>)> {
        let order: Vec<TaskQueueSid> =
            self.part(QUEUE_ORDER).and_then(|order| serde_json::from_str(order).ok()).unwrap_or_default();
        let listed: BTreeSet<&TaskQueueSid> = order.iter().collect();
        let rest = self.queues.iter().filter(|(queue, _)| !listed.contains(queue));
        order.iter().filter_map(|queue| self.queues.get_key_value(queue)).chain(rest).collect()
    }

    /// All queues' items as a JSON array, in TaskRouter's order.
    pub(super) fn items(&self) -> String {
        let items: Vec<&str> = self.in_order().into_iter().map(|(_, part)| part.json()).collect();
        format!("[{}]", items.join(","))
    }

    /// What is newer than a position; the whole picture where there is none, or too much was missed.
    pub(super) fn since(&self, seen: Option<Position>, selection: &Selection) -> Option<Frame> {
        let position = seen.and_then(|seen| self.known(seen)).filter(|position| *position >= self.oldest);
        let from = position.unwrap_or(0);
        let overlaid = seen.is_none_or(|seen| seen.overlay != self.overlay_tag());
        let newer = |part: &&Arc<Part>| position.is_none() || part.number > from;
        let all = if position.is_none() { self.in_order() } else { self.queues.iter().collect() };
        let queues = all.into_iter().filter(|(queue, part)| newer(part) && selection.wants(queue));
        let queues: Vec<Cow<'_, str>> = queues.map(|(_, part)| selection.shown(part.json())).collect();
        let gone = self.gone.iter().filter(|(queue, n)| **n > from && selection.wants(queue));
        let gone: Vec<&TaskQueueSid> = gone.map(|(queue, _)| queue).collect();
        let parts = self.parts.iter().filter(|(name, _)| !name.starts_with('_'));
        let parts = parts.filter(|(name, part)| newer(part) || (overlaid && **name == HEALTH));
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
            let over = self.overlay.as_ref().filter(|_| *name == HEALTH);
            let json = over.map_or(part.json(), |(_, health)| &**health);
            data += &format!(",\"{name}\":{json}");
        }
        if position.is_some() && data == head {
            return None;
        }
        data.push('}');
        let kind = if position.is_some() { "change" } else { "snapshot" };
        let id = match self.overlay_tag() {
            0 => format!("{}-{}", self.epoch, self.number),
            tag => format!("{}-{}-{tag}", self.epoch, self.number),
        };
        Some(Frame { kind, id, data })
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
        assert_eq!(picture.position("7-1"), Some(picture.here()));
        for other in ["8-1", "7-2", "7", "x-y", ""] {
            assert_eq!(picture.position(other), None, "{other}");
        }
    }

    #[test]
    fn a_copy_is_the_same_and_whoever_resumes_from_a_branch_gets_what_they_miss() {
        let all = Selection::default();
        let first = Picture::new(7)
            .next(
                recipes([item(1, 0), item(2, 0)]),
                vec![],
                vec![("health", json!(1)), (METRICS_DOCUMENTS, json!(1))],
            )
            .unwrap();
        let copy = Picture::new(0).changed(&first.change_since(None)).unwrap();
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
        let first = Picture::new(7).next(recipes([item(1, 0)]), vec![], vec![("health", json!(1))]).unwrap();
        let stale = first.with_health(Some((9, &json!("stale"))));
        let shown = stale.since(Some(first.here()), &all).unwrap();
        assert_eq!(shown.id, "7-1-9");
        assert_eq!(data(Some(shown)), json!({"seq": 1, "health": "stale"}));
        let next = first.next(recipes([item(1, 1)]), vec![], vec![]).unwrap();
        let back = data(next.since(next.position("7-1-9"), &all));
        assert_eq!(back, json!({"seq": 2, "health": 1, "queues": [item(1, 1).1]}));
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
                position = Some(picture.here());
                prop_assert_eq!(&seen, &truth);
            }
        }
    }
}
