//! The task between reading and showing: hands snapshots on, and has the formulas evaluated over them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::data::{Look, Telling, Told, look_of};
use super::definition::{Definition, Style};
use super::definitions::{Definitions, Entry, Raw};
use super::documents::check_names;
use super::formula_data::FormulaData;
use super::history::{Curves, History, Point};
use super::problem::Problem;
use super::store::{Store, StoreError};
use super::{hint, threshold};
use crate::config::CoreConfig;
use crate::service_level::ServiceLevel;
use crate::stats::{Metric, Needs, Snapshot};
use crate::twilio::sync::SyncService;
use crate::wallboard::formula::process::{Engine, Evaluated};
use crate::wallboard::formula::protocol::{Fault, Formula, Outcome};

/// Formulas are evaluated at most this often; a burst of snapshots makes one round.
const SPACING: Duration = Duration::from_millis(100);
/// And, where a round takes long, not more often than once in so many times its length.
const SHARE: u32 = 20;
/// They are evaluated at least this often: a formula may look at the clock, and one that rested may be better now.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a caller waits for the first look at Sync.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Previews and checks that may wait at once.
const MOST_WAITING: usize = 32;
/// What formulas are given.
const NEEDS: Needs =
    Needs { workspace: true, queues: true, last_hour: false, tasks: false, latest_event: false };
/// What a tile shows whose formula failed, and one whose result does not fit its format.
const ERR: &str = "ERR";
const ERR_FMT: &str = "ERR FMT";

/// The task, to be run once.
#[derive(Debug)]
pub struct Worker {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    shown: watch::Sender<Arc<Snapshot>>,
    store: Arc<Store>,
    definitions: watch::Receiver<Option<Arc<Definitions>>>,
    commands: mpsc::Receiver<Command>,
    engine: Engine,
    told: Told,
    data: Arc<FormulaData>,
    look: Look,
    zone: TimeZone,
    usual: ServiceLevel,
    history: Arc<Mutex<History>>,
    metrics: Option<Arc<[Metric]>>,
    /// Faults with what was probably meant; looked for once.
    explained: HashMap<Arc<str>, (Fault, Arc<Value>)>,
}

/// The handle: definitions, previews, curves. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    commands: mpsc::Sender<Command>,
    store: Arc<Store>,
    data: Arc<FormulaData>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    history: Arc<Mutex<History>>,
    usual: ServiceLevel,
}

/// What a definition would show now.
#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    /// The formula's result.
    pub value: Value,
    /// As it would be shown.
    pub text: String,
    /// In which style.
    pub style: Style,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// The task is stopping, or too many ask at once.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the formulas' task is starting, stopping or overloaded; try again")]
pub struct Busy;

/// Definitions were not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// They are not right.
    #[error("the definitions are not right")]
    Problems(Vec<Problem>),
    /// They can't be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// They can't be checked.
    #[error(transparent)]
    Busy(#[from] Busy),
}

#[derive(Debug)]
struct Command {
    formula: Formula,
    only_check: bool,
    answer: oneshot::Sender<Evaluated>,
}

impl Worker {
    /// A worker, its handle, and the snapshots with metrics that it hands on.
    pub fn new(
        config: &CoreConfig,
        sync: SyncService,
        snapshots: watch::Receiver<Arc<Snapshot>>,
    ) -> (Metrics, watch::Receiver<Arc<Snapshot>>, Self) {
        let store = Arc::new(Store::new(
            sync,
            &config.sync.dashboard_definitions_document,
            config.sync.definitions_interval,
        ));
        let (shown, receiver) = watch::channel(snapshots.borrow().clone());
        let (commands, command_receiver) = mpsc::channel(MOST_WAITING);
        let data = Arc::new(FormulaData::new(config));
        let history = Arc::<Mutex<History>>::default();
        let usual = config.statistics.service_level;
        let handle = Metrics {
            commands,
            store: store.clone(),
            data: data.clone(),
            snapshots: snapshots.clone(),
            history: history.clone(),
            usual,
        };
        let worker = Self {
            snapshots,
            shown,
            definitions: store.definitions(),
            store,
            commands: command_receiver,
            engine: Engine::new(config.formula_program.clone()),
            told: Told::default(),
            data,
            look: Look::default(),
            zone: config.statistics.time_zone.clone(),
            usual,
            history,
            metrics: None,
            explained: HashMap::new(),
        };
        (handle, receiver, worker)
    }

