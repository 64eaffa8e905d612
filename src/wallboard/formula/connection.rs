//! The connection to one formula process: started with only its three pipes, and with a time limit on every wait.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::protocol::{FormulaRequest, Reply};

pub const VERB: &str = "formulas";
/// Longest wait for a request to be taken, or for a reply; far above what one formula takes.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Longest wait for the exit status of a process that has closed its output.
const LONGEST_DEATH: Duration = Duration::from_secs(1);
const LARGEST_REPLY: u64 = 64 * 1024;

/// The formula process can't be used. Each text continues "the formula process".
#[derive(Debug, thiserror::Error)]
pub(super) enum ProcessError {
    #[error("can't be started: {0}")]
    Start(io::Error),
    #[error("can't be reached: {0}")]
    Pipe(#[from] io::Error),
    #[error("exited unexpectedly")]
    Ended,
    #[error("did not answer within {} s", LONGEST_WAIT.as_secs())]
    Silent,
    #[error("sent something that is no reply")]
    Unintelligible,
    #[error("gave up: {0}")]
    Failed(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// By itself, because of the formula that it ran.
    Crashed,
    /// By a signal from outside, such as the kernel's when memory runs out; or it has not ended.
    Killed,
}

#[derive(Debug)]
pub(super) struct FormulaConnection {
    // Killed when dropped.
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(super) knows_formulas: bool,
    pub(super) knows_data: bool,
}

impl FormulaConnection {
    pub(super) async fn start(program: &Path, zone: &str) -> Result<Self, ProcessError> {
        let directory = EmptyDirectory::new();
        let mut child = Command::new(program)
            .args([VERB, zone])
            // It must not get the service's credentials.
            .env_clear()
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // With the service's standard error it could forge log lines.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(ProcessError::Start)?;
        let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or(ProcessError::Ended)?;
        Ok(Self { child, input, output: BufReader::new(output), knows_formulas: false, knows_data: false })
    }

    pub(super) async fn say(&mut self, request: &FormulaRequest) -> Result<(), ProcessError> {
        let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
        line.push(b'\n');
        let saying = async {
            self.input.write_all(&line).await?;
            self.input.flush().await
        };
        match timeout(LONGEST_WAIT, saying).await {
            Ok(said) => Ok(said?),
            Err(_) => Err(ProcessError::Silent),
        }
    }

    pub(super) async fn hear(&mut self) -> Result<Reply, ProcessError> {
        let mut line = Vec::new();
        let mut limited = (&mut self.output).take(LARGEST_REPLY);
        let hearing = limited.read_until(b'\n', &mut line);
        timeout(LONGEST_WAIT, hearing).await.map_err(|_| ProcessError::Silent)??;
        if line.is_empty() {
            return Err(ProcessError::Ended);
        }
        serde_json::from_slice(&line).map_err(|_| ProcessError::Unintelligible)
    }

    /// How the process ended, once its output is closed.
    pub(super) async fn death(&mut self) -> Death {
        const OWN: [rustix::process::Signal; 8] = [
            rustix::process::Signal::ILL,
            rustix::process::Signal::TRAP,
            rustix::process::Signal::ABORT,
            rustix::process::Signal::BUS,
            rustix::process::Signal::FPE,
            rustix::process::Signal::SEGV,
            rustix::process::Signal::SYS,
            rustix::process::Signal::XCPU,
        ];
        let Ok(Ok(status)) = timeout(LONGEST_DEATH, self.child.wait()).await else { return Death::Killed };
        match status.signal() {
            Some(signal) if OWN.iter().any(|own| own.as_raw() == signal) => Death::Crashed,
            Some(_) => Death::Killed,
            None if status.success() => Death::Killed,
            None => Death::Crashed,
        }
    }
}

/// A directory that is removed while the process starts in it: nothing is there, and nothing can be put there.
struct EmptyDirectory(Option<PathBuf>);

impl EmptyDirectory {
    fn new() -> Self {
        let name = format!("taskrouter-sync-{}-{:016x}", std::process::id(), rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        // If no directory can be made, `/` will do: the confined process opens no files.
        Self(std::fs::create_dir(&path).is_ok().then_some(path))
    }

    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new("/"))
    }
}

impl Drop for EmptyDirectory {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_dir(path);
        }
    }
}
