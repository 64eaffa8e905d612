//! The engine's realm: the data and the compiled formulas, and the limits within which one of them runs.
//!
//! There is one realm for all formulas, since each would need the data; what keeps them apart is that everything they
//! can reach is frozen (`realm.js`) or their own. No I/O is there to begin with: only ECMAScript's own objects, without
//! proxies, shared memory or compilation at run time. Nothing runs after a formula has returned.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use jiff::tz::TimeZone;
use rquickjs::context::intrinsic::{Date, Eval, Json, MapSet, Promise, RegExp, RegExpCompiler};
use rquickjs::{
    CatchResultExt, CaughtError, Context, Ctx, Error, Function, Object, Persistent, Runtime, Value,
};
use rustix::time::ClockId;
use serde_json::value::RawValue;

use super::host::host;
use super::outcome::{FILE, fault, outcome, within, wrote_to_shared};
use super::protocol::{DataChange, Fault, Formula, FormulaOutcome, OUT_OF_MEMORY, TOO_LONG};
use super::watchdog::Watchdog;
use super::{LONGEST_FORMULA, MOST_HEAP, MOST_MEMORY, MOST_STACK, MOST_TIME, MOST_TIME_A_QUEUE, time_of};

const PRELUDE: &str = include_str!("realm.js");
const BROWSER: &str = include_str!("browser.js");
/// How locales write numbers and times; made by `tests/formulas/generate.mjs`.
const LOCALES: &str = include_str!("locales.json");
/// The text before a formula when it is compiled; a whole line, so that columns stay right.
const HEAD: &str = "(function(data, sla, queue) { \"use strict\"; return (\n";
const TAIL: &str = "\n); })";
/// Bytes of data after which the memory is measured again; that goes through all of it.
const MEASURED_AFTER: usize = 512 * 1024;

/// The realm. Everything in it is dropped before the engine that owns it.
pub(super) struct Realm {
    formulas: Vec<Result<Compiled, Fault>>,
    queues: HashMap<String, LazyQueue>,
    order: Vec<String>,
    workspace: Persistent<Value<'static>>,
    /// All TaskQueues in order; `None` before there is data.
    list: Option<Persistent<Value<'static>>>,
    tools: Tools,
    /// Processor time of this thread at which the formula that runs is over its limit.
    deadline: Rc<Cell<Duration>>,
    /// Memory in use by everything but the formula that runs.
    held: usize,
    /// Bytes of data received since then.
    told: usize,
    watchdog: Option<Watchdog>,
    context: Context,
    runtime: Runtime,
}

struct Compiled {
    function: Persistent<Function<'static>>,
    sla: Persistent<Value<'static>>,
    /// The formula writes to its data, so it gets copies.
    writes: Cell<bool>,
}

struct LazyQueue {
    object: Persistent<Value<'static>>,
    parse: Persistent<Function<'static>>,
    parsed: bool,
}

struct Tools {
    shell: Persistent<Function<'static>>,
    workspace: Persistent<Function<'static>>,
    view: Persistent<Function<'static>>,
    queue_of: Persistent<Function<'static>>,
    sla: Persistent<Function<'static>>,
    take_missing: Persistent<Function<'static>>,
}

/// The engine could not be set up, or the data is too much for it.
#[derive(Debug, thiserror::Error)]
#[error("the formula engine failed: {0}")]
pub struct EngineError(String);

impl EngineError {
    fn of(error: &Error) -> Self {
        Self(error.to_string())
    }
}

