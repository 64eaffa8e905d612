//! The formula process: reads requests, has the realm evaluate, writes replies, until its input ends.

use std::io::{BufRead, Write};

use jiff::tz::TimeZone;
use rustix::time::ClockId;

use super::confinement::{ConfinementError, confine};
use super::protocol::{Fault, Formula, FormulaOutcome, FormulaRequest, LATER, Reply};
use super::realm::{EngineError, Realm};
use super::time_of;
use super::watchdog::Watchdog;

#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("its time zone is unknown: {0}")]
    Zone(#[from] jiff::Error),
    #[error(transparent)]
    Confinement(#[from] ConfinementError),
    #[error("the service can't be reached: {0}")]
    Pipe(#[from] std::io::Error),
    #[error("the service sent something that is no request: {0}")]
    Request(#[from] serde_json::Error),
}

/// Serves requests on standard input until it ends; formulas see local time of a zone.
pub fn run(zone: &str) -> Result<(), ChildError> {
    let ended = confined_serve(zone);
    if let Err(error) = &ended {
        // Its standard error goes nowhere: the service logs the faults that it receives.
        if let Ok(line) = serde_json::to_string(&Reply::Failed(error.to_string())) {
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }
    ended
}

fn confined_serve(zone: &str) -> Result<(), ChildError> {
    // The system's list of time zones can be read only before confinement.
    let zone = TimeZone::get(zone)?;
    // Before confinement, the process starts its last thread and opens its clocks.
    let watchdog = Watchdog::start()?;
    time_of(ClockId::ThreadCPUTime);
    confine()?;
    serve(std::io::stdin().lock(), std::io::stdout(), watchdog, &zone)
}

fn serve(
    mut input: impl BufRead,
    mut output: impl Write,
    watchdog: Watchdog,
    zone: &TimeZone,
) -> Result<(), ChildError> {
    let mut realm = Realm::new(zone)?.watched_by(watchdog);
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let request = serde_json::from_str(&line)?;
        // Frees the memory of a large line.
        line = String::new();
        let proceeds = match request {
            FormulaRequest::Formulas(formulas) => {
                realm.compile(&formulas);
                true
            }
            FormulaRequest::Data(data) => {
                realm.update(data)?;
                true
            }
            FormulaRequest::Evaluate(places) => {
                answer(&mut realm, &mut output, places.len(), |realm, at| realm.evaluate(at, places[at]))?
            }
            FormulaRequest::Check(formula) => answer_one(&mut realm, &mut output, &formula, Realm::check)?,
            FormulaRequest::Try(formula) => answer_one(&mut realm, &mut output, &formula, Realm::attempt)?,
        };
        if !proceeds {
            return Ok(());
        }
    }
}

fn answer_one(
    realm: &mut Realm,
    output: &mut impl Write,
    formula: &Formula,
    evaluate: impl Fn(&mut Realm, &Formula) -> Result<FormulaOutcome, Fault>,
) -> Result<bool, ChildError> {
    answer(realm, output, 1, |realm, _| evaluate(realm, formula))
}

/// Answers each formula of a request as soon as it has its value; returns whether the realm is still usable.
fn answer(
    realm: &mut Realm,
    output: &mut impl Write,
    count: usize,
    mut evaluate: impl FnMut(&mut Realm, usize) -> Result<FormulaOutcome, Fault>,
) -> Result<bool, ChildError> {
    for at in 0..count {
        let value = evaluate(realm, at);
        let lost = realm.is_spoilt();
        let reply = if lost { Reply::Lost(at, Fault::new(LATER)) } else { Reply::Value(at, value) };
        let mut line = serde_json::to_vec(&reply)?;
        line.push(b'\n');
        output.write_all(&line)?;
        output.flush()?;
        if lost {
            return Ok(false);
        }
    }
    Ok(true)
}
