//! Formulas made by a grammar, evaluated by the real formula process: `make fuzz-formulas`.
//!
//! A finding is a formula that crashes the engine, that makes the process unusable, or that changes what another formula
//! sees: after each round two known formulas must still have their results. What a formula does to itself (faults, time,
//! memory) is none. The grammar favours what engines trip over: bound functions, getters, sparse arrays, regular
//! expressions, big numbers, exceptions, proxies and the realm's own helpers. A seed repeats a run.

#[path = "grammar.rs"]
mod grammar;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use serde_json::json;
use serde_json::value::to_raw_value;
use taskrouter_sync::wallboard::formula::process::{Engine, Source};
use taskrouter_sync::wallboard::formula::protocol::{CRASHED, DataChange, Formula, FormulaOutcome};

/// Formulas that are evaluated in one round, beside the two known ones.
const A_ROUND: usize = 50;
const QUEUES: usize = 5;

/// Tries formulas.
#[derive(Debug, Parser)]
struct Options {
    /// How many
    #[arg(long, default_value_t = 20_000)]
    count: usize,
    /// Decides which
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What is run as the formula process; the service beside this program without it
    #[arg(long)]
    program: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    // The process runs in a directory of its own, so a relative path would lead elsewhere.
    let program = options.program.map_or_else(beside, |program| program.canonicalize().ok());
    let Some(program) = program else {
        eprintln!("no taskrouter-sync beside this program; name one with --program");
        return ExitCode::FAILURE;
    };
    let mut engine = Engine::new(program);
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut findings = Vec::new();
    let (begin, mut tried) = (Instant::now(), 0);
    while tried < options.count {
        let made = (options.count - tried).min(A_ROUND);
        let mut formulas: Vec<Formula> = (0..made).map(|_| formula(grammar::formula(&mut random))).collect();
        formulas.push(formula(SEES.to_owned()));
        formulas.push(formula(SUMS.to_owned()));
        engine.set(formulas.clone());
        tried += made;
        let values = match engine.evaluate(&mut Centre::default()).await {
            Ok(values) => values,
            Err(error) => {
                findings.push(format!("{error}, at one of:\n{}", sources(&formulas)));
                continue;
            }
        };
        for (formula, value) in formulas.iter().zip(&values).take(made) {
            let end = match value {
                Ok(_) => "a value",
                Err(fault) if fault.message == CRASHED => {
                    findings.push(format!("crashed: {}", formula.source));
                    "a crash"
                }
                Err(fault) if fault.overstayed() || fault.ended_the_process() => fault.message.as_str(),
                Err(_) => "a fault of its own",
            };
            *ends.entry(end.to_owned()).or_default() += 1;
        }
        let known = [Ok(FormulaOutcome::Text("undefined,5,0".to_owned())), Ok(FormulaOutcome::Number(10.0))];
        if values[made..] != known {
            let found = format!("{:?}", &values[made..]);
            findings.push(format!("others see {found} after one of:\n{}", sources(&formulas)));
        }
    }
    println!("{tried} formulas, seed {}, in {:.0} s", options.seed, begin.elapsed().as_secs_f64());
    for (end, count) in &ends {
        println!("{count:>9}  {end}");
    }
    for finding in &findings {
        println!("FINDING {finding}");
    }
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a formula sees of others: nothing that one could have left behind.
const SEES: &str = "[typeof globalThis.left, data.queues.length, Object.keys(Object.prototype).length + Object.keys(Array.prototype).length].join()";
const SUMS: &str = "data.queues.reduce((n, q) => n + q.data.realtime.total_tasks, 0)";

fn formula(source: String) -> Formula {
    Formula { source: source.into(), usual_sla: "accepted".into(), own_sla: None }
}

fn sources(formulas: &[Formula]) -> String {
    formulas.iter().map(|formula| format!("  {}\n", formula.source)).collect()
}

/// The service, where cargo puts it: examples stand one folder below.
fn beside() -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    Some(this.parent()?.parent()?.join("taskrouter-sync")).filter(|program| program.exists())
}

/// A centre whose numbers never change.
#[derive(Default)]
struct Centre {
    piece: Option<DataChange>,
}

impl Source for Centre {
    fn begin(&mut self, all: bool) {
        let Ok(statistics) = to_raw_value(&json!({"realtime": {"total_tasks": 2}, "cumulative": {}})) else {
            return;
        };
        let sid = |n: usize| format!("WQ{n:032x}");
        let queue = |n: usize| {
            let queue = json!({"sid": sid(n), "friendlyName": format!("Queue {n}")});
            let raw = to_raw_value(&json!({"queue": queue, "data": statistics})).unwrap_or_default();
            (sid(n), raw)
        };
        self.piece = all.then(|| DataChange {
            workspace: Some(statistics.clone()),
            queues: (0..QUEUES).map(queue).collect(),
            order: Some((0..QUEUES).map(sid).collect()),
            more: false,
        });
    }

    fn next(&mut self) -> Option<DataChange> {
        self.piece.take()
    }
}
