//! The real program as a process of its own, and what it uses of the machine.

use std::collections::HashMap;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

/// The unit of processor time in `/proc/PID/stat`: `getconf CLK_TCK` is 100 on every Linux in use.
const TICKS_PER_SECOND: u64 = 100;

/// A running `taskrouter-sync serve`; it is killed when dropped.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    _directory: tempfile::TempDir,
}

/// The resources that a process has used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// In user and kernel mode since its start, in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// `VmRSS`: resident memory.
    pub(crate) resident_kib: u64,
    /// `VmHWM`: the peak of resident memory.
    pub(crate) peak_kib: u64,
    /// `RssFile`: the program itself.
    shared_kib: u64,
}

impl Service {
    /// Starts it in an environment of nothing but these variables, in an empty directory.
    pub(crate) fn start(program: &Path, variables: &HashMap<String, String>, log: Stdio) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.arg("serve").env_clear().envs(variables).current_dir(directory.path());
        let child = command.stdin(Stdio::null()).stderr(log).kill_on_drop(true).spawn().unwrap();
        Self { child, _directory: directory }
    }

    pub(crate) fn usage(&self) -> Usage {
        usage(&self.child)
    }

    /// Ends it as by SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Ends it as by SIGTERM.
    pub(crate) async fn stop(mut self) {
        let pid = self.child.id().unwrap().to_string();
        Command::new("kill").args(["-s", "TERM", &pid]).status().await.unwrap();
        self.child.wait().await.unwrap();
    }
}

/// What a child has used so far, and the processes that it started itself.
pub(crate) fn usage(child: &Child) -> Usage {
    let pid = child.id().expect("the process has ended");
    let own = usage_of(pid).unwrap();
    // The formulas' process shares the program's text with the service, which is counted once.
    let theirs = children(pid).into_iter().filter_map(usage_of);
    theirs.fold(own, |sum, usage| Usage {
        cpu: sum.cpu + usage.cpu,
        resident_kib: sum.resident_kib + usage.resident_kib.saturating_sub(usage.shared_kib),
        peak_kib: sum.peak_kib + usage.peak_kib.saturating_sub(usage.shared_kib),
        shared_kib: sum.shared_kib,
    })
}

fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
        .collect()
}

/// `None` for a process that has ended.
fn usage_of(pid: u32) -> Option<Usage> {
    let stat = read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets; utime and stime are the 14th and 15th (proc(5)).
    let after_name = stat.rsplit_once(')')?.1;
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().unwrap()).sum();
    let status = read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()
    };
    Some(Usage {
        cpu: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND),
        resident_kib: kib("VmRSS")?,
        peak_kib: kib("VmHWM")?,
        shared_kib: kib("RssFile")?,
    })
}
