//! The wallboard's handle for definitions, previews and curves. Cheap to clone.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::definition::{Definition, Style};
use super::definitions::{Definitions, Raw};
use super::documents::check_names;
use super::formula::process::Evaluated;
use super::formula::protocol::{Fault, Formula};
use super::formula_data::FormulaData;
use super::hint;
use super::history::{Curves, History, Point};
use super::problem::Problem;
use super::store::{Store, StoreError};
use super::tile::{ERR, TileFace, show};
use crate::service_level::ServiceLevel;
use crate::stats::Snapshot;

/// How long a caller waits for the first look at Sync.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Wallboard {
    pub(super) commands: mpsc::Sender<EvaluationRequest>,
    pub(super) store: Arc<Store>,
    pub(super) data: Arc<FormulaData>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) history: Arc<Mutex<History>>,
    pub(super) usual: ServiceLevel,
}

#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    pub value: Value,
    pub text: String,
    pub style: Style,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// What an editor should know before saving the definition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Problem>,
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the formulas' task is starting, stopping or overloaded; try again")]
pub struct Busy;

#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("the definitions are not right")]
    Problems(Vec<Problem>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Busy(#[from] Busy),
}

#[derive(Debug)]
pub(super) struct EvaluationRequest {
    pub(super) formula: Formula,
    pub(super) only_check: bool,
    pub(super) answer: oneshot::Sender<Evaluated>,
}

impl Wallboard {
    /// The definitions; waits for the first look at Sync, up to `LONGEST_WAIT`.
    pub async fn definitions(&self) -> Result<Arc<Definitions>, Busy> {
        let mut definitions = self.store.definitions();
        let known = timeout(LONGEST_WAIT, definitions.wait_for(Option::is_some)).await;
        known.ok().and_then(Result::ok).and_then(|known| known.clone()).ok_or(Busy)
    }

    /// Checks definitions, each whole, and stores them all or none.
    pub async fn save(&self, changes: &Raw) -> Result<Arc<Definitions>, ChangeError> {
        self.save_if(changes, |_, evaluated| {
            // A formula without a value now may have one later; one that ends the process never will.
            evaluated.err().filter(Fault::ended_the_process).map(Problem::of_formula)
        })
        .await
    }

    /// The same, but each must also have a value now that fits its format.
    pub async fn save_working(&self, changes: &Raw) -> Result<Arc<Definitions>, ChangeError> {
        let fields = self.fields();
        self.save_if(changes, |definition, evaluated| failing(definition, &evaluated, &fields)).await
    }

    async fn save_if(
        &self,
        changes: &Raw,
        problem_of: impl Fn(&Definition, Evaluated) -> Option<Problem>,
    ) -> Result<Arc<Definitions>, ChangeError> {
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
                    let found = match self.ask(&definition, true).await? {
                        Err(fault) => Some(Problem::of_formula(fault)),
                        Ok(_) => problem_of(&definition, self.ask(&definition, false).await?),
                    };
                    problems.extend(found.map(|problem| problem.in_metric(name)));
                }
            }
        }
        if !problems.is_empty() {
            return Err(ChangeError::Problems(problems));
        }
        Ok(self.store.save(changes).await?)
    }

    pub async fn delete(&self, names: &[String]) -> Result<Arc<Definitions>, ChangeError> {
        Ok(self.store.delete(names).await?)
    }

    /// Puts the tiles into this order.
    pub async fn order(&self, names: &[String]) -> Result<Arc<Definitions>, ChangeError> {
        Ok(self.store.order(names).await?)
    }

    pub async fn preview(&self, metric: &Value, zone: &TimeZone) -> Result<Preview, Busy> {
        let definition = match Definition::read(metric) {
            Ok(definition) => definition,
            Err(mut problems) => {
                let error = (!problems.is_empty()).then(|| problems.swap_remove(0));
                return Ok(Preview {
                    value: Value::Null,
                    text: ERR.to_owned(),
                    style: Style::default(),
                    error,
                    warnings: Vec::new(),
                });
            }
        };
        let value = self.ask(&definition, false).await?;
        let TileFace { value: shown, text, style, .. } = show(&definition, &value, zone);
        let error = failing(&definition, &value, &self.fields());
        let (style, warnings) = (style.clone(), self.warnings(&definition));
        Ok(Preview { value: shown, text, style, error, warnings })
    }

    /// Warnings about a formula that works, but probably not as intended.
    fn warnings(&self, definition: &Definition) -> Vec<Problem> {
        let mut warnings = definition.flaws.clone();
        let snapshot = self.snapshots.borrow().clone();
        for (index, (line, column)) in hint::indexed_queues(&definition.formula) {
            let name = snapshot.queues.keys().nth(index).map_or("WQ…".to_owned(), ToString::to_string);
            let message = format!(
                "data.queues[{index}] is another TaskQueue as soon as one is added or deleted; queue(\"{name}\") stays"
            );
            let (line, column) = (Some(line), Some(column));
            warnings.push(Problem::of_formula(Fault { message, line, column }));
        }
        if let (Some(first), Some(second)) = (definition.first.value, definition.second.value) {
            if definition.invert && first >= second {
                let message = "it is never reached: below the first, the first one's style is shown";
                warnings.push(Problem::of("secondThresholdValue", message));
            } else if !definition.invert && second <= first {
                let message = "it is never reached: above the second, the second one's style is shown";
                warnings.push(Problem::of("firstThresholdValue", message));
            }
        }
        warnings
    }

    /// The formulas' data with present values, and only the first of many TaskQueues.
    pub fn fields(&self) -> Value {
        let snapshot = self.snapshots.borrow().clone();
        self.data.shown(&snapshot)
    }

    /// A metric's last hours; `None` for one that is not defined.
    pub async fn history(&self, metric: &str) -> Result<Option<Vec<Point>>, Busy> {
        if self.definitions().await?.get(metric).is_none() {
            return Ok(None);
        }
        Ok(Some(self.history.lock().of(metric)))
    }

    pub fn curves(&self) -> Curves {
        self.history.lock().all()
    }

    pub fn take_over(&self, curves: Curves) {
        self.history.lock().take_over(curves);
    }

    async fn ask(&self, definition: &Definition, only_check: bool) -> Result<Evaluated, Busy> {
        let (answer, answered) = oneshot::channel();
        let command = EvaluationRequest { formula: formula_of(definition, self.usual), only_check, answer };
        self.commands.try_send(command).map_err(|_| Busy)?;
        answered.await.map_err(|_| Busy)
    }
}

/// Why a tile would show an error.
fn failing(definition: &Definition, evaluated: &Evaluated, fields: &Value) -> Option<Problem> {
    match evaluated {
        Err(fault) => Some(Problem::of_formula(hint::explained(fault.clone(), &definition.formula, fields))),
        Ok(value) if definition.format.text(value, &TimeZone::UTC).is_err() => {
            let (format, shown) = (&definition.format_name, json!(value));
            Some(Problem::of("format", format!("{shown} can't be shown in the format {format}")))
        }
        Ok(_) => None,
    }
}

pub(super) fn formula_of(definition: &Definition, usual: ServiceLevel) -> Formula {
    Formula {
        source: definition.formula.clone(),
        usual_sla: usual.name().into(),
        own_sla: definition.service_level.map(|level| level.name().into()),
    }
}
