//! Lines that show a command, which an operator copies whole.

const COMMANDS: [&str; 9] = [
    "taskrouter-sync setup",
    "taskrouter-sync serve",
    "taskrouter-sync doctor",
    "curl -",
    "redis-cli ",
    "ulimit -",
    "timedatectl ",
    "chronyd ",
    "make ",
];

/// Fails where a line has a command and something else. In the log a command stands between backticks.
pub(crate) fn assert_copyable(said: &str) {
    for line in said.lines().map(str::trim).filter(|line| !line.contains('`')) {
        let Some(command) = COMMANDS.iter().find(|command| line.contains(**command)) else { continue };
        // Quoted text aside, a command of ours has none of these.
        let remarks = ["(", ", ", "; ", " or ", " and "].iter().any(|remark| line.contains(remark));
        assert!(line.starts_with(command) && !remarks, "can't be copied as it stands: {line}");
    }
}
