//! The real program as a process of its own.

use std::collections::HashMap;
use std::process::{Output, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use twilio_emulator::Emulator;

use super::{DEADLINE, base_variables};

/// A running `taskrouter-sync`.
pub(crate) struct Binary {
    child: Child,
    log: Option<Lines<BufReader<ChildStderr>>>,
    pub(crate) seen: Vec<String>,
}

/// A command in an empty environment and an empty directory, so that nothing of this machine leaks in.
pub(crate) fn command(directory: &tempfile::TempDir, variables: &HashMap<String, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskrouter-sync"));
    command.env_clear().envs(variables).current_dir(directory.path()).kill_on_drop(true);
    command
}

impl Binary {
    /// The variables for an emulator.
    pub(crate) fn variables(emulator: &Emulator, more: &[(&str, &str)]) -> HashMap<String, String> {
        let mut variables = base_variables(emulator, more);
        for (name, value) in [("PUBLIC_URL", "http://hooks.example.com"), ("PORT", "0")] {
            variables.entry(name.to_owned()).or_insert(value.to_owned());
        }
        variables
    }

    /// Runs a command to its end.
    pub(crate) async fn output(variables: &HashMap<String, String>, arguments: &[&str]) -> Output {
        Self::long_output(variables, arguments, 1).await
    }

    /// The same of a command that makes a thousand requests, which takes longer on a busy machine.
    pub(crate) async fn long_output(
        variables: &HashMap<String, String>,
        arguments: &[&str],
        deadlines: u32,
    ) -> Output {
        let directory = tempfile::tempdir().unwrap();
        let run = command(&directory, variables).args(arguments).stdin(Stdio::null()).output();
        tokio::time::timeout(DEADLINE * deadlines, run).await.expect("the command did not end").unwrap()
    }

    /// Starts `serve`.
    pub(crate) fn serve(variables: &HashMap<String, String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = command(&directory, variables).arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, log: Some(log), seen: Vec::new() }
    }

    /// Waits until a line of the log has this in it, and returns that line. Lines that came before count too: tasks log
    /// side by side, so which of two lines is first says nothing.
    pub(crate) async fn logs(&mut self, part: &str) -> String {
        if let Some(line) = self.seen.iter().find(|line| line.contains(part)) {
            return line.clone();
        }
        let (log, seen) = (self.log.as_mut().unwrap(), &mut self.seen);
        let reading = async {
            while let Some(line) = log.next_line().await.unwrap() {
                seen.push(line.clone());
                if line.contains(part) {
                    return Some(line);
                }
            }
            None
        };
        let read = tokio::time::timeout(DEADLINE, reading).await;
        let line = read.unwrap_or_default();
        line.unwrap_or_else(|| panic!("never logged: {part:?}\n{}", self.seen.join("\n")))
    }

    /// Takes no more of the log: whatever is written to it fails.
    pub(crate) fn close_log(&mut self) {
        self.log = None;
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Waits for the end, with the log's pipe open but unread.
    pub(crate) async fn exit_code_unread(mut self) -> Option<i32> {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        ended.expect("the process did not end").unwrap().code()
    }

    /// Waits for the end and returns all that was logged.
    pub(crate) async fn log_until_end(mut self) -> Vec<String> {
        let reading = async {
            while let Some(line) = self.log.as_mut().unwrap().next_line().await.unwrap() {
                self.seen.push(line);
            }
            self.child.wait().await.unwrap();
        };
        tokio::time::timeout(DEADLINE, reading).await.expect("the process did not end");
        self.seen
    }

    /// Waits for the end and returns the exit code.
    pub(crate) async fn exit_code(mut self) -> Option<i32> {
        let waiting = async {
            if let Some(log) = &mut self.log {
                while let Ok(Some(line)) = log.next_line().await {
                    self.seen.push(line);
                }
            }
            self.child.wait().await.unwrap().code()
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("the process did not end")
    }
}
