//! `demo`, seen from outside.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::flex_plugin::is_built;
use crate::support::DEADLINE;

const METRICS_WITH_CURVES: [&str; 13] = [
    "tasks-waiting",
    "oldest-task",
    "tasks-in-progress",
    "sla-today",
    "speed-of-answer",
    "tasks-canceled",
    "abandoned-rate",
    "tasks-completed",
    "agents-available",
    "agents-busy",
    "agents-offline",
    "occupancy",
    "queues-without-agents",
];
/// Metrics that don't move within seconds where nothing happens.
const STILL: [&str; 4] = ["agents-offline", "tasks-canceled", "tasks-completed", "sla-today"];

/// Starts it on free ports; returns its address and what it printed.
async fn demo(more: &[&str]) -> (Child, String, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskrouter-sync"));
    command.args(["demo", "--port", "0", "--twilio-port", "0", "--flex-port", "0"]).args(more).env_clear();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed: Vec<String> = Vec::new();
    let until_open = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            let ends = line.starts_with("Ctrl-C");
            printed.push(line);
            if ends {
                return;
            }
        }
        panic!("the demo ended: {printed:#?}");
    };
    timeout(DEADLINE * 3, until_open).await.unwrap();
    let dashboard = printed.iter().find_map(|line| line.trim().strip_prefix("dashboard")).unwrap();
    let address = dashboard.split_whitespace().next().unwrap().to_owned();
    (child, address, printed)
}

#[expect(clippy::disallowed_methods, reason = "asks the service itself, not Twilio")]
async fn get(url: &str) -> Value {
    // The demo is another process, so nothing in this one has chosen it yet.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let request = reqwest::Client::new().get(url).basic_auth("admin", Some("demo-password"));
    request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_has_half_an_hour_of_curves_a_healthy_centre_and_call_quality_reports_from_the_first_moment()
{
    let (_demo, url, printed) = demo(&["--pace", "0"]).await;
    for metric in METRICS_WITH_CURVES {
        let curve = get(&format!("{url}api/history?metric={metric}")).await;
        let points = curve["points"].as_array().unwrap();
        let at = |point: Option<&Value>| point.and_then(|point| point[0].as_i64()).unwrap();
        let minutes = (at(points.last()) - at(points.first())) / 60;
        assert!(points.len() >= 85 && minutes >= 28, "{metric}: {} points, {minutes} minutes", points.len());
        let with_values = points.iter().filter(|point| point[1].is_number()).count();
        assert!(with_values * 10 >= points.len() * 9, "{metric}: {with_values} of {}", points.len());
        if STILL.contains(&metric) {
            // The service's own first point goes on where the drawn past ends.
            let [.., before, now] = points.as_slice() else { panic!("{metric} has no curve") };
            let (before, now) = (before[1].as_f64().unwrap(), now[1].as_f64().unwrap());
            assert!((before - now).abs() <= before.abs() * 0.05 + 2.0, "{metric}: {before}, then {now}");
        }
    }
    let feed = get(&format!("{url}api/health")).await;
    assert_eq!(feed["voice"]["today"], 3);
    assert_eq!(feed["voice"]["recent"].as_array().unwrap().len(), 3);
    let session = get(&format!("{url}api/session")).await;
    assert_eq!(session["centreName"], "Harbour Support");
    let waiting = get(&format!("{url}api/history?metric=tasks-waiting")).await;
    let worst = waiting["points"].as_array().unwrap().iter().filter_map(|point| point[1].as_f64());
    assert!(worst.fold(0.0, f64::max) <= 10.0, "a healthy centre: {waiting}");
    let progress: Vec<_> = printed.iter().take_while(|line| line.starts_with("demo: ")).collect();
    assert!(progress.len() >= 4, "each step of the start is one line: {printed:#?}");
    // Its commands work as they stand and print something to read.
    let commands: Vec<_> =
        printed.iter().map(|line| line.trim()).filter(|line| line.starts_with("curl ")).collect();
    assert!(commands.len() >= 3, "{printed:#?}");
    for line in commands {
        let run = Command::new("sh").args(["-c", line]).output();
        let output = timeout(DEADLINE, run).await.unwrap().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && shown.trim().len() > 5, "{line}: {shown}{:?}", output.stderr);
        assert!(!shown.contains("<html"), "{line}: {shown}");
    }
}

/// As copied from the terminal into another one, with an answer to the question that a terminal would get.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_prints_a_block_of_variables_and_commands_that_works_as_copied() {
    let (_demo, _, printed) = demo(&["--pace", "0"]).await;
    let block = printed.iter().skip_while(|line| !line.starts_with("Commands against this Twilio")).skip(1);
    let block: Vec<_> = block.take_while(|line| !line.is_empty()).map(|line| line.trim()).collect();
    assert!(block.iter().all(|line| line.len() < 200), "{block:#?}");
    let block = block.join("\n").replace("setup --flex-plugin", "setup --flex-plugin --yes");
    let elsewhere = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.env_clear().env("PATH", "/usr/bin:/bin").current_dir(&elsewhere).args(["-c", &block]);
    let output = timeout(DEADLINE, shell.output()).await.unwrap().unwrap();
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    for part in ["workspace             \"Flex Task Assignment\" exists", "PUBLIC_URL is a private address"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    if is_built() {
        assert!(output.status.success(), "{shown}");
        let [released, taken_out] =
            ["is added; there is no other plugin", "is taken out"].map(|part| shown.find(part));
        assert!(released.is_some() && released < taken_out, "{shown}");
    }
}
