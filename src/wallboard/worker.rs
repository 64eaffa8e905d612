//! The task that evaluates the formulas: beside the way from the reads to Sync and the feed, never in it.
//!
//! Publisher and feed take snapshots from the refresh task, and tiles from here. A formula process that is stopped,
//! killed or slow makes this task late and nothing else: tiles keep their last values and are marked stale.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::data::{LookUp, Telling, Told, look_of};
use super::definition::Definition;
use super::definitions::{DefinitionEntry, Definitions};
use super::formula::process::{Engine, Evaluated, Unavailable};
use super::formula::protocol::{Fault, Formula};
use super::formula_data::FormulaData;
use super::handle::{EvaluationRequest, Wallboard, formula_of};
use super::hint;
use super::history::History;
use super::problem::Problem;
use super::store::Store;
use super::tile::{ShownIn, all_stale, mark_stale, tile, without_value};
use crate::config::CoreConfig;
use crate::service_level::ServiceLevel;
use crate::stats::{Needs, Snapshot, Stale, Tile, Tiles};
use crate::twilio::sync::SyncService;

/// Formulas are evaluated at most this often; a burst of snapshots makes one round.
const SPACING: Duration = Duration::from_millis(100);
/// Where a round takes long, the pause between two is this many times its length.
const SHARE: u32 = 20;
/// Formulas are evaluated at least this often: one may use the clock, and the pause of another may be over.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Tiles are called stale when a round takes this long, and longer than the round before it would explain.
const LATE: Duration = Duration::from_secs(3);
/// Most previews and checks that wait at once.
const MOST_WAITING: usize = 32;
const NEEDS: Needs =
    Needs { workspace: true, queues: true, last_hour: false, tasks: false, latest_event: false };

/// The task, to be run once.
#[derive(Debug)]
pub struct WallboardWorker {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    tiles: watch::Sender<Tiles>,
    store: Arc<Store>,
    definitions: watch::Receiver<Option<Arc<Definitions>>>,
    commands: mpsc::Receiver<EvaluationRequest>,
    engine: Engine,
    told: Told,
    data: Arc<FormulaData>,
    look: LookUp,
    zone: TimeZone,
    usual: ServiceLevel,
    thresholds: Vec<u32>,
    history: Arc<Mutex<History>>,
    /// How long the last round took.
    last_round: Duration,
    /// Faults with their hints, which are computed once.
    explained: HashMap<Arc<str>, (Fault, Arc<Value>)>,
}

impl WallboardWorker {
    pub fn new(
        config: &CoreConfig,
        sync: SyncService,
        snapshots: watch::Receiver<Arc<Snapshot>>,
    ) -> (Wallboard, watch::Receiver<Tiles>, Self) {
        let store = Arc::new(Store::new(
            sync,
            &config.sync.dashboard_definitions_document,
            config.sync.definitions_interval,
        ));
        let (tiles, receiver) = watch::channel(None);
        let (commands, command_receiver) = mpsc::channel(MOST_WAITING);
        let data = Arc::new(FormulaData::new(config));
        let history = Arc::<Mutex<History>>::default();
        let usual = config.statistics.service_level;
        let handle = Wallboard {
            commands,
            store: store.clone(),
            data: data.clone(),
            snapshots: snapshots.clone(),
            history: history.clone(),
            usual,
        };
        let worker = Self {
            snapshots,
            tiles,
            definitions: store.definitions(),
            store,
            commands: command_receiver,
            engine: Engine::new(config.formula_program.clone()).in_zone(&config.statistics.time_zone),
            told: Told::default(),
            data,
            look: LookUp::default(),
            zone: config.statistics.time_zone.clone(),
            usual,
            thresholds: config.statistics.sla_thresholds.clone(),
            history,
            last_round: Duration::ZERO,
            explained: HashMap::new(),
        };
        (handle, receiver, worker)
    }

    /// Evaluates until `stop` is cancelled; a round under way is given up, and its process killed.
    pub async fn run(mut self, stop: CancellationToken) {
        let store = self.store.clone();
        // Ends with this task: a change that an editor makes meanwhile goes through the store, not through here.
        let following = async { store.follow(stop.clone()).await };
        tokio::select! {
            () = following => {}
            () = self.work() => stop.cancelled().await,
            () = stop.cancelled() => {}
        }
    }

