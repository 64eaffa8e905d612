//! Twilio as the tests of access need it: answers by a script, and what was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use reqwest::{Request, Response};
use serde_json::{Value, json};

use crate::config::{CoreConfig, SyncServiceName, TwilioConfig};
use crate::twilio::Client;
use crate::twilio::flex_token::FlexUsers;
use crate::twilio::sync::SyncService;
use crate::twilio::transport::{Answering, Transport};

/// Answers requests in turn; the last answer is given again and again, and without any a request waits without end.
#[derive(Debug)]
pub(super) struct ScriptedTwilio {
    answers: Mutex<VecDeque<(u16, Value)>>,
    pub(super) asked: Mutex<Vec<String>>,
}

impl ScriptedTwilio {
    pub(super) fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() })
    }

    pub(super) fn set(&self, answers: impl IntoIterator<Item = (u16, Value)>) {
        *self.answers.lock() = answers.into_iter().collect();
    }

    /// The requests since the last time, each as method, the path's last part without the query, and form.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock())
    }

    pub(super) fn sync(self: &Arc<Self>) -> SyncService {
        SyncService::new(self.client(), SyncServiceName::Default)
    }

    pub(super) fn flex_users(self: &Arc<Self>) -> FlexUsers {
        FlexUsers::new(self.client(), config().account_sid)
    }

    fn client(self: &Arc<Self>) -> Arc<Client> {
        Arc::new(Client::with_transport(&config(), self.clone()))
    }
}

impl Transport for ScriptedTwilio {
    fn carry(&self, request: Request) -> Answering<'_> {
        let part = request.url().path().rsplit('/').next().unwrap_or_default().to_owned();
        let form = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        let asked = format!("{} {part} {}", request.method(), String::from_utf8_lossy(form));
        self.asked.lock().push(asked.trim_end().to_owned());
        let mut answers = self.answers.lock();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move {
            let Some((status, body)) = answer else { return std::future::pending().await };
            Ok(Response::from(http::Response::builder().status(status).body(body.to_string()).unwrap()))
        })
    }
}

pub(super) fn written() -> (u16, Value) {
    (201, json!({ "revision": "1" }))
}

/// An error that the client does not ask again about by itself.
pub(super) fn refused(status: u16) -> (u16, Value) {
    (status, json!({}))
}

fn config() -> TwilioConfig {
    let variables = HashMap::from([
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        ("TWILIO_WORKSPACE_SID", "WS00000000000000000000000000000001"),
    ]);
    CoreConfig::read(&|name| variables.get(name).map(|value| (*value).to_owned())).unwrap().twilio
}
