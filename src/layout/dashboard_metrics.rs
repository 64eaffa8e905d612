//! Layout `dashboard-metrics`: the tiles' results, by the metrics' unique names.
//!
//! A Document takes 16 KiB, about fifty tiles; further ones go on in `<name>-2`, `<name>-3`, …, in order.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::fit::LARGEST;
use super::{Changes, Layout, Object, Target};
use crate::config::CoreConfig;
use crate::stats::{Needs, Snapshot, Tile};

/// The first Document's name.
#[derive(Debug)]
pub(super) struct DashboardMetrics {
    document: Arc<str>,
}

impl DashboardMetrics {
    pub(super) fn new(config: &CoreConfig) -> Self {
        Self { document: config.sync.dashboard_metrics_document.as_str().into() }
    }

    fn name(&self, place: usize) -> Arc<str> {
        if place == 0 { self.document.clone() } else { format!("{}-{}", self.document, place + 1).into() }
    }

    fn place(&self, name: &str) -> Option<usize> {
        if *name == *self.document {
            return Some(0);
        }
        let number = name.strip_prefix(&*self.document)?.strip_prefix('-')?.parse::<usize>().ok()?;
        number.checked_sub(1).filter(|place| *place > 0)
    }
}

impl Layout for DashboardMetrics {
    fn needs(&self) -> Needs {
        Needs { workspace: true, queues: true, ..Needs::default() }
    }

    /// One Document more than needed, so that one that an earlier, longer list left is deleted.
    fn objects(&self, snapshot: &Snapshot) -> Vec<Object> {
        let count = snapshot.metrics.as_deref().map_or(1, |metrics| parts(metrics).len());
        (0..=count).map(|place| Object::Document(self.name(place))).collect()
    }

    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes<'_>) {
        let Some(metrics) = next.metrics.as_ref() else { return };
        let before = last.and_then(|last| last.metrics.as_ref());
        if before.is_some_and(|before| Arc::ptr_eq(before, metrics)) {
            return;
        }
        let now = parts(metrics);
        let before = before.map(|before| parts(before)).unwrap_or_default();
        let count = now.len();
        for (place, part) in now.into_iter().enumerate() {
            if before.get(place) != Some(&part) {
                changes.put(Target::Document(self.name(place)), Value::Object(part));
            }
        }
        (count..before.len()).for_each(|place| changes.remove(Target::Document(self.name(place))));
    }

    fn value(&self, target: &Target, snapshot: &Snapshot) -> Option<Value> {
        let Target::Document(name) = target else { return None };
        let place = self.place(name)?;
        parts(snapshot.metrics.as_deref()?).into_iter().nth(place).map(Value::Object)
    }

    fn leftovers(&self, _map: &str, _key: &str, _snapshot: &Snapshot) -> Vec<Target> {
        Vec::new()
    }

    fn is_leftover(&self, document: &str, snapshot: &Snapshot) -> bool {
        let count = snapshot.metrics.as_deref().map(|metrics| parts(metrics).len());
        self.place(document).zip(count).is_some_and(|(place, count)| place >= count)
    }
}

pub(super) fn names(first: &str, metrics: &[Tile]) -> Vec<String> {
    let name = |place| if place == 0 { first.to_owned() } else { format!("{first}-{}", place + 1) };
    (0..parts(metrics).len()).map(name).collect()
}

/// The metrics by Document; at least one.
fn parts(metrics: &[Tile]) -> Vec<Map<String, Value>> {
    let mut parts = vec![Map::new()];
    let mut size = 2;
    for (position, metric) in metrics.iter().enumerate() {
        let shown = Value::Object(metric.to_json(position));
        // Quotes, colon and comma; names with characters that are escaped take a little more.
        let bytes = Value::from(&*metric.name).to_string().len() + shown.to_string().len() + 2;
        if size + bytes > LARGEST && size > 2 {
            parts.push(Map::new());
            size = 2;
        }
        size += bytes;
        if let Some(part) = parts.last_mut() {
            part.insert(metric.name.to_string(), shown);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn goes_on_in_numbered_documents_that_all_fit() {
        let metric = |n: usize| Tile {
            name: format!("metric-{n}").into(),
            label: "Waiting".into(),
            value: json!(n),
            text: n.to_string(),
            format: "".into(),
            style: Arc::new(json!({"styleName": "Default", "headlineColour": "colorTextWeak",
                "statColour": "colorText", "backgroundColour": "transparent"})),
            threshold: None,
            increment: false,
            as_of: None,
            by_event: false,
            service_level: None,
            service_level_threshold: None,
            tv: None,
            error: None,
            stale: None,
        };
        let metrics: Vec<Tile> = (0..200).map(metric).collect();
        let documents = parts(&metrics);
        assert!(documents.len() > 1);
        assert!(documents.iter().all(|part| Value::Object(part.clone()).to_string().len() <= LARGEST));
        assert_eq!(documents.iter().map(Map::len).sum::<usize>(), 200);
        assert_eq!(documents[0]["metric-0"]["position"], 0);
        let layout = DashboardMetrics { document: "dashboard-metrics".into() };
        let mut snapshot = Snapshot::empty(&[], jiff::Timestamp::UNIX_EPOCH);
        snapshot.metrics = Some(metrics.into());
        assert_eq!(layout.objects(&snapshot).len(), documents.len() + 1);
        assert!(layout.value(&Target::Document("dashboard-metrics-2".into()), &snapshot).is_some());
        assert!(!layout.is_leftover("dashboard-metrics-2", &snapshot));
        snapshot.metrics = Some(Arc::default());
        assert!(layout.is_leftover("dashboard-metrics-2", &snapshot));
        for foreign in ["dashboard-metrics", "dashboard-metrics-x", "dashboard-metrics-1", "other-2"] {
            assert!(!layout.is_leftover(foreign, &snapshot), "{foreign}");
        }
    }
}
