//! The engine's realm: the data and the compiled formulas, and the limits within which one of them runs.
//!
//! There is one realm for all formulas, since each would need the data; what keeps them apart is that everything they
//! can reach is frozen (`realm.js`). No I/O is there to begin with: only ECMAScript's own objects, without proxies,
//! shared memory or compilation at run time. Nothing runs after a formula has returned.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use rquickjs::context::intrinsic::{Date, Eval, Json, MapSet, Promise, RegExp, RegExpCompiler};
use rquickjs::{
    CatchResultExt, CaughtError, Context, Ctx, Error, Function, Object, Persistent, Runtime, Type, Value,
};
use serde_json::value::RawValue;

use super::protocol::{Data, Fault, Formula, OUT_OF_MEMORY, Outcome, TOO_LONG};
use super::{LONGEST_FORMULA, LONGEST_TEXT, MOST_MEMORY, MOST_STACK, MOST_TIME};

const PRELUDE: &str = include_str!("realm.js");
/// What stands before a formula when it is compiled; a line, so that columns stay right.
const HEAD: &str = "(function(data, sla) { \"use strict\"; return (\n";
const TAIL: &str = "\n); })";
/// Bytes of data after which the memory is measured anew; that goes through all of it.
const MEASURED_AFTER: usize = 512 * 1024;
/// Shown as the name of the source in stacks.
const FILE: &str = "formula";

/// The realm. Everything in it is dropped before the engine that owns it.
pub(super) struct Realm {
    formulas: Vec<Result<Compiled, Fault>>,
    queues: HashMap<String, Persistent<Object<'static>>>,
    order: Vec<String>,
    workspace: Persistent<Value<'static>>,
    data: Option<Persistent<Value<'static>>>,
    tools: Tools,
    /// Processor time of this thread at which the formula that runs is over its limit.
    deadline: Rc<Cell<Duration>>,
    /// Memory in use by everything but the formula that runs.
    held: usize,
    /// Bytes of data that came since then.
    told: usize,
    context: Context,
    runtime: Runtime,
}

struct Compiled {
    function: Persistent<Function<'static>>,
    sla: Persistent<Value<'static>>,
}

struct Tools {
    shell: Persistent<Function<'static>>,
    data: Persistent<Function<'static>>,
    sla: Persistent<Function<'static>>,
    freeze_all: Persistent<Function<'static>>,
}

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the formula engine can't be started: {0}")]
pub struct EngineError(String);

