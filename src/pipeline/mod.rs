//! The tasks that the leader runs, and the requests that other parts may send to it.
//!
//! ```text
//! marks ─► refresh (reads TaskRouter) ─► snapshots ─┬──────────────► publish (writes Sync), feed
//!                                                   └► wallboard ─► tiles ──┘
//! ```
//!
//! [`Pipeline::start`] puts its tasks into the caller's [`Tasks`], which decide when they stop: a process alone has one
//! pipeline for good, one of several replicas one for each term. What they do on request is a [`Request`] to a [`Handle`],
//! with a [`LeaderAnswer`] or a [`RequestError`]: none of them knows of HTTP, so replicas can pass them on.

mod answer;
mod handle;
mod lists;
mod request;

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

pub use answer::LeaderAnswer;
pub use handle::Handle;
pub use request::{Refusal, Request, RequestError};

use lists::Lists;

use crate::config::{CoreConfig, LayoutName};
use crate::layout;
use crate::lifecycle::{Stage, Tasks};
use crate::publish::{self, Publisher};
use crate::refresh::{self, Refresher, Roster};
use crate::stats::{Needs, Tiles};
use crate::telemetry::metrics::Monitor;
use crate::twilio::Apis;
use crate::twilio::access_token::DASHBOARD_IDENTITY;
use crate::wallboard::{self, Wallboard};

/// The service is ready after this long even if the first snapshot is still being written, as long as no write fails.
const LONGEST_FIRST_FILLING: Duration = Duration::from_secs(5);

/// Handles of the tasks that read, evaluate and write.
#[derive(Debug)]
pub struct Pipeline {
    /// Marks what is stale, and gives the snapshots.
    pub refresher: Refresher,
    /// The state of writes to Sync, and waiting for them.
    pub publisher: Publisher,
    /// The wallboard's tiles: beside the snapshots, which wait for no formula.
    pub tiles: watch::Receiver<Tiles>,
    /// Definitions and previews; `None` where the layout `dashboard-metrics` is off.
    pub wallboard: Option<Wallboard>,
    roster: Roster,
    needs: Needs,
}

impl Pipeline {
    /// Starts reading and writing; `grace` is how long pending writes may take when it is stopped.
    pub fn start(
        config: &CoreConfig,
        apis: Apis,
        grace: Duration,
        monitor: &Monitor,
        tasks: &mut Tasks,
    ) -> Self {
        Self::begin(config, apis, grace, monitor, tasks, None::<std::future::Ready<()>>)
    }

    /// Starts it for one term of many: the first write waits for `admitted`, since the previous leader's last writes may
    /// still be on their way, and every object's write budget begins empty.
    pub fn start_term(
        config: &CoreConfig,
        apis: Apis,
        grace: Duration,
        monitor: &Monitor,
        tasks: &mut Tasks,
        admitted: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self::begin(config, apis, grace, monitor, tasks, Some(admitted))
    }

    fn begin(
        config: &CoreConfig,
        apis: Apis,
        grace: Duration,
        monitor: &Monitor,
        tasks: &mut Tasks,
        admitted: Option<impl Future<Output = ()> + Send + 'static>,
    ) -> Self {
        let layouts = layout::all(config);
        let needs = layout::needs(&layouts);
        let (refresher, reader) = refresh::RefreshWorker::new(
            apis.taskrouter,
            config.refresh,
            config.statistics.clone(),
            needs,
            monitor.clone(),
        );
        let roster = reader.roster();
        let (wallboard, tiles) = if config.sync.layouts.contains(&LayoutName::DashboardMetrics) {
            let (wallboard, tiles, worker) =
                wallboard::WallboardWorker::new(config, apis.sync.clone(), refresher.snapshots());
            tasks.spawn(Stage::Evaluation, "evaluating", |stop| worker.run(stop));
            (Some(wallboard), tiles)
        } else {
            (None, watch::channel(None).1)
        };
        let readers = config.twilio.api_key.as_ref().map(|_| DASHBOARD_IDENTITY);
        let (publisher, mut writer) = publish::PublishWorker::new(
            apis.sync,
            &config.sync,
            layouts,
            refresher.snapshots(),
            tiles.clone(),
            readers,
            monitor.clone(),
        );
        if admitted.is_some() {
            writer.budgets_are_spent();
        }
        tasks.spawn(Stage::Reads, "reading", |stop| reader.run(stop));
        tasks.spawn(Stage::Writes, "writing", |stop| async move {
            if let Some(admitted) = admitted {
                let stopped = async {
                    stop.cancelled().await;
                    tokio::time::sleep(grace).await;
                };
                tokio::select! {
                    () = admitted => {}
                    // The next leader writes it.
                    () = stopped => return,
                }
            }
            writer.run(stop, grace).await;
        });
        Self { refresher, publisher, tiles, wallboard, roster, needs }
    }

    pub fn handle(&self, config: &CoreConfig) -> Handle {
        Handle {
            refresher: self.refresher.clone(),
            shown: self.refresher.snapshots(),
            publisher: self.publisher.clone(),
            wallboard: self.wallboard.clone(),
            roster: self.roster.clone(),
            lists: Lists::default(),
            account: config.twilio.account_sid,
            workspace: config.twilio.workspace_sid,
            zone: config.statistics.time_zone.clone(),
            needs: self.needs,
        }
    }

    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// A task that sets `ready` once a first whole snapshot has been read and written, or is being written: to fill a large
    /// Map takes minutes, and until then the feed shows everything.
    pub fn becoming_ready(
        &self,
        ready: watch::Sender<bool>,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (mut snapshots, publisher, needs) =
            (self.refresher.snapshots(), self.publisher.clone(), self.needs);
        let first = async move {
            let first = snapshots
                .wait_for(|snapshot| snapshot.is_complete(needs) && snapshot.has_values(needs))
                .await;
            // An error means that the pipeline is stopping.
            let number = first.map(|snapshot| snapshot.number).ok()?;
            let mut status = publisher.status();
            let being_written = async {
                tokio::time::sleep(LONGEST_FIRST_FILLING).await;
                status.wait_for(|status| status.audited && status.failing == 0).await.map(drop).ok()
            };
            tokio::select! {
                written = publisher.written(number) => written.ok(),
                being_written = being_written => being_written,
            }
        };
        async move {
            tokio::select! {
                () = stop.cancelled() => return,
                first = first => if first.is_some() {
                    ready.send_replace(true);
                    info!("Ready: a first snapshot has been read, and is written or being written");
                }
            }
            stop.cancelled().await;
        }
    }
}