    /// Hands on and evaluates until told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let store = self.store.clone();
        // Ends with this task: a change that an editor makes meanwhile goes through the store, not through here.
        let following = async { store.follow(stop.clone()).await };
        tokio::select! {
            () = following => {}
            () = self.work(&stop) => {}
        }
        // The last snapshots come while reading stops, and have to be written.
        self.hand_on();
    }

    async fn work(&mut self, stop: &CancellationToken) {
        let mut due = Instant::now();
        let mut last = due;
        let mut spacing = SPACING;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.snapshots.changed() => {
                    if changed.is_err() {
                        return stop.cancelled().await;
                    }
                    // At once, with the metrics of the one before: what is fresh waits for no formula.
                    self.hand_on();
                    due = due.min(last + spacing);
                }
                // The sender lives in the store, which lives here.
                _ = self.definitions.changed() => {
                    self.take_definitions();
                    due = Instant::now();
                }
                Some(command) = self.commands.recv() => self.obey(command).await,
                () = tokio::time::sleep_until(due) => {
                    let begin = Instant::now();
                    self.evaluate().await;
                    last = Instant::now();
                    spacing = (SHARE * (last - begin)).clamp(SPACING, LONGEST_PAUSE);
                    due = last + LONGEST_PAUSE;
                }
            }
        }
    }

    fn hand_on(&mut self) {
        let snapshot = self.snapshots.borrow_and_update().clone();
        let next = if self.metrics.is_some() {
            Arc::new(Snapshot { metrics: self.metrics.clone(), ..(*snapshot).clone() })
        } else {
            snapshot
        };
        self.shown.send_replace(next);
    }

    fn take_definitions(&mut self) {
        let definitions = self.definitions.borrow_and_update().clone().unwrap_or_default();
        let good = definitions.iter().filter_map(|entry| entry.definition.as_ref().ok());
        let formulas: Vec<Formula> = good.map(|definition| formula_of(definition, self.usual)).collect();
        self.look = formulas.iter().map(|formula| look_of(&formula.source)).max().unwrap_or_default();
        self.explained.clear();
        self.engine.set(formulas);
    }

    async fn evaluate(&mut self) {
        let snapshot = self.snapshots.borrow().clone();
        // Before everything was read once, a formula would make something wrong of it.
        let definitions = self.definitions.borrow().clone().filter(|_| snapshot.is_complete(NEEDS));
        let Some(definitions) = definitions else { return };
        let values = {
            let Self { told, data, look, .. } = self;
            let mut telling = Telling::new(told, data, &snapshot, *look);
            self.engine.evaluate(&mut telling).await
        };
        // Where definitions have changed meanwhile, their own round follows.
        let mut values = values.into_iter();
        let metrics: Vec<Metric> = definitions
            .iter()
            .map(|entry| match &entry.definition {
                Ok(definition) => {
                    let value = values.next().unwrap_or_else(|| Err(Fault::new("not evaluated yet")));
                    self.metric(entry, definition, value, &snapshot)
                }
                Err(problems) => broken(entry, problems),
            })
            .collect();
        self.remember(&metrics, &snapshot);
        let same = self.metrics.as_ref().is_some_and(|last| {
            last.len() == metrics.len()
                && last.iter().zip(&metrics).all(|(last, metric)| metric.shows_the_same(last))
        });
        if !same {
            self.metrics = Some(metrics.into());
            self.hand_on();
        }
    }

    fn metric(
        &mut self,
        entry: &Entry,
        definition: &Definition,
        value: Evaluated,
        snapshot: &Snapshot,
    ) -> Metric {
        let with_queues = look_of(&definition.formula) > Look::Workspace;
        let read = last_read(snapshot, with_queues);
        let shown = show(definition, &value, &self.zone);
        let error = value.err().map(|fault| self.explain(entry, definition, fault, snapshot));
        Metric {
            name: entry.name.clone(),
            label: definition.label.clone(),
            value: shown.value,
            text: shown.text,
            format: definition.format_name.clone(),
            style: Arc::new(json!(shown.style)),
            increment: definition.increment,
            as_of: read.map(|(as_of, _)| as_of),
            by_event: read.is_some_and(|(_, by_event)| by_event),
            service_level: ServiceLevel::shown_by(
                &definition.formula,
                definition.service_level.unwrap_or(self.usual),
            )
            .map(ServiceLevel::label),
            error,
        }
    }

    fn explain(
        &mut self,
        entry: &Entry,
        definition: &Definition,
        fault: Fault,
        snapshot: &Snapshot,
    ) -> Arc<Value> {
        if let Some((known, told)) = self.explained.get(&entry.name)
            && *known == fault
        {
            return told.clone();
        }
        let explained = hint::explained(fault.clone(), &definition.formula, &self.data.shown(snapshot));
        let told = Arc::new(json!(Problem::of_formula(explained)));
        self.explained.insert(entry.name.clone(), (fault, told.clone()));
        told
    }

    fn remember(&self, metrics: &[Metric], snapshot: &Snapshot) {
        // A value that could not be confirmed is no point of a curve.
        let fresh = snapshot.workspace.realtime.stale.is_none();
        let point = |metric: &Metric| (metric.name.clone(), metric.value.as_f64().filter(|_| fresh));
        let points: Vec<_> = metrics.iter().map(point).collect();
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.add(Timestamp::now().as_second(), &points);
    }

    async fn obey(&mut self, command: Command) {
        let snapshot = self.snapshots.borrow().clone();
        let Self { told, data, look, .. } = self;
        let look = (*look).max(look_of(&command.formula.source));
        let mut telling = Telling::new(told, data, &snapshot, look);
        let value = if command.only_check {
            self.engine.check(command.formula, &mut telling).await
        } else {
            self.engine.attempt(command.formula, &mut telling).await
        };
        // Whoever asked may be gone.
        let _ = command.answer.send(value);
    }
}

