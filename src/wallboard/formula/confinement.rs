//! Confines the formula process to what it needs: compute, read requests, write answers.
//!
//! Formulas stay inside the engine unless the engine has a vulnerability. Even then native code in this process can open no
//! file and no socket, start no process, signal no other, and take no more memory than [`MOST_MEMORY`].

use std::io;

/// Address space of the formula process, in bytes.
pub const MOST_MEMORY: u64 = 4 * 1024 * 1024 * 1024;
/// How much lower than the service's its priority is, so that formulas take processor time that is left over.
const NICENESS: i32 = 10;

/// The process could not be confined.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    #[error("its limits can't be set: {0}")]
    Limit(#[from] io::Error),
    #[error("system calls can't be filtered: {0}")]
    Filter(String),
}

/// Gives up everything that the formula process does not need, irrevocably and for all its threads. On systems other than
/// Linux on x86_64 or aarch64 there are only resource limits, and no filter of system calls.
pub fn confine() -> Result<(), ConfinementError> {
    not_dumpable()?;
    limit()?;
    filter()
}

/// Keeps other processes of the same user out of this one's memory and environment, and secrets out of core dumps.
pub fn not_dumpable() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

fn limit() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        // The three pipes, which are open.
        (Resource::Nofile, 3),
        (Resource::As, MOST_MEMORY),
    ] {
        // An operator's lower limit stays.
        let most = getrlimit(resource).maximum.map_or(most, |lower| lower.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    // Fails harmlessly if the service already has the lowest priority.
    let _ = nice(NICENESS);
    Ok(())
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn filter() -> Result<(), ConfinementError> {
    Ok(())
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn filter() -> Result<(), ConfinementError> {
    use std::collections::BTreeMap;

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter_all_threads,
    };

    /// Memory, time, and the pipes that are open.
    const ALLOWED: &[libc::c_long] = &[
        libc::SYS_brk,
        libc::SYS_clock_getres,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_futex,
        libc::SYS_getrandom,
        libc::SYS_gettimeofday,
        libc::SYS_madvise,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_nanosleep,
        libc::SYS_read,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
        libc::SYS_write,
    ];
    /// Allowed unless the memory would be executable; the protection is the third argument.
    const NOT_EXECUTABLE: &[libc::c_long] = &[libc::SYS_mmap, libc::SYS_mprotect];

    let failed = |error: &dyn std::fmt::Display| ConfinementError::Filter(error.to_string());
    let executable = u64::from(libc::PROT_EXEC.unsigned_abs());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    for call in NOT_EXECUTABLE {
        let condition =
            SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0);
        let condition = condition.map_err(|error| failed(&error))?;
        let rule = SeccompRule::new(vec![condition]).map_err(|error| failed(&error))?;
        rules.insert(*call, vec![rule]);
    }
    let architecture =
        std::env::consts::ARCH.try_into().map_err(|error: seccompiler::BackendError| failed(&error))?;
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, refused, SeccompAction::Allow, architecture);
    let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(|error| failed(&error))?;
    // It sets `no_new_privs`, too.
    apply_filter_all_threads(&program).map_err(|error| failed(&error))
}
