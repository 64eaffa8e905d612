//! Formulas stand beside the way from TaskRouter to Sync and the feed: whatever becomes of their process, statistics go
//! on, and only tiles get old, each marked with the reason.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use twilio_emulator::Settings;

use crate::support::watcher::Watcher;
use crate::support::{ADMIN, Bed, NO_TIMERS};

/// Statistics are shown this often while the formula process can't be used.
const STEPS: usize = 4;

/// Starts the real formula process, and notes which processes that were.
struct Program {
    directory: tempfile::TempDir,
}

impl Program {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = Self { directory };
        let (real, noted) = (env!("CARGO_BIN_EXE_taskrouter-sync"), program.noted());
        let script = format!("#!/bin/sh\necho $$ >> '{}'\nexec '{real}' \"$@\"\n", noted.display());
        std::fs::write(program.path(), script).unwrap();
        std::fs::set_permissions(program.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("formulas")
    }

    fn noted(&self) -> PathBuf {
        self.directory.path().join("pids")
    }

    /// All that were started.
    fn started(&self) -> Vec<String> {
        let noted = std::fs::read_to_string(self.noted()).unwrap_or_default();
        noted.lines().map(str::to_owned).collect()
    }
}

fn signal(name: &str, pid: &str) -> bool {
    std::process::Command::new("kill").args(["-s", name, pid]).status().unwrap().success()
}

async fn bed(program: &Path) -> Bed {
    let settings = Settings { queues: 4, workers: 6, ..Settings::default() };
    let mut bed = Bed::without_service(settings, NO_TIMERS).await;
    bed.formula_program = program.to_owned();
    bed.start_service().await;
    bed.ready().await;
    bed
}

fn tiles(watcher: &Watcher) -> &[Value] {
    watcher.metrics.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn all_fresh(watcher: &Watcher) -> bool {
    let fresh = |tile: &Value| tile.get("stale").is_none() && !tile["asOf"].is_null();
    !tiles(watcher).is_empty() && tiles(watcher).iter().all(fresh)
}

/// The centre moves on, and Sync and the feed show it.
async fn statistics_move_on(bed: &Bed, watcher: &mut Watcher) {
    for _ in 0..STEPS {
        bed.emulator.world().step();
        bed.agrees().await;
    }
    let sync = bed.emulator.sync().map_items("queueStats").unwrap();
    let same = |watcher: &Watcher| {
        watcher.queues.iter().all(|(sid, shown)| shown["tasksByStatus"] == sync[sid]["tasksByStatus"])
    };
    watcher.until("the feed shows what Sync does", same).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_formula_process_holds_up_no_statistic_and_tiles_say_why_they_are_old() {
    let program = Program::new();
    let bed = bed(&program.path()).await;
    let mut watcher = Watcher::at(bed.url(), None).await;
    watcher.until("tiles", all_fresh).await;
    assert_eq!(watcher.health["formulas"]["ok"], true);
    let before = tiles(&watcher).to_vec();
    let [stopped] = &program.started()[..] else { panic!("one process") };
    assert!(signal("STOP", stopped));
    // A round begins at least every five seconds, and is late three seconds after that.
    watcher
        .until("tiles are marked", |watcher| tiles(watcher).iter().any(|tile| tile.get("stale").is_some()))
        .await;
    statistics_move_on(&bed, &mut watcher).await;
    // The stopped process is given up ten seconds after the round began: all that was shown while it was in use.
    assert_eq!(program.started(), std::slice::from_ref(stopped), "statistics waited for the formula process");
    let (tile, last) = (&tiles(&watcher)[0], &before[0]);
    assert_eq!((&tile["name"], &tile["text"]), (&last["name"], &last["text"]), "the last value stays");
    assert!(tile["stale"]["reason"].as_str().unwrap().contains("formula process"), "{tile}");
    assert!(tile["stale"]["since"].is_string());
    assert_eq!(watcher.health["formulas"]["ok"], false);
    let name = tile["name"].as_str().unwrap();
    let in_sync = bed.emulator.sync().document("dashboard-metrics").unwrap()[name].clone();
    assert!(in_sync["stale"]["reason"].is_string(), "in Sync, too: {in_sync}");
    // Another process takes over, and the tiles are right again.
    watcher.until("tiles are fresh", all_fresh).await;
    assert_eq!(program.started().len(), 2);
    assert_eq!(watcher.health["formulas"], json!({"ok": true, "since": null, "reason": null}));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_formula_process_that_is_killed_again_and_again_holds_up_no_statistic() {
    let program = Program::new();
    let bed = bed(&program.path()).await;
    let mut watcher = Watcher::at(bed.url(), None).await;
    watcher.until("tiles", all_fresh).await;
    let killing = async {
        loop {
            // One that is gone already needs no signal.
            program.started().last().map(|pid| signal("KILL", pid));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        () = killing => {}
        () = async {
            statistics_move_on(&bed, &mut watcher).await;
            watcher.until("tiles say why", |watcher| tiles(watcher).iter().any(|tile| tile.get("stale").is_some())).await;
            statistics_move_on(&bed, &mut watcher).await;
        } => {}
    }
    watcher.until("tiles are fresh", all_fresh).await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_slow_formulas_hold_up_no_statistic() {
    let program = Program::new();
    let bed = bed(&program.path()).await;
    let mut watcher = Watcher::at(bed.url(), None).await;
    watcher.until("tiles", all_fresh).await;
    let slow = |n: usize| {
        let formula =
            format!("(() => {{ let n = {n}; for (let i = 0; i < 20000; i++) n += i % 7; return n }})()");
        (format!("slow-{n}"), json!({"metric": {"label": format!("Slow {n}"), "formula": formula}}))
    };
    let free = 300 - tiles(&watcher).len();
    let changes: serde_json::Map<_, _> = (0..free).map(slow).collect();
    let url = format!("{}/api/save", bed.url());
    let saving = bed.http.post(url).basic_auth(ADMIN.0, Some(ADMIN.1)).json(&changes);
    assert_eq!(saving.send().await.unwrap().status(), 200);
    statistics_move_on(&bed, &mut watcher).await;
    watcher
        .until("all of them are evaluated", |watcher| tiles(watcher).len() == 300 && all_fresh(watcher))
        .await;
    statistics_move_on(&bed, &mut watcher).await;
    bed.finish().await;
}
