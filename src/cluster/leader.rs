//! One term of leadership: everything that reads, writes and answers, built when the lease is granted and torn down
//! with it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::curves::keep_curves;
use super::election::Leadership;
use super::marks::deliver;
use super::member::{MemberError, ReplicaContext};
use super::message::Message;
use super::replication::replicate;
use super::rpc::serve;
use super::tasks::ReplicaTasks;
use crate::feed;
use crate::history::{ArchiveWorker, BACKFILL_PAUSE};
use crate::lifecycle::Tasks;
use crate::pipeline::Pipeline;
use crate::twilio::sync::SyncService;
use crate::twilio::{Apis, Client, Next};

/// The time limit for deleting an earlier version's Document.
const LONGEST_DELETION: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Term {
    pipeline: Option<Tasks>,
    pub(super) client: Arc<Client>,
    parts: ReplicaTasks,
    ended: CancellationToken,
    shared: ReplicaContext,
}

impl Term {
    /// `after_another`: the previous leader's requests may still be in flight, so the first write waits for them.
    pub(super) fn start(
        shared: &ReplicaContext,
        leadership: &Leadership,
        after_another: bool,
        requests: broadcast::Receiver<Arc<Message>>,
    ) -> Result<Self, MemberError> {
        let (config, link, monitor) = (&shared.config, &shared.link, &shared.watched.monitor);
        let apis = Apis::leased(&config.core, monitor.clone(), leadership.lease().clone())?;
        let overlap = if after_another { link.timing().overlap() } else { Duration::ZERO };
        let grace = config.server.shutdown_grace;
        let mut tasks = Tasks::default();
        let admitted = sleep(overlap);
        let pipeline = Pipeline::start_term(&config.core, apis.clone(), grace, monitor, &mut tasks, admitted);
        let handle = pipeline.handle(&config.core);
        let ended = CancellationToken::new();
        let mut parts = ReplicaTasks::default();
        let drawing = feed::FeedWorker::new(
            shared.watched.pictures.clone(),
            pipeline.refresher.snapshots(),
            pipeline.tiles.clone(),
            pipeline.publisher.status(),
            shared.watched.alerts.clone(),
            &config.core.sync.dashboard_metrics_document,
            config.core.refresh.realtime_interval,
        )
        .judging_by(apis.client.taskrouter_unanswered());
        shared.leads.send_replace(true);
        parts.spawn("the feed", drawing.taking_over(pipeline.needs()).run(ended.clone()));
        let storing = ArchiveWorker::new(
            shared.watched.archive.clone(),
            pipeline.refresher.snapshots(),
            pipeline.tiles.clone(),
            config.core.refresh.realtime_interval,
        );
        let (storing, backfill) = storing.with_backfill(apis.taskrouter.clone(), BACKFILL_PAUSE);
        parts.spawn("storing history", storing.run(ended.clone()));
        parts.spawn("reading the past", backfill.run(ended.clone()));
        let pictures = shared.watched.pictures.clone();
        parts.spawn(
            "replicating the feed",
            replicate(link.clone(), leadership.clone(), pictures, ended.clone()),
        );
        let marks =
            deliver(link.clone(), pipeline.refresher.clone(), shared.messages.subscribe(), ended.clone());
        parts.spawn("taking marks", marks);
        let answering = serve(link.clone(), leadership.name(), requests, handle.clone(), ended.clone());
        parts.spawn("answering requests", answering);
        if let Some(wallboard) = pipeline.wallboard.clone() {
            parts.spawn("keeping curves", keep_curves(link.clone(), wallboard, ended.clone()));
        }
        parts.spawn("becoming ready", pipeline.becoming_ready(shared.watched.ready.clone(), ended.clone()));
        let old_document = format!("taskrouter_sync_leader_{}", config.core.twilio.workspace_sid);
        let deleting = delete_old_document(apis.sync.clone(), old_document, overlap, ended.clone());
        parts.spawn("deleting an earlier version's Document", deleting);
        shared.handle.send_replace(Some(handle));
        Ok(Self { pipeline: Some(tasks), client: apis.client, parts, ended, shared: shared.clone() })
    }

    /// Waits for a task to end, which none does before it is stopped.
    pub(super) async fn ended_early(&mut self) -> MemberError {
        let Some(pipeline) = &mut self.pipeline else { return std::future::pending().await };
        tokio::select! {
            early = pipeline.ended_early() => early.into(),
            early = self.parts.ended_early() => early,
        }
    }

    /// Stops reading and writing at once.
    pub(super) async fn abort(mut self) {
        self.step_down();
        if let Some(pipeline) = self.pipeline.take() {
            pipeline.abort().await;
        }
        self.ended.cancel();
        // How they end no longer matters.
        let _ = self.parts.end(self.shared.patience()).await;
    }

    pub(super) async fn stop(&mut self) -> Result<(), MemberError> {
        let Some(pipeline) = self.pipeline.take() else { return Ok(()) };
        let stopped = pipeline.stop().await;
        self.step_down();
        self.ended.cancel();
        self.parts.end(self.shared.patience()).await?;
        Ok(stopped?)
    }

    fn step_down(&self) {
        self.shared.handle.send_replace(None);
        self.shared.leads.send_replace(false);
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.step_down();
        self.ended.cancel();
    }
}

/// Earlier versions kept a Document in Sync that named the leader. Deletes it once a term, after the first moment at
/// which this term may write; a failure leaves it to the next term, since nothing reads the Document any more.
async fn delete_old_document(
    sync: SyncService,
    document: String,
    overlap: Duration,
    stop: CancellationToken,
) {
    let deleting = async {
        sleep(overlap).await;
        match timeout(LONGEST_DELETION, sync.delete_document(&document)).await {
            Ok(Ok(())) => info!(document, "Deleted the Document that an earlier version left in Sync"),
            Ok(Err(error)) if matches!(error.next(), Next::Missing) => {}
            Ok(Err(error)) => debug!(document, %error, "Deleting an earlier version's Document failed"),
            Err(_) => debug!(document, "Deleting an earlier version's Document timed out"),
        }
    };
    tokio::select! {
        () = stop.cancelled() => return,
        () = deleting => {}
    }
    stop.cancelled().await;
}
