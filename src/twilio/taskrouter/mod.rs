//! TaskRouter's REST API, as far as we read it: methods named as Twilio names the resources.

mod entries;
mod resources;
mod statistics;
mod table;

use std::sync::Arc;

use jiff::SignedDuration;
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use entries::OddEntries;
pub use entries::{Entries, OddEntry};
use resources::TaskChannel;
pub use resources::{Named, Reservation, Task, TaskQueue, Worker, Workspace};
pub use statistics::{
    ActivityCount, Cumulative, Realtime, Split, Statistics, TaskQueueStatistics, WaitDuration,
};
use statistics::{Resource, WithOwner};
pub use table::{Counts, Table};

use super::call::{Api, Call, RequestBody};
use super::client::Client;
use super::error::TwilioError;
use super::governor::Endpoint;
use crate::sid::{TaskQueueSid, TaskSid, WorkerSid, WorkflowSid, WorkspaceSid};

/// TaskQueues in one bulk request (Twilio, "TaskQueue Statistics").
pub const MOST_IN_BULK: usize = 50;
/// Entries in one page of a list (Twilio's API description).
pub const PAGE_SIZE: usize = 1000;
/// More pages than any Workspace has: 5,000 TaskQueues and 500,000 Tasks are Twilio's limits.
const MOST_PAGES: usize = 1000;

#[derive(Debug, Clone)]
pub struct TaskRouter {
    client: Arc<Client>,
    workspace: WorkspaceSid,
    odd: OddEntries,
}

/// Since when to count, and how to split waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// `StartDate`, ISO 8601 in UTC with whole seconds.
    pub start: String,
    /// `EndDate`, the same; now if absent.
    pub end: Option<String>,
    /// `SplitByWaitTime`, comma-separated seconds.
    pub split: String,
}

#[derive(Deserialize)]
struct Bulk {
    task_queue_data: Entries<Resource<Realtime>>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    next_page_url: Option<String>,
}

/// A page of a list: its entries stand under a key of their own, told apart by type.
trait Page: DeserializeOwned {
    type Item;
    fn split(self) -> (Entries<Self::Item>, Meta);
}

macro_rules! page {
    ($page:ident, $key:ident, $entry:ty) => {
        #[derive(Deserialize)]
        struct $page {
            $key: Entries<$entry>,
            meta: Meta,
        }
        impl Page for $page {
            type Item = $entry;
            fn split(self) -> (Entries<$entry>, Meta) {
                (self.$key, self.meta)
            }
        }
    };
}

page!(TaskQueuesPage, task_queues, TaskQueue);
page!(WorkspacesPage, workspaces, Named<WorkspaceSid>);
page!(WorkflowsPage, workflows, Named<WorkflowSid>);
page!(TaskChannelsPage, channels, TaskChannel);
page!(TasksPage, tasks, Task);
page!(WorkersPage, workers, Worker);
page!(ReservationsPage, reservations, Reservation);
page!(TaskQueuesStatisticsPage, task_queues_statistics, TaskQueueStatistics);

impl TaskRouter {
    pub fn new(client: Arc<Client>, workspace: WorkspaceSid) -> Self {
        Self { client, workspace, odd: OddEntries::default() }
    }

    /// `GET Workspaces/{sid}`
    pub async fn workspace(&self) -> Result<Workspace, TwilioError> {
        self.get("", "Workspace", &[]).await
    }

    /// How far this machine's clock is ahead of Twilio's, to a second or so; `None` where an answer does not say.
    pub async fn clock_ahead(&self) -> Result<Option<SignedDuration>, TwilioError> {
        let call = Call::get(Api::TaskRouter, self.target("", &[]), "GET Workspace".to_owned());
        self.client.clock_ahead(&call).await
    }

    /// `POST Workspaces/{sid}` with a new `EventCallbackUrl`; events of all types go there, as every layout needs.
    pub async fn set_event_callback_url(&self, url: &str) -> Result<Workspace, TwilioError> {
        let body =
            form_urlencoded::Serializer::new(String::new()).append_pair("EventCallbackUrl", url).finish();
        let call = Call::post(
            Api::TaskRouter,
            self.target("", &[]),
            "POST Workspace".to_owned(),
            RequestBody::Form(body),
        );
        self.client.read(&call).await
    }

    /// `GET TaskQueues`, all pages.
    pub async fn task_queues(&self) -> Result<Entries<TaskQueue>, TwilioError> {
        let listed = self.list::<TaskQueuesPage>("/TaskQueues", &[]).await?;
        match listed.odd.first().filter(|_| listed.read.is_empty()) {
            // A list of which nothing can be read is no empty one.
            Some(odd) => {
                Err(TwilioError::Answer { call: "GET TaskQueues".to_owned(), reason: odd.reason.to_string() })
            }
            None => Ok(listed),
        }
    }

    /// `GET TaskQueues` that a Worker's attributes match, all pages.
    pub async fn task_queues_of(&self, worker: WorkerSid) -> Result<Vec<TaskQueue>, TwilioError> {
        let query = [("WorkerSid", worker.as_str())];
        Ok(self.list::<TaskQueuesPage>("/TaskQueues", &query).await?.read)
    }