impl Realm {
    /// A realm with no data yet, whose local time is a zone's.
    pub(super) fn new(zone: &TimeZone) -> Result<Self, EngineError> {
        let failed = |error: Error| EngineError::of(&error);
        let runtime = Runtime::new().map_err(failed)?;
        runtime.set_max_stack_size(MOST_STACK);
        runtime.set_memory_limit(MOST_HEAP);
        // Garbage is collected between formulas ([`Self::measure`]): it goes through all data, at no formula's expense.
        runtime.set_gc_threshold(usize::MAX);
        let deadline = Rc::new(Cell::new(Duration::MAX));
        let limit = deadline.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || thread_time() > limit.get())));
        // Promises are there because the engine can't do without them where it meets `async`.
        let context =
            Context::custom::<(Date, Eval, RegExpCompiler, RegExp, Json, MapSet, Promise)>(&runtime);
        let context = context.map_err(failed)?;
        let (tools, workspace) = context
            .with(|ctx| {
                let told = |error: CaughtError<'_>| error.to_string();
                let browser: Function<'_> = ctx.eval(BROWSER).catch(&ctx).map_err(told)?;
                let parts = host(&ctx, zone).and_then(|host| Ok((host, ctx.json_parse(LOCALES)?)));
                browser.call::<_, ()>(parts.catch(&ctx).map_err(told)?).catch(&ctx).map_err(told)?;
                let prelude: Function<'_> = ctx.eval(PRELUDE).catch(&ctx).map_err(told)?;
                let prelude: Object<'_> = prelude.call(()).catch(&ctx).map_err(told)?;
                let tool = |name: &str| -> Result<_, String> {
                    let function: Function<'_> = prelude.get(name).map_err(|error| error.to_string())?;
                    Ok(Persistent::save(&ctx, function))
                };
                let tools = Tools {
                    shell: tool("shell")?,
                    workspace: tool("workspace")?,
                    view: tool("view")?,
                    queue_of: tool("queueOf")?,
                    sla: tool("sla")?,
                    take_missing: tool("takeMissing")?,
                };
                Ok((tools, Persistent::save(&ctx, Value::new_undefined(ctx.clone()))))
            })
            .map_err(EngineError)?;
        Ok(Self {
            formulas: Vec::new(),
            queues: HashMap::new(),
            order: Vec::new(),
            workspace,
            list: None,
            tools,
            deadline,
            held: 0,
            told: MEASURED_AFTER,
            watchdog: None,
            context,
            runtime,
        })
    }

    /// Adds a watchdog for each run of a formula.
    pub(super) fn watched_by(mut self, watchdog: Watchdog) -> Self {
        self.watchdog = Some(watchdog);
        self
    }

    /// Compiles the formulas; invalid ones report their error when evaluated.
    pub(super) fn compile(&mut self, formulas: &[Formula]) {
        self.formulas = Vec::new();
        self.measure();
        let compiled = formulas.iter().map(|formula| self.compiled(0, formula)).collect();
        self.formulas = compiled;
    }

    pub(super) fn update(&mut self, data: DataChange) -> Result<(), EngineError> {
        self.unlimited();
        let DataChange { workspace, queues, order, more } = data;
        self.told += queues.values().map(|raw| raw.get().len()).sum::<usize>();
        let (context, tools) = (self.context.clone(), &self.tools);
        let known = &mut self.queues;
        let workspace = context
            .with(|ctx| -> Result<_, Error> {
                for (sid, raw) in queues {
                    let mut queue = shell(&ctx, &raw, tools)?;
                    // A formula will use again what it has used once.
                    if known.get(&sid).is_some_and(|queue| queue.parsed) {
                        queue.parse(&ctx)?;
                    }
                    known.insert(sid, queue);
                }
                let Some(raw) = workspace else { return Ok(None) };
                let value = ctx.json_parse(raw.get())?;
                let workspace: Value<'_> = tools.workspace.clone().restore(&ctx)?.call((value,))?;
                Ok(Some(Persistent::save(&ctx, workspace)))
            })
            .map_err(|error| EngineError::of(&error))?;
        if let Some(workspace) = workspace {
            self.workspace = workspace;
        }
        if let Some(order) = order {
            let kept: HashSet<&String> = order.iter().collect();
            self.queues.retain(|sid, _| kept.contains(sid));
            self.order = order;
        }
        if more {
            return Ok(());
        }
        self.list().map_err(|error| EngineError::of(&error))?;
        if self.told >= MEASURED_AFTER {
            self.measure();
        }
        Ok(())
    }

    /// Sets the order of the TaskQueues.
    fn list(&mut self) -> Result<(), Error> {
        let queues = self.order.iter().filter_map(|sid| self.queues.get(sid));
        let objects: Vec<_> = queues.map(|queue| queue.object.clone()).collect();
        let list = self.context.with(|ctx| -> Result<_, Error> {
            let list = rquickjs::Array::new(ctx.clone())?;
            for (place, queue) in objects.into_iter().enumerate() {
                list.set(place, queue.restore(&ctx)?)?;
            }
            Ok(Persistent::save(&ctx, list.into_value()))
        });
        self.list = Some(list?);
        if let Some(watchdog) = &self.watchdog {
            watchdog.allow(most_time(self.order.len()));
        }
        Ok(())
    }

    /// Evaluates the formula at a place, as the `at`th of a request.
    pub(super) fn evaluate(&mut self, at: usize, place: usize) -> Result<FormulaOutcome, Fault> {
        let formula = self.formulas.get_mut(place).ok_or_else(|| Fault::new("there is no such formula"))?;
        let formula = std::mem::replace(formula, Err(Fault::new("the formula is running")));
        let value = match &formula {
            Ok(compiled) => self.run(at, compiled),
            Err(fault) => Err(fault.clone()),
        };
        self.formulas[place] = formula;
        value
    }

    pub(super) fn attempt(&mut self, formula: &Formula) -> Result<FormulaOutcome, Fault> {
        let compiled = self.compiled(0, formula)?;
        self.run(0, &compiled)
    }

    /// Whether a formula left something behind that would run later. Then the realm can't be used any more.
    pub(super) fn is_spoilt(&self) -> bool {
        self.runtime.is_job_pending()
    }

    pub(super) fn check(&mut self, formula: &Formula) -> Result<FormulaOutcome, Fault> {
        self.compiled(0, formula).map(|_| FormulaOutcome::Nothing)
    }

    fn run(&mut self, at: usize, formula: &Compiled) -> Result<FormulaOutcome, Fault> {
        let (mut parsed_once, mut collected) = (false, false);
        loop {
            let outcome = self.run_once(at, formula);
            if self.parse_missing(parsed_once).map_err(|error| Fault::new(error.to_string()))? {
                parsed_once = true;
                continue;
            }
            match outcome {
                // Garbage of earlier formulas is collected only now and then; it must not count against this one.
                Err(fault) if fault.message == OUT_OF_MEMORY && !collected => {
                    collected = true;
                    self.measure();
                }
                Err(fault) if wrote_to_shared(&fault) && !formula.writes.get() => formula.writes.set(true),
                outcome => {
                    if collected {
                        self.measure();
                    }
                    return outcome;
                }
            }
        }
    }

    fn run_once(&mut self, at: usize, formula: &Compiled) -> Result<FormulaOutcome, Fault> {
        let Some(list) = self.list.clone() else { return Err(Fault::new("there is no data yet")) };
        let (workspace, tools, deadline) = (self.workspace.clone(), &self.tools, &self.deadline);
        let (writes, limit) = (formula.writes.get(), (self.held + MOST_MEMORY).min(MOST_HEAP));
        let (runtime, watchdog) = (&self.runtime, &mut self.watchdog);
        runtime.set_memory_limit(limit);
        if let Some(watchdog) = watchdog {
            watchdog.begin(at);
        }
        deadline.set(thread_time() + most_time(self.order.len()));
        let outcome = self.context.with(|ctx| {
            let call = || -> Result<Value<'_>, Error> {
                let view = tools.view.clone().restore(&ctx)?;
                let data: Value<'_> = view.call((workspace.restore(&ctx)?, list.restore(&ctx)?, writes))?;
                let queue: Value<'_> = tools.queue_of.clone().restore(&ctx)?.call((data.clone(),))?;
                let function = formula.function.clone().restore(&ctx)?;
                function.call((data, formula.sla.clone().restore(&ctx)?, queue))
            };
            match call().catch(&ctx) {
                Ok(value) => outcome(&value),
                Err(error) => Err(fault(error)),
            }
        });
        let late = thread_time() > deadline.get();
        if let Some(watchdog) = watchdog {
            watchdog.end();
        }
        self.unlimited();
        outcome.map_err(|fault| if late { Fault::new(TOO_LONG) } else { fault })
    }

    /// Parses statistics that the formula has looked at and that were not parsed yet: the one that it looked at first,
    /// or, where it goes on to another, all of them. Says whether there were any.
    fn parse_missing(&mut self, all: bool) -> Result<bool, EngineError> {
        let (context, take) = (self.context.clone(), self.tools.take_missing.clone());
        let queues = &mut self.queues;
        let parsed = context.with(|ctx| -> Result<bool, Error> {
            let missing: Vec<String> = take.restore(&ctx)?.call(())?;
            if missing.is_empty() {
                return Ok(false);
            }
            let several = all || missing.len() > 1;
            for (sid, queue) in queues {
                if !queue.parsed && (several || missing.contains(sid)) {
                    queue.parse(&ctx)?;
                }
            }
            Ok(true)
        });
        let too_much = |_| EngineError("the statistics take too much memory".to_owned());
        let parsed = parsed.map_err(too_much)?;
        if parsed {
            self.list().map_err(too_much)?;
            self.measure();
        }
        Ok(parsed)
    }

    fn compiled(&mut self, at: usize, formula: &Formula) -> Result<Compiled, Fault> {
        let source = formula.source.trim_end().trim_end_matches(';');
        if source.trim().is_empty() {
            return Err(Fault::new("the formula is empty"));
        }
        if source.len() > LONGEST_FORMULA {
            return Err(Fault::new(format!("the formula is longer than {LONGEST_FORMULA} bytes")));
        }
        self.runtime.set_memory_limit((self.held + MOST_MEMORY).min(MOST_HEAP));
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.begin(at);
        }
        self.deadline.set(thread_time() + MOST_TIME);
        let compiled = self.context.with(|ctx| {
            // Another kind of brackets, so that a formula which closes ours is a syntax error.
            for (head, tail) in
                [("(function(data, sla, queue) { \"use strict\"; return [\n", "\n]; })"), (HEAD, TAIL)]
            {
                let mut options = rquickjs::context::EvalOptions::default();
                options.filename = Some(FILE.to_owned());
                let function: Result<Function<'_>, _> =
                    ctx.eval_with_options(format!("{head}{source}{tail}"), options).catch(&ctx);
                let function = function.map_err(fault)?;
                if head == HEAD {
                    let sla = self
                        .tools
                        .sla
                        .clone()
                        .restore(&ctx)
                        .and_then(|sla| sla.call((&*formula.usual_sla, formula.own_sla.as_deref())));
                    let sla: Value<'_> = sla.catch(&ctx).map_err(fault)?;
                    let (function, sla) = (Persistent::save(&ctx, function), Persistent::save(&ctx, sla));
                    return Ok(Compiled { function, sla, writes: Cell::new(false) });
                }
            }
            Err(Fault::new("the formula can't be compiled"))
        });
        if let Some(watchdog) = &self.watchdog {
            watchdog.end();
        }
        self.unlimited();
        compiled.map_err(|fault| within(fault, source))
    }

    /// Loading data counts against no formula: only the limit of the whole heap holds.
    fn unlimited(&self) {
        self.deadline.set(Duration::MAX);
        self.runtime.set_memory_limit(MOST_HEAP);
    }

    fn measure(&mut self) {
        self.told = 0;
        self.runtime.run_gc();
        self.held = usize::try_from(self.runtime.memory_usage().malloc_size).unwrap_or_default();
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        // The destructors of a large heap are the engine's own work, not a formula's.
        self.unlimited();
    }
}

