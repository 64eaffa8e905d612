//! The sizes of values that are written to Sync.

use serde_json::Value;
use taskrouter_sync::config::LayoutName;
use twilio_emulator::{Emulator, Settings};

use crate::limits::Observed;
use crate::stats::Sample;
use crate::table::{Section, Table};
use crate::testbed::{Effort, Opening, Stage};

const QUEUES: usize = 20;
const HISTORY: std::time::Duration = std::time::Duration::from_secs(30 * 60);

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let settings = Settings { queues: QUEUES, workers: 40, history: HISTORY, ..Settings::default() };
    let stage = Stage::found("sizes", settings).await;
    let layouts = LayoutName::ALL.iter().map(|layout| layout.as_str()).collect::<Vec<_>>().join(",");
    let variables = [("SYNC_LAYOUTS", layouts.as_str())];
    let testbed = stage.open(effort, Opening { variables: &variables, ..Opening::default() }).await;
    testbed.ready().await;
    testbed.live(20.0, std::time::Duration::from_secs(5)).await;
    testbed.agrees().await;

    let mut table = Table::new(&["Layout", "Values", "Count", "min bytes", "median bytes", "max bytes"]);
    let is_today = |name: &str| name.ends_with("-today");
    let is_queue = |name: &str| name.starts_with("task-queue-");
    for (layout, values, sizes) in [
        ("queue-map", "items", items(&testbed.emulator, "queueStats")),
        ("dashboard-document", "Document", documents(&testbed.emulator, |name| name == "dashboard-data")),
        ("dashboard-map", "items", items(&testbed.emulator, "dashboard-map")),
        ("taskrouter-stats", "Document", documents(&testbed.emulator, |name| name == "SyncTaskRouterStats")),
        (
            "taskrouter-events",
            "Document",
            documents(&testbed.emulator, |name| name == "SyncTaskRouterEvents"),
        ),
        ("taskrouter-tasks", "items", items(&testbed.emulator, "SyncTaskRouterTasks")),
        (
            "queue-documents",
            "Documents, realtime",
            documents(&testbed.emulator, |n| is_queue(n) && !is_today(n)),
        ),
        ("queue-documents", "Documents, today", documents(&testbed.emulator, |n| is_queue(n) && is_today(n))),
        ("queue-documents", "items", items(&testbed.emulator, "task-queues")),
    ] {
        table.row(&[&layout, &values, &sizes.len(), &sizes.min(), &sizes.median(), &sizes.max()]);
    }
    let about = format!(
        "{QUEUES} TaskQueues with three channels, 40 Workers, 100 events. Bytes of JSON as Sync counts them: up to 1,024 an \
         object takes 20 writes a second, from 10,240 on 2."
    );
    (
        Section { title: "Sizes in Sync", about, tables: vec![table], goals: Vec::new() },
        vec![testbed.stop().await],
    )
}

fn items(emulator: &Emulator, map: &str) -> Sample<usize> {
    sample(emulator.sync().map_items(map).unwrap_or_default().into_values())
}

fn documents(emulator: &Emulator, wanted: impl Fn(&str) -> bool) -> Sample<usize> {
    let names = emulator.sync().documents().into_iter().filter(|name| wanted(name));
    sample(names.filter_map(|name| emulator.sync().document(&name)))
}

fn sample(values: impl Iterator<Item = Value>) -> Sample<usize> {
    Sample::new(values.map(|value| value.to_string().len()).collect())
}
