//! Who is let in.
#![allow(dead_code, unused_imports, reason = "a part of the service has no callers here")]

pub mod bucket;
pub mod config;
pub mod coordination;
pub mod form;
pub mod lenient_json;
pub mod service_level;
pub mod sid;
pub mod telemetry {
    pub mod trace;
    pub mod metrics {
        mod request_label;

        use std::time::Duration;

        pub use request_label::request_label;

        /// Counts nothing.
        #[derive(Debug, Clone, Default)]
        pub struct Monitor;

        #[derive(Debug, Clone, Copy)]
        pub enum Limit {
            TaskRouterAllowance,
            AccountConcurrency,
        }

        impl Monitor {
            pub fn requested(&self, _: &str, _: String, _: String, _: Option<Duration>) {}
            pub fn headroom(&self, _: Limit, _: f64) {}
        }
    }
}
pub mod twilio {
    mod call;
    mod client;
    mod connection;
    mod error;
    pub mod flex_token;
    mod governor;
    mod guarded;
    mod name;
    mod number;
    mod response;
    pub mod retry;
    pub mod sync;
    pub mod transport;
    mod unanswered;

    pub use client::{Client, ClientError};
    pub use error::{Next, TwilioError};
}
pub mod server {
    mod auth;
    mod same_site;

    use std::borrow::Cow;
    use std::ops::Deref;
    use std::sync::Arc;

    use axum::http::{HeaderName, HeaderValue, StatusCode};
    use axum::response::{IntoResponse, Response};

    pub use auth::{Access, AccessError, FlexGate, Principal, Role, SyncGate};

    /// Of the service's answers to what it refuses, as much as access has to do with.
    #[derive(Debug)]
    pub struct ApiError(StatusCode, &'static str, String, Vec<(HeaderName, HeaderValue)>);

    impl ApiError {
        pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
            Self(status, code, message.into().into_owned(), Vec::new())
        }

        #[must_use]
        pub(super) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
            self.3.push((name, HeaderValue::from_static(value)));
            self
        }
    }

    impl IntoResponse for ApiError {
        fn into_response(self) -> Response {
            let body = serde_json::json!({ "code": self.1, "message": self.2 }).to_string();
            let mut response = (self.0, body).into_response();
            response.headers_mut().extend(self.3);
            response
        }
    }

    /// Of the handlers' state, as much as access uses.
    #[derive(Debug, Clone)]
    pub struct AppState(Arc<State>);

    #[derive(Debug)]
    pub struct State {
        pub access: Access,
        pub public_url: crate::config::PublicUrl,
        pub sockets: Origins,
    }

    #[derive(Debug)]
    pub struct Origins(Vec<String>);

    impl Origins {
        pub(super) fn origins(&self) -> impl Iterator<Item = &str> {
            self.0.iter().map(String::as_str)
        }
    }

    impl Deref for AppState {
        type Target = State;

        fn deref(&self) -> &State {
            &self.0
        }
    }
}
