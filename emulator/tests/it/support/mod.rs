//! An emulator, a client with its credentials, and a place that receives callbacks.

mod receiver;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use twilio_emulator::{Account, Emulator, NewTask, Settings};

pub(crate) use receiver::Receiver;

/// An emulator and a client of it.
pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) http: reqwest::Client,
}

/// An answer that was read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Twilio's error code.
    pub(crate) fn code(&self) -> u64 {
        self.body["code"].as_u64().unwrap_or_default()
    }
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let emulator = Emulator::start(settings).await.unwrap();
        Self { emulator, http: reqwest::Client::new() }
    }

    pub(crate) fn account(&self) -> &Account {
        self.emulator.account()
    }

    /// A request with credentials to a path of the emulator, or to an absolute URL.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url =
            if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.emulator.url()) };
        let account = self.account();
        self.http.request(method, url).basic_auth(&account.api_key_sid, Some(&account.api_key_secret))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::POST, path).form(form)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A path within the Workspace.
    pub(crate) fn w(&self, rest: &str) -> String {
        format!("/v1/Workspaces/{}{rest}", self.account().workspace_sid)
    }

    /// A path within the Sync service.
    pub(crate) fn s(&self, rest: &str) -> String {
        format!("/v1/Services/{}{rest}", self.account().sync_service_sid)
    }

    /// The SID of the first queue.
    pub(crate) fn queue(&self) -> String {
        self.emulator.world().queues()[0].sid.clone()
    }

    /// The SID of the first Worker.
    pub(crate) fn worker(&self) -> String {
        self.emulator.world().workers()[0].sid.clone()
    }

    /// A voice Task in a queue.
    pub(crate) fn task(&self, queue: &str) -> String {
        let new = NewTask { queue: queue.to_owned(), channel: "voice".to_owned(), ..NewTask::default() };
        self.emulator.world().create_task(new).unwrap()
    }
}

/// The names of an object's fields, sorted.
pub(crate) fn fields(value: &Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}
