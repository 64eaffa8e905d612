//! The tasks of a replica, or of a term.

use std::time::Duration;

use tracing::info;

use super::member::MemberError;
use crate::lifecycle::{Stage, Tasks};

/// Tasks that share one cancellation token.
#[derive(Debug, Default)]
pub(super) struct ReplicaTasks(Tasks);

impl ReplicaTasks {
    pub(super) fn spawn(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(Stage::Intake, name, |_| part);
    }

    pub(super) async fn ended_early(&mut self) -> MemberError {
        self.0.ended_early().await.into()
    }

    /// Waits for all of them, whose token is cancelled. After `patience` those that wait for Redis are aborted: a Redis
    /// that hangs would keep one command after another waiting.
    pub(super) async fn end(&mut self, patience: Duration) -> Result<(), MemberError> {
        let parts = std::mem::take(&mut self.0).stop_within(patience).await?;
        if parts > 0 {
            info!(parts, "Stopped without waiting for Redis: it does not answer");
        }
        Ok(())
    }
}