    /// `GET Workspaces`: the first of those that the account has.
    pub async fn workspaces(&self) -> Result<Vec<Named<WorkspaceSid>>, TwilioError> {
        let call = Call::get(Api::TaskRouter, "/v1/Workspaces".to_owned(), "GET Workspaces".to_owned());
        Ok(self.client.read::<WorkspacesPage>(&call).await?.split().0.read)
    }

    /// `GET Workflows`, all pages.
    pub async fn workflows(&self) -> Result<Vec<Named<WorkflowSid>>, TwilioError> {
        Ok(self.list::<WorkflowsPage>("/Workflows", &[]).await?.read)
    }

    /// `GET Workflows/{sid}`
    pub async fn workflow(&self, workflow: WorkflowSid) -> Result<Named<WorkflowSid>, TwilioError> {
        self.get(&format!("/Workflows/{workflow}"), "Workflow", &[]).await
    }

    /// `GET TaskChannels`, all pages: their unique names.
    pub async fn task_channels(&self) -> Result<Vec<Box<str>>, TwilioError> {
        let channels = self.list::<TaskChannelsPage>("/TaskChannels", &[]).await?.read;
        Ok(channels.into_iter().map(|channel| channel.unique_name).collect())
    }

    /// `GET Statistics` of the Workspace on one TaskChannel: whether Tasks are there, or were since the day began.
    pub async fn has_tasks_on(&self, channel: &str, window: &Window) -> Result<bool, TwilioError> {
        let query = in_window(window, Some(channel));
        let Statistics { realtime, cumulative } = self.get("/Statistics", "Statistics", &query).await?;
        let created = cumulative.extra.get("tasks_created").and_then(serde_json::Value::as_u64);
        let counts = [realtime.total_tasks, cumulative.reservations_created, cumulative.tasks_canceled];
        let others = [cumulative.tasks_completed, cumulative.tasks_entered, created];
        Ok(counts.into_iter().chain(others.into_iter().flatten()).any(|count| count > 0))
    }

    /// `GET Tasks` that are not finished, all pages.
    pub async fn open_tasks(&self) -> Result<Vec<Task>, TwilioError> {
        let open = ["pending", "reserved", "assigned", "wrapping"].map(|status| ("AssignmentStatus", status));
        Ok(self.list::<TasksPage>("/Tasks", &open).await?.read)
    }

    /// `GET Tasks`, all pages: also the finished ones, which Twilio keeps for some minutes.
    pub async fn tasks(&self) -> Result<Vec<Task>, TwilioError> {
        Ok(self.list::<TasksPage>("/Tasks", &[]).await?.read)
    }

    /// `GET Workers`, all pages.
    pub async fn workers(&self) -> Result<Vec<Worker>, TwilioError> {
        Ok(self.list::<WorkersPage>("/Workers", &[]).await?.read)
    }

    /// `GET Workers/{sid}`
    pub async fn worker(&self, worker: WorkerSid) -> Result<Worker, TwilioError> {
        self.get(&format!("/Workers/{worker}"), "Worker", &[]).await
    }

    /// `GET Tasks/{sid}/Reservations`, all pages.
    pub async fn task_reservations(&self, task: TaskSid) -> Result<Vec<Reservation>, TwilioError> {
        Ok(self.list::<ReservationsPage>(&format!("/Tasks/{task}/Reservations"), &[]).await?.read)
    }

    /// `GET CumulativeStatistics` of the Workspace over the last 60 minutes.
    pub async fn workspace_last_hour(&self) -> Result<Cumulative, TwilioError> {
        self.resource("/CumulativeStatistics", &[("Minutes", "60")]).await
    }

    /// `GET Statistics` of the Workspace.
    pub async fn workspace_statistics(&self, window: &Window) -> Result<Statistics, TwilioError> {
        self.get("/Statistics", "Statistics", &in_window(window, None)).await
    }

    /// `GET RealTimeStatistics` of the Workspace.
    pub async fn workspace_real_time_statistics(&self) -> Result<Realtime, TwilioError> {
        self.resource("/RealTimeStatistics", &[]).await
    }

    /// `GET CumulativeStatistics` of the Workspace.
    pub async fn workspace_cumulative_statistics(&self, window: &Window) -> Result<Cumulative, TwilioError> {
        self.resource("/CumulativeStatistics", &in_window(window, None)).await
    }

    /// `GET TaskQueues/Statistics`, all pages: realtime and cumulative for every TaskQueue.
    pub async fn task_queues_statistics(
        &self,
        channel: Option<&str>,
        window: &Window,
    ) -> Result<Entries<TaskQueueStatistics>, TwilioError> {
        let query = in_window(window, channel);
        self.pages::<TaskQueuesStatisticsPage>("/TaskQueues/Statistics", &query, Endpoint::List).await
    }