    /// Returns when no snapshots will come any more.
    async fn work(&mut self) {
        let mut due = Instant::now();
        let mut last = due;
        let mut spacing = SPACING;
        loop {
            tokio::select! {
                changed = self.snapshots.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    due = due.min(last + spacing);
                }
                // The sender lives in the store, which lives here.
                _ = self.definitions.changed() => {
                    self.take_definitions();
                    due = Instant::now();
                }
                Some(command) = self.commands.recv() => self.obey(command).await,
                () = sleep_until(due) => {
                    let begin = Instant::now();
                    let usable = self.evaluate().await;
                    last = Instant::now();
                    self.last_round = last - begin;
                    spacing = if usable {
                        (SHARE * self.last_round).clamp(SPACING, LONGEST_PAUSE)
                    } else {
                        LONGEST_PAUSE
                    };
                    due = last + LONGEST_PAUSE;
                }
            }
        }
    }

    fn take_definitions(&mut self) {
        let definitions = self.definitions.borrow_and_update().clone().unwrap_or_default();
        let good = definitions.iter().filter_map(|entry| entry.definition.as_ref().ok());
        let formulas: Vec<Formula> = good.map(|definition| formula_of(definition, self.usual)).collect();
        self.look = formulas.iter().map(|formula| look_of(&formula.source)).max().unwrap_or_default();
        self.explained.clear();
        self.engine.set(formulas);
    }

    /// Runs one round; returns whether the engine is usable.
    async fn evaluate(&mut self) -> bool {
        let snapshot = self.snapshots.borrow().clone();
        // Until everything was read once, formulas would compute wrong values.
        let definitions = self.definitions.borrow().clone().filter(|_| snapshot.is_complete(NEEDS));
        let Some(definitions) = definitions else { return true };
        let since = Timestamp::now();
        let metrics = match self.round(&snapshot, since).await {
            Ok(values) => self.tiles_of(&definitions, values, &snapshot),
            Err(unavailable) => {
                let stale = Stale { reason: unavailable.to_string().into(), since };
                let last = self.tiles.borrow().clone();
                all_stale(definitions.iter(), last.as_deref().unwrap_or_default(), &stale)
            }
        };
        let usable = metrics.iter().all(|metric| metric.stale.is_none());
        self.remember(&metrics, &snapshot);
        self.tiles.send_if_modified(|last| {
            let same = last.as_ref().is_some_and(|last| {
                last.len() == metrics.len()
                    && last.iter().zip(&metrics).all(|(last, metric)| metric.shows_the_same(last))
            });
            if !same {
                *last = Some(metrics.into());
            }
            !same
        });
        usable
    }

    /// Lets the engine evaluate all formulas; marks the tiles stale while it is late.
    async fn round(
        &mut self,
        snapshot: &Arc<Snapshot>,
        since: Timestamp,
    ) -> Result<Vec<Evaluated>, Unavailable> {
        let late = LATE.max(self.last_round * 2);
        let Self { told, data, look, engine, tiles, .. } = self;
        let mut telling = Telling::new(told, data, snapshot, *look);
        let mut evaluating = std::pin::pin!(engine.evaluate(&mut telling));
        tokio::select! {
            values = &mut evaluating => return values,
            () = sleep(late) => {}
        }
        let reason = format!("the formula process has not answered for {} s", late.as_secs());
        let stale = Stale { reason: reason.into(), since };
        tiles.send_if_modified(|tiles| {
            let mut marked = tiles.as_deref().unwrap_or_default().to_vec();
            let changed = mark_stale(&mut marked, &stale);
            if changed {
                *tiles = Some(marked.into());
            }
            changed
        });
        evaluating.await
    }

    fn tiles_of(
        &mut self,
        definitions: &Definitions,
        values: Vec<Evaluated>,
        snapshot: &Snapshot,
    ) -> Vec<Tile> {
        // If the definitions have changed meanwhile, another round follows.
        let mut values = values.into_iter();
        let mut metrics = Vec::with_capacity(values.len());
        for entry in definitions.iter() {
            metrics.push(match &entry.definition {
                Ok(definition) => {
                    let value = values.next().unwrap_or_else(|| Err(Fault::new("not evaluated yet")));
                    let fault = value.as_ref().err().cloned();
                    let error = fault.map(|fault| self.explain(entry, definition, fault, snapshot));
                    let shown_in =
                        ShownIn { zone: &self.zone, usual: self.usual, thresholds: &self.thresholds };
                    tile(entry, definition, &value, error, snapshot, shown_in)
                }
                Err(problems) => without_value(entry, problems.first()),
            });
        }
        metrics
    }

    fn explain(
        &mut self,
        entry: &DefinitionEntry,
        definition: &Definition,
        fault: Fault,
        snapshot: &Snapshot,
    ) -> Arc<Value> {
        if let Some((known, explained)) = self.explained.get(&entry.name)
            && *known == fault
        {
            return explained.clone();
        }
        if fault.ended_the_process() {
            warn!(metric = %entry.name, reason = %fault, "A formula ended the formula process; it rests");
        }
        let explained = hint::explained(fault.clone(), &definition.formula, &self.data.shown(snapshot));
        let explained = Arc::new(json!(Problem::of_formula(explained)));
        self.explained.insert(entry.name.clone(), (fault, explained.clone()));
        explained
    }

    fn remember(&self, metrics: &[Tile], snapshot: &Snapshot) {
        // A stale value is no point of a curve.
        let fresh = snapshot.workspace.realtime.stale.is_none();
        let point = |metric: &Tile| {
            let confirmed = fresh && metric.stale.is_none();
            (metric.name.clone(), metric.value.as_f64().filter(|_| confirmed))
        };
        let points: Vec<_> = metrics.iter().map(point).collect();
        let mut history = self.history.lock();
        history.add(Timestamp::now().as_second(), &points);
    }

    async fn obey(&mut self, command: EvaluationRequest) {
        let snapshot = self.snapshots.borrow().clone();
        let Self { told, data, look, .. } = self;
        let look = (*look).max(look_of(&command.formula.source));
        let mut telling = Telling::new(told, data, &snapshot, look);
        let value = if command.only_check {
            self.engine.check(command.formula, &mut telling).await
        } else {
            self.engine.attempt(command.formula, &mut telling).await
        };
        // The caller may have gone away.
        let _ = command.answer.send(value);
    }
}
