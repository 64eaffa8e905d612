//! From an event to the update on a screen: the whole way through Twilio's own Sync SDK, beside the REST write's part
//! of it.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use twilio_emulator::Settings;

use crate::changes::Tasks;
use crate::limits::Observed;
use crate::stats::{Sample, ms};
use crate::table::{Section, Table};
use crate::testbed::{Effort, MAP, Opening, Stage, Testbed};

const QUEUES: usize = 20;
/// Time limit of an update; a missing one is not counted, and reported.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let stage = Stage::found("sdk", Settings { queues: QUEUES, ..Settings::default() }).await;
    let mut tasks = Tasks::new(stage.emulator.world(), 1);
    let testbed = stage.open(effort, Opening::default()).await;
    testbed.ready().await;
    testbed.agrees().await;
    let about = "*Written*: from just before a change's first event until Sync applies the item. *Told*: from there to `itemUpdated` of \
         that write in Twilio's unmodified SDK (Node.js)."
        .to_owned();
    let mut section = Section { title: "Through the Sync SDK", about, tables: Vec::new(), goals: Vec::new() };
    match Listener::start(&testbed).await {
        None => {
            section.about += "\n\nNot measured: Node.js or the packages of `tests/sdk` are missing (`make sdk` installs them).";
        }
        Some(mut listener) => {
            section.tables.push(measure(&testbed, &mut tasks, &mut listener, effort.of(10, 60)).await);
        }
    }
    (section, vec![testbed.stop().await])
}

async fn measure(testbed: &Testbed, tasks: &mut Tasks, listener: &mut Listener, changes: usize) -> Table {
    let (mut written, mut told, mut whole, mut missed) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..changes {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut writes = testbed.emulator.sync().subscribe();
        let (begin, begin_clock) = (Instant::now(), now());
        let queue = tasks.advance();
        let write = async {
            loop {
                let Ok(change) = writes.recv().await else { continue };
                let data = change.data.as_deref().filter(|_| change.key.as_deref() == Some(queue.as_str()));
                if let Some(data) = data {
                    return (begin.elapsed(), now(), data["asOf"].clone());
                }
            }
        };
        let Ok((write, applied, as_of)) = tokio::time::timeout(LONGEST_WAIT, write).await else {
            missed += 1;
            continue;
        };
        match tokio::time::timeout(LONGEST_WAIT, listener.hears(&queue, &as_of)).await {
            Err(_) => missed += 1,
            Ok(at) => {
                written.push(write);
                told.push(at.saturating_sub(applied));
                whole.push(at.saturating_sub(begin_clock));
            }
        }
    }
    let mut table = Table::new(&["ms", "Changes", "p50", "p95", "p99", "max", "Missed"]);
    for (name, times) in [("Written", written), ("Told", told), ("Event to screen", whole)] {
        let times = Sample::new(times);
        let [p50, p95, p99] = [50, 95, 99].map(|percent| ms(times.percentile(percent)));
        table.row(&[&name, &times.len(), &p50, &p95, &p99, &ms(times.max()), &missed]);
    }
    table
}

/// A process that runs the SDK.
struct Listener {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    heard: HashMap<(String, String), Duration>,
}

impl Listener {
    /// `None` where it can't be run.
    async fn start(testbed: &Testbed) -> Option<Self> {
        let account = testbed.emulator.account();
        let account = json!({
            "account_sid": account.account_sid, "api_key_sid": account.api_key_sid,
            "api_key_secret": account.api_key_secret, "sync_service_sid": account.sync_service_sid,
        });
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/support/listen.mjs");
        let arguments = [script, &testbed.emulator.url(), &account.to_string(), MAP];
        let child = Command::new("node").args(arguments).stdout(Stdio::piped()).kill_on_drop(true).spawn();
        let mut child = child.ok()?;
        let lines = BufReader::new(child.stdout.take()?).lines();
        let mut listener = Self { _child: child, lines, heard: HashMap::new() };
        let ready = listener.next().await?;
        ready["ready"].as_bool().map(|_| listener)
    }

    /// When this version of an item arrived.
    async fn hears(&mut self, key: &str, as_of: &Value) -> Duration {
        let wanted = (key.to_owned(), as_of.to_string());
        loop {
            if let Some(at) = self.heard.remove(&wanted) {
                return at;
            }
            let Some(line) = self.next().await else { return std::future::pending().await };
            let at = Duration::from_secs_f64(line["at"].as_f64().unwrap_or_default() / 1000.0);
            self.heard
                .insert((line["key"].as_str().unwrap_or_default().to_owned(), line["asOf"].to_string()), at);
        }
    }

    async fn next(&mut self) -> Option<Value> {
        let line = self.lines.next_line().await.ok()??;
        serde_json::from_str(&line).ok()
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