impl Realm {
    /// A realm without data.
    pub(super) fn new() -> Result<Self, EngineError> {
        let failed = |error: Error| EngineError(error.to_string());
        let runtime = Runtime::new().map_err(failed)?;
        runtime.set_max_stack_size(MOST_STACK);
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
                let (pause, resume) = clock(&ctx, &deadline).catch(&ctx).map_err(told)?;
                let prelude: Function<'_> = ctx.eval(PRELUDE).catch(&ctx).map_err(told)?;
                let prelude: Object<'_> = prelude.call((pause, resume)).catch(&ctx).map_err(told)?;
                let tool = |name: &str| -> Result<_, String> {
                    let function: Function<'_> = prelude.get(name).map_err(|error| error.to_string())?;
                    Ok(Persistent::save(&ctx, function))
                };
                let (shell, data) = (tool("shell")?, tool("data")?);
                let tools = Tools { shell, data, sla: tool("sla")?, freeze_all: tool("freezeAll")? };
                Ok((tools, Persistent::save(&ctx, Value::new_undefined(ctx.clone()))))
            })
            .map_err(EngineError)?;
        Ok(Self {
            formulas: Vec::new(),
            queues: HashMap::new(),
            order: Vec::new(),
            workspace,
            data: None,
            tools,
            deadline,
            held: 0,
            told: MEASURED_AFTER,
            context,
            runtime,
        })
    }

    /// Takes the formulas; what is none says so when it is evaluated.
    pub(super) fn compile(&mut self, formulas: &[Formula]) {
        self.formulas = Vec::new();
        self.measure();
        self.formulas = formulas.iter().map(|formula| self.compiled(formula)).collect();
    }

    /// Takes what changed.
    pub(super) fn update(&mut self, data: Data) -> Result<(), EngineError> {
        self.unlimited();
        let Data { workspace, queues, order, more } = data;
        self.told += queues.values().map(|raw| raw.get().len()).sum::<usize>();
        let (context, tools) = (self.context.clone(), &self.tools);
        let (workspace, changed) = context
            .with(|ctx| -> Result<_, Error> {
                let workspace = match workspace {
                    Some(raw) => Some(Persistent::save(&ctx, parsed(&ctx, &raw, &tools.freeze_all)?)),
                    None => None,
                };
                let mut changed = Vec::new();
                for (sid, raw) in queues {
                    let shell = shell(&ctx, &raw, tools)?;
                    changed.push((sid, Persistent::save(&ctx, shell)));
                }
                Ok((workspace, changed))
            })
            .map_err(|error| EngineError(error.to_string()))?;
        if let Some(workspace) = workspace {
            self.workspace = workspace;
        }
        self.queues.extend(changed);
        if let Some(order) = order {
            let kept: std::collections::HashSet<&String> = order.iter().collect();
            self.queues.retain(|sid, _| kept.contains(sid));
            self.order = order;
        }
        if more {
            return Ok(());
        }
        let shells: Vec<_> = self.order.iter().filter_map(|sid| self.queues.get(sid)).cloned().collect();
        let data = context.with(|ctx| -> Result<_, Error> {
            let queues = rquickjs::Array::new(ctx.clone())?;
            for (place, queue) in shells.into_iter().enumerate() {
                queues.set(place, queue.restore(&ctx)?)?;
            }
            let make = self.tools.data.clone().restore(&ctx)?;
            let data: Value<'_> = make.call((self.workspace.clone().restore(&ctx)?, queues))?;
            Ok(Persistent::save(&ctx, data))
        });
        self.data = Some(data.map_err(|error| EngineError(error.to_string()))?);
        if self.told >= MEASURED_AFTER {
            self.measure();
        }
        Ok(())
    }

    /// Evaluates the formula at a place.
    pub(super) fn evaluate(&mut self, place: usize) -> Result<Outcome, Fault> {
        let formula = self.formulas.get(place).ok_or_else(|| Fault::new("there is no such formula"))?;
        let formula = formula.as_ref().map_err(Clone::clone)?;
        let formula = Compiled { function: formula.function.clone(), sla: formula.sla.clone() };
        self.run(&formula)
    }

    /// Compiles and evaluates a formula, and forgets it.
    pub(super) fn attempt(&mut self, formula: &Formula) -> Result<Outcome, Fault> {
        let compiled = self.compiled(formula)?;
        self.run(&compiled)
    }

    /// Whether a formula left something behind that would run later. Then the realm can't be used any more.
    pub(super) fn is_spoilt(&self) -> bool {
        self.runtime.is_job_pending()
    }

    /// Compiles a formula and forgets it.
    pub(super) fn check(&self, formula: &Formula) -> Result<Outcome, Fault> {
        self.compiled(formula).map(|_| Outcome::Nothing)
    }

    fn run(&mut self, formula: &Compiled) -> Result<Outcome, Fault> {
        match self.run_once(formula) {
            // What an earlier formula left is collected only now and then; nobody is to suffer for it. Nor for data
            // that happened to be parsed during this one.
            Err(fault) if fault.message == OUT_OF_MEMORY => {
                self.measure();
                let again = self.run_once(formula);
                self.measure();
                again
            }
            outcome => outcome,
        }
    }

    fn run_once(&mut self, formula: &Compiled) -> Result<Outcome, Fault> {
        let Some(data) = self.data.clone() else { return Err(Fault::new("there is no data yet")) };
        self.runtime.set_memory_limit(self.held + MOST_MEMORY);
        self.deadline.set(thread_time() + MOST_TIME);
        let outcome = self.context.with(|ctx| {
            let call = || -> Result<Value<'_>, Error> {
                let function = formula.function.clone().restore(&ctx)?;
                function.call((data.restore(&ctx)?, formula.sla.clone().restore(&ctx)?))
            };
            match call().catch(&ctx) {
                Ok(value) => outcome(&value),
                Err(error) => Err(fault(error)),
            }
        });
        let late = thread_time() > self.deadline.get();
        self.unlimited();
        outcome.map_err(|fault| if late { Fault::new(TOO_LONG) } else { fault })
    }

    fn compiled(&self, formula: &Formula) -> Result<Compiled, Fault> {
        let source = formula.source.trim_end().trim_end_matches(';');
        if source.trim().is_empty() {
            return Err(Fault::new("the formula is empty"));
        }
        if source.len() > LONGEST_FORMULA {
            return Err(Fault::new(format!("the formula is longer than {LONGEST_FORMULA} bytes")));
        }
        self.runtime.set_memory_limit(self.held + MOST_MEMORY);
        self.deadline.set(thread_time() + MOST_TIME);
        let compiled = self.context.with(|ctx| {
            // Brackets of another kind: a formula that closes ours is no expression.
            for (head, tail) in
                [("(function(data, sla) { \"use strict\"; return [\n", "\n]; })"), (HEAD, TAIL)]
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
                    return Ok(Compiled { function, sla });
                }
            }
            Err(Fault::new("the formula can't be compiled"))
        });
        self.unlimited();
        compiled.map_err(|fault| within(fault, source))
    }

    fn unlimited(&self) {
        self.deadline.set(Duration::MAX);
        self.runtime.set_memory_limit(0);
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

fn thread_time() -> Duration {
    time_of(rustix::time::ClockId::ThreadCPUTime)
}

/// A processor-time clock's reading.
pub(super) fn time_of(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Two functions between which the time does not count.
fn clock<'js>(
    ctx: &Ctx<'js>,
    deadline: &Rc<Cell<Duration>>,
) -> Result<(Function<'js>, Function<'js>), Error> {
    let left = Rc::new(Cell::new(Duration::ZERO));
    let pause = {
        let (left, deadline) = (left.clone(), deadline.clone());
        move || left.set(deadline.replace(Duration::MAX).saturating_sub(thread_time()))
    };
    let deadline = deadline.clone();
    let resume = move || deadline.set(thread_time().saturating_add(left.get()));
    Ok((Function::new(ctx.clone(), pause)?, Function::new(ctx.clone(), resume)?))
}

fn parsed<'js>(
    ctx: &Ctx<'js>,
    raw: &RawValue,
    freeze_all: &Persistent<Function<'static>>,
) -> Result<Value<'js>, Error> {
    let value = ctx.json_parse(raw.get())?;
    freeze_all.clone().restore(ctx)?.call((value,))
}