    /// `GET TaskQueues/{sid}/Statistics`
    pub async fn task_queue_statistics(
        &self,
        queue: TaskQueueSid,
        channel: Option<&str>,
        window: &Window,
    ) -> Result<Statistics, TwilioError> {
        let path = format!("/TaskQueues/{queue}/Statistics");
        self.get(&path, &path[1..], &in_window(window, channel)).await
    }

    /// `GET TaskQueues/{sid}/RealTimeStatistics`
    pub async fn task_queue_real_time_statistics(
        &self,
        queue: TaskQueueSid,
        channel: Option<&str>,
    ) -> Result<Realtime, TwilioError> {
        let query: Vec<_> = channel.map(|channel| ("TaskChannel", channel)).into_iter().collect();
        self.resource(&format!("/TaskQueues/{queue}/RealTimeStatistics"), &query).await
    }

    /// `GET TaskQueues/{sid}/CumulativeStatistics`
    pub async fn task_queue_cumulative_statistics(
        &self,
        queue: TaskQueueSid,
        channel: Option<&str>,
        window: &Window,
    ) -> Result<Cumulative, TwilioError> {
        let path = format!("/TaskQueues/{queue}/CumulativeStatistics");
        self.resource(&path, &in_window(window, channel)).await
    }

    /// `POST TaskQueues/RealTimeStatistics` for at most [`MOST_IN_BULK`] TaskQueues, all channels together. One that
    /// Twilio does not know comes back with zeros.
    pub async fn bulk_real_time_statistics(
        &self,
        queues: &[TaskQueueSid],
    ) -> Result<Entries<(TaskQueueSid, Realtime)>, TwilioError> {
        let path = "/TaskQueues/RealTimeStatistics";
        let body = RequestBody::Json(json!({ "queueSids": queues }).to_string());
        let call = Call {
            endpoint: Endpoint::Bulk,
            ..Call::post(Api::TaskRouter, self.target(path, &[]), format!("POST {}", &path[1..]), body)
        };
        let bulk: Bulk = self.client.read(&call).await?;
        let Entries { read, odd } = bulk.task_queue_data;
        self.odd.warn("POST TaskQueues/RealTimeStatistics", &odd);
        let read = read.into_iter().filter_map(|r| Some((r.task_queue_sid?, r.statistics))).collect();
        Ok(Entries { read, odd })
    }

    async fn resource<T: WithOwner>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, TwilioError> {
        let resource: Resource<T> = self.get(path, &path[1..], query).await?;
        Ok(resource.statistics)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        name: &str,
        query: &[(&str, &str)],
    ) -> Result<T, TwilioError> {
        let call = Call::get(Api::TaskRouter, self.target(path, query), format!("GET {name}"));
        self.client.read(&call).await
    }

    async fn list<P: Page>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Entries<P::Item>, TwilioError> {
        self.pages::<P>(path, query, Endpoint::Other).await
    }

    async fn pages<P: Page>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        endpoint: Endpoint,
    ) -> Result<Entries<P::Item>, TwilioError> {
        let page_size = PAGE_SIZE.to_string();
        let query: Vec<_> = query.iter().copied().chain([("PageSize", page_size.as_str())]).collect();
        let mut target = self.target(path, &query);
        let mut entries = Entries::default();
        for _ in 0..MOST_PAGES {
            let call = Call::get(Api::TaskRouter, target, format!("GET {}", &path[1..]));
            let call = Call { large: true, endpoint, ..call };
            let (page, meta) = self.client.read::<P>(&call).await?.split();
            entries.extend(page);
            let Some(next) = meta.next_page_url else {
                self.odd.warn(&call.name, &entries.odd);
                return Ok(entries);
            };
            target = self.next_target(&call, &next)?;
        }
        let reason = format!("it goes on after {MOST_PAGES} pages");
        Err(TwilioError::Answer { call: format!("GET {}", &path[1..]), reason })
    }

    /// The next page below our own base URL: an address from an answer never decides where the credentials go.
    fn next_target(&self, call: &Call, next_page_url: &str) -> Result<String, TwilioError> {
        let answer =
            |reason: &str| TwilioError::Answer { call: call.name.clone(), reason: reason.to_owned() };
        let next = Url::parse(next_page_url).map_err(|_| answer("next_page_url is not a URL"))?;
        let here = call.target.split('?').next().unwrap_or_default();
        if !next.path().ends_with(here) {
            return Err(answer("next_page_url is not a page of the same list"));
        }
        let query = next.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(format!("{here}{query}"))
    }

    fn target(&self, path: &str, query: &[(&str, &str)]) -> String {
        let target = format!("/v1/Workspaces/{}{path}", self.workspace);
        if query.is_empty() {
            return target;
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("{target}?{query}")
    }
}

fn in_window<'a>(window: &'a Window, channel: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let mut query = vec![("StartDate", window.start.as_str()), ("SplitByWaitTime", window.split.as_str())];
    query.extend(window.end.as_deref().map(|end| ("EndDate", end)));
    query.extend(channel.map(|channel| ("TaskChannel", channel)));
    query
}
