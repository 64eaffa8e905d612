//! What only the process that reads and writes can say or do, whichever process is asked.
//!
//! With one process that is this one. Where replicas share the work, whoever does not lead passes the question on to the
//! leader, after it has seen who asks and that they may.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::error::ApiError;
use super::roster;
use crate::cluster::{AskError, Asker, Repeat, Reply};
use crate::layout::queue_items;
use crate::publish::Publisher;
use crate::refresh::{Refresher, Roster};
use crate::sid::{AccountSid, WorkspaceSid};
use crate::stats::{Needs, Snapshot};
use crate::wallboard::{Metrics, Raw};

/// A thousand queues take about a minute to write within Sync's limits.
const LONGEST_BOOTSTRAP: Duration = Duration::from_secs(120);
/// All else: two reads of Twilio, with time to spare.
const LONGEST_ANSWER: Duration = Duration::from_secs(25);
/// For the first values, where a formula's editor asks for them; the rest is for another leader's turn.
const LONGEST_FIRST_READ: Duration = Duration::from_secs(10);
/// Bytes of an answer; a list of some thousand Workers is larger than any other.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Create what is missing, refresh, write, and tell all TaskQueues' items.
    Bootstrap,
    /// Open Tasks.
    Tasks,
    /// Workers.
    Workers,
    /// The metrics' definitions.
    Definitions,
    /// What formulas see.
    Fields,
    /// A metric's last hours.
    History(String),
    /// Definitions to be added or replaced, in their order.
    Save(Vec<(String, Value)>),
    /// Definitions to be taken out.
    Delete(Vec<String>),
    /// The order of the tiles.
    Order(Vec<String>),
    /// What a definition would show.
    Preview(Value),
}

impl Question {
    fn repeat(&self) -> Repeat {
        match self {
            Self::Bootstrap
            | Self::Tasks
            | Self::Workers
            | Self::Definitions
            | Self::Fields
            | Self::History(_)
            | Self::Preview(_) => Repeat::Harmless,
            Self::Save(_) | Self::Delete(_) | Self::Order(_) => Repeat::Never,
        }
    }
}

/// Where questions go.
#[derive(Debug)]
pub enum Desk {
    /// This process reads and writes, always.
    Here(Box<Head>),
    /// Whoever leads does.
    Shared {
        /// This one, as long as it leads.
        here: watch::Receiver<Option<Head>>,
        /// The way to another.
        asker: Asker,
    },
}

/// The handles of the part that reads and writes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Head {
    /// Marks what is stale.
    pub refresher: Refresher,
    /// The newest snapshot, with metrics where there are any.
    pub shown: watch::Receiver<Arc<Snapshot>>,
    /// Knows how far the writes are.
    pub publisher: Publisher,
    /// Definitions, previews and curves; `None` where there are no metrics.
    pub metrics: Option<Metrics>,
    /// Tasks and Workers.
    pub roster: Roster,
    /// Whose Workers.
    pub account: AccountSid,
    /// Likewise.
    pub workspace: WorkspaceSid,
    /// Of texts with a time in them.
    pub zone: TimeZone,
    /// What is read.
    pub needs: Needs,
}

impl Desk {
    /// The part that reads and writes, if it is in this process now.
    pub fn here(&self) -> Option<Head> {
        match self {
            Self::Here(head) => Some((**head).clone()),
            Self::Shared { here, .. } => here.borrow().clone(),
        }
    }

