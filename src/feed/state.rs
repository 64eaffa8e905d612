//! The picture: everything that a watcher can be shown, each part with the number of the change that brought it.
//!
//! A TaskQueue is kept as the way to lay it out, and laid out when the first watcher asks; all others share that. With
//! no watchers, a thousand TaskQueues cost neither the work nor 5 MB.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Selection;
use super::part::{FeedPart, LazyJson, put};
use crate::sid::TaskQueueSid;

/// Branches of history that are remembered, so that a client of an earlier leader can resume; each takeover makes one.
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

/// TaskQueues remembered as gone, for returning clients; with more of them, clients get a new whole state.
const MOST_GONE: usize = 1000;

#[derive(Debug, Clone, Default)]
pub struct FeedState {
    epoch: u64,
    number: u64,
    /// Earlier epochs, and the number up to which this one has their history.
    branches: Vec<(u64, u64)>,
    /// The health shown by this replica in place of the part's, with its own tag.
    overlay: Option<(u64, Arc<str>)>,
    /// When the picture was made; a client that gets it at once can compare its clock.
    drawn_at: Timestamp,
    /// Watchers with a lower cursor have missed changes that are not remembered.
    oldest: u64,
    queues: BTreeMap<TaskQueueSid, Arc<FeedPart>>,
    gone: BTreeMap<TaskQueueSid, u64>,
    parts: BTreeMap<&'static str, Arc<FeedPart>>,
}

/// A watcher's cursor: which picture it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    epoch: u64,
    number: u64,
    /// The tag of the health that a replica shows in its place; 0 without one.
    overlay: u64,
}

impl Cursor {
    /// Whether this cursor is later in the same history.
    pub(super) fn is_after(self, other: Self) -> bool {
        self.epoch == other.epoch && self.number > other.number
    }
}

/// The numbering of a picture, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    epoch: u64,
    number: u64,
    branches: Vec<(u64, u64)>,
    oldest: u64,
    drawn_at: Timestamp,
}

/// The difference of two pictures, for replicas with a copy of the first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// The picture that this changes; `None` for a whole picture.
    pub from: Option<(u64, u64)>,
    pub head: Head,
    /// TaskQueues' items, each with its number.
    pub queues: Vec<(TaskQueueSid, u64, Box<RawValue>)>,
    /// TaskQueues that are gone, each with its number.
    pub gone: Vec<(TaskQueueSid, u64)>,
    pub parts: Vec<(String, u64, Box<RawValue>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// `snapshot` for a whole picture, `change` for what is newer than the last frame.
    pub kind: &'static str,
    pub id: String,
    pub data: String,
}

impl FeedState {
    pub(super) fn new(epoch: u64) -> Self {
        Self { epoch, ..Self::default() }
    }

    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.get(name).map(|part| part.json())
    }

    /// The same, as clients are shown it: health as it is said to be here, where that is something else.
    pub fn shown_part(&self, name: &str) -> Option<&str> {
        let over = self.overlay.as_ref().filter(|_| name == HEALTH);
        over.map(|(_, health)| &**health).or_else(|| self.part(name))
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn here(&self) -> Cursor {
        Cursor { epoch: self.epoch, number: self.number, overlay: self.overlay_tag() }
    }

    /// The position that a frame's id names, unless it is unknown.
    pub(super) fn position(&self, id: &str) -> Option<Cursor> {
        let (epoch, rest) = id.split_once('-')?;
        let (number, overlay) = rest.split_once('-').unwrap_or((rest, "0"));
        let position = Cursor {
            epoch: epoch.parse().ok()?,
            number: number.parse().ok()?,
            overlay: overlay.parse().ok()?,
        };
        self.known(position).map(|_| position)
    }

    /// The number from which on a watcher there is owed something.
    fn known(&self, position: Cursor) -> Option<u64> {
        let ours = (self.epoch, self.number);
        let mut epochs = self.branches.iter().chain([&ours]);
        let shares = |(epoch, last): &&(u64, u64)| *epoch == position.epoch && position.number <= *last;
        epochs.find(shares).map(|_| position.number)
    }

    fn overlay_tag(&self) -> u64 {
        self.overlay.as_ref().map_or(0, |(tag, _)| *tag)
    }

    /// The same picture, as the beginning of another branch of history.
    #[must_use]
    pub fn branched(&self, epoch: u64) -> Self {
        let mut next = self.clone();
        next.branches.push((self.epoch, self.number));
        let surplus = next.branches.len().saturating_sub(MOST_BRANCHES);
        next.branches.drain(..surplus);
        (next.epoch, next.overlay) = (epoch, None);
        next
    }

    /// The same picture with another health, or with `None` its own again. The tag tells this change from others.
    #[must_use]
    pub fn with_health(&self, health: Option<(u64, &Value)>) -> Self {
        let overlay = health.map(|(tag, health)| (tag, Arc::from(health.to_string())));
        Self { overlay, ..self.clone() }
    }

    /// Whether another health is shown in place of its own.
    pub fn is_overlaid(&self) -> bool {
        self.overlay.is_some()
    }

    pub fn at(&self) -> (u64, u64) {
        (self.epoch, self.number)
    }

    pub fn head(&self) -> Head {
        let Self { epoch, number, drawn_at, oldest, branches, .. } = self.clone();
        Head { epoch, number, branches, oldest, drawn_at }
    }

    /// What this picture adds to an earlier one of the same history; without one, everything.
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

    /// Applies another replica's change; `None` if it is not a change of this picture.
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
            next.queues.insert(*sid, FeedPart::copied(*number, json));
            next.gone.remove(sid);
        }
        for (sid, number) in &change.gone {
            next.queues.remove(sid);
            next.gone.insert(*sid, *number);
        }
        for (name, number, json) in &change.parts {
            // A newer version may have parts that this one does not know.
            if let Some(name) = PARTS.iter().find(|known| *known == name) {
                next.parts.insert(name, FeedPart::copied(*number, json));
            }
        }
        Some(next)
    }

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

    pub fn knows_queues(&self) -> bool {
        self.part("queuesKnown") == Some("true")
    }

    /// The next picture: these queues and parts changed, those queues are gone. `None` when nothing did.
    pub(super) fn next(
        &self,
        queues: Vec<(TaskQueueSid, LazyJson)>,
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
            changed |= put(&mut next.queues, queue, FeedPart::new(number, recipe));
            next.gone.remove(&queue);
        }
        for queue in gone {
            if next.queues.remove(&queue).is_some() {
                next.gone.insert(queue, number);
                changed = true;
            }
        }
        for (name, value) in parts {
            changed |=
                put(&mut next.parts, name, FeedPart::new(number, LazyJson::new(move || value.clone())));
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
    fn in_order(&self) -> Vec<(&TaskQueueSid, &Arc<FeedPart>)> {
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

    /// What is newer than a cursor; the whole picture without one, or where too much was missed.
    pub(super) fn since(&self, seen: Option<Cursor>, selection: &Selection) -> Option<Frame> {
        let position = seen.and_then(|seen| self.known(seen)).filter(|position| *position >= self.oldest);
        let from = position.unwrap_or(0);
        let overlaid = seen.is_none_or(|seen| seen.overlay != self.overlay_tag());
        let newer = |part: &&Arc<FeedPart>| position.is_none() || part.number > from;
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

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
