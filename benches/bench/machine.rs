//! What the figures were measured on.

use std::fs::read_to_string;
use std::process::Command;

use crate::table::Table;

/// This machine, now.
pub(crate) fn describe() -> Table {
    let mut table = Table::new(&["Machine", ""]);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name");
    table.row(&[&"Cores", &format!("{cores} ({})", if model.is_empty() { "model unknown" } else { &model })]);
    let kib: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    table.row(&[&"Memory", &format!("{} GiB", kib / 1024 / 1024)]);
    table.row(&[&"Kernel", &file("/proc/sys/kernel/osrelease")]);
    table.row(&[&"Compiler", &rustc()]);
    table.row(&[&"Load at the start", &file("/proc/loadavg")]);
    table
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