/// A TaskQueue whose statistics are parsed when a formula looks at them, at nobody's expense.
fn shell<'js>(ctx: &Ctx<'js>, raw: &RawValue, tools: &Tools) -> Result<Object<'js>, Error> {
    #[derive(serde::Deserialize)]
    struct Parts<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
        #[serde(borrow)]
        queue: &'a RawValue,
    }
    let parts: Parts<'_> = serde_json::from_str(raw.get()).map_err(|_| Error::Unknown)?;
    let queue = ctx.json_parse(parts.queue.get())?;
    let statistics = parts.data.to_owned();
    let load = Function::new(ctx.clone(), move |ctx: Ctx<'js>| ctx.json_parse(statistics.get()))?;
    tools.shell.clone().restore(ctx)?.call((queue, load))
}

fn outcome(value: &Value<'_>) -> Result<Outcome, Fault> {
    match value.type_of() {
        Type::Null => Ok(Outcome::Nothing),
        Type::Bool => Ok(Outcome::Flag(value.as_bool().unwrap_or_default())),
        Type::Int | Type::Float => {
            let number = value.as_number().unwrap_or(f64::NAN);
            let told = || Fault::new("the result is not a finite number; is something divided by zero?");
            if number.is_finite() { Ok(Outcome::Number(number)) } else { Err(told()) }
        }
        Type::String => {
            let text = value.as_string().and_then(|text| text.to_string().ok());
            let text = text.ok_or_else(|| Fault::new("the result is text that is not Unicode"))?;
            Ok(Outcome::Text(text.chars().take(LONGEST_TEXT).collect()))
        }
        Type::Undefined => Err(Fault::new("the result is undefined; is a field's name misspelt?")),
        other => {
            let article = if matches!(other, Type::Array | Type::Object) { "an" } else { "a" };
            Err(Fault::new(format!("the result is {article} {other}, not a number or text")))
        }
    }
}

fn fault(error: CaughtError<'_>) -> Fault {
    let CaughtError::Exception(exception) = error else {
        return match error {
            CaughtError::Value(value) => {
                let text = value.as_string().and_then(|text| text.to_string().ok()).unwrap_or_default();
                Fault::new(format!("the formula throws {}", shortened(&text)))
            }
            other => Fault::new(shortened(&other.to_string())),
        };
    };
    let message = exception.message().unwrap_or_default();
    if message == "out of memory" {
        return Fault::new(OUT_OF_MEMORY);
    }
    if message == "interrupted" {
        return Fault::new(TOO_LONG);
    }
    let (line, column) = exception.stack().as_deref().and_then(place).unzip();
    Fault { message: shortened(&message), line, column }
}

/// The topmost place in the formula itself that a stack names, as `formula:<line>:<column>`.
fn place(stack: &str) -> Option<(u32, u32)> {
    let frame = stack.lines().find_map(|line| line.split_once("formula:").map(|(_, place)| place))?;
    let mut numbers = frame.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let line = numbers.next()?.ok()?.checked_sub(1).filter(|line| *line > 0)?;
    Some((line, numbers.next()?.ok()?))
}

/// What is missing at a formula's end is found missing behind it, in our own text, which the author never wrote.
fn within(mut fault: Fault, source: &str) -> Fault {
    let (lines, last) = source.lines().fold((0_u32, ""), |(count, _), line| (count + 1, line));
    if fault.line.is_some_and(|line| line > lines) {
        fault.line = Some(lines);
        fault.column = u32::try_from(last.chars().count() + 1).ok();
        fault.message = "something is missing at the end of the formula".to_owned();
    }
    fault
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

#[cfg(test)]
#[path = "realm_tests.rs"]
mod tests;
