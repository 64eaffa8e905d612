//! The service's side: starts the child process, talks to it, and starts another when it is gone.
//!
//! A formula that overstayed rests for longer and longer before it is tried again, so that it costs the others ever
//! less. The child keeps nothing that is worth saving: after a start it is told everything anew.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::protocol::{Data, Fault, Formula, Outcome, Reply, Request};

/// The verb under which the program is the child.
pub const VERB: &str = "formulas";
/// Far above what a round takes, even where everything rests that can.
const LONGEST_ROUND: Duration = Duration::from_secs(10);
/// Bytes of a reply at most.
const LARGEST_REPLY: u64 = 8 * 1024 * 1024;
/// How long a formula rests after the first time it overstayed; twice as long after each further one.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(300);
/// Between two lines of the log about a process that had to be started anew.
const SILENCE: Duration = Duration::from_secs(60);
/// Starts in one round that may fail for no formula's fault.
const MOST_FAILURES: usize = 2;

/// No formula can be evaluated at the moment, for no fault of theirs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("formulas can't be evaluated at the moment: {0}")]
pub struct Unavailable(String);

/// What one formula resulted in.
pub type Evaluated = Result<Outcome, Fault>;

/// The engine, from the outside.
#[derive(Debug)]
pub struct Engine {
    program: PathBuf,
    running: Option<Running>,
    formulas: Vec<Formula>,
    resting: HashMap<Arc<str>, Rest>,
    /// It failed the last time, and that was told.
    failing: bool,
    /// How often it exited unexpectedly since the last line of the log about it, and when that was.
    ended: u32,
    ended_told: Option<Instant>,
}

/// Where data comes from, piece by piece, since all of it at once would take much room.
pub trait Source: Send {
    /// A telling begins: of all of it, or of what changed since the last.
    fn begin(&mut self, all: bool);
    /// The next piece; `None` after the last, or when nothing changed.
    fn next(&mut self) -> Option<Data>;
}

#[derive(Debug)]
struct Running {
    // Killed when dropped.
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    knows_formulas: bool,
    knows_data: bool,
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    next: Duration,
    fault: Fault,
}

