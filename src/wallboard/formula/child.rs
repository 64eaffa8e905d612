//! The child process: reads requests, has the realm do them, writes replies, until its input ends.

use std::io::{BufRead, Write};

use super::protocol::{Fault, LATER, Reply, Request};
use super::realm::{EngineError, Realm};
use super::watchdog::Watchdog;

/// Why the child ended.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The pipes to the service.
    #[error("the service can't be talked to: {0}")]
    Pipe(#[from] std::io::Error),
    /// What the service says.
    #[error("the service said something else than a request: {0}")]
    Request(#[from] serde_json::Error),
}

/// Serves requests on standard input until it ends.
pub fn run() -> Result<(), ChildError> {
    let watchdog = Watchdog::start()?;
    serve(std::io::stdin().lock(), std::io::stdout(), &watchdog)
}

fn serve(mut input: impl BufRead, mut output: impl Write, watchdog: &Watchdog) -> Result<(), ChildError> {
    let mut realm = Realm::new()?;
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let reply = match serde_json::from_str(&line)? {
            Request::Formulas(formulas) => {
                realm.compile(&formulas);
                None
            }
            Request::Data(data) => {
                realm.update(data)?;
                None
            }
            Request::Evaluate(places) => Some(evaluate(&mut realm, watchdog, &places)),
            Request::Check(formula) => {
                watchdog.begin(0);
                Some(Reply::Values(vec![realm.check(&formula)]))
            }
            Request::Try(formula) => {
                watchdog.begin(0);
                let value = realm.attempt(&formula);
                Some(lost(&realm, 0).unwrap_or(Reply::Values(vec![value])))
            }
        };
        watchdog.end();
        // A large line's room is not needed again soon.
        line.shrink_to(64 * 1024);
        if let Some(reply) = reply {
            serde_json::to_writer(&mut output, &reply)?;
            output.write_all(b"\n")?;
            output.flush()?;
            if matches!(reply, Reply::Lost(..)) {
                return Ok(());
            }
        }
    }
}

fn evaluate(realm: &mut Realm, watchdog: &Watchdog, places: &[usize]) -> Reply {
    let mut values = Vec::with_capacity(places.len());
    for (at, place) in places.iter().enumerate() {
        watchdog.begin(at);
        values.push(realm.evaluate(*place));
        if let Some(lost) = lost(realm, at) {
            return lost;
        }
    }
    Reply::Values(values)
}

fn lost(realm: &Realm, at: usize) -> Option<Reply> {
    realm.is_spoilt().then(|| Reply::Lost(at, Fault::new(LATER)))
}
