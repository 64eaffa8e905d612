//! Carries out requests to the pipeline.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::answer::LeaderAnswer;
use super::lists::Lists;
use super::request::{Request, RequestError};
use crate::layout::queue_items;
use crate::publish::Publisher;
use crate::refresh::{Refresher, Roster};
use crate::sid::{AccountSid, WorkspaceSid};
use crate::stats::{Needs, Snapshot};
use crate::twilio::TwilioError;
use crate::wallboard::{Raw, Wallboard};

/// A thousand queues take about a minute to write within Sync's limits.
pub(super) const LONGEST_BOOTSTRAP: Duration = Duration::from_secs(120);
/// Enough for two reads of Twilio.
const LONGEST_ANSWER: Duration = Duration::from_secs(25);
/// How long a preview of a formula waits for the first values; the rest of the request's time is for another leader's try.
const LONGEST_FIRST_READ: Duration = Duration::from_secs(10);
/// Most characters of an unknown metric's name in the refusal.
const LONGEST_NAME: usize = 100;

/// The handles of the pipeline's tasks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    pub refresher: Refresher,
    /// The newest snapshot, with metrics where there are any.
    pub shown: watch::Receiver<Arc<Snapshot>>,
    pub publisher: Publisher,
    pub(super) wallboard: Option<Wallboard>,
    pub(super) roster: Roster,
    pub(super) lists: Lists,
    pub(super) account: AccountSid,
    pub(super) workspace: WorkspaceSid,
    pub(super) zone: TimeZone,
    pub(super) needs: Needs,
}

impl Request {
    /// How long the caller waits for the answer.
    pub fn time_limit(&self) -> Duration {
        if matches!(self, Self::Bootstrap) { LONGEST_BOOTSTRAP } else { LONGEST_ANSWER }
    }
}

impl Handle {
    /// Adds earlier points before those of the curves so far.
    #[cfg(feature = "demo")]
    pub fn take_over(&self, curves: crate::wallboard::Curves) {
        if let Some(wallboard) = &self.wallboard {
            wallboard.take_over(curves);
        }
    }

    /// Carries out another replica's request, as JSON.
    pub async fn answer_json(self, request: Value) -> Result<LeaderAnswer, RequestError> {
        self.answer(serde_json::from_value(request).map_err(|_| RequestError::Unknown)?).await
    }

    pub async fn answer(&self, request: Request) -> Result<LeaderAnswer, RequestError> {
        Ok(match request {
            Request::Bootstrap => {
                let written = timeout(LONGEST_BOOTSTRAP, self.refresh_and_write()).await;
                LeaderAnswer::of(
                    &written.map_err(|_| RequestError::NotFinished(LONGEST_BOOTSTRAP.as_secs()))??,
                )
            }
            Request::Tasks => {
                let tasks = self.roster.tasks().await.map_err(|error| unreadable(&error))?;
                let recordings = self.refresher.snapshots().borrow().recordings.clone();
                self.lists.tasks(tasks, recordings).await
            }
            Request::Workers => {
                let workers = self.roster.workers().await.map_err(|error| unreadable(&error))?;
                self.lists.workers(workers, &self.account, &self.workspace).await
            }
            Request::WorkerQueues(worker) => {
                let queues = self.roster.queues_of(worker).await.map_err(|error| unreadable(&error))?;
                let shown = queues
                    .iter()
                    .map(|queue| json!({ "sid": queue.sid, "friendlyName": queue.friendly_name }));
                LeaderAnswer::of(&shown.collect::<Vec<_>>())
            }
            Request::Definitions => LeaderAnswer::of(&*self.wallboard()?.definitions().await?),
            Request::Fields => {
                let wallboard = self.wallboard()?;
                self.first_read().await;
                LeaderAnswer::of(&wallboard.fields())
            }
            Request::History(metric) => {
                let points = self.wallboard()?.history(&metric).await?;
                let shown = || metric.chars().take(LONGEST_NAME).collect();
                LeaderAnswer::of(
                    &json!({ "points": points.ok_or_else(|| RequestError::NoSuchMetric(shown()))? }),
                )
            }
            Request::Save(changes) => {
                LeaderAnswer::of(&*self.wallboard()?.save(&changes.into_iter().collect::<Raw>()).await?)
            }
            Request::SaveWorking(changes) => {
                let wallboard = self.wallboard()?;
                self.first_read().await;
                LeaderAnswer::of(&*wallboard.save_working(&changes.into_iter().collect::<Raw>()).await?)
            }
            Request::Delete(names) => LeaderAnswer::of(&*self.wallboard()?.delete(&names).await?),
            Request::Order(names) => LeaderAnswer::of(&*self.wallboard()?.order(&names).await?),
            Request::Preview(metric) => {
                let wallboard = self.wallboard()?;
                self.first_read().await;
                LeaderAnswer::of(&wallboard.preview(&metric, &self.zone).await?)
            }
        })
    }

    async fn refresh_and_write(&self) -> Result<Vec<Value>, RequestError> {
        let snapshot = self.refresher.refresh_all().await?;
        if let Some(stale) = &snapshot.directory_stale {
            return Err(RequestError::TaskRouter(stale.reason.to_string()));
        }
        self.publisher.restored(snapshot.number).await.map_err(|_| RequestError::Stopping)?;
        Ok(queue_items(&snapshot))
    }

    /// A pipeline that has just started has no values yet. Where TaskRouter can't be read, the answer has none.
    async fn first_read(&self) {
        let mut snapshots = self.refresher.snapshots();
        let complete = snapshots.wait_for(|snapshot| snapshot.is_complete(self.needs));
        let _ = timeout(LONGEST_FIRST_READ, complete).await;
    }

    fn wallboard(&self) -> Result<&Wallboard, RequestError> {
        self.wallboard.as_ref().ok_or(RequestError::NoMetrics)
    }
}

fn unreadable(error: &TwilioError) -> RequestError {
    RequestError::TaskRouter(error.to_string())
}