/// The child process can't be used.
#[derive(Debug, thiserror::Error)]
enum ProcessError {
    #[error("can't be started: {0}")]
    Start(io::Error),
    #[error("can't be reached: {0}")]
    Pipe(#[from] io::Error),
    #[error("exited unexpectedly")]
    Ended,
    #[error("did not answer within {} s", LONGEST_ROUND.as_secs())]
    Silent,
    #[error("sent something that is no reply")]
    Unintelligible,
}

enum Told {
    Values(Vec<Evaluated>),
    Lost(usize, Fault),
}

impl Engine {
    /// One that runs this program as its child.
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            running: None,
            formulas: Vec::new(),
            resting: HashMap::new(),
            failing: false,
            ended: 0,
            ended_told: None,
        }
    }

    /// These are the formulas from now on.
    pub fn set(&mut self, formulas: Vec<Formula>) {
        self.resting.retain(|source, _| formulas.iter().any(|formula| formula.source == *source));
        self.formulas = formulas;
        if let Some(running) = &mut self.running {
            running.knows_formulas = false;
        }
    }

    /// Evaluates them all, each with its own fate.
    pub async fn evaluate(&mut self, source: &mut dyn Source) -> Result<Vec<Evaluated>, Unavailable> {
        let mut failures = 0;
        loop {
            let now = Instant::now();
            let due =
                |formula: &Formula| self.resting.get(&formula.source).is_none_or(|rest| rest.until <= now);
            let places: Vec<usize> =
                self.formulas.iter().enumerate().filter(|(_, f)| due(f)).map(|(place, _)| place).collect();
            match self.round(source, Request::Evaluate(places.clone())).await {
                Ok(Told::Values(values)) if values.len() == places.len() => {
                    self.failing = false;
                    return Ok(self.gathered(&places, values));
                }
                // The formula rests from now on, so this ends.
                Ok(Told::Lost(at, fault)) if at < places.len() => self.rest(places[at], fault),
                Ok(_) => {
                    failures += 1;
                    self.tell_end(&ProcessError::Unintelligible);
                }
                Err(error) => {
                    failures += 1;
                    self.tell_end(&error);
                    if failures > MOST_FAILURES {
                        return Err(self.failed(&error));
                    }
                }
            }
            self.running = None;
            if failures > MOST_FAILURES {
                return Err(self.failed(&ProcessError::Unintelligible));
            }
        }
    }

    /// Evaluates one formula that is not among them.
    pub async fn attempt(&mut self, formula: Formula, source: &mut dyn Source) -> Evaluated {
        self.single(&Request::Try(formula), source).await
    }

    /// Compiles a formula without evaluating it; [`Outcome::Nothing`] for a good one.
    pub async fn check(&mut self, formula: Formula, source: &mut dyn Source) -> Evaluated {
        self.single(&Request::Check(formula), source).await
    }

    async fn single(&mut self, request: &Request, source: &mut dyn Source) -> Evaluated {
        for _ in 0..=MOST_FAILURES {
            match self.round(source, request.clone()).await {
                Ok(Told::Values(mut values)) if values.len() == 1 => return values.remove(0),
                Ok(Told::Lost(_, fault)) => {
                    self.running = None;
                    return Err(fault);
                }
                Ok(_) => {
                    self.tell_end(&ProcessError::Unintelligible);
                    self.running = None;
                }
                Err(error) => {
                    self.tell_end(&error);
                    self.running = None;
                }
            }
        }
        Err(Fault::new("the formula engine can't be run at the moment; see the service's log"))
    }

    async fn round(&mut self, source: &mut dyn Source, request: Request) -> Result<Told, ProcessError> {
        if self.running.is_none() {
            self.running = Some(start(&self.program)?);
        }
        let Some(running) = &mut self.running else { return Err(ProcessError::Ended) };
        let formulas = &self.formulas;
        let talk = async {
            if !running.knows_formulas {
                running.say(&Request::Formulas(formulas.clone())).await?;
                running.knows_formulas = true;
            }
            source.begin(!running.knows_data);
            running.knows_data = true;
            while let Some(data) = source.next() {
                running.say(&Request::Data(data)).await?;
            }
            running.say(&request).await?;
            match running.hear().await? {
                Reply::Values(values) => Ok(Told::Values(values)),
                Reply::Lost(at, fault) => Ok(Told::Lost(at, fault)),
            }
        };
        timeout(LONGEST_ROUND, talk).await.unwrap_or(Err(ProcessError::Silent))
    }

    fn gathered(&mut self, places: &[usize], values: Vec<Evaluated>) -> Vec<Evaluated> {
        let mut evaluated: Vec<Option<Evaluated>> = vec![None; self.formulas.len()];
        for (place, value) in places.iter().zip(values) {
            match &value {
                Err(fault) if fault.overstayed() => self.rest(*place, fault.clone()),
                _ => {
                    self.resting.remove(&self.formulas[*place].source);
                }
            }
            evaluated[*place] = Some(value);
        }
        let resting = |formula: &Formula| self.resting.get(&formula.source).map(|rest| rest.fault.clone());
        let all = evaluated.into_iter().zip(&self.formulas);
        all.map(|(value, formula)| {
            value.unwrap_or_else(|| Err(resting(formula).unwrap_or_else(|| Fault::new("not evaluated"))))
        })
        .collect()
    }

    fn rest(&mut self, place: usize, fault: Fault) {
        let source = self.formulas[place].source.clone();
        let wait = self.resting.get(&source).map_or(FIRST_REST, |rest| rest.next);
        let (until, next) = (Instant::now() + wait, (wait * 2).min(LONGEST_REST));
        self.resting.insert(source, Rest { until, next, fault });
    }

    /// The process has ended, or is ended because of how it behaves. Nothing is lost, but whoever runs the service may want
    /// to know who kills it.
    fn tell_end(&mut self, error: &ProcessError) {
        if self.running.is_none() {
            // It could not be started, which is told where it is given up.
            return;
        }
        self.ended += 1;
        let now = Instant::now();
        if self.ended_told.is_none_or(|told| now.duration_since(told) >= SILENCE) {
            self.ended_told = Some(now);
            let times = std::mem::take(&mut self.ended);
            warn!(%error, times, "The formula process exited unexpectedly; restarting it");
        }
    }

    fn failed(&mut self, error: &ProcessError) -> Unavailable {
        if !std::mem::replace(&mut self.failing, true) {
            warn!(%error, "The formula process can't be used; tiles are marked stale until it can");
        }
        self.running = None;
        Unavailable(format!("the formula process {error}"))
    }
}

impl Running {
    async fn say(&mut self, request: &Request) -> Result<(), ProcessError> {
        let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
        line.push(b'\n');
        self.input.write_all(&line).await?;
        self.input.flush().await?;
        Ok(())
    }

    async fn hear(&mut self) -> Result<Reply, ProcessError> {
        let mut line = Vec::new();
        (&mut self.output).take(LARGEST_REPLY).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Err(ProcessError::Ended);
        }
        serde_json::from_slice(&line).map_err(|_| ProcessError::Unintelligible)
    }
}

fn start(program: &PathBuf) -> Result<Running, ProcessError> {
    let mut child = Command::new(program)
        .arg(VERB)
        // The credentials are none of its business.
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(ProcessError::Start)?;
    let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or(ProcessError::Ended)?;
    Ok(Running {
        _child: child,
        input,
        output: BufReader::new(output),
        knows_formulas: false,
        knows_data: false,
    })
}
