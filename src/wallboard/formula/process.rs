//! The service's side: lets the formula process evaluate formulas, and pauses those that overload it.
//!
//! A formula that exceeded its time, or at which the process died, is paused for a growing time before it is tried again,
//! so that it costs the others less and less. The process holds no state worth saving: a new one gets all data again.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::Instant;
use tracing::warn;

use super::connection::{Death, FormulaConnection, ProcessError};
use super::protocol::{CRASHED, DataChange, Fault, Formula, FormulaOutcome, FormulaRequest, Reply};

pub use super::connection::VERB;

/// How long a formula is paused after it first exceeded its time; doubled each further time.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(300);
/// Between two lines of the log about a process that had to be restarted.
const SILENCE: Duration = Duration::from_secs(60);
/// Most starts of the process in one round that fail through no formula's fault.
const MOST_FAILURES: usize = 2;

pub type Evaluated = Result<FormulaOutcome, Fault>;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("formulas can't be evaluated at the moment: {0}")]
pub struct Unavailable(String);

#[derive(Debug)]
pub struct Engine {
    program: PathBuf,
    /// The name of the time zone whose local time formulas see.
    zone: String,
    running: Option<FormulaConnection>,
    formulas: Vec<Formula>,
    resting: HashMap<Arc<str>, Rest>,
    /// The formula that ran when the process was killed from outside: once may be chance, twice is the formula.
    suspect: Option<Arc<str>>,
    /// It failed the last time, and the log says so.
    failing: bool,
    /// How often it exited unexpectedly since the last line of the log about it, and when that was.
    exits: u32,
    exits_logged: Option<Instant>,
}

/// The source of the data, in pieces, since all of it at once would take much memory.
pub trait Source: Send {
    /// Begins a transfer: of all data, or of what changed since the last one.
    fn begin(&mut self, all: bool);
    /// The next piece; `None` after the last, or when nothing changed.
    fn next(&mut self) -> Option<DataChange>;
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    next: Duration,
    fault: Fault,
}

/// A round that failed.
enum RoundError {
    /// Because of the formula at this place of the request.
    At(usize, Fault),
    /// Through no formula's fault.
    Process(ProcessError),
}

