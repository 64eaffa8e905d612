//! Carries requests out.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::request::{Answer, Request, RequestError};
use crate::layout::{queue_items, task_item};
use crate::lenient_json;
use crate::publish::Publisher;
use crate::refresh::{Refresher, Roster};
use crate::sid::{AccountSid, WorkspaceSid};
use crate::stats::{Needs, Snapshot};
use crate::twilio::taskrouter::Worker;
use crate::wallboard::{Metrics, Raw};

/// A thousand queues take about a minute to write within Sync's limits.
pub(super) const LONGEST_BOOTSTRAP: Duration = Duration::from_secs(120);
/// Two reads of Twilio, with time to spare.
const LONGEST_ANSWER: Duration = Duration::from_secs(25);
/// Of the wait for the first values, where a formula's editor asks for them; the rest of the time is for another leader's turn.
const LONGEST_FIRST_READ: Duration = Duration::from_secs(10);
/// Characters of an unknown metric's name in the refusal.
const LONGEST_NAME: usize = 100;

/// The handles of the pipeline's tasks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    /// Marks what is stale.
    pub refresher: Refresher,
    /// The newest snapshot, with metrics where there are any.
    pub shown: watch::Receiver<Arc<Snapshot>>,
    /// Knows how far the writes are.
    pub publisher: Publisher,
    pub(super) metrics: Option<Metrics>,
    pub(super) roster: Roster,
    pub(super) account: AccountSid,
    pub(super) workspace: WorkspaceSid,
    pub(super) zone: TimeZone,
    pub(super) needs: Needs,
}

impl Request {
    /// How long the one who asks waits for an answer.
    pub fn time_limit(&self) -> Duration {
        if matches!(self, Self::Bootstrap) { LONGEST_BOOTSTRAP } else { LONGEST_ANSWER }
    }
}

impl Handle {
    /// Puts curves before those that were drawn so far.
    #[cfg(feature = "demo")]
    pub fn take_over(&self, curves: crate::wallboard::Curves) {
        if let Some(metrics) = &self.metrics {
            metrics.take_over(curves);
        }
    }

    /// Carries out what another replica asks, as JSON.
    pub async fn answer_json(self, request: Value) -> Result<Answer, RequestError> {
        self.answer(serde_json::from_value(request).map_err(|_| RequestError::Unknown)?).await
    }

    /// Carries a request out.
    pub async fn answer(&self, request: Request) -> Result<Answer, RequestError> {
        match request {
            Request::Bootstrap => {
                let written = timeout(LONGEST_BOOTSTRAP, self.refresh_and_write()).await;
                raw(&written.map_err(|_| RequestError::NotFinished(LONGEST_BOOTSTRAP.as_secs()))??)
            }
            Request::Tasks => raw(&self.tasks().await?),
            Request::Workers => raw(&self.workers().await?),
            Request::Definitions => raw(&*self.metrics()?.definitions().await?),
            Request::Fields => {
                let metrics = self.metrics()?;
                self.first_read().await;
                raw(&metrics.fields())
            }
            Request::History(metric) => {
                let points = self.metrics()?.history(&metric).await?;
                let shown = || metric.chars().take(LONGEST_NAME).collect();
                raw(&json!({ "points": points.ok_or_else(|| RequestError::NoSuchMetric(shown()))? }))
            }
            Request::Save(changes) => {
                raw(&*self.metrics()?.save(&changes.into_iter().collect::<Raw>()).await?)
            }
            Request::SaveWorking(changes) => {
                let metrics = self.metrics()?;
                self.first_read().await;
                raw(&*metrics.save_working(&changes.into_iter().collect::<Raw>()).await?)
            }
            Request::Delete(names) => raw(&*self.metrics()?.delete(&names).await?),
            Request::Order(names) => raw(&*self.metrics()?.order(&names).await?),
            Request::Preview(metric) => {
                let metrics = self.metrics()?;
                self.first_read().await;
                raw(&metrics.preview(&metric, &self.zone).await?)
            }
        }
    }

    async fn refresh_and_write(&self) -> Result<Vec<Value>, RequestError> {
        let snapshot = self.refresher.refresh_all().await?;
        if let Some(stale) = &snapshot.directory_stale {
            return Err(RequestError::TaskRouter(stale.reason.to_string()));
        }
        self.publisher.restored(snapshot.number).await.map_err(|_| RequestError::Stopping)?;
        Ok(queue_items(&snapshot))
    }

    /// By falling priority, then by age.
    async fn tasks(&self) -> Result<Vec<Value>, RequestError> {
        let tasks = self.roster.tasks().await.map_err(|error| RequestError::TaskRouter(error.to_string()))?;
        let mut tasks: Vec<_> = tasks.iter().collect();
        tasks.sort_by(|(_, a), (_, b)| {
            b.task.priority.cmp(&a.task.priority).then_with(|| a.task.date_created.cmp(&b.task.date_created))
        });
        let recordings = self.refresher.snapshots().borrow().recordings.clone();
        let items =
            tasks.into_iter().map(|(sid, task)| task_item(*sid, task, recordings.get(sid).map(|url| &**url)));
        Ok(items.collect())
    }

    /// In TaskRouter's order.
    async fn workers(&self) -> Result<Vec<Value>, RequestError> {
        let workers = self.roster.workers().await;
        let workers = workers.map_err(|error| RequestError::TaskRouter(error.to_string()))?;
        Ok(workers.iter().map(|worker| self.worker(worker)).collect())
    }

    /// The attributes first, so that none of them can pass for one of our own fields.
    fn worker(&self, worker: &Worker) -> Value {
        let mut shown = lenient_json::attributes(&worker.attributes);
        shown.insert("worker_sid".into(), json!(worker.sid));
        shown.insert("friendly_name".into(), json!(worker.friendly_name));
        shown.insert("activity_name".into(), json!(worker.activity_name));
        shown.insert("available".into(), json!(worker.available));
        shown.insert("date_status_changed".into(), json!(worker.date_status_changed));
        shown.insert("account_sid".into(), json!(self.account));
        shown.insert("workspace_sid".into(), json!(self.workspace));
        Value::Object(shown)
    }

    /// A pipeline that has just started has no values yet. Where TaskRouter can't be read, the answer has none.
    async fn first_read(&self) {
        let mut snapshots = self.refresher.snapshots();
        let complete = snapshots.wait_for(|snapshot| snapshot.is_complete(self.needs));
        let _ = timeout(LONGEST_FIRST_READ, complete).await;
    }

    fn metrics(&self) -> Result<&Metrics, RequestError> {
        self.metrics.as_ref().ok_or(RequestError::NoMetrics)
    }
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, RequestError> {
    // Only a map with other keys than texts fails, and none of these has any.
    to_raw_value(value).map_err(|_| RequestError::Overloaded)
}