impl Metrics {
    /// The definitions; waits for the first look at Sync, but not for ever.
    pub async fn definitions(&self) -> Result<Arc<Definitions>, Busy> {
        let mut definitions = self.store.definitions();
        let known = timeout(LONGEST_WAIT, definitions.wait_for(Option::is_some)).await;
        known.ok().and_then(Result::ok).and_then(|known| known.clone()).ok_or(Busy)
    }

    /// Checks definitions, each whole, and stores them all or none.
    pub async fn save(&self, changes: &Raw) -> Result<Arc<Definitions>, ChangeError> {
        check_names(&*self.definitions().await?, changes).map_err(StoreError::from)?;
        let mut problems = Vec::new();
        for (name, raw) in changes {
            let parsed = raw.get("metric").map_or_else(
                || Err(vec![Problem::of("metric", "it is missing: a definition is {\"metric\": {…}}")]),
                Definition::parse,
            );
            match parsed {
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.in_metric(name))),
                Ok(definition) => {
                    if let Err(fault) = self.ask(&definition, true).await? {
                        problems.push(Problem::of_formula(fault).in_metric(name));
                    }
                }
            }
        }
        if !problems.is_empty() {
            return Err(ChangeError::Problems(problems));
        }
        Ok(self.store.save(changes).await?)
    }

    /// Takes definitions out.
    pub async fn delete(&self, names: &[String]) -> Result<Arc<Definitions>, ChangeError> {
        Ok(self.store.delete(names).await?)
    }

    /// Puts the tiles into this order.
    pub async fn order(&self, names: &[String]) -> Result<Arc<Definitions>, ChangeError> {
        Ok(self.store.order(names).await?)
    }

    /// What a definition would show now.
    pub async fn preview(&self, metric: &Value, zone: &TimeZone) -> Result<Preview, Busy> {
        let definition = match Definition::parse(metric) {
            Ok(definition) => definition,
            Err(mut problems) => {
                let error = (!problems.is_empty()).then(|| problems.swap_remove(0));
                return Ok(Preview {
                    value: Value::Null,
                    text: ERR.to_owned(),
                    style: Style::default(),
                    error,
                });
            }
        };
        let value = self.ask(&definition, false).await?;
        let Shown { value: shown, text, style } = show(&definition, &value, zone);
        let error = match value {
            Err(fault) => {
                Some(Problem::of_formula(hint::explained(fault, &definition.formula, &self.fields())))
            }
            Ok(_) if text == ERR_FMT => {
                let format = &definition.format_name;
                Some(Problem::of("format", format!("{shown} can't be shown in the format {format}")))
            }
            Ok(_) => None,
        };
        Ok(Preview { value: shown, text, style: style.clone(), error })
    }

    /// What formulas see, with the values of now; of many TaskQueues the first.
    pub fn fields(&self) -> Value {
        let snapshot = self.snapshots.borrow().clone();
        self.data.shown(&snapshot)
    }

    /// A metric's last hours; `None` for one that is not defined.
    pub async fn history(&self, metric: &str) -> Result<Option<Vec<Point>>, Busy> {
        if self.definitions().await?.get(metric).is_none() {
            return Ok(None);
        }
        Ok(Some(self.history.lock().unwrap_or_else(PoisonError::into_inner).of(metric)))
    }

    /// All curves, to be handed on.
    pub fn curves(&self) -> Curves {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).all()
    }

    /// Goes on from another process's curves.
    pub fn take_over(&self, curves: Curves) {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).take_over(curves);
    }

    async fn ask(&self, definition: &Definition, only_check: bool) -> Result<Evaluated, Busy> {
        let (answer, answered) = oneshot::channel();
        let command = Command { formula: formula_of(definition, self.usual), only_check, answer };
        self.commands.try_send(command).map_err(|_| Busy)?;
        answered.await.map_err(|_| Busy)
    }
}