impl Engine {
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            zone: "UTC".to_owned(),
            running: None,
            formulas: Vec::new(),
            resting: HashMap::new(),
            suspect: None,
            failing: false,
            exits: 0,
            exits_logged: None,
        }
    }

    /// Formulas see local time of this zone, instead of UTC.
    #[must_use]
    pub fn in_zone(mut self, zone: &TimeZone) -> Self {
        if let Some(name) = zone.iana_name() {
            name.clone_into(&mut self.zone);
        }
        self
    }

    pub fn set(&mut self, formulas: Vec<Formula>) {
        self.resting.retain(|source, _| formulas.iter().any(|formula| formula.source == *source));
        self.formulas = formulas;
        if let Some(running) = &mut self.running {
            running.knows_formulas = false;
        }
    }

    pub async fn evaluate(&mut self, source: &mut dyn Source) -> Result<Vec<Evaluated>, Unavailable> {
        let mut failures = 0;
        loop {
            let now = Instant::now();
            let due =
                |formula: &Formula| self.resting.get(&formula.source).is_none_or(|rest| rest.until <= now);
            let places: Vec<usize> =
                self.formulas.iter().enumerate().filter(|(_, f)| due(f)).map(|(place, _)| place).collect();
            let sources: Vec<Arc<str>> =
                places.iter().map(|place| self.formulas[*place].source.clone()).collect();
            match self.round(source, &FormulaRequest::Evaluate(places.clone()), &sources).await {
                Ok(values) => {
                    (self.failing, self.suspect) = (false, None);
                    return Ok(self.gathered(&places, values));
                }
                // That formula is paused from now on, so the loop ends.
                Err(RoundError::At(at, fault)) if at < places.len() => {
                    self.log_exit(&fault);
                    self.rest(places[at], fault);
                }
                Err(RoundError::At(..)) => failures += 1,
                Err(RoundError::Process(error)) => {
                    failures += 1;
                    self.log_exit(&error);
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

    pub async fn attempt(&mut self, formula: Formula, source: &mut dyn Source) -> Evaluated {
        self.single(&formula.source.clone(), &FormulaRequest::Try(formula), source).await
    }

    pub async fn check(&mut self, formula: Formula, source: &mut dyn Source) -> Evaluated {
        self.single(&formula.source.clone(), &FormulaRequest::Check(formula), source).await
    }

    async fn single(
        &mut self,
        formula: &Arc<str>,
        request: &FormulaRequest,
        source: &mut dyn Source,
    ) -> Evaluated {
        for _ in 0..=MOST_FAILURES {
            match self.round(source, request, std::slice::from_ref(formula)).await {
                Ok(mut values) => return values.pop().unwrap_or_else(|| Err(Fault::new("not evaluated"))),
                Err(RoundError::At(_, fault)) => {
                    self.running = None;
                    return Err(fault);
                }
                Err(RoundError::Process(error)) => {
                    self.log_exit(&error);
                    self.running = None;
                }
            }
        }
        Err(Fault::new("the formula engine can't be run at the moment; see the service's log"))
    }

    /// Sends the data that the process lacks and the request; receives one value for each of these formulas.
    async fn round(
        &mut self,
        source: &mut dyn Source,
        request: &FormulaRequest,
        asked: &[Arc<str>],
    ) -> Result<Vec<Evaluated>, RoundError> {
        if self.running.is_none() {
            self.running =
                Some(FormulaConnection::start(&self.program, &self.zone).await.map_err(RoundError::Process)?);
        }
        let Some(running) = &mut self.running else { return Err(RoundError::Process(ProcessError::Ended)) };
        let telling = async {
            if !running.knows_formulas {
                running.say(&FormulaRequest::Formulas(self.formulas.clone())).await?;
                running.knows_formulas = true;
            }
            source.begin(!running.knows_data);
            running.knows_data = true;
            while let Some(data) = source.next() {
                running.say(&FormulaRequest::Data(data)).await?;
            }
            running.say(request).await
        };
        telling.await.map_err(RoundError::Process)?;
        let mut values = Vec::with_capacity(asked.len());
        while values.len() < asked.len() {
            match running.hear().await {
                Ok(Reply::Value(at, value)) if at == values.len() => values.push(value),
                Ok(Reply::Lost(at, fault)) => return Err(RoundError::At(at, fault)),
                Ok(Reply::Failed(reason)) => return Err(RoundError::Process(ProcessError::Failed(reason))),
                Ok(Reply::Value(..)) => return Err(RoundError::Process(ProcessError::Unintelligible)),
                Err(ProcessError::Ended) => {
                    let at = values.len();
                    return Err(match running.death().await {
                        Death::Crashed => RoundError::At(at, Fault::new(CRASHED)),
                        Death::Killed if self.suspect.as_ref() == Some(&asked[at]) => {
                            RoundError::At(at, Fault::new(CRASHED))
                        }
                        Death::Killed => {
                            self.suspect = Some(asked[at].clone());
                            RoundError::Process(ProcessError::Ended)
                        }
                    });
                }
                Err(error) => return Err(RoundError::Process(error)),
            }
        }
        Ok(values)
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

    /// Nothing is lost when the process exits, but an operator may want to know what kills it.
    fn log_exit(&mut self, reason: &dyn std::fmt::Display) {
        if self.running.is_none() {
            // It could not be started, which is logged where the round is given up.
            return;
        }
        self.exits += 1;
        let now = Instant::now();
        if self.exits_logged.is_none_or(|logged| now.duration_since(logged) >= SILENCE) {
            self.exits_logged = Some(now);
            let times = std::mem::take(&mut self.exits);
            warn!(%reason, times, "The formula process exited unexpectedly; restarting it");
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
