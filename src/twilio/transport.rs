//! What carries a request to Twilio and brings the answer: the network, or whatever stands in its place.
//!
//! Everything that this service asks of Twilio goes through here, and nothing else does, so a simulated network under the
//! real client, schedule and outbox needs nothing but this one door.

use std::pin::Pin;

use reqwest::{Request, Response};

pub type Answering<'t> = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send + 't>>;

pub trait Transport: Send + Sync {
    /// Sends one request; done when the answer's head is there. The body is taken from the answer afterwards.
    fn carry(&self, request: Request) -> Answering<'_>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    TimedOut,
    Broken(String),
}

impl Transport for reqwest::Client {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
    fn carry(&self, request: Request) -> Answering<'_> {
        let answer = self.execute(request);
        Box::pin(async move { answer.await.map_err(|error| Failure::of(&error)) })
    }
}

impl Failure {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        // The outermost text repeats the URL; the innermost cause says what happened.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Self::Broken(cause.to_string())
    }
}