struct Shown<'d> {
    value: Value,
    text: String,
    style: &'d Style,
}

fn show<'d>(definition: &'d Definition, value: &Evaluated, zone: &TimeZone) -> Shown<'d> {
    let Ok(value) = value else {
        return Shown { value: Value::Null, text: ERR.to_owned(), style: &definition.default_style };
    };
    let text = definition.format.text(value, zone);
    let style = threshold::style(definition, value);
    Shown { value: as_json(value), text: text.unwrap_or_else(|_| ERR_FMT.to_owned()), style }
}

/// Whole numbers without a decimal point, as everybody else writes them.
fn as_json(value: &Outcome) -> Value {
    const MOST_EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Outcome::Number(number) if number.fract() == 0.0 && number.abs() < MOST_EXACT => {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
            let whole = *number as i64;
            json!(whole)
        }
        value => json!(value),
    }
}

fn broken(entry: &Entry, problems: &[Problem]) -> Metric {
    let label = entry.raw.pointer("/metric/label").and_then(Value::as_str).unwrap_or(&entry.name);
    Metric {
        name: entry.name.clone(),
        label: label.chars().take(200).collect::<String>().into(),
        value: Value::Null,
        text: ERR.to_owned(),
        format: Arc::default(),
        style: Arc::new(json!(Style::default())),
        increment: false,
        as_of: None,
        by_event: false,
        service_level: None,
        error: problems.first().map(|problem| Arc::new(json!(problem))),
    }
}

fn formula_of(definition: &Definition, usual: ServiceLevel) -> Formula {
    Formula {
        source: definition.formula.clone(),
        usual_sla: usual.name().into(),
        own_sla: definition.service_level.map(|level| level.name().into()),
    }
}

/// When what a formula looked at was read last, and whether because of an event.
fn last_read(snapshot: &Snapshot, with_queues: bool) -> Option<(Timestamp, bool)> {
    let queues = snapshot.queues.values().filter(|_| with_queues);
    let readings = queues.filter_map(|state| state.scopes.first()).chain([&snapshot.workspace]);
    let reads = readings.filter_map(|stats| Some((stats.realtime.as_of?, stats.realtime.by_event)));
    reads.max()
}
