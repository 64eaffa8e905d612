//! The resources of a process, seen from outside.

use std::fs::read_to_string;

/// What a process and its children hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) files: usize,
    /// `VmRSS`: resident memory.
    pub(crate) resident_kib: u64,
    /// `VmHWM`: the peak of resident memory.
    pub(crate) peak_kib: u64,
    pub(crate) children: usize,
    /// Children that ended and were not reaped (zombies).
    pub(crate) zombies: usize,
}

/// `None` for a process that has ended.
pub(crate) fn holdings(pid: u32) -> Option<Holdings> {
    let status = read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()
    };
    let children = children(pid);
    let is_zombie =
        |pid: &&u32| read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    Some(Holdings {
        files: std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count(),
        resident_kib: kib("VmRSS")?,
        peak_kib: kib("VmHWM")?,
        children: children.len(),
        zombies: children.iter().filter(is_zombie).count(),
    })
}

/// The processes that a process has started.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}