impl LazyQueue {
    fn parse(&mut self, ctx: &Ctx<'_>) -> Result<(), Error> {
        let object: Value<'_> = self.parse.clone().restore(ctx)?.call(())?;
        self.object = Persistent::save(ctx, object);
        self.parsed = true;
        Ok(())
    }
}

fn thread_time() -> Duration {
    time_of(ClockId::ThreadCPUTime)
}

/// Processor time that one run may take; it grows with the data, so that a formula can go once through a long list.
fn most_time(queues: usize) -> Duration {
    MOST_TIME + MOST_TIME_A_QUEUE * u32::try_from(queues).unwrap_or(u32::MAX)
}

/// A TaskQueue whose statistics are parsed once a formula has looked at them.
fn shell<'js>(ctx: &Ctx<'js>, raw: &RawValue, tools: &Tools) -> Result<LazyQueue, Error> {
    #[derive(serde::Deserialize)]
    struct QueueParts<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
        #[serde(borrow)]
        queue: &'a RawValue,
    }
    let parts: QueueParts<'_> = serde_json::from_str(raw.get()).map_err(|_| Error::Unknown)?;
    let queue = ctx.json_parse(parts.queue.get())?;
    let statistics = parts.data.to_owned();
    let load = Function::new(ctx.clone(), move |ctx: Ctx<'js>| ctx.json_parse(statistics.get()))?;
    let (object, parse): (Value<'js>, Function<'js>) = {
        let pair: rquickjs::Array<'js> = tools.shell.clone().restore(ctx)?.call((queue, load))?;
        (pair.get(0)?, pair.get(1)?)
    };
    Ok(LazyQueue {
        object: Persistent::save(ctx, object),
        parse: Persistent::save(ctx, parse),
        parsed: false,
    })
}

#[cfg(test)]
#[path = "browser_tests.rs"]
mod browser_tests;

#[cfg(test)]
#[path = "realm_tests.rs"]
mod tests;
