//! The machine on which the figures were measured.

use std::fs::read_to_string;
use std::process::Command;

/// This machine, in a sentence.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name");
    let model = if model.is_empty() { "model unknown" } else { &model };
    let kib: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    let (kernel, load) = (file("/proc/sys/kernel/osrelease"), file("/proc/loadavg"));
    let gib = kib / 1024 / 1024;
    format!(
        "Machine: {cores} cores ({model}), {gib} GiB, kernel {kernel}, {}; load at the start {load}.",
        rustc()
    )
}

fn file(path: &str) -> String {
    read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// The value after `name` and a colon.
fn field(path: &str, name: &str) -> String {
    let text = file(path);
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    value.unwrap_or_default().trim().to_owned()
}

fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