    /// `None` where another replica leads before there is an answer, and can be asked as well.
    async fn answer_while_it_leads(
        &self,
        head: &Head,
        question: &Question,
    ) -> Option<Result<Response, ApiError>> {
        let ended = async {
            match self {
                Self::Shared { here, .. } if question.repeat() == Repeat::Harmless => {
                    let _ = here.clone().wait_for(Option::is_none).await;
                }
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = ended => None,
            answer = head.answer(question.clone()) => Some(answer),
        }
    }

    pub(super) async fn ask(&self, question: Question) -> Result<Response, ApiError> {
        let asker = match self {
            Self::Here(head) => return head.answer(question).await,
            Self::Shared { asker, .. } => asker,
        };
        if let Some(head) = self.here()
            && let Some(answer) = self.answer_while_it_leads(&head, &question).await
        {
            return answer;
        }
        let limit = if matches!(question, Question::Bootstrap) { LONGEST_BOOTSTRAP } else { LONGEST_ANSWER };
        let reply =
            asker.ask(json!(question), question.repeat(), limit).await.map_err(|error| match error {
                AskError::Full => ApiError::Overloaded,
                error => ApiError::NoLeader(error.to_string()),
            })?;
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        Ok((status, headers, reply.body.get().to_owned()).into_response())
    }
}

impl Head {
    /// Answers another replica.
    pub async fn reply(self, question: Value) -> Reply {
        let response = match serde_json::from_value(question) {
            Ok(question) => self.answer(question).await.unwrap_or_else(IntoResponse::into_response),
            // A newer version may ask what this one does not know.
            Err(_) => ApiError::NotFound.into_response(),
        };
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), LARGEST_ANSWER).await.unwrap_or_default();
        let body = String::from_utf8(body.into()).ok().and_then(|body| RawValue::from_string(body).ok());
        Reply { status, body: body.unwrap_or_default() }
    }

    async fn answer(&self, question: Question) -> Result<Response, ApiError> {
        Ok(match question {
            Question::Bootstrap => {
                let items = timeout(LONGEST_BOOTSTRAP, self.refresh_and_write()).await;
                Json(items.map_err(|_| ApiError::NotFinished(LONGEST_BOOTSTRAP.as_secs()))??).into_response()
            }
            Question::Tasks => Json(roster::shown_tasks(self).await?).into_response(),
            Question::Workers => Json(roster::shown_workers(self).await?).into_response(),
            Question::Definitions => {
                fresh(&*self.metrics()?.definitions().await.map_err(|_| ApiError::Overloaded)?)
            }
            Question::Fields => {
                let metrics = self.metrics()?;
                self.first_read().await;
                fresh(&metrics.fields())
            }
            Question::History(metric) => {
                let points = self.metrics()?.history(&metric).await.map_err(|_| ApiError::Overloaded)?;
                let points =
                    points.ok_or_else(|| ApiError::NoSuchMetric(metric.chars().take(100).collect()))?;
                fresh(&json!({ "points": points }))
            }
            Question::Save(changes) => {
                fresh(&*self.metrics()?.save(&changes.into_iter().collect::<Raw>()).await?)
            }
            Question::Delete(names) => fresh(&*self.metrics()?.delete(&names).await?),
            Question::Order(names) => fresh(&*self.metrics()?.order(&names).await?),
            Question::Preview(metric) => {
                let metrics = self.metrics()?;
                self.first_read().await;
                let preview = metrics.preview(&metric, &self.zone).await;
                fresh(&preview.map_err(|_| ApiError::Overloaded)?)
            }
        })
    }

    async fn refresh_and_write(&self) -> Result<Vec<Value>, ApiError> {
        let snapshot = self.refresher.refresh_all().await.map_err(|_| ApiError::Stopping)?;
        if let Some(stale) = &snapshot.directory_stale {
            return Err(ApiError::TaskRouter(stale.reason.to_string()));
        }
        self.publisher.restored(snapshot.number).await.map_err(|_| ApiError::Stopping)?;
        Ok(queue_items(&snapshot))
    }

    /// Whoever has just begun to lead has no values yet. Where TaskRouter can't be read, what there is has to do.
    async fn first_read(&self) {
        let mut snapshots = self.refresher.snapshots();
        let complete = snapshots.wait_for(|snapshot| snapshot.is_complete(self.needs));
        let _ = timeout(LONGEST_FIRST_READ, complete).await;
    }

    fn metrics(&self) -> Result<&Metrics, ApiError> {
        self.metrics.as_ref().ok_or(ApiError::NoMetrics)
    }
}

fn fresh(value: &impl Serialize) -> Response<Body> {
    ([(CACHE_CONTROL, "no-store")], Json(value)).into_response()
}
