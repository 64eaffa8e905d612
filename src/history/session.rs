//! What was stored last, so that only changes are stored next. It begins empty whenever the store is opened.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::calendar::quarter;
use super::encoding::{put, put_entry, put_gone, whole};
use super::figures::{Figures, figures, scope_number};
use super::names::{NameKind, StoredNames};
use super::store::Batch;
use super::timeline::STEP;
use crate::stats::{QueueState, Scope, ScopeStats, Snapshot, Tile};

/// Most bytes of one part: larger ones would not fit into a page of SQLite beside others, and the part is kept in memory.
const LARGEST_PART: usize = 800;

#[derive(Debug)]
pub(super) struct StoringSession {
    pub(super) names: StoredNames,
    /// When the last sample was stored.
    pub(super) stored_at: Option<i64>,
    /// Up to which moment intervals are stored.
    pub(super) final_until: Option<i64>,
    /// When the first sample was stored.
    pub(super) since: Option<i64>,
    /// The quarter hour in which everything too old was deleted.
    pub(super) pruned: Option<i64>,
    subjects: HashMap<Arc<str>, Subject>,
    tiles: HashMap<Arc<str>, TileSubject>,
}

#[derive(Debug)]
struct Subject {
    id: u32,
    /// Compared by pointers.
    shown: Vec<ScopeStats>,
    figures: Vec<Figures>,
    open: OpenPart,
}

#[derive(Debug)]
struct TileSubject {
    id: u32,
    look: u32,
    value: String,
    open: OpenPart,
}

#[derive(Debug, Default)]
struct OpenPart {
    quarter: i64,
    begins: i64,
    data: Vec<u8>,
}

impl OpenPart {
    fn is_over(&self, now: i64) -> bool {
        self.data.is_empty() || self.quarter != quarter(now) || self.data.len() > LARGEST_PART
    }

    fn begin(&mut self, now: i64) {
        *self = Self { quarter: quarter(now), begins: now, data: Vec::new() };
    }

    fn step(&self, now: i64) -> u64 {
        u64::try_from((now - self.quarter) / STEP).unwrap_or(0)
    }

    fn row(&self, id: u32) -> (u32, i64, i64, Vec<u8>) {
        (id, self.quarter, (self.begins - self.quarter) / STEP, self.data.clone())
    }
}

impl StoringSession {
    pub(super) fn new(names: StoredNames, stored_at: Option<i64>, final_until: Option<i64>) -> Self {
        let (subjects, tiles) = Default::default();
        Self { names, stored_at, final_until, since: None, pruned: None, subjects, tiles }
    }

    /// After a gap everything is stored again, as read then.
    pub(super) fn after_gap(&mut self) {
        self.subjects.clear();
        self.tiles.clear();
    }

    /// What a snapshot adds, at a moment on the grid.
    pub(super) fn sample(
        &mut self,
        snapshot: &Snapshot,
        workspace: &str,
        today: i64,
        now: i64,
        batch: &mut Batch,
    ) {
        for (sid, state) in &snapshot.queues {
            self.scopes(
                sid.as_str(),
                &state.queue.friendly_name,
                &state.scopes,
                snapshot,
                (today, now),
                batch,
            );
        }
        let whole = std::slice::from_ref(&snapshot.workspace);
        self.scopes(workspace, "", whole, snapshot, (today, now), batch);
        let gone = |sid: &str| sid != workspace && sid.parse().is_ok_and(|sid| snapshot.is_gone(sid));
        let mut rows = Vec::new();
        self.subjects.retain(|sid, subject| {
            let stays = !gone(sid);
            if !stays && subject.open.quarter == quarter(now) {
                let step = subject.open.step(now);
                put_gone(&mut subject.open.data, step);
                rows.push(subject.open.row(subject.id));
            }
            stays
        });
        batch.details.append(&mut rows);
        self.tiles(snapshot.metrics.as_deref().unwrap_or_default(), now, batch);
        batch.names.append(&mut self.names.take_unsaved());
    }

    fn scopes(
        &mut self,
        sid: &str,
        label: &str,
        scopes: &[ScopeStats],
        snapshot: &Snapshot,
        (today, now): (i64, i64),
        batch: &mut Batch,
    ) {
        if scopes.iter().all(|scope| scope.realtime.value.is_none() && scope.cumulative.value.is_none()) {
            return;
        }
        let (names, known) = (&mut self.names, self.subjects.get_mut(sid));
        let subject = match known {
            Some(subject) => subject,
            None => {
                let id = names.number(NameKind::Subject, sid, label);
                let new = Subject { id, shown: Vec::new(), figures: Vec::new(), open: OpenPart::default() };
                self.subjects.entry(sid.into()).or_insert(new)
            }
        };
        let same = |a: &ScopeStats, b: &ScopeStats| {
            pointer(&a.realtime.value) == pointer(&b.realtime.value)
                && pointer(&a.cumulative.value) == pointer(&b.cumulative.value)
        };
        let over = subject.open.is_over(now);
        let unchanged = subject.shown.len() == scopes.len()
            && subject.shown.iter().zip(scopes).all(|(shown, scope)| same(shown, scope));
        if unchanged && !over {
            return;
        }
        // A renamed TaskQueue's name is stored again.
        names.number(NameKind::Subject, sid, label);
        if over {
            subject.open.begin(now);
        }
        subject.figures.resize_with(scopes.len(), Figures::default);
        let (step, base) = (subject.open.step(now), subject.open.quarter);
        let written = subject.open.data.len();
        for (index, (scope, before)) in
            Scope::each(snapshot.channels.len()).zip(&mut subject.figures).enumerate().take(scopes.len())
        {
            let Some(stats) = scopes.get(index) else { continue };
            let next = figures(stats, today, names);
            let fields = if over { whole(&next) } else { next.changes_since(before) };
            if !fields.is_empty() {
                let number = scope_number(scope, &snapshot.channels, names);
                put_entry(&mut subject.open.data, step, number.into(), &fields, base);
            }
            *before = next;
        }
        subject.shown = scopes.iter().map(values_only).collect();
        if subject.open.data.len() > written {
            batch.details.push(subject.open.row(subject.id));
        }
    }

