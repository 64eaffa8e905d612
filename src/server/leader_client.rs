//! Puts requests to the process that reads and writes, whichever process is asked.
//!
//! A process alone is that one. Of several replicas, those that follow pass the request on to the leader, after they have
//! checked who asks and that they may.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use super::error::ApiError;
use super::shared_answers::SharedAnswers;
use crate::cluster::{LeaderRpc, RpcError};
use crate::pipeline::{Handle, LeaderAnswer, Request, RequestError};

/// Asks the leader, and sends what it answers.
#[derive(Debug)]
pub struct LeaderClient {
    leader: Leader,
    answers: SharedAnswers,
}

#[derive(Debug)]
enum Leader {
    Local(Box<Handle>),
    Shared {
        /// This process's own pipeline, while it leads.
        local: watch::Receiver<Option<Handle>>,
        rpc: LeaderRpc,
    },
}

impl LeaderClient {
    /// For a process alone.
    pub fn alone(pipeline: Handle) -> Self {
        Self { leader: Leader::Local(Box::new(pipeline)), answers: SharedAnswers::default() }
    }

    /// For one of several replicas: its own pipeline while it leads, and the way to another leader.
    pub fn shared(local: watch::Receiver<Option<Handle>>, rpc: LeaderRpc) -> Self {
        Self { leader: Leader::Shared { local, rpc }, answers: SharedAnswers::default() }
    }

    /// The pipeline, if it runs in this process now.
    pub fn local(&self) -> Option<Handle> {
        match &self.leader {
            Leader::Local(handle) => Some((**handle).clone()),
            Leader::Shared { local, .. } => local.borrow().clone(),
        }
    }

    /// The leader's answer, as the HTTP response to the caller.
    pub(super) async fn ask(&self, request: Request) -> Result<Response, ApiError> {
        let answer = self.answer(request).await?;
        let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
        Ok((headers, self.answers.body(answer)).into_response())
    }

    async fn answer(&self, request: Request) -> Result<LeaderAnswer, ApiError> {
        let rpc = match &self.leader {
            Leader::Local(handle) => return Ok(handle.answer(request).await?),
            Leader::Shared { rpc, .. } => rpc,
        };
        if let Some(handle) = self.local()
            && let Some(answer) = self.answer_while_leading(&handle, &request).await
        {
            return answer;
        }
        rpc.call(&request).await.map_err(|error| match error {
            RpcError::Full => RequestError::Overloaded.into(),
            RpcError::Refused { status, body } => ApiError::relayed(status, body),
            error => {
                let message = format!("the replica that leads can't be asked: {error}");
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_leader", message)
            }
        })
    }

    /// `None` where another replica becomes the leader before there is an answer, and can be asked as well.
    async fn answer_while_leading(
        &self,
        handle: &Handle,
        request: &Request,
    ) -> Option<Result<LeaderAnswer, ApiError>> {
        let ended = async {
            match &self.leader {
                Leader::Shared { local, .. } if request.is_idempotent() => {
                    let _ = local.clone().wait_for(Option::is_none).await;
                }
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = ended => None,
            answer = handle.answer(request.clone()) => Some(answer.map_err(Into::into)),
        }
    }
}