    fn tiles(&mut self, tiles: &[Tile], now: i64, batch: &mut Batch) {
        self.tiles.retain(|name, _| tiles.iter().any(|tile| tile.name == *name));
        for (position, tile) in tiles.iter().enumerate() {
            let (look, value) = split(tile, position);
            let look = self.names.number(NameKind::Look, &look, "");
            let id = self.names.number(NameKind::Subject, &tile_name(&tile.name), &tile.label);
            let new = || TileSubject { id, look: 0, value: String::new(), open: OpenPart::default() };
            let subject = self.tiles.entry(tile.name.clone()).or_insert_with(new);
            let over = subject.open.is_over(now);
            if !over && subject.look == look && subject.value == value {
                continue;
            }
            if over {
                subject.open.begin(now);
            }
            let step = subject.open.step(now);
            put(&mut subject.open.data, step);
            put(&mut subject.open.data, look.into());
            put(&mut subject.open.data, value.len() as u64);
            subject.open.data.extend_from_slice(value.as_bytes());
            (subject.look, subject.value) = (look, value);
            batch.details.push(subject.open.row(subject.id));
        }
    }

    pub(super) fn stored(&mut self, now: i64) {
        self.stored_at = Some(now);
    }

    /// Where the gap since the last sample begins, if there is one: after a start or a failure every missing sample is one,
    /// else the turns of a busy machine may come late.
    pub(super) fn gap_begins(&self, now: i64) -> Option<i64> {
        let from = self.stored_at?;
        let longest = if self.subjects.is_empty() { STEP } else { 3 * STEP };
        (now - from > longest).then_some(from)
    }
}

/// The values without what is not compared, which would keep more memory.
fn values_only(stats: &ScopeStats) -> ScopeStats {
    let mut kept = ScopeStats::default();
    kept.realtime.value.clone_from(&stats.realtime.value);
    kept.cumulative.value.clone_from(&stats.cumulative.value);
    kept
}

fn pointer<T>(value: &Option<Arc<T>>) -> Option<*const T> {
    value.as_ref().map(Arc::as_ptr)
}

pub(super) fn tile_name(name: &str) -> String {
    format!("tile:{name}")
}

/// A tile's look (everything but the value), and its value: the JSON of the value, or of value and text where the text is
/// another.
fn split(tile: &Tile, position: usize) -> (String, String) {
    let mut look = tile.to_json(position);
    for moving in ["value", "text", "asOf", "readBy", "stale"] {
        look.remove(moving);
    }
    look.insert("name".into(), json!(tile.name));
    let shown = match &tile.value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let value = if shown == tile.text { json!([tile.value]) } else { json!([tile.value, tile.text]) };
    (Value::Object(look).to_string(), value.to_string())
}

/// What a tile showed from a moment on: its look's number, value and text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ShownValue {
    pub(super) look: u32,
    pub(super) value: Value,
    pub(super) text: String,
}

/// Reads a tile's part: moments and what was shown from then on.
pub(super) fn tile_values(mut bytes: &[u8], quarter: i64) -> Vec<(i64, ShownValue)> {
    use super::encoding::take;
    let mut found = Vec::new();
    while let (Some(step), Some(look), Some(length)) = (take(&mut bytes), take(&mut bytes), take(&mut bytes))
    {
        let Some((json, rest)) =
            usize::try_from(length).ok().and_then(|length| bytes.split_at_checked(length))
        else {
            break;
        };
        bytes = rest;
        let Ok(mut shown) = serde_json::from_slice::<Vec<Value>>(json) else { break };
        let text = (shown.len() > 1).then(|| shown.pop()).flatten();
        let value = shown.pop().unwrap_or_default();
        let text = match text.as_ref().unwrap_or(&value) {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let look = u32::try_from(look).unwrap_or(0);
        let time = quarter + i64::try_from(step).unwrap_or(0) * STEP;
        found.push((time, ShownValue { look, value, text }));
    }
    found
}

/// A tile as the feed shows it, at a moment.
pub(super) fn tile_json(shown: &ShownValue, look: &str, at: &str) -> Value {
    let mut tile: Map<String, Value> = serde_json::from_str(look).unwrap_or_default();
    tile.insert("value".into(), shown.value.clone());
    tile.insert("text".into(), json!(shown.text));
    tile.insert("asOf".into(), json!(at));
    tile.insert("readBy".into(), json!("timer"));
    Value::Object(tile)
}

/// Whether this is worth keeping: the list of TaskQueues and their first values were read.
pub(super) fn is_filled(snapshot: &Snapshot) -> bool {
    let tried = |state: &Arc<QueueState>| state.scopes.iter().all(ScopeStats::was_tried);
    snapshot.directory_known && snapshot.queues.values().all(tried)
}
